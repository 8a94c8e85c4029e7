"""KServe: ``InferenceService`` with its runtime, and ``LLMInferenceService``.

Shapes: KServe's reference of its API, serving.kserve.io/v1beta1, v1alpha1 and v1alpha2.
"""

from collections.abc import Sequence
from dataclasses import replace

from auditor.fleet.discover.cluster import claimed, environment, files
from auditor.fleet.discover.documents import Block
from auditor.fleet.discover.entry import entry, name_of, owner_of
from auditor.fleet.discover.flags import Served, served
from auditor.fleet.discover.found import DiscoverOptions, Found
from auditor.fleet.discover.hardware import built_for, chosen_nodes, devices

_RUNTIMES = ("ServingRuntime", "ClusterServingRuntime")
#: Formats whose runtimes serve neural networks, and the engine behind each where the runtime is not in the file.
_FORMATS = {"huggingface": "vllm", "vllm": "vllm", "triton": "triton", "pytorch": "torchserve", "tensorrt": "triton", "onnx": "triton"}


def inference_service(resource: Block, others: Sequence[Block], label: str, options: DiscoverOptions) -> Found:
    """Return the model of an InferenceService: of its ``model``, or of a container of its own."""
    predictor = resource.block("spec", "predictor")
    model = predictor.block("model")
    if not model:
        name, model = _legacy(predictor)
        if not model:
            return _containers(predictor, resource, others, label, options)
    else:
        name = (model.text("modelFormat", "name") or "").lower()
    runtime = _runtime(model.text("runtime"), others)
    container = next(iter(runtime.blocks("containers")), Block(0))
    command = [*container.texts("command"), *container.texts("args"), *model.texts("command"), *model.texts("args")]
    namespace = resource.text("metadata", "namespace")
    variables = environment(container, others) | environment(model, others, namespace)
    image = model.text("image") or container.text("image") or ""
    found = served(image, command, variables)
    engine = found.engine if found else _FORMATS.get(name)
    if engine is None:
        return Found()
    if found is None:
        # Without the runtime at hand, its flags are still the engine's.
        found = served(engine, command, variables) or Served(engine, None, serving={"engine": engine})
    address = model.text("storageUri") or _stored(model)
    count, kind = devices(model.block("resources") or container.block("resources"))
    workers = predictor.block("workerSpec")
    return entry(
        _with(found, address, predictor.block("workerSpec"), "tensorParallelSize", "pipelineParallelSize"),
        f"{label}:{resource.line}",
        options,
        name=name_of(resource.block("metadata")),
        owner=owner_of(resource.block("metadata")),
        replicas=predictor.number("minReplicas"),
        count=count * (workers.number("pipelineParallelSize") or 1) if count else None,
        resource=kind or built_for(image),
        chip=chosen_nodes(predictor, options),
    )


def llm_inference_service(resource: Block, others: Sequence[Block], label: str, options: DiscoverOptions) -> Found:
    """Return the model of an LLMInferenceService; what it leaves out, the configurations that it refers to fill in."""
    bases = [other.block("spec") for ref in resource.blocks("spec", "baseRefs") if (other := _config(ref.text("name"), others))]
    # Of several configurations, a later one goes before an earlier one.
    specs = [resource.block("spec"), *reversed(bases)]

    def first(*path: str) -> Block:
        return next((block for spec in specs if (block := spec.block(*path))), Block(resource.line))

    model, parallel, template, prefill = first("model"), first("parallelism"), first("template"), first("prefill")
    containers = [container for spec in specs for container in spec.blocks("template", "containers")[:1]]
    namespace = resource.text("metadata", "namespace")
    variables = {name: text for container in reversed(containers) for name, text in environment(container, others, namespace).items()}
    image = next((text for container in containers if (text := container.text("image"))), "")
    command = [*_first(containers, "command"), *_first(containers, "args")]
    # Its controller runs vLLM unless a container or the runtime says otherwise.
    runtime = next((text for spec in specs if (text := spec.text("runtime"))), "")
    found = served(image, command, variables) or served(runtime, command, variables) or served("vllm", command, variables)
    assert found is not None  # noqa: S101 - the image named last is an engine's
    workload = dict(found.workload)
    if model.blocks("lora", "adapters"):
        workload["lora"] = True
    if first("speculator") or first("speculativeDecoding"):
        workload["speculative"] = True
    # Prompts are read by a pool of their own.
    apart = {"prefill_replicas": _replicas([prefill]) or 1} if prefill else {}
    found = replace(found, name=model.text("name") or found.name, workload=workload, serving={**found.serving, **apart})
    count, kind = next((pair for container in containers if (pair := devices(container.block("resources")))[1]), (None, ""))
    if not kind:
        count, kind = next((pair for container in containers if (pair := claimed(container, template, others))[1]), (None, ""))
    nodes = (parallel.number("pipeline") or 1) * max((parallel.number("data") or 1) // (parallel.number("dataLocal") or 1), 1)
    return entry(
        _with(found, model.text("uri"), parallel, "tensor", "pipeline", "data"),
        f"{label}:{resource.line}",
        options,
        name=name_of(resource.block("metadata")),
        owner=owner_of(resource.block("metadata")),
        replicas=_replicas(specs),
        count=count * nodes if count else None,
        resource=kind or built_for(image),
        chip=chosen_nodes(template, options),
    )


def _first(containers: Sequence[Block], name: str) -> list[str]:
    return next((texts for container in containers if (texts := container.texts(name))), [])


def _replicas(specs: Sequence[Block]) -> int | None:
    """Return how many replicas the first specification asks for that says so: fixed, or the fewest of an autoscaler."""
    for spec in specs:
        for path in (("replicas",), ("scaling", "minReplicas")):
            if (number := spec.number(*path)) is not None:
                return number
    return 1


def _with(found: Served, address: str | None, block: Block, *sizes: str) -> Served:
    """Return ``found`` with the model's address and the degrees of parallelism that a resource states itself."""
    names = ("tensor_parallel", "pipeline_parallel", "data_parallel")
    stated = {name: number for name, size in zip(names, sizes, strict=False) if (number := block.number(size)) is not None}
    return replace(found, model=address or found.model, serving={**found.serving, **stated})


def _containers(predictor: Block, resource: Block, others: Sequence[Block], label: str, options: DiscoverOptions) -> Found:
    parts = []
    namespace = resource.text("metadata", "namespace")
    for container in predictor.blocks("containers"):
        variables = environment(container, others, namespace)
        image = container.text("image") or ""
        command = [*container.texts("command"), *container.texts("args")]
        found = served(image, command, variables, files(container, predictor, others, namespace))
        if found is None:
            continue
        count, kind = devices(container.block("resources"))
        parts.append(
            entry(
                replace(found, model=variables.get("STORAGE_URI") or found.model),
                f"{label}:{container.line}",
                options,
                name=name_of(resource.block("metadata")),
                owner=owner_of(resource.block("metadata")),
                replicas=predictor.number("minReplicas"),
                count=count,
                resource=kind or built_for(image),
                chip=chosen_nodes(predictor, options),
            )
        )
    return Found.all_of(parts)


def _legacy(predictor: Block) -> tuple[str, Block]:
    """Return name and specification of a predictor written as ``predictor: {huggingface: {storageUri: …}}``."""
    for name in _FORMATS:
        if block := predictor.block(name):
            return name, block
    return "", Block(predictor.line)


def _stored(model: Block) -> str | None:
    """Return where a model lies that names a secret's storage: only a path, without the bucket."""
    path = model.text("storage", "path")
    if path is None:
        return None
    bucket = model.text("storage", "parameters", "bucket")
    return f"{model.text('storage', 'parameters', 'type') or 's3'}://{bucket}/{path}" if bucket else f"pvc://{path}"


def _runtime(name: str | None, others: Sequence[Block]) -> Block:
    for other in others:
        if name and other.text("kind") in _RUNTIMES and other.text("metadata", "name") == name:
            return other.block("spec")
    return Block(0)


def _config(name: str | None, others: Sequence[Block]) -> Block | None:
    wanted = (other for other in others if other.text("kind") == "LLMInferenceServiceConfig" and other.text("metadata", "name") == name)
    return next(wanted, None)

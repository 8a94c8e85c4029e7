"""Resources of other operators: KubeRay's ``RayService`` and Kaito's ``Workspace``.

Shapes: Ray Serve's ``LLMConfig`` (docs.ray.io, Serve LLM configuration reference) inside ``serveConfigV2``; Kaito's API, kaito.sh/v1beta1.
"""

from collections.abc import Sequence
from dataclasses import replace

from auditor.fleet.discover.cluster import environment
from auditor.fleet.discover.documents import Block, read
from auditor.fleet.discover.entry import entry, name_of, owner_of
from auditor.fleet.discover.flags import Served, merged, served, with_options
from auditor.fleet.discover.found import DiscoverOptions, Found
from auditor.fleet.discover.hardware import chosen_nodes, devices


def ray_service(resource: Block, _: Sequence[Block], label: str, options: DiscoverOptions) -> Found:
    """Return the models of every application of a RayService."""
    spec = resource.block("spec")
    text = spec.text("serveConfigV2")
    if text is None:
        return Found()
    # The text of a block begins on the line after its key.
    config, problems = read(text.encode(), label, spec.lines["serveConfigV2"] + 1)
    parts = [Found(problems=tuple(problems))]
    for application in (one for document in config for one in document.blocks("applications")):
        configs = application.blocks("args", "llm_configs")
        parts += [_llm_config(one, resource, label, options) for one in configs]
        variables = application.block("runtime_env", "env_vars")
        if not configs and (model := variables.text("MODEL_ID")):
            parts.append(_by_variables(model, variables, application, resource, label, options))
    return Found.all_of(parts)


def _llm_config(config: Block, resource: Block, label: str, options: DiscoverOptions) -> Found:
    loading = config.block("model_loading_config")
    source = loading.at("model_source")
    address = source.text("bucket_uri") if isinstance(source, Block) else loading.text("model_source")
    engine = (config.text("llm_engine") or "vLLM").lower()
    found = with_options(engine, address or loading.text("model_id"), merged(config.block("engine_kwargs").items()))
    if config.block("lora_config"):
        found = replace(found, workload={**found.workload, "lora": True})
    deployment = config.block("deployment_config")
    replicas = deployment.number("num_replicas") or deployment.number("autoscaling_config", "min_replicas")
    name = loading.text("model_id") or ""
    return _ray_entry(found, name, config.line, resource, label, options, replicas, config.text("accelerator_type") or "")


def _by_variables(model: str, variables: Block, application: Block, resource: Block, label: str, options: DiscoverOptions) -> Found:
    """Return the model of an application that is vLLM wrapped by hand, as KubeRay's samples do it."""
    degrees = {
        "tensor-parallel-size": variables.text("TENSOR_PARALLELISM"),
        "pipeline-parallel-size": variables.text("PIPELINE_PARALLELISM"),
    }
    found = with_options("vllm", model, {name: text for name, text in degrees.items() if text})
    return _ray_entry(found, application.text("name") or "", application.line, resource, label, options, None, "")


def _ray_entry(
    found: Served, name: str, line: int, resource: Block, label: str, options: DiscoverOptions, replicas: int | None, chip: str
) -> Found:
    # An engine's workers are spread over the cluster's groups: their resource says what kind of device it is.
    kinds = [
        (devices(container.block("resources"))[1], chosen_nodes(group.block("template", "spec"), options))
        for group in resource.blocks("spec", "rayClusterConfig", "workerGroupSpecs")
        for container in group.blocks("template", "spec", "containers")
    ]
    resource_name, nodes = next((pair for pair in kinds if pair[0]), ("", (None, "")))
    serving = found.serving
    return entry(
        found,
        f"{label}:{line}",
        options,
        name=name,
        owner=owner_of(resource.block("metadata")),
        replicas=replicas,
        count=serving.get("tensor_parallel", 1) * serving.get("pipeline_parallel", 1),
        resource=resource_name,
        chip=(None, chip) if chip else nodes,
    )


def kaito(resource: Block, others: Sequence[Block], label: str, options: DiscoverOptions) -> Found:
    """Return the model of a Workspace or an InferenceSet: a preset, or a pod of its own with flags in a ConfigMap."""
    whole = resource.block("spec", "template") or resource
    inference, machines = whole.block("inference"), whole.block("resource")
    preset = inference.text("preset", "name")
    if preset is None:
        containers = inference.blocks("template", "spec", "containers")
        found = next((one for container in containers if (one := _serves(container, others))), None)
        if found is None:
            return Found()
    else:
        found = with_options("vllm", preset, _flags(inference.text("config"), others, label))
    if inference.blocks("adapters"):
        found = replace(found, workload={**found.workload, "lora": True})
    machine = machines.text("instanceType") or ""
    chip, count = options.instances.get(machine, (None, None))
    at = f"{label}:{resource.line}"
    made = entry(
        found,
        at,
        options,
        name=name_of(resource.block("metadata")),
        owner=owner_of(resource.block("metadata")),
        replicas=resource.number("spec", "replicas"),
        count=count * (machines.number("count") or 1) if count else None,
        chip=(chip, machine),
    )
    if preset and "/" not in preset:
        made = replace(made, notes=(*made.notes, f"{at}: {preset} is Kaito's own name of a preset; write the model's Hub id"))
    return made


def _serves(container: Block, others: Sequence[Block]) -> Served | None:
    command = [*container.texts("command"), *container.texts("args")]
    return served(container.text("image") or "", command, environment(container, others))


def _flags(name: str | None, others: Sequence[Block], label: str) -> dict[str, str]:
    """Return the engine's flags in the ConfigMap that a Workspace names."""
    for other in others:
        if name and other.text("kind") == "ConfigMap" and other.text("metadata", "name") == name:
            data = other.block("data")
            text = data.text("inference_config.yaml") or ""
            documents, _ = read(text.encode(), label, data.lines.get("inference_config.yaml", data.line) + 1)
            return {key: value for one in documents for key, value in merged(one.block("vllm").items()).items()}
    return {}

"""Kubernetes manifests and rendered charts: every workload that serves a model, whatever kind it is of."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from auditor.errors import TargetError
from auditor.fleet.discover import compose, kserve, operators
from auditor.fleet.discover.cluster import claimed, environment, files, least_replicas
from auditor.fleet.discover.documents import MAX_BYTES, Block, read
from auditor.fleet.discover.entry import downloads, entry, name_of, owner_of
from auditor.fleet.discover.flags import served
from auditor.fleet.discover.found import DiscoverOptions, Found
from auditor.fleet.discover.hardware import built_for, chosen_nodes, devices

#: Where resources keep the specification of their pods: Deployments and all that are made like them, and CronJobs.
_PODS = (("spec", "template", "spec"), ("spec", "jobTemplate", "spec", "template", "spec"))
_LISTS_DEEP = 4


def read_file(path: Path, options: DiscoverOptions) -> Found:
    """Return the models of a file of manifests, or of a Compose file. What cannot be read is a problem."""
    return read_files([path], options)


def read_files(paths: Sequence[Path], options: DiscoverOptions, beside: Sequence[Path] = ()) -> Found:
    """Return the models of files that belong together. Those ``beside`` serve nothing: they are what the others may refer to."""
    texts: list[tuple[str, bytes]] = []
    problems = []
    for path in (*paths, *beside):
        try:
            with path.open("rb") as file:
                texts.append((str(path), file.read(MAX_BYTES + 1)))
        except OSError as error:
            problems.append(f"{path} cannot be read ({error.strerror or error})")
    found = _read(texts, options)
    quiet = tuple(f"{path}:" for path in beside)
    faults = tuple(line for line in found.problems if not (quiet and line.startswith(quiet)))
    return replace(found, problems=(*problems, *faults))


def read_text(data: bytes, label: str, options: DiscoverOptions) -> Found:
    """Return the models of manifests or of a Compose file; ``label`` names it in ``found``."""
    return _read([(label, data)], options)


def _read(texts: Sequence[tuple[str, bytes]], options: DiscoverOptions) -> Found:
    resources: list[tuple[str, Block]] = []
    problems: list[str] = []
    for label, data in texts:
        try:
            documents, faults = read(data, label)
        except TargetError as error:
            problems.append(str(error))
        else:
            problems += faults
            resources += [(label, item) for document in documents for item in _items(document, 0)]
    others = [resource for _, resource in resources]
    parts = [_one(resource, others, label, options) for label, resource in resources]
    return Found.all_of([*parts, Found(problems=tuple(problems))])


def _items(document: Block, depth: int) -> Iterator[Block]:
    """Yield a resource, or those of a ``List`` as ``kubectl get -o yaml`` writes it."""
    if depth < _LISTS_DEEP and (document.text("kind") or "").endswith("List") and "items" in document:
        for item in document.blocks("items"):
            yield from _items(item, depth + 1)
    else:
        yield document


_Reader = Callable[[Block, Sequence[Block], str, DiscoverOptions], Found]
#: Resources of operators, each with a shape of its own. The group keeps apart kinds of the same name.
_READERS: dict[tuple[str, str], _Reader] = {
    ("serving.kserve.io", "InferenceService"): kserve.inference_service,
    ("serving.kserve.io", "LLMInferenceService"): kserve.llm_inference_service,
    ("ray.io", "RayService"): operators.ray_service,
    ("kaito.sh", "Workspace"): operators.kaito,
    ("kaito.sh", "InferenceSet"): operators.kaito,
}


def _one(resource: Block, others: Sequence[Block], label: str, options: DiscoverOptions) -> Found:
    kind, group = resource.text("kind"), (resource.text("apiVersion") or "").partition("/")[0]
    if kind is None:
        return compose.services(resource, label, options) if "services" in resource else Found()
    if (group, kind) in _READERS:
        return _READERS[group, kind](resource, others, label, options)
    if kind == "LeaderWorkerSet":
        return _leader_worker_set(resource, others, label, options)
    paths = (("spec",),) if kind == "Pod" else _PODS
    spec = next((found for path in paths if "containers" in (found := resource.block(*path))), None)
    if spec is None or _owned(resource, others):
        return Found()
    replicas = resource.number("spec", "replicas")
    if replicas is None:
        replicas = resource.number("spec", "parallelism") if kind == "Job" else least_replicas(resource, others)
    return pod(spec, resource, others, label, options, replicas=replicas)


def _owned(resource: Block, others: Sequence[Block]) -> bool:
    """Return whether a resource was made for another one that is here too, as ``kubectl get all`` lists both."""
    here = {(other.text("kind"), other.text("metadata", "name")) for other in others}
    for owner in resource.blocks("metadata", "ownerReferences"):
        kind, name = owner.text("kind"), owner.text("name") or ""
        # A Deployment's pods belong to a ReplicaSet, which has its name and a hash.
        if (kind, name) in here or (kind == "ReplicaSet" and ("Deployment", name.rpartition("-")[0]) in here):
            return True
    return False


def _leader_worker_set(resource: Block, others: Sequence[Block], label: str, options: DiscoverOptions) -> Found:
    template = resource.block("spec", "leaderWorkerTemplate")
    leader = template.block("leaderTemplate", "spec") or template.block("workerTemplate", "spec")
    size = template.number("size") or 1
    return pod(leader, resource, others, label, options, replicas=resource.number("spec", "replicas"), nodes=size)


def pod(
    spec: Block, resource: Block, others: Sequence[Block], label: str, options: DiscoverOptions, *, replicas: int | None, nodes: int = 1
) -> Found:
    """Return what the containers of a pod serve; a replica is ``nodes`` such pods."""
    parts = []
    metadata = resource.block("metadata")
    namespace = metadata.text("namespace")
    copies = downloads([*spec.blocks("initContainers"), *spec.blocks("containers")])
    for container in spec.blocks("containers"):
        image = container.text("image") or ""
        command = [*container.texts("command"), *container.texts("args")]
        found = served(image, command, environment(container, others, namespace), files(container, spec, others, namespace))
        if found is None:
            continue
        count, kind = devices(container.block("resources"))
        if not kind:
            count, kind = claimed(container, spec, others)
        parts.append(
            entry(
                found,
                f"{label}:{container.line}",
                options,
                name=name_of(metadata),
                owner=owner_of(metadata),
                replicas=replicas,
                count=count * nodes if count else None,
                resource=kind or built_for(image),
                chip=chosen_nodes(spec, options),
                copies=copies,
            )
        )
    return Found.all_of(parts)

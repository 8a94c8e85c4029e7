"""Kubernetes manifests and rendered charts: every workload that serves a model, whatever kind it is of."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from auditor.errors import TargetError
from auditor.fleet.discover import compose, kserve, operators
from auditor.fleet.discover.documents import MAX_BYTES, Block, read
from auditor.fleet.discover.entry import container_serves, entry, name_of, owner_of
from auditor.fleet.discover.found import DiscoverOptions, Found
from auditor.fleet.discover.hardware import chosen_nodes, devices

#: Where each kind keeps the specification of its pods, and how many there are.
_PODS: dict[str, tuple[tuple[str, ...], str]] = {
    "Deployment": (("spec", "template", "spec"), "replicas"),
    "StatefulSet": (("spec", "template", "spec"), "replicas"),
    "ReplicaSet": (("spec", "template", "spec"), "replicas"),
    "DaemonSet": (("spec", "template", "spec"), ""),
    "Job": (("spec", "template", "spec"), "parallelism"),
    "CronJob": (("spec", "jobTemplate", "spec", "template", "spec"), ""),
    "Pod": (("spec",), ""),
}
_LISTS_DEEP = 4


def read_file(path: Path, options: DiscoverOptions) -> Found:
    """Return the models of a file of manifests, or of a Compose file. What cannot be read is a problem."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        return Found(problems=(f"{path} cannot be read ({error.strerror or error})",))
    return read_text(data, str(path), options)


def read_text(data: bytes, label: str, options: DiscoverOptions) -> Found:
    """Return the models of manifests or of a Compose file; ``label`` names it in ``found``."""
    try:
        documents = read(data, label)
    except TargetError as error:
        return Found(problems=(str(error),))
    resources = [item for document in documents for item in _items(document, 0)]
    parts = [_one(resource, resources, label, options) for resource in resources]
    return Found.all_of(parts)


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
        return _leader_worker_set(resource, label, options)
    if kind not in _PODS:
        return Found()
    path, many = _PODS[kind]
    replicas = resource.number("spec", many) if many else 1
    return pod(resource.block(*path), resource, label, options, replicas=replicas)


def _leader_worker_set(resource: Block, label: str, options: DiscoverOptions) -> Found:
    template = resource.block("spec", "leaderWorkerTemplate")
    leader = template.block("leaderTemplate", "spec") or template.block("workerTemplate", "spec")
    size = template.number("size") or 1
    return pod(leader, resource, label, options, replicas=resource.number("spec", "replicas"), nodes=size)


def pod(spec: Block, resource: Block, label: str, options: DiscoverOptions, *, replicas: int | None, nodes: int = 1) -> Found:
    """Return what the containers of a pod serve; a replica is ``nodes`` such pods."""
    parts = []
    metadata = resource.block("metadata")
    for container in spec.blocks("containers"):
        found = container_serves(container)
        if found is None:
            continue
        count, kind = devices(container.block("resources"))
        parts.append(
            entry(
                found,
                f"{label}:{container.line}",
                options,
                name=name_of(metadata),
                owner=owner_of(metadata),
                replicas=replicas,
                count=count * nodes if count else None,
                resource=kind,
                chip=chosen_nodes(spec, options),
            )
        )
    return Found.all_of(parts)

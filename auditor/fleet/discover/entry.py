"""From what a container serves to an entry of a fleet file."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from auditor.fleet.discover.documents import Block
from auditor.fleet.discover.flags import Served
from auditor.fleet.discover.found import DiscoverOptions, Found
from auditor.fleet.discover.hardware import RESOURCES, STACKS, accelerator
from auditor.fleet.model import FleetModel

#: Schemes of a model's address that mean something inside a cluster only.
_INSIDE = ("pvc://", "oci://", "ms://", "cached://", "nim://")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")
_HUB_ID = re.compile(r"[\w][\w.-]*/[\w][\w.-]*")
_NO_COPIES: Mapping[str, str] = MappingProxyType({})
#: Commands that fetch a model into a folder: the Hub's own, git, and those of object stores.
_DOWNLOADS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\b(?:huggingface-cli|hf)\s+download\s+(?P<source>[\w.-]+/[\w.-]+)[^;&|\n]*?--local-dir[ =](?P<folder>/[\w./-]+)",
        r"\bgit\s+clone\s[^;&|\n]*?https://huggingface\.co/(?P<source>[\w.-]+/[\w.-]+)\s+(?P<folder>/[\w./-]+)",
        r"\b(?:cp|sync|rsync)\s[^;&|\n]*?(?P<source>(?:s3|gs)://[\w./-]+)\s+(?P<folder>/[\w./-]+)",
    )
)


def entry(
    served: Served,
    found: str,
    options: DiscoverOptions,
    *,
    name: str = "",
    owner: str = "",
    replicas: int | None = 1,
    count: int | None = None,
    resource: str = "",
    chip: tuple[str | None, str] = (None, ""),
    copies: Mapping[str, str] = _NO_COPIES,
) -> Found:
    """Return one model with its workload and what serves it. ``count`` devices of ``resource`` hold one replica.

    ``chip`` is the accelerator's id and its name as written, ``copies`` what folders of the container were downloaded from.
    """
    if not served.model:
        return Found(notes=(f"{found}: runs {served.engine}, but names no model",))
    target, remark = _opened_as(served, copies)
    identity, words = chip
    if identity is None and words:
        identity = accelerator(words, options)
    serving = dict(served.serving)
    workload = dict(served.workload)
    if count is None:
        count = serving.get("tensor_parallel", 1) * serving.get("pipeline_parallel", 1) if "tensor_parallel" in serving else None
    if count:
        serving["devices"] = workload["current_devices"] = count
    if resource and resource != "nvidia.com/gpu":
        serving["resource"] = resource
    if identity or words:
        serving["accelerator"] = identity or words
    if identity:
        workload["current_accelerator"] = identity
    if stack := STACKS.get((served.engine, RESOURCES.get(resource, ""))):
        workload["current_stack"] = stack
    if replicas == 0:
        serving["scaled_to_zero"] = True
    model = FleetModel(
        target=target,
        name=name or served.name,
        owner=owner,
        found=found,
        workload=workload,
        serving=serving,
        replicas=max(replicas or 1, 1),
    )
    return Found((model,), notes=(f"{found}: {remark}",) if remark else ())


def target_of(model: str) -> tuple[str, str]:
    """Return a model's address as ``auditor audit`` takes it, and what keeps it from being opened from here."""
    text = _UNSAFE.sub("", model).strip()
    if text.startswith("hf://"):
        identity, colon, revision = text.removeprefix("hf://").partition(":")
        return (f"{identity}@{revision}" if colon else identity), ""
    if text.startswith(_INSIDE):
        return text, f"{text} can be opened inside the cluster only; name a copy that can be read from here"
    if text.startswith("/"):
        return text, f"{text} is a path inside the container; name a copy that can be read from here"
    if "$" in text or "{{" in text:
        return text, f"{text} is filled in elsewhere; write the model's name"
    return text, ""


def owner_of(metadata: Block) -> str:
    """Return who answers for a resource, where its labels or annotations say."""
    for place in ("labels", "annotations"):
        for key in ("owner", "team"):
            if text := metadata.text(place, key):
                return text
    return ""


def name_of(metadata: Block) -> str:
    """Return ``namespace/name``."""
    return "/".join(part for part in (metadata.text("namespace"), metadata.text("name")) if part)


def _opened_as(served: Served, copies: Mapping[str, str]) -> tuple[str, str]:
    """Return the model's address, or what stands for it where it lies inside a container or a cluster, and a remark about that."""
    target, remark = target_of(served.model or "")
    if not remark or "$" in target or "{{" in target:
        return target, remark
    source = next((source for folder, source in copies.items() if target == folder or target.startswith(f"{folder}/")), None)
    if source:
        return target_of(source)[0], f"{target} was downloaded from {source}, which stands for it"
    if _HUB_ID.fullmatch(served.name):
        return served.name, f"{target} can be opened inside the cluster only; {served.name}, the name it is served under, stands for it"
    return target, remark


def downloads(containers: Iterable[Block]) -> dict[str, str]:
    """Return what the scripts of containers download, by the folder that they put it in."""
    found: dict[str, str] = {}
    for container in containers:
        script = " ".join([*container.texts("command"), *container.texts("args")])
        for pattern in _DOWNLOADS:
            found |= {match["folder"].rstrip("/"): match["source"].rstrip("/") for match in pattern.finditer(script)}
    return found

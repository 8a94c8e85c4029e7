"""From what a container serves to an entry of a fleet file."""

import re
from collections.abc import Iterable
from typing import Any

from auditor.fleet.discover.documents import Block
from auditor.fleet.discover.flags import Served, served
from auditor.fleet.discover.found import DiscoverOptions, Found
from auditor.fleet.discover.hardware import RESOURCES, STACKS, accelerator
from auditor.fleet.model import FleetModel

#: Schemes of a model's address that mean something inside a cluster only.
_INSIDE = ("pvc://", "oci://", "ms://", "cached://")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")


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
) -> Found:
    """Return one model with its workload and what serves it. ``count`` devices of ``resource`` hold one replica.

    ``chip`` is the accelerator's id and its name as written.
    """
    if not served.model:
        return Found(notes=(f"{found}: runs {served.engine}, but names no model",))
    target, remark = target_of(served.model)
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
        return text, f"{text} lies inside the cluster; name a copy that can be read from here"
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


def environment(container: Block) -> dict[str, str]:
    """Return a container's environment as far as it stands in the file."""
    return {name: value for item in container.blocks("env") if (name := item.text("name")) and (value := item.text("value"))}


def container_serves(container: Block) -> Served | None:
    """Return what a container of a pod serves, or None."""
    command = [*container.texts("command"), *container.texts("args")]
    return served(container.text("image") or "", command, environment(container))


def merged(options: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """Return options of a mapping (``max_model_len: "1024"``) as flags spell them."""
    return {key.replace("_", "-"): value if isinstance(value, str) else "true" for key, value in options if value is not None}

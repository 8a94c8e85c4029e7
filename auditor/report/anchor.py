"""Where a result is shown: of all facts that it rests on, the place of the first that has one."""

from collections.abc import Iterable, Mapping
from urllib.parse import quote

from auditor.gate.anchors import mirrored
from auditor.results import ModelAudit, Place, Places, TargetAudit

#: What the facts of a row follow from, among those of the model's own files.
_BEHIND: Mapping[str, tuple[str, ...]] = {
    "stack.architecture_status": ("arch.architectures", "arch.model_type"),
    "stack.architecture_note": ("arch.architectures", "arch.model_type"),
    "stack.format_status": ("quant.method", "weights.dtype"),
    "stack.format_note": ("quant.method", "weights.dtype"),
    "stack.format_work": ("quant.method", "weights.dtype"),
    "stack.tasks_unsupported": ("arch.task",),
    "stack.recurrent_unsupported": ("attention.recurrent_kinds",),
    "fit.divisible": ("attention.heads",),
    "fit.feasible": ("weights.bytes",),
    "fit.borderline": ("weights.bytes",),
    "fit.devices": ("weights.bytes",),
    "workload.context": ("arch.max_context",),
    "kv_cache.bytes": ("kv_cache.bytes_per_token",),
    "kv_cache.bytes_per_sequence": ("kv_cache.bytes_per_token",),
}


def place_of(model: ModelAudit, names: Iterable[str] = ()) -> Place:
    """Return where to show what rests on ``names``, facts or sentences: the fleet file's line, the deciding one, or that of the whole."""
    places = _of(model)
    return next(iter(_deciding(places, names)), places.whole) if not places.listed else places.whole


def related_to(model: ModelAudit, names: Iterable[str]) -> list[Place]:
    """Return the other places that it rests on, each once."""
    shown, found = place_of(model, names := tuple(names)), _deciding(_of(model), names)
    return [place for place in dict.fromkeys(found) if place != shown]


def behind_unknown(row: TargetAudit) -> list[str]:
    """Return the facts that an unknown verdict rests on: of the findings that left it open, then those that would settle it."""
    return [name for finding in row.findings if finding.verdict == "unknown" for name in finding.evidence] + list(row.settled_by)


def _deciding(places: Places, names: Iterable[str]) -> list[Place]:
    behind = (one for name in names for one in (name, *_BEHIND.get(name, ())))
    return [places.by[name] for name in behind if name in places.by]


def _of(model: ModelAudit) -> Places:
    return model.places or Places(Place(mirrored(model.inspection.id)))


def uri_of(place: Place) -> str:
    """Return the place's path as a relative URI reference."""
    return quote(place.path, safe="/-._~", errors="replace")

"""The effort model as data: work items, three-point weeks, scopes and multipliers, from ``rules/effort/effort.yaml``."""

from collections.abc import Mapping
from dataclasses import dataclass

from auditor.catalog.model import Source

Weeks = tuple[float, float, float]
SCOPES = ("team_stack", "serving_env", "arch_stack", "kernel_stack", "model")


@dataclass(frozen=True, slots=True)
class WorkItemSpec:
    """One item of work. ``weeks`` has either one entry per family of stack, or one under ``*``."""

    id: str
    name: str
    scope: str
    grade: str
    always: bool
    weeks: Mapping[str, Weeks]
    multipliers: tuple[str, ...]
    same_architecture: float
    """Share of the weeks that a further model of the same architecture pays."""
    same_shape: float
    """Share that a fine-tune with the same shapes pays."""
    batch_only: Weeks | None
    """Weeks where no latency target exists."""
    sources: tuple[Source, ...]

    def weeks_for(self, family: str) -> Weeks | None:
        """Return low, likely, high for a family of stacks; None where no figure exists for it."""
        return self.weeks.get(family, self.weeks.get("*"))


@dataclass(frozen=True, slots=True)
class EffortModel:
    """All items and multipliers. ``rho`` is the correlation of the items of one migration."""

    rho: float
    items: Mapping[str, WorkItemSpec]
    multipliers: Mapping[str, Mapping[str, float]]


def effort_model(document: Mapping[str, object]) -> EffortModel:
    """Build the model from the validated document of an effort file (see ``schemas/effort.schema.json``)."""
    raw_sources = _mapping(document["sources"])
    sources = {key: _source(_mapping(value)) for key, value in raw_sources.items()}
    items = {key: _item(key, _mapping(value), sources) for key, value in _mapping(document["items"]).items()}
    multipliers = {
        key: {name: _number(factor) for name, factor in _mapping(values).items()}
        for key, values in _mapping(document["multipliers"]).items()
    }
    return EffortModel(rho=_number(document["rho"]), items=items, multipliers=multipliers)


def _item(key: str, raw: Mapping[str, object], sources: Mapping[str, Source]) -> WorkItemSpec:
    weeks = raw["weeks"]
    by_family = {family: _weeks(value) for family, value in weeks.items()} if isinstance(weeks, Mapping) else {"*": _weeks(weeks)}
    batch_only = raw.get("batch_only")
    return WorkItemSpec(
        id=key,
        name=str(raw["name"]),
        scope=str(raw["scope"]),
        grade=str(raw["grade"]),
        always=raw.get("always") is True,
        weeks=by_family,
        multipliers=_strings(raw.get("multipliers", ())),
        same_architecture=_number(raw.get("same_architecture", 1.0)),
        same_shape=_number(raw.get("same_shape", 1.0)),
        batch_only=None if batch_only is None else _weeks(batch_only),
        sources=tuple(sources[name] for name in _strings(raw["sources"])),
    )


def _source(raw: Mapping[str, object]) -> Source:
    return Source(title=str(raw["title"]), ref=str(raw["ref"]), as_of=str(raw["as_of"]), where=str(raw.get("where", "")))


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise TypeError(f"expected a mapping, found {value!r}")
    return value


def _strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"expected a list, found {value!r}")
    return tuple(str(item) for item in value)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"expected a number, found {value!r}")
    return float(value)


def _weeks(value: object) -> Weeks:
    if not isinstance(value, list | tuple) or len(value) != 3:
        raise TypeError(f"expected low, likely, high; found {value!r}")
    low, likely, high = (_number(item) for item in value)
    return low, likely, high

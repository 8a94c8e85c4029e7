"""The effort model as data: work items, three-point weeks, scopes and multipliers, from ``rules/effort/effort.yaml``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from auditor.catalog.entry import Entry
from auditor.catalog.model import Source

Weeks = tuple[float, float, float]


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
    upkeep: Mapping[str, Weeks]
    """Engineer-weeks per month of keeping a second stack, by family; empty where a file states none."""


def build_effort(entry: Entry, base: EffortModel | None = None) -> EffortModel:
    """Return the model of a checked effort file (``schemas/effort.schema.json``), laid over ``base`` where there is one.

    Raises CatalogError for a source that is not defined.
    """
    raw = entry.document.value
    items = {name: _item(name, item, entry) for name, item in raw.get("items", {}).items()}
    multipliers = {name: {level: float(factor) for level, factor in levels.items()} for name, levels in raw.get("multipliers", {}).items()}
    upkeep = {family: _weeks(weeks) for family, weeks in raw.get("upkeep", {}).get("weeks", {}).items()}
    own = EffortModel(float(raw.get("rho", base.rho if base else 0.5)), items, multipliers, upkeep)
    if base is None:
        return own
    return EffortModel(own.rho, {**base.items, **items}, {**base.multipliers, **multipliers}, {**base.upkeep, **upkeep})


def _item(name: str, raw: Mapping[str, Any], entry: Entry) -> WorkItemSpec:
    weeks = raw["weeks"]
    batch_only = raw.get("batch_only")
    return WorkItemSpec(
        id=name,
        name=raw["name"],
        scope=raw["scope"],
        grade=raw["grade"],
        always=raw.get("always", False),
        weeks={family: _weeks(value) for family, value in weeks.items()} if isinstance(weeks, dict) else {"*": _weeks(weeks)},
        multipliers=tuple(raw.get("multipliers", ())),
        same_architecture=float(raw.get("same_architecture", 1.0)),
        same_shape=float(raw.get("same_shape", 1.0)),
        batch_only=_weeks(batch_only) if batch_only else None,
        sources=entry.cite(raw["sources"], ("items", name, "sources")),
    )


def _weeks(value: Sequence[float]) -> Weeks:
    low, likely, high = value
    return float(low), float(likely), float(high)

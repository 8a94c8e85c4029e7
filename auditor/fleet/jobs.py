"""What a scan hands from one of its parts to the next."""

from dataclasses import dataclass, field
from typing import Any

from auditor.fleet.model import FleetModel


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a scan has come."""

    done: int = 0
    """Models that are accounted for, those of an interrupted run of this scan included."""
    resumed: int = 0
    """Of these, the ones that the interrupted run had done."""
    unchanged: int = 0
    failed: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Job:
    """One model of a scan."""

    position: int
    model: FleetModel
    mark: str | None
    """State of its files, where one is to be had without reading them."""
    known: dict[str, Any] | None = None
    """What was read of it in that state."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Neighbours of a fleet."""

    unchanged: list[Job] = field(default_factory=list)
    """Audited before, in this state and by these rules."""
    fresh: list[Job] = field(default_factory=list)

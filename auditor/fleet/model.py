"""A fleet as people keep it: models with their workloads, and where each was found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class FleetModel:
    """One model that a team serves."""

    target: str
    """What ``auditor audit`` would take: a folder, a Hub id, a URL, a saved snapshot."""
    name: str = ""
    """The team's name for it, where it has one."""
    owner: str = ""
    found: str = ""
    """Where it was found: a file with its line, a server's address, a registry."""
    workload: Mapping[str, Any] = field(default_factory=dict)
    """Fields of a workload, as in a workload file."""
    serving: Mapping[str, Any] = field(default_factory=dict)
    """How it is served today, as found: ``engine``, ``devices``, ``accelerator``, ``tensor_parallel``, flags."""
    replicas: int = 1
    line: int = field(default=0, compare=False)
    """Line of the fleet file that names it; 0 where it stands in none. It is still the same model on another line."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """A fleet file."""

    models: tuple[FleetModel, ...]
    on: tuple[str, ...] = ()
    """Targets to audit against; empty for all."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Workload fields that hold for every model that does not state its own."""
    prices: Mapping[str, float] = field(default_factory=dict)
    """What the team pays, USD per device-hour by accelerator."""

"""A policy as a value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from auditor.catalog.condition import Condition
from auditor.catalog.message import Message
from auditor.waivers import Waiver

#: Targets that a policy is about where it names none: whatever can be had.
DEFAULT_TARGETS = ("rentable",)


class Scope(IntEnum):
    """How much has to be known before a rule can be judged: the less, the sooner."""

    FILES = 0
    """The model's own files."""
    AUDIT = 1
    """An audit of the model: its workload, and all rows together."""
    ROWS = 2
    """Each row of the targets that the rule names."""


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """One demand."""

    id: str
    title: str
    level: str
    """``error`` or ``warning``."""
    when: Condition | None
    """Which models (or rows) it is about; None for all."""
    require: Condition
    on: tuple[str, ...]
    """Targets, as ``--on`` takes them, of whose rows it speaks; empty for a rule about the model."""
    rows: str
    """``every`` row of ``on`` is to meet it, or ``any`` one."""
    message: Message | None
    remediation: Message | None
    scope: Scope
    where: str
    """``file:line``."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy file, parsed and checked."""

    name: str
    on: tuple[str, ...]
    """Targets that the facts of an audit are about."""
    rules: tuple[PolicyRule, ...]
    exceptions: tuple[Waiver, ...] = ()
    workload: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the workload that the policy itself sets."""

    @property
    def scope(self) -> Scope:
        """The most that any of its rules needs to know."""
        return max((rule.scope for rule in self.rules), default=Scope.FILES)

    @property
    def targets(self) -> tuple[str, ...]:
        """Every target that it or one of its rules names."""
        return tuple(dict.fromkeys((*self.on, *(name for rule in self.rules for name in rule.on))))

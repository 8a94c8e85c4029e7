"""What gates say of models, as values: outcomes of policies, and what became worse."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from auditor.facts import Value
from auditor.waivers import Waiver


@dataclass(frozen=True, slots=True)
class PolicyOutcome:
    """What one rule of a policy says of one model."""

    policy: str
    rule: str
    title: str
    level: str
    """``error`` or ``warning``: a warning never changes an exit code."""
    state: str
    """``met``, ``violated``, ``undecided``, ``excused`` (violated, with an exception that holds) or ``not-applicable``."""
    message: str = ""
    """What is so; empty where the rule is met or does not apply."""
    remediation: str = ""
    evidence: Mapping[str, Value | None] = field(default_factory=dict)
    """The facts that the rule read; None where unknown."""
    targets: tuple[str, ...] = ()
    """Targets that decided it, of a rule about targets."""
    settled_by: tuple[str, ...] = ()
    waiver: Waiver | None = None
    where: str = ""
    """``file:line`` of the rule."""


@dataclass(frozen=True, slots=True)
class Regression:
    """Something that was better at an earlier revision."""

    kind: str
    """``verdict``, ``devices`` (more of them under the same verdict) or ``policy``."""
    subject: str
    """The target, or the rule of a policy."""
    called: str
    """What people call it: the accelerator, with the stack where it has several rows; or the rule."""
    before: str
    now: str
    cause: str
    """The facts that changed, or else what is so now; empty where nothing explains it."""
    facts: tuple[str, ...] = ()
    """Names of the facts that changed."""

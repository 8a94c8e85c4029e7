"""Rules and findings, as values."""

from collections.abc import Mapping
from dataclasses import dataclass

from auditor.catalog.model import Source
from auditor.facts import Value
from auditor.waivers import Waiver


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that fired."""

    rule: str
    verdict: str
    """``native note config-change needs-port blocked unknown``."""
    confidence: str
    message: str
    evidence: Mapping[str, Value | None]
    """The facts that the rule read; None where unknown."""
    remediation: str
    work: tuple[str, ...]
    """Work items it triggers."""
    sources: tuple[Source, ...]
    title: str = ""
    """What the rule is about, the same for every model."""
    waiver: Waiver | None = None
    """The exception by which the finding does not count; it is reported all the same."""


@dataclass(frozen=True, slots=True)
class Undecided:
    """A rule that could not be decided, and the facts that would decide it."""

    rule: str
    verdict: str
    settled_by: tuple[str, ...]
    waiver: Waiver | None = None
    """The exception by which it does not count."""

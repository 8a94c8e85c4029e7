"""What an audit says: values only. Every report format is a function of ``Audit``."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from auditor.baseline.model import Baseline
from auditor.catalog.model import Price, Target
from auditor.facts import Facts
from auditor.inspection.model import Inspection
from auditor.outcomes import PolicyOutcome, Regression
from auditor.payback import Payback
from auditor.rules.model import Finding, Undecided
from auditor.sizing.model import NoPlacement, Placement, Range, Throughput
from auditor.workload import Workload


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One item of work, after multipliers. ``scope_key`` says what it is paid once for."""

    item: str
    name: str
    scope: str
    """``team_stack serving_env arch_stack kernel_stack model``."""
    scope_key: str
    weeks: Range
    grade: str
    """Letters of evidence: S a published total, D documentation, O observed, W weak, J judgement."""
    rules: tuple[str, ...]
    """Rules (or built-in triggers) that asked for it."""


@dataclass(frozen=True, slots=True)
class Effort:
    """Engineer-weeks of a migration. ``weeks`` is None with a ``reason`` where no number would be honest."""

    weeks: Range | None
    expected: float | None
    interval80: tuple[float, float] | None
    items: tuple[WorkItem, ...]
    grade: str
    """Lowest grade that contributes more than a fifth of the expected weeks."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a placement costs. Every None has a ``reason``."""

    usd_per_hour: float | None
    usd_per_million_tokens: Range | None
    """Per generated token."""
    usd_per_million_total_tokens: Range | None
    price: Price | None
    price_is_stale: bool
    break_even_months: Range | None
    break_even_reason: str
    reason: str = ""
    payback: Payback | None = None
    """The whole answer over the horizon; None where there is no break-even to ask about."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another way to serve the model on the same target."""

    name: str
    """``cheapest``, or the type that the weights are held in."""
    changes_model: bool
    """Whether other weights than the published ones are served."""
    placement: Placement | None
    note: str
    """What to know of it; why there is none, where there is no placement."""
    throughput: Throughput | None
    usd_per_hour: float | None
    usd_per_million_tokens: Range | None


@dataclass(frozen=True, slots=True)
class Copies:
    """Placements side by side that reach a rate."""

    tokens_per_s: float
    """Generated tokens per second that all of them are to reach."""
    low: int
    likely: int
    high: int
    devices: int
    """Of the likely number."""
    usd_per_hour: float | None
    """The same."""


@dataclass(frozen=True, slots=True)
class TargetAudit:
    """One row: a model on a target."""

    target: Target
    verdict: str
    availability: str
    at_least: str | None
    settled_by: tuple[str, ...]
    placement: Placement | None
    no_placement: NoPlacement | None
    throughput: Throughput | None
    cost: Cost
    effort: Effort
    findings: tuple[Finding, ...]
    undecided: tuple[Undecided, ...]
    facts: Facts
    """The model's facts with those of workload, accelerator, stack and fit."""
    alternatives: tuple[Alternative, ...] | None = None
    """None where they were not asked for."""
    copies: Copies | None = None
    """None where no rate was asked for."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line that a report points at."""

    path: str
    """Relative to the repository's root, with forward slashes."""
    line: int = 1


@dataclass(frozen=True, slots=True)
class Places:
    """What a report can point at of one model."""

    whole: Place
    """Of the model as a whole."""
    by: Mapping[str, Place] = field(default_factory=dict)
    """By the name of a fact, or the sentence of an error."""
    listed: bool = False
    """Whether ``whole`` is the line of a fleet file, which goes before the model's own files."""


@dataclass(frozen=True, slots=True)
class ModelAudit:
    """One model against every target. ``rows`` is empty when the model could not be read."""

    inspection: Inspection
    workload: Workload
    """Resolved: no None where a default applies."""
    workload_basis: Mapping[str, str]
    rows: tuple[TargetAudit, ...]
    policy: tuple[PolicyOutcome, ...] = ()
    """Every rule of every policy that the run was checked against."""
    regressions: tuple[Regression, ...] | None = None
    """What became worse since the revision that was compared with; None where nothing was compared."""
    places: Places | None = None
    """Where reports point; None where none was asked for that does."""


@dataclass(frozen=True, slots=True)
class TogetherPlan:
    """Moving all models of an audit to one target: shared work is paid once, by whoever goes first."""

    target: str
    weeks: Range
    expected: float
    interval80: tuple[float, float]
    order: tuple[tuple[str, float], ...]
    """Models in the cheapest order, each with the expected weeks that it adds."""


@dataclass(frozen=True, slots=True)
class Audit:
    """A whole report."""

    version: str
    rules_digest: str
    today: str
    models: tuple[ModelAudit, ...]
    baseline: Baseline | None = None
    """What was measured of the server in use; None where the baseline is an estimate."""
    plans: tuple[TogetherPlan, ...] = ()
    """One per target that two or more of the models can move to."""

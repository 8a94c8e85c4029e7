"""The whole story on one page: inspections and targets in, an audit out.

Facts of the model, of the workload and of the target meet; sizing adds what fits; rules read all of it; findings make
the verdict, and the work they name makes the weeks; speed and prices make the cost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from auditor import economics, effort
from auditor.alternatives import Question, alternatives, copies
from auditor.baseline.model import Baseline
from auditor.catalog import Catalog
from auditor.catalog.model import Target
from auditor.catalog.support import stack_facts
from auditor.effort import EffortOptions
from auditor.facts import Basis, Facts, Known, Unknown, Value
from auditor.inspection.model import Inspection
from auditor.planning import Group, alone, plan
from auditor.results import Audit, Effort, ModelAudit, TargetAudit, TogetherPlan
from auditor.rules import Evaluation, evaluate
from auditor.rules.verdict import Verdict, combine
from auditor.sizing import Constraints, NoPlacement, Placement, estimate, logical_bytes, place
from auditor.sizing.model import Throughput
from auditor.workload import Workload, resolve, workload_facts


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """What the caller asks for beside model, target and workload."""

    constraints: Constraints = field(default_factory=Constraints)
    effort: EffortOptions = field(default_factory=EffortOptions)
    money: economics.Money = field(default_factory=economics.Money)
    baseline: Baseline | None = None
    """What was measured of the server in use; estimates are then taken relative to it."""
    draft: Inspection | None = None
    """A draft model that is served beside every model."""
    alternatives: bool = False
    """Whether to look for other ways to serve each model on each target."""


def audit(
    inspections: Sequence[Inspection],
    catalog: Catalog,
    targets: Sequence[Target],
    workload: Workload,
    options: AuditOptions,
    *,
    version: str,
    today: str,
) -> Audit:
    """Return one row per model and target. ``today`` is an ISO date: prices and sources age by it.

    Raises WorkloadError for a workload that no model can have.
    """
    models = tuple(audit_model(inspection, catalog, targets, workload, options, today=today) for inspection in inspections)
    return Audit(
        version=version, rules_digest=catalog.digest, today=today, models=models, baseline=options.baseline, plans=plans(models, catalog)
    )


def plans(models: Sequence[ModelAudit], catalog: Catalog) -> tuple[TogetherPlan, ...]:
    """Return what moving several models to each target takes, where more than one of them can move there."""
    movable: dict[str, list[Group]] = {}
    for model in models:
        for row in model.rows:
            if row.effort.weeks is not None and row.effort.items:
                movable.setdefault(row.target.id, []).append(alone(catalog.effort, model.inspection.id, row.facts, row.effort))
    found = []
    for target, groups in movable.items():
        made = plan(catalog.effort, groups) if len(groups) > 1 else None
        if made is not None and made.total.weeks and made.total.expected is not None and made.total.interval80:
            found.append(TogetherPlan(target, made.total.weeks, made.total.expected, made.total.interval80, made.order))
    return tuple(found)


def audit_model(
    inspection: Inspection, catalog: Catalog, targets: Sequence[Target], workload: Workload, options: AuditOptions, *, today: str
) -> ModelAudit:
    """Audit one model; a model that could not be read has no rows."""
    resolved, basis = resolve(workload, inspection.facts)
    if not inspection.facts:
        return ModelAudit(inspection, resolved, basis, ())
    facts = inspection.facts.merged(workload_facts(resolved)).merged(_cache_facts(inspection, resolved))
    case = _Case(inspection, facts, catalog, resolved, options, today)
    today_costs = _baseline(case)
    rows = tuple(_row(case, target, today_costs) for target in targets)
    return ModelAudit(inspection, resolved, basis, rows)


@dataclass(frozen=True, slots=True)
class _Case:
    """One model with everything that is the same on all its targets."""

    inspection: Inspection
    facts: Facts
    catalog: Catalog
    workload: Workload
    options: AuditOptions
    today: str


@dataclass(frozen=True, slots=True)
class _Today:
    """What serving the model costs today, and how far estimates are off there."""

    running: economics.Running | None = None
    factor: float | None = None
    """Measured over estimated tokens per second; None where nothing was measured."""


def _row(case: _Case, target: Target, baseline: _Today) -> TargetAudit:
    options, workload, catalog = case.options, case.workload, case.catalog
    facts = case.facts.merged(stack_facts(target, case.facts))
    placed = place(case.inspection, target, workload, catalog.prices, options.constraints, options.money.term, options.draft)
    placement = placed if isinstance(placed, Placement) else None
    facts = facts.merged(_fit_facts(placed, target))
    if facts.value("fit.feasible") is False and _fits_undivided(case, target):
        facts = facts.merged({"fit.divisible": Known(value=False, basis=Basis.DERIVED)})
    evaluation = evaluate(catalog.rules, facts, target)
    verdict = combine(evaluation)
    weeks = _weeks(case, target, facts, placement, evaluation, verdict)
    speed = _speed(case, target, placement, baseline.factor)
    cost = economics.cost(
        target,
        placement,
        speed,
        catalog.prices,
        options.money,
        workload,
        weeks,
        baseline.running,
        today=case.today,
        upkeep_weeks=effort.upkeep(catalog.effort, target.stack),
        exit_weeks=effort.way_back(catalog.effort),
    )
    return TargetAudit(
        target=target,
        verdict=verdict.verdict,
        availability=target.accelerator.availability,
        at_least=verdict.at_least,
        settled_by=verdict.settled_by,
        placement=placement,
        no_placement=placed if isinstance(placed, NoPlacement) else None,
        throughput=speed,
        cost=cost,
        effort=weeks,
        findings=evaluation.findings,
        undecided=evaluation.undecided,
        facts=facts,
        alternatives=alternatives(_question(case, target), placement) if options.alternatives else None,
        copies=copies(workload.tokens_per_s, placement, speed, cost.usd_per_hour),
    )


def _question(case: _Case, target: Target) -> Question:
    options = case.options
    return Question(case.inspection, target, case.workload, case.catalog, options.money, options.constraints, case.today, options.draft)


def _speed(case: _Case, target: Target, placement: Placement | None, factor: float | None) -> Throughput | None:
    """Return the estimate; measured on the target in use, and elsewhere relative to that, where a measurement was given."""
    estimated = estimate(case.inspection, target, case.workload, placement) if placement else None
    if estimated is None or factor is None or case.options.baseline is None:
        return estimated
    if _is_current(target, case.workload):
        return economics.measured(estimated, case.options.baseline)
    return economics.relative(estimated, factor)


def _baseline(case: _Case) -> _Today:
    """Return what serving the model costs today: on what the workload names, as measured or as the smallest placement there."""
    workload, money = case.workload, case.options.money
    here = next((target for target in case.catalog.targets if _is_current(target, workload)), None)
    if here is None:
        return _Today()
    limits = Constraints(devices=workload.current_devices)
    placed = place(case.inspection, here, workload, case.catalog.prices, limits, term=money.term)
    if not isinstance(placed, Placement):
        return _Today()
    speed = estimate(case.inspection, here, workload, placed)
    factor = None
    if speed is not None and case.options.baseline is not None:
        factor = case.options.baseline.output_tokens_per_s / speed.output_tokens_per_s.likely
        speed = economics.measured(speed, case.options.baseline)
    return _Today(economics.running(here, placed, speed, case.catalog.prices, money, workload, today=case.today), factor)


def _is_current(target: Target, workload: Workload) -> bool:
    return target.accelerator.id == workload.current_accelerator and target.stack.id == workload.current_stack


def _weeks(case: _Case, target: Target, facts: Facts, placement: Placement | None, evaluation: Evaluation, verdict: Verdict) -> Effort:
    """Return the weeks, or the reason why no number would be honest."""
    accelerator, stack = target.accelerator, target.stack
    if accelerator.availability in {"captive", "unreleased"} and not stack.hosted:
        return effort.no_effort(f"{accelerator.name} cannot be had: {accelerator.availability_note or accelerator.availability}")
    if verdict.verdict == "blocked":
        reason = next((finding.message for finding in evaluation.findings if finding.verdict == "blocked"), "blocked")
        return effort.no_effort(reason)
    if verdict.verdict == "unknown":
        return effort.no_effort(f"the verdict is unknown until settled by: {', '.join(verdict.settled_by) or 'more evidence'}")
    if _is_current(target, case.workload) and verdict.verdict in {"native", "config-change"}:
        return effort.already_there(stack)
    return effort.estimate(
        case.catalog.effort,
        stack,
        facts,
        placement,
        evaluation.findings,
        case.options.effort,
        current_stack=case.workload.current_stack,
        latency_target=case.workload.latency_target,
    )


def _cache_facts(inspection: Inspection, workload: Workload) -> Mapping[str, Known | Unknown]:
    """Return what the model's cache needs at the workload, before any engine's rounding."""
    growth = inspection.facts.get("kv_cache.bytes_per_token")
    if workload.context is None or workload.concurrency is None or (growth is None and not inspection.layers):
        return {}
    if isinstance(growth, Unknown):
        return {"kv_cache.bytes": growth, "kv_cache.bytes_per_sequence": growth}
    one = logical_bytes(inspection.layers, workload.context)
    return {
        "kv_cache.bytes_per_sequence": Known(one, Basis.DERIVED),
        "kv_cache.bytes": Known(one * workload.concurrency, Basis.DERIVED),
    }


def _fits_undivided(case: _Case, target: Target) -> bool:
    """Return whether the model would fit if the stack's rules of division were no matter: nothing else keeps it out."""
    rules, asked = target.stack.parallelism, case.options.constraints
    if rules is None or asked.tensor_parallel or asked.devices:
        return False
    lenient = replace(rules, heads_divisible=False, heads_per_rank_even=False, intermediate_divisible=False, vocab_padded=True)
    if lenient == rules:
        return False
    undivided = replace(target, stack=replace(target.stack, parallelism=lenient))
    placed = place(case.inspection, undivided, case.workload, case.catalog.prices, asked, case.options.money.term)
    return isinstance(placed, Placement)


def _fit_facts(placed: Placement | NoPlacement, target: Target) -> Mapping[str, Known | Unknown]:
    """Return the fit.* facts; none where nobody outside places models on the target."""
    if target.stack.memory is None or target.stack.parallelism is None:
        return {}
    if isinstance(placed, NoPlacement):
        if placed.known:
            return {"fit.feasible": Known(value=False, basis=Basis.DERIVED), "fit.reason": Known(placed.reason, Basis.DERIVED)}
        return {"fit.feasible": Unknown(placed.reason, placed.settled_by)}
    memory = placed.memory
    values: dict[str, Value] = {
        "fit.feasible": True,
        "fit.divisible": True,
        "fit.devices": placed.devices,
        "fit.instances": placed.instances,
        "fit.tensor_parallel": placed.tensor_parallel,
        "fit.pipeline_parallel": placed.pipeline_parallel,
        "fit.borderline": placed.borderline,
        "fit.cache_cap_raised": placed.cache_cap_raised,
        "fit.headroom_bytes": memory.usable - memory.total,
        "fit.max_concurrency": placed.max_concurrency,
        "fit.max_context": placed.max_context_tokens,
        "fit.weights_dtype": placed.weights_dtype,
    }
    return {name: Known(value, Basis.DERIVED) for name, value in values.items()}

"""The whole story on one page: inspections and targets in, an audit out.

Facts of the model, of the workload and of the target meet; sizing adds what fits; rules read all of it; findings make
the verdict, and the work they name makes the weeks; speed and prices make the cost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from auditor import economics, effort
from auditor.catalog import Catalog
from auditor.catalog.model import Target
from auditor.catalog.support import stack_facts
from auditor.effort import EffortOptions
from auditor.facts import Basis, Facts, Known, Unknown, Value
from auditor.inspection.model import Inspection
from auditor.results import Audit, Effort, ModelAudit, TargetAudit
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
    return Audit(version=version, rules_digest=catalog.digest, today=today, models=models)


def audit_model(
    inspection: Inspection, catalog: Catalog, targets: Sequence[Target], workload: Workload, options: AuditOptions, *, today: str
) -> ModelAudit:
    """Audit one model; a model that could not be read has no rows."""
    resolved, basis = resolve(workload, inspection.facts)
    if not inspection.facts:
        return ModelAudit(inspection, resolved, basis, ())
    facts = inspection.facts.merged(workload_facts(resolved)).merged(_cache_facts(inspection, resolved))
    baseline = _baseline(inspection, catalog, resolved, options, today)
    rows = tuple(_row(inspection, facts, target, catalog, resolved, options, baseline, today) for target in targets)
    return ModelAudit(inspection, resolved, basis, rows)


def _row(
    inspection: Inspection,
    facts: Facts,
    target: Target,
    catalog: Catalog,
    workload: Workload,
    options: AuditOptions,
    baseline: economics.Running | None,
    today: str,
) -> TargetAudit:
    facts = facts.merged(stack_facts(target, facts))
    placed = place(inspection, target, workload, catalog.prices, options.constraints, options.money.term)
    placement = placed if isinstance(placed, Placement) else None
    facts = facts.merged(_fit_facts(placed, target))
    evaluation = evaluate(catalog.rules, facts, target)
    verdict = combine(evaluation)
    weeks = _weeks(target, facts, placement, evaluation, verdict, catalog, workload, options)
    speed = estimate(inspection, target, workload, placement) if placement else None
    return TargetAudit(
        target=target,
        verdict=verdict.verdict,
        availability=target.accelerator.availability,
        at_least=verdict.at_least,
        settled_by=verdict.settled_by,
        placement=placement,
        no_placement=placed if isinstance(placed, NoPlacement) else None,
        throughput=speed,
        cost=economics.cost(target, placement, speed, catalog.prices, options.money, workload, weeks, baseline, today=today),
        effort=weeks,
        findings=evaluation.findings,
        undecided=evaluation.undecided,
        facts=facts,
    )


def _baseline(inspection: Inspection, catalog: Catalog, workload: Workload, options: AuditOptions, today: str) -> economics.Running | None:
    """Return what serving the model costs today: the placement that the workload names, the smallest one there."""
    here = next((target for target in catalog.targets if _is_current(target, workload)), None)
    if here is None:
        return None
    placed = place(inspection, here, workload, catalog.prices, term=options.money.term)
    if not isinstance(placed, Placement):
        return None
    speed: Throughput | None = estimate(inspection, here, workload, placed)
    return economics.running(here, placed, speed, catalog.prices, options.money, workload, today=today)


def _is_current(target: Target, workload: Workload) -> bool:
    return target.accelerator.id == workload.current_accelerator and target.stack.id == workload.current_stack


def _weeks(
    target: Target,
    facts: Facts,
    placement: Placement | None,
    evaluation: Evaluation,
    verdict: Verdict,
    catalog: Catalog,
    workload: Workload,
    options: AuditOptions,
) -> Effort:
    """Return the weeks, or the reason why no number would be honest."""
    accelerator, stack = target.accelerator, target.stack
    if accelerator.availability in {"captive", "unreleased"} and not stack.hosted:
        return effort.no_effort(f"{accelerator.name} cannot be had: {accelerator.availability_note or accelerator.availability}")
    if verdict.verdict == "blocked":
        reason = next((finding.message for finding in evaluation.findings if finding.verdict == "blocked"), "blocked")
        return effort.no_effort(reason)
    if verdict.verdict == "unknown":
        return effort.no_effort(f"the verdict is unknown until settled by: {', '.join(verdict.settled_by) or 'more evidence'}")
    if _is_current(target, workload) and verdict.verdict in {"native", "config-change"}:
        return effort.already_there(stack)
    return effort.estimate(
        catalog.effort,
        stack,
        facts,
        placement,
        evaluation.findings,
        options.effort,
        current_stack=workload.current_stack,
        latency_target=workload.latency_target,
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
        "fit.devices": placed.devices,
        "fit.instances": placed.instances,
        "fit.tensor_parallel": placed.tensor_parallel,
        "fit.pipeline_parallel": placed.pipeline_parallel,
        "fit.borderline": placed.borderline,
        "fit.headroom_bytes": memory.usable - memory.total,
        "fit.max_concurrency": placed.max_concurrency,
        "fit.max_context": placed.max_context_tokens,
        "fit.weights_dtype": placed.weights_dtype,
    }
    return {name: Known(value, Basis.DERIVED) for name, value in values.items()}

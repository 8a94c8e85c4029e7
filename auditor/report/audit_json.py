"""An audit as JSON: schema ``auditor/audit/1``."""

from dataclasses import asdict
from typing import Any

from auditor.dual_stack import dual_stack
from auditor.facts import Known, Unknown
from auditor.outcomes import Regression
from auditor.payback import Payback
from auditor.report import View, plain
from auditor.report.policy import policy_outcome, regression
from auditor.results import Alternative, Audit, Cost, Effort, ModelAudit, TargetAudit, TogetherPlan, WorkItem
from auditor.rules.model import Finding
from auditor.sizing.model import Placement, SequenceCache, Throughput

#: Facts of the model that depend on the workload, so that only an audit knows them.
_WITH_WORKLOAD = ("kv_cache.bytes", "kv_cache.bytes_per_sequence")


def render(audit: Audit, view: View) -> str:  # noqa: ARG001  # every format has one signature
    """Return the document."""
    return plain.dumps(document(audit))


def document(audit: Audit) -> dict[str, Any]:
    """Return the audit as JSON values."""
    return {
        "schema": "auditor/audit/1",
        "auditor": audit.version,
        "rules_digest": audit.rules_digest,
        "date": audit.today,
        "baseline": asdict(audit.baseline) if audit.baseline else None,
        "models": [_model(model) for model in audit.models],
        "plans": [_plan(plan) for plan in audit.plans],
    }


def _model(model: ModelAudit) -> dict[str, Any]:
    extra: dict[str, Known | Unknown] = {}
    for row in model.rows[:1]:
        extra = {name: row.facts[name] for name in _WITH_WORKLOAD if name in row.facts}
    return {
        **plain.model(model.inspection, extra),
        "workload": asdict(model.workload),
        "workload_basis": dict(sorted(model.workload_basis.items())),
        "targets": [_row(row) for row in model.rows],
        "dual_stack": {"primary": pair.primary.target.id, "fallback": pair.fallback.target.id}
        if (pair := dual_stack(model.rows))
        else None,
        "policy": [policy_outcome(outcome) for outcome in model.policy],
        "regressions": None if model.regressions is None else [_regression(one) for one in model.regressions],
    }


def _regression(one: Regression) -> dict[str, Any]:
    plainly = {"kind": one.kind, "subject": one.subject, "before": one.before, "now": one.now, "cause": one.cause}
    return {**plainly, "facts": list(one.facts), "sentence": regression(one)}


def _row(row: TargetAudit) -> dict[str, Any]:
    return {
        "accelerator": row.target.accelerator.id,
        "stack": row.target.stack.id,
        "release": row.target.stack.release or None,
        "verdict": row.verdict,
        "availability": row.availability,
        "at_least": row.at_least,
        "settled_by": list(row.settled_by),
        "placement": _placement(row.placement) if row.placement else None,
        "no_placement": {"reason": row.no_placement.reason, "known": row.no_placement.known} if row.no_placement else None,
        "throughput": _throughput(row.throughput) if row.throughput else None,
        "cost": _cost(row.cost),
        **_effort(row.effort),
        "work": [_work(item) for item in row.effort.items],
        "findings": [_finding(finding) for finding in row.findings],
        "undecided": [{"rule": u.rule, "verdict": u.verdict, "settled_by": list(u.settled_by)} for u in row.undecided],
        "alternatives": None if row.alternatives is None else [_alternative(one) for one in row.alternatives],
        "copies": row.copies and {**asdict(row.copies), "usd_per_hour": plain.number(row.copies.usd_per_hour)},
    }


def _alternative(given: Alternative) -> dict[str, Any]:
    return {
        "name": given.name,
        "changes_model": given.changes_model,
        "note": given.note,
        "placement": _placement(given.placement) if given.placement else None,
        "throughput": _throughput(given.throughput) if given.throughput else None,
        "usd_per_hour": plain.number(given.usd_per_hour),
        "usd_per_million_tokens": plain.span(given.usd_per_million_tokens),
    }


def _placement(place: Placement) -> dict[str, Any]:
    return {
        "devices": place.devices,
        "instance": place.instance,
        "provider": place.provider,
        "instances": place.instances,
        "billed_devices": place.billed_devices,
        "borderline": place.borderline,
        "borderline_knob": place.borderline_knob,
        "launch": place.launch,
        "tensor_parallel": place.tensor_parallel,
        "pipeline_parallel": place.pipeline_parallel,
        "expert_parallel": place.expert_parallel,
        "data_parallel": place.data_parallel,
        "weights_dtype": place.weights_dtype,
        "memory_per_device_bytes": asdict(place.memory),
        "max_concurrency": place.max_concurrency,
        "max_context_tokens": place.max_context_tokens,
        "cache_per_sequence_bytes": _cache(place.cache) if place.cache else None,
        "notes": list(place.notes),
    }


def _cache(cache: SequenceCache) -> dict[str, Any]:
    return {**asdict(cache), "reserved_per_token": plain.number(cache.reserved_per_token)}


def _throughput(speed: Throughput) -> dict[str, Any]:
    return {
        "output_tokens_per_s": plain.span(speed.output_tokens_per_s),
        "decode_tokens_per_s": plain.span(speed.decode_tokens_per_s),
        "prefill_tokens_per_s": plain.span(speed.prefill_tokens_per_s),
        "decode_tokens_per_s_per_sequence": plain.span(speed.decode_tokens_per_s_per_sequence),
        "ttft_s": plain.span(speed.ttft_s),
        "tokens_per_joule": plain.span(speed.tokens_per_joule),
        "basis": speed.basis,
    }


def _cost(cost: Cost) -> dict[str, Any]:
    price = cost.price
    return {
        "usd_per_hour": plain.number(cost.usd_per_hour),
        "usd_per_million_tokens": plain.span(cost.usd_per_million_tokens),
        "usd_per_million_total_tokens": plain.span(cost.usd_per_million_total_tokens),
        "price": price
        and {
            "provider": price.provider,
            "instance": price.instance,
            "devices": price.devices,
            "usd_per_hour": plain.number(price.usd_per_hour),
            "term": price.term,
            "region": price.region,
            "as_of": price.as_of,
            "confidence": price.confidence,
            "stale": cost.price_is_stale,
            "sources": plain.sources(price.sources),
        },
        "reason": cost.reason,
        "break_even_months": plain.span(cost.break_even_months),
        "break_even_reason": cost.break_even_reason,
        "payback": _payback(cost.payback) if cost.payback else None,
    }


def _plan(given: TogetherPlan) -> dict[str, Any]:
    return {
        "target": given.target,
        "effort_weeks": {
            "low": plain.number(given.weeks.low),
            "likely": plain.number(given.weeks.likely),
            "high": plain.number(given.weeks.high),
            "expected": plain.number(given.expected),
            "interval80": [plain.number(end) for end in given.interval80],
        },
        "order": [{"model": model, "expected_weeks": plain.number(weeks)} for model, weeks in given.order],
    }


def _payback(given: Payback) -> dict[str, Any]:
    figures = {name: plain.number(value) for name, value in asdict(given).items() if name not in {"sensitivity", "drivers"}}
    moved = [
        {"input": one.name, "half_less": plain.number(one.low_months), "half_more": plain.number(one.high_months)}
        for one in given.sensitivity
    ]
    return {**figures, "sensitivity_months": moved, "drivers": list(given.drivers)}


def _effort(effort: Effort) -> dict[str, Any]:
    if effort.weeks is None:
        return {"effort_weeks": None, "effort_reason": effort.reason, "effort_grade": effort.grade}
    return {
        "effort_weeks": {
            "low": plain.number(effort.weeks.low),
            "likely": plain.number(effort.weeks.likely),
            "high": plain.number(effort.weeks.high),
            "expected": plain.number(effort.expected),
            "interval80": [plain.number(end) for end in effort.interval80] if effort.interval80 else None,
        },
        "effort_reason": effort.reason,
        "effort_grade": effort.grade,
    }


def _work(item: WorkItem) -> dict[str, Any]:
    return {
        "item": item.item,
        "name": item.name,
        "scope": item.scope,
        "scope_key": item.scope_key,
        "weeks": plain.span(item.weeks),
        "grade": item.grade,
        "rules": list(item.rules),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "title": finding.title,
        "verdict": finding.verdict,
        "confidence": finding.confidence,
        "message": finding.message,
        "evidence": {name: plain.value(value) for name, value in sorted(finding.evidence.items())},
        "remediation": finding.remediation,
        "work": list(finding.work),
        "sources": plain.sources(finding.sources),
        "ignored": plain.waiver(finding.waiver),
    }

"""A fleet as JSON: schema ``auditor/fleet/1``."""

from dataclasses import asdict
from typing import Any

from auditor.fleet.diff import FleetDiff
from auditor.fleet.packing import Packed
from auditor.fleet.summary import FleetSummary, ModelLine, TargetLine
from auditor.report import View, plain


def render(summary: FleetSummary, view: View) -> str:  # noqa: ARG001  # every format has one signature
    """Return the document."""
    return plain.dumps(document(summary))


def document(summary: FleetSummary) -> dict[str, Any]:
    """Return a fleet as JSON values."""
    return {
        "schema": "auditor/fleet/1",
        "scan": summary.scan,
        "date": summary.today,
        "rules_digest": summary.rules_digest,
        "models": [_model(model) for model in summary.models],
        "summary": {
            "models": len(summary.models),
            "failed": summary.failed,
            "weights_bytes": summary.bytes,
            "classes": [
                {"arch_class": arch, "precision": precision, "models": count, "weights_bytes": size}
                for arch, precision, count, size in summary.classes
            ],
            "targets": [_target(line) for line in summary.targets],
            "settled_by": [{"question": question, "rows": count} for question, count in summary.questions],
            "unknown_facts": [{"fact": fact, "models": count} for fact, count in summary.unknown],
        },
    }


def render_diff(found: FleetDiff) -> str:
    """Return a comparison of two scans."""
    return plain.dumps({"schema": "auditor/fleet-diff/1", **asdict(found)})


def _model(model: ModelLine) -> dict[str, Any]:
    return {
        "target": model.target,
        "name": model.name,
        "owner": model.owner,
        "found": model.found,
        "replicas": model.replicas,
        "id": model.model_id,
        "arch_class": model.arch_class,
        "architecture": model.architecture,
        "params_total": model.params,
        "weights_bytes": model.weights_bytes,
        "precision": model.precision,
        "error": model.error,
        "verdicts": dict(model.verdicts),
    }


def _target(line: TargetLine) -> dict[str, Any]:
    plan = line.plan
    return {
        "target": line.target,
        "availability": line.availability,
        "verdicts": dict(line.verdicts),
        **_packed(line.packed),
        "sharing_devices": _packed(line.sharing),
        "effort_weeks": plain.span(plan.total.weeks) if plan else None,
        "order": [{"model": model, "expected_weeks": plain.number(weeks)} for model, weeks in plan.order] if plan else [],
    }


def _packed(found: Packed) -> dict[str, Any]:
    return {
        "devices": found.devices,
        "instances": found.instances,
        "usd_per_month": plain.number(found.usd_per_month),
        "unpriced": found.unpriced,
    }

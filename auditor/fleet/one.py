"""One model through the whole audit, as a pure function of its reference and the rules: values in, values out.

Any engine that can call a function on many inputs can run a scan with this: threads here, a cluster elsewhere.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from auditor.auditing import AuditOptions, audit_model
from auditor.catalog import Catalog
from auditor.catalog.model import Target
from auditor.effort import architecture_key, shape_key
from auditor.errors import AuditorError
from auditor.facts import Unknown
from auditor.fleet.encode import decode, encode
from auditor.fleet.model import FleetModel
from auditor.inspection import inspect_snapshot
from auditor.inspection.model import Inspection
from auditor.results import TargetAudit
from auditor.sources import SourceOptions, open_target
from auditor.workload import Workload


@dataclass(frozen=True, slots=True)
class Context:
    """What every model of a scan is audited with."""

    catalog: Catalog
    targets: tuple[Target, ...]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    options: AuditOptions = field(default_factory=AuditOptions)
    source: SourceOptions = field(default_factory=SourceOptions)
    today: str = ""
    version: str = ""
    packs: tuple[Path, ...] = ()
    """Rule packs that the catalogue was loaded with, and its cache: what another process needs to load it again."""
    cache: Path | None = None

    @property
    def identity(self) -> str:
        """A mark of everything but the models: the same mark means the same verdicts for the same files."""
        parts = [self.version, self.catalog.digest, [target.id for target in self.targets], dict(self.defaults), repr(self.options)]
        return _mark(parts)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one model. ``error`` is empty for one that was read."""

    inspection: Mapping[str, Any] | None
    facts: Mapping[str, Any] = field(default_factory=dict)
    """The columns by which a fleet is counted."""
    rows: tuple[Mapping[str, Any], ...] = ()
    error: str = ""


def read(target: str, source: SourceOptions, kv_dtype: str | None = None) -> Inspection:
    """Return what the files of a model say, with a cache of ``kv_dtype``. Raises TargetError."""
    return inspect_snapshot(open_target(target, source), kv_dtype)


def kv_dtype(model: FleetModel, context: Context) -> str | None:
    """Return the type of cache that the model's workload asks for."""
    asked = {**context.defaults, **model.workload}.get("kv_dtype")
    return asked if isinstance(asked, str) else None


def outcome(model: FleetModel, context: Context, known: Mapping[str, Any] | None = None) -> Outcome:
    """Return what an audit of the model gives. ``known`` is its inspection where it has not changed since it was read.

    Nothing is raised for a model that cannot be read or audited: that is an outcome too.
    """
    try:
        inspection = decode(dict(known)) if known is not None else read(model.target, context.source, kv_dtype(model, context))
        workload = Workload(**{**context.defaults, **model.workload})
        audited = audit_model(inspection, context.catalog, context.targets, workload, context.options, today=context.today)
    except AuditorError as error:
        return Outcome(None, error=str(error))
    except Exception as error:  # noqa: BLE001 - a fault of ours in one model must not cost the reader the other thousands
        return Outcome(None, error=f"{model.target}: unexpected {type(error).__name__}: {error}; this is a fault of auditor")
    return Outcome(encode(inspection), _columns(inspection), tuple(_row(row) for row in audited.rows), "; ".join(inspection.errors))


def audit_key(fingerprint: str, model: FleetModel, identity: str) -> str:
    """Return the mark of one audit: the model's state, its workload, and everything else that was the same for all."""
    return _mark([fingerprint, model.target, dict(model.workload), identity])


def _mark(parts: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:32]


def _columns(inspection: Inspection) -> dict[str, Any]:
    facts = inspection.facts
    classes = facts.value("arch.architectures")
    return {
        "model_id": inspection.id,
        "revision": inspection.revision,
        "arch_class": facts.text("arch.class"),
        "architecture": str(classes[0]) if isinstance(classes, tuple) and classes else facts.text("arch.model_type"),
        "task": facts.text("arch.task"),
        "params": facts.integer("params.total"),
        "weights_bytes": facts.integer("weights.bytes"),
        "dtype": facts.text("weights.dtype") or facts.text("arch.dtype"),
        "quant_method": facts.text("quant.method"),
        "unknown": sorted(name for name, fact in facts.items() if isinstance(fact, Unknown)),
    }


def _row(row: TargetAudit) -> dict[str, Any]:
    placed, cost, weeks = row.placement, row.cost, row.effort.weeks
    per_token = cost.usd_per_million_tokens
    return {
        "accelerator": row.target.accelerator.id,
        "stack": row.target.stack.id,
        "vendor": row.target.accelerator.vendor,
        "verdict": row.verdict,
        "at_least": row.at_least,
        "settled_by": list(row.settled_by),
        "availability": row.availability,
        "devices": placed.devices if placed else None,
        "billed_devices": placed.billed_devices if placed else None,
        "instance": placed.instance if placed else None,
        "provider": placed.provider if placed else None,
        "instances": placed.instances if placed else None,
        "usd_per_hour": cost.usd_per_hour,
        "usd_per_million": per_token.likely if per_token else None,
        "output_tokens_per_s": row.throughput.output_tokens_per_s.likely if row.throughput else None,
        "weeks_low": weeks.low if weeks else None,
        "weeks_likely": weeks.likely if weeks else None,
        "weeks_high": weeks.high if weeks else None,
        "weeks_reason": row.effort.reason,
        "architecture_key": architecture_key(row.facts),
        "shape_key": shape_key(row.facts),
        "work": [
            {
                "item": item.item,
                "name": item.name,
                "scope": item.scope,
                "scope_key": item.scope_key,
                "weeks": [item.weeks.low, item.weeks.likely, item.weeks.high],
                "grade": item.grade,
            }
            for item in row.effort.items
        ],
        "findings": [{"rule": finding.rule, "verdict": finding.verdict, "message": finding.message} for finding in row.findings],
    }

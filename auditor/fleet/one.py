"""One model through the whole audit, as a pure function of its reference and the rules: values in, values out.

``scan_model(reference, rules)`` is all that an engine has to call: references, rules and outcomes are plain values that travel
between processes and machines, and nothing else is read or written but the model's own files. ``auditor.fleet.scan`` calls it
in threads and processes of one machine; docs/fleet.md shows how to call it on a cluster.
"""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from auditor.auditing import AuditOptions, audit_model
from auditor.catalog import Catalog, load_catalog
from auditor.catalog.model import Target
from auditor.effort import architecture_key, shape_key
from auditor.errors import AuditorError, Unreachable
from auditor.facts import Unknown
from auditor.fleet.encode import decode, encode
from auditor.fleet.model import FleetModel
from auditor.inspection import inspect_snapshot
from auditor.inspection.model import Inspection
from auditor.results import TargetAudit
from auditor.sizing.model import Placement
from auditor.sources import SourceOptions, open_target
from auditor.workload import Workload

#: Models in a row without an answer after which a server is held for dead.
_SILENT_MODELS = 32


class Patience:
    """Whether servers are still waited for: no longer once many models in a row have found none that answers."""

    def __init__(self) -> None:
        self._silent = 0

    def left(self) -> bool:
        """Return whether to try again."""
        return self._silent < _SILENT_MODELS

    def note(self, *, answered: bool) -> None:
        """Take note of how a model's server was found in the end."""
        self._silent = 0 if answered else self._silent + 1


@dataclass(frozen=True, slots=True)
class ScanRules:
    """All that an audit depends on beside the model."""

    targets: tuple[str, ...] = ()
    """What to audit against, as ``--on`` takes it; every target where empty."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Workload fields of models that do not state their own."""
    options: AuditOptions = field(default_factory=AuditOptions)
    source: SourceOptions = field(default_factory=SourceOptions)
    today: str = ""
    """ISO date that prices and sources are judged by."""
    version: str = ""
    """Of auditor: another one may judge otherwise."""
    packs: tuple[Path, ...] = ()
    """Files and folders of rules beside the shipped ones; each machine needs them at this path."""
    cache: Path | None = None
    """Folder where the catalogue may be kept once it was read."""
    attempts: int = 4
    """Times that a model is asked for while its server fails for a passing reason: no answer, a limit, a fault of its own."""
    longest_wait_s: float = 300.0
    """Longest wait between two attempts. The first is a second, each further one twice as long, or what the server asks for."""

    def load(self) -> "Context":
        """Return the rules with their catalogue. Raises CatalogError, and WorkloadError for a target that does not exist."""
        catalog = load_catalog(self.packs, cache=self.cache)
        return Context(self, catalog, catalog.find_targets(self.targets))


@dataclass(frozen=True, slots=True)
class Context:
    """Rules with the catalogue that they name. Compiled rules do not travel between processes: each loads its own."""

    rules: ScanRules
    catalog: Catalog
    targets: tuple[Target, ...]
    patience: Patience = field(default_factory=Patience, compare=False)

    @property
    def identity(self) -> str:
        """A mark of everything but the models: the same mark means the same verdicts for the same files."""
        return _mark([self.rules.version, self.catalog.digest, self.options])

    @property
    def options(self) -> str:
        """A mark of what was asked for: targets, workload, layout, money and people."""
        return _mark([[target.id for target in self.targets], dict(self.rules.defaults), repr(self.rules.options)])


@dataclass(frozen=True, slots=True)
class ScanOutcome:
    """What came of one model, as values of JSON."""

    inspection: Mapping[str, Any] | None
    """Everything that its files say; None where they could not be read."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """The columns by which a fleet is counted."""
    rows: tuple[Mapping[str, Any], ...] = ()
    """One per target: the columns of the store's table of audits, with ``work`` in place of ``work_key``."""
    error: str = ""
    """Why it could not be read or audited, whole or in part; empty for one that was."""


def scan_model(model: FleetModel, rules: ScanRules) -> ScanOutcome:
    """Return what an audit of a model gives; the catalogue is loaded once per process.

    Nothing is raised for a model that cannot be read or audited: that is an outcome too. Raises CatalogError for rules that
    do not load, and WorkloadError for a target that does not exist.
    """
    return outcome(model, loaded(rules))


_loaded: dict[str, Context] = {}


def loaded(rules: ScanRules) -> Context:
    """Return the context of rules, kept for the next model: one at a time, since a process scans with one set of them."""
    key = repr(rules)
    if key not in _loaded:
        _loaded.clear()
        _loaded[key] = rules.load()
    return _loaded[key]


def outcome(model: FleetModel, context: Context, known: Mapping[str, Any] | None = None) -> ScanOutcome:
    """Return what ``scan_model`` does. ``known`` is its inspection where it has not changed since it was read."""
    rules = context.rules
    try:
        workload = Workload(**{**rules.defaults, **model.workload})
        inspection = _inspect(model.target, context, workload.kv_dtype) if known is None else decode(dict(known))
        audited = audit_model(inspection, context.catalog, context.targets, workload, rules.options, today=rules.today)
    except AuditorError as error:
        return ScanOutcome(None, error=str(error))
    except Exception as error:  # noqa: BLE001 - a fault of ours in one model must not cost the reader the other thousands
        return ScanOutcome(None, error=f"{model.target}: unexpected {type(error).__name__}: {error}; this is a fault of auditor")
    return ScanOutcome(encode(inspection), _columns(inspection), tuple(_row(row) for row in audited.rows), "; ".join(inspection.errors))


def _inspect(target: str, context: Context, kv_dtype: str | None) -> Inspection:
    """Return the inspection of a model, asked for again while its server fails for a passing reason. Raises TargetError."""
    rules, pause = context.rules, 1.0
    for attempt in range(1, rules.attempts + 1):
        try:
            found = inspect_snapshot(open_target(target, rules.source), kv_dtype)
        except Unreachable as error:
            if attempt == rules.attempts or rules.source.offline or not context.patience.left():
                context.patience.note(answered=False)
                raise
            time.sleep(min(max(pause, error.wait), rules.longest_wait_s))
            pause *= 2
        else:
            context.patience.note(answered=True)
            return found
    raise AssertionError  # the last attempt returns or raises


def reading(model: FleetModel, rules: ScanRules) -> str:
    """Return what a reading of the model depends on beside its files: the type of cache asked for, the variant, how much is read."""
    asked = {**rules.defaults, **model.workload}.get("kv_dtype")
    parts = [asked, rules.source.variant, "fast" if rules.source.fast else None]
    return "".join(f"+{part}" for part in parts if part)


def audit_key(fingerprint: str, model: FleetModel, identity: str) -> str:
    """Return the mark of one audit: the model's state, its workload, and everything else that was the same for all."""
    return _mark([fingerprint, model.target, dict(model.workload), identity])


def facts_mark(inspection: Mapping[str, Any]) -> str:
    """Return the mark of a model of which nothing but its facts tells the state."""
    return f"facts:{_mark([inspection])}"


def work_key(row: Mapping[str, Any]) -> str:
    """Return the mark of the work that a row asks for."""
    return _mark([row["architecture_key"], row["shape_key"], row["work"]])


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
        "stack": row.target.id.partition("/")[2],
        "family": row.target.accelerator.family,
        "verdict": row.verdict,
        "at_least": row.at_least,
        "settled_by": list(row.settled_by),
        "availability": row.availability,
        "devices": placed.devices if placed else None,
        "device_share": _share(placed, row.target) if placed else None,
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
                # Work of a model's own is the same for every model that asks for it.
                "scope_key": "" if item.scope == "model" else item.scope_key,
                "weeks": [item.weeks.low, item.weeks.likely, item.weeks.high],
                "grade": item.grade,
            }
            for item in row.effort.items
        ],
        "findings": [{"rule": finding.rule, "verdict": finding.verdict, "message": finding.message} for finding in row.findings],
    }


def _share(placed: Placement, target: Target) -> float | None:
    """Return the part of one device that a replica needs, where servers of the stack may share a device; None for whole ones."""
    memory = placed.memory
    return memory.total / memory.usable if placed.devices == 1 and "device_sharing" in target.stack.features and memory.usable > 0 else None

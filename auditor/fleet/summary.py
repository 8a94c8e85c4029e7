"""What a scanned fleet adds up to: queries over the store, values out. No rendering here."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from auditor.catalog.effort import EffortModel
from auditor.effort import Candidate, Plan, plan, total
from auditor.errors import ReportError
from auditor.fleet.store import Store
from auditor.results import WorkItem
from auditor.sizing.model import Range

#: Hours of a month: 365.25 / 12 days.
HOURS_PER_MONTH = 730.5
#: Stays or moves: what a model could do on a target, from best to worst.
VERDICTS = ("native", "config-change", "needs-port", "unknown", "blocked")
_LATEST = "select max(scan) from scans where state = 'done'"


@dataclass(frozen=True, slots=True)
class ModelLine:
    """One model of the fleet."""

    position: int
    target: str
    name: str
    owner: str
    found: str
    replicas: int
    model_id: str | None
    arch_class: str | None
    architecture: str | None
    params: int | None
    weights_bytes: int | None
    precision: str | None
    error: str
    verdicts: dict[str, str]
    """Verdict by target, as ``accelerator/stack``."""


@dataclass(frozen=True, slots=True)
class TargetLine:
    """What it would take to serve on one target all that it can serve."""

    target: str
    availability: str
    verdicts: dict[str, int]
    """Models by verdict."""
    devices: int
    instances: int
    """After packing small placements of one machine type together."""
    usd_per_month: float | None
    """None where a placement has no price."""
    unpriced: int
    weeks: Range | None
    """Moving every model that can be moved, shared work once; None where nothing moves or no plan was asked for."""
    order: tuple[tuple[str, float], ...]
    """Models in the cheapest order, each with its marginal expected weeks."""


@dataclass(frozen=True, slots=True)
class FleetSummary:
    """A whole fleet."""

    scan: int
    today: str
    rules_digest: str
    models: tuple[ModelLine, ...]
    classes: tuple[tuple[str, str, int, int], ...]
    """Architecture class, precision, models, bytes."""
    bytes: int
    failed: int
    targets: tuple[TargetLine, ...]
    questions: tuple[tuple[str, int], ...]
    """What would settle unknown verdicts, with the number of rows it would settle."""


def latest(store: Store) -> int:
    """Return the number of the last complete scan. Raises ReportError when there is none."""
    (row,) = store.query(f"select ({_LATEST}) scan")
    if row["scan"] is None:
        raise ReportError(f"{store.path}: holds no complete scan", "run `auditor fleet scan` on it, to its end")
    return int(row["scan"])


def summarise(store: Store, effort: EffortModel, scan: int | None = None, *, planned: int | None = None) -> FleetSummary:
    """Return what the last complete scan (or ``scan``) adds up to. Raises ReportError when there is no such scan.

    ``planned`` limits the migration plans to that many targets, the best ones: in a large fleet they are most of the work.
    """
    number = latest(store) if scan is None else scan
    about = store.query("select today, rules_digest from scans where scan = ?", [number])
    if not about:
        raise ReportError(f"{store.path}: holds no scan {number}", "`auditor fleet diff` lists the scans")
    models = _models(store, number)
    counted = store.query(
        """select coalesce(i.arch_class, 'unknown') arch_class, coalesce(nullif(i.quant_method, 'none'), i.dtype, 'unknown') prec,
                  count(*) models, coalesce(sum(i.weights_bytes), 0)::bigint bytes
           from entries e join inspections i using (target, fingerprint) where e.scan = ?
           group by 1, 2 order by 3 desc, 1, 2""",
        [number],
    )
    questions = store.query(
        """select question, count(*) n from (
             select unnest(a.settled_by) question from entries e join audits a using (audit_key) where e.scan = ? and a.verdict = 'unknown')
           group by 1 order by 2 desc, 1""",
        [number],
    )
    return FleetSummary(
        scan=number,
        today=about[0]["today"],
        rules_digest=about[0]["rules_digest"],
        models=models,
        classes=tuple((row["arch_class"], row["prec"], row["models"], row["bytes"]) for row in counted),
        bytes=sum(row["bytes"] for row in counted),
        failed=sum(1 for model in models if model.error),
        targets=tuple(_targets(store, number, effort, planned)),
        questions=tuple((row["question"], row["n"]) for row in questions),
    )


def _models(store: Store, scan: int) -> tuple[ModelLine, ...]:
    rows = store.query(
        """select e.position, e.target, e.name, e.owner, e.found, e.replicas, e.error, e.audit_key, i.model_id, i.arch_class,
                  i.architecture, i.params, i.weights_bytes, coalesce(nullif(i.quant_method, 'none'), i.dtype) prec
           from entries e left join inspections i using (target, fingerprint) where e.scan = ? order by e.position""",
        [scan],
    )
    verdicts = store.query(
        """select audit_key, list(accelerator || '/' || stack order by accelerator, stack) targets,
                  list(verdict order by accelerator, stack) verdicts
           from audits where audit_key in (select audit_key from entries where scan = ?) group by audit_key""",
        [scan],
    )
    by_key = {row["audit_key"]: dict(zip(row["targets"], row["verdicts"], strict=True)) for row in verdicts}
    return tuple(
        ModelLine(
            position=row["position"],
            target=row["target"],
            name=row["name"],
            owner=row["owner"],
            found=row["found"],
            replicas=row["replicas"],
            model_id=row["model_id"],
            arch_class=row["arch_class"],
            architecture=row["architecture"],
            params=row["params"],
            weights_bytes=row["weights_bytes"],
            precision=row["prec"],
            error=row["error"],
            verdicts=by_key.get(row["audit_key"], {}),
        )
        for row in rows
    )


def _targets(store: Store, scan: int, effort: EffortModel, planned: int | None) -> Sequence[TargetLine]:
    counts = store.query(
        """select a.accelerator || '/' || a.stack target, any_value(a.availability) availability, a.verdict, count(*) n
           from entries e join audits a using (audit_key) where e.scan = ? group by 1, 3 order by 1, 3""",
        [scan],
    )
    verdicts: dict[str, dict[str, int]] = {}
    availability: dict[str, str] = {}
    for row in counts:
        verdicts.setdefault(row["target"], {})[row["verdict"]] = row["n"]
        availability[row["target"]] = row["availability"]
    lines = []
    for target, by_verdict in verdicts.items():
        devices, instances, monthly, unpriced = _packed(store, scan, target)
        lines.append(TargetLine(target, availability[target], by_verdict, devices, instances, monthly, unpriced, None, ()))
    served = {line.target: line.verdicts.get("native", 0) + line.verdicts.get("config-change", 0) for line in lines}
    lines.sort(key=lambda line: (line.availability != "open", -served[line.target], line.usd_per_month or float("inf"), line.target))
    for at, line in enumerate(lines[:planned]):
        weeks, order = _plan(store, scan, line.target, effort)
        lines[at] = replace(line, weeks=weeks, order=order)
    return lines


def _packed(store: Store, scan: int, target: str) -> tuple[int, int, float | None, int]:
    """Return devices, machines, dollars per month and unpriced placements of everything that fits on a target.

    Placements smaller than their machine share machines, the largest first (first fit, decreasing).
    """
    rows = store.query(
        """select e.replicas, a.devices, a.billed_devices, a.instance, a.provider, a.instances, a.usd_per_hour
           from entries e join audits a using (audit_key)
           where e.scan = ? and a.accelerator || '/' || a.stack = ? and a.devices is not null
             and a.verdict in ('native', 'config-change')""",
        [scan, target],
    )
    devices = sum(row["devices"] * row["replicas"] for row in rows)
    instances, monthly, unpriced = 0, 0.0, 0
    partial: dict[tuple[str, str, int, float], list[int]] = {}
    for row in rows:
        if row["usd_per_hour"] is None:
            unpriced += row["replicas"]
        if row["instances"] == 1 and row["devices"] < row["billed_devices"]:
            kind = (row["provider"], row["instance"], row["billed_devices"], row["usd_per_hour"] or 0.0)
            partial.setdefault(kind, []).extend([row["devices"]] * row["replicas"])
        else:
            instances += row["instances"] * row["replicas"]
            monthly += (row["usd_per_hour"] or 0.0) * row["replicas"] * HOURS_PER_MONTH
    for (_, _, size, hourly), placements in partial.items():
        machines = first_fit(placements, size)
        instances += machines
        monthly += machines * hourly * HOURS_PER_MONTH
    return devices, instances, None if unpriced and unpriced == sum(row["replicas"] for row in rows) else monthly, unpriced


def first_fit(placements: Sequence[int], size: int) -> int:
    """Return the machines of ``size`` devices that hold all ``placements``, by first fit in decreasing order."""
    free: list[int] = []
    for wanted in sorted(placements, reverse=True):
        for at, left in enumerate(free):
            if left >= wanted:
                free[at] -= wanted
                break
        else:
            free.append(size - wanted)
    return len(free)


def _plan(store: Store, scan: int, target: str, effort: EffortModel) -> tuple[Range | None, tuple[tuple[str, float], ...]]:
    rows = store.query(
        """select coalesce(nullif(e.name, ''), i.model_id, e.target) as name, a.architecture_key, a.shape_key, a.work, a.weeks_likely
           from entries e join audits a using (audit_key) join inspections i using (target, fingerprint)
           where e.scan = ? and a.accelerator || '/' || a.stack = ? and a.weeks_likely > 0 order by e.position""",
        [scan, target],
    )
    candidates = [_candidate(row, effort) for row in {row["name"]: row for row in rows}.values()]
    made: Plan = plan(effort, candidates)
    weeks = made.total.weeks if candidates else None
    return weeks, tuple((one.model, one.marginal.expected or 0.0) for one in made.order)


def _candidate(row: dict[str, Any], effort: EffortModel) -> Candidate:
    items = tuple(
        WorkItem(item["item"], item["name"], item["scope"], item["scope_key"], Range(*item["weeks"]), item["grade"], ())
        for item in json.loads(row["work"])
    )
    specs = effort.items
    discounts = {item.item: (specs[item.item].same_architecture, specs[item.item].same_shape) for item in items if item.item in specs}
    discounts.update({item.item: (1.0, 1.0) for item in items if item.item not in specs})
    return Candidate(row["name"], row["architecture_key"], row["shape_key"], total(items, effort.rho), discounts)

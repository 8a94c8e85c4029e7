"""What a scanned fleet adds up to: queries over the store, values out. No rendering here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from auditor.catalog.effort import EffortModel
from auditor.errors import ReportError
from auditor.fleet.packing import Packed, Placed, pack
from auditor.fleet.plans import Named, plans
from auditor.fleet.store import Store
from auditor.planning import Plan

#: Stays or moves: what a model could do on a target, from best to worst.
VERDICTS = ("native", "config-change", "needs-port", "unknown", "blocked")
_TO_BE_HAD = ("open", "limited")
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
    verdicts: Mapping[str, str]
    """Verdict by target, as ``accelerator/stack``; one mapping for all models that have the same."""


@dataclass(frozen=True, slots=True)
class TargetLine:
    """What it would take to serve on one target all that it can serve."""

    target: str
    availability: str
    verdicts: Mapping[str, int]
    """Models by verdict."""
    packed: Packed
    """What holds the models that run natively or by configuration, a device belonging to one server."""
    sharing: Packed
    """The same, where servers that may share a device do."""
    best: bool = False
    """Whether no other target of its accelerator family that can be had serves more models, or as many for less."""
    plan: Plan | None = None
    """Moving every model that can be moved, shared work once; None where nothing moves or no plan was asked for."""


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
    unknown: tuple[tuple[str, int], ...]
    """Facts that could not be had, with the number of models that lack them."""


def latest(store: Store) -> int:
    """Return the number of the last complete scan. Raises ReportError when there is none."""
    (row,) = store.query(f"select ({_LATEST}) scan")
    if row["scan"] is None:
        raise ReportError(f"{store.path}: holds no complete scan", "run `auditor fleet scan` on it, to its end")
    return int(row["scan"])


def summarise(store: Store, effort: EffortModel, scan: int | None = None, *, every_plan: bool = True) -> FleetSummary:
    """Return what the last complete scan (or ``scan``) adds up to. Raises ReportError when there is no such scan.

    Without ``every_plan`` a migration is planned to the best target of each family only, which is all that a screen shows.
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
    return FleetSummary(
        scan=number,
        today=about[0]["today"],
        rules_digest=about[0]["rules_digest"],
        models=models,
        classes=tuple((row["arch_class"], row["prec"], row["models"], row["bytes"]) for row in counted),
        bytes=sum(row["bytes"] for row in counted),
        failed=sum(1 for model in models if model.error),
        targets=_targets(store, number, models, effort, every_plan=every_plan),
        questions=_counted(
            store,
            """select unnest(a.settled_by) what from entries e join audits a using (audit_key)
               where e.scan = ? and a.verdict = 'unknown'""",
            number,
        ),
        unknown=_counted(
            store, "select unnest(i.unknown) what from entries e join inspections i using (target, fingerprint) where e.scan = ?", number
        ),
    )


def _counted(store: Store, words: str, scan: int) -> tuple[tuple[str, int], ...]:
    """Return the values of the column ``what`` of a query, the most frequent first."""
    rows = store.query(f"select what, count(*) n from ({words}) group by 1 order by 2 desc, 1", [scan])  # noqa: S608 - of this module
    return tuple((row["what"], row["n"]) for row in rows)


def _models(store: Store, scan: int) -> tuple[ModelLine, ...]:
    rows = store.query(
        """select e.position, e.target, e.name, e.owner, e.found, e.replicas, e.error, e.audit_key, i.model_id, i.arch_class,
                  i.architecture, i.params, i.weights_bytes, coalesce(nullif(i.quant_method, 'none'), i.dtype) prec
           from entries e left join inspections i using (target, fingerprint) where e.scan = ? order by e.position""",
        [scan],
    )
    verdicts = _verdicts(store, scan)
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
            verdicts=verdicts.get(row["audit_key"], {}),
        )
        for row in rows
    )


def _verdicts(store: Store, scan: int) -> dict[str, Mapping[str, str]]:
    """Return verdicts by target, by audit; few of the many audits of a fleet differ in them."""
    on = store.query("select distinct accelerator, stack, accelerator || '/' || stack target from audits order by 1, 2")
    rows = store.query(
        """with numbered as (
             select row_number() over (order by accelerator, stack) - 1 n, * from (select distinct accelerator, stack from audits)),
           coded as (
             select a.audit_key, list_sort(list(t.n * 8 + list_position(?, a.verdict))) codes
             from audits a join numbered t using (accelerator, stack)
             where a.audit_key in (select audit_key from entries where scan = ?) group by 1)
           select codes, list(audit_key) audits from coded group by 1""",
        [list(VERDICTS), scan],
    )
    found: dict[str, Mapping[str, str]] = {}
    for row in rows:
        alike = {on[code // 8]["target"]: VERDICTS[code % 8 - 1] for code in row["codes"]}
        found |= {key: alike for key in row["audits"]}  # noqa: C420 - shared on purpose, and never changed
    return found


def _targets(store: Store, scan: int, models: Sequence[ModelLine], effort: EffortModel, *, every_plan: bool) -> tuple[TargetLine, ...]:
    counts = store.query(
        """select a.accelerator || '/' || a.stack target, any_value(a.availability) availability, any_value(a.family) family,
                  a.verdict, count(*) n
           from entries e join audits a using (audit_key) where e.scan = ? group by 1, 4 order by 1, 4""",
        [scan],
    )
    verdicts: dict[str, dict[str, int]] = {}
    for row in counts:
        verdicts.setdefault(row["target"], {})[row["verdict"]] = row["n"]
    about = {row["target"]: row for row in counts}
    placed = _placed(store, scan)
    lines = [
        TargetLine(target, about[target]["availability"], by_verdict, pack(here), pack(here, share_devices=True))
        for target, by_verdict in verdicts.items()
        for here in [placed.get(target, ())]
    ]
    lines.sort(key=_rank)
    # The last one wins: lines go from the worst to the best here.
    best = {about[line.target]["family"]: line.target for line in reversed(lines) if line.availability in _TO_BE_HAD}
    lines = [replace(line, best=line.target in best.values()) for line in lines]
    entries = {model.position: Named(model.model_id or model.target, model.name or model.model_id or model.target) for model in models}
    made = plans(store, scan, entries, [line.target for line in lines if every_plan or line.best], effort)
    return tuple(replace(line, plan=made.get(line.target)) for line in lines)


def _rank(line: TargetLine) -> tuple[bool, int, float, str]:
    served = line.verdicts.get("native", 0) + line.verdicts.get("config-change", 0)
    dollars = line.packed.usd_per_month
    return line.availability != "open", -served, float("inf") if dollars is None else dollars, line.target


def _placed(store: Store, scan: int) -> dict[str, Sequence[Placed]]:
    """Return what runs natively or by configuration, by target."""
    rows = store.query(
        """select a.accelerator || '/' || a.stack target, sum(e.replicas)::bigint copies, a.devices,
                  ceil(a.device_share * 100) / 100 device_share, a.billed_devices, a.instance, a.provider, a.instances, a.usd_per_hour
           from entries e join audits a using (audit_key)
           where e.scan = ? and a.devices is not null and a.verdict in ('native', 'config-change')
           group by all order by all""",
        [scan],
    )
    found: dict[str, list[Placed]] = {}
    for row in rows:
        found.setdefault(row.pop("target"), []).append(Placed(**row))
    return dict(found)

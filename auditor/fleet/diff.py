"""What changed between two scans: models that came, went or changed, and verdicts with the cause."""

from dataclasses import dataclass

from auditor.errors import ReportError
from auditor.fleet.store import Store


@dataclass(frozen=True, slots=True)
class VerdictChange:
    """A verdict that is another than it was."""

    model: str
    target: str
    before: str
    after: str
    causes: tuple[str, ...]
    """What of it changed: ``model`` (its files), ``workload``, ``rules``, ``version`` (of auditor), ``options`` (of the scan)."""


@dataclass(frozen=True, slots=True)
class FleetDiff:
    """Two scans compared."""

    before: int
    after: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    """Models whose files changed."""
    verdicts: tuple[VerdictChange, ...]
    newly_failed: tuple[tuple[str, str], ...]
    """Models that could be read before and cannot now, with the reason."""


def diff(store: Store, before: int | None = None, after: int | None = None) -> FleetDiff:
    """Compare two complete scans; by default the last two. Raises ReportError when there are not two."""
    done = [row["scan"] for row in store.query("select scan from scans where state = 'done' order by scan")]
    if before is None or after is None:
        if len(done) < 2:
            raise ReportError(
                f"{store.path}: holds {len(done)} complete scan{'s' if len(done) != 1 else ''}", "scan once more, then compare"
            )
        before, after = done[-2], done[-1]
    for number in (before, after):
        if number not in done:
            raise ReportError(f"{store.path}: holds no complete scan {number}", f"it has {', '.join(map(str, done)) or 'none'}")
    entries = {
        number: {
            row["target"]: row
            for row in store.query(
                "select target, fingerprint, workload, error from entries where scan = ? order by position desc", [number]
            )
        }
        for number in (before, after)
    }
    old, new = entries[before], entries[after]
    both = sorted(old.keys() & new.keys())
    changed = {name for name in both if old[name]["fingerprint"] != new[name]["fingerprint"] and not new[name]["error"]}
    return FleetDiff(
        before=before,
        after=after,
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed=tuple(sorted(changed)),
        verdicts=_verdicts(store, before, after),
        newly_failed=tuple((name, new[name]["error"]) for name in both if new[name]["error"] and not old[name]["error"]),
    )


def _verdicts(store: Store, before: int, after: int) -> tuple[VerdictChange, ...]:
    about = {row["scan"]: row for row in store.query("select scan, rules_digest, version, options from scans")}
    everywhere = [
        cause
        for cause, column in (("rules", "rules_digest"), ("version", "version"), ("options", "options"))
        if about[before][column] != about[after][column]
    ]
    rows = store.query(
        """select distinct n.target, a.accelerator || '/' || a.stack aim, b.verdict before, a.verdict after,
                  n.fingerprint != o.fingerprint model, n.workload::varchar != o.workload::varchar workload
           from entries n join entries o on o.scan = ? and o.target = n.target and o.name = n.name
           join audits a on a.audit_key = n.audit_key
           join audits b on b.audit_key = o.audit_key and b.accelerator = a.accelerator and b.stack = a.stack
           where n.scan = ? and n.audit_key != o.audit_key and a.verdict != b.verdict order by 1, 2""",
        [before, after],
    )
    return tuple(
        VerdictChange(
            row["target"],
            row["aim"],
            row["before"],
            row["after"],
            (*(cause for cause in ("model", "workload") if row[cause]), *everywhere),
        )
        for row in rows
    )

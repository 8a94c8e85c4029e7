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
    cause: str
    """``model`` (its files changed), ``workload``, ``rules``, or ``version`` (of auditor)."""


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
            row["target"]: row for row in store.query("select target, fingerprint, audit_key, error from entries where scan = ?", [number])
        }
        for number in (before, after)
    }
    old, new = entries[before], entries[after]
    both = sorted(old.keys() & new.keys())
    changed = {name for name in both if old[name]["fingerprint"] != new[name]["fingerprint"]}
    return FleetDiff(
        before=before,
        after=after,
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed=tuple(sorted(changed)),
        verdicts=_verdicts(store, before, after, changed),
        newly_failed=tuple((name, new[name]["error"]) for name in both if new[name]["error"] and not old[name]["error"]),
    )


def _verdicts(store: Store, before: int, after: int, changed: set[str]) -> tuple[VerdictChange, ...]:
    about = {row["scan"]: row for row in store.query("select scan, rules_digest, version from scans")}
    rows = store.query(
        """select n.target, a.accelerator || '/' || a.stack aim, b.verdict before, a.verdict after
           from entries n join entries o on o.scan = ? and o.target = n.target
           join audits a on a.audit_key = n.audit_key
           join audits b on b.audit_key = o.audit_key and b.accelerator = a.accelerator and b.stack = a.stack
           where n.scan = ? and n.audit_key != o.audit_key and a.verdict != b.verdict order by 1, 2""",
        [before, after],
    )
    same_rules = about[before]["rules_digest"] == about[after]["rules_digest"]
    same_version = about[before]["version"] == about[after]["version"]

    def cause(model: str) -> str:
        if model in changed:
            return "model"
        return "workload" if same_rules and same_version else "version" if same_rules else "rules"

    return tuple(VerdictChange(row["target"], row["aim"], row["before"], row["after"], cause(row["target"])) for row in rows)

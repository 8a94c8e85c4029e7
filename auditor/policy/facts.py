"""What an audit found, as facts that a policy may read: of one row, and of all rows together."""

from collections.abc import Iterable, Mapping, Sequence

from auditor.facts import Basis, Facts, Known, Unknown, Value
from auditor.results import TargetAudit
from auditor.rules.verdict import ORDER
from auditor.sizing.model import Range

#: What cannot be had is no place to run a model on, whatever the verdict.
_TO_BE_HAD = ("open", "limited")


def row_facts(row: TargetAudit) -> Facts:
    """Return the facts of one row: those that its rules read, and what came out."""
    found: dict[str, Known | Unknown] = {
        "row.verdict": Known(row.verdict, Basis.DERIVED)
        if row.verdict != "unknown"
        else Unknown("the verdict could not be decided", row.settled_by)
    }
    cost, speed = row.cost, row.throughput
    of_placement: dict[str, tuple[Range | float | None, str]] = {
        "row.usd_per_hour": (cost.usd_per_hour, cost.reason),
        "row.usd_per_million_tokens": (cost.usd_per_million_tokens, cost.reason),
        "row.output_tokens_per_s": (speed.output_tokens_per_s if speed else None, ""),
        "row.decode_tokens_per_s_per_sequence": (speed.decode_tokens_per_s_per_sequence if speed else None, ""),
        "row.ttft_s": (speed.ttft_s if speed else None, ""),
    }
    if row.placement is not None or not (row.no_placement and row.no_placement.known):
        found |= {name: _known(value, reason) for name, (value, reason) in of_placement.items()}
    found["row.effort_weeks"] = _known(row.effort.weeks, row.effort.reason)
    return row.facts.merged(found)


def _known(value: Range | float | None, reason: str) -> Known | Unknown:
    if value is None:
        return Unknown(reason or "no estimate was possible")
    return Known(value.likely if isinstance(value, Range) else value, Basis.DERIVED)


def audit_facts(rows: Sequence[TargetAudit]) -> Mapping[str, Known | Unknown]:
    """Return the facts of all rows of one model that can be had. An unknown verdict is no evidence and counts nowhere."""
    rows = [row for row in rows if row.availability in _TO_BE_HAD]
    native, changed, ported = (_at_most(rows, verdict) for verdict in ORDER[:3])
    values: dict[str, Value] = {
        "audit.native_vendors": _vendors(native),
        "audit.vendors_at_most_config_change": _vendors(changed),
        "audit.vendors_at_most_needs_port": _vendors(ported),
        "audit.native_on": _chips(native),
        "audit.at_most_config_change_on": _chips(changed),
        "audit.fits_on": _chips(row for row in rows if row.placement),
        "audit.fits_one_of": _chips(row for row in rows if row.placement and row.placement.devices == 1),
    }
    found: dict[str, Known | Unknown] = {name: Known(value, Basis.DERIVED) for name, value in values.items()}
    hourly = [row.cost.usd_per_hour for row in changed if row.placement and row.cost.usd_per_hour is not None]
    each = [row.cost.usd_per_million_tokens.likely for row in changed if row.cost.usd_per_million_tokens is not None]
    if changed:  # of a model that runs nowhere no price can be asked
        found["audit.lowest_usd_per_hour"] = _lowest(hourly)
        found["audit.lowest_usd_per_million_tokens"] = _lowest(each)
    return found


def _lowest(amounts: Sequence[float]) -> Known | Unknown:
    return Known(min(amounts), Basis.DERIVED) if amounts else Unknown("no row that runs has a price", ("--price",))


def _at_most(rows: Iterable[TargetAudit], verdict: str) -> list[TargetAudit]:
    return [row for row in rows if row.verdict in ORDER[: ORDER.index(verdict) + 1]]


def _vendors(rows: Iterable[TargetAudit]) -> int:
    return len({row.target.accelerator.vendor for row in rows})


def _chips(rows: Iterable[TargetAudit]) -> tuple[str, ...]:
    return tuple(sorted({row.target.accelerator.id for row in rows}))

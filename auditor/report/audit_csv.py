"""An audit as CSV: one line per model and target, one column per figure."""

import csv
import io
from collections.abc import Callable
from typing import Any

from auditor.report import View, plain
from auditor.results import Audit, ModelAudit, TargetAudit
from auditor.sizing.model import Range

#: A cell that begins so would be run as a formula by a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render(audit: Audit, view: View) -> str:  # noqa: ARG001  # every format has one signature
    """Return the table, with a header line. A model that could not be read has one line, with its error."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for model in audit.models:
        for row in model.rows or (None,):
            writer.writerow(_cell(get(model, row)) for get in _COLUMNS.values())
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        flat = " ".join(value.split())
        return f"'{flat}" if flat.startswith(_FORMULA) else flat
    if isinstance(value, float):
        return plain.number(value)
    return "" if value is None else value


_Get = Callable[[ModelAudit, TargetAudit | None], Any]


def _of_row(get: Callable[[TargetAudit], Any]) -> _Get:
    return lambda _, row: None if row is None else get(row)


def _of_range(name: str, get: Callable[[TargetAudit], Range | None]) -> dict[str, _Get]:
    def part(which: str) -> _Get:
        return _of_row(lambda row: None if (found := get(row)) is None else getattr(found, which))

    return {f"{name}_{which}": part(which) for which in ("low", "likely", "high")}


def _of_placement(name: str) -> _Get:
    return _of_row(lambda row: getattr(row.placement, name, None))


_COLUMNS: dict[str, _Get] = {
    "model": lambda model, _: model.inspection.id,
    "revision": lambda model, _: model.inspection.revision,
    "accelerator": _of_row(lambda row: row.target.accelerator.id),
    "stack": _of_row(lambda row: row.target.stack.id),
    "verdict": _of_row(lambda row: row.verdict),
    "at_least": _of_row(lambda row: row.at_least),
    "availability": _of_row(lambda row: row.availability),
    **{name: _of_placement(name) for name in ("devices", "provider", "instance", "instances", "billed_devices")},
    **{name: _of_placement(name) for name in ("tensor_parallel", "pipeline_parallel", "expert_parallel")},
    "memory_per_device_bytes": _of_row(lambda row: row.placement and row.placement.memory.total),
    "usable_per_device_bytes": _of_row(lambda row: row.placement and row.placement.memory.usable),
    **{name: _of_placement(name) for name in ("max_concurrency", "max_context_tokens")},
    **_of_range("output_tokens_per_s", lambda row: row.throughput.output_tokens_per_s if row.throughput else None),
    "usd_per_hour": _of_row(lambda row: row.cost.usd_per_hour),
    **_of_range("usd_per_million_tokens", lambda row: row.cost.usd_per_million_tokens),
    **_of_range("effort_weeks", lambda row: row.effort.weeks),
    "effort_weeks_expected": _of_row(lambda row: row.effort.expected),
    "effort_reason": _of_row(lambda row: row.effort.reason),
    **_of_range("break_even_months", lambda row: row.cost.break_even_months),
    "break_even_reason": _of_row(lambda row: row.cost.break_even_reason),
    "findings": _of_row(lambda row: " ".join(finding.rule for finding in row.findings)),
    "settled_by": _of_row(lambda row: "; ".join(row.settled_by)),
    "errors": lambda model, _: "; ".join(model.inspection.errors),
}

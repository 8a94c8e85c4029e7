"""A fleet as CSV: one line per model and target."""

import csv
import io

from auditor.fleet.summary import FleetSummary
from auditor.report import View

_HEAD = (
    *("target", "name", "owner", "found", "replicas", "id", "arch_class", "architecture"),
    *("params_total", "weights_bytes", "precision", "error", "on", "verdict"),
)


def render(summary: FleetSummary, view: View) -> str:  # noqa: ARG001  # every format has one signature
    """Return the lines, a header first."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_HEAD)
    for model in summary.models:
        head = [
            model.target,
            model.name,
            model.owner,
            model.found,
            model.replicas,
            model.model_id,
            model.arch_class,
            model.architecture,
            model.params,
            model.weights_bytes,
            model.precision,
            model.error,
        ]
        safe = [_safe(value) for value in head]
        writer.writerows([*safe, target, verdict] for target, verdict in model.verdicts.items() or [("", "")])
    return out.getvalue()


def _safe(value: object) -> object:
    """Keep a spreadsheet from reading somebody's model name as a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t")) else value

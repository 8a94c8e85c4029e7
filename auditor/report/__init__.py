"""Reports: one module per format, each a pure function of what it reports.

``FORMATS`` (of an audit) and ``INSPECTION_FORMATS`` (of inspections) are the one place to add a format: a module with a
``render`` function, and a line here. Modules are imported when they are first used.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True, slots=True)
class View:
    """How a report for people is shown. Formats for machines ignore it."""

    width: int = 80
    """Columns at hand."""
    color: bool = False
    every_row: bool = False
    """Show every row, rather than the best of each accelerator family."""
    every_finding: bool = False
    """Show every finding in full, rather than those that decided."""
    fail_on: str = "never"
    """Verdict from which a finding counts as a failure, in formats that know failures."""


def _render_of(module: str) -> Callable[[Any, View], str]:
    def render(subject: Any, view: View) -> str:
        text: str = import_module(f"auditor.report.{module}").render(subject, view)
        return text

    return render


#: Formats of an ``Audit``.
FORMATS: dict[str, Callable[[Any, View], str]] = {
    "table": _render_of("audit_table"),
    "json": _render_of("audit_json"),
    "markdown": _render_of("audit_markdown"),
    "html": _render_of("audit_html"),
    "csv": _render_of("audit_csv"),
    "sarif": _render_of("audit_sarif"),
    "junit": _render_of("audit_junit"),
    "github": _render_of("audit_github"),
}

#: Formats that point at lines of files.
POINTING = ("sarif", "junit", "github")

#: Formats of a sequence of inspections.
INSPECTION_FORMATS: dict[str, Callable[[Any, View], str]] = {
    "table": _render_of("inspection_table"),
    "json": _render_of("inspection_json"),
}

#: Formats of a ``FleetSummary``.
FLEET_FORMATS: dict[str, Callable[[Any, View], str]] = {
    "table": _render_of("fleet_table"),
    "json": _render_of("fleet_json"),
    "markdown": _render_of("fleet_markdown"),
    "html": _render_of("fleet_html"),
    "csv": _render_of("fleet_csv"),
}

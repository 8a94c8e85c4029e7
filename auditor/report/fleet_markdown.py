"""A fleet as Markdown."""

from tabulate import tabulate

from auditor.fleet.summary import FleetSummary
from auditor.report import View
from auditor.report.fleet_sections import SHORT, headline, sections


def render(summary: FleetSummary, view: View) -> str:
    """Return the report as a page."""
    parts = ["# Fleet", headline(summary) + "."]
    for section in sections(summary, rows=None if view.every_row else SHORT, columns=120):
        parts.append(f"## {section.title}")
        rows = [[cell.replace("|", "\\|") for cell in row] for row in section.rows]
        parts.append(tabulate(rows, headers=section.head, tablefmt="pipe", disable_numparse=True))
        if section.note:
            parts.append(section.note + ".")
    return "\n\n".join(parts) + "\n"

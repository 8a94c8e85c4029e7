"""A fleet for the terminal."""

import textwrap

from tabulate import tabulate

from auditor.fleet.diff import FleetDiff
from auditor.fleet.summary import FleetSummary
from auditor.report import View
from auditor.report.fleet_sections import SHORT, headline, sections


def render(summary: FleetSummary, view: View) -> str:
    """Return the report as text."""
    parts = ["\n".join(textwrap.wrap(headline(summary), view.width))]
    for section in sections(summary, rows=None if view.every_row else SHORT, columns=view.width):
        half = view.width // 2
        rows = [row if section.sentences else [_clipped(cell, half) for cell in row] for row in section.rows]
        widest = [half] * len(section.head) if section.sentences else None
        table = tabulate(rows, headers=section.head, tablefmt="plain", disable_numparse=True, maxcolwidths=widest)
        note = "\n".join(textwrap.wrap(section.note, view.width))
        parts.append("\n".join(part for part in (section.title, table, note) if part))
    return "\n\n".join(parts) + "\n"


def render_diff(found: FleetDiff, view: View) -> str:
    """Return a comparison of two scans as text."""
    lines = [f"scan {found.before} -> scan {found.after}"]
    for title, names in (("new", found.added), ("gone", found.removed), ("changed", found.changed)):
        lines += [f"{title}: {name}" for name in names]
    lines += [f"no longer readable: {name}: {reason}" for name, reason in found.newly_failed]
    lines += [f"{one.model} on {one.target}: was {one.before}, now {one.after}; changed: {', '.join(one.causes)}" for one in found.verdicts]
    if len(lines) == 1:
        lines.append("nothing changed")
    return "\n".join("\n".join(textwrap.wrap(line, view.width, subsequent_indent="  ")) for line in lines) + "\n"


def _clipped(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"

"""A fleet as one HTML page."""

from collections.abc import Iterator
from html import escape

from auditor.fleet.summary import FleetSummary
from auditor.report import View
from auditor.report.fleet_sections import Section, headline, sections
from auditor.report.page import page

#: Rows of a list that a page takes where not every one is asked for.
_ROWS = 500


def render(summary: FleetSummary, view: View) -> str:
    """Return the page."""
    parts = [f"<p>{escape(headline(summary))}.</p>"]
    parts += [line for section in sections(summary, rows=None if view.every_row else _ROWS, columns=None) for line in _section(section)]
    return page("Fleet", "\n".join(parts), f"rules {summary.rules_digest[:12]}, {summary.today}")


def _section(section: Section) -> Iterator[str]:
    yield f"<section>\n<h2>{escape(section.title)}</h2>"
    yield '<div class="wide"><table>\n<thead>' + _row("th", section.head, section) + "</thead>\n<tbody>"
    yield from (_row("td", row, section) for row in section.rows)
    yield "</tbody></table></div>"
    if section.note:
        yield f'<p class="faint">{escape(section.note)}.</p>'
    yield "</section>"


def _row(tag: str, cells: tuple[str, ...], section: Section) -> str:
    written = (
        f'<{tag} class="number">{escape(cell)}</{tag}>' if name in section.numbers else f"<{tag}>{escape(cell)}</{tag}>"
        for name, cell in zip(section.head, cells, strict=True)
    )
    return f"<tr>{''.join(written)}</tr>"

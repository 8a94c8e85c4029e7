"""An audit as one HTML page that needs nothing else: no script, no font, no image from elsewhere."""

from collections.abc import Iterator
from html import escape

from auditor.catalog.model import Source
from auditor.report import View, circumstances, heading
from auditor.report.arrange import advice, groups, names, open_questions, reasons, rented, why
from auditor.report.page import page
from auditor.report.words import NOTHING, between, dollars, three
from auditor.results import Audit, ModelAudit, TargetAudit
from auditor.units import human_bytes

_HEAD = ("target", "devices", "rented as", "$/h", "$/M tokens", "tokens/s", "weeks", "most sequences", "memory per device")
_WORDS = ("target", "rented as")


def render(audit: Audit, view: View) -> str:  # noqa: ARG001  # every format has one signature
    """Return the page."""
    body = "\n".join(line for model in audit.models for line in _model(model))
    return page("Accelerator audit", body, f"auditor {audit.version}, rules {audit.rules_digest[:12]}, {audit.today}")


def _model(model: ModelAudit) -> Iterator[str]:
    yield f"<section>\n<h2>{escape(heading.name(model.inspection))}</h2>"
    for error in model.inspection.errors:
        yield f'<p class="blocked">Error: {escape(error)}</p>'
    if model.rows:
        lines = (*heading.lines(model.inspection), circumstances.workload(model), circumstances.assumptions(model))
        yield "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines if line) + "</ul>"
        yield from _table(model)
        yield from _why(model)
    yield "</section>"


def _table(model: ModelAudit) -> Iterator[str]:
    yield '<div class="wide"><table>\n<thead><tr>' + "".join(_cell("th", name, words=name in _WORDS) for name in _HEAD) + "</tr></thead>"
    for group in groups(model.rows, model.workload.current_stack):
        yield f'<tbody>\n<tr><th colspan="{len(_HEAD)}" class="{group.key}">{escape(group.title)}</th></tr>'
        for row in group.rows:
            if row.placement is None and group.key in {"blocked", "out-of-reach", "unknown"}:
                sentence = open_questions(row) if group.key == "unknown" else why(row)
                yield f'<tr><td>{escape(row.target.id)}</td><td colspan="{len(_HEAD) - 1}">{escape(sentence)}</td></tr>'
            else:
                yield (
                    "<tr>"
                    + "".join(_cell("td", text, words=name in _WORDS) for name, text in zip(_HEAD, _cells(row), strict=True))
                    + "</tr>"
                )
        yield "</tbody>"
    yield "</table></div>"


def _cell(tag: str, text: str, *, words: bool) -> str:
    return f"<{tag}>{escape(text)}</{tag}>" if words else f'<{tag} class="number">{escape(text)}</{tag}>'


def _cells(row: TargetAudit) -> tuple[str, ...]:
    place, speed = row.placement, row.throughput
    count, machine = rented(row)
    return (
        row.target.id + (" (limited)" if row.availability == "limited" else ""),
        f"{place.devices}{' (borderline)' if place.borderline else ''}" if place else NOTHING,
        f"{count} x {machine} ({place.provider})" if place and count else NOTHING,
        dollars(row.cost.usd_per_hour) + (" (old price)" if row.cost.price_is_stale else ""),
        between(row.cost.usd_per_million_tokens),
        between(speed.output_tokens_per_s) if speed else NOTHING,
        three(row.effort.weeks),
        f"{place.max_concurrency:,}" if place else NOTHING,
        f"{human_bytes(place.memory.total)} of {human_bytes(place.memory.usable)}" if place else NOTHING,
    )


def _why(model: ModelAudit) -> Iterator[str]:
    found = reasons(model.rows)
    if found:
        yield "<h3>Why</h3>\n<ul>"
        for reason in found:
            finding = reason.finding
            yield (
                f'<li><span class="{finding.verdict}">{finding.verdict}</span> ({finding.confidence} confidence), '
                f"{escape(names(reason.rows))}: {escape(finding.message)}. {escape(finding.remediation)}"
                f'<br><span class="faint">{"; ".join(_source(source) for source in finding.sources)}</span></li>'
            )
        yield "</ul>"
    advised = advice(model.rows)
    if advised:
        yield "<h3>Advice</h3>\n<ul>"
        yield from (f"<li>{escape(names(reason.rows))}: {escape(reason.finding.remediation)}</li>" for reason in advised)
        yield "</ul>"


def _source(source: Source) -> str:
    title = escape(source.title)
    page = (
        f'<a href="{escape(source.ref)}" rel="noreferrer">{title}</a>'
        if source.ref.startswith("https://")
        else f"{title}, {escape(source.ref)}"
    )
    where = f", {escape(source.where)}" if source.where else ""
    return f"{page}{where} ({escape(source.as_of)})"

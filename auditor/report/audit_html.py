"""An audit as one HTML page that needs nothing else: no script, no font, no image from elsewhere.

What a reader decides by comes first: the best row of each accelerator family, then what stands in the way. Every other row is
there as well, folded away.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from auditor.catalog.model import Source
from auditor.report import View, circumstances, heading, policy
from auditor.report.arrange import ADVISED, Group, Reason, advice, folded, groups, names, open_questions, reasons, rented, why
from auditor.report.page import page
from auditor.report.words import NOTHING, between, dollars, three
from auditor.results import Audit, ModelAudit, TargetAudit
from auditor.units import human_bytes

_HEAD = ("target", "devices", "rented as", "$/h", "$/M tokens", "tokens/s", "weeks", "most sequences", "memory per device")
_WORDS = ("target", "rented as")
#: Marks of the table, and what each means.
_MARKS = {"*": "limited availability", "!": "price older than 90 days", "~": "fits with little room"}


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
        yield from _list(escape(line) for line in lines if line)
        yield from _rows(model)
        yield from _why(model)
    yield from _gate(model)
    yield "</section>"


def _rows(model: ModelAudit) -> Iterator[str]:
    today = model.workload.current_stack
    runs = [row for row in model.rows if _runs(row)]
    best = folded(runs, today)
    if best:
        yield from _table(groups(best, today))
        marks = {mark for row in best for mark in _marks(row)}
        if marks:
            yield f'<p class="faint">{"; ".join(f"{mark} {meaning}" for mark, meaning in _MARKS.items() if mark in marks)}</p>'
    if len(best) < len(runs):
        yield f"<details><summary>All {len(runs)} rows, of which the above are the best of each accelerator family</summary>"
        yield from _table(groups(runs, today))
        yield "</details>"
    for group in groups([row for row in model.rows if not _runs(row)], today):
        yield f'<h3 class="{group.key}">{escape(group.title)}</h3>'
        yield from _list(_said_of(group))


def _runs(row: TargetAudit) -> bool:
    """Return whether the row has figures to show: the model runs there, as it is or after some work."""
    return row.verdict in ADVISED and row.availability in {"open", "limited"}


def _said_of(group: Group) -> Iterator[str]:
    """Yield one line for each reason, with every target that it holds for."""
    by_reason: dict[str, list[TargetAudit]] = {}
    for row in group.rows:
        by_reason.setdefault(open_questions(row) if group.key == "unknown" else why(row), []).append(row)
    yield from (f"{escape(names(rows))}: {escape(sentence)}" for sentence, rows in by_reason.items())


def _table(found: Iterable[Group]) -> Iterator[str]:
    head = "".join(f'<th class="{_kind(name)}">{escape(name)}</th>' for name in _HEAD)
    yield f'<table class="cards">\n<thead><tr>{head}</tr></thead>'
    for group in found:
        yield f'<tbody>\n<tr><th colspan="{len(_HEAD)}" class="{group.key}">{escape(group.title)}</th></tr>'
        for row in group.rows:
            yield f"<tr>{''.join(_cell(name, text) for name, text in zip(_HEAD, _cells(row), strict=True))}</tr>"
        yield "</tbody>"
    yield "</table>"


def _kind(column: str) -> str:
    return "target" if column == "target" else "words" if column in _WORDS else "number"


def _cell(column: str, text: str) -> str:
    empty = " none" if text == NOTHING else ""
    return f'<td class="{_kind(column)}{empty}" data-of="{escape(column)}">{escape(text)}</td>'


def _cells(row: TargetAudit) -> tuple[str, ...]:
    place, speed, marks = row.placement, row.throughput, _marks(row)
    count, machine = rented(row)
    return (
        row.target.id + ("*" if "*" in marks else ""),
        f"{place.devices}{'~' if '~' in marks else ''}" if place else NOTHING,
        f"{count} x {machine} ({place.provider})" if place and count else NOTHING,
        dollars(row.cost.usd_per_hour) + ("!" if "!" in marks else ""),
        between(row.cost.usd_per_million_tokens),
        between(speed.output_tokens_per_s) if speed else NOTHING,
        three(row.effort.weeks),
        f"{place.max_concurrency:,}" if place else NOTHING,
        f"{human_bytes(place.memory.total)} of {human_bytes(place.memory.usable)}" if place else NOTHING,
    )


def _marks(row: TargetAudit) -> set[str]:
    borderline = row.placement is not None and row.placement.borderline
    said = (("*", row.availability == "limited"), ("!", row.cost.price_is_stale), ("~", borderline))
    return {mark for mark, holds in said if holds}


def _why(model: ModelAudit) -> Iterator[str]:
    by_rule: dict[str, list[Reason]] = {}
    for reason in reasons([row for row in model.rows if _runs(row)]):
        by_rule.setdefault(reason.finding.rule, []).append(reason)
    if by_rule:
        yield "<h3>Why</h3>\n<ul>"
        for found in by_rule.values():
            yield from _reasons(found)
        yield "</ul>"
    advised = advice(model.rows)
    if advised:
        yield "<h3>Advice</h3>"
        yield from _list(f"{escape(names(reason.rows))}: {escape(reason.finding.remediation)}" for reason in advised)


def _reasons(found: Sequence[Reason]) -> Iterator[str]:
    """Yield what one rule says, in full of the first rows, and what it says of others folded away."""
    first = found[0].finding
    yield (
        f'<li><span class="{first.verdict}">{first.verdict}</span> ({first.confidence} confidence), {escape(names(found[0].rows))}: '
        f'{escape(first.message)}. {escape(first.remediation)}<br><span class="faint">{"; ".join(map(_source, first.sources))}</span>'
    )
    others = found[1:]
    if others:
        rows = [row for reason in others for row in reason.rows]
        yield f"<details><summary>The same of {len(rows)} other {'row' if len(rows) == 1 else 'rows'}: {escape(names(rows))}</summary>"
        yield from _list(f"{escape(names(reason.rows))}: {escape(reason.finding.message)}" for reason in others)
        yield "</details>"
    yield "</li>"


def _gate(model: ModelAudit) -> Iterator[str]:
    if model.regressions is not None:
        yield f"<h3>Worse than before: {len(model.regressions) or 'nothing'}</h3>"
        yield from _list(escape(policy.regression(one)) for one in model.regressions)
    if model.policy:
        yield f"<h3>Policy: {escape(policy.summary(model.policy))}</h3>"
        yield from _list(
            f'<span class="{one.state}">{escape(policy.sentence(one))}</span> {escape(one.remediation)}'
            for one in policy.telling(model.policy)
        )


def _list(items: Iterable[str]) -> Iterator[str]:
    """Yield a list of items that are HTML already; nothing where there are none."""
    lines = [f"<li>{item}</li>" for item in items]
    if lines:
        yield f"<ul>{''.join(lines)}</ul>"


def _source(source: Source) -> str:
    title = escape(source.title)
    page = (
        f'<a href="{escape(source.ref)}" rel="noreferrer">{title}</a>'
        if source.ref.startswith("https://")
        else f"{title}, {escape(source.ref)}"
    )
    where = f", {escape(source.where)}" if source.where else ""
    return f"{page}{where} ({escape(source.as_of)})"

"""The report for a terminal: one screen per model, readable at 80 columns, richer when there is room."""

import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from auditor.dual_stack import dual_stack
from auditor.report import View, circumstances, heading, policy
from auditor.report.arrange import Group, advice, briefly, deciding, folded, groups, names, notes, open_questions, reasons, rented, why
from auditor.report.style import paint
from auditor.report.words import NOTHING, between, dollars, outer, shorten, three
from auditor.results import Audit, ModelAudit, TargetAudit
from auditor.units import human_bytes

_TABULATED = ("native", "config-change", "needs-port", "unknown")
_FINDINGS_ON_A_SCREEN = 5
_BRIEFLY = {"captive": "in their owners' data centres only", "unreleased": "announced, and nobody outside has one"}
_RENTED = "rented as"
#: Columns that are shown even where they say nothing.
_ALWAYS = {"target", "dev", _RENTED, "$/h"}
_LEFT = {"target", _RENTED, "layout"}
_GAP = 2  # columns between two columns, as tabulate's plain format sets them


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    cell: Callable[[TargetAudit], str]
    from_width: int = 0
    """Report width from which the column is shown."""
    to_width: int = 1 << 30


def _target(row: TargetAudit) -> str:
    return row.target.id + ("*" if row.availability == "limited" else "") + ("?" if _doubtful(row) else "")


def _doubtful(row: TargetAudit) -> bool:
    """Return whether the row's verdict rests on nothing firmer than a claim of low confidence."""
    found = deciding(row)
    return bool(found) and all(finding.confidence == "low" for finding in found)


def _devices(row: TargetAudit) -> str:
    if row.placement is None:
        return NOTHING
    return f"{row.placement.devices}{'~' if row.placement.borderline else ''}"


def _rented(row: TargetAudit) -> str:
    count, machine = rented(row)
    return NOTHING if not count else machine if count == 1 else f"{count}x {machine}"


def _rented_from(row: TargetAudit) -> str:
    return f"{row.placement.provider} {_rented(row)}" if row.placement and row.placement.provider else _rented(row)


def _hourly(row: TargetAudit) -> str:
    return dollars(row.cost.usd_per_hour) + ("!" if row.cost.price_is_stale else "")


def _memory(row: TargetAudit) -> str:
    if row.placement is None:
        return NOTHING
    memory = row.placement.memory
    return f"{human_bytes(memory.total)} of {human_bytes(memory.usable)}"


def _layout(row: TargetAudit) -> str:
    place = row.placement
    if place is None:
        return NOTHING
    degrees = (("tp", place.tensor_parallel), ("pp", place.pipeline_parallel), ("ep", place.expert_parallel))
    return " ".join(f"{name}{degree}" for name, degree in degrees if name == "tp" or degree > 1)


def _payback(row: TargetAudit) -> str:
    if row.cost.break_even_months is not None:
        return between(row.cost.break_even_months)
    return "never" if row.cost.break_even_reason == "never" else NOTHING


_COLUMNS = (
    _Column("target", _target),
    _Column("dev", _devices),
    _Column(_RENTED, _rented, to_width=99),
    _Column(_RENTED, _rented_from, 100),
    _Column("$/h", _hourly),
    _Column("$/M tok", lambda row: between(row.cost.usd_per_million_tokens)),
    _Column("tok/s", lambda row: between(row.throughput.output_tokens_per_s) if row.throughput else NOTHING),
    _Column("weeks", lambda row: outer(row.effort.weeks), to_width=99),
    _Column("weeks, L/M/H", lambda row: three(row.effort.weeks), 100),
    _Column("payback, months", _payback, 110),
    _Column("layout", _layout, 120),
    _Column("first token, s", lambda row: between(row.throughput.ttft_s) if row.throughput else NOTHING, 140),
    _Column("max sequences", lambda row: f"{row.placement.max_concurrency:,}" if row.placement else NOTHING, 160),
    _Column("memory per device", _memory, 180),
)


def _with_figures(group: Group, view: View) -> list[TargetAudit]:
    """Return the rows that belong in the table; of what is unknown, on request what could be placed all the same."""
    if group.key not in _TABULATED:
        return []
    return [row for row in group.rows if group.key != "unknown" or (row.placement and view.every_row)]


def render(audit: Audit, view: View) -> str:
    """Return the report as plain text, ``view.width`` columns wide where its words allow."""
    parts = ["\n".join(_model(model, view)) for model in audit.models]
    if together := _together(audit, view):
        parts.append("\n".join(together))
    footer = f"auditor {audit.version}, rules {audit.rules_digest[:12]}, {audit.today}"
    return "\n\n".join([*parts, paint(footer, "faint", color=view.color)]) + "\n"


def _together(audit: Audit, view: View) -> list[str]:
    """Return what moving all models takes, for the targets that take most of them in the fewest weeks."""
    if not audit.plans:
        return []
    best = sorted(audit.plans, key=lambda plan: (-len(plan.order), plan.expected, plan.target))
    lines = [paint("Together, shared work paid once", "strong", color=view.color)]
    for plan in best if view.every_row else best[:_FINDINGS_ON_A_SCREEN]:
        order = ", then ".join(f"{model} {weeks:.1f}" for model, weeks in plan.order)
        lines += _wrapped(f"{plan.target}: {between(plan.weeks)} weeks for {len(plan.order)} models: {order}", view, "  ", "    ")
    return lines


def _model(model: ModelAudit, view: View) -> Iterator[str]:
    yield paint(heading.name(model.inspection), "strong", color=view.color)
    for error in model.inspection.errors:
        yield from _wrapped(f"error: {error}", view, "  ")
    if not model.rows:
        yield from policy.lines(model.policy, view)
        return
    for line in (*heading.lines(model.inspection), circumstances.workload(model), circumstances.assumptions(model)):
        yield from _wrapped(line, view, "  ")
    today = model.workload.current_stack
    shown = model.rows if view.every_row else folded(model.rows, today)
    arranged = groups(shown, today)
    yield ""
    yield from _tables(arranged, view)
    yield from _lists(arranged, view)
    if len(shown) < len(model.rows):
        yield f"{len(model.rows) - len(shown)} more rows, of the same accelerator families, with --all"
    yield from _why(arranged, view)
    yield from _notes(arranged, view)
    yield from _advice(arranged, view)
    if pair := dual_stack(model.rows):
        both = f"{names([pair.primary])} first, {names([pair.fallback])} as the fallback"
        yield from _wrapped(f"On two vendors' stacks: {both}; both serve the model as it is", view, "- ", "  ")
    for part in (policy.lines(model.policy, view), policy.regression_lines(model.regressions, view)):
        if lines := list(part):
            yield ""
            yield from lines


def _tables(arranged: list[Group], view: View) -> Iterator[str]:
    from tabulate import tabulate  # noqa: PLC0415  # 60 ms that JSON need not pay

    shown = [(group, rows) for group in arranged if (rows := _with_figures(group, view))]
    rows = [row for _, some in shown for row in some]
    if not rows:
        return
    columns = [column for column in _COLUMNS if column.from_width <= view.width <= column.to_width]
    # The titles are a row like any other: as headers, tabulate would set each column two wider than it need be.
    cells = [[column.title for column in columns], *([column.cell(row) for column in columns] for row in rows)]
    kept = [i for i, column in enumerate(columns) if column.title in _ALWAYS or any(line[i] != NOTHING for line in cells[1:])]
    columns, cells = [columns[i] for i in kept], [[line[i] for i in kept] for line in cells]
    _fit(cells, view.width)
    align = ["left" if column.title in _LEFT else "right" for column in columns]
    table = tabulate(cells, tablefmt="plain", colalign=align, disable_numparse=True)
    head, *body = (line.rstrip() for line in table.splitlines())
    yield paint(head, "faint", color=view.color)
    for group, some in shown:
        yield paint(group.title, group.key, color=view.color)
        for _ in some:
            yield body.pop(0)
    yield from _legend(rows, view)


def _fit(cells: list[list[str]], width: int) -> None:
    """Shorten the name of the instance, the one cell that may lose its end, until the table fits."""
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    over = sum(widths) + _GAP * (len(widths) - 1) - width
    at = cells[0].index(_RENTED)
    room = max(widths[at] - max(over, 0), len(_RENTED))
    for row in cells:
        row[at] = shorten(row[at], room)


def _legend(rows: list[TargetAudit], view: View) -> Iterator[str]:
    marks = []
    if any(row.availability == "limited" for row in rows):
        marks.append("* limited availability")
    if any(_doubtful(row) for row in rows):
        marks.append("? low confidence")
    if any(row.placement and row.placement.borderline for row in rows):
        marks.append("~ within 5 % of a limit")
    if any(row.cost.price_is_stale for row in rows):
        marks.append("! price older than 90 days")
    yield from textwrap.wrap(", ".join(marks), view.width)


def _lists(arranged: list[Group], view: View) -> Iterator[str]:
    for group in arranged:
        rows = [row for row in group.rows if row not in _with_figures(group, view)]
        if not rows:
            continue
        if len(rows) == len(group.rows):
            yield paint(group.title, group.key, color=view.color)
        else:
            yield paint(f"{group.title}, and not placed", group.key, color=view.color)
        same: dict[str, list[TargetAudit]] = {}
        for row in rows:
            same.setdefault(_sentence(row, group, view), []).append(row)
        for sentence, some in same.items():
            who = ", ".join(dict.fromkeys(row.target.accelerator.id for row in some)) if group.key == "out-of-reach" else names(some)
            yield from _wrapped(f"{who}: {sentence}", view, "  ", "    ")


def _sentence(row: TargetAudit, group: Group, view: View) -> str:
    if group.key == "unknown":
        return open_questions(row, briefly=not view.every_row)
    if view.every_row:
        return why(row)
    return _BRIEFLY[row.availability] if group.key == "out-of-reach" else briefly(row)


def _why(arranged: list[Group], view: View) -> Iterator[str]:
    rows = [row for group in arranged for row in _with_figures(group, view)]
    found = reasons(rows, everything=view.every_finding)
    unsettled: dict[str, list[TargetAudit]] = {}
    for row in rows:
        if question := open_questions(row):
            unsettled.setdefault(question, []).append(row)
    if not found and not unsettled:
        return
    yield ""
    yield paint("Why", "strong", color=view.color)
    most = len(found) if view.every_finding else _FINDINGS_ON_A_SCREEN
    for reason in found[:most]:
        finding = reason.finding
        doubt = "" if finding.confidence == "high" else f" ({finding.confidence} confidence)"
        verdict = paint(finding.verdict, finding.verdict, color=view.color)
        yield from _wrapped(f"{verdict}{doubt}, {names(reason.rows)}: {finding.message}", view, "- ", "  ")
        if finding.remediation:
            yield from _wrapped(finding.remediation, view, "  -> ", "     ")
    if len(found) > most:
        yield f"- {len(found) - most} more with --all"
    for question, some in unsettled.items():
        yield from _wrapped(f"{paint('unknown', 'unknown', color=view.color)}, {names(some)}: {question}", view, "- ", "  ")


def _notes(arranged: list[Group], view: View) -> Iterator[str]:
    if not view.every_row or view.every_finding:
        return  # too many to be read on one screen, or said already
    seen: dict[str, list[TargetAudit]] = {}
    for group in arranged:
        for row in _with_figures(group, view):
            for finding in notes(row):
                seen.setdefault(finding.title or finding.message, []).append(row)
    for title, rows in seen.items():
        yield from _wrapped(f"{paint('note', 'note', color=view.color)}, {names(rows)}: {title}", view, "- ", "  ")


def _advice(arranged: list[Group], view: View) -> Iterator[str]:
    found = advice(row for group in arranged for row in group.rows)
    if not found:
        return
    yield ""
    yield paint("Advice", "strong", color=view.color)
    for reason in found:
        stacks = ", ".join(dict.fromkeys(row.target.stack.id for row in reason.rows))
        yield from _wrapped(f"{stacks}: {reason.finding.remediation}", view, "- ", "  ")


def _wrapped(text: str, view: View, indent: str, hanging: str | None = None) -> Iterator[str]:
    if not text:
        return
    later = hanging if hanging is not None else indent + "  "
    yield from textwrap.wrap(
        text, max(view.width, 40), initial_indent=indent, subsequent_indent=later, break_long_words=False, break_on_hyphens=False
    )

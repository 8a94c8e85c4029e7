"""An audit as Markdown, for a ticket or a pull request: every row, every deciding finding with its sources."""

from collections.abc import Iterator

from auditor.catalog.model import Source
from auditor.report import View, circumstances, heading, policy
from auditor.report.arrange import Reason, groups, names, open_questions, reasons, rented, why
from auditor.report.words import NOTHING, between, dollars, three
from auditor.results import Audit, ModelAudit, TargetAudit

_HEAD = ("target", "verdict", "availability", "devices", "rented as", "$/h", "$/M tokens", "tokens/s", "weeks", "most sequences")
_ALIGN = ("---", "---", "---", "--:", "---", "--:", "--:", "--:", "--:", "--:")


def render(audit: Audit, view: View) -> str:  # noqa: ARG001  # every format has one signature
    """Return the report."""
    lines = ["# Accelerator audit", ""]
    for model in audit.models:
        lines += _model(model)
    lines.append(f"auditor {audit.version}, rules {audit.rules_digest[:12]}, {audit.today}")
    return "\n".join(lines) + "\n"


def _model(model: ModelAudit) -> Iterator[str]:
    yield f"## {escape(heading.name(model.inspection))}"
    yield ""
    for error in model.inspection.errors:
        yield f"- **error:** {escape(error)}"
    if not model.rows:
        yield ""
        yield from _policy(model)
        return
    for line in (*heading.lines(model.inspection), circumstances.workload(model), circumstances.assumptions(model)):
        if line:
            yield f"- {escape(line)}"
    yield ""
    yield f"| {' | '.join(_HEAD)} |"
    yield f"| {' | '.join(_ALIGN)} |"
    for group in groups(model.rows, model.workload.current_stack):
        for row in group.rows:
            yield f"| {' | '.join(escape(cell) for cell in _cells(row))} |"
    yield ""
    yield from _why(model)
    yield from _policy(model)


def _policy(model: ModelAudit) -> Iterator[str]:
    if model.regressions is not None:
        yield f"### Worse than before: {len(model.regressions) or 'nothing'}"
        yield ""
        yield from (f"- {escape(policy.regression(one))}" for one in model.regressions)
        yield ""
    if model.policy:
        yield f"### Policy: {policy.summary(model.policy)}"
        yield ""
        for outcome in policy.telling(model.policy):
            yield f"- {escape(policy.sentence(outcome))}{' ' + escape(outcome.remediation) if outcome.remediation else ''}"
        yield ""


def _cells(row: TargetAudit) -> tuple[str, ...]:
    place, speed = row.placement, row.throughput
    count, machine = rented(row)
    return (
        row.target.id,
        row.verdict,
        row.availability,
        f"{place.devices}{' (borderline)' if place.borderline else ''}" if place else NOTHING,
        f"{count} x {machine}" if count else NOTHING,
        dollars(row.cost.usd_per_hour) + (" (old price)" if row.cost.price_is_stale else ""),
        between(row.cost.usd_per_million_tokens),
        between(speed.output_tokens_per_s) if speed else NOTHING,
        three(row.effort.weeks),
        f"{place.max_concurrency:,}" if place else NOTHING,
    )


def _why(model: ModelAudit) -> Iterator[str]:
    found = reasons(model.rows)
    stuck = [row for row in model.rows if row.placement is None and row.verdict != "unknown" and not any(row in r.rows for r in found)]
    unsettled = [(row, question) for row in model.rows if (question := open_questions(row))]
    if not (found or stuck or unsettled):
        return
    yield "### Why"
    yield ""
    for reason in found:
        yield from _reason(reason)
    for row in stuck:
        yield f"- **{row.verdict}** {escape(row.target.id)}: {escape(why(row))}"
    for row, question in unsettled:
        yield f"- **unknown** {escape(row.target.id)}: {escape(question)}"
    yield ""


def _reason(reason: Reason) -> Iterator[str]:
    finding = reason.finding
    yield (
        f"- **{finding.verdict}** ({finding.confidence} confidence, `{finding.rule}`) "
        f"{escape(names(reason.rows))}: {escape(finding.message)}"
    )
    if finding.remediation:
        yield f"  - {escape(finding.remediation)}"
    for source in finding.sources:
        yield f"  - {source_line(source)}"


def source_line(source: Source) -> str:
    """Return a source as Markdown, linked where it has an address."""
    title = escape(source.title)
    linked = f"[{title}](<{source.ref}>)" if source.ref.startswith("https://") else f"{title} (`{source.ref}`)"
    where = f", {escape(source.where)}" if source.where else ""
    return f"{linked}{where}, {source.as_of}"


def escape(text: str) -> str:
    """Return ``text`` so that it is shown as it is: no markup, no table cell, no line of its own."""
    flat = " ".join(text.split())
    for character in "\\`*_[]<>|":
        flat = flat.replace(character, f"\\{character}")
    return flat

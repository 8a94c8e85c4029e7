"""A section for a model card: where the model runs, for people in a table and for programs in a comment."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from auditor.errors import ReportError
from auditor.report import circumstances, plain
from auditor.report.arrange import ADVISED, folded, group_of, groups, open_questions
from auditor.report.audit_markdown import escape
from auditor.report.words import NOTHING, between, dollars
from auditor.results import Audit, ModelAudit, TargetAudit

BEGIN = "<!-- auditor:begin -->"
END = "<!-- auditor:end -->"
_HEAD = ("accelerator", "stack", "verdict", "devices", "$/h", "$/M tokens", "what it takes")
_ALIGN = ("---", "---", "---", "--:", "--:", "--:", "---")


def section(audit: Audit) -> str:
    """Return the section about the first model of an audit, markers included."""
    model = audit.models[0]
    return "\n".join([BEGIN, *_lines(audit, model), f"<!-- auditor:metadata {_comment(metadata(audit))} -->", END]) + "\n"


def updated(card: str, new: str) -> str:
    """Return a model card with the section between its markers replaced, or added at its end where it has none.

    What stands around it, front matter included, stays as it is to the byte; the section takes over the card's line ends.
    Raises ReportError where the markers do not come as one pair.
    """
    if "\r\n" in card:
        new = new.replace("\n", "\r\n")
    begins, ends = card.count(BEGIN), card.count(END)
    if begins == ends == 0:
        line = "\r\n" if "\r\n" in card else "\n"
        gap = "" if not card or card.endswith(2 * line) else line if card.endswith(line) else 2 * line
        return f"{card}{gap}{new}"
    start, end = card.find(BEGIN), card.find(END)
    if (begins, ends) != (1, 1) or end < start:
        raise ReportError(f"the card has {begins} of {BEGIN} and {ends} of {END}", "leave one pair, in this order")
    return card[:start] + new.rstrip() + card[end + len(END) :]


def metadata(audit: Audit) -> dict[str, Any]:
    """Return what the section says, for programs: schema ``auditor/card/1``."""
    model = audit.models[0]
    return {
        "schema": "auditor/card/1",
        "auditor": audit.version,
        "rules_digest": audit.rules_digest,
        "date": audit.today,
        "model": model.inspection.id,
        "revision": model.inspection.revision,
        "workload": {"context": model.workload.context, "concurrency": model.workload.concurrency},
        "targets": [_target(row) for row in model.rows],
    }


def _target(row: TargetAudit) -> dict[str, Any]:
    each = row.cost.usd_per_million_tokens
    return {
        "accelerator": row.target.accelerator.id,
        "stack": row.target.stack.id,
        "verdict": row.verdict,
        "availability": row.availability,
        "devices": row.placement.devices if row.placement else None,
        "usd_per_million_tokens": plain.number(each.likely) if each else None,
    }


def _comment(document: dict[str, Any]) -> str:
    # Two hyphens would end the comment.
    return json.dumps(document, separators=(",", ":"), sort_keys=True).replace("--", "-\\u002d")


def _lines(audit: Audit, model: ModelAudit) -> Iterator[str]:
    yield "## Accelerator compatibility"
    yield ""
    shown = groups(folded(model.rows, model.workload.current_stack), model.workload.current_stack)
    rows = [row for group in shown for row in group.rows if group_of(row) in ADVISED]
    if rows:
        yield f"| {' | '.join(_HEAD)} |"
        yield f"| {' | '.join(_ALIGN)} |"
        for row in rows:
            yield f"| {' | '.join(escape(cell) for cell in _cells(row))} |"
    else:
        yield "No accelerator that can be had is known to run this model."
    yield ""
    yield from _remarks(model, rows)
    workload = escape(circumstances.workload(model))
    yield f"{workload[0].upper()}{workload[1:]}."
    yield f"Estimates by auditor {audit.version}, rules {audit.rules_digest[:12]}, {audit.today}."
    yield ""


def _remarks(model: ModelAudit, shown: Sequence[TargetAudit]) -> Iterator[str]:
    unknown = [row for row in model.rows if row.verdict == "unknown" and row not in shown and group_of(row) == "unknown"]
    if unknown:
        names = ", ".join(sorted({row.target.accelerator.name for row in unknown}))
        yield f"Cannot be told yet for some stacks on: {escape(names)}."


def _cells(row: TargetAudit) -> tuple[str, ...]:
    return (
        row.target.accelerator.name,
        row.target.stack.name,
        row.verdict,
        str(row.placement.devices) if row.placement else NOTHING,
        dollars(row.cost.usd_per_hour),
        between(row.cost.usd_per_million_tokens),
        _takes(row),
    )


def _takes(row: TargetAudit) -> str:
    if row.verdict == "native":
        return "serves the published files"
    if row.verdict == "unknown":
        return open_questions(row, briefly=True)
    found = next((finding for finding in row.findings if finding.verdict == row.verdict), None)
    return (found.title or found.message) if found else NOTHING

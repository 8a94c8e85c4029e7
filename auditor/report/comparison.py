"""Two models (variants, revisions) side by side on the same targets."""

from collections.abc import Callable

from auditor.facts import Facts, Known
from auditor.report import View, audit_json, heading, plain
from auditor.report.arrange import folded, group_of
from auditor.report.audit_markdown import escape
from auditor.report.words import NOTHING, between, dollars, fact_value, outer
from auditor.results import Audit, TargetAudit

#: Facts worth a line even where both models agree.
_ALWAYS = ("arch.class", "params.total", "params.active", "weights.bytes", "weights.dtype", "quant.method", "kv_cache.bytes_per_token")
_ALSO = (
    "arch.architectures",
    "arch.task",
    "arch.layers",
    "arch.hidden_size",
    "arch.max_context",
    "attention.kind",
    "attention.heads",
    "attention.kv_heads",
    "attention.head_dim",
    "attention.sliding_window",
    "moe.experts",
    "moe.experts_per_token",
    "kv_cache.dtype",
    "state.bytes_per_sequence",
    "repo.custom_code",
    "repo.license",
)
_FIGURES: tuple[tuple[str, Callable[[TargetAudit], str]], ...] = (
    ("verdict", lambda row: row.verdict),
    ("dev", lambda row: str(row.placement.devices) if row.placement else NOTHING),
    ("$/h", lambda row: dollars(row.cost.usd_per_hour)),
    ("$/M tok", lambda row: between(row.cost.usd_per_million_tokens)),
    ("tok/s", lambda row: between(row.throughput.output_tokens_per_s) if row.throughput else NOTHING),
    ("weeks", lambda row: outer(row.effort.weeks)),
)


def table(audit: Audit, view: View) -> str:
    """Return the comparison for a terminal: two lines per target, the first model's above the second's.

    Unless every row is asked for, the targets are those that are the best of a family for either model, and run it.
    """
    from tabulate import tabulate  # noqa: PLC0415  # 60 ms that JSON need not pay

    names = [heading.name(model.inspection) for model in audit.models]
    facts = tabulate(_facts(audit), headers=["", "A", "B"], tablefmt="plain", disable_numparse=True)
    best = (row for model in audit.models for row in folded(model.rows, model.workload.current_stack))
    shown = {row.target.id for row in best if group_of(row) not in ("blocked", "out-of-reach")}
    found = [one for one in _targets(audit) if view.every_row or one[0] in shown]
    cells = [[target if mark == "A" else "", mark, *figures] for target, mark, figures in found]
    head = ["target", "", *(name for name, _ in _FIGURES)]
    align = ["left", "left", "left", *["right"] * (len(_FIGURES) - 1)]
    rows = tabulate([head, *cells], tablefmt="plain", disable_numparse=True, colalign=align) if cells else ""
    lines = [*(f"{mark}  {name}" for mark, name in zip("AB", names, strict=True)), "", *facts.splitlines(), "", *rows.splitlines()]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def markdown(audit: Audit, view: View) -> str:  # noqa: ARG001  # every format has one signature
    """Return the comparison as Markdown."""
    lines = ["| | A | B |", "| --- | --- | --- |"]
    lines.append(f"| model | {' | '.join(escape(heading.name(model.inspection)) for model in audit.models)} |")
    lines += [f"| {' | '.join(escape(cell) for cell in cells)} |" for cells in _facts(audit)]
    lines += [
        "",
        f"| target | model | {' | '.join(name for name, _ in _FIGURES)} |",
        f"| --- | --- | --- |{' --: |' * (len(_FIGURES) - 1)}",
    ]
    lines += [f"| {target} | {mark} | {' | '.join(escape(cell) for cell in figures)} |" for target, mark, figures in _targets(audit)]
    return "\n".join(lines) + "\n"


def as_json(audit: Audit, view: View) -> str:  # noqa: ARG001  # every format has one signature
    """Return both audits as JSON: the document of ``audit -f json`` with two models."""
    return plain.dumps(audit_json.document(audit))


#: Ways to print a comparison.
COMPARISONS: dict[str, Callable[[Audit, View], str]] = {"table": table, "markdown": markdown, "json": as_json}


def _facts(audit: Audit) -> list[list[str]]:
    first, second = (model.inspection.facts for model in audit.models)
    rows = []
    for name in (*_ALWAYS, *_ALSO):
        one, two = _shown(first, name), _shown(second, name)
        if one != two or (name in _ALWAYS and one != NOTHING):
            rows.append([name, one, two])
    return rows


def _shown(facts: Facts, name: str) -> str:
    fact = facts.get(name)
    if fact is None:
        return NOTHING
    return fact_value(name, fact.value) if isinstance(fact, Known) else "unknown"


def _targets(audit: Audit) -> list[tuple[str, str, list[str]]]:
    found = []
    rows = [{row.target.id: row for row in model.rows} for model in audit.models]
    for target in dict.fromkeys(row.target.id for model in audit.models for row in model.rows):
        for mark, by_target in zip("AB", rows, strict=True):
            row = by_target.get(target)
            figures = [figure(row) for _, figure in _FIGURES] if row else ["not read", *[NOTHING] * (len(_FIGURES) - 1)]
            found.append((target, mark, figures))
    return found

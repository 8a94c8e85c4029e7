"""What policies say of models: lines for people, JSON for machines, and the part of an audit's report that is about them."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import auditor
from auditor.inspection.model import Inspection
from auditor.outcomes import PolicyOutcome, Regression
from auditor.report import View, plain
from auditor.report.style import paint


class Judged(Protocol):
    """A model, and what policies say of it."""

    @property
    def inspection(self) -> Inspection:
        """The model."""

    @property
    def policy(self) -> tuple[PolicyOutcome, ...]:
        """What each rule says."""


#: States that a reader has to know of, the worst first, and the colour of each.
_TELLING = {"violated": "blocked", "undecided": "unknown", "excused": "note"}


def telling(outcomes: Iterable[PolicyOutcome]) -> list[PolicyOutcome]:
    """Return what is violated, undecided or excused, errors before warnings."""
    order = list(_TELLING)
    found = [one for one in outcomes if one.state in _TELLING]
    return sorted(found, key=lambda one: (order.index(one.state), one.level, one.policy, one.rule))


def sentence(outcome: PolicyOutcome) -> str:
    """Return one line on one rule: ``violated (warning): two-vendors: chips of 1 vendor …``."""
    level = f" ({outcome.level})" if outcome.level != "error" else ""
    where = f" [{', '.join(outcome.targets)}]" if outcome.targets else ""
    text = f"{outcome.rule}{where}: {outcome.message}"
    if outcome.state == "undecided":
        text = f"{outcome.rule}{where}: settled by {', '.join(outcome.settled_by) or 'more evidence'}"
    if outcome.waiver:
        text += f" (excused until {outcome.waiver.until}: {outcome.waiver.reason})"
    return f"{outcome.state}{level}: {text}"


def lines(outcomes: Sequence[PolicyOutcome], view: View) -> Iterator[str]:
    """Yield the part about policies of a model's report for a terminal; nothing where none was asked for."""
    if not outcomes:
        return
    yield f"Policy: {summary(outcomes)}"
    for one in telling(outcomes):
        text = textwrap.fill(sentence(one), view.width, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)
        yield text.replace(one.state, paint(one.state, _TELLING[one.state], color=view.color), 1)
        if one.remediation and one.state == "violated":
            yield textwrap.fill(one.remediation, view.width, initial_indent="  -> ", subsequent_indent="     ")


def regression(one: Regression) -> str:
    """Return one line on what became worse: ``was native on Trainium2, now config-change: quant_method became gptq``."""
    told = {
        "verdict": f"was {one.before} on {one.called}, now {one.now}",
        "devices": f"needed {one.before} of {one.called}, now {one.now}",
        "policy": f"{one.called} was {one.before}, now {one.now}",
    }[one.kind]
    return f"{told}: {one.cause}" if one.cause else told


def regression_lines(found: Sequence[Regression] | None, view: View) -> Iterator[str]:
    """Yield the part about regressions of a model's report for a terminal; nothing where nothing was compared."""
    if found is None:
        return
    yield f"Worse than before: {len(found) or 'nothing'}"
    for one in found:
        yield textwrap.fill(regression(one), view.width, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)


def summary(outcomes: Iterable[PolicyOutcome]) -> str:
    """Return how many rules are in which state."""
    counts: dict[str, int] = {}
    for one in outcomes:
        counts[one.state] = counts.get(one.state, 0) + 1
    return ", ".join(
        f"{counts[state]} {state}" for state in ("met", "violated", "undecided", "excused", "not-applicable") if state in counts
    )


def render(models: Sequence[Judged], view: View) -> str:
    """Return the report of a check for a terminal."""
    blocks = []
    for model in models:
        block = [paint(model.inspection.id, "strong", color=view.color)]
        block += [f"error: {error}" for error in model.inspection.errors]
        block += lines(model.policy, view)
        blocks.append("\n".join(block))
    return "\n\n".join(blocks) + "\n"


def render_json(models: Sequence[Judged], view: View) -> str:  # noqa: ARG001  # every format has one signature
    """Return the report of a check as JSON: schema ``auditor/policy-check/1``."""
    entries = [
        {
            "id": model.inspection.id,
            "revision": model.inspection.revision,
            "errors": list(model.inspection.errors),
            "policy": [policy_outcome(one) for one in model.policy],
        }
        for model in models
    ]
    return plain.dumps({"schema": "auditor/policy-check/1", "auditor": auditor.__version__, "models": entries})


def policy_outcome(outcome: PolicyOutcome) -> dict[str, Any]:
    """Return what one rule of a policy says of the model."""
    return {
        "policy": outcome.policy,
        "rule": outcome.rule,
        "title": outcome.title,
        "level": outcome.level,
        "state": outcome.state,
        "message": outcome.message,
        "remediation": outcome.remediation,
        "evidence": {name: plain.value(value) for name, value in sorted(outcome.evidence.items())},
        "targets": list(outcome.targets),
        "settled_by": list(outcome.settled_by),
        "exception": plain.waiver(outcome.waiver),
    }


#: Formats of a check.
CHECKS = {"table": render, "json": render_json}

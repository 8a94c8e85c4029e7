"""The rules: a list, and one rule as it stands in its file, with its tests."""

import textwrap
from collections.abc import Sequence

from auditor.catalog.model import AppliesTo, Rule
from auditor.report import View, plain
from auditor.report.words import shorten
from auditor.rules.testing import Case, Outcome

_WIDE = 120


def list_json(rules: Sequence[Rule]) -> str:
    """Return the list as JSON, in the order of evaluation."""
    return plain.dumps([_summary(rule) for rule in rules])


def list_table(rules: Sequence[Rule], view: View) -> str:
    """Return one line per rule."""
    from tabulate import tabulate  # noqa: PLC0415  # 60 ms that JSON need not pay

    rows = [["rule", "verdict", "title", "confidence"]]
    rows += [[rule.id, rule.verdict, rule.title, rule.confidence] for rule in rules]
    if view.width < _WIDE:
        rows = [row[:-1] for row in rows]
    table = tabulate(rows, tablefmt="plain", disable_numparse=True)
    return "\n".join(shorten(line.rstrip(), view.width) for line in table.splitlines()) + "\n"


def rule_json(rule: Rule, cases: Sequence[Case]) -> str:
    """Return one rule as JSON."""
    return plain.dumps(
        {
            **_summary(rule),
            "reads": list(dict.fromkeys((*rule.when.reads(), *rule.message.reads()))),
            "work": list(rule.work),
            "applies_to": [_applies_to(part) for part in rule.applies_to],
            "sources": plain.sources(rule.sources),
            "tests": [{"place": case.place, "model": case.model, "on": case.on, "expect": case.expect} for case in cases],
        }
    )


def rule_table(rule: Rule, text: str, cases: Sequence[Case], view: View) -> str:
    """Return one rule: ``text`` as it stands in its file, what it is about, its sources, its tests."""
    lines = [f"{rule.id}: {rule.title}", f"{rule.file}:{rule.line}", ""]
    lines += textwrap.dedent(text).rstrip().splitlines()
    lines.append("")
    scope = "; ".join(shown for part in rule.applies_to if (shown := _scope(part)))
    lines.append(f"about: {scope or 'every target'}")
    lines.append(f"reads: {', '.join(dict.fromkeys((*rule.when.reads(), *rule.message.reads())))}")
    lines.append("")
    for source in rule.sources:
        where = f", {source.where}" if source.where else ""
        lines += textwrap.wrap(
            f"source: {source.title}{where} ({source.as_of}): {source.ref}",
            view.width,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    for case in cases:
        looked_at = " on ".join(name for name in (case.model, case.on) if name) or "given facts"
        because = f" ({case.because})" if case.because else ""
        lines += textwrap.wrap(f"test: {case.expect} for {looked_at}{because}, {case.place}", view.width, subsequent_indent="  ")
    return "\n".join(lines) + "\n"


def outcomes_json(outcomes: Sequence[Outcome]) -> str:
    """Return how the tests of rules came out, as JSON."""
    return plain.dumps(
        [
            {
                "place": one.case.place,
                "rule": one.case.rule,
                "verdict": one.case.verdict,
                "model": one.case.model,
                "on": one.case.on,
                "passed": one.passed,
                "reason": one.reason,
            }
            for one in outcomes
        ]
    )


def outcomes_table(outcomes: Sequence[Outcome]) -> str:
    """Return the failures, each in a line, and the count."""
    failed = [one for one in outcomes if not one.passed]
    lines = [f"{one.case.place}: {one.case.name}: {one.reason}" for one in failed]
    lines.append(f"{len(outcomes) - len(failed)} of {len(outcomes)} cases passed")
    return "\n".join(lines) + "\n"


def _summary(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.id,
        "title": rule.title,
        "verdict": rule.verdict,
        "confidence": rule.confidence,
        "file": rule.file,
        "line": rule.line,
        "shipped": rule.shipped,
    }


def _applies_to(part: AppliesTo) -> dict[str, list[str]]:
    fields = {
        "stack": part.stack,
        "stack_family": part.stack_family,
        "accelerator": part.accelerator,
        "family": part.family,
        "vendor": part.vendor,
        "availability": part.availability,
    }
    return {name: list(values) for name, values in fields.items() if values}


def _scope(part: AppliesTo) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {' or '.join(values)}" for name, values in _applies_to(part).items())

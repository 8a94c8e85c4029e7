"""Write docs/rules.md: every rule with its condition, its tests and its sources.

    python -m tools.make_docs_rules [--check]

With --check nothing is written; the exit code says whether the file is current.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path

from auditor.catalog import load_catalog
from auditor.catalog.model import Rule
from auditor.rules.testing import Case, load_cases
from tools.page import Citations, write

TARGET = Path(__file__).resolve().parent.parent / "docs" / "rules.md"

INTRODUCTION = """\
<!-- Written by tools/make_docs_rules.py from rules/. Do not edit. -->
# Rules

Every rule that is shipped. A rule reads facts (docs/facts.md), fires or stays quiet, and is *undecided* where a fact that it needs is not
known. Verdicts: `native` is positive evidence, `note` says something and changes nothing, `unknown` says that it cannot be told and how bad
it may turn out. `auditor rules show ID` prints one with its tests; `auditor rules test` runs them all.
"""


def main() -> int:
    """Write the page, or say whether it is current."""
    return write(TARGET, render(), "make_docs_rules")


def render() -> str:
    """Return the whole page."""
    rules = load_catalog().rules
    cases = load_cases()
    cited = Citations()
    by_file: dict[str, list[Rule]] = {}
    for rule in rules:
        by_file.setdefault(rule.file, []).append(rule)
    parts = [INTRODUCTION, *_overview(rules)]
    for file, its_rules in by_file.items():
        parts += ["", f"## {_folder(file)}", ""]
        for rule in its_rules:
            parts += [*_entry(rule, [case for case in cases if case.rule == rule.id], cited)]
    return "\n".join([*parts, "", *cited.list()]) + "\n"


def _folder(file: str) -> str:
    return file.removeprefix("rules/").removesuffix(".yaml")


def _overview(rules: Sequence[Rule]) -> Iterator[str]:
    verdicts = Counter(rule.verdict for rule in rules)
    yield f"{len(rules)} rules: {', '.join(f'{count} {verdict}' for verdict, count in verdicts.most_common())}."
    yield ""
    yield "| rule | says | verdict | confidence | work |"
    yield "| --- | --- | --- | --- | --- |"
    for rule in rules:
        yield f"| [{rule.id}](#{rule.id}) | {rule.title} | {_verdict(rule)} | {rule.confidence} | {', '.join(rule.work)} |"


def _verdict(rule: Rule) -> str:
    return f"{rule.verdict}, at worst {rule.at_worst}" if rule.at_worst else rule.verdict


def _entry(rule: Rule, cases: Iterable[Case], cited: Citations) -> Iterator[str]:
    yield f"### {rule.id}"
    yield ""
    yield f"{rule.title}. **{_verdict(rule)}**, confidence {rule.confidence}{_scope(rule)}. {cited(rule.sources)}"
    yield ""
    yield f"- Reads: {', '.join(f'`{name}`' for name in rule.when.reads()) or 'nothing'}"
    yield f"- Says: {rule.message.text}"
    yield f"- Do: {rule.remediation.text}"
    if rule.work:
        yield f"- Work: {', '.join(f'`{item}`' for item in rule.work)}"
    told = Counter(case.expect for case in cases)
    yield f"- Tested: {', '.join(f'{count} {expect}' for expect, count in told.items())}"
    yield ""


def _scope(rule: Rule) -> str:
    parts = [
        f"{spec.name.replace('_', ' ')} {', '.join(values)}"
        for scope in rule.applies_to
        for spec in fields(scope)
        if (values := getattr(scope, spec.name))
    ]
    return f", for {'; '.join(parts)}" if parts else ""


if __name__ == "__main__":
    sys.exit(main())

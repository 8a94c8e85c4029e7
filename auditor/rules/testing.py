"""Tests of rules: cases that stand beside the rules in ``*.test.yaml``, and what they miss.

A case is about one rule (it fires, stays quiet, or cannot be decided) or about the whole verdict of a model on a target.
Cases that name a model go through ``look``, which the caller supplies, since sizing and auditing come after rules.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor._shipped import RULES
from auditor.catalog.catalog import Catalog
from auditor.catalog.condition import FactTable
from auditor.catalog.document import Document
from auditor.catalog.model import Rule, Target
from auditor.catalog.strict_yaml import parse
from auditor.catalog.support import stack_facts
from auditor.catalog.validate import check
from auditor.catalog.vocabulary import did_you_mean
from auditor.errors import AuditorError, CatalogError
from auditor.facts import CATALOGUE, Basis, Facts, Known, Unknown
from auditor.workload import Workload

_NOT_GIVEN = Unknown("the test does not give it")
_TARGET_PREFIXES = ("accelerator.", "stack.")


@dataclass(frozen=True, slots=True)
class Look:
    """What an audit says of a fixture on a target: all facts, those of workload, target and fit included."""

    facts: Facts
    verdict: str


#: Audits a fixture by its id. Raises AuditorError where there is no such fixture.
Looker = Callable[[str, Target, Workload], Look]


@dataclass(frozen=True, slots=True)
class Case:
    """One case, as read."""

    place: str
    """``file:line:column``."""
    rule: str | None
    verdict: str | None
    """Expected verdict of the whole audit, for a case that is not about one rule."""
    model: str | None
    on: str | None
    workload: Mapping[str, Any]
    facts: Mapping[str, Any]
    absent: tuple[str, ...]
    expect: str
    message: str
    because: str

    @property
    def name(self) -> str:
        """Return what a list of cases calls it."""
        about = self.rule or f"verdict {self.verdict}"
        where = " on ".join(part for part in (self.model or "facts", self.on) if part)
        return f"{about}: {self.expect or self.verdict} for {where}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a case came out; ``reason`` says why it failed."""

    case: Case
    passed: bool
    reason: str = ""


def load_cases(roots: Sequence[Path] = (RULES,)) -> tuple[Case, ...]:
    """Return every case of the ``*.test.yaml`` files under ``roots``. Raises CatalogError at ``file:line:column``."""
    return tuple(case for root in roots for path in _test_files(root) for case in _cases(path, root))


def _test_files(root: Path) -> list[Path]:
    return sorted((*root.rglob("*.test.yaml"), *root.rglob("*.test.yml"))) if root.is_dir() else []


def _cases(path: Path, root: Path) -> Iterable[Case]:
    label = f"rules/{path.relative_to(root).as_posix()}" if root == RULES else str(path)
    document = parse(path.read_bytes(), label)
    check(document, "rule-tests")
    for index, raw in enumerate(document.value["cases"]):
        yield _case(document, index, raw)


def _case(document: Document, index: int, raw: Mapping[str, Any]) -> Case:
    return Case(
        place=document.where(("cases", index)),
        rule=raw.get("rule"),
        verdict=raw.get("verdict"),
        model=raw.get("model"),
        on=raw.get("on"),
        workload=raw.get("workload", {}),
        facts=raw.get("facts", {}),
        absent=tuple(raw.get("absent", ())),
        expect=raw.get("expect", ""),
        message=raw.get("message", ""),
        because=raw.get("because", ""),
    )


def run_cases(cases: Iterable[Case], catalog: Catalog, look: Looker) -> list[Outcome]:
    """Run every case. A case that cannot be run has failed: a test that does not test is no test."""
    rules = {rule.id: rule for rule in catalog.rules}
    outcomes = []
    for case in cases:
        try:
            reason = _run(case, catalog, rules, look)
        except AuditorError as error:
            reason = str(error)
        outcomes.append(Outcome(case, not reason, reason))
    return outcomes


def _run(case: Case, catalog: Catalog, rules: Mapping[str, Rule], look: Looker) -> str:
    """Return why the case fails; an empty string when it passes."""
    if case.rule is None:
        return _run_verdict(case, catalog, look)
    rule = rules.get(case.rule)
    if rule is None:
        raise CatalogError(f"{case.place}: no rule is called '{case.rule}'", did_you_mean(case.rule, rules))
    target = _target(case, catalog, rule)
    if target is not None and not rule.covers(target):
        return "" if case.expect == "quiet" else f"the rule is not about {target.id}, expected {case.expect}"
    facts = _facts(case, target, look)
    truth = rule.when(facts)
    came_out = "unknown" if truth is None else "fires" if truth else "quiet"
    if came_out != case.expect:
        return f"{came_out}, expected {case.expect}; it read {_read(rule, facts)}"
    said = rule.message.fill(facts)
    return "" if case.message in said else f"the message is {said!r}, without {case.message!r}"


def _run_verdict(case: Case, catalog: Catalog, look: Looker) -> str:
    target = _target(case, catalog, None)
    if target is None or case.model is None:
        raise CatalogError(f"{case.place}: a verdict needs model: and on:")
    came_out = look(case.model, target, Workload(**case.workload)).verdict
    return "" if came_out == case.verdict else f"{came_out}, expected {case.verdict}"


def _target(case: Case, catalog: Catalog, rule: Rule | None) -> Target | None:
    """Return the target of ``on:``; without it, the first that the rule is about, for a case with a model."""
    if case.on is not None:
        targets = catalog.find_targets([case.on])
        return next((target for target in targets if rule is None or rule.covers(target)), targets[0])
    if case.model is None or rule is None:
        return None
    target = next((target for target in catalog.targets if rule.covers(target)), None)
    if target is None:
        raise CatalogError(f"{case.place}: rule '{rule.id}' is about no target", "see its applies_to")
    return target


def _facts(case: Case, target: Target | None, look: Looker) -> FactTable:
    given = {name: _fact(value) for name, value in case.facts.items()}
    if case.model is not None and target is not None:
        table: dict[str, Known | Unknown] = {**look(case.model, target, Workload(**case.workload)).facts, **given}
    else:
        table = dict.fromkeys(CATALOGUE, _NOT_GIVEN)
        given |= {f"workload.{name}": _fact(value) for name, value in case.workload.items() if f"workload.{name}" in CATALOGUE}
        if target is not None:
            known = Facts({**table, **given})
            table = {name: fact for name, fact in table.items() if not name.startswith(_TARGET_PREFIXES)}
            table |= stack_facts(target, known)
        table |= given
    return {name: fact for name, fact in table.items() if name not in case.absent}


def _fact(value: Any) -> Known | Unknown:
    if value is None:
        return _NOT_GIVEN
    return Known(tuple(value) if isinstance(value, list) else value, Basis.USER)


def _read(rule: Rule, facts: FactTable) -> str:
    def shown(name: str) -> str:
        fact = facts.get(name)
        return "does not apply" if fact is None else "unknown" if isinstance(fact, Unknown) else repr(fact.value)

    return ", ".join(f"{name} {shown(name)}" for name in rule.when.reads()) or "no fact"


def untested(rules: Iterable[Rule], cases: Iterable[Case]) -> list[str]:
    """Return a sentence for every rule that lacks a firing case, a quiet case, or a case with a real model."""
    seen: dict[str, set[str]] = {}
    for case in cases:
        if case.rule is not None:
            seen.setdefault(case.rule, set()).update({case.expect, "model"} if case.model else {case.expect})
    wanted = {"fires": "a case that fires", "quiet": "a case that stays quiet", "model": "a case with a model of fixtures/"}
    return [
        f"{rule.file}:{rule.line}: rule '{rule.id}' has no {', no '.join(missing).replace('no a ', 'no ')}"
        for rule in rules
        if (missing := [text.removeprefix("a ") for key, text in wanted.items() if key not in seen.get(rule.id, set())])
    ]

"""Rules times facts: what fired, with its evidence, and what could not be decided, with what would decide it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from auditor.catalog.condition import FactTable
from auditor.catalog.model import Rule, Target
from auditor.facts import Facts, Known, Value
from auditor.rules.model import Finding, Undecided


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the rules say of one model on one target."""

    findings: tuple[Finding, ...]
    undecided: tuple[Undecided, ...]


def evaluate(rules: Iterable[Rule], facts: Facts, target: Target) -> Evaluation:
    """Return what every rule about ``target`` says of ``facts``, in the order of the rules."""
    findings: list[Finding] = []
    undecided: list[Undecided] = []
    table = dict(facts)  # asked a hundred times per target
    for rule in rules:
        if not rule.covers(target):
            continue
        truth = rule.when(table)
        if truth is None:
            undecided.append(Undecided(rule.id, rule.at_worst or rule.verdict, rule.when.unsettled(table)))
        elif truth:
            findings.append(finding(rule, table))
            if rule.at_worst:
                undecided.append(Undecided(rule.id, rule.at_worst, rule.settled_by or rule.when.reads()))
    return Evaluation(tuple(findings), tuple(undecided))


def finding(rule: Rule, facts: FactTable) -> Finding:
    """Return what a rule that fired says, with the facts that its condition and its message read."""
    return Finding(
        rule=rule.id,
        verdict=rule.verdict,
        confidence=rule.confidence,
        message=rule.message.fill(facts),
        evidence=_evidence(rule, facts),
        remediation=rule.remediation.fill(facts),
        work=rule.work,
        sources=rule.sources,
        title=rule.title,
    )


def _evidence(rule: Rule, facts: FactTable) -> Mapping[str, Value | None]:
    """Return the facts read, None where unknown; those that do not apply are left out."""
    names = dict.fromkeys((*rule.when.reads(), *rule.message.reads()))
    return {name: fact.value if isinstance(fact, Known) else None for name in names if (fact := facts.get(name)) is not None}

"""Rules times facts: what fired, with its evidence, and what could not be decided, with what would decide it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from auditor.catalog.condition import FactTable
from auditor.catalog.model import ArchitectureSupport, FormatSupport, Rule, Source, Target
from auditor.catalog.support import architecture_support, format_support
from auditor.facts import Facts, Known, Unknown, Value
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
            findings.append(_with_support(finding(rule, table), rule, facts, target))
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


def _with_support(found: Finding, rule: Rule, facts: Facts, target: Target) -> Finding:
    """Return the finding with the sources of the support-list rows that its condition read put first."""
    reads, cited = rule.when.reads(), list[Source]()
    if "stack.architecture_status" in reads:
        cited += _row_sources(architecture_support(target.stack, target.accelerator, facts))
    if "stack.format_status" in reads:
        cited += _row_sources(format_support(target.stack, target.accelerator, facts))
    return replace(found, sources=tuple(dict.fromkeys((*cited, *found.sources)))) if cited else found


def _row_sources(row: ArchitectureSupport | FormatSupport | Unknown) -> tuple[Source, ...]:
    return () if isinstance(row, Unknown) else row.sources


def _evidence(rule: Rule, facts: FactTable) -> Mapping[str, Value | None]:
    """Return the facts read, None where unknown; those that do not apply are left out."""
    names = dict.fromkeys((*rule.when.reads(), *rule.message.reads()))
    return {name: fact.value if isinstance(fact, Known) else None for name in names if (fact := facts.get(name)) is not None}

"""Rules times facts: what fired, with its evidence, and what could not be decided, with what would decide it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from auditor.catalog.condition import FactTable
from auditor.catalog.model import Accelerator, ArchitectureSupport, FormatSupport, Rule, Source, Stack, Target
from auditor.catalog.support import architecture_support, format_support
from auditor.facts import Facts, Known, Unknown, Value
from auditor.rules.model import Finding, Undecided

#: The facts that are the word of a support list, and who looks up its row.
_LISTS: Mapping[str, Callable[[Stack, Accelerator, Facts], ArchitectureSupport | FormatSupport | Unknown]] = {
    "stack.architecture_status": architecture_support,
    "stack.format_status": format_support,
}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the rules say of one model on one target."""

    findings: tuple[Finding, ...]
    undecided: tuple[Undecided, ...]


def evaluate(rules: Iterable[Rule], facts: Facts, target: Target) -> Evaluation:
    """Return what every rule about ``target`` says of ``facts``, in the order of the rules."""
    findings: list[Finding] = []
    undecided: list[Undecided] = []
    rows = _RowSources(facts, target)
    table = dict(facts)  # asked a hundred times per target
    for rule in rules:
        if not rule.covers(target):
            continue
        truth = rule.when(table)
        if truth is None:
            undecided.append(Undecided(rule.id, rule.at_worst or rule.verdict, rule.when.unsettled(table)))
        elif truth:
            findings.append(rows.before(finding(rule, table), rule))
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


class _RowSources:
    """The sources of the support-list rows about one model on one target, looked up at most once each."""

    def __init__(self, facts: Facts, target: Target) -> None:
        self._facts, self._target = facts, target
        self._found: dict[str, tuple[Source, ...]] = {}

    def before(self, found: Finding, rule: Rule) -> Finding:
        """Return the finding with the sources of the rows that its rule's condition read put first."""
        reads = rule.when.reads()
        cited = [source for name in _LISTS if name in reads for source in self._of(name)]
        return replace(found, sources=tuple(dict.fromkeys((*cited, *found.sources)))) if cited else found

    def _of(self, name: str) -> tuple[Source, ...]:
        if name not in self._found:
            row = _LISTS[name](self._target.stack, self._target.accelerator, self._facts)
            self._found[name] = () if isinstance(row, Unknown) else row.sources
        return self._found[name]


def _evidence(rule: Rule, facts: FactTable) -> Mapping[str, Value | None]:
    """Return the facts read, None where unknown; those that do not apply are left out."""
    names = dict.fromkeys((*rule.when.reads(), *rule.message.reads()))
    return {name: fact.value if isinstance(fact, Known) else None for name in names if (fact := facts.get(name)) is not None}

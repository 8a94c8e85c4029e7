"""One rule and what it is judged by: a model, or rows of it. Three-valued, with the evidence."""

from collections.abc import Sequence
from dataclasses import dataclass

from auditor.catalog.condition import Condition, Truth
from auditor.facts import Facts, Known, Unknown, Value
from auditor.outcomes import PolicyOutcome
from auditor.policy.model import Policy, PolicyRule
from auditor.waivers import Waiver, waived

MET, VIOLATED, UNDECIDED, EXCUSED, NOT_APPLICABLE = "met", "violated", "undecided", "excused", "not-applicable"


@dataclass(frozen=True, slots=True)
class Case:
    """What a rule is judged by once: a model, or one row of it."""

    facts: Facts
    target: str = ""


def outcome(policy: Policy, rule: PolicyRule, cases: Sequence[Case], name: str, today: str) -> PolicyOutcome:
    """Return what a rule says of the model ``name``, judged by each of ``cases``; none of them means that it does not apply."""
    truths = [(case, _truth(rule, case.facts)) for case in cases]
    applying = [(case, truth) for case, truth in truths if truth != NOT_APPLICABLE]
    state = _combined([truth for _, truth in applying], rule.rows)
    waiver: Waiver | None = None
    if state in (VIOLATED, UNDECIDED) and (waiver := waived(policy.exceptions, rule.id, today, name)) is not None:
        state = EXCUSED
    if state in (MET, NOT_APPLICABLE):
        return PolicyOutcome(policy.name, rule.id, rule.title, rule.level, state, where=rule.where)
    deciding = [case for case, truth in applying if truth == VIOLATED] or [case for case, _ in applying]
    facts = deciding[0].facts
    return PolicyOutcome(
        policy=policy.name,
        rule=rule.id,
        title=rule.title,
        level=rule.level,
        state=state,
        message=rule.message.fill(facts) if rule.message else _plain(rule, facts),
        remediation=rule.remediation.fill(facts) if rule.remediation else "",
        evidence=_evidence(rule, facts),
        targets=tuple(case.target for case in deciding if case.target),
        settled_by=tuple(dict.fromkeys(one for case in deciding for one in _settled_by(rule, case.facts))),
        waiver=waiver,
        where=rule.where,
    )


def _truth(rule: PolicyRule, facts: Facts) -> str:
    applies: Truth = rule.when(facts) if rule.when else True
    if applies is False:
        return NOT_APPLICABLE
    met = rule.require(facts)
    if met:
        return MET
    return VIOLATED if met is False and applies else UNDECIDED


def _combined(states: Sequence[str], rows: str) -> str:
    """Return the state of a rule from those of its rows: one bad row decides, or one good row where ``any`` will do."""
    if not states:
        return NOT_APPLICABLE
    order = (VIOLATED, UNDECIDED, MET) if rows == "every" else (MET, UNDECIDED, VIOLATED)
    return next(state for state in order if state in states)


def _settled_by(rule: PolicyRule, facts: Facts) -> tuple[str, ...]:
    return tuple(name for part in _parts(rule) for name in part.unsettled(facts))


def _parts(rule: PolicyRule) -> tuple[Condition, ...]:
    return (rule.when, rule.require) if rule.when else (rule.require,)


def _evidence(rule: PolicyRule, facts: Facts) -> dict[str, Value | None]:
    names = dict.fromkeys(name for part in _parts(rule) for name in part.reads())
    return {name: fact.value if isinstance(fact, Known) else None for name in names if (fact := facts.get(name)) is not None}


def _plain(rule: PolicyRule, facts: Facts) -> str:
    """Return what is so, for a rule without a message: the facts that its demand reads."""

    def shown(name: str) -> str:
        fact = facts.get(name)
        return "does not apply" if fact is None else "unknown" if isinstance(fact, Unknown) else str(fact.value)

    return "; ".join(f"{name}: {shown(name)}" for name in rule.require.reads())

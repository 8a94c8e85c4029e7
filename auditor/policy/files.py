"""Policies over what a model's files say alone: no catalogue is read, no row is audited."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from auditor.catalog.strict_yaml import parse
from auditor.facts import Facts
from auditor.inspection.model import Inspection
from auditor.outcomes import PolicyOutcome
from auditor.policy.judge import Case, outcome
from auditor.policy.model import Policy, Scope
from auditor.policy.read import build_policy
from auditor.waivers import Waiver, waived

DEFAULT = Path(__file__).with_name("default.yaml")


@dataclass(frozen=True, slots=True)
class Judged:
    """A model, and what policies say of its files."""

    inspection: Inspection
    policy: tuple[PolicyOutcome, ...]


def default_policy() -> Policy:
    """Return the policy that holds where a project has none of its own."""
    # Ours, and tested: the validator of schemas takes longer to import than a hook has time.
    return build_policy(parse(DEFAULT.read_bytes(), DEFAULT.name))


def judge_files(policy: Policy, facts: Facts, name: str, today: str) -> tuple[PolicyOutcome, ...]:
    """Return what the rules say that need no more than the model's files; the others are left out."""
    return tuple(outcome(policy, rule, [Case(facts)], name, today) for rule in policy.rules if rule.scope is Scope.FILES)


def of_files(
    inspection: Inspection, policies: Sequence[Policy], ignores: Sequence[Waiver] = (), *, today: str
) -> tuple[PolicyOutcome, ...]:
    """Return what the rules say that need no more than the model's files; nothing of a model that could not be read."""
    if not inspection.facts:
        return ()
    found = [one for policy in policies for one in judge_files(policy, inspection.facts, inspection.id, today)]
    return excused(found, ignores, inspection.id, today)


def excused(found: Sequence[PolicyOutcome], ignores: Sequence[Waiver], model: str, today: str) -> tuple[PolicyOutcome, ...]:
    """Return the outcomes with those excused that the settings ignore."""

    def marked(one: PolicyOutcome) -> PolicyOutcome:
        waiver = waived(ignores, one.rule, today, model) if one.state in {"violated", "undecided"} else None
        return replace(one, state="excused", waiver=waiver) if waiver else one

    return tuple(marked(one) for one in found)

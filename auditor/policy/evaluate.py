"""A policy and an audited model: what each rule says of the whole, or of the rows that it names."""

from collections.abc import Iterable, Sequence

from auditor.catalog import Catalog, Target
from auditor.facts import Facts
from auditor.outcomes import PolicyOutcome
from auditor.policy.facts import audit_facts, row_facts
from auditor.policy.judge import Case, outcome
from auditor.policy.model import Policy, PolicyRule, Scope
from auditor.results import ModelAudit, TargetAudit
from auditor.waivers import Waiver


def judge(policy: Policy, model: ModelAudit, catalog: Catalog, today: str) -> tuple[PolicyOutcome, ...]:
    """Return what every rule says of an audited model. ``model`` has a row for each of ``policy.targets``.

    Raises WorkloadError where the policy names a target that does not exist.
    """
    own = {target.id for target in catalog.find_targets(policy.on)}
    base = model.rows[0].facts if model.rows else model.inspection.facts
    whole = base.merged(audit_facts([row for row in model.rows if row.target.id in own]))
    outcomes = []
    for rule in policy.rules:
        cases = _of_rows(rule, model.rows, whole, catalog.find_targets(rule.on)) if rule.scope is Scope.ROWS else [Case(whole)]
        outcomes.append(outcome(policy, rule, cases, model.inspection.id, today))
    return tuple(outcomes)


def _of_rows(rule: PolicyRule, rows: Sequence[TargetAudit], whole: Facts, targets: Iterable[Target]) -> list[Case]:
    wanted = {target.id for target in targets}
    cases = [Case(whole.merged(row_facts(row)), row.target.id) for row in rows if row.target.id in wanted]
    return [case for case in cases if rule.when is None or rule.when(case.facts) is not False]


def expired(policies: Iterable[Policy], today: str) -> tuple[Waiver, ...]:
    """Return the exceptions whose last day has passed: they excuse nothing, and somebody has to look at them."""
    return tuple(one for policy in policies for one in policy.exceptions if one.expired(today))

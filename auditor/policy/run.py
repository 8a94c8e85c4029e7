"""Policies over a model: each is judged at its own targets and workload, whatever the report beside it is about."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from auditor.auditing import AuditOptions, audit_model
from auditor.catalog import Catalog
from auditor.errors import ConfigError
from auditor.inspection.model import Inspection
from auditor.outcomes import PolicyOutcome
from auditor.policy.evaluate import expired, judge
from auditor.policy.files import excused, judge_files
from auditor.policy.model import Policy, Scope
from auditor.policy.read import read_policy
from auditor.waivers import Waiver
from auditor.workload import Workload


def read_policies(paths: Iterable[Path], today: str) -> tuple[Policy, ...]:
    """Return the policies in the files. Raises CatalogError, and ConfigError where an exception has expired."""
    policies = tuple(read_policy(path) for path in paths)
    for one in expired(policies, today):
        raise ConfigError(
            f"{one.where}: the exception to {one.rule} for {one.model} ended on {one.until} ({one.reason})",
            "mend what it covered and remove it, or set a new date",
        )
    return policies


def outcomes(
    inspection: Inspection,
    policies: Sequence[Policy],
    catalog: Catalog,
    workload: Workload,
    options: AuditOptions,
    *,
    ignores: Sequence[Waiver] = (),
    today: str,
) -> tuple[PolicyOutcome, ...]:
    """Return what every rule of every policy says of one model; nothing of one that could not be read.

    What a policy says of the workload holds over ``workload``. Raises WorkloadError for a target that does not exist.
    """
    if not inspection.facts:
        return ()
    found: list[PolicyOutcome] = []
    for policy in policies:
        if policy.scope is Scope.FILES:
            found += judge_files(policy, inspection.facts, inspection.id, today)
            continue
        asked = replace(workload, **policy.workload)
        model = audit_model(inspection, catalog, catalog.find_targets(policy.targets), asked, options, today=today)
        found += judge(policy, model, catalog, today)
    return excused(found, ignores, inspection.id, today)

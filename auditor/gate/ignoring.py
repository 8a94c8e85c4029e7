"""Findings that a project has decided to live with: they stay in the report, marked, and do not count at the gate."""

from collections.abc import Sequence
from dataclasses import replace

from auditor.catalog import Catalog
from auditor.catalog.vocabulary import did_you_mean
from auditor.errors import ConfigError
from auditor.results import Audit, ModelAudit, TargetAudit
from auditor.rules import Evaluation, combine
from auditor.rules.verdict import ORDER
from auditor.waivers import Waiver, waived


def ignoring(audit: Audit, ignores: Sequence[Waiver], catalog: Catalog) -> Audit:
    """Return the audit with every finding that ``ignores`` cover marked by its exception.

    Raises ConfigError for a rule that does not exist: an exception to nothing is a mistake.
    """
    if not ignores:
        return audit
    known = {rule.id for rule in catalog.rules} | {outcome.rule for model in audit.models for outcome in model.policy}
    for one in ignores:
        if one.rule not in known:
            hint = did_you_mean(one.rule, known) or "`auditor rules list` shows them"
            raise ConfigError(f"{one.where}: no rule is called '{one.rule}'", hint)
    return replace(audit, models=tuple(_model(model, ignores, audit.today) for model in audit.models))


def _model(model: ModelAudit, ignores: Sequence[Waiver], today: str) -> ModelAudit:
    name = model.inspection.id

    def marked(row: TargetAudit) -> TargetAudit:
        return replace(
            row,
            findings=tuple(replace(one, waiver=waived(ignores, one.rule, today, name)) for one in row.findings),
            undecided=tuple(replace(one, waiver=waived(ignores, one.rule, today, name)) for one in row.undecided),
        )

    return replace(model, rows=tuple(marked(row) for row in model.rows))


def counted(row: TargetAudit) -> str:
    """Return the verdict that counts at the gate: that of the findings which nobody ignores.

    The row's own verdict says what is so, and does not change. Ignoring makes nothing worse: where all that is left is no
    evidence at all, the verdict is the best there is.
    """
    findings = tuple(one for one in row.findings if not one.waiver)
    undecided = tuple(one for one in row.undecided if not one.waiver)
    if len(findings) == len(row.findings) and len(undecided) == len(row.undecided):
        return row.verdict
    verdict = combine(Evaluation(findings, undecided))
    if verdict.verdict == "unknown" and not undecided:
        return verdict.at_least or ORDER[0]
    return verdict.verdict

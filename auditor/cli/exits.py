"""Exit codes: a script can tell a verdict from a failure."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.report.policy import Judged
    from auditor.results import Audit

OK = 0
INCOMPLETE = 1
"""A model could not be inspected, a rule does not load, a report cannot be written."""
USAGE = 2
NOTHING = 3
"""There was nothing to audit."""
VERDICT_CODES = {"config-change": 11, "needs-port": 12, "blocked": 13}
POLICY = 14
"""A rule of a policy is violated."""
NEVER = "never"
REGRESSION = "regression"
"""Only what became worse counts."""
THRESHOLDS = (NEVER, REGRESSION, *VERDICT_CODES)


def of_policies(models: "Sequence[Judged]", *, strict: bool) -> int:
    """Return the code of what policies say: warnings do not count, what could not be decided counts under ``strict``."""
    if any(model.inspection.errors for model in models):
        return INCOMPLETE
    bad = {"violated", "undecided"} if strict else {"violated"}
    violated = any(one.state in bad and one.level == "error" for model in models for one in model.policy)
    return POLICY if violated else OK


def of_audit(audit: "Audit", fail_on: str, *, strict: bool) -> int:
    """Return the code of an audit; findings that are ignored do not count.

    An unknown verdict counts under ``strict``, as the verdict asked about.
    """
    if any(model.inspection.errors for model in audit.models):
        return INCOMPLETE
    if violated := of_policies(audit.models, strict=strict):
        return violated
    if fail_on == NEVER:
        return OK
    if fail_on == REGRESSION:
        worse = {one.now for model in audit.models for one in model.regressions or () if one.kind == "verdict"}
        unknown = VERDICT_CODES["config-change"] if strict and "unknown" in worse else OK
        return max((code for verdict, code in VERDICT_CODES.items() if verdict in worse), default=unknown)
    threshold = VERDICT_CODES[fail_on]
    from auditor.gate.ignoring import counted  # noqa: PLC0415  # the rule engine

    verdicts = {counted(row) for model in audit.models for row in model.rows}
    codes = [code for verdict, code in VERDICT_CODES.items() if verdict in verdicts]
    if strict and "unknown" in verdicts:
        codes.append(threshold)
    worst = max(codes, default=OK)
    return worst if worst >= threshold else OK

"""An audit as workflow commands: annotations on the files of a pull request. A job summary is ``-f markdown``."""

from collections.abc import Iterator

from auditor.report import View, policy
from auditor.report.anchor import behind_unknown, place_of
from auditor.report.arrange import deciding, group_of, names, open_questions
from auditor.results import Audit, ModelAudit, Place, TargetAudit

_LEVELS = {"blocked": "error", "needs-port": "warning", "config-change": "notice"}


def render(audit: Audit, view: View) -> str:  # noqa: ARG001  # every format has one signature
    """Return one line per error and per rule that decided verdicts; chips that cannot be had give none."""
    return "".join(f"{line}\n" for line in _lines(audit))


def _lines(audit: Audit) -> Iterator[str]:
    for model in audit.models:
        name = model.inspection.id
        for error in model.inspection.errors:
            yield _command("error", place_of(model, [error]), f"{name} could not be inspected", error)
        yield from _of_rows(model)
        for outcome in policy.telling(model.policy):
            if outcome.state == "violated":
                said = _with(outcome.message, outcome.remediation)
                yield _command(outcome.level, place_of(model, outcome.evidence), f"{name}: {outcome.rule}", said)
        for worse in model.regressions or ():
            yield _command("warning", place_of(model, worse.facts), f"{name} became worse", policy.regression(worse))


def _of_rows(model: ModelAudit) -> Iterator[str]:
    """Yield what decided the verdicts, once for all rows that one rule decided: ten annotations of a kind are all that is shown."""
    told: dict[tuple[str, str, Place, str], tuple[str, list[TargetAudit]]] = {}
    for row in model.rows:
        if group_of(row) == "out-of-reach":
            continue
        if question := open_questions(row):
            told.setdefault(("notice", row.verdict, place_of(model, behind_unknown(row)), question), (question, []))[1].append(row)
            continue
        for finding in deciding(row):
            if finding.verdict in _LEVELS and not finding.waiver:
                key = (_LEVELS[finding.verdict], row.verdict, place_of(model, finding.evidence), finding.rule)
                told.setdefault(key, (_with(finding.message, finding.remediation), []))[1].append(row)
    for (level, verdict, place, _), (said, rows) in told.items():
        others = rows[1:]
        title = f"{model.inspection.id} on {rows[0].target.id}{f' and {len(others)} more' if others else ''}: {verdict}"
        yield _command(level, place, title, _with(said, f"The same of {names(others)}." if others else ""))


def _with(text: str, more: str) -> str:
    return f"{text}\n{more}".strip()


def _command(level: str, place: Place, title: str, message: str) -> str:
    return f"::{level} file={_property(place.path)},line={place.line},title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

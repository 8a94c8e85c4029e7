"""An audit as workflow commands: annotations on the files of a pull request. A job summary is ``-f markdown``."""

from collections.abc import Iterator

from auditor.report import View, policy
from auditor.report.anchor import behind_unknown, place_of
from auditor.report.arrange import deciding, group_of, open_questions
from auditor.results import Audit, Place

_LEVELS = {"blocked": "error", "needs-port": "warning", "config-change": "notice"}


def render(audit: Audit, view: View) -> str:  # noqa: ARG001  # every format has one signature
    """Return one line per error and per finding that decided a verdict; chips that cannot be had give none."""
    return "".join(f"{line}\n" for line in _lines(audit))


def _lines(audit: Audit) -> Iterator[str]:
    for model in audit.models:
        name = model.inspection.id
        for error in model.inspection.errors:
            yield _command("error", place_of(model, [error]), f"{name} could not be inspected", error)
        for row in model.rows:
            if group_of(row) == "out-of-reach":
                continue
            title = f"{name} on {row.target.id}: {row.verdict}"
            if question := open_questions(row):
                yield _command("notice", place_of(model, behind_unknown(row)), title, question)
                continue
            for finding in deciding(row):
                if finding.verdict in _LEVELS and not finding.waiver:
                    said = f"{finding.message}\n{finding.remediation}".strip()
                    yield _command(_LEVELS[finding.verdict], place_of(model, finding.evidence), title, said)
        for outcome in policy.telling(model.policy):
            if outcome.state == "violated":
                said = f"{outcome.message}\n{outcome.remediation}".strip()
                yield _command(outcome.level, place_of(model, outcome.evidence), f"{name}: {outcome.rule}", said)
        for worse in model.regressions or ():
            yield _command("warning", place_of(model, worse.facts), f"{name} became worse", policy.regression(worse))


def _command(level: str, place: Place, title: str, message: str) -> str:
    return f"::{level} file={_property(place.path)},line={place.line},title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

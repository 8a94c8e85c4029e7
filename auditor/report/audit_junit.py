"""An audit as JUnit XML: a suite per target, a case per finding, for whatever draws test results."""

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from auditor.report import View, policy
from auditor.report.anchor import behind_unknown, place_of
from auditor.report.arrange import open_questions
from auditor.results import Audit, ModelAudit, Place, TargetAudit

_ORDER = ("config-change", "needs-port", "blocked")
#: XML 1.0 has no way to write these, not even escaped.
_UNWRITABLE = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(audit: Audit, view: View) -> str:
    """Return the document. Findings from ``view.fail_on`` on are failures; an unknown verdict is skipped."""
    root = Element("testsuites", name="auditor")
    for target in dict.fromkeys(row.target.id for model in audit.models for row in model.rows):
        suite = SubElement(root, "testsuite", name=target)
        for model in audit.models:
            for row in model.rows:
                if row.target.id == target:
                    _cases(suite, model, row, view.fail_on)
    unread = [model for model in audit.models if model.inspection.errors]
    if unread:
        suite = SubElement(root, "testsuite", name="inspection")
        for model in unread:
            place = place_of(model, model.inspection.errors)
            case = _case(suite, _name(f"auditor.inspection.{model.inspection.id}"), "inspected", place)
            SubElement(case, "error", message=_text("; ".join(model.inspection.errors)))
    judged = [model for model in audit.models if model.policy]
    if judged:
        suite = SubElement(root, "testsuite", name="policy")
        for model in judged:
            _policies(suite, model)
    for suite in root:
        for count, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            suite.set(count, str(sum(1 for _ in suite.iter(tag))))
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _cases(suite: Element, model: ModelAudit, row: TargetAudit, fail_on: str) -> None:
    group = _name(f"auditor.{row.target.accelerator.id}.{model.inspection.id}")
    for finding in row.findings:
        if finding.verdict not in _ORDER:
            continue
        case = _case(suite, group, finding.rule, place_of(model, finding.evidence))
        said = _text(f"{finding.message}\n{finding.remediation}".strip())
        if finding.waiver:
            SubElement(case, "skipped", message=_text(f"ignored until {finding.waiver.until}: {finding.waiver.reason}"))
        elif fail_on in _ORDER and _ORDER.index(finding.verdict) >= _ORDER.index(fail_on):
            SubElement(case, "failure", type=finding.verdict, message=_text(finding.message)).text = said
        else:
            SubElement(case, "system-out").text = f"{finding.verdict}: {said}"
    case = _case(suite, group, "verdict", place_of(model, behind_unknown(row)))
    if row.verdict == "unknown":
        SubElement(case, "skipped", message=_text(f"unknown; {open_questions(row)}"))
    else:
        SubElement(case, "system-out").text = row.verdict


def _policies(suite: Element, model: ModelAudit) -> None:
    for outcome in model.policy:
        if outcome.state == "not-applicable":
            continue
        case = _case(suite, _name(f"auditor.policy.{model.inspection.id}"), _text(outcome.rule), place_of(model, outcome.evidence))
        said = _text(policy.sentence(outcome))
        if outcome.state == "violated" and outcome.level == "error":
            SubElement(case, "failure", type="policy", message=_text(outcome.message)).text = said
        elif outcome.state in {"undecided", "excused"}:
            SubElement(case, "skipped", message=said)
        elif outcome.state == "violated":
            SubElement(case, "system-out").text = said


def _case(suite: Element, group: str, name: str, place: Place) -> Element:
    """Add a case; services that draw results link the file, and take the line where they know of one."""
    return SubElement(suite, "testcase", classname=group, name=name, file=_text(place.path), line=str(place.line))


def _name(text: str) -> str:
    """Return a class name: readers split it at dots, so that only ours may stay."""
    prefix, accelerator, model = text.split(".", 2)
    return _text(".".join((prefix, accelerator, model.replace(".", "_"))))


def _text(text: str) -> str:
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)

"""An audit as SARIF 2.1.0, as code scanning services take it.

A service refuses the whole file for one result without a physical location, so every result has one: the line that
decided, where there is one. It takes twenty runs at most, hence one run per accelerator up to that, and a single run
beyond. Chips that cannot be had give no results: nobody's change to a model could mend them.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from auditor.report import View, plain, policy
from auditor.report.anchor import behind_unknown, place_of, related_to, uri_of
from auditor.report.arrange import group_of, open_questions
from auditor.results import Audit, ModelAudit, Place, TargetAudit
from auditor.rules.model import Finding

_LEVELS = {"blocked": "error", "needs-port": "warning", "config-change": "note"}
_ORDER = ("error", "warning", "note")
_MOST_RUNS = 20
MOST_RESULTS = 25_000
_MOST_RELATED = 10
_UNKNOWN = Finding("verdict-unknown", "unknown", "high", "", {}, "", (), (), "The verdict is not known")
_NOT_READ = Finding("model-not-inspected", "unknown", "high", "", {}, "", (), (), "The model could not be inspected")


def render(audit: Audit, view: View) -> str:  # noqa: ARG001  # every format has one signature
    """Return the log."""
    rows = [(model, row) for model in audit.models for row in model.rows if group_of(row) != "out-of-reach"]
    chips = list(dict.fromkeys(row.target.accelerator.id for _, row in rows))
    apart = 0 < len(chips) < _MOST_RUNS
    runs = []
    for chip in chips if apart else [""]:
        mine = [(model, row) for model, row in rows if not apart or row.target.accelerator.id == chip]
        runs.append(_run(audit, f"auditor/{chip}/" if apart else "auditor/", _of_rows(mine)))
    unread = [
        (_NOT_READ, _result(model, None, _NOT_READ, "error", error, [error])) for model in audit.models for error in model.inspection.errors
    ]
    if unread:
        runs.append(_run(audit, "auditor/inspection/", unread))
    judged = [pair for model in audit.models for pair in _of_policies(model)]
    if judged:
        runs.append(_run(audit, "auditor/policy/", judged))
    return plain.dumps({"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": runs})


def _run(audit: Audit, category: str, found: Iterable[tuple[Finding, dict[str, Any]]]) -> dict[str, Any]:
    rules: dict[str, Finding] = {}
    results = []
    for finding, result in sorted(found, key=lambda pair: _ORDER.index(pair[1]["level"])):
        rules.setdefault(finding.rule, finding)
        results.append({**result, "ruleIndex": list(rules).index(finding.rule)})
    whole = not any(model.inspection.errors for model in audit.models)
    return {
        "tool": {"driver": {"name": "auditor", "version": audit.version, "rules": [_rule(finding) for finding in rules.values()]}},
        "automationDetails": {"id": category},
        "invocations": [{"executionSuccessful": whole}],
        "columnKind": "utf16CodeUnits",
        "results": results[:MOST_RESULTS],
        "properties": {"auditor/rules_digest": audit.rules_digest, "auditor/date": audit.today},
    }


def _of_rows(rows: Iterable[tuple[ModelAudit, TargetAudit]]) -> Iterator[tuple[Finding, dict[str, Any]]]:
    for model, row in rows:
        for finding in row.findings:
            if finding.verdict in _LEVELS:
                sentence = ". ".join(part.rstrip(".") for part in (f"{row.target.id}: {finding.message}", finding.remediation) if part)
                yield finding, _result(model, row, finding, _LEVELS[finding.verdict], f"{sentence}.", finding.evidence)
        if question := open_questions(row):
            yield _UNKNOWN, _result(model, row, _UNKNOWN, "note", f"{row.target.id}: unknown, {question}.", behind_unknown(row))


def _of_policies(model: ModelAudit) -> Iterator[tuple[Finding, dict[str, Any]]]:
    for outcome in policy.telling(model.policy):
        evidence, title = outcome.evidence, outcome.title or outcome.rule
        finding = Finding(
            outcome.rule, outcome.state, "high", outcome.message, evidence, outcome.remediation, (), (), title, outcome.waiver
        )
        level = "note" if outcome.state == "undecided" else outcome.level
        yield finding, _result(model, None, finding, level, policy.sentence(outcome), [*evidence, *outcome.settled_by])


def _result(
    model: ModelAudit, row: TargetAudit | None, finding: Finding, level: str, message: str, rests_on: Iterable[str]
) -> dict[str, Any]:
    """Return one result; ``rests_on`` are the facts (or the sentence of the error) whose places in the files it is shown at."""
    inspection = model.inspection
    target = row.target.id if row else ""
    properties: dict[str, Any] = {"auditor/verdict": finding.verdict, "auditor/confidence": finding.confidence}
    if finding.evidence:
        properties["auditor/evidence"] = {name: plain.value(value) for name, value in sorted(finding.evidence.items())}
    if row and row.effort.weeks:
        properties["auditor/effort_weeks"] = plain.span(row.effort.weeks)
    names = tuple(rests_on)
    related = [_physical(place) for place in related_to(model, names)[:_MOST_RELATED]]
    accepted = [{"kind": "external", "justification": f"{finding.waiver.reason} (until {finding.waiver.until})"}] if finding.waiver else []
    return {
        **({"suppressions": accepted} if accepted else {}),
        "ruleId": finding.rule,
        "level": level,
        "message": {"text": message},
        "locations": [
            {
                **_physical(place_of(model, names)),
                "logicalLocations": [
                    {
                        "fullyQualifiedName": f"{inspection.id}@{inspection.revision}" if inspection.revision else inspection.id,
                        "kind": "resource",
                    }
                ],
            }
        ],
        **({"relatedLocations": related} if related else {}),
        "partialFingerprints": {
            "auditor/v1": hashlib.sha256(f"{finding.rule}\0{inspection.id}\0{target}".encode(errors="replace")).hexdigest()[:32]
        },
        "properties": properties,
    }


def _physical(place: Place) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": {"uri": uri_of(place)}, "region": {"startLine": place.line}}}


def _rule(finding: Finding) -> dict[str, Any]:
    """Return what is true of the rule whatever the model: its title and its sources."""
    title = finding.title or finding.rule.replace("-", " ")
    sources = "; ".join(f"{source.title} ({source.as_of}): {source.ref}" for source in finding.sources)
    described: dict[str, Any] = {
        "id": finding.rule,
        "shortDescription": {"text": title},
        "fullDescription": {"text": f"{title}."},
        "help": {"text": f"`auditor rules show {finding.rule}` prints the rule. Sources: {sources}." if sources else f"{title}."},
        "defaultConfiguration": {"level": _LEVELS.get(finding.verdict, "note")},
    }
    page = next((source.ref for source in finding.sources if source.ref.startswith("https://")), None)
    return {**described, "helpUri": page} if page else described

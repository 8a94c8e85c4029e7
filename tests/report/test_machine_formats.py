"""Formats for machines: what their readers demand, and what hostile text must not do to them."""

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlparse
from xml.etree import ElementTree as ET

import pytest

from auditor.report import FORMATS, View, audit_sarif
from auditor.results import Audit
from tests.support.audits import audit, rows

HOSTILE = "=cmd()|'x'!A1\n<script>alert(1)</script> | `a` [b](javascript:c) ::error::d %0A \x07\ud800 ,"


def hostile() -> Audit:
    """Return an audit in which a model's own words attack every format."""
    whole = audit()
    model = whole.models[0]
    bad = [replace(row, findings=tuple(replace(f, message=HOSTILE, remediation=HOSTILE) for f in row.findings)) for row in model.rows]
    inspection = replace(model.inspection, id=f"../../{HOSTILE}", errors=(HOSTILE,), notes=(HOSTILE,))
    return replace(whole, models=(replace(model, inspection=inspection, rows=tuple(bad)),))


def sarif(of: Audit) -> dict[str, Any]:
    return json.loads(FORMATS["sarif"](of, View()))


def _check_place(place: dict[str, Any]) -> None:
    """Assert that a service can find the file: a relative reference below the root of the repository, and a line of it."""
    uri = urlparse(place["artifactLocation"]["uri"])
    assert (uri.scheme, uri.netloc, uri.query, uri.fragment) == ("", "", "", "")
    assert uri.path
    assert not uri.path.startswith("/")
    assert ".." not in uri.path.split("/")
    assert re.fullmatch(r"(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})+", uri.path), "RFC 3986"
    assert place["region"]["startLine"] >= 1


def _check_rules(rules: list[dict[str, Any]], said: set[str]) -> None:
    assert len(rules) <= 25_000
    assert len({rule["id"] for rule in rules}) == len(rules)
    for rule in rules:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule["id"]), "words, the same in every run"
        for text in ("shortDescription", "fullDescription", "help"):
            assert rule[text]["text"]
            assert rule[text]["text"] not in said, "a rule is described for all of its findings"
        assert rule["defaultConfiguration"]["level"] in {"error", "warning", "note"}
        assert "security-severity" not in rule.get("properties", {}), "a migration is no vulnerability"
        assert len(rule.get("properties", {}).get("tags", [])) <= 20
        assert rule.get("helpUri", "https://").startswith("https://")


@pytest.mark.parametrize("of", [audit(), hostile(), replace(audit(), models=())], ids=["usual", "hostile", "empty"])
def test_sarif_is_what_code_scanning_takes(of: Audit) -> None:
    log = sarif(of)
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    assert 1 <= len(log["runs"]) <= 20
    assert len({run["automationDetails"]["id"] for run in log["runs"]}) == len(log["runs"])
    for run in log["runs"]:
        assert re.fullmatch(r"auditor/([\w.-]+/)?", run["automationDetails"]["id"]), "the part before the last slash is the category"
        assert run["columnKind"] == "utf16CodeUnits"
        assert isinstance(run["results"], list), "there even when nothing was found"
        assert len(run["results"]) <= 25_000
        driver = run["tool"]["driver"]
        assert driver["name"] == "auditor"
        assert driver["version"]
        _check_rules(driver["rules"], {result["message"]["text"] for result in run["results"]})
        for result in run["results"]:
            assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
            assert result["level"] in {"error", "warning", "note"}
            assert result["message"]["text"]
            assert re.fullmatch(r"[0-9a-f]{32}", result["partialFingerprints"]["auditor/v1"])
            assert 1 <= len(result["locations"]) <= 1000, "a service refuses the whole file for one result without"
            for location in (*result["locations"], *result.get("relatedLocations", ())):
                _check_place(location["physicalLocation"])
            [logical] = result["locations"][0]["logicalLocations"]
            assert logical["fullyQualifiedName"]
            assert all(name.startswith("auditor/") for name in result["properties"])


def test_sarif_of_more_results_than_are_taken_keeps_the_worst(monkeypatch: pytest.MonkeyPatch) -> None:
    assert audit_sarif.MOST_RESULTS == 25_000
    monkeypatch.setattr(audit_sarif, "MOST_RESULTS", 3)
    row = rows()[4]
    mixed = tuple(
        replace(row.findings[0], rule=f"r-{verdict}", verdict=verdict) for verdict in ("config-change", "blocked", "needs-port") * 2
    )
    model = replace(audit().models[0], rows=(replace(row, findings=mixed),))
    [run] = sarif(replace(audit(), models=(model,)))["runs"]
    assert [result["level"] for result in run["results"]] == ["error", "error", "warning"]


def test_sarif_levels_follow_the_verdict() -> None:
    levels = {result["ruleId"]: result["level"] for run in sarif(audit())["runs"] for result in run["results"]}
    assert levels == {
        "neuron-gptq-weights": "note",
        "maxtext-convert": "warning",
        "tpu-format": "note",
        "verdict-unknown": "note",
        "lpu-hosted": "error",
        "model-not-inspected": "error",
    }


def test_sarif_fingerprints_are_one_per_finding_and_do_not_change_with_words() -> None:
    def prints(of: Audit) -> list[str]:
        return [result["partialFingerprints"]["auditor/v1"] for run in sarif(of)["runs"] for result in run["results"]]

    model = audit().models[0]
    reworded = [replace(row, findings=tuple(replace(f, message="other words") for f in row.findings)) for row in model.rows]
    other = replace(audit(), models=(replace(model, rows=tuple(reworded)), audit().models[1]))
    assert prints(other) == prints(audit())
    assert len(set(prints(audit()))) == len(prints(audit()))


def test_sarif_of_many_accelerators_is_one_run() -> None:
    row = rows()[2]
    many = [
        replace(row, target=replace(row.target, accelerator=replace(row.target.accelerator, id=f"chip-{number}"))) for number in range(25)
    ]
    model = replace(audit().models[0], rows=tuple(many))
    [run] = sarif(replace(audit(), models=(model,)))["runs"]
    assert len(run["results"]) == 25


@pytest.mark.parametrize(("fail_on", "failures"), [("never", 0), ("config-change", 4), ("needs-port", 2), ("blocked", 1)])
def test_junit_fails_from_the_threshold_on(fail_on: str, failures: int) -> None:
    root = ET.fromstring(FORMATS["junit"](audit(), View(fail_on=fail_on)))  # noqa: S314 - our own words
    assert sum(1 for _ in root.iter("failure")) == failures
    assert sum(int(suite.get("failures", "0")) for suite in root) == failures
    assert sum(1 for _ in root.iter("error")) == 1
    assert sum(1 for _ in root.iter("skipped")) == 2


def test_csv_has_a_line_per_row_and_no_formula() -> None:
    table = list(csv.DictReader(io.StringIO(FORMATS["csv"](hostile(), View()))))
    assert len(table) == len(rows())
    for line in table:
        assert None not in line
        assert not any(cell.startswith(("=", "@", "\t")) for cell in line.values())


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def test_html_needs_nothing_from_elsewhere_and_runs_nothing() -> None:
    page = _Tags()
    page.feed(FORMATS["html"](hostile(), View()))
    assert not {tag for tag, _ in page.seen} & {"script", "img", "iframe", "object", "link", "form"}
    for _, attributes in page.seen:
        assert not [name for name in attributes if name.startswith("on")]
        assert (attributes.get("href") or "https://").startswith("https://")


def test_github_says_each_thing_in_one_line() -> None:
    lines = FORMATS["github"](hostile(), View()).splitlines()
    assert lines
    for line in lines:
        command, _, _ = line.removeprefix("::").partition("::")
        level, _, properties = command.partition(" ")
        assert level in {"error", "warning", "notice"}
        assert [part.split("=")[0] for part in properties.split(",")] == ["file", "line", "title"]


def test_github_says_once_what_one_rule_decides_of_many_rows() -> None:
    row = rows()[2]
    many = [replace(row, target=replace(row.target, accelerator=replace(row.target.accelerator, id=f"chip-{at}"))) for at in range(12)]
    model = replace(audit().models[0], rows=tuple(many))
    [line] = FORMATS["github"](replace(audit(), models=(model,)), View()).splitlines()
    assert "chip-0/neuron-vllm and 11 more" in line
    assert "The same of chip-1, chip-2" in line


@pytest.mark.parametrize("name", FORMATS)
def test_hostile_words_break_no_format(name: str) -> None:
    text = FORMATS[name](hostile(), View())
    text.encode("utf-8", errors="replace")
    if name == "junit":
        ET.fromstring(text)  # noqa: S314 - our own words
    if name in {"json", "sarif"}:
        json.loads(text)
    if name == "markdown":
        assert "\n<script>" not in text
        assert "](javascript:" not in text.replace("\\]", "")

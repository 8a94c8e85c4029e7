"""What gates add to reports: outcomes of policies, ignored findings, and what became worse, in every format that knows failures."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from auditor.outcomes import PolicyOutcome, Regression
from auditor.report import FORMATS, View
from auditor.results import Audit
from auditor.waivers import Waiver
from tests.support.audits import audit

WAIVER = Waiver("neuron-gptq-weights", "*", "the originals are served", "2026-12-31")


@pytest.fixture
def gated() -> Audit:
    whole = audit()
    model = whole.models[0]
    rows = tuple(
        replace(row, findings=tuple(replace(one, waiver=WAIVER if one.rule == WAIVER.rule else None) for one in row.findings))
        for row in model.rows
    )
    outcomes = (
        PolicyOutcome("ours", "no-pickles", "No pickles", "error", "violated", "only pickles", "Publish safetensors."),
        PolicyOutcome("ours", "two-vendors", "Two vendors", "warning", "violated", "one vendor"),
        PolicyOutcome("ours", "cheap", "Cheap", "error", "undecided", settled_by=("weights.bytes",)),
        PolicyOutcome("ours", "no-code", "No code", "error", "excused", "custom code", waiver=WAIVER),
        PolicyOutcome("ours", "fits", "Fits", "error", "met"),
    )
    worse = (
        Regression(
            "verdict", "trainium2/neuron-vllm", "Trainium2", "native", "config-change", "quant_method became gptq", ("quant.method",)
        ),
    )
    return replace(whole, models=(replace(model, rows=rows, policy=outcomes, regressions=worse), *whole.models[1:]))


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_takes_them(gated: Audit, name: str) -> None:
    assert FORMATS[name](gated, View())


@pytest.mark.parametrize("name", ["table", "markdown", "html"])
def test_people_read_them(gated: Audit, name: str) -> None:
    text = " ".join(FORMATS[name](gated, View(width=200)).split())
    text = text.replace("quant\\_method", "quant_method") if name == "markdown" else text
    assert "1 met, 2 violated, 1 undecided, 1 excused" in text
    assert "violated: no-pickles: only pickles" in text
    assert "violated (warning): two-vendors" in text
    assert "excused: no-code: custom code (excused until 2026-12-31: the originals are served)" in text
    assert "was native on Trainium2, now config-change: quant_method became gptq" in text


def test_json(gated: Audit) -> None:
    model = json.loads(FORMATS["json"](gated, View()))["models"][0]
    assert [one["state"] for one in model["policy"]] == ["violated", "violated", "undecided", "excused", "met"]
    assert model["regressions"][0]["sentence"] == "was native on Trainium2, now config-change: quant_method became gptq"


def test_sarif(gated: Audit) -> None:
    runs = json.loads(FORMATS["sarif"](gated, View()))["runs"]
    [of_policies] = [run for run in runs if run["automationDetails"]["id"] == "auditor/policy/"]
    levels = {result["ruleId"]: result["level"] for result in of_policies["results"]}
    assert levels == {"no-pickles": "error", "two-vendors": "warning", "cheap": "note", "no-code": "error"}
    accepted = {result["ruleId"] for run in runs for result in run["results"] if "suppressions" in result}
    assert accepted == {"no-code", WAIVER.rule}
    assert all(result["locations"][0]["physicalLocation"] for run in runs for result in run["results"])


def test_junit(gated: Audit) -> None:
    root = ET.fromstring(FORMATS["junit"](gated, View(fail_on="config-change")))  # noqa: S314 - our own
    [suite] = [suite for suite in root if suite.get("name") == "policy"]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("5", "1", "2")
    [case] = [case for case in root.iter("testcase") if case.get("name") == WAIVER.rule]
    assert case.find("skipped") is not None
    assert case.find("failure") is None


def test_github(gated: Audit) -> None:
    lines = FORMATS["github"](gated, View()).splitlines()
    assert any(line.startswith("::error") and "no-pickles" in line for line in lines)
    assert any(line.startswith("::warning") and "became worse" in line for line in lines)
    assert not any("GPTQ" in line or "gptq weights" in line for line in lines), "what is ignored is no annotation"

"""Rule tests pass when the rule does what they say, and fail with what it did instead."""

from pathlib import Path

import pytest

from auditor.catalog import Catalog
from auditor.catalog.model import Target
from auditor.errors import CatalogError, NotFound
from auditor.facts import Basis, Facts, Known
from auditor.rules.testing import Look, load_cases, run_cases, untested
from auditor.workload import Workload
from tests.support.catalogue import RULES, load, write


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return load(tmp_path_factory.mktemp("catalogue"))


def look(model: str, target: Target, workload: Workload) -> Look:
    """One model, quantized with GPTQ, whose context is what the workload asks for."""
    if model != "a-model":
        raise NotFound(f"{model} is not there")
    assert target.id == "chip/serve"
    facts = {"quant.method": Known("gptq", Basis.CONFIG), "workload.context": Known(workload.context or 1, Basis.USER)}
    return Look(Facts(facts), "config-change")


def run(catalog: Catalog, tmp_path: Path, *cases: str) -> list[str]:
    """Return the reasons of the cases that fail."""
    write(tmp_path / "x.test.yaml", "cases:\n" + "".join(f"  - {{{case}}}\n" for case in cases))
    outcomes = run_cases(load_cases([tmp_path]), catalog, look)
    assert len(outcomes) == len(cases)
    return [outcome.reason for outcome in outcomes if not outcome.passed]


@pytest.mark.parametrize(
    "case",
    [
        "rule: gptq-here, facts: {quant.method: gptq}, expect: fires",
        "rule: gptq-here, facts: {quant.method: gptq}, expect: fires, message: no gptq",
        "rule: gptq-here, facts: {quant.method: awq}, expect: quiet",
        "rule: gptq-here, facts: {quant.method: null}, expect: unknown",
        "rule: gptq-here, facts: {attention.kind: mla}, expect: unknown",
        "rule: gptq-here, absent: [quant.method], expect: quiet",
        "rule: served-here, facts: {arch.architectures: [LlamaForCausalLM]}, on: chip/serve, expect: fires, message: Serve serves unknown",
        "rule: served-here, facts: {arch.architectures: [Other], arch.model_type: other}, on: chip/serve, expect: quiet",
        "rule: served-here, facts: {stack.architecture_status: listed}, on: chippy, expect: fires",
        "rule: gptq-here, model: a-model, expect: fires",
        "rule: gptq-here, model: a-model, facts: {quant.method: awq}, expect: quiet",
        "rule: gptq-here, model: a-model, absent: [quant.method], on: chip/serve, expect: quiet",
        "verdict: config-change, model: a-model, on: chip/serve, because: it is so",
    ],
)
def test_a_case_that_is_true_passes(catalog: Catalog, tmp_path: Path, case: str) -> None:
    assert run(catalog, tmp_path, case) == []


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("rule: gptq-here, facts: {quant.method: awq}, expect: fires", "quiet, expected fires; it read quant.method 'awq'"),
        ("rule: gptq-here, expect: quiet", "unknown, expected quiet; it read quant.method unknown"),
        ("rule: gptq-here, absent: [quant.method], expect: fires", "quiet, expected fires; it read quant.method does not apply"),
        (
            "rule: gptq-here, facts: {quant.method: gptq}, expect: fires, message: awq",
            "the message is 'no gptq', without 'awq'",
        ),
        ("verdict: native, model: a-model, on: chip/serve", "config-change, expected native"),
        ("rule: gptq-here, model: b-model, expect: fires", "b-model is not there"),
        ("rule: gptq-here, model: a-model, on: chop, expect: fires", "no accelerator is called 'chop'; did you mean 'chip'?"),
    ],
)
def test_a_case_that_is_not_says_what_happened(catalog: Catalog, tmp_path: Path, case: str, reason: str) -> None:
    assert run(catalog, tmp_path, case) == [reason]


def test_a_case_about_no_rule_fails_with_its_place(catalog: Catalog, tmp_path: Path) -> None:
    (reason,) = run(catalog, tmp_path, "rule: gptq-hear, expect: quiet")
    assert reason == f"{tmp_path}/x.test.yaml:2:5: no rule is called 'gptq-hear'; did you mean 'gptq-here'?"


def test_a_rule_is_quiet_where_it_does_not_apply(tmp_path: Path) -> None:
    here = load(tmp_path / "catalogue", rules=RULES.replace("{stack: [serve]}", "{availability: [captive]}"))
    assert run(here, tmp_path, "rule: gptq-here, facts: {quant.method: gptq}, on: chip/serve, expect: quiet") == []
    assert run(here, tmp_path, "rule: gptq-here, facts: {quant.method: gptq}, on: chip/serve, expect: fires") == [
        "the rule is not about chip/serve, expected fires"
    ]
    (reason,) = run(here, tmp_path, "rule: gptq-here, model: a-model, expect: fires")
    assert reason.endswith("rule 'gptq-here' is about no target; see its applies_to")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cases: []\n", "x.test.yaml:1:8: it is empty"),
        ("cases:\n  - {rule: a-b}\n", "x.test.yaml:2:5: 'expect' is missing"),
        ("cases:\n  - {verdict: native}\n", "x.test.yaml:2:5: 'model' is missing"),
        ("cases:\n  - {rule: a-b, expect: fire}\n", "x.test.yaml:2:25: 'fire' is not one of fires, quiet, unknown; did you mean 'fires'?"),
        ("cases:\n  - {rule: a-b, expect: quiet, facts: {moe.expert: 8}}\n", "x.test.yaml:2:40: 'moe.expert' is not known here; did you"),
        ("cases:\n  - {rule: a-b, expect: quiet, facts: {moe.experts: eight}}\n", "x.test.yaml:2:53: 'eight' is not a whole number"),
        ("cases:\n  - {rule: a-b, expect: quiet, workload: {contxt: 8}}\n", "x.test.yaml:2:43: 'contxt' is not known here; did you mean"),
    ],
)
def test_a_slip_in_a_test_file_stops_it(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path / "x.test.yaml", text)
    with pytest.raises(CatalogError) as caught:
        load_cases([tmp_path])
    assert str(caught.value).startswith(f"{tmp_path}/{message}")


def test_what_is_not_tested_is_listed(catalog: Catalog, tmp_path: Path) -> None:
    write(tmp_path / "x.test.yaml", "cases:\n  - {rule: gptq-here, facts: {quant.method: awq}, expect: quiet}\n")
    assert untested(catalog.rules, load_cases([tmp_path])) == [
        "rules/common/all.yaml:3: rule 'served-here' has no case that fires, no case that stays quiet, no case with a model of fixtures/",
        "rules/common/all.yaml:8: rule 'gptq-here' has no case that fires, no case with a model of fixtures/",
    ]

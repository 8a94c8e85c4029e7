"""``rules check`` finds everything at once: faults that stop a load, and loose ends that do not."""

from datetime import date
from pathlib import Path

import pytest

from auditor.catalog import load_catalog
from auditor.errors import WorkloadError
from auditor.rules.check import Problem, check_rules
from auditor.rules.template import new_rule
from auditor.rules.testing import load_cases, run_cases
from tests.support.catalogue import CHIP, PRICES, RULES, SOURCES, write, write_catalogue

TODAY = date(2026, 11, 22)
TESTS = """\
cases:
  - {rule: served-here, facts: {stack.architecture_status: listed}, expect: fires}
  - {rule: served-here, facts: {stack.architecture_status: absent}, expect: quiet}
  - {rule: served-here, model: some-model, expect: fires}
  - {rule: gptq-here, facts: {quant.method: gptq}, expect: fires}
  - {rule: gptq-here, facts: {quant.method: awq}, expect: quiet}
  - {rule: gptq-here, model: some-model, expect: fires}
"""


def found(tmp_path: Path, *, stale_after: int | None = None, tests: str = TESTS, **changed: str) -> list[Problem]:
    root = write_catalogue(tmp_path, **{"sources": SOURCES.replace("  code: ", "  # "), **changed})
    write(root / "common/all.test.yaml", tests)
    return check_rules(today=TODAY, stale_after=stale_after, root=root)


def warnings(tmp_path: Path, **changed: str) -> list[str]:
    problems = found(tmp_path, **changed)
    assert {problem.level for problem in problems} <= {"warning"}
    return [problem.message for problem in problems]


def test_a_sound_catalogue_has_no_problem(tmp_path: Path) -> None:
    assert found(tmp_path) == []


def test_every_fault_of_every_file_is_listed(tmp_path: Path) -> None:
    problems = found(
        tmp_path, chip=CHIP.replace("name:", "naem:", 1).replace("open", "opne"), rules=RULES.replace("quant.method:", "quant.metod:")
    )
    assert [problem.message.split(";")[0] for problem in problems] == [
        "rules/accelerators/chip.yaml:2:1: 'naem' is not known here",
        "rules/accelerators/chip.yaml:7:24: 'opne' is not one of open, limited, captive, unreleased",
        "rules/common/all.yaml:10:12: 'quant.metod' is not known here",
    ]
    assert {problem.level for problem in problems} == {"error"}


def test_a_fault_between_files_is_an_error_too(tmp_path: Path) -> None:
    (problem,) = [one for one in found(tmp_path, prices=PRICES.replace("chip", "chap")) if one.level == "error"]
    assert problem.message.startswith("rules/prices/cloud.yaml:3:36: no accelerator is called 'chap'")


def test_a_test_of_no_rule_is_an_error(tmp_path: Path) -> None:
    (problem,) = found(tmp_path, tests=TESTS + "  - {rule: gone-rule, expect: quiet}\n")
    assert problem == Problem("error", f"{tmp_path}/rules/common/all.test.yaml:8:5: no rule is called 'gone-rule'")


def test_untested_rules_are_named(tmp_path: Path) -> None:
    tests = "".join(line for line in TESTS.splitlines(keepends=True) if "awq" not in line and "served-here, model" not in line)
    assert warnings(tmp_path, tests=tests) == [
        "rules/common/all.yaml:3: rule 'served-here' has no case with a model of fixtures/",
        "rules/common/all.yaml:8: rule 'gptq-here' has no case that stays quiet",
    ]


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("{stack: [serve]}", "{availability: [captive]}", "is about no target"),
        ("{quant.method: gptq}", "{accelerator.vendor: nobody}", "fires on none of its targets, whatever the model is"),
        ("{quant.method: gptq}", "{all: [{quant.method: gptq}, {stack.features: {contains: lora}}]}", "fires on none of its targets"),
        ("{quant.method: gptq}", "{stack.max_head_dim: {lt: 64}}", "fires on none of its targets, whatever the model is"),
    ],
)
def test_a_rule_that_can_never_fire_is_named(tmp_path: Path, old: str, new: str, what: str) -> None:
    (message,) = warnings(tmp_path, rules=RULES.replace(old, new))
    assert message.startswith(f"rules/common/all.yaml:8: rule 'gptq-here' {what}")


@pytest.mark.parametrize(
    "condition",
    [
        "{repo.custom_kernels: {known: true}}",
        "{not: {repo.custom_kernels: {known: true}}}",
        "{not: {all: [{quant.method: gptq}, {stack.family: neuron}]}}",
        "{all: [{any: [{stack.family: cuda}, {moe.experts: {gt: 8}}]}, {not: {stack.family: cuda}}]}",
    ],
)
def test_a_rule_that_some_model_can_fire_is_not(tmp_path: Path, condition: str) -> None:
    assert warnings(tmp_path, rules=RULES.replace("{quant.method: gptq}", condition)) == []


def test_loose_ends_are_named(tmp_path: Path) -> None:
    lone = "accelerator: lone\nextends: chip\nname: Lone\nfamily: lonely\n"
    write(tmp_path / "rules/accelerators/lone.yaml", lone)
    assert warnings(tmp_path, prices=PRICES.replace("instance: eight", "instance: nine"), sources=SOURCES) == [
        "accelerator 'lone': no stack serves on it, so that nothing is audited against it",
        "price of cloud nine: chip lists no such instance, so that it is never used",
        "rules/sources.yaml:3:3: source 'code' is never cited",
    ]


def test_old_sources_are_named_when_asked(tmp_path: Path) -> None:
    assert found(tmp_path, stale_after=60) == []
    assert warnings(tmp_path, stale_after=30) == [  # type: ignore[arg-type]
        "rules/sources.yaml:2:68: 2026-10-01 was 52 days ago; read the source again",
    ]
    future = SOURCES.replace("2026-10-01", "2026-12").replace("  code: ", "  # ")
    assert warnings(tmp_path, stale_after=30, sources=future) == ["rules/sources.yaml:2:68: 2026-12 is in the future"]  # type: ignore[arg-type]


def test_a_pack_is_checked_with_the_rest(tmp_path: Path) -> None:
    root = write_catalogue(tmp_path)
    pack = write(tmp_path / "pack/mine.yaml", "rules:\n  - id: x\n").parent
    messages = [problem.message for problem in check_rules([pack], today=TODAY, root=root) if problem.level == "error"]
    assert messages[0].startswith(f"{pack}/mine.yaml:2:5: 'when' is missing")
    (missing,) = check_rules([tmp_path / "nothing"], today=TODAY, root=root)
    assert "no such file or folder" in missing.message


def test_a_new_rule_loads_as_it_is_and_passes_its_tests(tmp_path: Path) -> None:
    root = write_catalogue(tmp_path)
    catalog = load_catalog(root=root)
    files = new_rule("serve-latent-attention", catalog, model="some-model", stack="serve", today=TODAY.isoformat())
    assert set(files) == {"serve-latent-attention.yaml", "serve-latent-attention.test.yaml"}
    for name, text in files.items():
        write(tmp_path / "pack" / name, text)
    with_rule = load_catalog([tmp_path / "pack"], root=root)
    assert with_rule.rule("serve-latent-attention").applies_to[0].stack == ("serve",)
    cases = [case for case in load_cases([tmp_path / "pack"]) if case.model is None]
    assert len(cases) == 2
    assert all(outcome.passed for outcome in run_cases(cases, with_rule, lambda *_: pytest.fail("no model is asked for")))


@pytest.mark.parametrize(
    ("rule_id", "stack", "message"),
    [
        ("Latent Attention", None, "'Latent Attention' is no id of a rule; use lower-case words joined by hyphens"),
        ("latent", None, "'latent' is no id of a rule"),
        ("../../x-y", None, "is no id of a rule"),
        ("gptq-here", None, "rule 'gptq-here' is there already; choose another id"),
        ("a-b", "serv", "no stack is called 'serv'"),
    ],
)
def test_a_new_rule_needs_a_new_id_and_a_known_stack(tmp_path: Path, rule_id: str, stack: str | None, message: str) -> None:
    catalog = load_catalog(root=write_catalogue(tmp_path))
    with pytest.raises(WorkloadError) as caught:
        new_rule(rule_id, catalog, model="some-model", stack=stack, today=TODAY.isoformat())
    assert message in str(caught.value)

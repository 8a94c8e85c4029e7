"""`auditor policy`, and policies beside an audit."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from auditor.cli.app import app
from tests.support.checkouts import checkout

FIXTURES = Path(__file__).parents[2] / "fixtures"
LLAMA = str(FIXTURES / "llama-3.1-8b-instruct.snapshot.json.gz")
PICKLED = "pickled"
DAY = ("--today", "2026-11-22")


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.chdir(tmp_path)
    checkout(tmp_path / PICKLED, "pytorch_model.bin")


def auditor(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, [*arguments])
    assert result.exit_code == code, (result.exit_code, result.stderr)
    return result


def test_write_one_and_judge_by_it() -> None:
    auditor("policy", "init")
    assert "our models: 5 rules" in auditor("policy", "check", "--policy", "policy.yaml").stderr
    assert "is there already" in auditor("policy", "init", code=1).stderr
    text = auditor("policy", "check", "--policy", "policy.yaml", LLAMA, PICKLED, *DAY, code=14).stdout
    assert "violated: no-pickled-weights: the weights exist only as pickles" in text
    document = json.loads(auditor("policy", "check", "--policy", "policy.yaml", LLAMA, PICKLED, *DAY, "-f", "json", code=14).stdout)
    assert document["schema"] == "auditor/policy-check/1"
    assert [sum(one["state"] == "violated" and one["level"] == "error" for one in model["policy"]) for model in document["models"]] == [
        0,
        1,
    ]


def test_no_policy_is_nothing_to_check() -> None:
    assert "auditor policy init" in auditor("policy", "check", LLAMA, code=3).stderr


def test_settings_name_policies_relative_to_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rules").mkdir()
    auditor("policy", "init", "rules/policy.yaml")
    (tmp_path / "auditor.toml").write_text('policy = ["rules/policy.yaml"]\non = ["h100-sxm/vllm-cuda"]\n', encoding="utf-8")
    document = json.loads(auditor("audit", PICKLED, "-f", "json", *DAY, code=14).stdout)
    [violated] = [one for one in document["models"][0]["policy"] if one["state"] == "violated" and one["level"] == "error"]
    assert violated["rule"] == "no-pickled-weights"
    assert "Policy: " in auditor("audit", PICKLED, *DAY, code=14).stdout
    assert "### Policy: " in auditor("audit", PICKLED, *DAY, "-f", "markdown", code=14).stdout
    ignore = '[[ignore]]\nrule = "no-pickled-weights"\nreason = "converted at load"\nuntil = 2026-12-31\n'
    with (tmp_path / "auditor.toml").open("a", encoding="utf-8") as file:
        file.write(ignore)
    assert "excused: no-pickled-weights" in auditor("audit", PICKLED, *DAY).stdout


def test_a_target_that_does_not_exist_is_usage(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(
        "policy: x\non: [h1000]\nrules: [{id: a, require: {audit.native_vendors: 1}}]\n", encoding="utf-8"
    )
    assert "no accelerator is called 'h1000'" in auditor("policy", "check", "--policy", "policy.yaml", code=2).stderr


def test_what_cannot_be_decided_counts_under_strict(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("policy: x\nrules: [{id: a, require: {weights.bytes: {gt: 1}}}]\n", encoding="utf-8")
    (tmp_path / "config.json").write_text('{"model_type": "never-heard-of", "architectures": ["NeverHeardOf"]}', encoding="utf-8")
    check = ("policy", "check", "--policy", "policy.yaml", "config.json", *DAY)
    assert "undecided: a: settled by weights.bytes" in auditor(*check).stdout
    auditor(*check, "--strict", code=14)

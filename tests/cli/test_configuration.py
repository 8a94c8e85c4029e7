"""Options beat the environment, which beats the settings file, which beats the default; ignored findings stay and do not count."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from auditor.cli.app import app

FIXTURES = Path(__file__).parents[2] / "fixtures"
MODEL = "qwen3-32b-awq.snapshot.json.gz"


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.chdir(tmp_path)
    shutil.copy(FIXTURES / MODEL, tmp_path)


def audit(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["audit", MODEL, "-f", "json", "--today", "2026-11-22", *arguments])
    assert result.exit_code == code, (result.exit_code, result.stderr)
    return result


def targets(result: Result) -> set[str]:
    return {row["accelerator"] for row in json.loads(result.stdout)["models"][0]["targets"]}


def test_option_environment_file_default(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = targets(audit())
    assert len(everything) > 5
    Path("auditor.toml").write_text('on = ["trn2"]\n[workload]\ncontext = 4096\nlora = true\n', encoding="utf-8")
    from_file = audit()
    assert targets(from_file) == {"trainium2"}
    load = json.loads(from_file.stdout)["models"][0]["workload"]
    assert (load["context"], load["lora"]) == (4096, True)
    monkeypatch.setenv("AUDITOR_ON", "h200 b200")
    assert targets(audit()) == {"h200-sxm", "b200"}
    assert targets(audit("--on", "h100-sxm")) == {"h100-sxm"}
    assert json.loads(audit("--context", "2048").stdout)["models"][0]["workload"]["context"] == 2048
    monkeypatch.delenv("AUDITOR_ON")
    assert targets(audit("--no-config")) == everything


def test_one_file_alone_is_read_on_request(tmp_path: Path) -> None:
    Path("auditor.toml").write_text("nonsense = 1", encoding="utf-8")
    (tmp_path / "other.toml").write_text('on = ["h100-sxm"]', encoding="utf-8")
    assert targets(audit("--config", "other.toml")) == {"h100-sxm"}
    assert "unknown key 'nonsense'" in audit(code=2).stderr
    assert "cannot be read" in audit("--config", "missing.toml", code=2).stderr


def test_fields_of_the_workload_are_checked() -> None:
    Path("auditor.toml").write_text("[workload]\ncontxt = 4096\n", encoding="utf-8")
    assert "'contxt' is no field of a workload; did you mean 'context'?" in audit(code=2).stderr


def test_an_ignored_finding_stays_and_does_not_count() -> None:
    on = ("--on", "trainium2/neuron-vllm", "--fail-on", "config-change")
    before = audit(*on, code=11)
    [rule] = [one["rule"] for one in json.loads(before.stdout)["models"][0]["targets"][0]["findings"] if one["verdict"] == "config-change"]
    ignore = f'[[ignore]]\nrule = "{rule}"\nmodel = "Qwen/*"\nreason = "the 16-bit original is served"\nuntil = 2026-12-31\n'
    Path("auditor.toml").write_text(ignore, encoding="utf-8")
    row = json.loads(audit(*on).stdout)["models"][0]["targets"][0]
    [finding] = [one for one in row["findings"] if one["rule"] == rule]
    assert finding["ignored"] == {"reason": "the 16-bit original is served", "until": "2026-12-31"}
    assert row["verdict"] == "config-change", "what is so does not change"
    Path("auditor.toml").write_text(ignore.replace("Qwen/*", "other/*"), encoding="utf-8")
    audit(*on, code=11)


def test_exceptions_that_are_wrong_stop_the_run() -> None:
    Path("auditor.toml").write_text('[[ignore]]\nrule = "moe"\nreason = "x"\nuntil = 2026-12-31\n', encoding="utf-8")
    assert "no rule is called 'moe'" in audit(code=2).stderr
    Path("auditor.toml").write_text('[[ignore]]\nrule = "moe"\nreason = "x"\nuntil = 2026-11-21\n', encoding="utf-8")
    assert "ended on 2026-11-21" in audit(code=2).stderr


def test_models_under_two_files_are_audited_apart(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        shutil.copy(FIXTURES / MODEL, tmp_path / name)
        (tmp_path / name / "auditor.toml").write_text("", encoding="utf-8")
    result = CliRunner().invoke(app, ["audit", f"one/{MODEL}", f"two/{MODEL}"])
    assert result.exit_code == 2
    assert "governed by several configurations" in result.stderr

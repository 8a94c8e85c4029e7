"""Recipes as they stand: every example is read by the program that it is for, and the action's script runs."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

from auditor.configuration import read
from tests.support.checkouts import checkout

ROOT = Path(__file__).parents[2]
GPTQ = {"quant_method": "gptq", "bits": 4, "group_size": 128}
RECIPES = ROOT / "docs" / "recipes"


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", sorted(RECIPES.glob("*.md")), ids=lambda page: page.name)
def test_examples_are_what_they_say(page: Path, tmp_path: Path) -> None:
    for text in blocks(page, "yaml"):
        assert isinstance(yaml.safe_load(text), dict)
    for text in blocks(page, "toml"):
        (tmp_path / "auditor.toml").write_text(text, encoding="utf-8")
        assert read(tmp_path / "auditor.toml").ignores


def test_the_library_page_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    [text] = blocks(ROOT / "docs" / "library.md", "python")
    exec(compile(text, "library.md", "exec"), {})  # noqa: S102 - our own page
    out = capsys.readouterr().out
    assert out.startswith("8030261248\nKnown(value='bfloat16', basis=<Basis.HEADER: 'header'>)\n")
    assert "h100-sxm/vllm-cuda native 1" in out


def test_every_hook_is_documented() -> None:
    text = (RECIPES / "pre-commit.md").read_text(encoding="utf-8")
    for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")):
        assert f"id: {hook['id']}" in text


def shell(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script as a runner does, with this auditor as the one that is installed."""
    own = folder.parent / "bin"
    own.mkdir(exist_ok=True)
    (own / "auditor").write_text(f'#!/bin/sh\nexec {sys.executable} -m auditor "$@"\n', encoding="utf-8")
    (own / "auditor").chmod(0o755)
    kept = {"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder.parent / "cache"), "PATH": f"{own}:{os.environ['PATH']}"}
    environment = {**os.environ, **kept, **variables}
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, cwd=folder, env=environment)


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.invalid", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder).stdout.strip()


@pytest.fixture
def changed(tmp_path: Path) -> tuple[Path, str]:
    """Return a repository in which a model became worse, and the commit before."""
    folder = tmp_path / "repository"
    checkout(folder / "model")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "a model")
    checkout(folder / "model", quantization_config=GPTQ)
    git(folder, "commit", "-q", "-a", "-m", "quantized")
    return folder, git(folder, "rev-parse", "HEAD~1")


def test_the_gitlab_template_runs(changed: tuple[Path, str]) -> None:
    folder, base = changed
    job = yaml.safe_load((RECIPES / "auditor.gitlab-ci.yml").read_text(encoding="utf-8"))["auditor"]
    # A template's own variables, then those that the recipe sets, then those of the runner.
    [example] = blocks(RECIPES / "gitlab.md", "yaml")
    variables = {**job["variables"], **yaml.safe_load(example)["auditor"]["variables"], "CI_MERGE_REQUEST_DIFF_BASE_SHA": base}
    assert shell("auditor policy init", folder).returncode == 0
    for script, code in ((job["script"], 11), (job["after_script"], 0)):
        done = shell("\n".join(["set -e", *script]), folder, **variables)
        assert done.returncode == code, done.stderr
    report = ET.parse(folder / job["artifacts"]["reports"]["junit"])  # noqa: S314 - our own
    assert report.getroot().find("testsuite") is not None
    assert "was native on Trainium2" in (folder / job["artifacts"]["paths"][0]).read_text(encoding="utf-8").replace("\\", "")


def test_a_night_of_the_fleet_and_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "fleet"
    checkout(folder / "model")
    (folder / "auditor.fleet.yaml").write_text("on: [h100, trn2]\nmodels: [{model: ./model}]\n", encoding="utf-8")
    assert shell("auditor policy init", folder).returncode == 0
    [text] = blocks(RECIPES / "nightly-fleet.md", "yaml")
    steps = [step for step in yaml.safe_load(text)["jobs"]["scan"]["steps"] if step.get("run", "").startswith("auditor")]
    assert len(steps) == 4
    for night, config in enumerate(({}, {"quantization_config": GPTQ})):
        checkout(folder / "model", **config)
        for step in steps:
            done = shell(step["run"], folder, GITHUB_STEP_SUMMARY=str(folder / "summary.md"))
            assert done.returncode == 0 or (night == 0 and step.get("continue-on-error")), done.stderr
    assert "trainium2/neuron-vllm" in (folder / "summary.md").read_text(encoding="utf-8")


def test_the_script_of_the_action(tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    checkout(folder / "model", quantization_config=GPTQ)
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    step = next(step for step in action["runs"]["steps"] if step.get("id") == "audit")
    assert "${{" not in step["run"], "inputs are never text of the script"
    inputs = {"TARGETS": "model", "SINCE": ""}
    inputs |= {"CHIPS": "trainium2/neuron-vllm", "POLICY": "", "FAIL_ON": "config-change", "SARIF": "a.sarif"}
    assert set(inputs) == set(step["env"])
    done = shell(step["run"], folder, **inputs, RUNNER_TEMP=str(tmp_path), GITHUB_STEP_SUMMARY=str(tmp_path / "summary.md"))
    assert done.returncode == 11, done.stderr
    assert "# Accelerator audit" in (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert (folder / "a.sarif").is_file()
    assert re.match(r"::notice file=model/config.json,line=\d\d,", done.stdout)


def test_the_action_compares_with_the_base(changed: tuple[Path, str], tmp_path: Path) -> None:
    folder, base = changed
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    step = next(step for step in action["runs"]["steps"] if step.get("id") == "audit")
    inputs = {"TARGETS": "", "SINCE": base, "CHIPS": "trainium2/neuron-vllm", "POLICY": "", "FAIL_ON": "regression", "SARIF": ""}
    done = shell(step["run"], folder, **inputs, RUNNER_TEMP=str(tmp_path), GITHUB_STEP_SUMMARY=str(tmp_path / "summary.md"))
    assert done.returncode == 11, done.stderr
    assert "::warning file=model/config.json" in done.stdout
    assert "was native on Trainium2, now config-change: quant_method became gptq" in done.stdout


def test_a_card_and_a_badge_as_the_page_about_github_makes_them(tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    checkout(folder / "models" / "ours")
    (folder / "docs").mkdir()
    [script] = blocks(RECIPES / "github.md", "sh")
    done = shell(script, folder)
    assert done.returncode == 0, done.stderr
    assert "auditor:begin" in (folder / "models" / "ours" / "README.md").read_text(encoding="utf-8")
    assert ET.parse(folder / "docs" / "badge.svg").getroot().tag.endswith("svg")  # noqa: S314 - our own

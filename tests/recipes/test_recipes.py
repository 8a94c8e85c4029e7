"""Recipes as they stand: every example is read by the program that it is for, and the action's script runs."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from auditor.configuration import read
from tests.support.checkouts import checkout

ROOT = Path(__file__).parents[2]
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


def test_the_gitlab_template_is_a_job() -> None:
    job = yaml.safe_load((RECIPES / "auditor.gitlab-ci.yml").read_text(encoding="utf-8"))["auditor"]
    assert job["artifacts"]["reports"]["junit"] in job["script"][0]


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_the_script_of_the_action(tmp_path: Path) -> None:
    checkout(tmp_path / "model", quantization_config={"quant_method": "gptq", "bits": 4, "group_size": 128})
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    step = next(step for step in action["runs"]["steps"] if step.get("id") == "audit")
    assert "${{" not in step["run"], "inputs are never text of the script"
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "auditor").write_text(f'#!/bin/sh\nexec {sys.executable} -m auditor "$@"\n', encoding="utf-8")
    (bin_folder / "auditor").chmod(0o755)
    inputs = {"TARGETS": "model", "SINCE": ""}
    inputs |= {"CHIPS": "trainium2/neuron-vllm", "POLICY": "", "FAIL_ON": "config-change", "SARIF": "a.sarif"}
    assert set(inputs) == set(step["env"])
    runner = {"RUNNER_TEMP": str(tmp_path), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"), "PYTHONPATH": str(ROOT)}
    environment = {**os.environ, **inputs, **runner, "PATH": f"{bin_folder}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", step["run"]], capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert done.returncode == 11, done.stderr
    assert "# Accelerator audit" in (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert (tmp_path / "a.sarif").is_file()
    assert done.stdout.startswith("::")

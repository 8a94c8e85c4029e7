"""`auditor audit --changed-since`: in real git repositories, with weights as git-LFS pointers."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from auditor.cli.registry import build
from auditor.gate.base import Base
from auditor.sources.options import SourceOptions
from tests.support.checkouts import checkout, pointer

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
AWQ = {"quant_method": "gptq", "bits": 4, "group_size": 128}


def git(*arguments: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


@pytest.fixture(autouse=True)
def _repository(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.chdir(tmp_path)
    git("init", "-q")
    for name in ("one", "two"):
        checkout(Path("models") / name)
    Path("README.md").write_text("models", encoding="utf-8")
    git("add", ".")
    git("commit", "-q", "-m", "models")


def audit(*arguments: str, code: int = 0) -> Result:
    command = ["audit", "--changed-since", "HEAD", "--on", "trainium2/neuron-vllm", "--today", "2026-11-22", "-f", "json", *arguments]
    result = CliRunner().invoke(build("audit"), command)
    assert result.exit_code == code, (result.exit_code, result.stderr)
    return result


def models(result: Result) -> dict[str, list[dict[str, Any]]]:
    return {model["id"]: model["regressions"] for model in json.loads(result.stdout)["models"]}


def test_nothing_changed() -> None:
    Path("README.md").write_text("other words", encoding="utf-8")
    assert models(audit()) == {}


def test_what_became_worse_and_why() -> None:
    checkout(Path("models/one"), quantization_config=AWQ)
    [worse] = models(audit("--fail-on", "regression", code=11))["models/one"]
    assert (worse["subject"], worse["before"], worse["now"]) == ("trainium2/neuron-vllm", "native", "config-change")
    assert worse["cause"] == "quant_method became gptq"
    assert worse["sentence"] == "was native on Trainium2, now config-change: quant_method became gptq"
    assert worse["facts"] == ["quant.method"]
    table = CliRunner().invoke(build("audit"), ["audit", "--changed-since", "HEAD", "--on", "trainium2/neuron-vllm"]).stdout
    assert "was native on Trainium2, now config-change: quant_method became gptq" in " ".join(table.split())


def test_what_became_better_is_no_regression() -> None:
    checkout(Path("models/one"), quantization_config=AWQ)
    git("commit", "-q", "-a", "-m", "worse")
    checkout(Path("models/one"))
    assert models(audit("--fail-on", "regression")) == {"models/one": []}


def test_more_devices() -> None:
    checkout(Path("models/two"), size=400_000_000_000)
    [worse] = models(audit("--fail-on", "regression"))["models/two"]
    assert worse["kind"] == "devices"
    assert int(worse["now"]) > int(worse["before"])
    assert worse["cause"].startswith("weights.bytes became 373 GiB (was 15.0 GiB)")


def test_a_new_model_has_nothing_to_be_worse_than_and_a_deleted_one_is_gone() -> None:
    checkout(Path("models/three"), quantization_config=AWQ)  # untracked
    shutil.rmtree("models/two")
    assert models(audit("--fail-on", "regression")) == {"models/three": []}


def test_a_deleted_model_is_told() -> None:
    shutil.rmtree("models/two")
    assert "models/two is gone" in audit().stderr


def test_a_moved_model_is_compared_with_what_it_was() -> None:
    git("mv", "models/one", "models/renamed")
    checkout(Path("models/renamed"), quantization_config=AWQ)
    [worse] = models(audit("--fail-on", "regression", code=11))["models/renamed"]
    assert worse["sentence"] == "was native on Trainium2, now config-change: quant_method became gptq"


def test_a_model_of_a_changed_fleet_file_is_asked_about_as_it_stands_there() -> None:
    Path("auditor.fleet.yaml").write_text(
        "models:\n  - {model: ./models/one, workload: {context: 9000}}\n  - {model: org/elsewhere}\n", encoding="utf-8"
    )
    [model] = json.loads(audit().stdout)["models"]
    assert (model["id"], model["workload"]["context"], model["regressions"]) == ("models/one", 9000, [])


def test_a_gguf_file_is_a_model_of_its_own() -> None:
    Path("models/one/model-Q4_0.gguf").write_text(pointer(1 << 30), encoding="utf-8")
    assert set(models(audit())) == {"models/one/model-Q4_0.gguf"}


def test_only_below_the_targets() -> None:
    for name in ("one", "two"):
        checkout(Path("models") / name, quantization_config=AWQ)
    assert set(models(audit("models/two"))) == {"models/two"}


def test_a_policy_no_longer_met() -> None:
    Path("policy.yaml").write_text("policy: p\nrules: [{id: plain, require: {quant.method: none}}]\n", encoding="utf-8")
    checkout(Path("models/one"), quantization_config=AWQ)
    found = models(audit("--policy", "policy.yaml", code=14))["models/one"]
    assert [one["sentence"] for one in found if one["kind"] == "policy"] == ["plain was met, now violated: quant_method became gptq"]


def test_the_base_is_where_the_branch_left() -> None:
    git("checkout", "-q", "-b", "feature")
    checkout(Path("models/one"), quantization_config=AWQ)
    git("commit", "-q", "-a", "-m", "feature")
    git("checkout", "-q", "main")
    checkout(Path("models/two"), quantization_config=AWQ)
    git("commit", "-q", "-a", "-m", "main goes on")
    git("checkout", "-q", "feature")
    changed = Base(Path.cwd(), "main").changed()
    assert [path.name for path in changed] == ["config.json"]
    assert changed[0].parent.name == "one"


def test_a_model_as_it_was_has_the_facts_of_its_folder() -> None:
    then = Base(Path.cwd(), "HEAD").snapshot("models/one", SourceOptions())
    assert then is not None
    assert (then.source, then.weights[0].files[0].size) == ("git", 16_060_522_496)
    assert then.files[-1].pointer


@pytest.mark.parametrize("revision", ["no-such-branch", "--output=x"])
def test_a_revision_that_is_none_is_one_line(revision: str) -> None:
    result = CliRunner().invoke(build("audit"), ["audit", f"--changed-since={revision}"])
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr
    assert revision in result.stderr or "merge-base" in result.stderr


def test_a_shallow_clone_says_what_to_fetch(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout(Path("models/one"), quantization_config=AWQ)
    git("commit", "-q", "-a", "-m", "second")
    clone = tmp_path_factory.mktemp("clone")
    git("clone", "-q", "--depth", "1", f"file://{tmp_path}", str(clone))
    monkeypatch.chdir(clone)
    result = CliRunner().invoke(build("audit"), ["audit", "--changed-since", "HEAD~1"])
    assert result.exit_code == 2
    assert "the clone is shallow: fetch its history" in result.stderr
    git("fetch", "-q", "--unshallow")
    result = CliRunner().invoke(build("audit"), ["audit", "--changed-since", "HEAD~1", "--on", "trainium2/neuron-vllm", "-f", "json"])
    assert models(result)["models/one"][0]["now"] == "config-change"


def test_a_repository_without_a_commit(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))
    git("init", "-q")
    stderr = audit(code=2).stderr
    assert "Traceback" not in stderr
    assert len(stderr.splitlines()) == 1


def test_outside_a_repository_git_says_so(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert "not a git repository" in audit(code=2).stderr

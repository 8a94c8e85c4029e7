"""The manifest under the real pre-commit, in git repositories whose weights are real git-lfs pointers."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.checkouts import CONFIG

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.server
GPTQ = {"quant_method": "gptq", "bits": 4, "group_size": 128}


def run(*command: str, code: int = 0, **environment: str) -> str:
    """Run a command, and return what it wrote to both streams."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == code, done.stdout
    return done.stdout


def commit(message: str, code: int = 0) -> str:
    run("git", "add", "-A")
    return run("git", "commit", "-q", "-m", message, code=code)


def model(folder: str, weights: str = "model.safetensors", **config: object) -> None:
    """Write a model with weights as git-lfs will store them."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    Path(folder, "config.json").write_text(json.dumps({**CONFIG, **config}, indent=2) + "\n", encoding="utf-8")
    if weights.endswith(".bin"):
        shutil.copy(ROOT / "tests" / "weights" / "data" / "legacy.bin", Path(folder, weights))
        return
    header = b'{"x":{"dtype":"BF16","shape":[64],"data_offsets":[0,128]}}'
    Path(folder, weights).write_bytes(len(header).to_bytes(8, "little") + header + bytes(128))


@pytest.fixture
def _repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a repository with git-lfs, and a clone of it that has fetched no weights, and go there."""
    pytest.importorskip("pre_commit")
    if subprocess.run(["git", "lfs", "version"], capture_output=True, check=False).returncode:
        pytest.skip("git-lfs is installed by make check")
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    for key, value in (("user.name", "t"), ("user.email", "t@example.invalid"), ("init.defaultBranch", "main")):
        run("git", "config", "--global", key, value)
    (tmp_path / "origin").mkdir()
    monkeypatch.chdir(tmp_path / "origin")
    run("git", "init", "-q")
    run("git", "lfs", "install", "--local")
    run("git", "lfs", "track", "*.safetensors", "*.bin")
    model("models/good")
    Path("config.json").write_text('{"port": 1}\n', encoding="utf-8")
    commit("a good model, and a config of something else")
    monkeypatch.setenv("GIT_LFS_SKIP_SMUDGE", "1")
    run("git", "clone", "-q", str(tmp_path / "origin"), str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    run("git", "lfs", "install", "--local")
    assert Path("models/good/model.safetensors").read_text(encoding="utf-8").startswith("version https://git-lfs.github.com/spec/v1\n")


@pytest.fixture
def _hooks(_repository: None) -> None:
    """Install the hooks of the manifest, but for the environment of their own: the test below makes that once."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    for hook in hooks:
        hook["language"] = "system"
        hook["entry"] = hook["entry"].replace("auditor ", f"{sys.executable} -m auditor ", 1)
        del hook["minimum_pre_commit_version"]
    Path(".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [{"repo": "local", "hooks": hooks}]}), encoding="utf-8")
    run(sys.executable, "-m", "pre_commit", "install")


@pytest.mark.usefixtures("_hooks")
def test_a_commit_is_checked_for_the_models_that_it_touches() -> None:
    model("models/bad", "pytorch_model.bin")
    said = commit("a bad one", code=1)
    assert "exit code: 14" in said
    assert "violated: no-pickled-weights" in said
    assert "models/good" not in said, "it did not change"
    Path("auditor.toml").write_text(
        '[[ignore]]\nrule = "no-pickled-weights"\nmodel = "models/bad"\nreason = "converted at load"\nuntil = 2099-12-31\n',
        encoding="utf-8",
    )
    commit("accepted")
    Path("auditor.toml").write_text(Path("auditor.toml").read_text(encoding="utf-8").replace("2099", "2025"), encoding="utf-8")
    model("models/bad", "pytorch_model.bin", torch_dtype="float16")
    assert "ended on 2025-12-31 (converted at load)" in commit("and expired", code=1)


@pytest.mark.usefixtures("_hooks")
def test_targets_of_the_settings_are_audited_over_pointers() -> None:
    Path("auditor.toml").write_text('on = ["trn2/neuron-vllm"]\nfail-on = "config-change"\n', encoding="utf-8")
    run("git", "add", "auditor.toml")
    model("models/new")
    commit("served as it is")
    Path("models/good/config.json").write_text(json.dumps({**CONFIG, "quantization_config": GPTQ}), encoding="utf-8")
    said = commit("no longer", code=1)
    assert "exit code: 11" in said
    assert "trainium2" in said
    model("models/large")
    Path("auditor.fleet.yaml").write_text("models: [{model: ./models/large, workload: {context: 9000}}]\n", encoding="utf-8")
    run("git", "checkout", "-q", "models/good/config.json")
    assert "9,000" in commit("beyond what it was trained for", code=1), "the workload of the fleet file"


@pytest.mark.usefixtures("_hooks")
def test_rules_of_ones_own_are_tested() -> None:
    run(sys.executable, "-m", "auditor", "rules", "new", "our-long-context", "--to", ".")
    Path("rules").mkdir()
    for name in ("our-long-context.yaml", "our-long-context.test.yaml"):
        Path(name).rename(Path("rules") / name)
    commit("a rule")
    tests = Path("rules/our-long-context.test.yaml")
    tests.write_text(tests.read_text(encoding="utf-8").replace("expect: fires", "expect: quiet"), encoding="utf-8")
    commit("broken", code=1)


@pytest.mark.usefixtures("_repository")
def test_the_manifest_as_it_stands() -> None:
    """pre-commit builds the package and installs it into an environment of its own, as it does for whoever uses the hook."""
    model("models/bad", "pytorch_model.bin")
    run("git", "add", "-A")
    said = run(sys.executable, "-m", "pre_commit", "try-repo", str(ROOT), "auditor", "--all-files", "--verbose", code=1)
    assert "violated: no-pickled-weights" in said, said
    assert "models/good" in said

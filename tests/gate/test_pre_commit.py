"""The manifest under the real pre-commit, in a git repository whose weights are git-LFS pointers."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.checkouts import checkout

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.server, pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")]


def run(*command: str, code: int = 0) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def _repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pre_commit")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    run("git", "init", "-q")
    for key, value in (("user.name", "t"), ("user.email", "t@example.invalid")):
        run("git", "config", key, value)
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    for hook in hooks:
        # As the manifest says, but for the environment of its own: that would install everything from the network.
        hook["language"] = "system"
        hook["entry"] = hook["entry"].replace("auditor ", f"{sys.executable} -m auditor ", 1)
        del hook["minimum_pre_commit_version"]
    settings = {"repos": [{"repo": "local", "hooks": hooks}]}
    Path(".pre-commit-config.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    run(sys.executable, "-m", "pre_commit", "install")


@pytest.mark.usefixtures("_repository")
def test_a_commit_is_checked_for_the_models_that_it_touches() -> None:
    checkout(Path("models/good"))
    Path("config.json").write_text('{"port": 1}', encoding="utf-8")
    run("git", "add", ".")
    run("git", "commit", "-q", "-m", "a good model")
    checkout(Path("models/bad"), "pytorch_model.bin")
    run("git", "add", ".")
    refused = subprocess.run(["git", "commit", "-q", "-m", "a bad one"], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "exit code: 14" in refused.stderr
    assert "violated: no-pickled-weights" in refused.stderr
    assert "models/good" not in refused.stderr, "it did not change"
    Path("auditor.toml").write_text(
        '[[ignore]]\nrule = "no-pickled-weights"\nmodel = "models/bad"\nreason = "converted at load"\nuntil = 2099-12-31\n',
        encoding="utf-8",
    )
    run("git", "add", ".")
    run("git", "commit", "-q", "-m", "accepted")


@pytest.mark.usefixtures("_repository")
def test_rules_of_ones_own_are_tested() -> None:
    run(sys.executable, "-m", "auditor", "rules", "new", "our-long-context", "--to", ".")
    Path("rules").mkdir()
    for name in ("our-long-context.yaml", "our-long-context.test.yaml"):
        Path(name).rename(Path("rules") / name)
    run("git", "add", ".")
    run("git", "commit", "-q", "-m", "a rule")
    tests = Path("rules/our-long-context.test.yaml")
    tests.write_text(tests.read_text(encoding="utf-8").replace("expect: fires", "expect: quiet"), encoding="utf-8")
    run("git", "add", ".")
    assert subprocess.run(["git", "commit", "-q", "-m", "broken"], capture_output=True, check=False).returncode == 1

"""SARIF under the checker of the format's own authors, with the rules of GitHub's code scanning."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from auditor.report import FORMATS, View
from tests.report.test_machine_formats import audit, hostile

pytestmark = pytest.mark.server
#: Where `make check` installs it.
NODE = Path(sys.prefix) / "node"
#: A warning about a page of the tool's own: the project has no public one to name.
ACCEPTED = {"SARIF2005"}


@pytest.fixture(scope="module")
def tool() -> str:
    if not (NODE / "node_modules").is_dir():
        pytest.skip("sarif-multitool is installed by make check")
    code = "process.stdout.write(require('@microsoft/sarif-multitool'))"
    return subprocess.run(["node", "-e", code], capture_output=True, text=True, check=True, cwd=NODE).stdout


def complaints(tool: str, folder: Path, log: dict[str, Any]) -> set[str]:
    """Return the ids of the rules that a log breaks. The tool's exit code is 0 whatever it finds, so its own report is read."""
    (folder / "log.sarif").write_text(json.dumps(log), encoding="utf-8")
    command = [tool, "validate", "log.sarif", "--rule-kind", "Sarif;Ghas", "--output", "found.sarif", "--log", "ForceOverwrite"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    assert "Analysis completed successfully" in done.stdout
    found = json.loads((folder / "found.sarif").read_text(encoding="utf-8-sig"))
    return {result["ruleId"] for run in found["runs"] for result in run["results"]}


@pytest.mark.parametrize("of", [audit, hostile], ids=["usual", "hostile"])
def test_nothing_is_wrong_with_it(tool: str, tmp_path: Path, of: Any) -> None:
    assert complaints(tool, tmp_path, json.loads(FORMATS["sarif"](of(), View()))) <= ACCEPTED


@pytest.mark.parametrize(("member", "rule"), [("message", "JSON1002"), ("locations", "GH1015")])
def test_the_checker_would_say_so(tool: str, tmp_path: Path, member: str, rule: str) -> None:
    log = json.loads(FORMATS["sarif"](audit(), View()))
    del next(result for run in log["runs"] for result in run["results"])[member]
    assert rule in complaints(tool, tmp_path, log)

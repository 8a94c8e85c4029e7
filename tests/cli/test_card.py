"""`auditor card`: a section that programs can read back, replaced in place, and a badge."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from auditor.cli.registry import build
from auditor.errors import ReportError
from auditor.report.badge import render as badge
from auditor.report.card import BEGIN, END, section, updated
from tests.support.audits import audit

LLAMA = str(Path(__file__).parents[2] / "fixtures" / "llama-3.1-8b-instruct.snapshot.json.gz")


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.chdir(tmp_path)


def card(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(build("card"), ["card", LLAMA, "--on", "h100", "--on", "trn2", "--today", "2026-11-22", *arguments])
    assert result.exit_code == code, (result.exit_code, result.stderr)
    return result


def test_printed_with_what_programs_read() -> None:
    text = card().stdout
    assert text.startswith(BEGIN)
    assert "| NVIDIA H100 SXM5 80 GB | vLLM on NVIDIA CUDA | native | 1 |" in text
    [found] = re.findall(r"<!-- auditor:metadata (.*) -->", text)
    document = json.loads(found)
    assert document["schema"] == "auditor/card/1"
    assert {"accelerator": "h100-sxm", "stack": "vllm-cuda"}.items() <= document["targets"][0].items() or any(
        row["accelerator"] == "h100-sxm" and row["verdict"] == "native" for row in document["targets"]
    )


def test_replaced_between_its_markers_and_nowhere_else() -> None:
    path = Path("README.md")
    path.write_text("---\nlicense: mit\n---\n# A model\n\nWords.\n", encoding="utf-8")
    card("--update", "README.md")
    first = path.read_text(encoding="utf-8")
    assert first.startswith("---\nlicense: mit\n---\n# A model\n\nWords.\n\n" + BEGIN)
    path.write_text(first + "\n## More words\n", encoding="utf-8")
    card("--update", "README.md", "--context", "4096")
    second = path.read_text(encoding="utf-8")
    assert second.endswith(END + "\n\n## More words\n")
    assert second.count(BEGIN) == 1
    assert "context 4,096" in second


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("text", ["---\nlicense: mit\ntags: [a,  b]\n---\n# A model\n\n\n", "# No end of the line", "\ufeff# A mark\n", ""])
def test_twice_is_once_and_the_rest_is_left_alone(text: str, end: str) -> None:
    path, before = Path("README.md"), text.replace("\n", end).encode()
    path.write_bytes(before)
    card("--update", "README.md")
    first = path.read_bytes()
    assert first.startswith(before)
    card("--update", "README.md")
    assert path.read_bytes() == first
    if end == "\r\n" and "\n" in text:
        assert first.count(b"\n") == first.count(b"\r\n")


@pytest.mark.parametrize("text", [BEGIN, END, f"{END}\n{BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"])
def test_markers_that_are_no_pair_are_left_alone(text: str) -> None:
    with pytest.raises(ReportError, match="leave one pair"):
        updated(text, "new")


def test_no_name_ends_the_comment() -> None:
    text = section(audit())
    [found] = re.findall(r"<!-- auditor:metadata (.*) -->", text)
    assert "--" not in found
    assert json.loads(found)["model"] == "org/model-8b"


def test_the_badge_is_an_image_with_words() -> None:
    card("--badge", "badge.svg")
    root = ET.fromstring(Path("badge.svg").read_text(encoding="utf-8"))  # noqa: S314 - our own
    assert root.get("aria-label") == "runs on: AWS, NVIDIA"
    assert ET.fromstring(badge(audit())) is not None  # noqa: S314 - our own


def test_a_model_that_cannot_be_read_changes_nothing() -> None:
    result = CliRunner().invoke(build("card"), ["card", "missing-folder/x.json", "--update", "README.md"])
    assert result.exit_code == 1
    assert not Path("README.md").exists()

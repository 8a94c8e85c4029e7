import io
import os
import stat
from pathlib import Path

import pytest

from auditor.cli.terminal import Terminal, wants_color, width
from auditor.errors import ReportError


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("choice", "environment", "tty", "colour"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_colour(choice: str, environment: dict[str, str], tty: bool, colour: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout", Tty() if tty else io.StringIO())
    assert wants_color(choice, None) is colour


def test_a_file_is_not_coloured_unless_told_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", Tty())
    assert not wants_color("auto", tmp_path / "report.txt")
    assert wants_color("always", tmp_path / "report.txt")


def test_a_file_is_eighty_columns_wide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert width(tmp_path / "report.txt") == 80
    monkeypatch.setenv("COLUMNS", "132")
    assert width(None) == width(tmp_path / "report.txt") == 132


def test_a_report_replaces_the_file_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    path.write_text("older and longer than the new one")
    path.chmod(0o640)
    Terminal.report("new\n", path)
    assert path.read_text() == "new\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_keeps_pointing_where_it_points(tmp_path: Path) -> None:
    path, link = tmp_path / "report.txt", tmp_path / "latest.txt"
    path.write_text("old")
    link.symlink_to(path)
    Terminal.report("new", link)
    assert link.is_symlink()
    assert path.read_text() == "new"


def test_a_device_is_written_to_and_not_replaced() -> None:
    Terminal.report("gone", Path(os.devnull))
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


@pytest.mark.parametrize("where", ["absent/report.txt", ""])
def test_what_cannot_be_written_is_one_sentence(where: str, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="cannot be written"):
        Terminal.report("text", tmp_path / where)
    assert list(tmp_path.iterdir()) == []


def test_notes_follow_the_verbosity(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal(0).note("usual")
    Terminal(1).note("detail", 2)
    Terminal(2).note("detail", 2)
    Terminal(0).error("an error\nin two lines")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "detail\nan error in two lines\n"


def test_a_stdout_that_lacks_a_letter_gets_a_question_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="ascii"))
    Terminal.report("a…b", None)
    assert raw.getvalue() == b"a?b"


def test_words_of_a_model_do_nothing_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal.report("a\x1b[2Jb\x1b]0;title\x07c\x9b2Jd\rgone\n\x1b[32mours\x1b[0m\n", None)
    Terminal(1).error("path \x1b[2J\nwith a line")
    captured = capsys.readouterr()
    assert captured.out.endswith("\n\x1b[32mours\x1b[0m\n")
    for said in (captured.out.splitlines()[0], captured.err.rstrip("\n")):
        assert not [character for character in said if ord(character) < 32 or 127 <= ord(character) < 160]

"""What every test may use: ``expected`` compares text with a file whole; ``pytest --update`` writes the file anew."""

import os
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is slow now and then; that is no failure of the code.
settings.register_profile("auditor", deadline=None)
settings.load_profile("auditor")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="write expected outputs anew instead of comparing with them")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let nothing be skipped where everything is said to be there (``make check``)."""
    report = yield
    if report.skipped and os.environ.get("AUDITOR_NO_SKIPS") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and make check skips nothing: {report.longrepr}"
    return report


@pytest.fixture
def expected(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Return ``check(text, name)``: ``text`` must be the content of ``expected/name`` beside the test."""

    def check(text: str, name: str) -> None:
        path = Path(request.path).parent / "expected" / name
        if request.config.getoption("--update"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        assert path.is_file(), f"{path} is missing: run pytest --update and read what it wrote"
        assert text == path.read_text(encoding="utf-8")

    return check

"""What every test may use: ``expected`` compares text with a file whole; ``pytest --update`` writes the file anew."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is slow now and then; that is no failure of the code.
settings.register_profile("auditor", deadline=None)
settings.load_profile("auditor")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="write expected outputs anew instead of comparing with them")


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

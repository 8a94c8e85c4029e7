"""The documentation is what the program does."""

import re
from pathlib import Path

import pytest

from auditor.cli.registry import COMMANDS, GROUPS
from auditor.report import FORMATS
from tools import make_docs_cli, make_docs_readme

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_screen_in_the_readme_is_real() -> None:
    assert make_docs_readme.TARGET.read_text(encoding="utf-8") == make_docs_readme.render(), "run python -m tools.make_docs_readme"


def test_the_page_of_commands_is_current() -> None:
    assert make_docs_cli.TARGET.read_text(encoding="utf-8") == make_docs_cli.render(), "run python -m tools.make_docs_cli"


def test_every_command_and_option_says_what_it_is_for() -> None:
    for name, command in make_docs_cli.commands():
        assert command.help, name
        for parameter in command.params:
            hidden = getattr(parameter, "hidden", False)
            assert hidden or getattr(parameter, "help", None), f"{name}: {parameter.name}"


@pytest.mark.parametrize("name", FORMATS)
def test_the_readme_names_every_format(name: str) -> None:
    assert f"`{name}`" in README


@pytest.mark.parametrize("name", [*COMMANDS, *GROUPS])
def test_the_readme_names_every_command(name: str) -> None:
    assert f"`{name}`" in README or f"`{name} " in README


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", *sorted(path.name for path in (ROOT / "docs").glob("*.md"))]
)
def test_links_between_pages_lead_somewhere(page: str) -> None:
    path = ROOT / page if (ROOT / page).is_file() else ROOT / "docs" / page
    for link in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        if not link.startswith(("https://", "http://", "<")):
            assert (path.parent / link).exists(), f"{page}: {link}"


def test_paths_that_contributors_are_sent_to_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8") + README
    for word in set(re.findall(r"`((?:auditor|rules|tests|tools|fixtures|schemas|docs)/[\w./-]*)`", text)):
        if not re.search("[A-Z]", word):  # NAME and ID stand for something
            assert (ROOT / word).exists(), word

"""Write docs/cli.md: every command with its arguments and options, from the program itself.

    python -m tools.make_docs_cli [--check]

With --check nothing is written; the exit code says whether the page is current.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from auditor.cli.app import app

TARGET = Path(__file__).resolve().parent.parent / "docs" / "cli.md"
INTRODUCTION = """\
<!-- Written by tools/make_docs_cli.py from auditor/cli. Do not edit. -->
# Commands

Every command with its arguments and options. An option marked *repeatable* may be given several times.
"""


def main() -> int:
    """Write the page, or say whether it is current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the page is not current")
    text = render()
    if parser.parse_args().check:
        current = TARGET.is_file() and TARGET.read_text(encoding="utf-8") == text
        print(f"{TARGET.name} is {'current' if current else 'out of date: run python -m tools.make_docs_cli'}")
        return 0 if current else 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


def render() -> str:
    """Return the page."""
    return INTRODUCTION + "".join(_page(command, name) for name, command in commands())


def commands() -> list[tuple[str, Any]]:
    """Return every command that does something, with its full name, in the order of ``--help``."""
    return list(_walk(typer.main.get_command(app), "auditor"))


def _walk(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for key, one in inner.items():
        yield from _walk(one, f"{name} {key}")


def _page(command: Any, name: str) -> str:
    shown = [parameter for parameter in command.params if not getattr(parameter, "hidden", False) and parameter.name != "help"]
    arguments = [one for one in shown if one.param_type_name == "argument"]
    usage = " ".join([name, *(one.metavar or one.name.upper() for one in arguments), "[OPTIONS]"])
    lines = ["", f"## {name}", "", f"`{usage}`", "", *_paragraphs(command.help or ""), ""]
    for one in shown:
        what = f"`{one.metavar or one.name.upper()}`" if one in arguments else _names(one)
        lines.append(f"- {what}: {one.help or ''}{_default(one)}")
    return "\n".join(lines) + "\n"


def _paragraphs(text: str) -> list[str]:
    parts = [" ".join(part.split()) for part in text.split("\n\n")]
    return "\n\n".join(part for part in parts if part).splitlines()


def _names(option: Any) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    if option.is_flag or option.count:
        return names
    return f"{names} `{option.metavar or 'VALUE'}`"


def _default(option: Any) -> str:
    value = option.default
    if value in (None, False, (), [], 0) or getattr(option, "is_flag", False):
        return ""
    return f" Default: `{value}`."


if __name__ == "__main__":
    sys.exit(main())

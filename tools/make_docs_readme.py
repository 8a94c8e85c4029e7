"""Write the screen of output in README.md: what ``auditor audit`` prints for a fixture, on a fixed day.

    python -m tools.make_docs_readme [--check]

With --check nothing is written; the exit code says whether the page is current.
"""

import argparse
import os
import sys
from pathlib import Path

from typer.testing import CliRunner

from auditor.cli.app import app

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "README.md"
MODEL = "fixtures/llama-3.1-8b-instruct.snapshot.json.gz"
#: Prices age by the day; this one makes the page the same tomorrow.
TODAY = "2026-11-22"
_START = "<!-- screen: written by tools/make_docs_readme.py, do not edit -->\n"
_END = "<!-- /screen -->\n"


def main() -> int:
    """Write the page, or say whether it is current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the page is not current")
    text = render()
    if parser.parse_args().check:
        current = TARGET.read_text(encoding="utf-8") == text
        print(f"{TARGET.name} is {'current' if current else 'out of date: run python -m tools.make_docs_readme'}")
        return 0 if current else 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


def render() -> str:
    """Return README.md with the screen written anew."""
    before, _, rest = TARGET.read_text(encoding="utf-8").partition(_START)
    _, _, after = rest.partition(_END)
    return f"{before}{_START}\n```console\n$ auditor audit {MODEL}\n{screen()}```\n\n{_END}{after}"


def screen() -> str:
    """Return what the command prints at 100 columns, without the line that names versions."""
    result = CliRunner().invoke(app, ["audit", str(ROOT / MODEL), "--today", TODAY, "--quiet"], env={**os.environ, "COLUMNS": "100"})
    if result.exit_code:
        raise SystemExit(result.stderr)
    lines = result.stdout.rstrip("\n").splitlines()
    return "\n".join(lines[:-1]).rstrip("\n") + "\n"


if __name__ == "__main__":
    sys.exit(main())

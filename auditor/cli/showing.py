"""What the listing commands share."""

from pathlib import Path
from typing import Annotated

import typer

from auditor.cli.flags import Screen
from auditor.cli.terminal import wants_color, width
from auditor.report import View

Rules = Annotated[
    list[Path] | None, typer.Option("--rules", metavar="DIR", help="Rules to add to the shipped ones. Repeatable.", show_default=False)
]


def view(output: Path | None, screen: Screen, *, every_row: bool = False, every_finding: bool = False, fail_on: str = "never") -> View:
    """Return how a report is shown where it goes."""
    return View(width(output), wants_color(screen.color, output), every_row, every_finding, fail_on)

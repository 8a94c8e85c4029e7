"""The command about model cards."""

from pathlib import Path
from typing import Annotated

import typer

from auditor.cli import exits
from auditor.cli.commands_models import Today, audit_targets
from auditor.cli.flags import Against, Config, Load, Money, OneTarget, Output, Screen, Source, Team, command
from auditor.errors import ReportError


@command
def card(
    target: OneTarget,
    *,
    update: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Replace the section between the markers of this model card, or add it.", show_default=False),
    ] = None,
    badge: Annotated[Path | None, typer.Option(metavar="FILE", help="Write an SVG badge here too.", show_default=False)] = None,
    output: Output = None,
    today: Today = None,
    against: Against,
    load: Load,
    money: Money,
    team: Team,
    source: Source,
    config: Config,
    screen: Screen,
) -> None:
    """Write the compatibility section of a model card.

    A table for people, and the same as JSON in a comment for programs.
    """
    result = audit_targets([target], source, against, load, money, team, today, screen, config)
    if result.models[0].rows:
        from auditor.report import badge as badges  # noqa: PLC0415
        from auditor.report import card as cards  # noqa: PLC0415

        text = cards.section(result)
        if update is not None:
            text = cards.updated(_read(update), text)
        screen.terminal.report(text, update or output)
        if badge is not None:
            screen.terminal.report(badges.render(result), badge)
    raise typer.Exit(exits.of_audit(result, exits.NEVER, strict=False))


def _read(path: Path) -> str:
    try:
        if not path.exists():
            return ""
        with path.open(encoding="utf-8", newline="") as file:  # line ends are the card's own
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise ReportError(f"{path} cannot be read: {error}", "name a model card with --update") from None

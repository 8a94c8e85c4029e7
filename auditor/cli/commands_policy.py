"""The commands about policies: init, check."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from auditor.cli import exits
from auditor.cli.flags import Against, Config, Demands, ListOut, Load, Money, Screen, Source, Targets, Team, command
from auditor.cli.showing import Rules, view
from auditor.errors import ReportError

Today = Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="Day to judge by.", hidden=True)]


@command
def init(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="File to write.")] = Path("policy.yaml"),
    *,
    screen: Screen,
) -> None:
    """Write a policy to start from.

    It holds as it is, and says what else can be demanded.
    """
    from auditor.policy.files import DEFAULT  # noqa: PLC0415

    if path.exists():
        raise ReportError(f"{path} is there already", "name another file")
    screen.terminal.report(DEFAULT.read_text(encoding="utf-8"), path)
    screen.terminal.note(f"wrote {path}; judge models by it with `auditor policy check --policy {path} MODEL`")


@command
def check(
    *,
    targets: Targets = None,
    demands: Demands,
    strict: Annotated[bool, typer.Option("--strict", help="Count what cannot be decided as violated.")] = False,
    rules: Rules = None,
    today: Today = None,
    load: Load,
    money: Money,
    team: Team,
    source: Source,
    config: Config,
    out: ListOut,
    screen: Screen,
) -> None:
    """Check policies, and models against them.

    Without models: that the files load, that their targets exist, and that no exception has expired.
    """
    from auditor.cli.auditing import checked, open_catalog, policies  # noqa: PLC0415  # the rest of the program
    from auditor.cli.reading import Reader  # noqa: PLC0415
    from auditor.report.policy import CHECKS  # noqa: PLC0415

    day = today or date.today().isoformat()  # noqa: DTZ011  # the reader's own day
    wanted = policies(demands, config, day)
    if not wanted:
        screen.terminal.error("auditor: no policy; name one with --policy, or write one with `auditor policy init`")
        raise typer.Exit(exits.NOTHING)
    catalog = open_catalog(rules)
    for policy in wanted:
        catalog.find_targets(policy.targets)
        screen.terminal.note(f"{policy.name}: {len(policy.rules)} rules, {len(policy.exceptions)} exceptions")
    if not targets:
        return
    reader = Reader(source, screen.terminal, kv_dtype=load.kv_dtype or load.configured.get("kv_dtype"), debug=screen.traceback)
    models = checked([reader.inspection(target) for target in targets], Against(rules=rules), load, money, team, day, config, wanted).models
    screen.terminal.report(CHECKS[out.format](models, view(out.output, screen)), out.output)
    raise typer.Exit(exits.of_policies(models, strict=strict))

"""The command for hooks: check the models that changed files belong to."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.cli import exits
from auditor.cli.flags import Against, Config, Demands, Load, Money, Out, Screen, Source, Team, command, one_of
from auditor.cli.showing import view
from auditor.report import FORMATS, POINTING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.cli.fleet_targets import Asked
    from auditor.inspection.model import Inspection
    from auditor.policy.files import Judged
    from auditor.results import Audit

#: Formats that need no audit where nothing is audited.
_BRIEF = ("table", "json")


@command
def gate(
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE...", help="Files that changed.", show_default=False)] = None,
    *,
    fail_on: Annotated[
        str,
        typer.Option(metavar="VERDICT", callback=one_of(*exits.THRESHOLDS), help="Exit 11, 12 or 13 from this verdict on."),
    ] = exits.NEVER,
    strict: Annotated[bool, typer.Option("--strict", help="Count unknown verdicts and undecided policy rules as failures.")] = False,
    today: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", hidden=True)] = None,
    demands: Demands,
    against: Against,
    load: Load,
    money: Money,
    team: Team,
    source: Source,
    config: Config,
    out: Out,
    screen: Screen,
) -> None:
    """Check the models that changed files belong to, as a commit hook does.

    Each model once, against the targets and policies of the settings. Where these name neither, what the files say is
    checked by itself: that they can be read, and by the policy that ``auditor policy init`` writes.
    """
    from auditor.cli.fleet_targets import asked_of_files, jobs  # noqa: PLC0415  # the layers that read models

    terminal = screen.terminal
    wanted, elsewhere = asked_of_files(files or (), against, load)
    if elsewhere:
        terminal.note(f"{elsewhere} models of fleet files do not lie here and are left to `auditor fleet scan`")
    if not wanted:
        terminal.note("no model changed")
        return
    day = today or date.today().isoformat()  # noqa: DTZ011  # the reader's own day
    pointing = out.format in POINTING
    found = [(job[0], _read(job, source, screen, places=pointing)) for job in jobs(wanted)]
    if demands.policy or any(first.against.on for first, _ in found):
        from auditor.cli.auditing import audited, checked, joined, policies  # noqa: PLC0415  # the rest of the program
        from auditor.cli.reading import draft_of  # noqa: PLC0415

        demanded, draft = policies(demands, config, day), draft_of(source, against, load, screen)
        result = joined(
            [
                audited(models, first.against, first.load, money, team, day, config, demanded, draft)
                if first.against.on
                # Where there are policies alone, the rows are nobody's question.
                else checked(models, first.against, first.load, money, team, day, config, demanded)
                for first, models in found
            ],
            against,
            team,
        )
    else:
        judged = _by_files([model for _, models in found for model in models], config, day)
        if out.format in _BRIEF:
            from auditor.report.policy import CHECKS  # noqa: PLC0415

            terminal.report(CHECKS[out.format](judged, view(out.output, screen)), out.output)
            raise typer.Exit(exits.of_policies(judged, strict=strict))
        result = _without_rows(judged, day)
    if pointing:
        from auditor.gate.anchors import anchored  # noqa: PLC0415

        result = anchored(result, Path.cwd())
    shown = view(out.output, screen, every_row=True, every_finding=out.everything, fail_on=fail_on)
    terminal.report(FORMATS[out.format](result, shown), out.output)
    raise typer.Exit(exits.of_audit(result, fail_on, strict=strict))


def _read(job: "Sequence[Asked]", source: Source, screen: Screen, *, places: bool) -> "list[Inspection]":
    from auditor.cli.reading import Reader  # noqa: PLC0415

    load = job[0].load
    kv_dtype = load.kv_dtype or load.configured.get("kv_dtype")
    reader = Reader(source, screen.terminal, kv_dtype=kv_dtype, places=places, debug=screen.traceback)
    return [replace(reader.inspection(one.target), entry=one.entry) for one in job]


def _by_files(found: "list[Inspection]", config: Config, today: str) -> "list[Judged]":
    """Return what the files of each model say of themselves."""
    from auditor.policy.files import Judged, default_policy, of_files  # noqa: PLC0415

    if config.found:
        config.found.check_day(today)
    ignores = config.found.ignores if config.found else ()
    policy = default_policy()
    return [Judged(one, of_files(one, [policy], ignores, today=today)) for one in found]


def _without_rows(judged: "list[Judged]", today: str) -> "Audit":
    import auditor  # noqa: PLC0415
    from auditor.results import Audit, ModelAudit  # noqa: PLC0415
    from auditor.workload import Workload  # noqa: PLC0415

    models = (ModelAudit(one.inspection, Workload(), {}, (), policy=one.policy) for one in judged)
    return Audit(auditor.__version__, "not read", today, tuple(models))

"""The commands about models: audit, inspect, explain, compare."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from auditor.cli import exits
from auditor.cli.flags import (
    Against,
    ComparisonOut,
    Config,
    Demands,
    ExplanationOut,
    InspectionOut,
    Load,
    Money,
    OneTarget,
    Out,
    Screen,
    Source,
    Targets,
    Team,
    command,
    one_of,
)
from auditor.cli.showing import view
from auditor.cli.terminal import Terminal
from auditor.errors import WorkloadError
from auditor.report import FORMATS, INSPECTION_FORMATS, POINTING

if TYPE_CHECKING:
    from auditor.inspection.model import Inspection
    from auditor.results import Audit

Today = Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="Date to judge prices and sources by.", hidden=True)]


@command
def audit(
    *,
    targets: Targets = None,
    fail_on: Annotated[
        str,
        typer.Option(metavar="VERDICT", callback=one_of(*exits.THRESHOLDS), help="Exit 11, 12 or 13 from this verdict on."),
    ] = exits.NEVER,
    strict: Annotated[bool, typer.Option("--strict", help="Count unknown verdicts and undecided policy rules as failures.")] = False,
    changed_since: Annotated[
        str | None,
        typer.Option(metavar="REV", help="Audit what changed since this git revision, and say what became worse.", show_default=False),
    ] = None,
    today: Today = None,
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
    """Audit models against accelerators.

    One row per model and target: verdict, devices, speed, price, weeks, and what stands in the way.
    """
    pointing = out.format in POINTING
    if changed_since is not None:
        from auditor.cli.changes import audited_since  # noqa: PLC0415
        from auditor.cli.reading import draft_of  # noqa: PLC0415

        draft = draft_of(source, against, load, screen)

        def ask(found: "Sequence[Inspection]", aims: Against, own: Load) -> "Audit":
            return _audit_of(found, aims, own, money, team, today, config, demands, draft)

        result = audited_since(changed_since, targets or (), source, against, load, team, screen, ask)
    else:
        if not targets:
            _nothing(screen.terminal)
        result = audit_targets(targets or [], source, against, load, money, team, today, screen, config, demands, places=pointing)
    if pointing:
        from auditor.gate.anchors import anchored  # noqa: PLC0415

        result = anchored(result, Path.cwd())
    shown = view(out.output, screen, every_row=out.everything or bool(against.on), every_finding=out.everything, fail_on=fail_on)
    screen.terminal.report(FORMATS[out.format](result, shown), out.output)
    raise typer.Exit(exits.of_audit(result, fail_on, strict=strict))


@command
def explain(
    target: OneTarget,
    *,
    today: Today = None,
    against: Against,
    load: Load,
    money: Money,
    team: Team,
    source: Source,
    config: Config,
    out: ExplanationOut,
    screen: Screen,
) -> None:
    """Explain one model on one accelerator.

    Every number with its formula, its inputs, their basis and their sources. Wants --on.
    """
    if not against.on:
        raise WorkloadError("explain takes one accelerator at a time", "name it with --on, such as --on h100")
    against = Against(**{**vars(against), "alternatives": True})
    result = audit_targets([target], source, against, load, money, team, today, screen, config)
    from auditor.report.explain import EXPLANATIONS  # noqa: PLC0415  # after the error that needs none of it

    shown = view(out.output, screen)
    if result.models[0].rows:
        screen.terminal.report(EXPLANATIONS[out.format](result, shown), out.output)
    raise typer.Exit(exits.of_audit(result, exits.NEVER, strict=False))


@command
def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="A model, in any form that `auditor audit` takes.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The model to set beside it.")],
    *,
    today: Today = None,
    against: Against,
    load: Load,
    money: Money,
    team: Team,
    source: Source,
    config: Config,
    out: ComparisonOut,
    screen: Screen,
) -> None:
    """Compare two models on the same targets.

    Variants and revisions of one model are two models: org/name@one org/name@two.
    """
    result = audit_targets([first, second], source, against, load, money, team, today, screen, config)
    from auditor.report.comparison import COMPARISONS  # noqa: PLC0415

    shown = view(out.output, screen, every_row=bool(against.on))
    screen.terminal.report(COMPARISONS[out.format](result, shown), out.output)
    raise typer.Exit(exits.of_audit(result, exits.NEVER, strict=False))


@command
def inspect(
    *,
    targets: Targets = None,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a snapshot that audits anywhere, without the weights.", show_default=False)
    ] = None,
    kv_dtype: Annotated[str | None, typer.Option(help="Type of the cache, such as bfloat16 or fp8.", show_default=False)] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Leave the headers of weight files unread.")] = False,
    source: Source,
    out: InspectionOut,
    screen: Screen,
) -> None:
    """Say what models' files say.

    Architecture, parameters, precision, cache: facts with their basis, and no accelerator involved.
    """
    terminal = screen.terminal
    if not targets:
        _nothing(terminal)
    if save is not None and len(targets or []) != 1:
        raise WorkloadError(f"--save writes one snapshot, and {len(targets or [])} targets were given", "save one model at a time")
    found = list(_inspections(targets or [], source, screen, kv_dtype, fast=fast, save=save))
    shown = view(out.output, screen)
    terminal.report(INSPECTION_FORMATS[out.format](found, shown), out.output)
    raise typer.Exit(exits.INCOMPLETE if any(one.errors for one in found) else exits.OK)


def audit_targets(
    targets: list[str],
    source: Source,
    against: Against,
    load: Load,
    money: Money,
    team: Team,
    today: str | None,
    screen: Screen,
    config: Config,
    demands: Demands | None = None,
    *,
    places: bool = False,
) -> "Audit":
    """Return the audit that the options of a command ask for; of a fleet file, each model with its own workload.

    With ``places``, its inspections say where each fact stands.
    """
    from auditor.cli.auditing import joined, workload  # noqa: PLC0415  # the rest of the program
    from auditor.cli.fleet_targets import asked, has_fleet, jobs, money_of  # noqa: PLC0415
    from auditor.cli.reading import draft_of  # noqa: PLC0415

    if not has_fleet(targets):
        found = _inspections(targets, source, screen, workload(load).kv_dtype, places=places)
        return _audit_of(found, against, load, money, team, today, config, demands, draft_of(source, against, load, screen))
    parts = []
    for job in jobs(asked(targets, against, load)):
        aims, own = job[0].against, job[0].load
        found = _inspections([one.target for one in job], source, screen, workload(own).kv_dtype, places=places)
        listed = [replace(one, entry=each.entry) for one, each in zip(found, job, strict=True)]
        paid = money_of(money, job[0].prices)
        parts.append(_audit_of(listed, aims, own, paid, team, today, config, demands, draft_of(source, aims, own, screen)))
    if not parts:
        _nothing(screen.terminal)
    return joined(parts, against, team)


def _audit_of(
    found: "Sequence[Inspection]",
    against: Against,
    load: Load,
    money: Money,
    team: Team,
    today: str | None,
    config: Config,
    demands: Demands | None,
    draft: "Inspection | None",
) -> "Audit":
    from auditor.cli.auditing import audited, policies  # noqa: PLC0415  # the rest of the program

    day = today or date.today().isoformat()  # noqa: DTZ011  # the reader's own day
    demanded = policies(demands, config, day) if demands else ()
    return audited(found, against, load, money, team, day, config, demanded, draft)


def _inspections(
    targets: list[str],
    source: Source,
    screen: Screen,
    kv_dtype: str | None,
    *,
    fast: bool = False,
    places: bool = False,
    save: Path | None = None,
) -> "list[Inspection]":
    from auditor.cli.reading import Reader  # noqa: PLC0415  # the layers that read models

    reader = Reader(source, screen.terminal, kv_dtype=kv_dtype, fast=fast, places=places, debug=screen.traceback)
    return [reader.inspection(target, save) for target in targets]


def _nothing(terminal: Terminal) -> NoReturn:
    terminal.error("auditor: nothing to audit; name a folder, a file or a Hub id")
    raise typer.Exit(exits.NOTHING)

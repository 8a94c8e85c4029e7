"""The commands about many models: discover, scan, report, diff."""

import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.cli import exits
from auditor.cli.flags import Against, Config, Load, Money, Screen, Source, Team, command, one_of
from auditor.cli.showing import Rules, view
from auditor.errors import ReportError, WorkloadError
from auditor.report import FLEET_FORMATS

if TYPE_CHECKING:
    from auditor.fleet.jobs import Progress
    from auditor.fleet.model import Fleet
    from auditor.fleet.store import Store

_PARQUET = "parquet"
#: Seconds between two states of the progress line.
_REDRAW_S = 0.1
StoreFile = Annotated[
    Path, typer.Option("--store", metavar="FILE", help="The fleet's store; made when it is not there.", show_default=False)
]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the report here.", show_default=False)]


@command
def discover(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE...",
            help="Folders, Hub caches and Ollama stores; manifests, rendered charts and Compose files (- reads them from stdin); "
            "http:// addresses of vLLM, SGLang and TGI; hf://ORG and hf://collections/OWNER/SLUG; object stores' URLs; mlflow://HOST:PORT.",
            show_default=False,
        ),
    ] = None,
    *,
    server_token: Annotated[
        str | None,
        typer.Option(metavar="TOKEN", help="For servers and registries; the Hub's goes to the Hub alone.", show_default=False),
    ] = None,
    token: Annotated[str | None, typer.Option(help="Hub access token.", envvar="HF_TOKEN", show_default=False, show_envvar=True)] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask the Hub.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the fleet file here.", show_default=False)
    ] = None,
    screen: Screen,
) -> None:
    """Find the models that a team has and serves, and write them down as a fleet file."""
    if not sources:
        raise typer.Exit(_nothing(screen))
    from auditor.cli.discovering import openable, search  # noqa: PLC0415  # the rest of the program
    from auditor.fleet.file import write_fleet  # noqa: PLC0415

    found = search(sources, server_token=server_token, token=token, offline=offline)
    models = openable(found.models, output)
    for line in found.problems:
        screen.terminal.error(f"auditor: {line}")
    for line in found.notes:
        screen.terminal.note(line, 1)
    if not found.models:
        if not found.problems:
            screen.terminal.error("auditor: no model is there")
        raise typer.Exit(exits.INCOMPLETE if found.problems else exits.NOTHING)
    screen.terminal.report(write_fleet(models, ", ".join(sources)), output)
    screen.terminal.note(f"{len(found.models)} models{f' in {output}' if output else ''}", 1)
    raise typer.Exit(exits.INCOMPLETE if found.problems else exits.OK)


@command
def scan(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="SOURCE...", help="Fleet files, or models as `audit` takes them.", show_default=False)
    ] = None,
    *,
    store: StoreFile,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Processes that audit a large fleet.")] = 2,
    fast: Annotated[bool, typer.Option("--fast", help="Leave the headers of weight files unread.")] = False,
    against: Against,
    load: Load,
    money: Money,
    team: Team,
    source: Source,
    config: Config,
    screen: Screen,
) -> None:
    """Audit a fleet into its store; unchanged models are passed over, an interrupted scan is taken up again."""
    if not sources:
        raise typer.Exit(_nothing(screen))
    from auditor.cli.auditing import ignored  # noqa: PLC0415  # the rest of the program
    from auditor.cli.scanning import fleet_context  # noqa: PLC0415
    from auditor.fleet.scan import scan as run  # noqa: PLC0415

    fleet = _fleet(sources)
    if not fleet.models:
        raise typer.Exit(_nothing(screen))
    today = date.today().isoformat()  # noqa: DTZ011  # the reader's own day
    ignored(config, today)  # they mark nothing in a store, and one that has expired is to be looked at all the same
    context = fleet_context(fleet, against, load, money, team, source, today, fast=fast)
    with _store(store) as opened:
        state = run(fleet.models, opened, context, processes=processes, progress=_bar(screen, len(fleet.models)))
    resumed = f", {state.resumed} from a scan that was interrupted" if state.resumed else ""
    failed = f", {state.failed} could not be read" if state.failed else ""
    screen.terminal.note(f"{state.done} models, {state.unchanged} unchanged{resumed}{failed}, {state.seconds:.1f} s; in {store}", 1)
    raise typer.Exit(exits.INCOMPLETE if state.failed else exits.OK)


@command
def report(
    *,
    store: StoreFile,
    kind: Annotated[
        str,
        typer.Option(
            "--format",
            "-f",
            metavar="|".join([*FLEET_FORMATS, _PARQUET]),
            callback=one_of(*FLEET_FORMATS, _PARQUET),
            help="Format of the report.",
        ),
    ] = "table",
    output: Output = None,
    number: Annotated[
        int | None, typer.Option("--scan", min=1, help="Which scan; the last complete one by default.", show_default=False)
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show every row, however long the table.")] = False,
    rules: Rules = None,
    config: Config,  # noqa: ARG001  # its rules are laid under the option
    screen: Screen,
) -> None:
    """Say what a scanned fleet adds up to: what could move where, at what cost, in which order."""
    from auditor.fleet.summary import summarise  # noqa: PLC0415

    if kind == _PARQUET:
        if output is None:
            raise WorkloadError("parquet is a folder of files", "name it with --output FOLDER")
        with _store(store, read_only=True) as opened:
            for path in opened.export(output):
                screen.terminal.note(str(path), 1)
        return
    from auditor.cli.auditing import open_catalog  # noqa: PLC0415

    with _store(store, read_only=True) as opened:
        # The rest is planned only for who wants every row, or reads the figures by program.
        found = summarise(opened, open_catalog(rules).effort, number, every_plan=everything or kind not in {"table", "markdown", "html"})
    screen.terminal.report(FLEET_FORMATS[kind](found, view(output, screen, every_row=everything)), output)


@command
def diff(
    *,
    store: StoreFile,
    before: Annotated[int | None, typer.Option(min=1, help="Earlier scan; the last but one by default.", show_default=False)] = None,
    after: Annotated[int | None, typer.Option(min=1, help="Later scan; the last by default.", show_default=False)] = None,
    kind: Annotated[
        str, typer.Option("--format", "-f", metavar="table|json", callback=one_of("table", "json"), help="Format of the comparison.")
    ] = "table",
    output: Output = None,
    screen: Screen,
) -> None:
    """Compare two scans: models that came, went or changed, and verdicts with the cause."""
    from auditor.fleet.diff import diff as compare  # noqa: PLC0415
    from auditor.report import fleet_json, fleet_table  # noqa: PLC0415

    if (before is None) != (after is None):
        raise WorkloadError("--before and --after belong together", "give both, or neither for the last two scans")
    with _store(store, read_only=True) as opened:
        found = compare(opened, before, after)
    text = fleet_json.render_diff(found) if kind == "json" else fleet_table.render_diff(found, view(output, screen))
    screen.terminal.report(text, output)


def _store(path: Path, *, read_only: bool = False) -> "Store":
    try:
        from auditor.fleet.store import Store  # noqa: PLC0415  # a database engine
    except ModuleNotFoundError:
        raise ReportError("a fleet's store needs DuckDB, which is not installed", "pip install 'auditor[fleet]'") from None
    return Store(path, read_only=read_only)


def _fleet(sources: list[str]) -> "Fleet":
    """Return all sources as one fleet: fleet files as they are, anything else as a model of its own."""
    from auditor.fleet.file import is_fleet_file, read_fleet  # noqa: PLC0415
    from auditor.fleet.model import Fleet, FleetModel  # noqa: PLC0415

    files = [read_fleet(Path(text)) if is_fleet_file(Path(text)) else Fleet((FleetModel(text),)) for text in sources]
    defaults = {name: value for fleet in files for name, value in fleet.defaults.items()}
    on = tuple(dict.fromkeys(name for fleet in files for name in fleet.on))
    prices = {name: usd for fleet in files for name, usd in fleet.prices.items()}
    return Fleet(tuple(model for fleet in files for model in fleet.models), on, defaults, prices)


def _nothing(screen: Screen) -> int:
    screen.terminal.error("auditor: no model given; name a fleet file, or models as `auditor audit` takes them")
    return exits.NOTHING


def _bar(screen: Screen, total: int) -> "Callable[[Progress], None]":
    """Return what shows progress: one line on a terminal, nothing elsewhere."""
    shown = not screen.quiet and sys.stderr.isatty()
    last = 0.0

    def show(state: "Progress") -> None:
        nonlocal last
        over = state.done >= total
        if not shown or (state.seconds - last < _REDRAW_S and not over):
            return
        last = state.seconds
        rate = (state.done - state.resumed) / state.seconds if state.seconds else 0.0
        line = f"{state.done}/{total} models, {state.unchanged} unchanged, {state.failed} failed, {rate:.0f}/s"
        sys.stderr.write(f"\r{line} " + ("\n" if over else ""))
        sys.stderr.flush()

    return show

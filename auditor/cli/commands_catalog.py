"""The commands about what auditor knows: accelerators, facts, schemas."""

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from auditor.cli import exits
from auditor.cli.flags import ListOut, Screen, command
from auditor.cli.showing import Rules, view
from auditor.cli.terminal import Terminal


@command
def list_accelerators(*, rules: Rules = None, out: ListOut, screen: Screen) -> None:
    """List every accelerator."""
    from auditor.cli.auditing import open_catalog  # noqa: PLC0415  # reads all of rules/
    from auditor.report import accelerators  # noqa: PLC0415

    catalog = open_catalog(rules)
    everything = [catalog.accelerators[name] for name in sorted(catalog.accelerators)]
    stacks = [catalog.stacks[name] for name in sorted(catalog.stacks)]
    if out.format == "json":
        text = accelerators.list_json(everything, stacks)
    else:
        text = accelerators.list_table(everything, stacks, view(out.output, screen))
    screen.terminal.report(text, out.output)


@command
def show_accelerator(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Id, alias or family of an accelerator.")],
    *,
    rules: Rules = None,
    out: ListOut,
    screen: Screen,
) -> None:
    """Show the datasheet of one accelerator.

    Every figure with its source, its date and its confidence.
    """
    from auditor.cli.auditing import chips, open_catalog  # noqa: PLC0415  # reads all of rules/
    from auditor.report import accelerators  # noqa: PLC0415

    catalog = open_catalog(rules)
    chosen = chips(name, catalog)
    stacks = [catalog.stacks[key] for key in sorted(catalog.stacks)]
    if out.format == "json":
        text = accelerators.sheets_json(chosen, stacks, catalog.prices)
    else:
        text = accelerators.sheets_table(chosen, stacks, catalog.prices, view(out.output, screen))
    screen.terminal.report(text, out.output)


@command
def facts(*, out: ListOut, screen: Screen) -> None:
    """List every fact that a rule may read."""
    from auditor.facts import CATALOGUE  # noqa: PLC0415
    from auditor.report import fact_list  # noqa: PLC0415

    text = fact_list.render_json(CATALOGUE) if out.format == "json" else fact_list.render_table(CATALOGUE, view(out.output, screen))
    screen.terminal.report(text, out.output)


@command
def schema(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Which schema; without it, their names.", show_default=False)] = None,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the schema here.", show_default=False)
    ] = None,
    screen: Screen,
) -> None:
    """Print a JSON Schema of ours."""
    from auditor._shipped import SCHEMAS  # noqa: PLC0415

    names = sorted(path.name.removesuffix(".schema.json") for path in SCHEMAS.glob("*.schema.json"))
    if name is None:
        screen.terminal.report("".join(f"{one}\n" for one in names), output)
        return
    if name not in names:
        unknown("schema", name, names)
    screen.terminal.report((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"), output)


def unknown(kind: str, name: str, names: list[str]) -> NoReturn:
    """Say that ``name`` is none of ``names``, and what may have been meant."""
    near = get_close_matches(name, names, 3)
    meant = f"did you mean {' or '.join(near)}?" if near else f"choose from {', '.join(sorted(names))}"
    Terminal.error(f"auditor: {name!r} is no {kind}; {meant}")
    raise typer.Exit(exits.USAGE)

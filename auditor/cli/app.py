"""Every command, by name. The modules behind them import what they need when they run: ``--help`` is to be quick."""

from typing import Annotated

import typer

from auditor.cli import commands_catalog, commands_fleet, commands_models, commands_policy, commands_rules

app = typer.Typer(
    name="auditor",
    help=(
        "On which accelerators would a model run, on how many devices, how fast and at what price, what stands in the way, "
        "and how many engineer-weeks is the move? Reads files' headers only: no weights, no GPU, no PyTorch."
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
rules = typer.Typer(help="List, show, check and test the rules.", no_args_is_help=True, rich_markup_mode=None)
fleet = typer.Typer(help="Find, audit and remember every model that a team serves.", no_args_is_help=True, rich_markup_mode=None)
policy = typer.Typer(help="Write policies, and check models against them.", no_args_is_help=True, rich_markup_mode=None)
accelerators = typer.Typer(help="List and show the accelerators.", no_args_is_help=True, rich_markup_mode=None)


def _version(asked: bool) -> None:
    if asked:
        import auditor  # noqa: PLC0415  # looking the version up takes longer than all else here

        typer.echo(f"auditor {auditor.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")] = False,
) -> None:
    pass


app.command("audit")(commands_models.audit)
app.command("inspect")(commands_models.inspect)
app.command("explain")(commands_models.explain)
app.command("compare")(commands_models.compare)
app.add_typer(rules, name="rules")
app.add_typer(accelerators, name="accelerators")
app.add_typer(fleet, name="fleet")
app.add_typer(policy, name="policy")
app.command("facts")(commands_catalog.facts)
app.command("schema")(commands_catalog.schema)

accelerators.command("list")(commands_catalog.list_accelerators)
accelerators.command("show")(commands_catalog.show_accelerator)

rules.command("list")(commands_rules.list_rules)
rules.command("show")(commands_rules.show_rule)
rules.command("check")(commands_rules.check_rules)
rules.command("test")(commands_rules.run_tests)
rules.command("new")(commands_rules.new_rule)

policy.command("init")(commands_policy.init)
policy.command("check")(commands_policy.check)

fleet.command("scan")(commands_fleet.scan)
fleet.command("report")(commands_fleet.report)
fleet.command("diff")(commands_fleet.diff)

"""Every command, by name, and where it lives.

Typer reads the options of every command before it runs one, and some commands have forty. ``build`` makes the one
that was asked for and leaves the others as names with a line of help: that is all that ``--help`` and a misspelt
command want of them.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Annotated

import typer

_SUMMARY = (
    "On which accelerators would a model run, on how many devices, how fast and at what price, what stands in the way, "
    "and how many engineer-weeks is the move? Reads files' headers only: no weights, no GPU, no PyTorch."
)
_Commands = Mapping[str, tuple[str, str]]

#: Name of a command, then where its function is (``module:function``) and the first line of its help.
COMMANDS: _Commands = {
    "audit": ("commands_models:audit", "Audit models against accelerators."),
    "inspect": ("commands_models:inspect", "Say what models' files say."),
    "explain": ("commands_models:explain", "Explain one model on one accelerator."),
    "compare": ("commands_models:compare", "Compare two models on the same targets."),
    "baseline": ("commands_baseline:baseline", "Measure a baseline: tokens per second at the real mix of requests."),
    "gate": ("commands_gate:gate", "Check the models that changed files belong to, as a commit hook does."),
    "card": ("commands_card:card", "Write the compatibility section of a model card."),
    "facts": ("commands_catalog:facts", "List every fact that a rule may read."),
    "schema": ("commands_catalog:schema", "Print a JSON Schema of ours."),
}
#: Name of a group, then its help and its commands.
GROUPS: Mapping[str, tuple[str, _Commands]] = {
    "rules": (
        "List, show, check and test the rules.",
        {
            "list": ("commands_rules:list_rules", "List every rule."),
            "show": ("commands_rules:show_rule", "Show one rule with its sources and tests."),
            "check": ("commands_rules:check_rules", "Check the rule files."),
            "test": ("commands_rules:run_tests", "Run the tests that stand beside the rules."),
            "new": ("commands_rules:new_rule", "Write the starting files of a new rule and its tests."),
        },
    ),
    "accelerators": (
        "List and show the accelerators.",
        {
            "list": ("commands_catalog:list_accelerators", "List every accelerator."),
            "show": ("commands_catalog:show_accelerator", "Show the datasheet of one accelerator."),
        },
    ),
    "fleet": (
        "Find, audit and remember every model that a team serves.",
        {
            "discover": ("commands_fleet:discover", "Find the models that a team has and serves, and write them down as a fleet file."),
            "scan": (
                "commands_fleet:scan",
                "Audit a fleet into its store; unchanged models are passed over, an interrupted scan is taken up again.",
            ),
            "report": (
                "commands_fleet:report",
                "Say what a scanned fleet adds up to: what could move where, at what cost, in which order.",
            ),
            "diff": ("commands_fleet:diff", "Compare two scans: models that came, went or changed, and verdicts with the cause."),
        },
    ),
    "policy": (
        "Write policies, and check models against them.",
        {
            "init": ("commands_policy:init", "Write a policy to start from."),
            "check": ("commands_policy:check", "Check policies, and models against them."),
        },
    ),
}


def build(wanted: str | None = None) -> typer.Typer:
    """Return the command line; with ``wanted``, only that command (or group) is whole. None makes every one."""
    app = typer.Typer(
        name="auditor",
        help=_SUMMARY,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    _add(app, COMMANDS, lambda name: wanted in (None, name))
    for group, (summary, commands) in GROUPS.items():
        inner = typer.Typer(help=summary, no_args_is_help=True, rich_markup_mode=None)
        _add(inner, commands, lambda _, group=group: wanted in (None, group))  # type: ignore[misc]
        app.add_typer(inner, name=group)
    return app


def _add(app: typer.Typer, commands: _Commands, whole: Callable[[str], bool]) -> None:
    for name, (place, summary) in commands.items():
        app.command(name)(_function(place) if whole(name) else _name_only(summary))


def _function(place: str) -> Callable[..., None]:
    module, _, function = place.partition(":")
    found: Callable[..., None] = getattr(import_module(f"auditor.cli.{module}"), function)
    return found


def _name_only(summary: str) -> Callable[[], None]:
    def command() -> None:
        pass

    command.__doc__ = summary
    return command


def _version(asked: bool) -> None:
    if asked:
        import auditor  # noqa: PLC0415  # looking the version up takes longer than all else here

        typer.echo(f"auditor {auditor.__version__}")
        raise typer.Exit


def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")] = False,
) -> None:
    pass

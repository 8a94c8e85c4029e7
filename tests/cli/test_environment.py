"""Every option can be given as AUDITOR_<OPTION>, by the name that it has on the command line; the Hub's are the Hub's own."""

from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from auditor.cli.app import app

HUB = {"token": "HF_TOKEN"}
#: What an option takes, by the name of its type.
SAMPLES = {"int": "1", "int range": "1", "float": "1.0", "float range": "1.0", "boolean": "true", "path": "some/path", "str": "x"}
#: Words that two of them want; others list theirs in their help.
WORDS = {"price_term": "spot", "fail_on": "blocked"}


def commands(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield the words of every command, and the command."""
    command = command or get_command(app)
    if not hasattr(command, "commands"):
        yield " ".join(path), command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*path, name))


@pytest.mark.parametrize("command", [pytest.param(command, id=path) for path, command in commands()])
def test_the_variable_gives_the_option(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told = [option for option in command.params if option.param_type_name == "option" and not option.hidden and option.name != "help"]
    values = {}
    for option in told:
        long = next((text for text in option.opts if text.startswith("--")), f"--{option.name}")
        assert option.envvar == HUB.get(option.name, f"AUDITOR_{long.removeprefix('--').replace('-', '_').upper()}")
        listed = (option.metavar or "").split("|")
        values[option.name] = listed[-1] if listed[1:] else WORDS.get(option.name, SAMPLES[option.type.name])
        monkeypatch.setenv(option.envvar, values[option.name])
    context = command.make_context("x", [], resilient_parsing=True)
    for name, value in values.items():
        found = context.params[name]
        assert context.get_parameter_source(name).name == "ENVIRONMENT", name
        assert str(found[0] if isinstance(found, list | tuple) else found).lower() in (value, f"{value}.0"), name


def test_a_value_that_makes_no_sense_is_told_with_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDITOR_FAIL_ON", "bloked")
    result = CliRunner().invoke(app, ["audit", "x"])
    assert result.exit_code == 2
    assert "did you mean 'blocked'?" in result.stderr

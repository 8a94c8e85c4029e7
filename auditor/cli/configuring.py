"""Settings into options: what a configuration file says holds where neither the command line nor the environment does."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import typer

from auditor.cli.flags import Config, Group, Load
from auditor.errors import ConfigError

#: Where an option's value came from, by the names of Typer's ``ParameterSource``, for those that a file may change.
_UNSAID = "DEFAULT"
#: Arguments that name models.
_TARGETS = ("targets", "target", "first", "second", "files", "sources")


def configure(context: typer.Context, config: Config, groups: Mapping[str, Group], given: dict[str, Any]) -> None:
    """Lay the configuration under the options: fill ``groups`` and ``given`` where nobody said otherwise."""
    path = _path(config, given)
    if path is None:
        return
    from auditor import configuration  # noqa: PLC0415  # most runs have none

    config.found = found = configuration.read(path)
    for name, value in found.options.items():
        source = context.get_parameter_source(name)
        if source is None or source.name != _UNSAID:
            continue
        for group in groups.values():
            if name in group.fields():
                setattr(group, name, value)
                group.settled |= {name}
        if name in given:
            given[name] = value
    if found.workload:
        from auditor import workload_file  # noqa: PLC0415

        fields = workload_file.plain_fields(found.workload, f"{path}: workload")
        for group in groups.values():
            if isinstance(group, Load):
                group.configured = fields


def _path(config: Config, given: Mapping[str, Any]) -> Path | None:
    """Return the one configuration that governs the run. Raises ConfigError where its models have several."""
    if config.no_config:
        return None
    if config.config is not None:
        return config.config
    from auditor.configuration import find  # noqa: PLC0415

    named: list[str] = []
    for name in _TARGETS:
        value = given.get(name)
        named += [value] if isinstance(value, str) else [str(one) for one in value or ()]
    here = Path.cwd()
    if "files" in given:  # a commit has one configuration, whatever models it touches: that of the folder around them
        return find(Path(os.path.commonpath(_folders(named, here)))) if named else find(here)
    found = {find(folder) or find(here) for folder in _folders(named, here)} or {find(here)}
    if len(found) > 1:
        names = ", ".join(sorted(str(path) if path else "none" for path in found))
        raise ConfigError(f"the models named are governed by several configurations ({names})", "audit them apart, or give --config")
    return found.pop()


def _folders(targets: Iterable[str], here: Path) -> set[Path]:
    """Return the folders that the targets lie in; ``here`` for one that is no path."""
    folders = set()
    for target in targets:
        path = Path(target).expanduser()
        try:
            folders.add(path.resolve() if path.is_dir() else path.resolve().parent if path.exists() else here)
        except (OSError, ValueError):  # too long a name, or no permission to look
            folders.add(here)
    return folders

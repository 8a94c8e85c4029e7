"""What a project says once for every run: ``auditor.toml``, or ``[tool.auditor]`` of ``pyproject.toml``.

Everything is checked when it is read, by hand: a validator of schemas costs a hook more than the rest of its work.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from auditor.errors import ConfigError
from auditor.waivers import Waiver, WaiverError, parse_waiver

OWN_FILE = "auditor.toml"
SHARED_FILE = "pyproject.toml"
_TABLE = "[tool.auditor]"
_WANTED = {"flag": "true or false", "number": "a number above zero", "text": "text", "texts": "a list of texts", "paths": "a list of paths"}


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the file."""

    kind: str
    """``text``, ``texts``, ``paths`` (relative to the file), ``flag``, ``number`` (above zero), ``table``, ``tables``."""
    meaning: str
    values: tuple[str, ...] = ()


#: Every key. Those of kinds other than ``table`` and ``tables`` are defaults of the options of the same name.
KEYS: dict[str, Key] = {
    "on": Key("texts", "Targets to audit against, as --on takes them."),
    "rules": Key("paths", "Folders of rules to add to the shipped ones."),
    "policy": Key("paths", "Policy files that every audit is checked against."),
    "fail-on": Key(
        "text", "Verdict from which on the exit code says so.", ("never", "regression", "config-change", "needs-port", "blocked")
    ),
    "strict": Key("flag", "Count what is unknown as a failure."),
    "price": Key("table", "Your price per device-hour, USD, by accelerator."),
    "price-term": Key("text", "Which published price.", ("on-demand", "spot", "reserved-1y", "reserved-3y", "capacity-block")),
    "weekly-rate": Key("number", "Cost of one engineer-week, USD."),
    "workload": Key("table", "Fields of the workload, as a workload file has them."),
    "ignore": Key("tables", "Findings that do not count: rule, model, reason, until."),
}


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration as checked. ``options`` are defaults by option name, with underscores."""

    path: Path | None = None
    """The file; None where there is none."""
    options: Mapping[str, Any] = field(default_factory=dict)
    workload: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the workload, not yet checked: the workload knows its own."""
    ignores: tuple[Waiver, ...] = ()

    def check_day(self, today: str) -> None:
        """Raise ConfigError for an exception that has expired: what it covered is to be looked at again."""
        for one in self.ignores:
            if one.expired(today):
                raise ConfigError(
                    f"{one.where}: ignoring {one.rule} for {one.model} ended on {one.until} ({one.reason})",
                    "mend what it covered and remove it, or set a new date",
                )


def find(folder: Path) -> Path | None:
    """Return the configuration that governs ``folder``: its own or the nearest above it, up to the root of its repository.

    Outside a repository the folder's own alone is looked for. Raises ConfigError where one folder has two.
    """
    for place in _up_to_root(folder.absolute()):
        own, shared = place / OWN_FILE, place / SHARED_FILE
        has_table = shared.is_file() and _table_of(shared) is not None
        if own.is_file():
            if has_table:
                raise ConfigError(f"{place} has both {OWN_FILE} and {_TABLE} in {SHARED_FILE}", "keep one of them")
            return own
        if has_table:
            return shared
    return None


def _up_to_root(folder: Path) -> Iterator[Path]:
    chain = [folder, *folder.parents]
    for depth, place in enumerate(chain):
        if (place / ".git").exists():
            yield from chain[: depth + 1]
            return
    yield folder


def read(path: Path) -> Configuration:
    """Return the configuration in ``path``. Raises ConfigError for anything that is none."""
    table = _table_of(path)
    if table is None:
        raise ConfigError(f"{path} has no {_TABLE}", f"add it, or name an {OWN_FILE}")
    return _checked(table, path)


def _table_of(path: Path) -> dict[str, Any] | None:
    """Return the table of settings; None where a shared file has none."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}", "check --config") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from None
    if path.name != SHARED_FILE:
        return document
    tools = document.get("tool")
    table = tools.get("auditor") if isinstance(tools, dict) else None
    return table if isinstance(table, dict) else None


def _checked(table: Mapping[str, Any], path: Path) -> Configuration:
    options: dict[str, Any] = {}
    for name, value in table.items():
        key = KEYS.get(name)
        if key is None:
            near = get_close_matches(name, KEYS, 1)
            raise ConfigError(f"{path}: unknown key {name!r}", f"did you mean {near[0]!r}?" if near else f"known: {', '.join(KEYS)}")
        if key.kind not in {"table", "tables"}:
            options[name.replace("-", "_")] = _value(path, name, key, value)
    prices = _subtable(path, table, "price")
    for name, usd in prices.items():
        if not _is_number(usd):
            raise ConfigError(f"{path}: price.{name} is {usd!r}", "write USD per device-hour, such as h100 = 2.50")
    if prices:
        options["price"] = [f"{name}={usd}" for name, usd in prices.items()]
    return Configuration(path, options, _subtable(path, table, "workload"), tuple(_ignores(path, table.get("ignore", []))))


def _value(path: Path, name: str, key: Key, value: Any) -> Any:
    match key.kind:
        case "flag" if isinstance(value, bool):
            return value
        case "number" if _is_number(value):
            return float(value)
        case "text" if isinstance(value, str):
            if value not in key.values:
                near = get_close_matches(value, key.values, 1)
                meant = f"did you mean {near[0]!r}? " if near else ""
                raise ConfigError(f"{path}: {name} is {value!r}", f"{meant}choose from {', '.join(key.values)}")
            return value
        case "texts" | "paths" if isinstance(value, list) and all(isinstance(item, str) and item for item in value):
            return [path.parent / item for item in value] if key.kind == "paths" else list(value)
    raise ConfigError(f"{path}: {name} is {value!r}", f"write {_WANTED[key.kind]}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e12


def _subtable(path: Path, table: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = table.get(name, {})
    if not isinstance(value, dict):
        raise ConfigError(f"{path}: {name} is {value!r}", f"write a table: [{name}]")
    return value


def _ignores(path: Path, entries: Any) -> Iterator[Waiver]:
    if not isinstance(entries, list):
        raise ConfigError(f"{path}: ignore is {entries!r}", "write [[ignore]] for each")
    for number, raw in enumerate(entries, 1):
        where = f"{path}: ignore number {number}"
        if not isinstance(raw, dict):
            raise ConfigError(f"{where} is {raw!r}", "write [[ignore]] for each")
        try:
            yield parse_waiver(raw, where)
        except WaiverError as error:
            raise ConfigError(f"{where}: {error.message}", error.hint) from None

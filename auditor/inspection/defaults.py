"""Defaults of transformers' config classes, from a generated table: no import of transformers, no code of a model.

``class_defaults.json`` holds one class per line, so that one class can be read without parsing the other eight hundred.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from auditor.inspection.architectures import taught

_TABLE = Path(__file__).with_name("class_defaults.json")


@dataclass(frozen=True, slots=True)
class Pattern:
    """Kinds of layers that a class makes up when the config gives none."""

    prefix: tuple[str, ...] = ()
    cycle: tuple[str, ...] = ()
    last: str = ""
    """Kind forced on the last layer, whatever the cycle says."""
    from_end: bool = False
    fixed: tuple[str, ...] = ()
    """One list whatever the number of layers."""

    def expand(self, count: int) -> tuple[str, ...] | None:
        """Return the kinds of ``count`` layers; None where the class has a fixed list of another length."""
        if self.fixed:
            return self.fixed if len(self.fixed) == count else None
        kinds = (self.prefix + self.cycle * (count // len(self.cycle) + 1))[:count]
        if self.last and kinds:
            kinds = (*kinds[:-1], self.last)
        return kinds[::-1] if self.from_end else kinds


@dataclass(frozen=True, slots=True)
class Part:
    """The class behind a nested config."""

    type: str
    fixed: bool = False
    """Whether the class is used whatever model type the nested config states."""
    optional: bool = False
    values: Mapping[str, Any] = field(default_factory=dict)
    """Defaults that the outer class overrides."""


@dataclass(frozen=True, slots=True)
class ClassDefaults:
    """What one config class fills in when a config leaves a key out."""

    name: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    alias_of: Mapping[str, str] = field(default_factory=dict)
    """Standard name -> the class's own name (``num_hidden_layers`` -> ``n_layer``)."""
    parts: Mapping[str, Part] = field(default_factory=dict)
    patterns: Mapping[str, Pattern] = field(default_factory=dict)
    auto: frozenset[str] = frozenset()
    """Auto classes that know the model type: ``CAUSAL_LM``, ``IMAGE_TEXT_TO_TEXT``, …"""

    rope: bool = False
    """Whether the class has rotary positions."""

    def get(self, name: str) -> Any:
        """Return the default of ``name`` or of the class's own name for it; None when it has none."""
        value = self.values.get(name)
        return value if value is not None else self.values.get(self.alias_of.get(name, ""))

    def overridden(self, values: Mapping[str, Any]) -> "ClassDefaults":
        """Return these defaults with ``values`` laid over them."""
        if not values:
            return self
        return replace(self, values={**self.values, **values})


@cache
def _lines() -> dict[str, str]:
    """Each class's line by name: ``"llama":{…},``."""
    text = _TABLE.read_text(encoding="utf-8")
    lines = {}
    for line in text.splitlines():
        if line.startswith('"'):
            name, _, entry = line[1:].partition('":')
            lines[name] = entry.removesuffix(",")
    return lines


def known_types() -> tuple[str, ...]:
    """Return every model type (and nested class) of the table, sorted."""
    return tuple(_lines())


@cache
def transformers_version() -> str:
    """Return the version of transformers that the table was made from."""
    text = _TABLE.read_text(encoding="utf-8")
    return str(json.loads(text.partition("\n")[0].rstrip("{") + "{}}")["transformers"])


@cache
def defaults_for(model_type: str | None) -> ClassDefaults | None:
    """Return the defaults of the class that reads ``model_type``; None for a type that transformers does not have."""
    if not model_type:
        return None
    line = _lines().get(model_type)
    entry = json.loads(line) if line is not None else _installed(model_type)
    if entry is None:
        return None
    return ClassDefaults(
        name=entry["class"],
        values=entry.get("defaults", {}),
        alias_of=entry.get("aliases", {}),
        parts={key: Part(**part) for key, part in entry.get("parts", {}).items()},
        patterns={key: _pattern(pattern) for key, pattern in entry.get("patterns", {}).items()},
        auto=frozenset(entry.get("auto", ())),
        rope=entry.get("rope", False),
    )


#: Rows of types that the table lacks and the installed transformers has.
_NEWER: dict[str, Mapping[str, Any]] = {}


def _installed(model_type: str) -> Mapping[str, Any] | None:
    """Return the row of a type younger than the table, where a transformers younger than the table is installed.

    A type that a family record teaches needs no class; and whatever goes wrong in a library that we did not pin leaves it unknown.
    """
    if model_type in _NEWER or taught(model_type) or not _installed_is_newer():
        return _NEWER.get(model_type)
    try:
        from auditor.inspection.config_classes import entries  # noqa: PLC0415 - imports transformers: seconds

        _NEWER.update(entries((model_type,)))
    except Exception:  # noqa: BLE001 - see above
        return None
    return _NEWER.get(model_type)


@cache
def _installed_is_newer() -> bool:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - slow to import and rarely needed

    try:
        return _ordered(version("transformers")) > _ordered(transformers_version())
    except PackageNotFoundError:
        return False


def _ordered(text: str) -> tuple[int, ...]:
    """Return the leading numbers of a version."""
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def _pattern(entry: Mapping[str, Any]) -> Pattern:
    return Pattern(
        prefix=tuple(entry.get("prefix", ())),
        cycle=tuple(entry.get("cycle", ())),
        last=entry.get("last", ""),
        from_end=entry.get("from_end", False),
        fixed=tuple(entry.get("list", ())),
    )

"""Defaults of transformers' config classes, from a generated table: no import of transformers, no code of a model."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class ClassDefaults:
    """What one config class fills in when a config leaves a key out."""

    values: Mapping[str, Any]
    alias_of: Mapping[str, str]
    """Standard name -> the class's own name (``num_hidden_layers`` -> ``n_layer``)."""
    parts: Mapping[str, str]
    """Key of a nested config -> model type of its class."""

    def get(self, name: str) -> Any:
        """Return the default of ``name`` or of the class's own name for it; None when it has none."""
        value = self.values.get(name)
        return value if value is not None else self.values.get(self.alias_of.get(name, ""))

    def aliases(self, name: str) -> tuple[str, ...]:
        """Return the class's own name for ``name``, if it has another."""
        own = self.alias_of.get(name)
        return (own,) if own is not None else ()

    def part_type(self, name: str) -> str | None:
        """Return the model type of the nested config ``name``."""
        return self.parts.get(name)


@cache
def _table() -> Mapping[str, Any]:
    path = files("auditor.inspection").joinpath("class_defaults.json")
    return json.loads(path.read_bytes())["classes"] if path.is_file() else {}


@cache
def defaults_for(model_type: str | None) -> ClassDefaults | None:
    """Return the defaults of the class that reads ``model_type``; None for a type that transformers does not have."""
    entry = _table().get(model_type) if model_type else None
    if entry is None:
        return None
    return ClassDefaults(entry.get("defaults", {}), entry.get("aliases", {}), entry.get("parts", {}))

"""Builds the JSON Schemas of the files that gates are set up with: configurations and policies."""

from collections.abc import Callable
from typing import get_type_hints

from auditor.catalog.schema import Schema, array, document, flag, obj, text
from auditor.configuration import KEYS, Key
from auditor.rules.schema import workload_value
from auditor.waivers import KEYS as WAIVER_KEYS
from auditor.waivers import REQUIRED
from auditor.workload import Workload


def _waiver(day: Schema) -> Schema:
    """Return the schema of one exception; ``day`` is how its file writes a date."""
    properties: Schema = {name: text(meaning) for name, meaning in WAIVER_KEYS.items()}
    return obj({**properties, "until": day}, REQUIRED, "A finding that is accepted for a while.")


DAY: Schema = {"type": "string", "pattern": r"^20\d\d-\d\d-\d\d$", "description": WAIVER_KEYS["until"]}


def workload_fields() -> Schema:
    """Return the schema of a workload's fields."""
    hints = get_type_hints(Workload)
    return obj({name: workload_value(hint) for name, hint in hints.items()}, description="What the model is asked to do.")


def _key(name: str, key: Key) -> Schema:
    match key.kind:
        case "texts" | "paths":
            return array(text(), key.meaning)
        case "flag":
            return flag(key.meaning)
        case "number":
            return {"type": "number", "exclusiveMinimum": 0, "description": key.meaning}
        case "tables":
            return {"type": "array", "items": _waiver(DAY), "description": key.meaning}
        case "table" if name == "price":
            return {"type": "object", "additionalProperties": {"type": "number", "exclusiveMinimum": 0}, "description": key.meaning}
        case "table":
            return {**workload_fields(), "description": key.meaning}
        case _:
            return {"enum": list(key.values), "description": key.meaning}


def config_schema() -> Schema:
    """Return the schema of ``auditor.toml`` and of ``[tool.auditor]``."""
    return document("config.schema.json", "Configuration", obj({name: _key(name, key) for name, key in KEYS.items()}), {})


#: Every generated schema of this package by name.
GENERATED: dict[str, Callable[[], Schema]] = {"config": config_schema}

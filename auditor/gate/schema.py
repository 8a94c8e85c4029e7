"""Builds the JSON Schemas of the files that gates are set up with: configurations and policies."""

from collections.abc import Callable
from typing import get_type_hints

from auditor.catalog.schema_parts import Schema, array, document, flag, obj, one_of, ref, text, word
from auditor.configuration import KEYS, Key
from auditor.facts import CATALOGUE
from auditor.rules.schema import condition_defs, workload_value
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


def policy_schema() -> Schema:
    """Return the schema of a policy file."""
    targets = array(text(), "Targets, as --on takes them: an accelerator, accelerator/stack, vendor:NAME, rentable.", 1)
    rule = obj(
        {
            "id": word("Words joined by hyphens."),
            "title": text("One line for lists."),
            "level": one_of(("error", "warning"), "A warning is reported and never changes an exit code."),
            "on": {**targets, "description": "Rows that the rule is about; without it, the model as a whole."},
            "rows": one_of(("every", "any"), "Whether every row of on: is to meet it, or any one."),
            "when": {**ref("condition"), "description": "Which models or rows it is about; all of them without it."},
            "require": {**ref("condition"), "description": "What is demanded."},
            "message": text("What is so where it is violated, with {facts} filled in."),
            "remediation": text("What a person can do about it."),
        },
        ("id", "require"),
    )
    body = obj(
        {
            "policy": text("Name of the policy."),
            "on": {**targets, "description": "Targets that the facts of an audit are about; rentable without it."},
            "workload": workload_fields(),
            "rules": {"type": "array", "minItems": 1, "items": rule},
            "exceptions": {"type": "array", "items": _waiver(DAY), "description": "Violations that are accepted for a while."},
        },
        ("policy", "rules"),
    )
    return document("policy.schema.json", "Policy", body, condition_defs(CATALOGUE))


#: Every generated schema of this package by name.
GENERATED: dict[str, Callable[[], Schema]] = {"config": config_schema, "policy": policy_schema}

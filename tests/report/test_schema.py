"""What auditor writes is what its schemas say, member by member."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from auditor._shipped import SCHEMAS
from auditor.report import FORMATS, INSPECTION_FORMATS, View
from auditor.report.schema import GENERATED
from tests.support.audits import INSPECTION, audit

#: Objects whose members are names of facts, fields or files: not the schema's to list.
FREE = {"facts", "basis", "unknown", "workload", "workload_basis", "evidence"}


def closed(schema: Any, name: str = "") -> Any:
    """Return a schema that refuses members it does not list."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(value, key) for key, value in schema.items()}
    if "properties" in inner and "type" in inner and name not in FREE:
        inner["additionalProperties"] = False
    return inner


@pytest.mark.parametrize("name", GENERATED)
def test_the_schema_in_the_repository_is_the_generated_one(name: str) -> None:
    committed = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    assert committed == json.loads(json.dumps(GENERATED[name]())), "run python tools/make_schemas.py"


@pytest.mark.parametrize("name", GENERATED)
def test_the_schema_is_one_and_describes_every_fact(name: str) -> None:
    Draft202012Validator.check_schema(GENERATED[name]())


def test_an_audit_is_what_its_schema_says() -> None:
    document = json.loads(FORMATS["json"](audit(), View()))
    Draft202012Validator(closed(GENERATED["audit"]())).validate(document)


def test_an_inspection_is_what_its_schema_says() -> None:
    document = json.loads(INSPECTION_FORMATS["json"]([INSPECTION], View()))
    Draft202012Validator(closed(GENERATED["inspection"]())).validate(document)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("models", 0, "targets", 0, "verdict"), "fine"),
        (("models", 0, "targets", 0, "placement", "devices"), 0),
        (("models", 0, "targets", 0, "cost", "usd_per_hour"), "much"),
        (("models", 0, "targets", 0, "throughput", "ttft_s"), 0.2),
        (("models", 0, "facts", "arch.class"), "llama"),
        (("models", 0, "basis", "arch.class"), "guessed"),
        (("schema",), "auditor/audit/2"),
    ],
)
def test_a_wrong_audit_is_not(path: tuple[str | int, ...], value: object) -> None:
    document = json.loads(FORMATS["json"](audit(), View()))
    at: Any = document
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    assert not Draft202012Validator(GENERATED["audit"]()).is_valid(document)

"""The published schema of workload files lists the fields that a workload has."""

import json
from dataclasses import fields

from auditor._shipped import SCHEMAS
from auditor.workload import Workload


def test_every_field_is_in_the_schema() -> None:
    schema = json.loads((SCHEMAS / "workload.schema.json").read_text(encoding="utf-8"))
    assert set(schema["properties"]) == {field.name for field in fields(Workload)}

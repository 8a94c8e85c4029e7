"""The schemas of configurations and policies are generated, committed as generated, and agree with the readers."""

import json

import pytest
from jsonschema import Draft202012Validator

from auditor._shipped import SCHEMAS
from auditor.gate.schema import GENERATED


@pytest.mark.parametrize("name", sorted(GENERATED))
def test_a_schema_is_committed_as_generated(name: str) -> None:
    committed = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    assert committed == json.loads(json.dumps(GENERATED[name]())), "run python -m tools.make_schemas"


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        ({}, True),
        ({"on": ["h100"], "fail-on": "blocked", "workload": {"context": 4096}}, True),
        ({"ignore": [{"rule": "x", "reason": "y", "until": "2027-01-01"}]}, True),
        ({"ignore": [{"rule": "x", "reason": "y"}]}, False),
        ({"fail_on": "blocked"}, False),
        ({"workload": {"contxt": 4096}}, False),
        ({"price": {"h100": 0}}, False),
    ],
)
def test_the_schema_of_configurations_accepts_what_the_reader_does(value: object, valid: bool) -> None:
    assert Draft202012Validator(GENERATED["config"]()).is_valid(value) is valid

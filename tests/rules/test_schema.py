"""The published schemas are generated, committed as generated, and agree with what the loader accepts."""

import json
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from auditor._shipped import SCHEMAS
from auditor.catalog.condition_parser import OPERATORS, ConditionError, kind_of, parse_condition, values_of
from auditor.facts import CATALOGUE
from auditor.rules.schema import GENERATED, RULE_FACTS
from tools import make_docs_facts


@pytest.mark.parametrize("name", sorted(GENERATED))
def test_a_schema_is_committed_as_generated(name: str) -> None:
    committed = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    assert committed == json.loads(json.dumps(GENERATED[name]())), "run python -m tools.make_schemas"


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.name)
def test_every_schema_is_one(path: Any) -> None:
    Draft202012Validator.check_schema(json.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", sorted(GENERATED))
def test_no_schema_leaves_the_choice_open(name: str) -> None:
    text = json.dumps(GENERATED[name]())
    for keyword in ('"oneOf"', '"anyOf"'):
        assert keyword not in text, f"{keyword} makes messages useless"


def test_every_fact_is_offered_with_its_meaning() -> None:
    offered: Any = GENERATED["rules"]()["$defs"]
    properties = offered["condition"]["properties"]
    for name, spec in RULE_FACTS.items():
        assert properties[name]["description"].startswith(spec.meaning)


@lru_cache
def validator() -> Draft202012Validator:
    schema: Any = GENERATED["rules"]()
    return Draft202012Validator({"$ref": "#/$defs/condition", "$defs": schema["$defs"]})


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "string": st.sampled_from(["llama", "x"]),
    "integer": st.integers(-3, 3),
    "number": st.sampled_from([0.5, 2, 3.25]),
    "boolean": st.booleans(),
    "strings": st.sampled_from(["int8", "x"]),
    "integers": st.integers(0, 3),
}
ANY_VALUE = st.one_of(*VALUES.values())


@st.composite
def predicates(draw: st.DrawFn) -> Any:
    """Draw a predicate that is right, or nearly."""
    spec = CATALOGUE[draw(st.sampled_from(sorted(RULE_FACTS)))]
    right = st.sampled_from(values_of(spec)) if values_of(spec) else VALUES[spec.type]
    value = draw(st.one_of(right, ANY_VALUE)) if draw(st.integers(0, 4)) == 0 else draw(right)
    value = draw(st.one_of(st.just(value), st.lists(right, max_size=2), st.just([value])))
    shape = draw(st.sampled_from(("plain", "operator", "fact")))
    if shape == "plain":
        return {spec.name: value}
    operator = draw(
        st.sampled_from(OPERATORS[kind_of(spec)] if draw(st.booleans()) else sorted({o for known in OPERATORS.values() for o in known}))
    )
    if shape == "fact":
        return {spec.name: {operator: {"fact": draw(st.sampled_from(sorted(RULE_FACTS)))}}}
    return {spec.name: {operator: value}}


@settings(max_examples=600, deadline=None)
@given(predicates())
def test_schema_and_loader_accept_the_same_conditions(condition: Any) -> None:
    try:
        parse_condition(condition)
        accepted = True
    except ConditionError:
        accepted = False
    assert validator().is_valid(condition) is accepted, condition


@given(
    st.sampled_from(
        [{}, {"all": []}, {"any": {}}, {"not": []}, {"always": False}, {"x": 1}, {"all": [{"moe.experts": 1}], "any": []}, [], "x", None]
    )
)
def test_schema_and_loader_refuse_the_same_shapes(condition: Any) -> None:
    assert not validator().is_valid(condition)
    with pytest.raises(ConditionError):
        parse_condition(condition)


def test_the_page_about_facts_is_current() -> None:
    assert make_docs_facts.TARGET.read_text(encoding="utf-8") == make_docs_facts.render(), "run python -m tools.make_docs_facts"

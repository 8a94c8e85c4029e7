"""Conditions follow Kleene's three-valued logic, and nonsense in them is refused with its place."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.catalog.condition import Truth
from auditor.catalog.condition_parser import ConditionError, parse_condition
from auditor.facts import CATALOGUE, Basis, Known, Unknown, Value


def facts(**values: Value | None) -> dict[str, Known | Unknown]:
    """Return facts by name with ``__`` for the dot; None is unknown."""
    return {name.replace("__", "."): Unknown("not had") if value is None else Known(value, Basis.CONFIG) for name, value in values.items()}


def holds(condition: Any, **values: Value | None) -> Truth:
    return parse_condition(condition)(facts(**values))


TRUE, FALSE, UNKNOWN = {"attention.heads": 1}, {"attention.heads": 2}, {"attention.kv_heads": 1}
LEAVES = {"true": (TRUE, True), "false": (FALSE, False), "unknown": (UNKNOWN, None)}
GIVEN = {"attention__heads": 1, "attention__kv_heads": None}


def kleene_and(parts: list[Truth]) -> Truth:
    return False if False in parts else None if None in parts else True


def kleene_or(parts: list[Truth]) -> Truth:
    return True if True in parts else None if None in parts else False


@st.composite
def trees(draw: st.DrawFn, depth: int = 3) -> tuple[Any, Truth]:
    """Draw a condition and what it must come out as."""
    kind = draw(st.sampled_from(("leaf", "all", "any", "not") if depth else ("leaf",)))
    if kind == "leaf":
        return LEAVES[draw(st.sampled_from(sorted(LEAVES)))]
    if kind == "not":
        condition, truth = draw(trees(depth - 1))
        return {"not": condition}, None if truth is None else not truth
    parts = draw(st.lists(trees(depth - 1), min_size=1, max_size=4))
    truths = [truth for _, truth in parts]
    return {kind: [condition for condition, _ in parts]}, kleene_and(truths) if kind == "all" else kleene_or(truths)


@given(trees())
def test_every_tree_comes_out_by_kleenes_tables(tree: tuple[Any, Truth]) -> None:
    condition, truth = tree
    assert holds(condition, **GIVEN) is truth


@given(trees())
def test_an_undecided_tree_says_what_would_settle_it(tree: tuple[Any, Truth]) -> None:
    condition, truth = tree
    unsettled = parse_condition(condition).unsettled(facts(**GIVEN))
    assert unsettled == (("attention.kv_heads",) if truth is None else ())


@given(trees(), st.sampled_from([1, 2]))
def test_learning_a_fact_never_turns_a_decided_tree(tree: tuple[Any, Truth], kv_heads: int) -> None:
    condition, truth = tree
    settled = holds(condition, attention__heads=1, attention__kv_heads=kv_heads)
    assert settled is not None
    assert truth is None or settled is truth


def test_only_the_facts_that_matter_settle_it() -> None:
    condition = parse_condition({"any": [{"all": [FALSE, {"moe.experts": 8}]}, UNKNOWN]})
    assert condition.unsettled(facts(**GIVEN, moe__experts=None)) == ("attention.kv_heads",)
    assert condition.reads() == ("attention.heads", "moe.experts", "attention.kv_heads")


@pytest.mark.parametrize(
    ("condition", "values", "truth"),
    [
        ({"arch.class": "ssm"}, {"arch__class": "ssm"}, True),
        ({"arch.class": ["ssm", "hybrid"]}, {"arch__class": "hybrid"}, True),
        ({"arch.class": {"in": ["ssm", "hybrid"]}}, {"arch__class": "other"}, False),
        ({"arch.class": {"ne": "ssm"}}, {"arch__class": "hybrid"}, True),
        ({"arch.layers": {"gt": 10}}, {"arch__layers": 10}, False),
        ({"arch.layers": {"ge": 10}}, {"arch__layers": 10}, True),
        ({"arch.layers": {"lt": 10}}, {"arch__layers": 9}, True),
        ({"arch.layers": {"le": 10, "gt": 9}}, {"arch__layers": 10}, True),
        ({"arch.layers": {"le": 10, "gt": 9}}, {"arch__layers": 9}, False),
        ({"arch.layers": [1, 2]}, {"arch__layers": 2}, True),
        ({"arch.model_type": {"contains": "lama"}}, {"arch__model_type": "llama"}, True),
        ({"arch.model_type": {"matches": "^qwen[23]"}}, {"arch__model_type": "qwen3_moe"}, True),
        ({"arch.model_type": {"matches": "^wen"}}, {"arch__model_type": "qwen3_moe"}, False),
        ({"weights.dtypes": {"contains": "int8"}}, {"weights__dtypes": ("bfloat16", "int8")}, True),
        ({"weights.dtypes": {"contains": ["int4", "int8"]}}, {"weights__dtypes": ("bfloat16", "int8")}, True),
        ({"weights.dtypes": {"contains": ["int4", "uint8"]}}, {"weights__dtypes": ("bfloat16", "int8")}, False),
        ({"weights.dtypes": {"eq": ["int8"]}}, {"weights__dtypes": ("int8",)}, True),
        ({"weights.dtypes": {"matches": "^float8"}}, {"weights__dtypes": ("bfloat16", "float8_e5m2")}, True),
        ({"repo.custom_code": True}, {"repo__custom_code": False}, False),
        ({"weights.bytes": {"gt": {"fact": "accelerator.memory_bytes"}}}, {"weights__bytes": 5, "accelerator__memory_bytes": 4}, True),
        ({"weights.bytes": {"gt": {"fact": "accelerator.memory_bytes"}}}, {"weights__bytes": 5, "accelerator__memory_bytes": None}, None),
        ({"weights.bytes": {"gt": {"fact": "accelerator.memory_bytes"}}}, {"weights__bytes": 5}, False),
        ({"quant.method": {"in": {"fact": "stack.quantization"}}}, {"quant__method": "awq", "stack__quantization": ("awq",)}, True),
        ({"stack.quantization": {"contains": {"fact": "quant.method"}}}, {"quant__method": "awq", "stack__quantization": ("gptq",)}, False),
        (
            {"stack.recurrent_unsupported": {"contains": {"fact": "attention.recurrent_kinds"}}},
            {"stack__recurrent_unsupported": ("mamba2",), "attention__recurrent_kinds": ("kda", "mamba2")},
            True,
        ),
        ({"always": True}, {}, True),
    ],
)
def test_each_operator(condition: Any, values: dict[str, Value], truth: Truth) -> None:
    assert holds(condition, **values) is truth


@pytest.mark.parametrize("operator", [1, {"gt": 1}, {"ne": 1}, {"known": True}, {"in": [1]}])
def test_a_fact_that_does_not_apply_makes_a_comparison_false(operator: Any) -> None:
    assert holds({"moe.experts": operator}) is False


def test_knowing_is_always_decided() -> None:
    for value, known in ((8, True), (None, False)):
        assert holds({"moe.experts": {"known": True}}, moe__experts=value) is known
        assert holds({"moe.experts": {"known": False}}, moe__experts=value) is not known
    assert holds({"moe.experts": {"known": False}}) is True


@pytest.mark.parametrize(
    ("condition", "path", "message"),
    [
        ({"attenton.kind": "mla"}, ("attenton.kind",), "no fact is called 'attenton.kind'; did you mean 'attention.kind'?"),
        ({"al": []}, ("al",), "no fact is called 'al'; did you mean 'all'?"),
        ({"any": [TRUE, {"not": {"moe.expert": 8}}]}, ("any", 1, "not", "moe.expert"), "did you mean 'moe.experts'?"),
        ({"attention.kind": "mlaa"}, ("attention.kind",), "attention.kind is never 'mlaa'; did you mean 'mla'?"),
        ({"attention.kind": ["mla", "x"]}, ("attention.kind", 1), "it is one of mha, gqa, mqa, mla, none, mixed"),
        ({"arch.model_type": {"gt": 3}}, ("arch.model_type", "gt"), "'gt' does not apply to arch.model_type, which is text"),
        ({"arch.layers": {"gt": 60.5}}, ("arch.layers", "gt"), "arch.layers is a whole number of layers, 60.5 is not"),
        ({"arch.layers": {"gt": "60"}}, ("arch.layers", "gt"), "'60' is not"),
        ({"arch.layers": True}, ("arch.layers",), "True is not"),
        ({"arch.layers": {"grt": 60}}, ("arch.layers", "grt"), "no operator is called 'grt'; did you mean 'gt'?"),
        ({"arch.layers": {"eq": [60]}}, ("arch.layers", "eq"), "eq takes one value, not a list"),
        ({"arch.layers": {"in": 60}}, ("arch.layers", "in"), "in takes a list here; write [60]"),
        ({"arch.layers": {}}, ("arch.layers",), "arch.layers needs an operator"),
        ({"weights.dtypes": "int8"}, ("weights.dtypes",), "weights.dtypes is a list; write weights.dtypes: {contains: …}"),
        ({"weights.bytes": {"gt": {"fact": "arch.class"}}}, ("weights.bytes", "gt", "fact"), "arch.class is text, weights.bytes is"),
        ({"weights.bytes": {"gt": {"fact": "accelerator.memory"}}}, ("weights.bytes", "gt", "fact"), "did you mean 'accelerator.memory"),
        ({"weights.bytes": {"gt": {"times": 2}}}, ("weights.bytes", "gt"), "an operand is a value or {fact: NAME}"),
        ({"arch.model_type": {"matches": "("}}, ("arch.model_type", "matches"), "not a regular expression"),
        ({"arch.model_type": {"matches": {"fact": "arch.class"}}}, ("arch.model_type", "matches"), "not a fact"),
        ({"moe.experts": {"known": "yes"}}, ("moe.experts", "known"), "known takes true or false, not 'yes'"),
        ({"attention.heads": 1, "moe.experts": 8}, (), "not 2 of them; put several under all:"),
        ({"all": []}, ("all",), "all needs a list of conditions"),
        ({"all": TRUE}, ("all",), "all needs a list of conditions"),
        ({"always": False}, ("always",), "always takes only true"),
        ([], (), "a condition is one fact"),
        ("x > 1", (), "not 'x > 1'"),
        ({}, (), "not 0 of them"),
    ],
)
def test_nonsense_is_refused_with_its_place(condition: Any, path: tuple[str | int, ...], message: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse_condition(condition)
    assert caught.value.path == path
    assert message in f"{caught.value.message}; {caught.value.hint}"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(sorted(CATALOGUE)),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.text(max_size=5) | st.sampled_from([*CATALOGUE, "all", "any", "not", "gt", "in", "fact"]), inner, max_size=2
            )
        ),
        max_leaves=8,
    )
)
def test_anything_at_all_is_parsed_or_refused(data: Any) -> None:
    try:
        condition = parse_condition(data)
    except ConditionError:
        return
    assert condition({}) in (True, False, None)

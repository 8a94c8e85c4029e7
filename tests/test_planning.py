"""Plans of groups give what a plan made model by model would."""

import math
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.catalog import load_catalog
from auditor.catalog.effort import EffortModel
from auditor.effort import total
from auditor.planning import Group, plan, work
from auditor.results import WorkItem
from auditor.sizing.model import Range

MODEL = load_catalog().effort
#: An item that later models of an architecture pay half of, one that fine-tunes get for nothing, and shared ones.
OWN = ("performance-tuning", "sharding-config", "requantize")


def _item(item: str, scope: str, key: str, likely: float) -> WorkItem:
    return WorkItem(item, item, scope, key, Range(likely / 2, likely, likely * 3), "J", ())


own = st.builds(_item, st.sampled_from(OWN), st.just("model"), st.just(""), st.sampled_from([0.25, 0.5, 1.0, 2.0]))
shared = st.builds(_item, st.sampled_from(["toolchain", "port-moe"]), st.just("arch_stack"), st.sampled_from(["a", "b"]), st.just(1.5))
works = st.lists(st.one_of(own, shared), min_size=1, max_size=4, unique_by=lambda item: (item.item, item.scope_key))


@st.composite
def fleets(draw: st.DrawFn) -> list[Group]:
    groups = []
    for at in range(draw(st.integers(1, 5))):
        names = tuple(f"{at}-{number:02}" for number in range(draw(st.integers(1, 4))))
        groups.append(Group(names, draw(st.sampled_from("AB")), draw(st.sampled_from("st")), work(MODEL, draw(works))))
    return groups


def _price(model: EffortModel, one: Group, paid: set[object]) -> float:
    shape, architecture = (one.architecture, one.shape) in paid, one.architecture in paid
    weeks = 0.0
    for _, _, item in one.work.levels[0]:
        if item.scope != "model" and (item.item, item.scope_key) in paid:
            continue
        spec = model.items[item.item]
        factor = spec.same_shape if shape else spec.same_architecture if architecture else 1.0
        weeks += factor * (item.weeks.low + 4 * item.weeks.likely + item.weeks.high) / 6
    return weeks


def _one_by_one(model: EffortModel, groups: list[Group]) -> list[float]:
    """Return the expected weeks that each next model adds, every model priced anew at every step."""
    left = [replace(group, models=(name,)) for group in groups for name in group.models]
    paid: set[object] = set()
    added = []
    while left:
        prices = {id(one): _price(model, one, paid) for one in left}
        best = min(left, key=lambda one: (prices[id(one)], one.models))
        added.append(prices[id(best)])
        left = [one for one in left if one is not best]
        paid |= {(item.item, item.scope_key) for _, _, item in best.work.levels[0] if item.scope != "model"}
        paid |= {best.architecture, (best.architecture, best.shape)}
    return added


@settings(max_examples=150, deadline=None)
@given(fleets())
def test_groups_cost_what_their_models_would_one_by_one(groups: list[Group]) -> None:
    made = plan(MODEL, groups)
    slowly = _one_by_one(MODEL, groups)
    assert Counter(name for name, _ in made.order) == Counter(name for group in groups for name in group.models)
    assert [weeks for _, weeks in made.order] == pytest.approx(slowly)
    assert made.total.expected == pytest.approx(math.fsum(slowly))
    assert plan(MODEL, groups[::-1]) == made, "the order of the input does not matter"


def test_the_total_is_that_of_all_items() -> None:
    """Two groups of many models: low, high and the interval as if each item stood by itself."""
    groups = [
        Group(
            ("a", "b", "c"),
            "A",
            "s",
            work(MODEL, [_item("performance-tuning", "model", "", 1.0), _item("toolchain", "team_stack", "x", 0.5)]),
        ),
        Group(("d",), "B", "s", work(MODEL, [_item("requantize", "model", "", 0.5)])),
    ]
    made = plan(MODEL, groups)
    items = [
        replace(item, scope_key=f"{item.scope_key} {name}" if item.scope == "model" else item.scope_key)
        for step in made.steps
        for name in step.models
        for item in step.items
    ]
    slowly = total(items, MODEL.rho)
    assert (made.total.weeks, made.total.grade) == (slowly.weeks, slowly.grade)
    assert made.total.interval80 == pytest.approx(slowly.interval80)


def test_a_thousand_fine_tunes_are_two_steps() -> None:
    names = tuple(f"m{at}" for at in range(1000))
    items = [_item("sharding-config", "model", "", 1.0), _item("toolchain", "team_stack", "x", 0.5)]
    made = plan(MODEL, [Group(names, "A", "s", work(MODEL, items))])
    assert [len(step.models) for step in made.steps] == [1, 999]

"""Other ways to serve a model on the same target, and how many copies reach a rate."""

import pytest

from auditor import economics
from auditor.alternatives import Question, alternatives, copies, precisions
from auditor.catalog import load_catalog
from auditor.sizing import Constraints, Placement, estimate, place
from tests.support.hands import accelerator, model, target, workload

CATALOG = load_catalog()


def question(name: str, **constraints: int) -> Question:
    (where,) = CATALOG.find_targets([name])
    return Question(model(), where, workload(), CATALOG, economics.Money(), Constraints(**constraints), "2026-11-28")


def smallest(asked: Question) -> Placement:
    found = place(asked.inspection, asked.target, asked.workload, CATALOG.prices, asked.constraints)
    assert isinstance(found, Placement)
    return found


def test_other_types_are_marked_as_a_change_of_the_model() -> None:
    asked = question("h100/vllm-cuda")
    found = {one.name: one for one in alternatives(asked, smallest(asked))}
    assert {"float8_e4m3fn", "int4"} <= found.keys()
    assert "bfloat16" not in found, "that is how it is published"
    assert all(one.changes_model == (name != "cheapest") for name, one in found.items())
    eight = found["float8_e4m3fn"].placement
    assert eight
    assert eight.memory.weights < 0.6 * smallest(asked).memory.weights


def test_the_cheapest_uses_the_whole_of_a_machine_that_is_billed_whole() -> None:
    asked = question("tpu-v7/tpu-vllm")
    first = smallest(asked)
    assert first.devices < first.billed_devices
    best = next(one for one in alternatives(asked, first) if one.name == "cheapest")
    assert best.placement
    assert best.placement.devices > first.devices
    speed = estimate(asked.inspection, asked.target, asked.workload, first)
    paid = economics.running(asked.target, first, speed, CATALOG.prices, asked.money, asked.workload, today=asked.today)
    assert best.usd_per_million_tokens
    assert paid.usd_per_million_tokens
    assert best.usd_per_million_tokens.likely < paid.usd_per_million_tokens.likely


def test_a_layout_that_was_asked_for_has_no_cheaper_one() -> None:
    asked = question("h100/vllm-cuda", devices=2)
    assert "cheapest" not in {one.name for one in alternatives(asked, smallest(asked))}


def test_types_are_those_that_the_chip_multiplies() -> None:
    assert precisions(accelerator(native_dtypes=("bfloat16",))) == ("bfloat16", "int8", "int4")
    assert precisions(accelerator(native_dtypes=("float8_e4m3fn", "float4_e2m1"))) == ("bfloat16", "float8_e4m3fn", "float4_e2m1")


def test_copies_reach_a_rate() -> None:
    placement = place(model(), target(), workload())
    assert isinstance(placement, Placement)
    speed = estimate(model(), target(), workload(), placement)
    assert speed
    found = copies(3.5 * speed.output_tokens_per_s.likely, placement, speed, 2.0)
    assert found
    assert (found.likely, found.devices, found.usd_per_hour) == (4, 4, 8.0)
    assert found.low <= found.likely <= found.high
    assert found.high == pytest.approx(3.5 * speed.output_tokens_per_s.likely / speed.output_tokens_per_s.low, abs=1)
    assert copies(None, placement, speed, 2.0) is None
    assert copies(100.0, placement, None, 2.0) is None

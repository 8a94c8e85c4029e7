"""What sizing computes against what servers logged and benchmarks published, in both halves of the rows."""

import pytest

from tools.make_docs_accuracy import page
from tools.measured import ROOT, Compared, compare, summarize


@pytest.fixture(scope="module")
def found() -> list[Compared]:
    return compare()


def part(found: list[Compared], what: str, half: str) -> list[Compared]:
    return [one for one in found if one.what == what and one.half == half]


HALVES = pytest.mark.parametrize("half", ["calibration", "validation"])


@HALVES
def test_weights_per_rank_are_within_three_percent(found: list[Compared], half: str) -> None:
    rows = part(found, "weights", half)
    assert len(rows) >= 6
    assert summarize(rows).within >= 0.8
    assert summarize(rows).median_error < 0.005


@HALVES
def test_the_cache_is_within_five_percent_where_its_memory_is_stated(found: list[Compared], half: str) -> None:
    rows = part(found, "cache", half)
    assert len(rows) >= 6
    assert summarize(rows).within >= 0.95


def test_what_is_left_for_the_cache_is_what_servers_log(found: list[Compared]) -> None:
    rows = [one for one in found if one.what == "budget"]
    assert len(rows) >= 5
    assert all(abs(one.error) < 0.02 for one in rows)


def test_fit_outcomes_are_right_or_borderline(found: list[Compared]) -> None:
    wrong = [one.row for one in found if one.what == "fit" and one.measured != one.computed and not one.note.startswith("borderline")]
    # F028: the config of that release lists one layer's unquantized attention, and all layers have it. F091 starts
    # without CUDA graphs. F100 loads 16-bit weights and quantizes them while loading.
    assert set(wrong) <= {"F028", "F091", "F100"}


@HALVES
def test_speed_is_within_its_range_four_times_in_five(found: list[Compared], half: str) -> None:
    total = summarize(part(found, "speed", half))
    assert total.rows >= 50
    assert total.within >= 0.8
    assert total.median_error <= 0.2
    assert total.spread <= 2.5


def test_the_page_of_residuals_is_current(found: list[Compared]) -> None:
    text = (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")
    assert page(found) == text, "run python tools/make_docs_accuracy.py"

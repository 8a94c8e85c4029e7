import pytest

from auditor.report.words import between, dollars, listed, number, outer, rough, shorten, three
from auditor.sizing.model import Range


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.147, "0.15"), (1.02, "1.0"), (9.96, "10"), (99.6, "100"), (994, "990"), (996, "1.0k"), (18_000, "18k"), (2e6, "2.0M")],
)
def test_estimates_show_two_digits(value: float, text: str) -> None:
    assert rough(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.12345, "0.123"), (44, "44.0"), (99.96, "100"), (1234, "1,230"), (9996, "10.0k"), (1e7, "10.0M")]
)
def test_numbers_show_three_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_a_range_that_reads_the_same_is_one_number() -> None:
    assert between(Range(1.01, 1.02, 1.03)) == "1.0"
    assert between(Range(1, 2, 3)) == "1.0-3.0"
    assert between(None) == "-"


def test_weeks() -> None:
    assert three(Range(2, 3.5, 6)) == "2.0/3.5/6.0"
    assert outer(Range(2, 3.5, 6)) == "2.0-6.0"
    assert three(Range(0, 0, 0)) == outer(Range(0, 0, 0)) == "0"
    assert three(None) == outer(None) == "-"


def test_dollars() -> None:
    assert [dollars(value) for value in (1234.5, 6.88, 0.0512, None)] == ["1,234.50", "6.88", "0.0512", "-"]


def test_lists_and_long_names_are_cut_visibly() -> None:
    assert listed(["a", "b", "c"], 2) == "a, b and 1 more"
    assert listed(["a", "b"], 2) == "a, b"
    assert shorten("standard-4t", 8) == "standar…"

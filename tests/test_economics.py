"""Prices, dollars per token and payback: on paper, and as identities."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.catalog.model import Price
from auditor.economics import Terms, choose_price, cost, is_stale, migration_cost, monthly_saving, usd_per_million, with_break_even
from auditor.results import Cost
from auditor.sizing import Constraints, Placement, Throughput, estimate, place
from auditor.sizing.model import Range
from auditor.workload import Workload
from tests.support.hands import model, price, target, workload

TODAY = "2026-11-22"
POSITIVE = st.floats(0.01, 1e4)


def placement(concurrency: int = 16, devices: int = 1) -> Placement:
    answer = place(model(), target(), workload(8192, concurrency), (), Constraints(devices=devices))
    assert isinstance(answer, Placement)
    return answer


def speed(concurrency: int = 16, devices: int = 1) -> Throughput | None:
    return estimate(model(), target(), workload(8192, concurrency), placement(concurrency, devices))


def priced(*prices: Price, concurrency: int = 16, terms: Terms | None = None, load: Workload | None = None) -> Cost:
    return cost(placement(concurrency), speed(concurrency), target(), load or workload(8192, concurrency), prices, TODAY, terms)


def per_token(usd: float) -> Cost:
    return Cost(1, Range(usd, usd, usd), None, None, price_is_stale=False, break_even_months=None, break_even_reason="")


def test_the_formula() -> None:
    # 3.92 $/h at 1,000 tokens/s: 3.6 million tokens an hour.
    assert usd_per_million(3.92, 1000) == pytest.approx(3.92 / 3.6)


def test_on_demand_is_the_default_and_the_newest_counts() -> None:
    found = priced(price(5, as_of="2026-02-01"), price(4), price(1, term="spot"))
    assert found.usd_per_hour == 4
    assert not found.price_is_stale


def test_of_equally_new_prices_the_lower_counts() -> None:
    assert choose_price(placement(), target(), (price(4), price(3))) == price(3)


def test_spot_says_that_it_can_be_reclaimed() -> None:
    found = priced(price(4), price(1, term="spot"), terms=Terms(term="spot"))
    assert found.usd_per_hour == 1
    assert "reclaimed" in found.reason


def test_whole_machines_are_billed() -> None:
    on_four = replace(placement(devices=4), instance="eight", billed_devices=8)
    found = cost(on_four, speed(devices=4), target(), workload(), (price(32, "eight", 8),), TODAY)
    assert found.usd_per_hour == 32


def test_no_price_is_no_figure_and_says_why() -> None:
    found = priced(price(1, term="spot"))
    assert found.usd_per_hour is None
    assert found.usd_per_million_tokens is None
    assert found.reason == "no on-demand price known for one"


def test_no_placement_and_no_speed_say_so() -> None:
    assert cost(None, None, target(), workload(), (), TODAY).reason == "no placement"
    found = cost(placement(), None, target(), workload(), (price(4),), TODAY)
    assert found.usd_per_hour == 4
    assert found.usd_per_million_tokens is None


def test_the_user_s_own_price_replaces_every_row() -> None:
    assert priced(price(4), terms=Terms(usd_per_hour=2.5)).usd_per_hour == 2.5


@pytest.mark.parametrize(
    ("as_of", "stale"), [("2026-11-01", False), ("2026-08-24", False), ("2026-08-23", True), ("2026-07", True), ("2026-11", False)]
)
def test_prices_go_stale_after_ninety_days(as_of: str, stale: bool) -> None:
    assert is_stale(as_of, TODAY) is stale


def test_total_tokens_are_cheaper_by_the_share_of_prompts() -> None:
    found = priced(price(4))
    assert found.usd_per_million_tokens
    assert found.usd_per_million_total_tokens
    assert found.usd_per_million_total_tokens.likely == pytest.approx(found.usd_per_million_tokens.likely / 4)


def test_break_even_on_paper() -> None:
    # 3.5 weeks at 5,000 $ against 1 $ per million saved on a billion tokens a day.
    load = replace(workload(), tokens_per_day=1e9)
    found = with_break_even(per_token(1), per_token(2), Range(2, 3.5, 6), load, Terms(weekly_rate=5000))
    assert found.break_even_months
    assert found.break_even_months.likely == pytest.approx(17_500 / (1000 * 30.4375))
    assert found.break_even_reason == ""


@pytest.mark.parametrize(
    ("ours", "theirs", "weeks", "volume", "rate", "reason"),
    [
        (per_token(2), per_token(1), Range(1, 2, 3), 1e9, 5000.0, "never"),
        (per_token(1), per_token(1), Range(1, 2, 3), 1e9, 5000.0, "never"),
        (per_token(1), per_token(2), Range(1, 2, 3), None, 5000.0, "no volume given"),
        (per_token(1), per_token(2), Range(1, 2, 3), 1e9, None, "no weekly rate given"),
        (per_token(1), per_token(2), None, 1e9, 5000.0, "effort is not known"),
        (per_token(1), per_token(2), Range(0, 0, 0), 1e9, 5000.0, "nothing to migrate"),
        (per_token(1), None, Range(1, 2, 3), 1e9, 5000.0, "no price per token of the baseline"),
        (
            replace(per_token(1), usd_per_million_tokens=None, reason="no placement"),
            per_token(2),
            Range(1, 2, 3),
            1e9,
            5000.0,
            "no placement",
        ),
    ],
)
def test_no_break_even_has_a_reason(
    ours: Cost, theirs: Cost | None, weeks: Range | None, volume: float | None, rate: float | None, reason: str
) -> None:
    found = with_break_even(ours, theirs, weeks, replace(workload(), tokens_per_day=volume), Terms(weekly_rate=rate))
    assert found.break_even_months is None
    assert found.break_even_reason == reason


@given(POSITIVE)
def test_doubling_the_price_doubles_the_cost(usd: float) -> None:
    once, twice = priced(price(usd)).usd_per_million_tokens, priced(price(2 * usd)).usd_per_million_tokens
    assert once
    assert twice
    assert [twice.low, twice.likely, twice.high] == pytest.approx([2 * once.low, 2 * once.likely, 2 * once.high])


@given(POSITIVE, POSITIVE, st.floats(0.1, 50), st.floats(1e3, 1e12), POSITIVE)
def test_break_even_times_saving_is_the_cost(ours: float, theirs: float, weeks: float, volume: float, rate: float) -> None:
    load = replace(workload(), tokens_per_day=volume)
    found = with_break_even(per_token(ours), per_token(theirs), Range(weeks / 2, weeks, 2 * weeks), load, Terms(weekly_rate=rate))
    if found.break_even_months is None:
        assert theirs <= ours
        return
    paid = migration_cost(Range(weeks / 2, weeks, 2 * weeks), rate)
    assert found.break_even_months.likely * monthly_saving(theirs, ours, volume) == pytest.approx(paid.likely)


@given(st.integers(1, 49))
def test_more_concurrency_never_raises_the_price_of_a_token(concurrency: int) -> None:
    less, more = priced(price(4), concurrency=concurrency), priced(price(4), concurrency=concurrency + 1)
    assert less.usd_per_million_tokens
    assert more.usd_per_million_tokens
    assert more.usd_per_million_tokens.likely <= less.usd_per_million_tokens.likely * (1 + 1e-9)

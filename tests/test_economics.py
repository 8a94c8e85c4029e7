"""Prices, dollars per token and payback: on paper, and as identities."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.catalog.model import Price
from auditor.economics import (
    Money,
    Running,
    break_even,
    choose_price,
    cost,
    is_stale,
    migration_cost,
    monthly_saving,
    running,
    usd_per_million,
)
from auditor.results import Cost, Effort
from auditor.sizing import Constraints, Placement, Throughput, estimate, place
from auditor.sizing.model import Range
from tests.support.hands import model, price, target, workload

TODAY = "2026-11-22"
POSITIVE = st.floats(0.01, 1e4)


def placement(concurrency: int = 16, devices: int = 1) -> Placement:
    answer = place(model(), target(), workload(8192, concurrency), (), Constraints(devices=devices))
    assert isinstance(answer, Placement)
    return answer


def speed(concurrency: int = 16, devices: int = 1) -> Throughput | None:
    return estimate(model(), target(), workload(8192, concurrency), placement(concurrency, devices))


def priced(*prices: Price, concurrency: int = 16, money: Money | None = None) -> Running:
    load = workload(8192, concurrency)
    return running(target(), placement(concurrency), speed(concurrency), prices, money or Money(), load, today=TODAY)


def per_token(usd: float) -> Running:
    return Running(1, Range(usd, usd, usd), None, None, price_is_stale=False)


def weeks(low: float, likely: float, high: float) -> Effort:
    return Effort(Range(low, likely, high), likely, None, (), "J")


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
    found = priced(price(4), price(1, term="spot"), money=Money(term="spot"))
    assert found.usd_per_hour == 1
    assert "reclaimed" in found.reason


def test_whole_machines_are_billed() -> None:
    on_four = replace(placement(devices=4), instance="eight", billed_devices=8)
    found = running(target(), on_four, speed(devices=4), (price(32, "eight", 8),), Money(), workload(), today=TODAY)
    assert found.usd_per_hour == 32


def test_a_capacity_block_stands_in_and_says_so() -> None:
    found = priced(price(3, term="capacity-block"))
    assert found.usd_per_hour == 3
    assert found.reason == "no on-demand price known for one: capacity-block price"


def test_no_price_is_no_figure_and_says_why() -> None:
    found = priced(price(1, term="spot"))
    assert found.usd_per_hour is None
    assert found.usd_per_million_tokens is None
    assert found.reason == "no on-demand price known for one"


def test_no_placement_and_no_speed_say_so() -> None:
    assert running(target(), None, None, (), Money(), workload(), today=TODAY).reason == "no placement"
    found = running(target(), placement(), None, (price(4),), Money(), workload(), today=TODAY)
    assert found.usd_per_hour == 4
    assert found.usd_per_million_tokens is None


def test_the_user_s_own_price_replaces_every_row() -> None:
    assert priced(price(4), money=Money(prices={"chip": 2.5})).usd_per_hour == 2.5


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
    months, reason = break_even(per_token(1), per_token(2), weeks(2, 3.5, 6), load, Money(weekly_rate=5000))
    assert months
    assert months.likely == pytest.approx(17_500 / (1000 * 30.4375))
    assert reason == ""


def test_a_cost_is_what_runs_and_when_it_pays() -> None:
    load = replace(workload(), tokens_per_day=1e9)
    whole = cost(target(), placement(), speed(), (price(4),), Money(weekly_rate=5000), load, weeks(2, 3.5, 6), per_token(1e3), today=TODAY)
    assert isinstance(whole, Cost)
    assert whole.usd_per_hour == 4
    assert whole.break_even_months


@pytest.mark.parametrize(
    ("ours", "theirs", "effort", "volume", "rate", "reason"),
    [
        (per_token(2), per_token(1), weeks(1, 2, 3), 1e9, 5000.0, "never"),
        (per_token(1), per_token(1), weeks(1, 2, 3), None, None, "never"),
        (per_token(1), per_token(2), weeks(1, 2, 3), None, 5000.0, "no volume given"),
        (per_token(1), per_token(2), weeks(1, 2, 3), 1e9, None, "no weekly rate given"),
        (per_token(1), per_token(2), Effort(None, None, None, (), "", "captive"), 1e9, 5000.0, "captive"),
        (per_token(1), per_token(2), weeks(0, 0, 0), 1e9, 5000.0, "nothing to migrate"),
        (per_token(1), None, weeks(1, 2, 3), 1e9, 5000.0, "no price per token of the baseline"),
        (
            Running(None, None, None, None, price_is_stale=False, reason="no placement"),
            per_token(2),
            weeks(1, 2, 3),
            1e9,
            5000.0,
            "no placement",
        ),
    ],
)
def test_no_break_even_has_a_reason(
    ours: Running, theirs: Running | None, effort: Effort, volume: float | None, rate: float | None, reason: str
) -> None:
    months, why = break_even(ours, theirs, effort, replace(workload(), tokens_per_day=volume), Money(weekly_rate=rate))
    assert months is None
    assert why == reason


def test_a_saving_that_the_range_does_not_bear_out_is_none() -> None:
    wide = Running(1, Range(0.5, 1, 3), None, None, price_is_stale=False)
    months, reason = break_even(wide, per_token(2), weeks(1, 2, 3), replace(workload(), tokens_per_day=1e9), Money(weekly_rate=1))
    assert months is None
    assert "range of the estimates" in reason


@given(POSITIVE)
def test_doubling_the_price_doubles_the_cost(usd: float) -> None:
    once, twice = priced(price(usd)).usd_per_million_tokens, priced(price(2 * usd)).usd_per_million_tokens
    assert once
    assert twice
    assert [twice.low, twice.likely, twice.high] == pytest.approx([2 * once.low, 2 * once.likely, 2 * once.high])


@given(POSITIVE, POSITIVE, st.floats(0.1, 50), st.floats(1e3, 1e12), POSITIVE)
def test_break_even_times_saving_is_the_cost(ours: float, theirs: float, likely: float, volume: float, rate: float) -> None:
    load = replace(workload(), tokens_per_day=volume)
    effort = weeks(likely / 2, likely, 2 * likely)
    months, reason = break_even(per_token(ours), per_token(theirs), effort, load, Money(weekly_rate=rate))
    assert (months is None) == (reason == "never") == (theirs <= ours)
    if months is not None:
        paid = migration_cost(Range(likely / 2, likely, 2 * likely), rate)
        assert months.likely * monthly_saving(theirs, ours, volume) == pytest.approx(paid.likely)


@given(st.integers(1, 49))
def test_more_concurrency_never_raises_the_price_of_a_token(concurrency: int) -> None:
    less, more = priced(price(4), concurrency=concurrency), priced(price(4), concurrency=concurrency + 1)
    assert less.usd_per_million_tokens
    assert more.usd_per_million_tokens
    assert more.usd_per_million_tokens.likely <= less.usd_per_million_tokens.likely * (1 + 1e-9)

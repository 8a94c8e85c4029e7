"""The arithmetic of paying back holds as identities, not only on examples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.payback import DAYS_PER_MONTH, PaybackInputs, payback
from auditor.sizing.model import Range

EXAMPLE = PaybackInputs(weeks=3.5, weekly_rate=5000, tokens_per_day=100e6, baseline=2.0, target=1.0)
money = st.floats(0.01, 1000)
inputs = st.builds(
    PaybackInputs,
    weeks=st.floats(0.1, 50),
    weekly_rate=st.floats(100, 20_000),
    tokens_per_day=st.floats(1e5, 1e12),
    baseline=money,
    target=money,
    upkeep_weeks=st.floats(0, 2),
    exit_weeks=st.floats(0, 10),
)


def test_by_hand() -> None:
    # 3.5 weeks at $5,000 are $17,500; a dollar saved on each of 100 million tokens a day is $3,043.75 a month.
    assert EXAMPLE.migration_cost == 17_500
    assert EXAMPLE.monthly_saving == pytest.approx(3043.75)
    assert EXAMPLE.break_even_months == pytest.approx(5.7495, abs=1e-4)


def test_half_the_token_price_ends_it() -> None:
    answer = payback(EXAMPLE, {}, 24)
    price, volume = answer.sensitivity
    assert (price.name, price.low_months) == ("token price", None), "at half the price nothing is saved"
    assert price.high_months == pytest.approx(5.7495 / 2, abs=1e-3)
    assert volume.low_months == pytest.approx(5.7495 * 2, abs=1e-3)
    assert answer.drivers[0] == "token price"


@given(inputs)
def test_break_even_times_saving_is_cost(given_inputs: PaybackInputs) -> None:
    months = given_inputs.break_even_months
    if months is None:
        assert given_inputs.monthly_saving <= 0
    else:
        assert months * given_inputs.monthly_saving == pytest.approx(given_inputs.migration_cost)


@given(inputs, st.floats(1, 120))
def test_at_the_price_where_it_stops_paying_nothing_is_gained(given_inputs: PaybackInputs, horizon: float) -> None:
    answer = payback(given_inputs, {}, horizon)
    edge = PaybackInputs(
        given_inputs.weeks,
        given_inputs.weekly_rate,
        given_inputs.tokens_per_day,
        answer.stops_paying_below,
        given_inputs.target,
        given_inputs.upkeep_weeks,
    )
    volume = given_inputs.tokens_per_day * DAYS_PER_MONTH * horizon / 1e6
    assert edge.net(horizon) == pytest.approx(0, abs=1e-6 * (edge.migration_cost + given_inputs.target * volume + 1))


@given(inputs)
def test_upkeep_never_helps(given_inputs: PaybackInputs) -> None:
    answer = payback(given_inputs, {}, 24)
    if answer.break_even_with_upkeep_months is not None:
        assert answer.break_even_months is not None
        assert answer.break_even_with_upkeep_months >= answer.break_even_months


def test_the_widest_input_drives() -> None:
    answer = payback(EXAMPLE, {"weeks": Range(0.5, 3.5, 60.0), "target": Range(0.95, 1.0, 1.05)}, 24)
    assert answer.drivers == ("token price", "engineer-weeks")


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        payback(EXAMPLE, {}, 0)

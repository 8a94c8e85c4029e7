"""Whether a migration pays: cost against saving over a horizon, and which input the answer hangs on.

``break-even = migration cost / monthly saving``; ``monthly saving = (baseline - target) * tokens per month``, both prices
in dollars per million generated tokens. Upkeep of a second stack lowers the saving; leaving it again costs exit weeks:
both are judgement, stand apart, and never enter the plain break-even.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from auditor.sizing.model import Range

#: Days of a month: 365.25 / 12.
DAYS_PER_MONTH = 30.4375
_MILLION = 1_000_000
#: How far price and volume are moved to see what the answer does: token prices have halved within a year.
_SWING = 0.5


@dataclass(frozen=True, slots=True)
class PaybackInputs:
    """Likely values; ``uncertain`` holds the low and high of those that are ranges."""

    weeks: float
    weekly_rate: float
    """Dollars of one engineer-week, times the people who do it."""
    tokens_per_day: float
    """Generated tokens."""
    baseline: float
    """Dollars per million generated tokens today."""
    target: float
    """The same on the target."""
    upkeep_weeks: float = 0.0
    """Engineer-weeks per month of keeping a second stack."""
    exit_weeks: float = 0.0
    """Engineer-weeks of leaving it again."""

    @property
    def migration_cost(self) -> float:
        """Dollars of moving."""
        return self.weeks * self.weekly_rate

    @property
    def monthly_saving(self) -> float:
        """Dollars saved per month, upkeep left out."""
        return (self.baseline - self.target) * self.tokens_per_day * DAYS_PER_MONTH / _MILLION

    @property
    def break_even_months(self) -> float | None:
        """Months after which the saving has paid the migration; None for never."""
        return self.migration_cost / self.monthly_saving if self.monthly_saving > 0 else None

    def net(self, months: float) -> float:
        """Dollars gained after ``months``: saving less migration, upkeep and the way back."""
        upkeep = self.upkeep_weeks * self.weekly_rate * months
        return self.monthly_saving * months - self.migration_cost - upkeep - self.exit_weeks * self.weekly_rate


@dataclass(frozen=True, slots=True)
class Swing:
    """One input moved, and the break-even it gives; None for never."""

    name: str
    low_months: float | None
    high_months: float | None


@dataclass(frozen=True, slots=True)
class Payback:
    """The answer over a horizon."""

    migration_usd: float
    monthly_saving_usd: float
    upkeep_usd_per_month: float
    exit_usd: float
    horizon_months: float
    break_even_months: float | None
    break_even_with_upkeep_months: float | None
    net_usd: float
    """Over the horizon, upkeep and exit paid."""
    stops_paying_below: float
    """Baseline price per million tokens at which migration and upkeep are just paid back within the horizon."""
    sensitivity: tuple[Swing, ...]
    """Token price and volume at half less and half more."""
    drivers: tuple[str, ...]
    """The two inputs that move the break-even most, over their own ranges."""


def payback(inputs: PaybackInputs, uncertain: Mapping[str, Range], horizon_months: float) -> Payback:
    """Return the answer. ``uncertain`` names fields of the inputs with their low and high; price and volume swing by half.

    Raises ValueError for a horizon or volume that is not positive.
    """
    if horizon_months <= 0 or inputs.tokens_per_day <= 0:
        raise ValueError("horizon and volume must be positive")
    swings = {
        "token price": _swing(inputs, "baseline", inputs.baseline * (1 - _SWING), inputs.baseline * (1 + _SWING)),
        "volume": _swing(inputs, "tokens_per_day", inputs.tokens_per_day * (1 - _SWING), inputs.tokens_per_day * (1 + _SWING)),
    }
    measured = dict(swings)
    for field, span in uncertain.items():
        measured[_NAMES[field]] = _swing(inputs, field, span.low, span.high)
    upkeep = inputs.upkeep_weeks * inputs.weekly_rate
    kept = inputs.monthly_saving - upkeep
    volume = inputs.tokens_per_day * DAYS_PER_MONTH / _MILLION
    return Payback(
        migration_usd=inputs.migration_cost,
        monthly_saving_usd=inputs.monthly_saving,
        upkeep_usd_per_month=upkeep,
        exit_usd=inputs.exit_weeks * inputs.weekly_rate,
        horizon_months=horizon_months,
        break_even_months=inputs.break_even_months,
        break_even_with_upkeep_months=inputs.migration_cost / kept if kept > 0 else None,
        net_usd=inputs.net(horizon_months),
        stops_paying_below=inputs.target + (inputs.migration_cost / horizon_months + upkeep) / volume,
        sensitivity=tuple(Swing(name, *months) for name, months in swings.items()),
        drivers=tuple(sorted(measured, key=lambda name: (-_span(measured[name], horizon_months), name))[:2]),
    )


_NAMES = {
    "weeks": "engineer-weeks",
    "weekly_rate": "weekly rate",
    "tokens_per_day": "volume",
    "baseline": "cost per token today",
    "target": "cost per token on the target",
}


def _swing(inputs: PaybackInputs, field: str, low: float, high: float) -> tuple[float | None, float | None]:
    moved: Callable[[float], PaybackInputs] = lambda value: replace(inputs, **{field: value})  # noqa: E731 - one expression, used twice
    return moved(low).break_even_months, moved(high).break_even_months


def _span(months: tuple[float | None, float | None], horizon: float) -> float:
    """Return how far apart two break-evens are; never counts as ten horizons."""
    low, high = (10 * horizon if value is None else min(value, 10 * horizon) for value in months)
    return abs(high - low)

"""What a placement costs: the price that is taken, dollars per million tokens, and when a migration pays for itself.

``usd_per_million_tokens = usd_per_hour / (tokens_per_s * 3600 / 10^6)``, of all devices that are paid for.
``break_even_months = migration cost / monthly saving``, the cost being engineer-weeks times a weekly rate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from auditor.catalog.model import Price, Target
from auditor.results import Cost
from auditor.sizing.model import Placement, Range, Throughput
from auditor.workload import Workload

#: Age at which a price is called stale.
STALE_DAYS = 90
#: Days of a month: 365.25 / 12.
DAYS_PER_MONTH = 30.4375
_SECONDS_PER_HOUR = 3600
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Terms:
    """How prices are chosen and what people cost."""

    term: str = "on-demand"
    """``on-demand``, ``spot`` (which can be reclaimed), ``reserved-1y``, ``reserved-3y``, ``capacity-block``."""
    usd_per_hour: float | None = None
    """The user's own price of the whole placement; replaces every price row."""
    weekly_rate: float | None = None
    """Dollars of one engineer-week; break-even needs it."""


def cost(
    placement: Placement | None,
    throughput: Throughput | None,
    target: Target,
    workload: Workload,
    prices: Sequence[Price],
    today: str,
    terms: Terms | None = None,
) -> Cost:
    """Return what a placement costs per hour and per million tokens; break-even is added by ``with_break_even``.

    ``today`` is an ISO date. A figure that cannot be had is None, with the reason.
    """
    wanted = terms or Terms()
    if placement is None:
        return _nothing("no placement")
    if wanted.usd_per_hour is not None:
        price, hourly, stale, note = None, wanted.usd_per_hour, False, ""
    else:
        price = choose_price(placement, target, prices, wanted.term)
        if price is None:
            where = placement.instance or target.accelerator.name
            return _nothing(f"no {wanted.term} price known for {where}")
        hourly = price.usd_per_hour / price.devices * placement.billed_devices
        stale = is_stale(price.as_of, today)
        note = "spot: can be reclaimed at any time" if price.term == "spot" else ""
    if throughput is None:
        return Cost(hourly, None, None, price, stale, None, "no estimate of speed", note or "no estimate of speed")
    output = throughput.output_tokens_per_s
    return Cost(
        usd_per_hour=hourly,
        usd_per_million_tokens=_per_million(hourly, output, 1.0),
        usd_per_million_total_tokens=_per_million(hourly, output, _total_per_output(workload)),
        price=price,
        price_is_stale=stale,
        break_even_months=None,
        break_even_reason="not compared with a baseline",
        reason=note,
    )


def usd_per_million(usd_per_hour: float, tokens_per_s: float) -> float:
    """Return dollars per million tokens of a machine that makes ``tokens_per_s``."""
    return usd_per_hour / (tokens_per_s * _SECONDS_PER_HOUR / _MILLION)


def choose_price(placement: Placement, target: Target, prices: Sequence[Price], term: str = "on-demand") -> Price | None:
    """Return the newest price of a placement's machine at a term, the cheapest of equally new ones."""
    rows = [
        row
        for row in prices
        if (row.accelerator, row.provider, row.instance, row.term) == (target.accelerator.id, placement.provider, placement.instance, term)
    ]
    return min(rows, key=lambda row: (_negated(row.as_of), row.usd_per_hour / row.devices), default=None)


def is_stale(as_of: str, today: str) -> bool:
    """Return whether a price of ``as_of`` (``YYYY-MM`` or ``YYYY-MM-DD``) is more than 90 days old."""
    return (date.fromisoformat(today) - date.fromisoformat(_full_date(as_of))).days > STALE_DAYS


def with_break_even(target: Cost, baseline: Cost | None, weeks: Range | None, workload: Workload, terms: Terms) -> Cost:
    """Return a cost with the months after which moving from ``baseline`` has paid for itself, or the reason there are none.

    Low is the cheapest migration with the largest saving, high the dearest with the smallest. What it takes is known
    only with a volume (``tokens_per_day`` generated tokens) and a rate of pay.
    """
    months, reason = _break_even(target, baseline, weeks, workload, terms)
    return Cost(
        target.usd_per_hour,
        target.usd_per_million_tokens,
        target.usd_per_million_total_tokens,
        target.price,
        target.price_is_stale,
        months,
        reason,
        target.reason,
    )


def migration_cost(weeks: Range, weekly_rate: float) -> Range:
    """Return dollars for engineer-weeks at a weekly rate."""
    return Range(weeks.low * weekly_rate, weeks.likely * weekly_rate, weeks.high * weekly_rate)


def monthly_saving(baseline: float, target: float, tokens_per_day: float) -> float:
    """Return dollars saved per month at a volume, both prices in dollars per million generated tokens."""
    return (baseline - target) * tokens_per_day * DAYS_PER_MONTH / _MILLION


def _break_even(target: Cost, baseline: Cost | None, weeks: Range | None, workload: Workload, terms: Terms) -> tuple[Range | None, str]:
    ours, theirs = target.usd_per_million_tokens, baseline.usd_per_million_tokens if baseline else None
    if ours is None:
        return None, target.reason or "no price per token on this target"
    if theirs is None:
        return None, "no price per token of the baseline"
    if weeks is None:
        return None, "effort is not known"
    if weeks.high == 0:
        return None, "nothing to migrate"
    if workload.tokens_per_day is None:
        return None, "no volume given"
    if terms.weekly_rate is None:
        return None, "no weekly rate given"
    paid = migration_cost(weeks, terms.weekly_rate)
    # Both prices share the method, so its errors lean the same way: low goes with low, high with high.
    savings = sorted(
        monthly_saving(before, after, workload.tokens_per_day)
        for before, after in ((theirs.low, ours.low), (theirs.likely, ours.likely), (theirs.high, ours.high))
    )
    likely = monthly_saving(theirs.likely, ours.likely, workload.tokens_per_day)
    if likely <= 0:
        return None, "never"
    smallest = savings[0] if savings[0] > 0 else None
    if smallest is None:
        return None, "never at the low end of the saving"
    return Range(paid.low / savings[2], paid.likely / likely, paid.high / smallest), ""


def _per_million(hourly: float, output: Range, tokens_per_output: float) -> Range | None:
    if output.low <= 0:
        return None
    # The slowest case is the dearest.
    costs = [usd_per_million(hourly, rate * tokens_per_output) for rate in (output.high, output.likely, output.low)]
    return Range(*costs)


def _total_per_output(workload: Workload) -> float:
    """Return prompt and generated tokens per generated token."""
    generated = workload.output_tokens or 1
    return ((workload.input_tokens or 0) + generated) / generated


def _nothing(reason: str) -> Cost:
    return Cost(None, None, None, None, price_is_stale=False, break_even_months=None, break_even_reason=reason, reason=reason)


def _full_date(day: str) -> str:
    """Return a whole date; a month stands for its first day."""
    return day if len(day) > len("2026-11") else f"{day}-01"


def _negated(day: str) -> int:
    return -date.fromisoformat(_full_date(day)).toordinal()

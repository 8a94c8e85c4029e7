"""What a placement costs: the price that is taken, dollars per million tokens, and when a migration pays for itself.

``usd_per_million_tokens = usd_per_hour / (tokens_per_s * 3600 / 10^6)``, of all devices that are paid for.
``break_even_months = migration cost / monthly saving``, the cost being engineer-weeks times a weekly rate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from auditor.baseline.model import Baseline
from auditor.catalog.model import Price, Target
from auditor.payback import DAYS_PER_MONTH, Payback, PaybackInputs, payback
from auditor.results import Cost, Effort
from auditor.sizing.model import Placement, Range, Throughput
from auditor.sizing.offers import FALLBACKS
from auditor.workload import Workload

#: Age at which a price is called stale.
STALE_DAYS = 90
_SECONDS_PER_HOUR = 3600
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Money:
    """How prices are chosen and what people cost."""

    prices: Mapping[str, float] = field(default_factory=dict)
    """The user's own dollars per device-hour, by accelerator id or alias; they replace every price row."""
    term: str = "on-demand"
    """``on-demand`` (or a capacity block, where a machine has no such price), ``spot``, ``capacity-block``, …"""
    weekly_rate: float | None = None
    """Dollars of one engineer-week; break-even needs it."""
    people: int = 1
    """Engineers who are paid for each week of effort."""
    horizon_months: float = 24.0
    """Months within which a migration is to pay for itself."""


@dataclass(frozen=True, slots=True)
class Running:
    """What it costs to keep a placement running, people left out. Every None has a ``reason``."""

    usd_per_hour: float | None
    usd_per_million_tokens: Range | None
    usd_per_million_total_tokens: Range | None
    price: Price | None
    price_is_stale: bool
    reason: str = ""


def cost(
    target: Target,
    placement: Placement | None,
    speed: Throughput | None,
    prices: Sequence[Price],
    money: Money,
    workload: Workload,
    effort: Effort,
    baseline: Running | None,
    *,
    today: str,
    upkeep_weeks: float = 0.0,
    exit_weeks: float = 0.0,
) -> Cost:
    """Return what a target costs, and the months after which moving there from ``baseline`` has paid for itself.

    ``today`` is an ISO date. ``upkeep_weeks`` (a month) and ``exit_weeks`` enter the payback over the horizon alone. A
    figure that cannot be had is None, with the reason.
    """
    here = running(target, placement, speed, prices, money, workload, today=today)
    months, reason = break_even(here, baseline, effort, workload, money)
    return Cost(
        usd_per_hour=here.usd_per_hour,
        usd_per_million_tokens=here.usd_per_million_tokens,
        usd_per_million_total_tokens=here.usd_per_million_total_tokens,
        price=here.price,
        price_is_stale=here.price_is_stale,
        break_even_months=months,
        break_even_reason=reason,
        reason=here.reason,
        payback=_payback(here, baseline, effort, workload, money, upkeep_weeks, exit_weeks),
    )


def _payback(
    here: Running, baseline: Running | None, effort: Effort, workload: Workload, money: Money, upkeep_weeks: float, exit_weeks: float
) -> Payback | None:
    """Return the answer over the horizon where every input of it is known and there is something to migrate."""
    ours, theirs = here.usd_per_million_tokens, baseline.usd_per_million_tokens if baseline else None
    if ours is None or theirs is None or effort.weeks is None or not effort.weeks.high:
        return None
    if workload.tokens_per_day is None or money.weekly_rate is None:
        return None
    inputs = PaybackInputs(
        weeks=effort.weeks.likely,
        weekly_rate=money.weekly_rate * money.people,
        tokens_per_day=workload.tokens_per_day,
        baseline=theirs.likely,
        target=ours.likely,
        upkeep_weeks=upkeep_weeks,
        exit_weeks=exit_weeks,
    )
    return payback(inputs, {"weeks": effort.weeks, "target": ours}, money.horizon_months)


def running(
    target: Target,
    placement: Placement | None,
    speed: Throughput | None,
    prices: Sequence[Price],
    money: Money,
    workload: Workload,
    *,
    today: str,
) -> Running:
    """Return what a placement costs per hour and per million tokens."""
    if placement is None:
        return Running(None, None, None, None, price_is_stale=False, reason="no placement")
    own = next((money.prices[name] for name in (target.accelerator.id, *target.accelerator.aliases) if name in money.prices), None)
    price, note = None, ""
    if own is not None:
        hourly = own * placement.billed_devices
    else:
        price = choose_price(placement, target, prices, money.term)
        if price is None:
            where = placement.instance or target.accelerator.name
            return Running(None, None, None, None, price_is_stale=False, reason=f"no {money.term} price known for {where}")
        hourly = price.usd_per_hour / price.devices * placement.billed_devices
        note = _price_note(price, money.term)
    stale = price is not None and is_stale(price.as_of, today)
    if speed is None:
        return Running(hourly, None, None, price, stale, note or "no estimate of speed")
    output = speed.output_tokens_per_s
    return Running(hourly, _per_million(hourly, output, 1.0), _per_million(hourly, output, _total_per_output(workload)), price, stale, note)


def measured(estimate: Throughput, baseline: Baseline) -> Throughput:
    """Return the speed of the server that was measured: tokens per second as measured, the rest as estimated."""
    rate = baseline.output_tokens_per_s
    joule = baseline.tokens_per_joule
    waited = Range(baseline.ttft_s, baseline.ttft_s, baseline.ttft_s) if baseline.ttft_s is not None else estimate.ttft_s
    return replace(
        estimate,
        output_tokens_per_s=Range(rate, rate, rate),
        ttft_s=waited,
        tokens_per_joule=Range(joule, joule, joule) if joule is not None else estimate.tokens_per_joule,
        basis="measured",
        terms=(*estimate.terms, f"output_tokens_per_s = {rate:,.0f}, measured by {baseline.tool} over {baseline.seconds:,.0f} s"),
    )


def relative(estimate: Throughput, factor: float) -> Throughput:
    """Return an estimate scaled by ``measured / estimated`` of the baseline: what the model misses there, it misses alike here."""

    def scaled(span: Range) -> Range:
        return Range(span.low * factor, span.likely * factor, span.high * factor)

    return replace(
        estimate,
        output_tokens_per_s=scaled(estimate.output_tokens_per_s),
        decode_tokens_per_s=scaled(estimate.decode_tokens_per_s),
        prefill_tokens_per_s=scaled(estimate.prefill_tokens_per_s),
        decode_tokens_per_s_per_sequence=scaled(estimate.decode_tokens_per_s_per_sequence),
        terms=(*estimate.terms, f"all rates x {factor:.3g}: measured over estimated on the baseline"),
    )


def usd_per_million(usd_per_hour: float, tokens_per_s: float) -> float:
    """Return dollars per million tokens of a machine that makes ``tokens_per_s``."""
    return usd_per_hour / (tokens_per_s * _SECONDS_PER_HOUR / _MILLION)


def choose_price(placement: Placement, target: Target, prices: Sequence[Price], term: str = "on-demand") -> Price | None:
    """Return the newest price of a placement's machine at a term, the cheapest of equally new ones.

    A machine without a price on demand is taken at that of a capacity block: it can be had by anybody, for a fixed time.
    """
    for wanted in FALLBACKS.get(term, (term,)):
        rows = [
            row
            for row in prices
            if (row.accelerator, row.provider, row.instance, row.term)
            == (target.accelerator.id, placement.provider, placement.instance, wanted)
        ]
        if rows:
            return min(rows, key=lambda row: (-_ordinal(row.as_of), row.usd_per_hour / row.devices))
    return None


def _price_note(price: Price, term: str) -> str:
    if price.term == "spot":
        return "spot: can be reclaimed at any time"
    return f"no {term} price known for {price.instance}: {price.term} price" if price.term != term else ""


def is_stale(as_of: str, today: str) -> bool:
    """Return whether a price of ``as_of`` (``YYYY-MM`` or ``YYYY-MM-DD``) is more than 90 days old."""
    return (date.fromisoformat(today).toordinal() - _ordinal(as_of)) > STALE_DAYS


def migration_cost(weeks: Range, weekly_rate: float) -> Range:
    """Return dollars for engineer-weeks at a weekly rate."""
    return Range(weeks.low * weekly_rate, weeks.likely * weekly_rate, weeks.high * weekly_rate)


def monthly_saving(baseline: float, target: float, tokens_per_day: float) -> float:
    """Return dollars saved per month at a volume, both prices in dollars per million generated tokens."""
    return (baseline - target) * tokens_per_day * DAYS_PER_MONTH / _MILLION


def break_even(here: Running, baseline: Running | None, effort: Effort, workload: Workload, money: Money) -> tuple[Range | None, str]:
    """Return the months after which moving has paid for itself, or None and the reason there are none.

    Low is the cheapest migration with the largest saving, high the dearest with the smallest; "never" where the
    likely saving is not a saving.
    """
    ours, theirs, weeks = here.usd_per_million_tokens, baseline.usd_per_million_tokens if baseline else None, effort.weeks
    if ours is None:
        return None, here.reason or "no price per token on this target"
    if theirs is None:
        return None, "no price per token of the baseline"
    if weeks is None:
        return None, effort.reason or "effort is not known"
    if weeks.high == 0:
        return None, "nothing to migrate"
    if theirs.likely <= ours.likely:
        return None, "never"
    if workload.tokens_per_day is None:
        return None, "no volume given"
    if money.weekly_rate is None:
        return None, "no weekly rate given"
    paid = migration_cost(weeks, money.weekly_rate * money.people)
    # Both prices come from one method, whose errors lean the same way: low is compared with low, high with high.
    pairs = ((theirs.low, ours.low), (theirs.likely, ours.likely), (theirs.high, ours.high))
    savings = [monthly_saving(before, after, workload.tokens_per_day) for before, after in pairs]
    if min(savings) <= 0:
        return None, "not within the range of the estimates: at one end of it nothing is saved"
    return Range(paid.low / max(savings), paid.likely / savings[1], paid.high / min(savings)), ""


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


def _full_date(day: str) -> str:
    """Return a whole date; a month stands for its first day."""
    return day if len(day) > len("2026-11") else f"{day}-01"


def _ordinal(day: str) -> int:
    return date.fromisoformat(_full_date(day)).toordinal()

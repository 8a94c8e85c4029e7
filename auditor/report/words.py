"""Numbers as a reader wants them: short, with no more digits than they are worth."""

import math
from typing import TYPE_CHECKING

from auditor.facts import CATALOGUE, Value
from auditor.units import human_bytes, human_count

if TYPE_CHECKING:  # sizing brings the catalogue with it, which an inspection has no use for
    from auditor.sizing.model import Range

NOTHING = "-"


def number(value: float) -> str:
    """Return three significant digits and a unit prefix above 10,000: ``0.42``, ``1,900``, ``24.1k``."""
    for size, unit, start in ((1e6, "M", 1e6), (1e3, "k", 1e4)):
        if value >= 0.9995 * start:
            return f"{_significant(value / size, 3)}{unit}"
    return _significant(value, 3)


def rough(value: float) -> str:
    """Return two significant digits, as many as an estimate is worth: ``0.42``, ``19``, ``1.9k``."""
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if value >= 0.995 * size:
            return f"{_significant(value / size, 2)}{unit}"
    return _significant(value, 2)


def between(value: "Range | None") -> str:
    """Return ``low-high`` of an estimate, or one number where both read the same."""
    if value is None:
        return NOTHING
    low, high = rough(value.low), rough(value.high)
    return low if low == high else f"{low}-{high}"


def outer(weeks: "Range | None") -> str:
    """Return ``low-high`` weeks with one digit after the point; ``0`` where there is nothing to do."""
    if weeks is None:
        return NOTHING
    return "0" if weeks.high == 0 else f"{weeks.low:.1f}-{weeks.high:.1f}"


def _significant(value: float, digits: int) -> str:
    """Return ``value`` with that many significant digits, thousands set apart, and no exponent."""
    kept = float(f"{value:.{digits}g}")
    if kept == 0:
        return "0"
    after = max(0, digits - 1 - math.floor(math.log10(abs(kept))))
    return f"{kept:,.{after}f}" if abs(kept) < 10 ** (digits - 1) else f"{kept:,.0f}"


def three(value: "Range | None") -> str:
    """Return ``low/likely/high`` with one digit after the point; ``0`` where there is nothing to do."""
    if value is None:
        return NOTHING
    if value.high == 0:
        return "0"
    return "/".join(f"{part:.1f}" for part in (value.low, value.likely, value.high))


def amount(value: float) -> str:
    """Return a published figure as it was published: every digit, thousands set apart."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,g}"


def dollars(value: float | None) -> str:
    """Return a price with two digits, three significant ones below a dollar."""
    if value is None:
        return NOTHING
    return f"{value:,.2f}" if value >= 1 else f"{value:.3g}"


def listed(names: "list[str] | tuple[str, ...]", most: int) -> str:
    """Return at most ``most`` names and how many more there are."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def shorten(text: str, width: int) -> str:
    """Return ``text``, cut with an ellipsis where it is wider than ``width``."""
    return text if len(text) <= width else text[: max(width - 1, 1)] + "…"


def fact_value(name: str, value: Value) -> str:
    """Return a fact's value with its unit, exact, and beside it as people say it."""
    unit = CATALOGUE[name].unit
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value) or "none"
    if isinstance(value, str):
        return value
    if unit == "bytes":
        return f"{value:,.0f} ({human_bytes(value)})" if value >= 1024 else f"{value:,.0f} bytes"
    if unit == "parameters":
        return f"{value:,.0f} ({human_count(value)})"
    shown = f"{value:,}" if isinstance(value, int) else number(value)
    return f"{shown} {unit}".rstrip()

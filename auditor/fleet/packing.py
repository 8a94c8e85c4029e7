"""How many machines hold a fleet: first fit, in decreasing order, over counts rather than single placements.

A placement that fills its machines has them to itself. Smaller ones share machines of their type, device by device. And where
servers may share a device, each with a part of its memory, those that need one device or less share devices as well: by
memory, in hundredths of a device, rounded up. That is what memory allows; whether the load of those models
does, no file tells, so both figures are given.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

#: Hours of a month: 365.25 / 12 days.
HOURS_PER_MONTH = 730.5
#: Parts of a device that its memory is divided into.
_PARTS = 100


@dataclass(frozen=True, slots=True)
class Placed:
    """Placements that are alike, and how many of them there are."""

    copies: int
    devices: int
    device_share: float | None
    """Part of one device that each needs, where servers may share a device."""
    billed_devices: int
    instance: str
    provider: str
    instances: int
    usd_per_hour: float | None
    """Of all machines of one placement."""


@dataclass(frozen=True, slots=True)
class Packed:
    """What holds them all."""

    devices: int = 0
    instances: int = 0
    usd_per_month: float | None = None
    """At every hour of the month; None where no placement has a price."""
    unpriced: int = 0
    """Placements without a price, which the dollars leave out."""


def pack(placements: Iterable[Placed], *, share_devices: bool = False) -> Packed:
    """Return what holds all placements, packed together; with ``share_devices`` several servers on one device where that may be."""
    devices = instances = unpriced = 0
    hourly = 0.0
    priced = False
    machines: dict[tuple[str, str, int, float | None], Counter[int]] = {}
    shared: dict[tuple[str, str, int, float | None], Counter[int]] = {}
    for one in placements:
        priced |= one.usd_per_hour is not None
        unpriced += one.copies if one.usd_per_hour is None else 0
        kind = (one.provider, one.instance, one.billed_devices, one.usd_per_hour)
        if share_devices and one.device_share is not None and one.instances == 1:
            shared.setdefault(kind, Counter())[min(_PARTS, math.ceil(one.device_share * _PARTS))] += one.copies
        elif one.instances == 1 and one.devices < one.billed_devices:
            devices += one.devices * one.copies
            machines.setdefault(kind, Counter())[one.devices] += one.copies
        else:
            devices += one.devices * one.copies
            instances += one.instances * one.copies
            hourly += (one.usd_per_hour or 0.0) * one.copies
    for kind, parts in shared.items():
        needed = bins(parts, _PARTS)
        devices += needed
        machines.setdefault(kind, Counter())[1] += needed
    for (_, _, size, price), wanted in machines.items():
        needed = bins(wanted, size)
        instances += needed
        hourly += needed * (price or 0.0)
    return Packed(devices, instances, hourly * HOURS_PER_MONTH if priced else None, unpriced)


def bins(wanted: Mapping[int, int], size: int) -> int:
    """Return how many bins of ``size`` hold ``wanted[n]`` pieces of every size n, by first fit in decreasing order."""
    opened: list[tuple[int, int]] = []  # free room and number of bins that are alike, in the order in which they were opened
    for piece, count in sorted(wanted.items(), reverse=True):
        left, after = count, []
        for free, alike in opened:
            each = free // piece
            full = min(alike, left // each) if each else 0
            rest = min(left - full * each, each - 1) if each and full < alike else 0
            after += [(free - each * piece, full), (free - rest * piece, 1 if rest else 0), (free, alike - full - (1 if rest else 0))]
            left -= full * each + rest
        each = size // piece
        after += [(size - each * piece, left // each), (size - left % each * piece, 1 if left % each else 0)]
        opened = [(free, alike) for free, alike in after if alike]
    return sum(alike for _, alike in opened)

"""Placements on machines: as many as single placements would need, and the dollars of those."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.fleet.packing import HOURS_PER_MONTH, Packed, Placed, bins, pack


def _one_by_one(pieces: list[int], size: int) -> int:
    free: list[int] = []
    for piece in sorted(pieces, reverse=True):
        at = next((at for at, left in enumerate(free) if left >= piece), None)
        if at is None:
            free.append(size - piece)
        else:
            free[at] -= piece
    return len(free)


@given(st.sampled_from([1, 4, 8, 100]).flatmap(lambda size: st.tuples(st.just(size), st.lists(st.integers(1, size), max_size=60))))
def test_counts_pack_as_single_pieces_do(case: tuple[int, list[int]]) -> None:
    size, pieces = case
    assert bins(Counter(pieces), size) == _one_by_one(pieces, size)


def test_a_million_replicas_take_no_time() -> None:
    assert bins({1: 10**9, 3: 10**9}, 8) == 500_000_000


def _placed(**changes: object) -> Placed:
    values: dict[str, object] = {
        "copies": 1,
        "devices": 1,
        "device_share": None,
        "billed_devices": 8,
        "instance": "eight",
        "provider": "cloud",
        "instances": 1,
        "usd_per_hour": 16.0,
    }
    return Placed(**{**values, **changes})  # type: ignore[arg-type] # names of the dataclass


def test_small_placements_share_machines_of_their_type() -> None:
    found = pack([_placed(copies=9), _placed(devices=4), _placed(devices=8, copies=2), _placed(instance="other", provider="else")])
    # Nine single devices and a four fill two machines of eight; two of eight have theirs; the other type is another machine.
    assert found == Packed(9 + 4 + 16 + 1, 2 + 2 + 1, pytest.approx(5 * 16.0 * HOURS_PER_MONTH), 0)


def test_servers_share_devices_only_where_they_may() -> None:
    small = [_placed(copies=10, device_share=0.2), _placed(copies=1, device_share=0.55), _placed(copies=2)]
    assert pack(small).devices == 13
    shared = pack(small, share_devices=True)
    # 0.55 with two of 0.2, then eight more of 0.2 five to a device, and two devices that nobody may share.
    assert (shared.devices, shared.instances) == (1 + 2 + 2, 1)


def test_shares_are_rounded_up() -> None:
    assert pack([_placed(copies=2, device_share=0.501)], share_devices=True).devices == 2
    assert pack([_placed(copies=2, device_share=0.5)], share_devices=True).devices == 1
    assert pack([_placed(copies=2, device_share=1.03)], share_devices=True).devices == 2, "borderline ones have a device to themselves"


def test_what_has_no_price_is_counted() -> None:
    assert pack([_placed(usd_per_hour=None, copies=3)]) == Packed(3, 1, None, 3)
    mixed = pack([_placed(usd_per_hour=None, copies=3), _placed(instance="other")])
    assert (mixed.usd_per_month, mixed.unpriced) == (pytest.approx(16.0 * HOURS_PER_MONTH), 3)
    assert pack([]) == Packed(0, 0, None, 0)

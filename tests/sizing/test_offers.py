"""Machines: what holds a number of devices, and which is taken."""

import pytest

from auditor.catalog.model import Instance
from auditor.sizing.offers import hourly, offers
from tests.support.hands import accelerator, price

ONE, EIGHT = Instance("cloud", "one", 1), Instance("cloud", "eight", 8)


@pytest.mark.parametrize(("devices", "joined", "names"), [(1, 1, ["one", "eight"]), (2, 2, ["eight"]), (16, 8, ["eight"])])
def test_a_part_of_a_host_is_not_joined_with_another(devices: int, joined: int, names: list[str]) -> None:
    found = offers(accelerator(instances=(ONE, EIGHT)), devices, joined, ())
    assert [offer.instance.name for offer in found if offer.instance] == names


def test_a_fabric_beyond_the_host_joins_hosts() -> None:
    found = offers(accelerator(instances=(EIGHT,), scale_up_devices=64), 16, 16, ())
    assert [offer.instances for offer in found] == [2]
    assert not offers(accelerator(instances=(EIGHT,), scale_up_devices=8), 16, 16, ())


def test_the_newest_price_on_demand_is_taken() -> None:
    rows = (price(5, as_of="2026-01-01"), price(4, as_of="2026-10-01"), price(1, term="spot", as_of="2026-11-01"))
    assert hourly(rows, "chip", ONE, 1) == 4
    assert hourly((price(3, term="capacity-block"), *rows[2:]), "chip", ONE, 1) == 3
    assert hourly(rows[2:], "chip", ONE, 1) is None


def test_a_host_s_price_is_divided_over_its_devices() -> None:
    assert hourly((price(80, "eight", 8),), "chip", EIGHT, 16) == 160


def test_machines_are_compared_at_the_term_asked_for() -> None:
    rows = (price(4, "one"), price(1, "one", term="spot"), price(20, "eight", 8))
    chip = accelerator(instances=(ONE, EIGHT))
    assert [offer.usd_per_hour for offer in offers(chip, 1, 1, rows, "spot")] == [1, None]

"""What rules/accelerators and rules/prices must hold to be trusted: complete, sourced, plausible, and written up as they are."""

from collections import Counter
from collections.abc import Iterator

import pytest

from auditor.catalog import Accelerator, Catalog, Figure, Price, load_catalog
from tools import make_docs_accelerators

WANTED = """
    a10g a100-40 a100-80 l4 l40s h100-sxm h100-pcie h100-nvl h200-sxm gh200-96 gh200-144 b200 gb200 b300 gb300 rubin rtx-pro-6000
    rtx-3090 rtx-4090 rtx-5090 mi300x mi325x mi355x gaudi2 gaudi3 inferentia2 trainium1 trainium2 trainium3
    tpu-v4 tpu-v5e tpu-v5p tpu-v6e tpu-v7 tpu-8t tpu-8i maia100 maia200 mtia-1 mtia-2 mtia-300 mtia-400 mtia-450 mtia-500
    jalapeno groq-lpu groq-3-lpu sohu wse-3 sn40l qualcomm-ai100-ultra tenstorrent-n150 tenstorrent-n300 tenstorrent-p150
    ascend-910b ascend-910c
"""

#: Rented, but without a public price: a report must say so, and nobody may invent one.
UNPRICED = {"gaudi3", "trainium3"}

#: Titles that say that a page was read second-hand.
SECOND_HAND = ("as copied", "as audited", "as quoted", "as tabulated", "as noted", "as read", "as digested", "as collected", "as mapped")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def figures(chip: Accelerator) -> Iterator[tuple[str, Figure]]:
    yield "memory", chip.memory
    yield "planning_memory", chip.memory_bytes
    yield "bandwidth", chip.bandwidth
    yield "power", chip.power
    yield "interconnect", chip.interconnect
    yield from chip.peaks.items()


def test_every_accelerator_that_a_served_model_could_meet_is_there(catalog: Catalog) -> None:
    assert set(WANTED.split()) <= set(catalog.accelerators)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("h100", "h100-sxm"),
        ("h200", "h200-sxm"),
        ("a100", "a100-80"),
        ("4090", "rtx-4090"),
        ("gh200", "gh200-96"),
        ("inf2", "inferentia2"),
        ("trn1", "trainium1"),
        ("v6e", "tpu-v6e"),
        ("trillium", "tpu-v6e"),
        ("tpu7x", "tpu-v7"),
        ("ironwood", "tpu-v7"),
        ("groq-3", "groq-3-lpu"),
        ("cs-3", "wse-3"),
    ],
)
def test_people_find_a_chip_by_the_name_they_type(catalog: Catalog, typed: str, meant: str) -> None:
    assert catalog.accelerator(typed).id == meant


def test_a_figure_has_a_source_and_a_missing_one_a_reason(catalog: Catalog) -> None:
    for chip in catalog.accelerators.values():
        for name, figure in figures(chip):
            assert figure.note if figure.value is None else figure.sources, f"{chip.id}: {name}"


def test_one_second_hand_source_is_never_enough_for_high_confidence(catalog: Catalog) -> None:
    claims = [(f"{chip.id}: {name}", figure) for chip in catalog.accelerators.values() for name, figure in figures(chip)]
    claims += [(f"{price.provider} {price.instance} {price.term}", price) for price in catalog.prices]
    for where, claim in claims:
        if claim.confidence == "high" and len(claim.sources) == 1:
            assert not any(mark in claim.sources[0].title for mark in SECOND_HAND), where


def test_memory_to_plan_with_is_never_more_than_the_label_read_as_binary(catalog: Catalog) -> None:
    units = {"GB": 1 << 30, "GiB": 1 << 30, "MB": 1 << 20}
    for chip in catalog.accelerators.values():
        if chip.memory.value and chip.memory_bytes.value:
            assert chip.memory_bytes.value <= chip.memory.value * units[chip.memory.unit], chip.id


def test_ranks_of_a_partitioned_chip_share_all_of_its_memory(catalog: Catalog) -> None:
    parted = {chip.id: chip for chip in catalog.accelerators.values() if chip.partition}
    assert set(parted) == {"inferentia2", "trainium1", "trainium2", "trainium3", "tpu-v7", "tpu-8i"}
    for chip in parted.values():
        assert chip.partition is not None
        assert chip.partition.per_device * chip.partition.memory_bytes == chip.memory_bytes.value, chip.id


def test_narrower_types_are_not_slower_except_where_the_file_says_why(catalog: Catalog) -> None:
    slower = set()
    for chip in catalog.accelerators.values():
        sixteen, eight, integers, four = (
            chip.peaks[dtype].value if dtype in chip.peaks else None for dtype in ("bfloat16", "float8_e4m3fn", "int8", "float4_e2m1")
        )
        if sixteen and ((eight or sixteen) < sixteen or (integers or sixteen) < sixteen):
            slower.add(chip.id)
        assert (four or eight or 0) >= (eight or 0), chip.id
    assert slower == {"b300", "gb300", "rubin"}, "INT8 of Blackwell Ultra and Rubin, by their notes"


def test_a_type_that_is_multiplied_natively_is_not_said_to_have_no_units(catalog: Catalog) -> None:
    for chip in catalog.accelerators.values():
        for dtype in chip.native_dtypes:
            figure = chip.peaks.get(dtype)
            assert figure is None or figure.value is not None or "no " not in figure.note.split(",")[0].split(";")[0], f"{chip.id}: {dtype}"


def test_links_are_counted_in_one_direction(catalog: Catalog) -> None:
    one_way = {"a100-80": 300, "h100-sxm": 450, "b200": 900, "rubin": 1800, "tpu-v7": 600, "tpu-v5p": 600, "tpu-v6e": 400, "mi300x": 448}
    assert {name: catalog.accelerators[name].interconnect.value for name in one_way} == one_way


def test_cards_of_nvidia_state_what_kernels_need(catalog: Catalog) -> None:
    capability = {
        "ampere-datacenter": {8.0},
        "ampere-rtx": {8.6},
        "ada": {8.9},
        "hopper": {9.0},
        "blackwell": {10.0, 10.3},
        "blackwell-rtx": {12.0},
    }
    for chip in catalog.accelerators.values():
        if chip.family in capability:
            assert chip.compute_capability in capability[chip.family], chip.id


def test_what_cannot_be_had_is_not_for_rent(catalog: Catalog) -> None:
    for chip in catalog.accelerators.values():
        if chip.availability in ("captive", "unreleased"):
            assert not chip.instances, chip.id
            assert not [price for price in catalog.prices if price.accelerator == chip.id], chip.id
            assert chip.availability_as_of, f"{chip.id} is said to be {chip.availability}, and nobody knows since when"


def test_every_price_is_one_of_a_machine_that_the_accelerator_lists(catalog: Catalog) -> None:
    for price in catalog.prices:
        machines = {(machine.provider, machine.name): machine for machine in catalog.accelerators[price.accelerator].instances}
        machine = machines[price.provider, price.instance]
        assert price.devices == (1 if machine.sold_per_device else machine.devices), f"{price.provider} {price.instance}"


def test_what_is_rented_has_a_price_or_is_known_to_have_none(catalog: Catalog) -> None:
    priced = {price.accelerator for price in catalog.prices}
    assert {chip.id for chip in catalog.accelerators.values() if chip.instances} - priced == UNPRICED


def test_prices_of_one_device_are_plausible(catalog: Catalog) -> None:
    assert all(0.2 <= price.usd_per_hour / price.devices <= 30 for price in catalog.prices)


def test_a_commitment_costs_less_than_none(catalog: Catalog) -> None:
    def key(price: Price) -> tuple[str, str, str, str | None]:
        return (price.provider, price.instance, price.market, price.region)

    lowest: dict[tuple[tuple[str, str, str, str | None], str], float] = {}
    for price in catalog.prices:
        at = (key(price), price.term)
        lowest[at] = min(price.usd_per_hour, lowest.get(at, price.usd_per_hour))
    for (machine, term), usd in lowest.items():
        on_demand = lowest.get((machine, "on-demand"))
        if term.startswith("reserved") and on_demand is not None:
            assert usd < on_demand, machine


def test_no_price_is_given_twice_for_one_day(catalog: Catalog) -> None:
    rows = Counter((p.provider, p.instance, p.accelerator, p.term, p.market, p.region, p.as_of) for p in catalog.prices)
    assert [row for row, times in rows.items() if times > 1] == []


def test_the_page_about_accelerators_is_current() -> None:
    assert make_docs_accelerators.TARGET.read_text(encoding="utf-8") == make_docs_accelerators.render()

"""Write docs/accelerators.md: what the catalogue says of every accelerator, with its sources.

    python -m tools.make_docs_accelerators [--check]

With --check nothing is written; the exit code says whether the file is current.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from auditor.catalog import load_catalog
from auditor.catalog.model import Accelerator, Figure, Instance, Price
from auditor.units import GIB
from tools.page import Citations, write

TARGET = Path(__file__).resolve().parent.parent / "docs" / "accelerators.md"

INTRODUCTION = """\
<!-- Written by tools/make_docs_accelerators.py from rules/accelerators/ and rules/prices/. Do not edit. -->
# Accelerators

Every figure below stands in `rules/accelerators/` with its sources; a dash is a figure that no source gives. Peaks are dense, without
sparsity, in TFLOPS (TOPS for integers). Bandwidth is decimal GB/s, links are counted in one direction. *Plan* is what a fit check uses
before a stack takes its share: what the driver or runtime reports where that is known, the label read cautiously where it is not.
A question mark follows a figure of low confidence. Numbers in brackets are [sources](#sources).

Who can get one: `open` to anybody who pays; `limited` to reservations, an API, a region or a bundle; `captive` to its builder;
`unreleased`. Prices move within weeks: read the date, and the region.
"""

#: Peaks worth a column, with its title; the first that a chip has is shown.
PEAKS = {
    "BF16": ("bfloat16",),
    "FP16": ("float16",),
    "FP8": ("float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2"),
    "FP4": ("float4_e2m1",),
    "INT8": ("int8",),
}


def main() -> int:
    """Write the page, or say whether it is current."""
    return write(TARGET, render(), "make_docs_accelerators")


def render() -> str:
    """Return the whole page."""
    catalog = load_catalog()
    chips = sorted(catalog.accelerators.values(), key=lambda chip: (chip.vendor, chip.family, chip.id))
    prices = {chip.id: [price for price in catalog.prices if price.accelerator == chip.id] for chip in chips}
    cited = Citations()
    parts = [INTRODUCTION, *_overview(chips, prices)]
    for chip in chips:
        parts += ["", *_datasheet(chip, prices[chip.id], cited)]
    return "\n".join([*parts, "", *cited.list()]) + "\n"


def _overview(chips: Sequence[Accelerator], prices: dict[str, list[Price]]) -> Iterator[str]:
    titles = ["accelerator", "who", "memory", "plan GiB", "GB/s", *PEAKS, "W", "link GB/s", "from $/h"]
    yield "| " + " | ".join(titles) + " |"
    yield "|" + " --- |" * len(titles)
    for chip in chips:
        cells = [
            f"[{chip.id}](#{chip.id.replace('.', '')})",
            chip.availability,
            f"{_amount(chip.memory)} {chip.memory.unit}",
            "–" if chip.memory_bytes.value is None else f"{chip.memory_bytes.value / GIB:,.1f}",
            _amount(chip.bandwidth),
            *(_amount(_first_peak(chip, dtypes)) for dtypes in PEAKS.values()),
            _amount(chip.power),
            _amount(chip.interconnect),
            _cheapest(prices[chip.id]),
        ]
        yield "| " + " | ".join(cells) + " |"


def _first_peak(chip: Accelerator, dtypes: Iterable[str]) -> Figure | None:
    return next((chip.peaks[dtype] for dtype in dtypes if dtype in chip.peaks and chip.peaks[dtype].value is not None), None)


def _cheapest(prices: Sequence[Price]) -> str:
    """Return the lowest hourly price of one device, among the newest of each machine at each term that needs no commitment."""
    newest: dict[tuple[str, str, str, str | None], Price] = {}
    for price in prices:
        if price.term in ("on-demand", "capacity-block"):
            key = (price.provider, price.instance, price.market, price.region)
            if key not in newest or price.as_of > newest[key].as_of:
                newest[key] = price
    if not newest:
        return "–"
    return f"{min(price.usd_per_hour / price.devices for price in newest.values()):.2f}"


def _datasheet(chip: Accelerator, prices: Sequence[Price], cited: Citations) -> Iterator[str]:
    yield f"## {chip.id}"
    yield ""
    also = f" Also: {', '.join(chip.aliases)}." if chip.aliases else ""
    yield f"{chip.name}. Vendor {chip.vendor}, family `{chip.family}`{f', {chip.generation}' if chip.generation else ''}.{also}"
    yield ""
    dated = f" ({chip.availability_as_of})" if chip.availability_as_of else ""
    yield f"**{chip.availability}**: {chip.availability_note or 'to anybody'}{dated}. {cited(chip.availability_sources)}"
    yield ""
    yield "| figure | value | confidence | from | note |"
    yield "| --- | --- | --- | --- | --- |"
    for title, figure in _figures(chip):
        unit = f" {figure.unit}" if figure.value is not None and figure.unit else ""
        confidence = figure.confidence if figure.value is not None else ""
        yield f"| {title} | {_amount(figure, marked=False)}{unit} | {confidence} | {cited(figure.sources)} | {figure.note} |"
    yield ""
    yield f"Multiplies {', '.join(f'`{dtype}`' for dtype in chip.native_dtypes) or 'types that were not published'}."
    yield f"{_reach(chip)} {_programs(chip)}"
    if chip.fixed_function_note:
        yield ""
        sources = cited(chip.fixed_function_sources)
        yield f"Fixed in silicon ({chip.fixed_function_confidence} confidence): {chip.fixed_function_note} {sources}"
    if chip.instances:
        yield ""
        yield f"Rented as {'; '.join(_offer(instance) for instance in chip.instances)}."
    if prices:
        yield ""
        yield "| price | $/h | per device | term | region | as of | confidence | from | note |"
        yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
        for price in prices:
            yield _price(price, cited)
    if chip.notes:
        yield ""
        yield from (f"- {note}" for note in chip.notes)


def _figures(chip: Accelerator) -> Iterator[tuple[str, Figure]]:
    yield f"memory{f', {chip.memory_type}' if chip.memory_type else ''}", chip.memory
    yield "memory to plan with", chip.memory_bytes
    yield "memory bandwidth", chip.bandwidth
    for dtype, figure in chip.peaks.items():
        yield f"peak {dtype}", figure
    yield "power", chip.power
    yield f"link{f', {chip.interconnect_name}' if chip.interconnect_name else ''}", chip.interconnect


def _reach(chip: Accelerator) -> str:
    devices = chip.scale_up_devices
    reach = "How many scale up together was not found." if devices is None else f"Up to {devices:,} scale up together."
    if chip.partition is None:
        return reach
    part = chip.partition
    return f"{reach} Software sees {part.per_device} devices in each, {part.memory_bytes / GIB:g} GiB apiece ({part.name})."


def _programs(chip: Accelerator) -> str:
    trains = {True: "Trains too.", False: "Inference only.", None: "Whether it trains was not found."}[chip.training]
    kernels = {
        True: "Customers can write kernels",
        False: "Customers cannot write kernels",
        None: "Whether customers can write kernels was not found",
    }[chip.kernel_language]
    capability = f" (compute capability {chip.compute_capability:g})" if chip.compute_capability else ""
    return f"{trains} {kernels}{capability}."


def _offer(instance: Instance) -> str:
    if instance.sold_per_device:
        return f"{instance.provider} {instance.name}, 1 to {instance.devices} devices"
    return f"{instance.provider} {instance.name}, {instance.devices} device{'s' if instance.devices > 1 else ''}"


def _price(price: Price, cited: Citations) -> str:
    name = f"{price.provider} {price.instance}{f', {price.market}' if price.market else ''}"
    cells = [
        name,
        f"{price.usd_per_hour:,.2f}",
        f"{price.usd_per_hour / price.devices:,.2f}",
        price.term,
        price.region or "",
        price.as_of,
        price.confidence,
        cited(price.sources),
        price.note,
    ]
    return "| " + " | ".join(cells) + " |"


def _amount(figure: Figure | None, *, marked: bool = True) -> str:
    if figure is None or figure.value is None:
        return "–"
    text = f"{figure.value:,.2f}".rstrip("0").rstrip(".")
    return text + ("?" if marked and figure.confidence == "low" else "")


if __name__ == "__main__":
    sys.exit(main())

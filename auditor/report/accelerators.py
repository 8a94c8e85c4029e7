"""The accelerator catalogue: a list, and a datasheet with the source of every figure."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from auditor.catalog.model import Accelerator, Figure, Price, Source, Stack
from auditor.report import View, plain
from auditor.report.words import NOTHING, dollars, shorten


def list_json(accelerators: Sequence[Accelerator], stacks: Sequence[Stack]) -> str:
    """Return the list as JSON."""
    return plain.dumps(
        [
            {
                "id": one.id,
                "name": one.name,
                "vendor": one.vendor,
                "family": one.family,
                "aliases": list(one.aliases),
                "availability": one.availability,
                "memory": plain.number(one.memory.value),
                "memory_unit": one.memory.unit,
                "bandwidth_gb_s": plain.number(one.bandwidth.value),
                "stacks": serving(one, stacks),
            }
            for one in accelerators
        ]
    )


def list_table(accelerators: Sequence[Accelerator], stacks: Sequence[Stack], view: View) -> str:
    """Return one line per accelerator."""
    from tabulate import tabulate  # noqa: PLC0415  # 60 ms that JSON need not pay

    rows = [["id", "memory", "GB/s", "availability", "stacks"]]
    rows += [
        [one.id, _figure(one.memory), _amount(one.bandwidth), one.availability, ", ".join(serving(one, stacks)) or NOTHING]
        for one in accelerators
    ]
    table = tabulate(rows, tablefmt="plain", colalign=("left", "right", "right", "left", "left"), disable_numparse=True)
    return "\n".join(shorten(line.rstrip(), view.width) for line in table.splitlines()) + "\n"


def serving(accelerator: Accelerator, stacks: Sequence[Stack]) -> list[str]:
    """Return the ids of the stacks that serve on an accelerator."""
    return [stack.id for stack in stacks if accelerator.id in stack.accelerators or accelerator.family in stack.accelerators]


def sheet_json(accelerator: Accelerator, stacks: Sequence[Stack], prices: Sequence[Price]) -> str:
    """Return all that is known of one accelerator as JSON."""
    return plain.dumps(
        {
            **asdict(accelerator),
            "stacks": serving(accelerator, stacks),
            "prices": [asdict(price) for price in prices if price.accelerator == accelerator.id],
        }
    )


def sheet_table(accelerator: Accelerator, stacks: Sequence[Stack], prices: Sequence[Price], view: View) -> str:
    """Return a datasheet: each figure with its confidence, its source and its date."""
    return "\n".join(_sheet(accelerator, stacks, prices, view)) + "\n"


def _sheet(one: Accelerator, stacks: Sequence[Stack], prices: Sequence[Price], view: View) -> Iterator[str]:
    yield f"{one.name} ({one.id}), {one.vendor}"
    yield from _paragraph(f"availability: {one.availability}. {one.availability_note}".strip(), view)
    if one.aliases:
        yield f"  also called: {', '.join(one.aliases)}"
    yield f"  stacks: {', '.join(serving(one, stacks)) or 'none'}"
    yield ""
    figures = [("memory", one.memory), ("memory to plan with", one.memory_bytes), ("bandwidth", one.bandwidth)]
    figures += [(f"peak, {dtype}", figure) for dtype, figure in one.peaks.items()]
    figures += [("power", one.power), (f"scale-up link {one.interconnect_name}".rstrip(), one.interconnect)]
    for name, figure in figures:
        yield from _figure_lines(name, figure, view)
    yield f"  native types: {', '.join(one.native_dtypes) or 'not published'}"
    if one.fixed_function_note:
        yield from _paragraph(f"fixed in silicon: {one.fixed_function_note}", view)
    for instance in one.instances:
        sold = ", sold one by one" if instance.sold_per_device else ""
        yield f"  instance: {instance.provider} {instance.name}, {instance.devices} devices{sold}"
    for price in prices:
        if price.accelerator == one.id:
            region = f", {price.region}" if price.region else ""
            yield (
                f"  price: {price.provider} {price.instance} {dollars(price.usd_per_hour)} $/h for {price.devices} devices, "
                f"{price.term}{region}, {price.as_of} ({price.confidence} confidence)"
            )
            yield from _sources(price.sources, view)
    for note in one.notes:
        yield from _paragraph(f"note: {note}", view)
    yield from _sources(one.sources, view)


def _figure_lines(name: str, figure: Figure, view: View) -> Iterator[str]:
    confidence = f" ({figure.confidence} confidence)" if figure.value is not None else ""
    yield f"  {name}: {_figure(figure)}{confidence}"
    if figure.note:
        yield from textwrap.wrap(figure.note, view.width, initial_indent="      ", subsequent_indent="      ")
    yield from _sources(figure.sources, view)


def _figure(figure: Figure) -> str:
    return "not published" if figure.value is None else f"{_amount(figure)} {figure.unit}".rstrip()


def _amount(figure: Figure) -> str:
    return NOTHING if figure.value is None else f"{figure.value:,.10g}"


def _paragraph(text: str, view: View) -> Iterator[str]:
    yield from textwrap.wrap(text, view.width, initial_indent="  ", subsequent_indent="    ")


def _sources(sources: Sequence[Source], view: View) -> Iterator[str]:
    for source in sources:
        where = f", {source.where}" if source.where else ""
        yield from textwrap.wrap(
            f"[{source.as_of}] {source.title}{where}: {source.ref}", view.width, initial_indent="      ", subsequent_indent="        ",
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip

"""The accelerator catalogue: a list, and a datasheet with the source of every figure."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from auditor.catalog.model import Accelerator, Figure, Price, Stack
from auditor.report import View, plain
from auditor.report.citations import Citations
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


def sheets_json(accelerators: Sequence[Accelerator], stacks: Sequence[Stack], prices: Sequence[Price]) -> str:
    """Return all that is known of some accelerators as JSON."""
    return plain.dumps(
        [
            {
                **asdict(one),
                "stacks": serving(one, stacks),
                "prices": [asdict(price) for price in prices if price.accelerator == one.id],
            }
            for one in accelerators
        ]
    )


def sheets_table(accelerators: Sequence[Accelerator], stacks: Sequence[Stack], prices: Sequence[Price], view: View) -> str:
    """Return datasheets: each figure with its confidence, its source and its date."""
    return "\n\n".join("\n".join(_sheet(one, stacks, prices, view)) for one in accelerators) + "\n"


def _sheet(one: Accelerator, stacks: Sequence[Stack], prices: Sequence[Price], view: View) -> Iterator[str]:
    notes = Citations()
    yield f"{one.name} ({one.id}), {one.vendor}"
    yield from _paragraph(f"availability: {one.availability}. {one.availability_note}".strip(), view)
    if one.aliases:
        yield from _paragraph(f"also called: {', '.join(one.aliases)}", view)
    yield f"  stacks: {', '.join(serving(one, stacks)) or 'none'}"
    yield ""
    figures = [("memory", one.memory), ("memory to plan with", one.memory_bytes), ("bandwidth", one.bandwidth)]
    figures += [(f"peak, {dtype}", figure) for dtype, figure in one.peaks.items()]
    figures += [("power", one.power), (f"link, {one.interconnect_name or 'scale-up'}", one.interconnect)]
    for name, figure in figures:
        confidence = f", {figure.confidence} confidence" if figure.value is not None else ""
        note = f" ({figure.note})" if figure.note else ""
        yield from _paragraph(f"{name}: {_figure(figure)}{confidence}{notes.cite(figure.sources)}{note}", view)
    yield from _paragraph(f"native types: {', '.join(one.native_dtypes) or 'not published'}", view)
    if one.fixed_function_note:
        yield from _paragraph(f"fixed in silicon: {one.fixed_function_note}", view)
    yield ""
    for instance in one.instances:
        sold = ", sold one by one" if instance.sold_per_device else ""
        yield f"  {instance.provider} {instance.name}: {instance.devices} devices{sold}{notes.cite(instance.sources)}"
        for price in prices:
            if (price.accelerator, price.provider, price.instance) == (one.id, instance.provider, instance.name):
                yield from textwrap.wrap(
                    _price(price) + notes.cite(price.sources), view.width, initial_indent="    ", subsequent_indent="      "
                )
    for note in one.notes:
        yield from _paragraph(f"note: {note}", view)
    cited = notes.cite(one.sources)
    if cited:
        yield f"  about it as a whole:{cited}"
    yield ""
    yield "sources"
    yield from notes.lines(view)


def _price(price: Price) -> str:
    region = f", {price.region}" if price.region else ""
    devices = f" for {price.devices} devices" if price.devices != 1 else ""
    return f"{dollars(price.usd_per_hour)} $/h{devices}, {price.term}{region}, {price.as_of}, {price.confidence} confidence"


def _figure(figure: Figure) -> str:
    return "not published" if figure.value is None else f"{_amount(figure)} {figure.unit}".rstrip()


def _amount(figure: Figure) -> str:
    if figure.value is None:
        return NOTHING
    return f"{figure.value:,.0f}" if float(figure.value).is_integer() else f"{figure.value:,g}"


def _paragraph(text: str, view: View) -> Iterator[str]:
    yield from textwrap.wrap(text, view.width, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)

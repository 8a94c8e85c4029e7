"""Turns accelerator files into ``Accelerator`` values, and price files into ``Price`` values."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from auditor.catalog.entry import Entry, resolve_extends
from auditor.catalog.model import Accelerator, Figure, Instance, Partition, Price, Source
from auditor.catalog.vocabulary import did_you_mean
from auditor.units import GB, GIB

#: Figures of an accelerator, and the kind of unit of each.
_FIGURES = {"memory": "memory", "planning_memory": "bytes", "bandwidth": "bandwidth", "power": "power", "interconnect": "bandwidth"}
_REQUIRED = ("name", "vendor", "family", "availability", "memory", "planning_memory", "bandwidth", "peaks", "native_dtypes", "power")
#: Keys that say how a file is read, or that belong to this one accelerator: never inherited.
_NOT_FIELDS = ("accelerator", "extends", "default", "sources")
_OWN = ("aliases", "abstract")
_MEMORY_UNITS = {"MB": 10**6, "MiB": 1 << 20, "GB": GB, "GiB": GIB, "TB": 10**12, "TiB": 1 << 40}
#: Planning memory outside these shares of the stated capacity is a slip of the unit.
_PLAUSIBLE_SHARE = (0.25, 1.2)
_NOT_STATED = Figure(None, "GB/s", "low", (), "not stated")


def build_accelerators(entries: Mapping[str, Entry]) -> dict[str, Accelerator]:
    """Return every accelerator that is not abstract, by id. Raises CatalogError."""
    resolved = resolve_extends("accelerator", entries, _own_fields)
    return {
        name: _build(name, entries[name], fields) for name, fields in resolved.items() if not entries[name].document.value.get("abstract")
    }


def _own_fields(entry: Entry) -> dict[str, Any]:
    """Return the fields that the file itself states, figures and sources as values."""
    fields: dict[str, Any] = {}
    for key, raw in entry.document.value.items():
        path = (key,)
        if key in _NOT_FIELDS or key in _OWN:
            continue
        if key in _FIGURES:
            fields[key] = entry.figure(raw, path, _FIGURES[key])
        elif key == "peaks":
            fields[key] = {dtype: _peak(entry, dtype, figure) for dtype, figure in raw.items()}
        elif key == "partition":
            memory = entry.figure(raw["memory"], (*path, "memory"), "bytes")
            fields[key] = Partition(raw["name"], raw["per_device"], int(memory.value or 0))
        elif key == "instances":
            fields[key] = tuple(_instance(entry, row, index) for index, row in enumerate(raw))
        elif key in ("availability", "fixed_function"):
            fields[key] = {**raw, "sources": entry.citations(raw, path), "confidence": entry.confidence(raw)}
        else:
            fields[key] = raw
    return fields


def _peak(entry: Entry, dtype: str, raw: Any) -> Figure:
    integers = dtype.startswith(("int", "uint"))
    if isinstance(raw, dict) and "unit" in raw and raw["unit"].endswith("OPS") and raw["unit"].endswith("FLOPS") is integers:
        hint = f"write {'TOPS' if integers else 'TFLOPS'}"
        raise entry.document.error(("peaks", dtype, "unit"), f"{dtype} does not run at {raw['unit']}", hint)
    figure = entry.figure(raw, ("peaks", dtype), "peak")
    return Figure(figure.value, "TOPS" if integers else "TFLOPS", figure.confidence, figure.sources, figure.note)


def _instance(entry: Entry, row: Mapping[str, Any], index: int) -> Instance:
    cited = entry.citations(row, ("instances", index))
    return Instance(row["provider"], row["name"], row["devices"], row.get("sold_per_device", False), cited)


def _build(name: str, entry: Entry, fields: Mapping[str, Any]) -> Accelerator:
    document = entry.document
    for key in _REQUIRED:
        if key not in fields:
            raise document.error(("accelerator",), f"{name} has no {key}", f"add {key}: here or to what it extends")
    _check_planning_memory(entry, fields["memory"], fields["planning_memory"])
    availability, fixed = fields["availability"], fields.get("fixed_function", {})
    if availability["status"] != "open" and not availability["sources"]:
        raise document.error(("availability",), f"{name} is said to be {availability['status']}, without a source", "add sources:")
    return Accelerator(
        id=name,
        name=fields["name"],
        vendor=fields["vendor"],
        family=fields["family"],
        generation=fields.get("generation", ""),
        aliases=tuple(document.value.get("aliases", ())),
        availability=availability["status"],
        availability_note=availability.get("note", ""),
        memory=fields["memory"],
        memory_bytes=fields["planning_memory"],
        memory_type=fields.get("memory_type", ""),
        bandwidth=fields["bandwidth"],
        peaks=fields["peaks"],
        native_dtypes=tuple(fields["native_dtypes"]),
        power=fields["power"],
        interconnect=fields.get("interconnect", _NOT_STATED),
        interconnect_name=fields.get("interconnect_name", ""),
        scale_up_devices=fields.get("scale_up_devices"),
        partition=fields.get("partition"),
        instances=fields.get("instances", ()),
        training=fields.get("training"),
        compute_capability=fields.get("compute_capability"),
        kernel_language=fields.get("kernel_language"),
        excluded_classes=tuple(fixed.get("excluded_classes", ())),
        excluded_layers=tuple(fixed.get("excluded_layers", ())),
        fixed_function_note=fixed.get("note", ""),
        sources=_cited_by(fields),
        notes=tuple(fields.get("notes", ())),
        availability_as_of=availability.get("as_of", ""),
        availability_sources=availability["sources"],
        fixed_function_sources=fixed.get("sources", ()),
        fixed_function_confidence=fixed.get("confidence", ""),
    )


def _check_planning_memory(entry: Entry, stated: Figure, planned: Figure) -> None:
    if not stated.value or not planned.value:
        return
    share = planned.value / (stated.value * _MEMORY_UNITS[stated.unit])
    low, high = _PLAUSIBLE_SHARE
    if not low <= share <= high:
        message = f"{planned.value:,.0f} bytes to plan with are {share:.3g} of the {stated.value:g} {stated.unit} of memory"
        raise entry.document.error(("planning_memory",), message, "is the unit right?")


def _cited_by(value: Any) -> tuple[Source, ...]:
    """Return every source under ``value``, each once, in order."""

    def walk(part: Any) -> Iterator[Source]:
        if isinstance(part, Source):
            yield part
        elif isinstance(part, Figure | Instance):
            yield from part.sources
        elif isinstance(part, Mapping):
            for inner in part.values():
                yield from walk(inner)
        elif isinstance(part, tuple):
            for inner in part:
                yield from walk(inner)

    return tuple(dict.fromkeys(walk(value)))


_PRICE_FIELDS = ("provider", "instance", "accelerator", "devices", "usd_per_hour", "term", "as_of", "confidence", "sources")


def build_prices(entries: Sequence[Entry], accelerators: Mapping[str, Accelerator]) -> tuple[Price, ...]:
    """Return every price, in the order of the files. Raises CatalogError for a gap, an unknown accelerator or a repeated row."""
    prices: list[Price] = []
    seen: dict[tuple[Any, ...], str] = {}
    for entry in entries:
        for index, row in enumerate(entry.document.value["prices"]):
            path = ("prices", index)
            fields = {**entry.default, **row}
            for key in _PRICE_FIELDS:
                if key not in fields:
                    raise entry.document.error(path, f"this price has no {key}", f"add {key}: here or to the file's default:")
            if fields["accelerator"] not in accelerators:
                hint = did_you_mean(fields["accelerator"], accelerators)
                raise entry.document.error((*path, "accelerator"), f"no accelerator is called '{fields['accelerator']}'", hint)
            price = Price(
                provider=fields["provider"],
                instance=fields["instance"],
                accelerator=fields["accelerator"],
                devices=fields["devices"],
                usd_per_hour=float(fields["usd_per_hour"]),
                term=fields["term"],
                region=fields.get("region"),
                as_of=fields["as_of"],
                confidence=fields["confidence"],
                sources=entry.citations(row, path),
                note=fields.get("note", ""),
                market=fields.get("market", ""),
            )
            key_of_row = (
                price.provider,
                price.instance,
                price.accelerator,
                price.devices,
                price.term,
                price.region,
                price.as_of,
                price.market,
            )
            if key_of_row in seen:
                raise entry.document.error(path, f"this price is given twice (first at {seen[key_of_row]})", "keep one of them")
            seen[key_of_row] = entry.document.where(path)
            prices.append(price)
    return tuple(prices)

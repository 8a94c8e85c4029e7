"""The loaded catalogue as plain JSON and back: what ``load`` keeps between runs.

Every value object is written once, as its class and its fields in order; a reference to it is its number. Reading builds
only the classes named here, so a file that somebody tampered with can be wrong but cannot run anything.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from auditor.catalog import condition, effort, message, model
from auditor.catalog.catalog import Catalog

_CLASSES: tuple[type, ...] = (
    model.Source,
    model.Figure,
    model.Partition,
    model.Instance,
    model.Price,
    model.Accelerator,
    model.ArchitectureSupport,
    model.FormatSupport,
    model.MemoryModel,
    model.ParallelismRules,
    model.Stack,
    model.StackFamily,
    model.AppliesTo,
    model.Rule,
    message.Message,
    condition.Always,
    condition.Not,
    condition.Group,
    condition.FactRef,
    condition.Compare,
    condition.IsKnown,
    effort.WorkItemSpec,
    effort.EffortModel,
    Catalog,
)
_NUMBER = {kind: number for number, kind in enumerate(_CLASSES)}
_FIELDS = tuple(tuple(spec.name for spec in fields(kind) if spec.init) for kind in _CLASSES)
_LAYOUT = [[kind.__name__, *names] for kind, names in zip(_CLASSES, _FIELDS, strict=True)]
_TUPLE, _MAPPING, _OBJECT = 0, 1, 2


class DamagedError(ValueError):
    """What was kept is not what ``pack`` writes today."""


def pack(catalog: Catalog) -> dict[str, Any]:
    """Return the catalogue as values that JSON has."""
    objects: list[list[Any]] = []
    numbers: dict[Any, int] = {}

    def packed(value: Any) -> Any:
        if isinstance(value, tuple):
            return [_TUPLE, *map(packed, value)]
        if isinstance(value, Mapping):
            return [_MAPPING, {key: packed(part) for key, part in value.items()}]
        if not is_dataclass(value):
            return value
        # Sources are cited again and again; other objects are shared only where they are the same object.
        key = value if isinstance(value, model.Source) else id(value)
        if key not in numbers:
            kind = _NUMBER[type(value)]
            objects.append([kind, *(packed(getattr(value, name)) for name in _FIELDS[kind])])
            numbers[key] = len(objects) - 1
        return [_OBJECT, numbers[key]]

    packed(catalog)
    return {"layout": _LAYOUT, "objects": objects}


def unpack(data: Any) -> Catalog:
    """Return the catalogue that ``pack`` wrote. Raises DamagedError for anything else."""
    if not isinstance(data, dict) or data.get("layout") != _LAYOUT:
        raise DamagedError("written by another version")
    built: list[Any] = []

    def unpacked(value: Any) -> Any:
        if type(value) is not list:
            return value
        tag = value[0]
        if tag == _OBJECT:
            return built[value[1]]
        if tag == _TUPLE:
            return tuple([part if type(part) is not list else unpacked(part) for part in value[1:]])
        return {key: unpacked(part) for key, part in value[1].items()}

    try:
        # Parts stand before the whole: every number refers backwards.
        for kind, *values in data["objects"]:
            built.append(_CLASSES[kind](*map(unpacked, values)))
        catalog = built[-1]
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise DamagedError(str(error)) from None
    if not isinstance(catalog, Catalog):
        raise DamagedError("no catalogue in it")
    return catalog

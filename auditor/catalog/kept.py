"""The loaded catalogue as plain JSON and back: what ``load`` keeps between runs.

Every value object is written once, as its class and those fields that are not at their default; a reference to it is its
number. Reading builds
only the classes named here, so a file that somebody tampered with can be wrong but cannot run anything.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
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
    model.OlderMemory,
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
#: Fields of each class with their defaults; MISSING where there is none.
_FIELDS = tuple({spec.name: spec.default for spec in fields(kind) if spec.init} for kind in _CLASSES)
_LAYOUT = [[kind.__name__, *names] for kind, names in zip(_CLASSES, _FIELDS, strict=True)]
_TUPLE, _MAPPING, _OBJECT = 0, 1, 2
#: In place of a class's number: a support list, hundreds of rows that differ in the name they are about and in little else.
_SUPPORT_LIST = -1


class DamagedError(ValueError):
    """What was kept is not what ``pack`` writes today."""


def pack(catalog: Catalog) -> dict[str, Any]:
    """Return the catalogue as values that JSON has."""
    objects: list[list[Any]] = []
    numbers: dict[Any, int] = {}

    def packed(value: Any) -> Any:
        if isinstance(value, tuple) and not (value and isinstance(value[0], model.ArchitectureSupport)):
            return [_TUPLE, *map(packed, value)]
        if isinstance(value, Mapping):
            return [_MAPPING, {key: packed(part) for key, part in value.items()}]
        if not is_dataclass(value) and not isinstance(value, tuple):
            return value
        # Sources are cited again and again; other objects are shared only where they are the same object.
        key = value if isinstance(value, model.Source) else id(value)
        if key not in numbers:
            written = [_SUPPORT_LIST, support_list(value)] if isinstance(value, tuple) else [_NUMBER[type(value)], stated(value)]
            objects.append(written)
            numbers[key] = len(objects) - 1
        return [_OBJECT, numbers[key]]

    def stated(value: Any) -> dict[str, Any]:
        parts = {name: (getattr(value, name), default) for name, default in _FIELDS[_NUMBER[type(value)]].items()}
        return {name: packed(part) for name, (part, default) in parts.items() if part != default}

    def support_list(rows: tuple[model.ArchitectureSupport, ...]) -> list[Any]:
        """Return runs of rows: what they have in common, and the names they are about."""
        runs: list[Any] = []
        last = None
        for row in rows:
            common = replace(row, architecture="", model_type="")
            if common != last:
                runs.append([stated(common), []])
                last = common
            runs[-1][1].append([row.architecture, row.model_type])
        return runs

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
        for kind, values in data["objects"]:
            if kind == _SUPPORT_LIST:
                runs = [({name: unpacked(part) for name, part in common.items()}, names) for common, names in values]
                built.append(
                    tuple(
                        model.ArchitectureSupport(**{**common, "architecture": architecture, "model_type": model_type})
                        for common, names in runs
                        for architecture, model_type in names
                    )
                )
            else:
                built.append(_CLASSES[kind](**{name: unpacked(part) for name, part in values.items()}))
        catalog = built[-1]
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise DamagedError(str(error)) from None
    if not isinstance(catalog, Catalog):
        raise DamagedError("no catalogue in it")
    return catalog

"""Turns stack files into ``Stack`` values: one for the stack as such, and one for each accelerator that it differs on."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, replace
from typing import Any

from auditor.catalog.entry import Entry, merged, resolve_extends
from auditor.catalog.model import (
    Accelerator,
    ArchitectureSupport,
    Figure,
    FormatSupport,
    MemoryModel,
    OlderMemory,
    ParallelismRules,
    Stack,
    StackFamily,
)
from auditor.catalog.schema import figure_kind, yaml_name
from auditor.catalog.vocabulary import Path, did_you_mean

_REQUIRED = ("name", "family", "version", "maturity", "maturity_multiplier", "accelerators", "architectures", "formats")
_NOT_FIELDS = ("stack", "extends", "default", "sources")
_OWN = ("aliases", "abstract")
_NOTES = ("sources", "note")


def build_stacks(entries: Mapping[str, Entry], accelerators: Mapping[str, Accelerator]) -> dict[str, StackFamily]:
    """Return every stack that is not abstract, by id. Raises CatalogError."""
    resolved = resolve_extends("stack", entries, _own_fields)
    known = {name for chip in accelerators.values() for name in (chip.id, chip.family)}
    return {
        name: _family(name, entries[name], _with_like(entries[name], parts, resolved), known)
        for name, parts in resolved.items()
        if not entries[name].document.value.get("abstract")
    }


def _own_fields(entry: Entry) -> dict[str, Any]:
    own = _sections(entry, entry.document.value, ())
    if "by_accelerator" in own:
        own["by_accelerator"] = {
            name: _sections(entry, raw, ("by_accelerator", name)) for name, raw in entry.document.value["by_accelerator"].items()
        }
    return own


def _sections(entry: Entry, value: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return the fields of a file, or of one override, figures and sources as values."""
    own: dict[str, Any] = {}
    for key, raw in value.items():
        below = (*path, key)
        if not path and (key in _NOT_FIELDS or key in _OWN):
            continue
        match key:
            case "memory" | "parallelism":
                shape = MemoryModel if key == "memory" else ParallelismRules
                own[key] = None if raw is None else _shaped(entry, shape, raw, below)
            case "efficiency":
                own[key] = {name: entry.figure(figure, (*below, name), "plain") for name, figure in raw.items()}
            case "limits":
                own[key] = {name: _limit(entry, limit, (*below, name)) for name, limit in raw.items()}
            case "features":
                own[key] = {
                    "supported": tuple(raw.get("supported", ())),
                    "unsupported": tuple(raw.get("unsupported", ())),
                    "sources": entry.citations(raw, below),
                }
            case "architectures":
                rows = tuple(
                    row for index, item in enumerate(raw["rows"]) for row in _architecture_rows(entry, item, (*below, "rows", index))
                )
                own[key] = {"complete": raw["complete"], "rows": rows, "sources": entry.citations(raw, below)}
                if "like" in raw:
                    own[key]["like"] = _like(entry, raw["like"], (*below, "like"))
            case "formats":
                rows_of_formats = tuple(
                    row for index, item in enumerate(raw["rows"]) for row in _format_rows(entry, item, (*below, "rows", index))
                )
                own[key] = {"complete": raw["complete"], "rows": rows_of_formats, "sources": entry.citations(raw, below)}
            case "releases":
                own[key] = tuple(_older(entry, item, (*below, index)) for index, item in enumerate(raw))
            case _:
                own[key] = raw
    return own


def _older(entry: Entry, raw: Mapping[str, Any], path: Path) -> OlderMemory:
    """Return how memory was divided before one release."""
    own = _shaped(entry, MemoryModel, raw["memory"], (*path, "memory"))
    own.pop("sources")
    figures: dict[str, Figure] = {}
    values = {
        spec.name: _value(entry, spec, own[spec.name], (*path, "memory"), figures) for spec in fields(MemoryModel) if spec.name in own
    }
    return OlderMemory(raw["before"], values, figures, raw.get("note", ""))


def _shaped(entry: Entry, shape: type, raw: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return the section as ``{field: value}``, a Figure wherever the dataclass holds a number."""
    own: dict[str, Any] = {}
    for spec in fields(shape):
        name = yaml_name(spec.name)
        if name not in raw:
            continue
        value = raw[name]
        if isinstance(value, str | bool):
            own[spec.name] = value
        elif isinstance(value, list):
            own[spec.name] = tuple(value)
        else:
            own[spec.name] = entry.figure(value, (*path, name), figure_kind(spec.name))
    own["sources"] = entry.citations(raw, path)
    return own


@dataclass(frozen=True, slots=True)
class _Limit:
    value: int | tuple[str, ...]
    figure: Figure


def _limit(entry: Entry, raw: Any, path: Path) -> _Limit:
    given = raw if isinstance(raw, dict) else {"value": raw}
    value = given["value"]
    # The figure carries the citation; a list has no number of its own.
    figure = entry.figure({**given, "value": value if isinstance(value, int) else len(value)}, path, "plain")
    return _Limit(value if isinstance(value, int) else tuple(value), figure)


def _architecture_rows(entry: Entry, raw: Mapping[str, Any], path: Path) -> list[ArchitectureSupport]:
    names = [("architecture", name) for name in raw.get("classes", ())] + [("model_type", name) for name in raw.get("model_types", ())]
    cited, confidence = entry.citations(raw, path), entry.confidence(raw)
    if not cited:
        raise entry.document.error(path, "this row has no source", "give it one, or give the file a default: for all its rows")
    return [
        ArchitectureSupport(
            architecture=name if field == "architecture" else "",
            model_type=name if field == "model_type" else "",
            status=raw["status"],
            models=tuple(raw.get("models", ())),
            accelerators=tuple(raw.get("accelerators", ())),
            tasks=tuple(raw.get("task", ())),
            note=raw.get("note", ""),
            port_tier=raw.get("port_tier", ""),
            sources=cited,
            confidence=confidence,
        )
        for field, name in names
    ]


def _like(entry: Entry, raw: Mapping[str, Any], path: Path) -> tuple[str, ArchitectureSupport]:
    """Return which stack's list is taken over, and what each of its rows becomes."""
    template = ArchitectureSupport(
        architecture="",
        status=raw["status"],
        note=raw.get("note", ""),
        sources=entry.citations(raw, path),
        confidence=entry.confidence(raw),
    )
    return raw["stack"], template


def _with_like(entry: Entry, parts: Mapping[str, Any], resolved: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the fields with the classes added that another stack serves (``architectures: like:``)."""
    architectures = parts.get("architectures", {})
    if "like" not in architectures:
        return parts
    other, template = architectures["like"]
    if other not in resolved:
        raise entry.document.error(("architectures", "like", "stack"), f"no stack is called '{other}'", did_you_mean(other, resolved))
    own = {(row.architecture, row.model_type) for row in architectures["rows"] if not (row.models or row.accelerators or row.tasks)}
    served = dict.fromkeys(
        (row.architecture, row.model_type)
        for row in resolved[other]["architectures"]["rows"]
        if row.status in ("validated", "listed") and row.architecture != "*" and (row.architecture, row.model_type) not in own
    )
    taken = tuple(replace(template, architecture=architecture, model_type=model_type) for architecture, model_type in served)
    return {**parts, "architectures": {**architectures, "rows": (*architectures["rows"], *taken)}}


def _format_rows(entry: Entry, raw: Mapping[str, Any], path: Path) -> list[FormatSupport]:
    cited, confidence = entry.citations(raw, path), entry.confidence(raw)
    if not cited:
        raise entry.document.error(path, "this row has no source", "give it one, or give the file a default: for all its rows")
    return [
        FormatSupport(
            method=method,
            status=raw["status"],
            accelerators=tuple(raw.get("accelerators", ())),
            holds=raw.get("holds", "as-stored"),
            work=raw.get("work", ""),
            note=raw.get("note", ""),
            sources=cited,
            confidence=confidence,
            bits=tuple(raw.get("bits", ())),
            weight_formats=tuple(raw.get("weight_formats", ())),
            activation_schemes=tuple(raw.get("activation_schemes", ())),
            dtypes=tuple(raw.get("dtypes", ())),
        )
        for method in raw["methods"]
    ]


def _family(name: str, entry: Entry, parts: Mapping[str, Any], known: set[str]) -> StackFamily:
    document = entry.document
    for key in _REQUIRED:
        if key not in parts:
            raise document.error(("stack",), f"{name} has no {key}", f"add {key}: here or to what it extends")
    _check_names(entry, parts, known)
    if parts.get("hosted_models") and not parts.get("hosted"):
        raise document.error(("hosted_models",), f"{name} offers models and is not hosted", "add hosted: true")
    overrides: Mapping[str, Any] = parts.get("by_accelerator", {})
    variants = {chip: _build(name, entry, merged(parts, override), ("by_accelerator", chip)) for chip, override in overrides.items()}
    return StackFamily(_build(name, entry, parts, ()), variants)


def _check_names(entry: Entry, parts: Mapping[str, Any], known: set[str]) -> None:
    """Raise where the file names an accelerator that is not in the catalogue."""
    value = entry.document.value
    places: list[tuple[str, Path]] = [(name, ("accelerators", index)) for index, name in enumerate(parts["accelerators"])]
    places += [(name, ("by_accelerator", name)) for name in parts.get("by_accelerator", {})]
    for section in ("architectures", "formats"):
        for index, row in enumerate(value.get(section, {}).get("rows", ())):
            places += [(name, (section, "rows", index, "accelerators", at)) for at, name in enumerate(row.get("accelerators", ()))]
    for name, path in places:
        if name not in known:
            at_key = path[0] == "by_accelerator"
            raise entry.document.error(path, f"no accelerator or family is called '{name}'", did_you_mean(name, known), key=at_key)


def _build(name: str, entry: Entry, parts: Mapping[str, Any], path: Path) -> Stack:
    figures: dict[str, Figure] = {}
    memory = _filled(entry, MemoryModel, parts.get("memory"), (*path, "memory"), figures)
    parallelism = _filled(entry, ParallelismRules, parts.get("parallelism"), (*path, "parallelism"), figures)
    efficiency: Mapping[str, Figure] = parts.get("efficiency", {})
    limits: Mapping[str, _Limit] = parts.get("limits", {})
    figures |= {f"efficiency.{key}": figure for key, figure in efficiency.items()}
    figures |= {f"limits.{key}": limit.figure for key, limit in limits.items()}
    architectures, formats = parts["architectures"], parts["formats"]
    features = parts.get("features", {"supported": (), "unsupported": (), "sources": ()})
    both = sorted(set(features["supported"]) & set(features["unsupported"]))
    if both:
        raise entry.document.error((*path, "features"), f"'{both[0]}' is both supported and unsupported", "keep one of them")
    return Stack(
        id=name,
        name=parts["name"],
        family=parts["family"],
        version=str(parts["version"]),
        maturity=parts["maturity"],
        maturity_multiplier=parts["maturity_multiplier"],
        accelerators=tuple(parts["accelerators"]),
        architectures_complete=architectures["complete"],
        architectures=architectures["rows"],
        formats=formats["rows"],
        memory=memory,
        parallelism=parallelism,
        efficiency={key: figure.value for key, figure in efficiency.items() if figure.value is not None},
        features=features["supported"],
        unsupported_features=features["unsupported"],
        limits={key: limit.value for key, limit in limits.items()},
        launch=parts.get("launch", ""),
        hosted=parts.get("hosted", False),
        hosted_models=tuple(parts.get("hosted_models", ())),
        sources=_sources(parts, figures),
        notes=tuple(parts.get("notes", ())),
        aliases=tuple(entry.document.value.get("aliases", ())),
        end_of_life=parts.get("end_of_life", ""),
        formats_complete=formats["complete"],
        figures=figures,
        parallelism_sources=(parts.get("parallelism") or {}).get("sources", ()),
        feature_sources=features["sources"],
        architecture_sources=architectures["sources"],
        format_sources=formats["sources"],
        releases=parts.get("releases", ()),
    )


def _filled(entry: Entry, shape: type, own: Mapping[str, Any] | None, path: Path, figures: dict[str, Figure]) -> Any:
    """Return the dataclass that a section fills, and note its figures; None where the stack has no such section."""
    if own is None:
        return None
    values: dict[str, Any] = {}
    for spec in fields(shape):
        value = _value(entry, spec, own.get(spec.name), path, figures)
        if value is not None:
            values[spec.name] = value
        elif spec.default is MISSING:
            raise entry.document.error(path, f"'{yaml_name(spec.name)}' is missing", f"add it to {path[-1]}:")
    return shape(**values)


def _value(entry: Entry, spec: Field[Any], value: Any, path: Path, figures: dict[str, Figure]) -> Any:
    """Return what a field of a section holds; a figure's number, the figure itself being noted among ``figures``."""
    if not isinstance(value, Figure):
        return value
    figures[f"{path[-1]}.{yaml_name(spec.name)}"] = value
    return _number(entry, value.value, (*path, yaml_name(spec.name)), whole=spec.type in (int, int | None))


def _number(entry: Entry, value: float | None, path: Path, *, whole: bool) -> float | int | None:
    if value is None or not whole:
        return value
    if value != int(value):
        raise entry.document.error(path, f"{value} is not a whole number")
    return int(value)


def _sources(parts: Mapping[str, Any], figures: Mapping[str, Figure]) -> tuple[Any, ...]:
    """Return what the stack as a whole rests on, each source once."""
    cited = [source for section in ("architectures", "formats", "features") for source in parts.get(section, {}).get("sources", ())]
    cited += [source for figure in figures.values() for source in figure.sources]
    return tuple(dict.fromkeys(cited))

"""Reads the parts that every catalogue file shares: sources, citations, figures with their units; and ``extends``."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from auditor.catalog.document import Document
from auditor.catalog.model import Figure, Source
from auditor.catalog.vocabulary import UNITS, Path, did_you_mean
from auditor.errors import CatalogError

#: Longest chain of ``extends``.
MAX_EXTENDS = 16
#: Unit that each kind of figure is converted to; a kind that is not here keeps the unit of the file.
_CANONICAL = {"bytes": "bytes", "bandwidth": "GB/s", "power": "W"}


def source_of(raw: Mapping[str, str]) -> Source:
    """Return one source as a value."""
    return Source(raw["title"], raw.get("url") or raw["repo"], raw["as_of"], raw.get("where", ""))


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, with the sources and defaults that hold in it."""

    document: Document
    sources: Mapping[str, Source]
    """By id: the shared ones and the file's own."""
    shipped: bool = True
    inherited: Mapping[str, Any] = field(default_factory=dict)
    """Default of what the file extends."""

    @property
    def default(self) -> Mapping[str, Any]:
        """What is laid under every figure or row of the file."""
        return {**self.inherited, **self.document.value.get("default", {})}

    def cite(self, raw: Iterable[Any], path: Path) -> tuple[Source, ...]:
        """Return the sources that a ``sources:`` list names. Raises CatalogError for an id that is not defined."""
        return tuple(self._cited(item, (*path, index)) for index, item in enumerate(raw))

    def _cited(self, item: Any, path: Path) -> Source:
        if isinstance(item, dict) and "id" not in item:
            return source_of(item)
        name, where = (item["id"], item.get("where", "")) if isinstance(item, dict) else (item, "")
        source = self.sources.get(name)
        if source is None:
            hint = did_you_mean(name, self.sources) or "add it to sources: of this file or of rules/sources.yaml"
            raise self.document.error(path, f"no source is called '{name}'", hint)
        return Source(source.title, source.ref, source.as_of, where) if where else source

    def citations(self, raw: Mapping[str, Any], path: Path) -> tuple[Source, ...]:
        """Return the sources of one entry, or those of the file's default."""
        if "sources" in raw:
            return self.cite(raw["sources"], (*path, "sources"))
        return self.cite(self.default["sources"], ("default", "sources")) if "sources" in self.default else ()

    def confidence(self, raw: Mapping[str, Any]) -> str:
        """Return the confidence of one entry, or the file's default, or an empty string."""
        return str(raw.get("confidence") or self.default.get("confidence") or "")

    def figure(self, raw: Any, path: Path, kind: str) -> Figure:
        """Return a figure in the unit of its kind. Raises CatalogError where it has no source, confidence or unit."""
        fields: Mapping[str, Any] = raw if isinstance(raw, dict) else {"value": raw}
        value, note = fields["value"], fields.get("note", "")
        if value is None:
            # Where nothing was found there is nothing to cite, unless the file says which source leaves it out.
            cited = self.cite(fields["sources"], (*path, "sources")) if "sources" in fields else ()
            return Figure(None, _CANONICAL.get(kind) or fields.get("unit", ""), self.confidence(fields) or "low", cited, note)
        sources, confidence = self.citations(fields, path), self.confidence(fields)
        if not sources or not confidence:
            missing = "source" if not sources else "confidence"
            raise self.document.error(path, f"this figure has no {missing}", "give it one, or give the file a default:")
        number, unit = self._in_unit(value, fields.get("unit"), path, kind)
        return Figure(number, unit, confidence, sources, note)

    def _in_unit(self, value: float, unit: str | None, path: Path, kind: str) -> tuple[float, str]:
        units = UNITS[kind]
        if kind == "plain":
            return value, unit or ""
        if unit is None:
            if kind in ("memory", "bytes"):
                raise self.document.error(path, "this figure has no unit", f"one of {', '.join(units)}")
            unit = next(iter(units))
        number = value * units[unit]
        if kind == "peak":
            return number, {"PFLOPS": "TFLOPS", "POPS": "TOPS"}.get(unit, unit)
        if kind == "bytes":
            number = int(number)
        return number, _CANONICAL.get(kind, unit)


def merged(parent: Mapping[str, Any], child: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``child`` laid over ``parent``: maps key by key, everything else replaced."""
    result = dict(parent)
    for key, value in child.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return result


def resolve_extends(
    kind: str,
    entries: Mapping[str, Entry],
    own: Callable[[Entry], dict[str, Any]],
) -> dict[str, dict[str, Any]]:
    """Return every entry's fields with those of what it extends beneath. Raises CatalogError for a cycle or an unknown id."""
    done: dict[str, tuple[Entry, dict[str, Any]]] = {}

    def resolve(name: str, chain: tuple[str, ...]) -> tuple[Entry, dict[str, Any]]:
        if name in done:
            return done[name]
        entry = entries[name]
        below: dict[str, Any] = {}
        parent = entry.document.value.get("extends")
        if parent is not None:
            if parent in (*chain, name):
                circle = " extends ".join((*chain, name, parent))
                raise _at_extends(entry, f"extends goes round in a circle: {circle}", "let one of them stand on its own")
            if len(chain) >= MAX_EXTENDS:
                raise _at_extends(entry, f"extends is more than {MAX_EXTENDS} deep", "let one of them stand on its own")
            if parent not in entries:
                raise _at_extends(entry, f"no {kind} is called '{parent}'", did_you_mean(parent, entries))
            base, below = resolve(parent, (*chain, name))
            entry = replace(entry, inherited=base.default)
        done[name] = entry, merged(below, own(entry))
        return done[name]

    return {name: resolve(name, ())[1] for name in entries}


def _at_extends(entry: Entry, message: str, hint: str) -> CatalogError:
    return entry.document.error(("extends",), message, hint)

"""YAML without surprises: no duplicate keys, no guessed types, no aliases, and every value knows its line.

Reads PyYAML's events (libyaml's where it is there) and resolves plain scalars itself, by the rules of YAML 1.2:
``null``, ``true``, ``false``, decimal integers and floats; everything else, dates and ``yes`` included, is text.
Events rather than nodes, because composing nodes overflows the C stack on a file nested deeply enough.
"""

import re
from collections.abc import Callable
from typing import Any

import yaml

from auditor.catalog.document import MAX_BYTES, Document, Position
from auditor.catalog.vocabulary import Path
from auditor.errors import CatalogError

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML built without libyaml
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

#: No file of ours comes near this; a deeper one is a mistake or an attack.
MAX_DEPTH = 64

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "true": True, "false": False}
#: Longer digit strings are ids or nonsense, and slow to convert.
_LONGEST_NUMBER = 40


def parse(text: bytes, label: str) -> Document:
    """Return the one document in ``text``. Raises CatalogError at ``label:line:column``."""
    if len(text) > MAX_BYTES:
        raise CatalogError(f"{label}:1:1: the file has {len(text)} bytes, more than {MAX_BYTES}", "split it")
    reader = _Reader(label)
    try:
        loader = _Loader(text)
        try:
            return reader.read(loader.get_event)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{label}:{mark.line + 1}:{mark.column + 1}" if mark else f"{label}:1:1"
        raise CatalogError(f"{place}: {error.problem or error.context or 'not YAML'}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise CatalogError(f"{label}:1:1: not readable as YAML ({reason})", "save it as UTF-8 text") from None


class _Reader:
    """Turns a stream of events into a Document. Recursion is bounded by MAX_DEPTH."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.keys: dict[Path, Position] = {}
        self.values: dict[Path, Position] = {}

    def read(self, next_event: Callable[[], Any]) -> Document:
        self.next_event = next_event
        next_event()  # stream start
        first = next_event()
        if isinstance(first, yaml.StreamEndEvent):
            raise CatalogError(f"{self.label}:1:1: the file is empty")
        value = self._value(next_event(), ())
        next_event()  # document end
        after = next_event()
        if not isinstance(after, yaml.StreamEndEvent):
            raise self._error(after, "a second document begins here", "keep one document per file")
        return Document(self.label, value, self.keys, self.values)

    def _error(self, event: Any, message: str, hint: str = "") -> CatalogError:
        line, column = _position(event)
        return CatalogError(f"{self.label}:{line}:{column}: {message}", hint)

    def _value(self, event: Any, path: Path) -> Any:
        if isinstance(event, yaml.AliasEvent):
            raise self._error(event, f"alias *{event.anchor} is not allowed", "write the value out, or use extends")
        if event.anchor is not None:
            raise self._error(event, f"anchor &{event.anchor} is not allowed", "write the value out, or use extends")
        if event.tag is not None and event.tag != "!":
            raise self._error(event, f"tag {event.tag} is not allowed", "drop it; quote the value to make it text")
        if len(path) > MAX_DEPTH:
            raise self._error(event, f"nested deeper than {MAX_DEPTH} levels")
        self.values[path] = _position(event)
        if isinstance(event, yaml.ScalarEvent):
            return _plain(event.value) if event.implicit[0] else event.value
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path)
        return self._mapping(path)

    def _sequence(self, path: Path) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := self.next_event(), yaml.SequenceEndEvent):
            items.append(self._value(event, (*path, len(items))))
        return items

    def _mapping(self, path: Path) -> dict[str, Any]:
        items: dict[str, Any] = {}
        while not isinstance(event := self.next_event(), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise self._error(event, "a key must be a single word")
            key = event.value
            below = (*path, key)
            if key in items:
                raise self._error(event, f"'{key}' is given twice (first on line {self.keys[below][0]})", "keep one of them")
            self.keys[below] = _position(event)
            items[key] = self._value(self.next_event(), below)
        return items


def _position(event: Any) -> Position:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _plain(text: str) -> str | int | float | bool | None:
    """Return the value of an unquoted scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "+-.0123456789" and len(text) <= _LONGEST_NUMBER:
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            number = float(text)
            return number if abs(number) != float("inf") else text
    return text

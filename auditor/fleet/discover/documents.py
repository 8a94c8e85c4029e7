"""YAML as clusters take it: many documents, anchors and merge keys, and the line of every mapping.

Events rather than nodes, as in ``auditor.catalog.strict_yaml``. Here aliases are allowed: what an alias stands for is shared, not
copied, and merged entries count towards the bound, so that no file grows beyond what was written in it. Every scalar is
text (or None), because a flag is text whether or not it is quoted.
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from auditor.errors import Malformed
from auditor.units import MIB

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML built without libyaml
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

MAX_BYTES = 8 * MIB
MAX_DEPTH = 64
#: Scalars, lists and mappings of one file, merged entries included.
MAX_ITEMS = 500_000
_RENDER = "a Helm template is read once it is rendered: `helm template CHART`"
#: Where a document begins: at the start of a line, whatever it stands in.
_PARTS = re.compile(rb"^(?=---(?:\s|$))", re.MULTILINE)
_NULLS = {"", "~", "null", "Null", "NULL"}


class Block(dict[str, Any]):
    """A mapping that knows where it and its entries begin."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}

    def at(self, *path: str | int) -> Any:
        """Return what lies at ``path``, or None where the way there ends."""
        value: Any = self
        for step in path:
            if isinstance(value, dict) and isinstance(step, str):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                return None
        return value

    def block(self, *path: str | int) -> "Block":
        """Return the mapping at ``path``, an empty one where there is none."""
        value = self.at(*path)
        return value if isinstance(value, Block) else Block(self.line)

    def blocks(self, *path: str | int) -> "list[Block]":
        """Return the mappings in the list at ``path``."""
        value = self.at(*path)
        return [item for item in value if isinstance(item, Block)] if isinstance(value, list) else []

    def text(self, *path: str | int) -> str | None:
        """Return the text at ``path``, or None."""
        value = self.at(*path)
        return value if isinstance(value, str) else None

    def number(self, *path: str | int) -> int | None:
        """Return the whole number at ``path``, or None."""
        return whole(self.text(*path))

    def texts(self, *path: str | int) -> list[str]:
        """Return the texts in the list at ``path``."""
        value = self.at(*path)
        return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def whole(text: str | None) -> int | None:
    """Return the whole number that ``text`` is, or None."""
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 16 else None


def read(data: bytes, label: str, first_line: int = 1) -> tuple[list[Block], list[str]]:
    """Return the documents that are mappings, and a line for each that cannot be read; the others are.

    Raises Malformed for a file that is too large to look at.
    """
    if len(data) > MAX_BYTES:
        raise Malformed(f"{label}: more than {MAX_BYTES // MIB} MiB of YAML", "split the file")
    reader = _Reader(label)
    blocks: list[Block] = []
    problems = []
    line = first_line
    for part in _PARTS.split(data):
        try:
            blocks += [value for value in reader.documents(part, line) if isinstance(value, Block)]
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            hint = f"; {_RENDER}" if b"{{" in part else ""
            problems.append(f"{label}:{mark.line + line if mark else line}: {error.problem or error.context or 'not YAML'}{hint}")
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            problems.append(f"{label}: not readable as YAML ({str(error).splitlines()[0]}); save it as UTF-8 text")
        except Malformed as error:
            problems.append(str(error))
        line += part.count(b"\n")
    return blocks, problems


class _Reader:
    def __init__(self, label: str) -> None:
        self._label = label
        self._items = 0

    def documents(self, data: bytes, first_line: int) -> Iterator[Any]:
        self._first = first_line
        loader = _Loader(data)
        try:
            self._next = loader.get_event
            self._next()  # stream start
            while not isinstance(self._next(), yaml.StreamEndEvent):
                self._anchors: dict[str, Any] = {}
                yield self._value(self._next(), 0)
                self._next()  # document end
        finally:
            loader.dispose()

    def _line(self, event: Any) -> int:
        return int(event.start_mark.line) + self._first

    def _count(self, event: Any, items: int = 1) -> None:
        self._items += items
        if self._items > MAX_ITEMS:
            raise Malformed(f"{self._label}:{self._line(event)}: more than {MAX_ITEMS:,} values", "split the file")

    def _value(self, event: Any, depth: int) -> Any:
        self._count(event)
        if depth > MAX_DEPTH:
            raise Malformed(f"{self._label}:{self._line(event)}: nested deeper than {MAX_DEPTH} levels", "no manifest is")
        if isinstance(event, yaml.AliasEvent):
            # An anchor is known once its value is complete, so that nothing can hold itself.
            if event.anchor not in self._anchors:
                raise Malformed(f"{self._label}:{self._line(event)}: alias *{event.anchor} stands for nothing", "define its anchor before")
            return self._anchors[event.anchor]
        value: Any
        if isinstance(event, yaml.ScalarEvent):
            value = None if event.implicit[0] and event.value in _NULLS else event.value
        elif isinstance(event, yaml.SequenceStartEvent):
            value = []
            while not isinstance(inner := self._next(), yaml.SequenceEndEvent):
                value.append(self._value(inner, depth + 1))
        else:
            value = self._mapping(event, depth)
        if event.anchor:
            self._anchors[event.anchor] = value
        return value

    def _mapping(self, event: Any, depth: int) -> Block:
        block = Block(self._line(event))
        merged: list[Any] = []
        while not isinstance(key := self._next(), yaml.MappingEndEvent):
            name = self._value(key, depth + 1)
            value = self._value(self._next(), depth + 1)
            if name == "<<":
                merged += value if isinstance(value, list) else [value]
            elif isinstance(name, dict | list):
                # What {{ braces }} look like to YAML.
                raise Malformed(f"{self._label}:{self._line(key)}: a key that is no text", _RENDER)
            elif isinstance(name, str):
                block[name] = value
                block.lines[name] = self._line(key)
        for base in merged:
            if isinstance(base, Block):
                self._count(event, len(base))
                for name, value in base.items():
                    if name not in block:
                        block[name] = value
                        block.lines[name] = base.lines.get(name, base.line)
        return block

"""Messages with facts in them: ``{weights.bytes:GiB}``, checked when a rule is loaded.

Not ``str.format``: that one reads dots as attributes, and walks them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from auditor.catalog.vocabulary import did_you_mean
from auditor.facts import CATALOGUE, FactSpec, Known, Unknown, Value
from auditor.units import GB, GIB, human_bytes, human_count

#: A doubled brace, a placeholder, or a brace that is neither.
_PIECE = re.compile(r"\{\{|\}\}|\{(?P<fact>[a-z0-9_.]+)(?::(?P<format>[^{}]*))?\}|[{}]")
_DECIMALS = re.compile(r"\.([0-6])f")
_NUMBER_FORMATS: dict[str, Callable[[float], str]] = {
    "int": lambda value: f"{value:,.0f}",
    "GiB": lambda value: f"{value / GIB:,.1f} GiB",
    "GB": lambda value: f"{value / GB:,.1f} GB",
    "bytes": human_bytes,
    "count": human_count,
    "percent": lambda value: f"{value * 100:.0f} %",
}


class MessageError(ValueError):
    """A placeholder that names no fact, or a format that does not suit it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Message:
    """A text with placeholders, taken apart: plain pieces and (fact, format) pairs."""

    text: str
    pieces: tuple[str | tuple[str, str], ...]

    def reads(self) -> tuple[str, ...]:
        """Return the facts it mentions."""
        return tuple(dict.fromkeys(piece[0] for piece in self.pieces if isinstance(piece, tuple)))

    def fill(self, facts: Mapping[str, Known | Unknown]) -> str:
        """Return the text with the facts in place: ``unknown`` and ``none`` for what is not known or does not apply."""
        return "".join(piece if isinstance(piece, str) else _shown(facts.get(piece[0]), piece[1]) for piece in self.pieces)


@lru_cache(maxsize=4096)
def parse_message(text: str) -> Message:
    """Return the message taken apart. Raises MessageError."""
    pieces: list[str | tuple[str, str]] = []
    end = 0
    for match in _PIECE.finditer(text):
        pieces.append(text[end : match.start()])
        end = match.end()
        if (name := match["fact"]) is not None:
            _check(name, match["format"] or "")
            pieces.append((name, match["format"] or ""))
        elif match[0] in ("{{", "}}"):
            pieces.append(match[0][0])
        else:
            raise MessageError(f"a lone {match[0]} at character {match.start() + 1}", "double it to print it")
    pieces.append(text[end:])
    return Message(text, tuple(piece for piece in pieces if piece))


def _check(name: str, form: str) -> None:
    spec = CATALOGUE.get(name)
    if spec is None:
        raise MessageError(f"no fact is called '{name}'", did_you_mean(name, CATALOGUE))
    if form in _formats(spec) or (_is_number(spec) and _DECIMALS.fullmatch(form)):
        return
    choices = [choice for choice in _formats(spec) if choice]
    raise MessageError(
        f"{name} cannot be shown as '{form}'", f"use one of {', '.join([*choices, '.1f'])}" if choices else f"write {{{name}}}"
    )


def _is_number(spec: FactSpec) -> bool:
    return spec.type in ("integer", "number")


def _formats(spec: FactSpec) -> tuple[str, ...]:
    if spec.type in ("strings", "integers"):
        return ("", "list")
    if not _is_number(spec):
        return ("",)
    if spec.unit == "bytes":
        return ("", "int", "GiB", "GB", "bytes")
    return ("", "int", "count", "percent")


def _shown(fact: Known | Unknown | None, form: str) -> str:
    if fact is None:
        return "none"
    return "unknown" if isinstance(fact, Unknown) else show_value(fact.value, form)


def show_value(value: Value, form: str = "") -> str:
    """Return a value as a sentence shows it: numbers with thousands separators, lists with commas."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value) or "none"
    if isinstance(value, str):
        return value
    if (plain := _NUMBER_FORMATS.get(form)) is not None:
        return plain(value)
    if decimals := _DECIMALS.fullmatch(form):
        return f"{value:,.{decimals[1]}f}"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"

"""Reading JSON that a stranger wrote: bounded in size, depth and count, and always an object.

``NaN`` and ``Infinity`` are let through, because published configurations contain them.
"""

import gc
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from auditor.errors import Malformed
from auditor.units import MIB, human_bytes

#: No published configuration comes near this; a larger one is a mistake or an attack.
DOCUMENT_LIMIT = 64 * MIB
#: Deeper than any configuration, shallow enough for every recursive reader that comes after.
DEPTH_LIMIT = 100
#: Objects and arrays in one document: an empty list costs three bytes to send and some seventy to hold.
CONTAINER_LIMIT = 4_000_000
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def parse_object(data: bytes, path: str, *, limit: int = DOCUMENT_LIMIT) -> dict[str, Any]:
    """Return the JSON object in ``data``, the content of the file ``path``. Raises Malformed for anything else."""
    document = parse_any(data, path, limit=limit)
    if not isinstance(document, dict):
        raise _not_a("an object", "{…}", document, path)
    if _too_deep(document, DEPTH_LIMIT):
        raise _nested(path)
    return document


def parse_list(data: bytes, path: str) -> list[Any]:
    """Return the JSON list in ``data``, the content of the file ``path``. Raises Malformed for anything else."""
    document = parse_any(data, path, limit=DOCUMENT_LIMIT)
    if not isinstance(document, list):
        raise _not_a("a list", "[…]", document, path)
    if _too_deep(document, DEPTH_LIMIT):
        raise _nested(path)
    return document


def parse_any(data: bytes, path: str, *, limit: int, unique_keys: bool = False) -> Any:
    """Return the JSON value in ``data``; with ``unique_keys`` an object that names a key twice is refused.

    The depth is bounded by the interpreter only: use it where the shape of the whole value is checked afterwards.
    """
    if len(data) > limit:
        raise too_large(path, len(data), limit)
    if data.count(b"[") + data.count(b"{") > CONTAINER_LIMIT:
        raise Malformed(f"{path} holds more than {CONTAINER_LIMIT:,} lists and objects", "no model needs that; check the file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed(f"{path} is not UTF-8 (byte {error.start})", "save it as UTF-8 JSON") from None
    try:
        with paused_collector():
            document = json.loads(text, object_pairs_hook=_unique if unique_keys else None)
        if _SURROGATE.search(data):  # half a character could be held, but never printed
            json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Malformed(f"{path} holds half a Unicode character (a lone surrogate)", "check what wrote it") from None
    except json.JSONDecodeError as error:
        fault = f"{path} is not JSON (line {error.lineno}, column {error.colno}: {error.msg})"
        raise Malformed(fault, "fetch or save it again", path=path, line=error.lineno) from None
    except _DuplicateKeyError as error:
        raise Malformed(f"{path} names {shorten(str(error))} twice", "write the file again with unique names") from None
    except RecursionError:
        raise _nested(path) from None
    except ValueError:  # an integer of thousands of digits
        raise Malformed(f"{path} holds a number too long to read", "check what wrote it") from None
    return document


@contextmanager
def paused_collector() -> Iterator[None]:
    """Keep the cycle collector out of a burst of small, acyclic objects: it would walk them again and again, for half the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def too_large(path: str, size: int, limit: int) -> Malformed:
    """Return the error for a file that is larger than we are willing to read."""
    return Malformed(f"{path} is {human_bytes(size)}, more than the {human_bytes(limit)} we read", "check that it is the right file")


def shorten(text: str) -> str:
    """Return a name from somebody's file, quoted, escaped and short enough for one line."""
    return repr(text if len(text) <= 80 else text[:77] + "…")


def printable(text: str) -> str:
    """Return a path from somebody's file list as it is, or as ``shorten`` does where it would break or flood the line."""
    return text if text.isprintable() and len(text) <= 200 else shorten(text)


def _not_a(wanted: str, example: str, document: object, path: str) -> Malformed:
    found = {dict: "an object", list: "a list", str: "a string", type(None): "null", bool: "a boolean"}.get(type(document), "a number")
    return Malformed(f"{path} holds {found} where {wanted} belongs", f"fetch it again, or write it as {example}")


def _nested(path: str) -> Malformed:
    return Malformed(f"{path} is nested more than {DEPTH_LIMIT} levels deep", "no configuration is; check what wrote it")


class _DuplicateKeyError(Exception):
    """A key that stands twice in one object."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _DuplicateKeyError(key)
            seen.add(key)
    return result


def _too_deep(document: Any, limit: int) -> bool:
    """Return whether containers nest beyond ``limit``; level by level, so that depth costs no stack."""
    level = [document]
    for _ in range(limit):
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, dict | list)
        ]
        if not level:
            return False
    return True

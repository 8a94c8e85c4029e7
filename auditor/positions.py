"""On which line something stands in a text, which parsing forgets.

A real parser has read the document before; this only counts lines of the file as it lies on disk now. It is never an error:
of a text that is not what it was, less is found.
"""

import json
import re
from collections.abc import Collection

from auditor.bounded_json import DEPTH_LIMIT
from auditor.units import MIB

KeyPath = tuple[str, ...]

#: A longer document is not looked through: nobody reads its lines.
SIZE_LIMIT = 8 * MIB
#: A whole string, or one mark of structure. A quotation mark alone begins a string that has no end.
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|["{}\[\],:\n]', re.DOTALL)


def key_lines(data: bytes, wanted: Collection[KeyPath]) -> dict[KeyPath, int]:
    """Return the line, from 1 on, of each of the ``wanted`` keys that stands in a JSON document, by the keys that lead to it.

    Of a key that stands twice, the last counts, as it does for a parser. Members of lists have no such path and are passed over.
    """
    if len(data) > SIZE_LIMIT:
        return {}
    found: dict[KeyPath, int] = {}
    path: list[str | None] = []  # the last key of each open object; None for a list
    line, name, name_line = 1, "", 0
    for match in _TOKEN.finditer(data.decode("utf-8-sig", errors="replace")):
        mark = match[0]
        match mark[0]:
            case "\n":
                line += 1
            case '"':
                if mark == '"':
                    break
                name, name_line = mark, line
                line += mark.count("\n")
            case ":":
                if not path or path[-1] is None:
                    break
                path[-1] = _plain(name)
                if (here := tuple(path)) in wanted:
                    found[here] = name_line  # type: ignore[index]  # what is wanted has no list in it
            case "{":
                path.append("")
            case "[":
                path.append(None)
            case "}" | "]":
                if not path:
                    break
                path.pop()
        if len(path) > DEPTH_LIMIT:
            break
    return found


def text_line(data: bytes, key: str) -> int | None:
    """Return the line, from 1 on, that begins with ``key`` and a colon or a space: front matter, a git-LFS pointer."""
    match = re.search(rb"^" + re.escape(key.encode()) + rb"[: ]", data[:SIZE_LIMIT], re.MULTILINE)
    return data.count(b"\n", 0, match.start()) + 1 if match else None


def _plain(token: str) -> str:
    try:
        return str(json.loads(token)) if "\\" in token else token[1:-1]
    except ValueError:
        return ""

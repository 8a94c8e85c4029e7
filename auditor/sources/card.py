"""The few things that a model card's front matter says and a fact wants.

The front matter is YAML; only plain strings and lists of them, at its top level, are read, by hand: a YAML library costs
more time than a whole local inspection may take, and could be made to expand a page into gigabytes.
"""

import re
from collections.abc import Mapping
from typing import Any

#: What is kept of a card, from the file and from the Hub's own copy of it alike.
KEYS = ("license", "license_name", "base_model", "pipeline_tag", "library_name")
#: Front matter longer than this is cut: cards list thousands of languages and scores after what we want.
LIMIT = 65_536
_ITEMS_LIMIT = 16
_TEXT_LIMIT = 256
_FRONT = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_MEMBER = re.compile(r"^([A-Za-z_][\w-]*):[ \t]*(.*)$")
_ITEM = re.compile(r"^\s*-[ \t]+(.*)$")


def front_matter(data: bytes) -> dict[str, Any]:
    """Return the members of ``KEYS`` in the start of a README; empty where there is no front matter."""
    found = _FRONT.match(data[:LIMIT].decode("utf-8", "replace"))
    members: dict[str, Any] = {}
    current = None
    for line in found[1].splitlines() if found else ():
        member, item = _MEMBER.match(line), _ITEM.match(line)
        if member:
            current = member[1]
            members.setdefault(current, _value(member[2]))
        elif item and current is not None:
            values = members[current] = members[current] or []
            if isinstance(values, list):
                values.append(_scalar(item[1]))
    return kept(members)


def kept(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a snapshot keeps of a card: short strings and short lists of them."""
    result: dict[str, Any] = {}
    for name in KEYS:
        value = members.get(name)
        if isinstance(value, str) and value:
            result[name] = value[:_TEXT_LIMIT]
        elif isinstance(value, list) and value and all(isinstance(item, str) for item in value):
            result[name] = [item[:_TEXT_LIMIT] for item in value[:_ITEMS_LIMIT]]
    return result


def _value(text: str) -> Any:
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        return [_scalar(item) for item in text[1:-1].split(",") if item.strip()]
    return _scalar(text)


def _scalar(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text.partition(" #")[0].rstrip()

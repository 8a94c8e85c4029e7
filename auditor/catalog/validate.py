"""Checks a document against a published schema and says what is wrong in one line, at its place in the file."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from auditor._shipped import SCHEMAS
from auditor.catalog.document import Document
from auditor.catalog.vocabulary import Path, did_you_mean
from auditor.errors import CatalogError

_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a map",
    "null": "null",
}
_LONGEST_LIST = 12


@lru_cache(maxsize=32)
def _validator(name: str) -> Any:
    """Return the validator of a shipped schema; ``rules-outline`` is that of rules without their conditions."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - 90 ms that a cached catalogue does without

    outline = name.removesuffix("-outline")
    schema = json.loads((SCHEMAS / f"{outline}.schema.json").read_bytes())
    if outline != name:
        # The parser of conditions checks them with better sentences; the schema proper is for editors and `rules check`.
        schema["$defs"]["condition"] = {}
    if name != "rules":
        # Following a reference costs the validator more than checking what it leads to. Conditions refer to themselves.
        schema = _inlined(schema, schema.pop("$defs", {}))
    return Draft202012Validator(schema)


def _inlined(part: Any, definitions: dict[str, Any]) -> Any:
    """Return a schema with every reference replaced by what it leads to."""
    if isinstance(part, list):
        return [_inlined(item, definitions) for item in part]
    if not isinstance(part, dict):
        return part
    below = {key: _inlined(value, definitions) for key, value in part.items() if key != "$ref"}
    if "$ref" not in part:
        return below
    return {**_inlined(definitions[part["$ref"].removeprefix("#/$defs/")], definitions), **below}


def problems(document: Document, schema: str) -> Iterator[CatalogError]:
    """Yield every departure from the schema, in the order of the file."""
    found = [_explained(error, document) for error in _validator(schema).iter_errors(document.value)]
    seen = set()
    for _, error in sorted(((_position(error), error) for batch in found for error in batch), key=lambda pair: pair[0]):
        place = error.message.split(": ", 1)[0]
        # Several keywords can object to one value; the first says it.
        if place not in seen:
            seen.add(place)
            yield error


def check(document: Document, schema: str) -> None:
    """Raise CatalogError for the first departure from the schema."""
    for error in problems(document, schema):
        raise error


def _position(error: CatalogError) -> tuple[int, int]:
    place = error.message.split(": ", 1)[0].rsplit(":", 2)
    return (int(place[1]), int(place[2])) if len(place) == 3 else (0, 0)


def _explained(error: Any, document: Document) -> list[CatalogError]:
    """Return one finding of the validator as sentences: one per key for unexpected keys."""
    path: Path = tuple(error.absolute_path)
    value, wanted = error.instance, error.validator_value
    # What ``propertyNames`` objects to is a key of the object at ``path``.
    at_key = list(error.absolute_schema_path)[-2:-1] == ["propertyNames"]
    if at_key:
        path = (*path, value)
    match error.validator:
        case "additionalProperties":
            known = list(error.schema.get("properties", {}))
            extra = [key for key in value if key not in known]
            return [document.error((*path, key), f"'{key}' is not known here", _suggest(key, known), key=True) for key in extra]
        case "required":
            return [document.error(path, f"'{key}' is missing") for key in wanted if key not in value][:1]
        case "enum":
            return [
                document.error(path, f"{_shown(value)} is not one of {_listed(wanted)}", did_you_mean(value, map(str, wanted)), key=at_key)
            ]
        case "type":
            kinds = [wanted] if isinstance(wanted, str) else wanted
            return [document.error(path, f"{_shown(value)} is not {' or '.join(_TYPES[kind] for kind in kinds)}")]
        case "pattern":
            hint = error.schema.get("description") or f"it must match {wanted}"
            return [document.error(path, f"{_shown(value)} does not look right", hint, key=at_key)]
        case "const":
            return [document.error(path, f"{_shown(value)} should be {_shown(wanted)}")]
        case "uniqueItems":
            return [document.error(path, "the list repeats an element")]
        case "minItems" | "minLength" | "minProperties":
            return [document.error(path, "it is empty")]
        case "maxProperties":
            return [document.error(path, f"{len(value)} keys where one belongs", "put several conditions under all:")]
        case "minimum" | "exclusiveMinimum":
            least = "at least" if error.validator == "minimum" else "more than"
            return [document.error(path, f"{_shown(value)} is impossible", f"it is {least} {wanted}")]
        case "maximum":
            return [document.error(path, f"{_shown(value)} is impossible", f"it is at most {wanted}")]
        case _:
            return [document.error(path, str(error.message).splitlines()[0])]


def _suggest(key: str, known: list[str]) -> str:
    return did_you_mean(key, known) or (f"known: {_listed(known)}" if known else "")


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else f"'{value}'"
    return text if len(text) <= 80 else f"{text[:77]}…"


def _listed(values: list[Any]) -> str:
    shown = ", ".join("null" if value is None else str(value) for value in values[:_LONGEST_LIST])
    return f"{shown}, … ({len(values)} in all)" if len(values) > _LONGEST_LIST else shown

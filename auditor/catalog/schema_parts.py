"""Pieces that every generated JSON Schema is made of: objects, lists, citations, figures.

One shape is used throughout so that the plain message of a validator is already the right one: objects with
``additionalProperties: false``, types chosen by ``if``/``then``/``else``, and never ``oneOf`` or ``anyOf``.
"""

from auditor.catalog.vocabulary import CONFIDENCES, UNITS

Schema = dict[str, object]

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def obj(properties: Schema, required: tuple[str, ...] = (), description: str = "", more: Schema | None = None) -> Schema:
    """Return the schema of a closed object; ``more`` are further keywords."""
    schema: Schema = {"type": "object", "additionalProperties": False, "properties": properties, **(more or {})}
    if required:
        schema["required"] = list(required)
    if description:
        schema["description"] = description
    return schema


def text(description: str = "", **more: object) -> Schema:
    """Return the schema of a non-empty string."""
    return {"type": "string", "minLength": 1, **({"description": description} if description else {}), **more}


def word(description: str = "") -> Schema:
    """Return the schema of an id: lower case, no spaces."""
    return {"type": "string", "pattern": "^[a-z0-9][a-z0-9._-]*$", **({"description": description} if description else {})}


def one_of(values: tuple[str, ...], description: str = "") -> Schema:
    """Return the schema of a closed list of words."""
    return {"enum": list(values), **({"description": description} if description else {})}


def array(items: Schema, description: str = "", minimum: int = 0) -> Schema:
    """Return the schema of a list without repetitions."""
    schema: Schema = {"type": "array", "items": items, "uniqueItems": True}
    if minimum:
        schema["minItems"] = minimum
    if description:
        schema["description"] = description
    return schema


def ref(name: str) -> Schema:
    """Return a reference to a shared definition."""
    return {"$ref": f"#/$defs/{name}"}


def flag(description: str = "") -> Schema:
    """Return the schema of true or false."""
    return {"type": "boolean", **({"description": description} if description else {})}


DATE: Schema = {
    "type": "string",
    "pattern": r"^20\d\d-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?$",
    "description": "YYYY-MM-DD, or YYYY-MM where the source says no more.",
}
_SOURCE_FIELDS: Schema = {
    "title": text("Title of the page or document."),
    "url": text("Where it is.", pattern="^https?://"),
    "repo": text("owner/repo:path@commit", pattern="^[^/ ]+/[^/: ]+(:.+)?$"),
    "as_of": ref("date"),
    "where": text("Section, table or line."),
}
_LOCATED: Schema = {"if": {"required": ["repo"]}, "else": {"required": ["title", "as_of", "url"]}, "then": {"required": ["title", "as_of"]}}
SOURCE_DEFS: Schema = {
    "date": DATE,
    "source": obj(_SOURCE_FIELDS, ("title", "as_of"), "Where a figure or a claim was seen, and when.", _LOCATED),
    "sources": {
        "type": "object",
        "description": "Sources of this file by id.",
        "propertyNames": {"pattern": "^[a-z0-9][a-z0-9_.-]*$"},
        "additionalProperties": ref("source"),
    },
    "cited": {
        "type": ["string", "object"],
        "description": "Id of a source, {id, where}, or a whole source.",
        "if": {"type": "object"},
        "then": {
            "properties": {"id": text(), **_SOURCE_FIELDS},
            "additionalProperties": False,
            "if": {"required": ["id"]},
            "then": {"properties": {"id": True, "where": True}, "additionalProperties": False},
            "else": {"required": ["title", "as_of"], **_LOCATED},
        },
    },
    "citations": {"type": "array", "minItems": 1, "items": ref("cited"), "description": "Where this was seen."},
    "confidence": one_of(CONFIDENCES, "How sure the claim is, never how bad it is."),
}


def figure(kind: str) -> Schema:
    """Return a reference to the figure whose unit is one of ``UNITS[kind]``."""
    return ref(f"{kind}Figure")


def _figure(kind: str) -> Schema:
    """Return the schema of a figure: an object, or a number where the file has defaults."""
    units: Schema = {"unit": {"enum": list(UNITS[kind])}} if UNITS[kind] else {"unit": text()}
    return {
        "type": ["number", "object"],
        "if": {"type": "object"},
        "then": obj(
            {
                "value": {"type": ["number", "null"], "minimum": 0},
                **units,
                "sources": ref("citations"),
                "confidence": ref("confidence"),
                "note": text(),
            },
            ("value",),
            more={"if": {"properties": {"value": {"type": "null"}}, "required": ["value"]}, "then": {"required": ["note"]}},
        ),
        "else": {"minimum": 0},
    }


def document(name: str, title: str, body: Schema, defs: Schema) -> Schema:
    """Return a whole schema file."""
    return {"$schema": DRAFT, "$id": name, "title": title, **body, "$defs": defs}


def catalogue_document(name: str, title: str, body: Schema) -> Schema:
    """Return a whole schema file with the definitions that citations and figures refer to."""
    return document(name, title, body, {**SOURCE_DEFS, **{f"{kind}Figure": _figure(kind) for kind in UNITS}})

"""Inspections as JSON and back, so that rules can be applied anew without reading a model again."""

from dataclasses import asdict, fields
from typing import Any

from auditor.facts import CATALOGUE, Basis, Facts, Known, Unknown
from auditor.inspection.model import Inspection, LayerGroup, LayerKind


def encode(inspection: Inspection) -> dict[str, Any]:
    """Return an inspection as JSON values."""
    known = {name: [fact.value, fact.basis.value] for name, fact in inspection.facts.items() if isinstance(fact, Known)}
    unknown = {name: [fact.reason, list(fact.settled_by)] for name, fact in inspection.facts.items() if isinstance(fact, Unknown)}
    return {
        "id": inspection.id,
        "revision": inspection.revision,
        "source": inspection.source,
        "known": known,
        "unknown": unknown,
        "layers": [asdict(layer) for layer in inspection.layers],
        "errors": list(inspection.errors),
        "notes": list(inspection.notes),
    }


def decode(document: dict[str, Any]) -> Inspection:
    """Return the inspection that ``encode`` wrote. Raises KeyError, TypeError or ValueError where it is of another version."""
    facts: dict[str, Known | Unknown] = {}
    for name, (value, basis) in document["known"].items():
        if name in CATALOGUE:
            facts[name] = Known(tuple(value) if isinstance(value, list) else value, Basis(basis))
    for name, (reason, settled_by) in document["unknown"].items():
        if name in CATALOGUE:
            facts[name] = Unknown(reason, tuple(settled_by))
    names = {field.name for field in fields(LayerGroup)}
    layers = tuple(
        LayerGroup(**{**{key: value for key, value in layer.items() if key in names}, "kind": LayerKind(layer["kind"])})
        for layer in document["layers"]
    )
    return Inspection(
        id=document["id"],
        revision=document["revision"],
        source=document["source"],
        facts=Facts(facts),
        layers=layers,
        errors=tuple(document["errors"]),
        notes=tuple(document["notes"]),
    )

"""Values of the program as plain JSON values: the same text on every machine."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from auditor.facts import Facts, Known, Value
from auditor.inspection.model import Inspection

if TYPE_CHECKING:  # the catalogue and sizing, which an inspection has no use for
    from auditor.catalog.model import Source
    from auditor.sizing.model import Range
    from auditor.waivers import Waiver

_SIGNIFICANT = 9  # the last bits of a float depend on the machine's maths library; a report may not


def dumps(document: Any) -> str:
    """Return indented ASCII JSON with a newline at the end: readable on every terminal, whatever its encoding."""
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def number(value: float | None) -> int | float | None:
    """Return an integer where the number is one, else nine significant digits."""
    if value is None or isinstance(value, int):
        return value
    return int(value) if float(value).is_integer() else float(f"{value:.{_SIGNIFICANT}g}")


def value(fact: Value | None) -> Any:
    """Return a fact's value as JSON has it."""
    if isinstance(fact, tuple):
        return list(fact)
    return number(fact) if isinstance(fact, float) else fact


def span(given: "Range | None") -> dict[str, Any] | None:
    """Return ``{low, likely, high}``."""
    if given is None:
        return None
    return {"low": number(given.low), "likely": number(given.likely), "high": number(given.high)}


def sources(given: "Sequence[Source]") -> list[dict[str, str]]:
    """Return sources as JSON has them."""
    return [{"title": s.title, "ref": s.ref, "as_of": s.as_of, "where": s.where} for s in given]


def waiver(given: "Waiver | None") -> dict[str, str] | None:
    """Return the exception by which a finding does not count, as JSON has it."""
    return {"reason": given.reason, "until": given.until} if given else None


def facts(given: Facts) -> dict[str, Any]:
    """Return the three members that say what is known: ``facts``, ``basis`` and ``unknown``, each sorted by name."""
    names = sorted(given)
    known = {name: fact for name in names if isinstance(fact := given[name], Known)}
    return {
        "facts": {name: value(fact.value) for name, fact in known.items()},
        "basis": {name: fact.basis.value for name, fact in known.items()},
        "unknown": {name: fact.reason for name in names if not isinstance(fact := given[name], Known)},
    }


def model(inspection: Inspection, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the members that every report has of a model; ``extra`` facts are laid over the inspection's."""
    return {
        "id": inspection.id,
        "revision": inspection.revision,
        "source": inspection.source,
        **facts(inspection.facts.merged(extra or {})),
        "layers": [
            {
                "kind": group.kind.value,
                "count": group.count,
                "bytes_per_token": number(group.bytes_per_token),
                "bytes_per_sequence": number(group.bytes_per_sequence),
                "window": group.window,
                "detail": group.detail,
            }
            for group in inspection.layers
        ],
        "notes": list(inspection.notes),
        "errors": list(inspection.errors),
    }

"""The fact catalogue: every name that rules, reports and policies may use."""

import textwrap
from collections.abc import Mapping

from auditor.facts import FactSpec
from auditor.report import View, plain


def render_json(facts: Mapping[str, FactSpec]) -> str:
    """Return the catalogue as JSON, in its own order."""
    return plain.dumps(
        [
            {"name": spec.name, "type": spec.type, "unit": spec.unit, "values": list(spec.values), "meaning": spec.meaning}
            for spec in facts.values()
        ]
    )


def render_table(facts: Mapping[str, FactSpec], view: View) -> str:
    """Return one entry per fact: name, type and unit, then what it means."""
    lines = []
    for spec in facts.values():
        lines.append(f"{spec.name}  ({spec.type}{', ' + spec.unit if spec.unit else ''})")
        lines += textwrap.wrap(spec.meaning, view.width, initial_indent="    ", subsequent_indent="    ")
        if spec.values:
            lines += textwrap.wrap(f"one of: {', '.join(spec.values)}", view.width, initial_indent="    ", subsequent_indent="      ")
    return "\n".join(lines) + "\n"

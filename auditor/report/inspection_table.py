"""Facts for a terminal: every fact with its unit and its basis, then the layer census."""

import textwrap
from collections.abc import Iterator, Sequence

from auditor.facts import Known
from auditor.inspection.model import Inspection, LayerGroup
from auditor.report import View, heading
from auditor.report.style import paint
from auditor.report.words import fact_value, shorten
from auditor.units import human_bytes


def render(inspections: Sequence[Inspection], view: View) -> str:
    """Return one block per model."""
    return "\n\n".join("\n".join(_model(inspection, view)) for inspection in inspections) + "\n"


def _model(inspection: Inspection, view: View) -> Iterator[str]:
    yield paint(heading.name(inspection), "strong", color=view.color)
    for error in inspection.errors:
        yield from textwrap.wrap(f"error: {error}", view.width, initial_indent="  ", subsequent_indent="    ")
    for line in heading.lines(inspection):
        yield from textwrap.wrap(line, view.width, initial_indent="  ", subsequent_indent="    ")
    if inspection.facts:
        yield ""
        yield from _facts(inspection, view)
    if inspection.layers:
        yield ""
        yield from _layers(inspection.layers)
    if inspection.notes:
        yield ""
        for note in inspection.notes:
            yield from textwrap.wrap(note, view.width, initial_indent="- ", subsequent_indent="  ")


def _facts(inspection: Inspection, view: View) -> Iterator[str]:
    # Set by hand: three columns need no library, and a hook that inspects should start fast.
    rows = []
    for name, fact in sorted(inspection.facts.items()):
        rows.append((name, fact_value(name, fact.value), fact.basis.value) if isinstance(fact, Known) else (name, "unknown", fact.reason))
    first = max(len(row[0]) for row in rows)
    last = min(max(len(row[2]) for row in rows if row[1] != "unknown") if any(row[1] != "unknown" for row in rows) else 0, 14)
    middle = max(view.width - first - last - 4, 16)
    for name, shown, basis in rows:
        if shown == "unknown":
            yield f"{name:<{first}}  {paint(shorten(f'unknown: {basis}', middle + last + 2), 'unknown', color=view.color)}"
        else:
            yield f"{name:<{first}}  {shorten(shown, middle):<{middle}}  {paint(basis, 'faint', color=view.color)}".rstrip()


def _layers(layers: Sequence[LayerGroup]) -> Iterator[str]:
    yield "layers"
    for group in layers:
        parts = []
        if group.bytes_per_token:
            parts.append(f"{human_bytes(group.bytes_per_token)} per token")
        if group.window:
            parts.append(f"up to {group.window:,} tokens")
        if group.bytes_per_sequence:
            parts.append(f"{human_bytes(group.bytes_per_sequence)} per sequence")
        kind = f"{group.kind.value} ({group.detail})" if group.detail else group.kind.value
        yield f"  {group.count:>4} {kind:<24} {', '.join(parts) or 'no cache'}"

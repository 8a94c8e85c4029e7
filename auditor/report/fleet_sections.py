"""A fleet as titled tables of text: what the terminal, Markdown and the page all show."""

from collections.abc import Sequence
from dataclasses import dataclass

from auditor.fleet.packing import Packed
from auditor.fleet.summary import FleetSummary, ModelLine, TargetLine
from auditor.units import human_bytes, human_count

#: Rows of a list that a screen still takes.
SHORT = 12
_LETTERS = {"native": "N", "config-change": "c", "needs-port": "p", "unknown": "?", "blocked": "x"}
_LEGEND = "N native, c configuration change, p port, ? unknown, x blocked"
_PACKING = (
    "devices, machines and $ of what runs natively or by configuration, small models sharing machines; "
    "$ shared: and devices, where their stack allows that and their memory fits; weeks of all that can move, shared work once"
)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, a table under it, and a line beneath."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    numbers: tuple[str, ...] = ()
    """Columns that hold numbers."""
    sentences: bool = False
    """Whether its texts are worth more than one line."""


def sections(summary: FleetSummary, *, rows: int | None, columns: int | None) -> list[Section]:
    """Return the sections of a report; lists longer than ``rows`` are cut and say so, the matrix is as wide as ``columns`` allow."""
    found = [_classes(summary), _targets(summary, rows)]
    if summary.models:
        found.append(_matrix(summary, rows, columns))
    found += [_order(line, rows) for line in summary.targets[:1] if line.plan]
    questions = tuple((question, str(count)) for question, count in summary.questions)
    if questions:
        found.append(_list("What would settle the unknown", ("settled by", "rows"), questions, rows))
    unknown = tuple((fact, str(count)) for fact, count in summary.unknown)
    if unknown:
        found.append(_list("What the files do not say", ("fact", "models"), unknown, rows))
    failed = tuple((model.target, model.error) for model in summary.models if model.error)
    if failed:
        found.append(_list("Not read", ("model", "reason"), failed, rows))
    return found


def headline(summary: FleetSummary) -> str:
    """Return the fleet in one sentence."""
    read = len(summary.models) - summary.failed
    failed = f", {summary.failed} could not be read" if summary.failed else ""
    weights = f"{human_bytes(summary.bytes)} of weights in the {read} that were" if failed else f"{human_bytes(summary.bytes)} of weights"
    return f"{len(summary.models)} models{failed}; {weights}; scan {summary.scan} of {summary.today}"


def _list(title: str, head: tuple[str, str], found: tuple[tuple[str, ...], ...], rows: int | None) -> Section:
    return Section(title, head, found[:rows], _cut(found, rows), ("rows", "models"), sentences=True)


def _classes(summary: FleetSummary) -> Section:
    rows = tuple((arch, precision, str(count), human_bytes(size) if size else "") for arch, precision, count, size in summary.classes)
    return Section("Models", ("class", "precision", "models", "weights"), rows, numbers=("models", "weights"))


def _targets(summary: FleetSummary, rows: int | None) -> Section:
    lines = [line for line in summary.targets if rows is None or line.best]
    shown = tuple(
        (
            line.target,
            *(str(line.verdicts.get(verdict, 0) or "") for verdict in _LETTERS),
            str(line.packed.devices or ""),
            str(line.packed.instances or ""),
            _dollars(line.packed),
            _dollars(line.sharing) if line.sharing != line.packed else "",
            _weeks(line),
        )
        for line in lines
    )
    numbers = (*_LETTERS.values(), "devices", "machines", "$/month", "$ shared", "weeks")
    others = len(summary.targets) - len(lines)
    cut = f"the best of each accelerator family, {others} more with --all" if others else ""
    note = "; ".join(text for text in (_LEGEND, _PACKING, cut) if text)
    return Section("What could run where", ("target", *numbers), shown, note, numbers)


def _dollars(packed: Packed) -> str:
    if packed.usd_per_month is None or not packed.devices:
        return ""
    return f"{packed.usd_per_month:,.0f}" + (f" (+{packed.unpriced} unpriced)" if packed.unpriced else "")


def _weeks(line: TargetLine) -> str:
    weeks = line.plan.total.weeks if line.plan else None
    return f"{weeks.low:.1f}-{weeks.high:.1f}" if weeks else ""


def _matrix(summary: FleetSummary, rows: int | None, columns: int | None) -> Section:
    targets = [line.target for line in summary.targets if rows is None or line.best]
    if rows is not None and columns is not None:
        targets = targets[: max(3, (columns - 44) // 4)]
    models: Sequence[ModelLine] = summary.models[:rows]
    found = tuple(
        (
            model.name or model.model_id or model.target,
            human_count(model.params) if model.params else "",
            *(_LETTERS.get(model.verdicts.get(target, ""), "") for target in targets),
        )
        for model in models
    )
    legend = "; ".join(f"{at + 1} {target}" for at, target in enumerate(targets))
    cut = _cut(summary.models, rows)
    note = f"{legend}. {_LEGEND}" + (f". {cut}" if cut else "")
    return Section("Models and targets", ("model", "params", *(str(at + 1) for at in range(len(targets)))), found, note, ("params",))


def _order(line: TargetLine, rows: int | None) -> Section:
    """Return the plan of one target, models that follow each other at one price in one row."""
    found = []
    at = 1
    for step in line.plan.steps if line.plan else ():
        others = len(step.models) - 1
        last = at + others
        found.append(
            (
                f"{at}-{last}" if others else str(at),
                step.models[0] + (f" and {others} more like it" if others else ""),
                f"{step.expected:.1f}" + (" each" if others else ""),
            )
        )
        at = last + 1
    return Section(f"The cheapest order to {line.target}", ("", "model", "weeks more"), tuple(found[:rows]), _cut(found, rows))


def _cut(found: Sequence[object], rows: int | None) -> str:
    return f"{len(found) - rows} more with --all" if rows is not None and len(found) > rows else ""

"""A fleet as titled tables of text: what the terminal and Markdown both show."""

from collections.abc import Sequence
from dataclasses import dataclass

from auditor.fleet.summary import VERDICTS, FleetSummary, ModelLine, TargetLine
from auditor.units import human_bytes, human_count

#: Rows of a list that a screen still takes.
_SHORT = 12
_LETTERS = {"native": "N", "config-change": "c", "needs-port": "p", "blocked": "x", "unknown": "?"}


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, a table under it, and a line beneath."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def sections(summary: FleetSummary, *, everything: bool, columns: int) -> list[Section]:
    """Return the sections of a report; without ``everything`` long lists are cut and say so."""
    found = [_classes(summary), _targets(summary, everything=everything)]
    if summary.models:
        found.append(_matrix(summary, everything=everything, columns=columns))
    found += [_order(line) for line in summary.targets[:1] if line.order]
    if summary.questions:
        rows = tuple((question, str(count)) for question, count in summary.questions[: None if everything else _SHORT])
        found.append(Section("What would settle the unknown", ("settled by", "rows"), rows))
    failed = [(model.target, model.error) for model in summary.models if model.error]
    if failed:
        found.append(
            Section("Not read", ("model", "reason"), tuple(failed[: None if everything else _SHORT]), _cut(failed, everything=everything))
        )
    return found


def headline(summary: FleetSummary) -> str:
    """Return the fleet in one sentence."""
    read = len(summary.models) - summary.failed
    failed = f", {summary.failed} could not be read" if summary.failed else ""
    weights = f"{human_bytes(summary.bytes)} of weights in the {read} that were" if failed else f"{human_bytes(summary.bytes)} of weights"
    return f"{len(summary.models)} models{failed}; {weights}; scan {summary.scan} of {summary.today}"


def _classes(summary: FleetSummary) -> Section:
    rows = tuple((arch, precision, str(count), human_bytes(size) if size else "") for arch, precision, count, size in summary.classes)
    return Section("Models", ("class", "precision", "models", "weights"), rows)


def _targets(summary: FleetSummary, *, everything: bool) -> Section:
    lines = [line for line in summary.targets if everything or line.availability in {"open", "limited"}]
    shown = lines if everything else lines[:_SHORT]
    rows = tuple(
        (
            line.target,
            *(str(line.verdicts.get(verdict, 0) or "") for verdict in VERDICTS),
            str(line.devices or ""),
            str(line.instances or ""),
            _dollars(line),
            f"{line.weeks.low:.1f}-{line.weeks.high:.1f}" if line.weeks else "",
        )
        for line in shown
    )
    head = ("target", "native", "config", "port", "unknown", "blocked", "devices", "machines", "$/month", "weeks")
    return Section(
        "What could run where",
        head,
        rows,
        _cut(lines, everything=everything)
        or "devices, machines and $ of what runs natively or by configuration; weeks of all that can move, shared work once",
    )


def _dollars(line: TargetLine) -> str:
    if line.usd_per_month is None or not line.devices:
        return ""
    return f"{line.usd_per_month:,.0f}" + (f" (+{line.unpriced} unpriced)" if line.unpriced else "")


def _matrix(summary: FleetSummary, *, everything: bool, columns: int) -> Section:
    targets = [line.target for line in summary.targets if everything or line.availability in {"open", "limited"}]
    # The best accelerator of each stack says most in few columns.
    best = list({target.partition("/")[2]: target for target in reversed(targets)}.values())[::-1]
    fitting = targets if everything else best[: max(3, (columns - 44) // 4)]
    models: Sequence[ModelLine] = summary.models if everything else summary.models[:_SHORT]
    rows = tuple(
        (
            model.name or model.model_id or model.target,
            human_count(model.params) if model.params else "",
            *(_LETTERS.get(model.verdicts.get(target, ""), "") for target in fitting),
        )
        for model in models
    )
    legend = "; ".join(f"{at + 1} {target}" for at, target in enumerate(fitting))
    letters = "N native, c configuration change, p port, x blocked, ? unknown"
    note = f"{legend}. {letters}" + (
        f". {_cut(summary.models, everything=everything)}" if _cut(summary.models, everything=everything) else ""
    )
    return Section("Models and targets", ("model", "params", *(str(at + 1) for at in range(len(fitting)))), rows, note)


def _order(line: TargetLine) -> Section:
    rows = tuple((str(at + 1), model, f"{weeks:.1f}") for at, (model, weeks) in enumerate(line.order[:_SHORT]))
    return Section(f"The cheapest order to {line.target}", ("", "model", "weeks more"), rows, _cut(line.order, everything=False))


def _cut(rows: Sequence[object], *, everything: bool) -> str:
    return f"{len(rows) - _SHORT} more with --all" if not everything and len(rows) > _SHORT else ""

"""The arithmetic of one row as a story: chapters of steps, each a number with its formula, inputs, basis and source."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from auditor.catalog.model import Figure, Source
from auditor.facts import CATALOGUE, Facts, Known
from auditor.payback import Payback
from auditor.report.arrange import open_questions, rented
from auditor.report.words import amount, dollars, fact_value, number
from auditor.results import ModelAudit, TargetAudit
from auditor.sizing.model import Placement, Range
from auditor.units import human_bytes

#: Facts that the arithmetic starts from, in the order in which it uses them.
_INPUTS = [
    "params.total",
    "params.active",
    "params.decode",
    "weights.bytes",
    "weights.loaded_bytes",
    "weights.dtype",
    "quant.method",
    "kv_cache.dtype",
    "kv_cache.bytes_per_token",
    "kv_cache.bytes_per_token_windowed",
    "state.bytes_per_sequence",
    "kv_cache.bytes",
    "arch.layers",
    "attention.kind",
    "attention.heads",
    "attention.kv_heads",
    "attention.head_dim",
    "moe.experts",
    "moe.experts_per_token",
    "arch.max_context",
]


#: How the effort model names what every migration pays, and how often an item is paid.
_ALWAYS = "always"
_SCOPES = {
    "team_stack": "team and stack",
    "serving_env": "serving platform and stack",
    "arch_stack": "architecture and stack",
    "kernel_stack": "kernel and stack",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One number or claim of the story."""

    name: str
    value: str
    how: str = ""
    """Formula with its inputs, or the basis of a fact; lines that belong apart have a newline between them."""
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Chapter:
    """Steps under one heading."""

    title: str
    steps: tuple[Step, ...]


def steps(model: ModelAudit, row: TargetAudit) -> list[Chapter]:
    """Return the chapters of one row, in the order in which the program computes."""
    chapters = [
        Chapter("The model", tuple(_fact_steps(row.facts, _INPUTS))),
        Chapter("The layers' cache", tuple(_layer_steps(model))),
        Chapter("The workload", tuple(_workload_steps(model))),
        Chapter("The accelerator", tuple(_accelerator_steps(row))),
        Chapter("The stack", tuple(_stack_steps(row))),
        Chapter("The placement", tuple(_placement_steps(row, model))),
        Chapter("The speed (likely case)", tuple(_speed_steps(row))),
        Chapter("The price", tuple(_price_steps(row))),
        Chapter("Other ways on this target", tuple(_alternative_steps(row))),
        Chapter("The work", tuple(_work_steps(row))),
        Chapter(f"The verdict: {row.verdict}", tuple(_verdict_steps(row))),
    ]
    return [chapter for chapter in chapters if chapter.steps]


def _fact_steps(facts: Facts, names: Sequence[str]) -> Iterator[Step]:
    for name in names:
        fact = facts.get(name)
        if fact is None:
            continue
        meaning = CATALOGUE[name].meaning
        if isinstance(fact, Known):
            yield Step(name, fact_value(name, fact.value), f"{fact.basis.value}. {meaning}")
        else:
            yield Step(name, "unknown", f"{fact.reason}. {meaning}")


def _layer_steps(model: ModelAudit) -> Iterator[Step]:
    for group in model.inspection.layers:
        kind = f"{group.count} {group.kind.value} layers{' (' + group.detail + ')' if group.detail else ''}"
        parts, formula = [], ""
        if group.bytes_per_token:
            parts.append(f"{amount(group.bytes_per_token)} bytes per token")
            if group.kv_heads and group.key_dim:
                value_dim = group.value_dim or 0
                formula = f"{group.count} layers x {group.kv_heads} heads x ({group.key_dim} + {value_dim}) x bytes of the cache's type"
            elif group.key_dim:
                formula = f"{group.count} layers x {group.key_dim} (latent and rotary key) x bytes of the cache's type"
        if group.window:
            parts.append(f"for at most {group.window:,} tokens")
        if group.bytes_per_sequence:
            parts.append(f"{amount(group.bytes_per_sequence)} bytes per sequence")
        yield Step(kind, ", ".join(parts) or "no cache", formula)


def _workload_steps(model: ModelAudit) -> Iterator[Step]:
    for name, basis in model.workload_basis.items():
        value = getattr(model.workload, name)
        if value not in (None, False):
            yield Step(
                name.replace("_", " "),
                f"{value:,}" if isinstance(value, int) and value is not True else str(value),
                "given" if basis == "user" else "default",
            )


def _accelerator_steps(row: TargetAudit) -> Iterator[Step]:
    chip = row.target.accelerator
    figures: list[tuple[str, Figure]] = [("memory", chip.memory), ("memory planned with", chip.memory_bytes), ("bandwidth", chip.bandwidth)]
    figures += [(f"dense peak, {dtype}", figure) for dtype, figure in chip.peaks.items()]
    figures += [("scale-up link", chip.interconnect), ("power", chip.power)]
    for name, figure in figures:
        yield _figure_step(name, figure)


def _stack_steps(row: TargetAudit) -> Iterator[Step]:
    """Yield the figures that memory and speed are computed with."""
    for name, figure in row.target.stack.figures.items():
        if name.startswith(("memory.", "efficiency.")) and figure.value is not None:
            yield _figure_step(name.replace("_", " ").replace(".", ": "), figure)


def _figure_step(name: str, figure: Figure) -> Step:
    if figure.value is None:
        return Step(name, "not published", figure.note)
    note = f"{figure.confidence} confidence{'; ' + figure.note if figure.note else ''}"
    return Step(name, f"{amount(figure.value)} {figure.unit}".rstrip(), note, figure.sources)


def _placement_steps(row: TargetAudit, model: ModelAudit) -> Iterator[Step]:
    place = row.placement
    if place is None:
        if row.no_placement:
            yield Step("no placement", row.no_placement.reason)
        return
    layout = place.layout
    groups = f", {layout.groups} groups with attention of their own that share the experts" if layout.groups > 1 else ""
    degrees = f"tensor {layout.tensor} x pipeline {layout.pipeline}{groups}, expert {layout.expert}, {layout.replicas} copies"
    count, machine = rented(row)
    terms = f"{count} x {machine} ({place.provider}), {place.billed_devices} devices billed" if count else "not offered for rent"
    yield Step("devices", f"{place.devices}", f"{degrees}; {terms}; the smallest layout that fits, unless one was asked for")
    yield from _memory_steps(place, model)
    yield Step("largest concurrency", f"{place.max_concurrency:,}", "at the workload's context")
    yield Step("largest context", f"{place.max_context_tokens:,} tokens", "at the workload's concurrency")
    if place.borderline:
        yield Step("within five percent of a limit", "", f"turn {place.borderline_knob}")
    for note in place.notes:
        yield Step("note", note)
    if place.launch:
        yield Step("launch", place.launch)


def _memory_steps(place: Placement, model: ModelAudit) -> Iterator[Step]:
    memory = place.memory
    held = "as stored" if place.weights_dtype == "as-stored" else f"held as {place.weights_dtype}"
    yield Step(
        "weights per rank",
        human_bytes(memory.weights),
        f"{held}, over {place.layout.ranks} ranks, with what cannot be sharded on each; {memory.weights:,} bytes",
    )
    if place.cache:
        cache = place.cache
        sequences = -(-(model.workload.concurrency or 1) // place.data_parallel)
        yield Step("cache per sequence, logical", human_bytes(cache.logical), f"whole model, {cache.logical:,} bytes")
        yield Step(
            "cache per sequence and rank, reserved",
            human_bytes(cache.reserved),
            f"{amount(cache.reserved_per_token)} bytes x {model.workload.context or 0:,} tokens + {cache.reserved_fixed:,} fixed "
            f"= {cache.reserved:,} bytes",
        )
        yield Step("cache per rank", human_bytes(memory.kv_cache), f"{sequences} sequences x {cache.reserved:,} bytes")
    yield Step(
        "activations per rank", human_bytes(memory.activations), f"one step of {place.step_tokens:,} tokens" if place.step_tokens else ""
    )
    yield Step("runtime per rank", human_bytes(memory.runtime), "context, graphs and communication buffers, by the stack's memory model")
    parts = (memory.weights, memory.kv_cache, memory.activations, memory.runtime)
    yield Step(
        "total of usable per rank",
        f"{human_bytes(memory.total)} of {human_bytes(memory.usable)}",
        f"{' + '.join(human_bytes(part) for part in parts)}; {human_bytes(memory.headroom)} left",
    )


def _speed_steps(row: TargetAudit) -> Iterator[Step]:
    speed = row.throughput
    if speed is None:
        return
    for term in speed.terms:
        name, _, rest = term.partition(": ")
        yield Step(name, rest)
    for name, value, unit in (
        ("generated, prompts included", speed.output_tokens_per_s, "tokens/s"),
        ("decode alone", speed.decode_tokens_per_s, "tokens/s"),
        ("each sequence", speed.decode_tokens_per_s_per_sequence, "tokens/s"),
        ("prefill", speed.prefill_tokens_per_s, "tokens/s"),
        ("first token after", speed.ttft_s, "s"),
    ):
        yield Step(name, f"{_range(value)} {unit}", f"low, likely, high; {speed.basis}")


def _alternative_steps(row: TargetAudit) -> Iterator[Step]:
    for found in row.alternatives or ():
        place = found.placement
        if place is None:
            yield Step(found.name, "no placement", found.note)
            continue
        layout, price = place.layout, found.usd_per_million_tokens
        paid = f", {dollars(found.usd_per_hour)} an hour" if found.usd_per_hour is not None else ""
        tokens = f", {_range(price)} USD per million generated tokens" if price else ""
        held = f"{human_bytes(place.memory.weights)} of weights per rank, room for {place.max_concurrency:,} sequences"
        degrees = f"tensor {layout.tensor} x pipeline {layout.pipeline}, data {place.data_parallel}"
        yield Step(found.name, f"{place.devices} devices{paid}{tokens}", f"{degrees}; {held}; {found.note}")
    if row.copies:
        count = row.copies
        hourly = f", {dollars(count.usd_per_hour)} an hour" if count.usd_per_hour is not None else ""
        yield Step(
            f"copies for {number(count.tokens_per_s)} tokens/s",
            f"{count.likely} of this placement, {count.devices} devices{hourly}",
            f"{count.low} to {count.high}, as the speed is at the end of its range",
        )


def _price_steps(row: TargetAudit) -> Iterator[Step]:
    cost, speed = row.cost, row.throughput
    if cost.usd_per_hour is None:
        if cost.reason:
            yield Step("no price", cost.reason)
        return
    price = cost.price
    region = f", {price.region}" if price and price.region else ""
    how = f"{price.provider} {price.instance}, {price.term}{region}, {price.as_of}, {price.confidence} confidence" if price else "as given"
    yield Step(
        "per hour",
        f"{dollars(cost.usd_per_hour)} USD",
        how + ("; older than 90 days" if cost.price_is_stale else ""),
        price.sources if price else (),
    )
    if cost.usd_per_million_tokens and speed:
        rate, likely = number(speed.output_tokens_per_s.likely), number(cost.usd_per_million_tokens.likely)
        yield Step(
            "per million generated tokens",
            f"{_range(cost.usd_per_million_tokens)} USD",
            f"likely: {dollars(cost.usd_per_hour)} / ({rate} tokens/s x 3600 / 1,000,000) = {likely}",
        )
    if cost.usd_per_million_total_tokens:
        yield Step("per million tokens, prompts counted too", f"{_range(cost.usd_per_million_total_tokens)} USD", "low, likely, high")
    if cost.break_even_months:
        yield Step(
            "break-even",
            f"{_range(cost.break_even_months)} months",
            "work x weekly rate / monthly saving against the baseline; low, likely, high",
        )
    else:
        yield Step("break-even", cost.break_even_reason)
    if cost.payback:
        yield from _payback_steps(cost.payback)


def _payback_steps(found: Payback) -> Iterator[Step]:
    """The answer over the horizon, with what would change it."""
    usd = "{:,.0f} USD".format
    yield Step("migration", usd(found.migration_usd), "likely weeks x weekly rate x people")
    yield Step("saved per month", usd(found.monthly_saving_usd), "(baseline - target) x tokens per month, per million tokens")
    yield Step("upkeep of a second stack", f"{usd(found.upkeep_usd_per_month)} a month", "judgement; not part of the plain break-even")
    yield Step("way back", usd(found.exit_usd), "judgement: what every model pays to move onto a CUDA stack again")
    gained = "saved - migration - upkeep - way back"
    yield Step(f"after {found.horizon_months:.0f} months", usd(found.net_usd), gained)
    yield Step("stops paying below", f"{dollars(found.stops_paying_below)} USD", "per million tokens of the baseline, within the horizon")
    for swing in found.sensitivity:
        ends = " to ".join("never" if months is None else f"{months:.1f} months" for months in (swing.low_months, swing.high_months))
        yield Step(f"{swing.name} at half less and half more", ends, "break-even, all else as it is")
    yield Step("the answer hangs on", " and ".join(found.drivers), "the two inputs that move the break-even most")


def _work_steps(row: TargetAudit) -> Iterator[Step]:
    effort = row.effort
    if effort.weeks is None:
        yield Step("no figure", effort.reason)
        return
    for item in effort.items:
        asked = "every migration" if item.rules == (_ALWAYS,) else ", ".join(item.rules)
        how = f"once per {_SCOPES.get(item.scope, item.scope)} ({item.scope_key}); asked for by {asked}; evidence {item.grade}"
        yield Step(item.name, f"{_weeks(item.weeks)} weeks", how)
    yield Step("sum", f"{_weeks(effort.weeks)} weeks", "low, likely, high: sums of the items")
    if effort.expected is not None and effort.interval80:
        low, high = effort.interval80
        yield Step(
            "expected",
            f"{effort.expected:.1f} weeks",
            f"(low + 4 x likely + high) / 6 of each item; 80 % interval {low:.1f} to {high:.1f}; {effort.grade}",
        )
    if effort.reason:
        yield Step("note", effort.reason)


def _verdict_steps(row: TargetAudit) -> Iterator[Step]:
    for finding in row.findings:
        evidence = ", ".join(
            f"{name} = {'unknown' if value is None else fact_value(name, value)}" for name, value in sorted(finding.evidence.items())
        )
        parts = [finding.remediation, f"rule {finding.rule}, {finding.confidence} confidence{f'; read {evidence}' if evidence else ''}"]
        yield Step(finding.verdict, finding.message, "\n".join(part for part in parts if part), finding.sources)
    for undecided in row.undecided:
        yield Step(f"undecided, up to {undecided.verdict}", f"rule {undecided.rule}", f"settled by {', '.join(undecided.settled_by)}")
    if question := open_questions(row):
        yield Step("unknown", question)
    yield Step("availability", row.availability, row.target.accelerator.availability_note)


def _weeks(value: Range) -> str:
    return " / ".join(f"{part:.2f}" for part in (value.low, value.likely, value.high))


def _range(value: Range) -> str:
    return " / ".join(number(part) for part in (value.low, value.likely, value.high))

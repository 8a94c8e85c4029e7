"""Finds the smallest placement of a model on a target, or answers for the one that was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

from auditor.catalog.model import ParallelismRules, Price, Target
from auditor.inspection.model import Inspection
from auditor.sizing import cache
from auditor.sizing.fit import BORDERLINE, Fit, Room, Step, fit
from auditor.sizing.launch import command
from auditor.sizing.layout import Layout, divides, layouts, rank_memory, ranks_per_device
from auditor.sizing.model import Constraints, NoPlacement, Placement
from auditor.sizing.offers import Offer, offers
from auditor.sizing.shape import Shape, read_shape
from auditor.sizing.throughput import estimate
from auditor.sizing.weights import Holding, holding
from auditor.units import human_bytes
from auditor.workload import Workload

#: What engines call types of the cache.
_CACHE_NAMES = {"float8_e4m3fn": "fp8", "float8_e5m2": "fp8_e5m2"}
#: Context searched up to where a model states no limit.
_NO_LIMIT = 1 << 24


@dataclass(frozen=True, slots=True)
class _Search:
    """What every candidate is judged by."""

    inspection: Inspection
    shape: Shape
    held: Holding
    room: Room
    workload: Workload
    target: Target
    rules: ParallelismRules
    prices: Sequence[Price]
    term: str


@dataclass(frozen=True, slots=True)
class _Choice:
    """A layout that fits, and the machines for it."""

    fit: Fit
    offer: Offer
    devices: int
    tuned: bool
    """Whether it fits only with a smaller step than the stack's default."""


def place(
    inspection: Inspection,
    target: Target,
    workload: Workload,
    prices: Sequence[Price] = (),
    constraints: Constraints | None = None,
    term: str = "on-demand",
) -> Placement | NoPlacement:
    """Return the smallest placement that holds the model and the (resolved) workload, or why there is none.

    Smallest means fewest devices, then fewest machines, then the lowest price at ``term``. ``constraints`` fix devices, degree
    or memory fraction; of the layouts that use all of the devices given, the one that generates most is taken. A fact that
    is missing gives ``NoPlacement(known=False)`` with what would settle it.
    """
    asked = constraints or Constraints()
    shape = read_shape(inspection)
    if isinstance(shape, NoPlacement):
        return shape
    memory, rules = target.stack.memory, target.stack.parallelism
    if memory is None or rules is None:
        return NoPlacement(_unplaceable(target), known=False)
    rank_bytes = rank_memory(target.accelerator)
    if rank_bytes is None:
        return NoPlacement(
            f"the memory of {target.accelerator.name} is not published", known=False, settled_by=("accelerator.memory_bytes",)
        )
    held = holding(shape, target, inspection.facts, asked.weights_holds)
    if isinstance(held, NoPlacement):
        return held
    fraction = memory.fraction if asked.memory_fraction is None else asked.memory_fraction
    room = Room(rank_bytes, fraction, memory, rules.weights_per_rank_bytes, rules.towers_sharded)
    search = _Search(inspection, shape, held, room, workload, target, rules, prices, term)
    candidates = _candidates(search, asked)
    if not candidates:
        return _no_layout(search, asked)
    placed = _smallest(search, candidates, asked)
    if isinstance(placed, NoPlacement) and memory.kv_cap_fraction is not None:
        # The cap on the cache is a default that a flag raises: without it the question is only what the memory holds.
        uncapped = replace(search, room=replace(room, model=replace(memory, kv_cap_fraction=None)))
        raised = _smallest(uncapped, candidates, asked)
        if isinstance(raised, Placement):
            note = f"only with the cap on the cache raised above the stack's default of {memory.kv_cap_fraction:.0%} of the budget"
            return replace(raised, notes=(*raised.notes, note), cache_cap_raised=True)
    return placed


def _unplaceable(target: Target) -> str:
    """Say why a target without a memory model or layouts has no placement."""
    if target.stack.hosted:
        return f"{target.accelerator.name}: served by its operator only"
    if target.accelerator.availability == "captive":
        return f"{target.accelerator.name}: nobody outside its owner places models on it"
    return f"{target.stack.name} publishes no memory model, so no placement is computed"


def _candidates(search: _Search, asked: Constraints) -> list[Layout]:
    """Return layouts in the order in which they are tried: fewest devices first."""
    accelerator, rules = search.target.accelerator, search.rules
    per_device = ranks_per_device(accelerator)
    domain = accelerator.scale_up_devices * per_device if accelerator.scale_up_devices else None
    ranks = asked.devices * per_device if asked.devices else None
    found = list(layouts(search.shape, rules, domain=domain, tensor=asked.tensor_parallel, ranks=ranks))
    if ranks:
        # Where tensor parallelism does not take all of them, copies side by side come before stages: they wait for nobody.
        single = layouts(search.shape, rules, domain=domain, tensor=asked.tensor_parallel, ranks=None)
        found += [
            replace(layout, replicas=ranks // layout.ranks) for layout in single if layout.ranks < ranks and ranks % layout.ranks == 0
        ]
        found.sort(key=lambda layout: (layout.pipeline > 1, layout.replicas, layout.pipeline))
    if ranks is None and asked.tensor_parallel is None and per_device > 1:
        found.sort(key=lambda layout: (ceil(layout.ranks / per_device), -layout.tensor, layout.pipeline))
    return found


def _smallest(search: _Search, candidates: Sequence[Layout], asked: Constraints) -> Placement | NoPlacement:
    memory = search.room.model
    default = Step(memory.activation_tokens, memory.step_sequences)
    tuned = Step(min(memory.activation_tokens, memory.minimum_step_tokens), min(memory.step_sequences, search.workload.concurrency or 1))
    per_device = ranks_per_device(search.target.accelerator)
    nearest: Fit | None = None
    fitting: list[_Choice] = []
    for layout in candidates:
        devices = ceil(layout.ranks * layout.replicas / per_device)
        if fitting and (devices > fitting[0].devices or (asked.devices and layout.pipeline > fitting[0].fit.layout.pipeline)):
            break
        found = next((each for step in (default, tuned) if (each := _fit(search, layout, step)).fits), None)
        if found is None:
            attempt = _fit(search, layout, tuned)
            nearest = attempt if nearest is None or attempt.memory.headroom > nearest.memory.headroom else nearest
            continue
        offered = offers(search.target.accelerator, devices, ceil(layout.tensor / per_device), search.prices, search.term)
        if offered or asked.devices:
            fitting.append(_Choice(found, offered[0] if offered else Offer(None, 0, devices, None), devices, tuned=found.step != default))
    if fitting:
        return _fastest(search, fitting) if asked.devices else _placement(search, min(fitting, key=lambda choice: choice.offer.order))
    if nearest is None:
        return NoPlacement(f"no machine that is offered joins enough {search.target.accelerator.name} for this model", known=True)
    return NoPlacement(_too_large(search, nearest, asked), known=True)


def _fastest(search: _Search, fitting: Sequence[_Choice]) -> Placement:
    """Return the placement that generates most on the devices that were given; the first where speed is not known."""
    placements = [_placement(search, choice) for choice in fitting]
    speeds = [estimate(search.inspection, search.target, search.workload, placement) for placement in placements]
    rates = [speed.output_tokens_per_s.likely if speed else 0.0 for speed in speeds]
    return placements[rates.index(max(rates))]


def _fit(search: _Search, layout: Layout, step: Step) -> Fit:
    return fit(search.shape, search.held, layout, search.room, search.workload, step)


def _placement(search: _Search, choice: _Choice) -> Placement:
    found, offer = choice.fit, choice.offer
    shape, workload, layout = search.shape, search.workload, found.layout
    longest = _longest(search)
    sequences = ceil((workload.concurrency or 1) / layout.replicas)
    notes = [search.held.note] if search.held.note else []
    if choice.tuned:
        notes.append(
            f"only with a step of {found.step.tokens} tokens and {found.step.sequences} sequences: "
            f"the stack's defaults ({search.room.model.activation_tokens} and {search.room.model.step_sequences}) need more memory"
        )
    if offer.instance is None:
        notes.append("no machine with this accelerator is known to be offered")
    described = (
        cache.describe(shape.cache, found.layers, workload.context or 1, search.room.model, found.step.tokens) if shape.generates else None
    )
    if described is not None and not described.reserved_per_token:
        notes.append("the cache does not grow with the context, so memory sets no limit to it")
    return Placement(
        devices=choice.devices,
        instance=offer.instance.name if offer.instance else "",
        provider=offer.instance.provider if offer.instance else "",
        instances=offer.instances,
        billed_devices=offer.billed_devices,
        tensor_parallel=layout.tensor,
        pipeline_parallel=layout.pipeline,
        expert_parallel=layout.expert,
        data_parallel=layout.replicas,
        memory=found.memory,
        max_concurrency=found.sequences if found.per_sequence else (workload.concurrency or 1),
        max_context_tokens=cache.largest_context(found.layers, found.available, sequences, search.room.model, found.step.tokens, longest)
        if shape.generates
        else (workload.context or 0),
        borderline=found.borderline,
        borderline_knob=_knob(search, found) if found.borderline else "",
        weights_dtype=search.held.dtype,
        launch=_launch(search, found),
        notes=tuple(notes),
        cache=described,
        step_tokens=found.step.tokens,
    )


def _longest(search: _Search) -> int:
    limits = [search.shape.longest or _NO_LIMIT]
    stated = search.target.stack.limits.get("max_context")
    if isinstance(stated, int | float):
        limits.append(int(stated))
    return min(limits)


def _knob(search: _Search, found: Fit) -> str:
    """Name what to turn first: the step where it is large, else the cache's share, else the context."""
    memory = search.room.model
    if found.step.tokens > memory.minimum_step_tokens and found.memory.activations > BORDERLINE * found.memory.usable:
        return "max_num_batched_tokens"
    if (
        memory.kv_cap_fraction is not None
        and found.available < found.memory.usable - found.memory.weights - found.memory.activations - found.memory.runtime
    ):
        return "cache cap"
    return "memory fraction" if found.memory.kv_cache < found.memory.weights else "context"


def _launch(search: _Search, found: Fit) -> str:
    stack, layout, workload, memory = search.target.stack, found.layout, search.workload, search.room.model
    values = {
        "model": search.inspection.id,
        "devices": str(layout.ranks * layout.replicas),
        "tensor_parallel": str(layout.tensor),
        "pipeline_parallel": str(layout.pipeline),
        "expert_parallel": str(layout.expert),
        "data_parallel": str(layout.replicas),
        "context": str(workload.context or 0),
        "concurrency": str(workload.concurrency or 1),
        "memory_fraction": f"{search.room.fraction:g}",
        "kv_dtype": _CACHE_NAMES.get(workload.kv_dtype or "auto", workload.kv_dtype or "auto"),
        "step_tokens": str(found.step.tokens),
        "step_sequences": str(found.step.sequences),
    }
    defaults = {
        "tensor_parallel": "1",
        "pipeline_parallel": "1",
        "expert_parallel": "1",
        "data_parallel": "1",
        "context": "0",
        "memory_fraction": f"{memory.fraction:g}",
        "kv_dtype": "auto",
        "step_tokens": str(memory.activation_tokens),
        "step_sequences": str(memory.step_sequences),
    }
    return command(stack.launch, values, defaults)


def _no_layout(search: _Search, asked: Constraints) -> NoPlacement:
    stack, shape, rules = search.target.stack, search.shape, search.rules
    allowed = [degree for degree in rules.tensor_parallel if divides(shape, rules, degree)]
    degrees = f"{stack.name} takes {', '.join(map(str, allowed))}" if allowed else f"{stack.name} has no degree that divides it"
    wish = (
        f"tensor parallelism of {asked.tensor_parallel}"
        if asked.tensor_parallel
        else f"{asked.devices} devices"
        if asked.devices
        else "any degree"
    )
    return NoPlacement(f"{shape.heads} heads over {shape.kv_heads} key/value heads do not divide over {wish}; {degrees}", known=True)


def _too_large(search: _Search, nearest: Fit, asked: Constraints) -> str:
    """Say by how much the nearest layout fails, and what of the workload would fit."""
    memory, ranks = nearest.memory, nearest.layout.ranks * nearest.layout.replicas
    where = f"each of {ranks} ranks" if ranks > 1 else "the one rank"
    if not asked.devices and not asked.tensor_parallel:
        where += " of the largest layout"
    if nearest.weights_ceiling is not None and memory.weights > nearest.weights_ceiling:
        ceiling = human_bytes(nearest.weights_ceiling)
        return f"weights take {human_bytes(memory.weights)} of {where}; the stack's ceiling is {ceiling}"
    fixed = memory.weights + memory.activations + memory.runtime
    if not search.shape.generates or nearest.available <= 0:
        return f"weights and activations need {human_bytes(fixed)} on {where}; {human_bytes(memory.usable)} can be used"
    context, sequences = search.workload.context or 1, search.workload.concurrency or 1
    longest = cache.largest_context(nearest.layers, nearest.available, sequences, search.room.model, nearest.step.tokens, context)
    margin = ", within five percent of the limit" if nearest.borderline else ""
    need, left = human_bytes(memory.kv_cache), human_bytes(nearest.available)
    return (
        f"the cache needs {need} on {where} and {left} is left for it{margin}: "
        f"{nearest.sequences} sequences of {context} tokens fit, or {sequences} of {longest}"
    )

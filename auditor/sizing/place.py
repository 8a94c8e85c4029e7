"""Finds the smallest placement of a model on a target, or answers for the one that was asked for."""

from collections.abc import Sequence
from dataclasses import replace

from auditor.catalog.model import Price, Target
from auditor.inspection.model import Inspection
from auditor.sizing import cache
from auditor.sizing.extras import extras
from auditor.sizing.fit import Fit, Room
from auditor.sizing.layout import divides, rank_memory
from auditor.sizing.model import Constraints, Layout, NoPlacement, Placement
from auditor.sizing.placement import placement_of
from auditor.sizing.search import Choice, Search, candidates, fitting, nearest
from auditor.sizing.shape import read_shape
from auditor.sizing.throughput import estimate
from auditor.sizing.weights import holding
from auditor.units import human_bytes
from auditor.workload import Workload


def place(
    inspection: Inspection,
    target: Target,
    workload: Workload,
    prices: Sequence[Price] = (),
    constraints: Constraints | None = None,
    term: str = "on-demand",
    draft: Inspection | None = None,
) -> Placement | NoPlacement:
    """Return the smallest placement that holds the model and the (resolved) workload, or why there is none.

    Smallest means fewest devices, then fewest machines, then the lowest price at ``term``. ``constraints`` fix devices, degree
    or memory fraction; of the layouts that use all of the devices given, the one that generates most is taken. ``draft`` is
    a draft model served beside it. A fact that is missing gives ``NoPlacement(known=False)`` with what would settle it.
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
    added = extras(inspection, target, workload, draft)
    if isinstance(added, NoPlacement):
        return added
    fraction = memory.fraction if asked.memory_fraction is None else asked.memory_fraction
    seen_bytes = rank_bytes - memory.driver_bytes
    search = Search(inspection, shape, held, Room(seen_bytes, fraction, memory, rules, added), workload, target, prices, term)
    tried = candidates(search, asked)
    if not tried:
        return _no_layout(search, asked)
    placed = _best(search, tried, asked)
    spread = isinstance(placed, Placement) and placed.layout.replicas > 1 and not asked.devices
    if memory.kv_cap_fraction is not None and (spread or isinstance(placed, NoPlacement)):
        # The cap on the cache is a default that a flag raises: without it the question is only what the memory holds.
        uncapped = replace(search, room=replace(search.room, model=replace(memory, kv_cap_fraction=None)))
        raised = _best(uncapped, tried, asked)
        if isinstance(raised, Placement) and (isinstance(placed, NoPlacement) or raised.devices < placed.devices):
            note = f"only with the cap on the cache raised above the stack's default of {memory.kv_cap_fraction:.0%} of the budget"
            return replace(raised, notes=(*raised.notes, note), cache_cap_raised=True)
    return placed


def _best(search: Search, tried: Sequence[Layout], asked: Constraints) -> Placement | NoPlacement:
    """Return the smallest placement, or of those on given devices the fastest."""
    found = fitting(search, tried, asked)
    if found:
        return _fastest(search, found) if asked.devices else placement_of(search, found[0])
    closest = nearest(search, tried)
    if closest.fits:
        return NoPlacement(f"no machine that is offered joins enough {search.target.accelerator.name} for this model", known=True)
    return NoPlacement(_too_large(search, closest, asked), known=True)


def _fastest(search: Search, fitting: Sequence[Choice]) -> Placement:
    """Return the placement that generates most on the devices that were given; the first where speed is not known."""
    placements = [placement_of(search, choice) for choice in fitting]
    speeds = [estimate(search.inspection, search.target, search.workload, placement) for placement in placements]
    rates = [speed.output_tokens_per_s.likely if speed else 0.0 for speed in speeds]
    return placements[rates.index(max(rates))]


def _unplaceable(target: Target) -> str:
    """Say why a target without a memory model or layouts has no placement."""
    if target.stack.hosted:
        return f"{target.accelerator.name}: served by its operator only"
    if target.accelerator.availability == "captive":
        return f"{target.accelerator.name}: nobody outside its owner places models on it"
    return f"{target.stack.name} publishes no memory model, so no placement is computed"


def _no_layout(search: Search, asked: Constraints) -> NoPlacement:
    stack, shape, rules = search.target.stack, search.shape, search.room.rules
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


def _too_large(search: Search, nearest: Fit, asked: Constraints) -> str:
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

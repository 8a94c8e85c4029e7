"""Turns a layout that fits into a placement: what it holds, what it is started with, and what to turn near a limit."""

from math import ceil

from auditor.sizing import cache
from auditor.sizing.extras import DEFAULT_RANK
from auditor.sizing.fit import BORDERLINE, Fit
from auditor.sizing.launch import command
from auditor.sizing.layout import ranks_per_device
from auditor.sizing.model import Layout, Placement
from auditor.sizing.search import Choice, Search

#: What engines call types of the cache.
_CACHE_NAMES = {"float8_e4m3fn": "fp8", "float8_e5m2": "fp8_e5m2"}
#: Context searched up to where a model states no limit.
_NO_LIMIT = 1 << 24


def placement_of(search: Search, choice: Choice) -> Placement:
    """Return what a choice is, in figures and words."""
    found, offer = choice.fit, choice.offer
    shape, workload, layout = search.shape, search.workload, found.layout
    longest = _longest(search)
    sequences = ceil((workload.concurrency or 1) / layout.sequence_shares)
    notes = [*([search.held.note] if search.held.note else []), *search.room.extras.notes]
    if choice.tuned:
        notes.append(
            f"only with a step of {found.step.tokens} tokens and {found.step.sequences} sequences: "
            f"the stack's defaults ({search.room.model.activation_tokens} and {search.room.model.step_sequences}) need more memory"
        )
    if offer.instance is None:
        notes.append("no machine with this accelerator is known to be offered")
    described = (
        cache.describe(search.room.extras.cache(shape), found.layers, workload.context or 1, search.room.model, found.step.tokens)
        if shape.generates
        else None
    )
    if layout.replicas > 1 and _copies_apart(search, layout):
        notes.append(f"{layout.replicas} copies: start the command once for each, on devices of its own")
    if described is not None and not described.reserved_per_token:
        notes.append("the cache does not grow with the context, so memory sets no limit to it")
    return Placement(
        devices=choice.devices,
        instance=offer.instance.name if offer.instance else "",
        provider=offer.instance.provider if offer.instance else "",
        instances=offer.instances,
        billed_devices=offer.billed_devices,
        layout=layout,
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


def _longest(search: Search) -> int:
    limits = [search.shape.longest or _NO_LIMIT]
    stated = search.target.stack.limits.get("max_context")
    if isinstance(stated, int | float):
        limits.append(int(stated))
    return min(limits)


def _knob(search: Search, found: Fit) -> str:
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


def _copies_apart(search: Search, layout: Layout) -> bool:
    """Return whether each copy is a server of its own.

    One server runs copies of a dense model on the devices of one host; data-parallel ranks of a model with experts share them.
    """
    host = max((instance.devices for instance in search.target.accelerator.instances), default=1)
    ranks = host * ranks_per_device(search.target.accelerator)
    return bool(search.shape.experts) or "{data_parallel}" not in search.target.stack.launch or layout.ranks * layout.replicas > ranks


def _launch(search: Search, found: Fit) -> str:
    stack, layout, workload, memory = search.target.stack, found.layout, search.workload, search.room.model
    values = {
        "model": search.inspection.id,
        "devices": str(layout.ranks * layout.replicas),
        "tensor_parallel": str(layout.tensor),
        "pipeline_parallel": str(layout.pipeline),
        "expert_parallel": str(layout.expert),
        "data_parallel": str(layout.groups if _copies_apart(search, layout) else layout.replicas),
        "group_ranks": str(layout.tensor * layout.groups),
        "context": str(workload.context or 0),
        "total_context": str((workload.context or 0) * (workload.concurrency or 1)),
        "concurrency": str(workload.concurrency or 1),
        "memory_fraction": f"{search.room.fraction:g}",
        "kv_dtype": _CACHE_NAMES.get(workload.kv_dtype or "auto", workload.kv_dtype or "auto"),
        "step_tokens": str(found.step.tokens),
        "step_sequences": str(found.step.sequences),
        "lora_adapters": str(search.room.extras.adapters),
        "lora_rank": str(search.room.extras.rank),
        "groups": str(layout.groups),
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
        "lora_adapters": "0",
        "lora_rank": str(DEFAULT_RANK),
        "groups": "1",
    }
    return command(stack.launch, values, defaults)

"""Layouts: how many ranks, how they are divided, and which divisions a model and a stack allow."""

from collections.abc import Iterator

from auditor.catalog.model import Accelerator, ParallelismRules
from auditor.sizing.model import Layout
from auditor.sizing.shape import Shape

#: Pipeline stages that are tried, beyond one.
STAGES = (2, 3, 4, 6, 8, 12, 16)


def ranks_per_device(accelerator: Accelerator) -> int:
    """Return how many ranks one device has."""
    return accelerator.partition.per_device if accelerator.partition else 1


def rank_memory(accelerator: Accelerator) -> int | None:
    """Return the bytes that one rank can address; None where the capacity is not known."""
    if accelerator.partition:
        return accelerator.partition.memory_bytes
    value = accelerator.memory_bytes.value
    return None if value is None else int(value)


def divides(shape: Shape, rules: ParallelismRules, degree: int) -> bool:
    """Return whether tensor parallelism of ``degree`` divides the model as the stack demands."""
    if degree == 1:
        return rules.minimum_tensor_parallel <= 1
    if shape.heads:
        if rules.heads_divisible and shape.heads % degree:
            return False
        if rules.heads_per_rank_even and shape.heads != degree and (shape.heads % degree or shape.heads // degree % 2):
            return False
        if not shape.latent and not _kv_heads_divide(shape.kv_heads, rules, degree):
            return False
    if rules.intermediate_divisible and shape.intermediate % degree and not shape.experts:
        return False
    if not rules.vocab_padded and shape.vocabulary % degree:
        return False
    return degree >= rules.minimum_tensor_parallel


def _kv_heads_divide(kv_heads: int, rules: ParallelismRules, degree: int) -> bool:
    if not kv_heads or not rules.heads_divisible or kv_heads % degree == 0:
        return True
    return rules.kv_heads_replicate and degree % kv_heads == 0


def layouts(shape: Shape, rules: ParallelismRules, *, domain: int | None, tensor: int | None, ranks: int | None) -> Iterator[Layout]:
    """Yield the layouts that model and stack allow, fewest ranks first; ``tensor`` and ``ranks`` fix what the user asks.

    ``domain`` is the number of ranks that the scale-up fabric joins: tensor parallelism stays within it, and layers
    are divided into pipeline stages beyond it.
    """
    largest = max(rules.tensor_parallel) if domain is None else domain
    degrees = [tensor] if tensor else [degree for degree in rules.tensor_parallel if degree <= largest]
    found: list[Layout] = []
    for degree in degrees:
        if not divides(shape, rules, degree):
            continue
        found.append(Layout(degree, expert=_expert_degree(shape, rules, degree)))
        found += _grouped(shape, rules, degree, largest)
        # Stages only where tensor parallelism cannot grow within the domain, or where the user fixes both figures.
        if rules.pipeline_parallel and (ranks or (degree == max(degrees) and rules.multi_node)):
            found += [
                Layout(degree, stages, _expert_degree(shape, rules, degree))
                for stages in STAGES
                if stages <= max(shape.layers, 1) and (ranks is None or degree * stages == ranks)
            ]
    # Of layouts with equally many ranks, the one with more tensor parallelism answers sooner.
    yield from sorted(
        (layout for layout in found if ranks is None or layout.ranks == ranks),
        key=lambda layout: (layout.ranks, layout.pipeline, layout.groups),
    )


def _grouped(shape: Shape, rules: ParallelismRules, degree: int, largest: int) -> list[Layout]:
    """Return layouts with data-parallel attention: where tensor parallelism would keep the same cache on several ranks."""
    cache_replicates = shape.latent or (shape.kv_heads and degree >= shape.kv_heads)
    limit = rules.attention_group_limit
    if limit is None or degree > limit or not (shape.experts and cache_replicates):
        return []
    found = []
    groups = 2
    while degree * groups <= min(largest, shape.experts):
        found.append(Layout(degree, expert=degree * groups, groups=groups))
        groups *= 2
    return found


def _expert_degree(shape: Shape, rules: ParallelismRules, degree: int) -> int:
    """Return 1 where every expert is sliced; the degree where slices would be narrower than the stack's kernels take."""
    if not shape.experts or not rules.expert_parallel or degree == 1:
        return 1
    narrowest = shape.expert_intermediate / degree
    return degree if rules.expert_slice_multiple > 1 and narrowest % rules.expert_slice_multiple else 1

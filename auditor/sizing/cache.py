"""Cache of one sequence: what the model needs, and what an engine reserves for it on one rank.

The three ways of reserving (``MemoryModel.windowed``):

``window``
    Each layer keeps what it needs, rounded up to whole blocks.
``full``
    The same, with windowed layers charged as if they had no window.
``grouped``
    vLLM's manager for models that mix kinds of layer: every layer of a block has pages of one size, layers of a kind
    are put into groups of equal length, and a sequence takes whole blocks of every group
    (vllm-project/vllm:vllm/v1/core/kv_cache_utils.py). A block of attention is made long enough that its page holds a
    recurrent state.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from auditor.catalog.model import MemoryModel
from auditor.inspection.model import LayerGroup, LayerKind
from auditor.sizing.model import Layout, SequenceCache

_UNBOUNDED = frozenset({LayerKind.FULL, LayerKind.LATENT, LayerKind.INDEXER})
_BOUNDED = frozenset({LayerKind.WINDOW, LayerKind.CHUNK})
_STATE = frozenset({LayerKind.RECURRENT, LayerKind.CONVOLUTION})
#: A grouped engine pads its groups to the longest kind where the kinds differ by less than this (vLLM, ``group_size``).
_PADDING_LIMIT = 1.5
#: Attention blocks grow in steps of this many tokens to hold a recurrent state.
_BLOCK_STEP = 16


@dataclass(frozen=True, slots=True)
class RankLayers:
    """Layers of one kind on one rank; bytes are those of one layer."""

    kind: LayerKind
    count: int
    per_token: float
    state: float
    window: int | None

    def tokens(self, context: int) -> int:
        """Tokens of a sequence that such a layer keeps."""
        return _kept(self.kind, self.window, context)


def logical_bytes(groups: Sequence[LayerGroup], context: int) -> float:
    """Return the bytes that one sequence of ``context`` tokens needs over the whole model."""
    return sum(group.bytes_per_sequence + group.bytes_per_token * _kept(group.kind, group.window, context) for group in groups)


def _kept(kind: LayerKind, window: int | None, context: int) -> int:
    """Return the tokens that one layer keeps: of cross attention the whole source, however long the answer is."""
    if window is None:
        return context
    return window if kind is LayerKind.CROSS else min(context, window)


def on_rank(groups: Sequence[LayerGroup], layout: Layout, memory: MemoryModel) -> tuple[RankLayers, ...]:
    """Return the cache of the fullest rank: heads divided by tensor parallelism, layers by pipeline stages.

    Heads replicate once there are fewer than ranks; a latent, which has no heads, replicates on every rank.
    """
    layers = []
    for group in groups:
        if not group.count or not (group.bytes_per_token or group.bytes_per_sequence):
            continue
        share = _share(group, layout.tensor) * _padding(group, memory.head_dim_multiple)
        layers.append(
            RankLayers(
                kind=group.kind,
                count=ceil(group.count / layout.pipeline),
                per_token=group.bytes_per_token / group.count * share,
                state=group.bytes_per_sequence / group.count * _share(group, layout.tensor),
                window=group.window,
            )
        )
    return tuple(layers)


def _share(group: LayerGroup, tensor: int) -> float:
    if group.kind in _STATE:
        return 1 / tensor
    if group.kv_heads is None:
        return 1.0
    return ceil(group.kv_heads / tensor) / group.kv_heads


def _padding(group: LayerGroup, multiple: int) -> float:
    if multiple == 1 or not group.key_dim or group.kv_heads is None:
        return 1.0
    widths = (group.key_dim, group.value_dim or group.key_dim)
    return sum(ceil(width / multiple) * multiple for width in widths) / sum(widths)


def reserved_bytes(layers: Sequence[RankLayers], context: int, memory: MemoryModel, step_tokens: int) -> int:
    """Return what the engine sets aside on one rank for one sequence of ``context`` tokens.

    ``step_tokens`` is the number of tokens of one forward step: windows are kept until a step is through.
    """
    if not layers:
        return 0
    if memory.windowed == "grouped" and not _uniform(layers):
        grouping = _grouped(layers, context, memory, step_tokens)
        return ceil(grouping.block_bytes * grouping.sequence_blocks)
    total = 0.0
    for layer in layers:
        kept = context if memory.windowed == "full" and layer.kind in _BOUNDED else layer.tokens(context)
        if memory.windowed == "grouped" and layer.kind in _BOUNDED and layer.window:
            kept = min(context, layer.window - 1 + step_tokens)
        total += layer.count * (layer.state + layer.per_token * _round_up(kept, memory.block_tokens))
    return ceil(total)


def _uniform(layers: Sequence[RankLayers]) -> bool:
    """Return whether all layers grow alike, so that one table of blocks serves them all."""
    return all(layer.kind in _UNBOUNDED for layer in layers) or len({(layer.kind, layer.window, layer.per_token) for layer in layers}) == 1


@dataclass(frozen=True, slots=True)
class _Grouping:
    """Pages of one size, shared by all kinds of layer."""

    block_bytes: float
    """One block: the pages of as many layers as a group has."""
    sequence_blocks: int
    """Blocks that one sequence takes, over all groups."""


def _grouped(layers: Sequence[RankLayers], context: int, memory: MemoryModel, step_tokens: int) -> _Grouping:
    attention = [layer for layer in layers if layer.per_token]
    states = _merged_states(layers)
    widest = max((layer.per_token for layer in attention), default=0.0)
    block = memory.block_tokens
    if states and widest:
        block = max(block, _round_up(ceil(states[1] / widest), _BLOCK_STEP))
    page = max(block * widest, states[1] if states else 0.0)
    # Blocks of each kind that one sequence takes, with the number of layers of the kind.
    kinds = [(layer.count, _blocks(layer, context, page, step_tokens)) for layer in attention]
    if states:
        kinds.append((states[0], memory.state_blocks))
    counts = [count for count, _ in kinds]
    size = max(counts) if max(counts) < min(counts) * _PADDING_LIMIT else min(counts)
    return _Grouping(size * page, sum(ceil(count / size) * taken for count, taken in kinds))


def state_slots(layers: Sequence[RankLayers], available: float, memory: MemoryModel, step_tokens: int) -> int | None:
    """Return how many sequences can hold a recurrent state at once, however short; None where nothing limits them.

    A ``grouped`` engine gives each a block of the pool, and refuses to start with a larger batch (vLLM,
    ``max_num_seqs exceeds available Mamba cache blocks``).
    """
    if memory.windowed != "grouped" or not any(layer.kind in _STATE for layer in layers):
        return None
    return int(max(available, 0) // _grouped(layers, 1, memory, step_tokens).block_bytes)


def _merged_states(layers: Sequence[RankLayers]) -> tuple[int, float] | None:
    """Return the recurrent layers and the bytes of one's state: a layer's recurrence and its convolution share a page."""
    states = [layer for layer in layers if layer.kind in _STATE]
    if not states:
        return None
    count = max(layer.count for layer in states)
    return count, sum(layer.state * layer.count for layer in states) / count


def _blocks(layer: RankLayers, context: int, page: float, step_tokens: int) -> int:
    block = int(page // layer.per_token)
    if not layer.window:
        return ceil(context / block)
    kept = layer.window if layer.kind is LayerKind.CROSS else min(context, layer.window - 1 + step_tokens)
    # A window need not begin at a block's edge: one block more.
    return ceil(kept / block) + (1 if layer.kind is LayerKind.WINDOW else 0)


def describe(
    groups: Sequence[LayerGroup], layers: Sequence[RankLayers], context: int, memory: MemoryModel, step_tokens: int
) -> SequenceCache:
    """Return the cache of one sequence, logical and reserved, with the reserved part's slope and fixed share."""
    reserved = reserved_bytes(layers, context, memory, step_tokens)
    slope = sum(
        layer.count * layer.per_token for layer in layers if layer.kind in _UNBOUNDED or (memory.windowed == "full" and layer.per_token)
    )
    return SequenceCache(
        logical=ceil(logical_bytes(groups, context)),
        reserved=reserved,
        reserved_fixed=max(0, ceil(reserved - slope * context)),
        reserved_per_token=slope,
    )


def largest_context(
    layers: Sequence[RankLayers], available: float, sequences: int, memory: MemoryModel, step_tokens: int, longest: int
) -> int:
    """Return the largest context, up to ``longest`` tokens, at which ``sequences`` sequences fit into ``available`` bytes."""
    low, high = 0, longest
    while low < high:
        middle = (low + high + 1) // 2
        if sequences * reserved_bytes(layers, middle, memory, step_tokens) <= available:
            low = middle
        else:
            high = middle - 1
    return low


def _round_up(value: int, multiple: int) -> int:
    return ceil(value / multiple) * multiple

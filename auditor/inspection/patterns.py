"""What kind each layer is, read from whatever key a config uses to say so.

Layer kinds are spelled as transformers spells its ``layer_types`` (``full_attention``, ``sliding_attention``, …), plus ``none``
for a layer without a mixer and ``cross_attention`` for one that only looks at another sequence. Each reader below knows one key;
the order of ``_READERS`` is the order of trust: an explicit list before an interval, an interval before a class's own pattern.
"""

from collections.abc import Callable

from auditor.facts import Basis
from auditor.inspection.config import ModelConfig

FULL = "full_attention"
WINDOW = "sliding_attention"
CHUNK = "chunked_attention"
INDEXED = "indexed_attention"
RECURRENT = "linear_attention"
HYBRID = "hybrid"
CONVOLUTION = "conv"
CROSS = "cross_attention"
NONE = "none"
MOE = "moe"
MLP = "mlp"
"""A layer that is nothing but its feed-forward part."""
UNSTATED = "unstated"
"""The class has a fixed list for another number of layers, and the config gives none: nobody knows."""
SPARSE = "sparse"
DENSE = "dense"

#: Spellings found in published configs -> the kind they mean.
_SPELLINGS: dict[str, str] = {
    "attention": FULL,
    "full": FULL,
    "global": FULL,
    "global_attention": FULL,
    "attn": FULL,
    "softmax_attention": FULL,
    "sliding": WINDOW,
    "sliding_window": WINDOW,
    "sliding_window_attention": WINDOW,
    "window": WINDOW,
    "swa": WINDOW,
    "local": WINDOW,
    "local_attention": WINDOW,
    "chunked": CHUNK,
    "deepseek_sparse_attention": INDEXED,
    "qwen_sparse_attention": INDEXED,
    "sparse_attention": INDEXED,
    "mamba": RECURRENT,
    "mamba2": RECURRENT,
    "linear": RECURRENT,
    "recurrent": RECURRENT,
    "gated_deltanet": RECURRENT,
    "kda": RECURRENT,
    "lightning_attention": RECURRENT,
    "short_conv": CONVOLUTION,
    "convolution": CONVOLUTION,
    "dense": MLP,
}

#: Letters of ``hybrid_override_pattern``.
_LETTERS = {"M": RECURRENT, "*": FULL, "-": MLP, "E": MOE, "W": WINDOW}

Kinds = tuple[str, ...]
Reader = Callable[[ModelConfig, int], Kinds | None]


def layer_kinds(config: ModelConfig, count: int) -> tuple[Kinds, Basis] | None:
    """Return the kind of each of ``count`` layers with its basis; None where nothing says that layers differ.

    A list of the wrong length is cut where it is longer (some publishers append their MTP layers) and not used where it is shorter.
    """
    for reader in _READERS:
        kinds = reader(config, count)
        if kinds is not None and len(kinds) >= count:
            return kinds[:count], Basis.CONFIG
    for key in ("layer_types", "layers_block_type"):
        own = config.pattern(key, count)
        if own is None and config.has_pattern(key):
            return (UNSTATED,) * count, Basis.CLASS_DEFAULT
        if own is not None:
            return tuple(_SPELLINGS.get(kind, kind) for kind in own), Basis.CLASS_DEFAULT
    return None


def listed_count(config: ModelConfig) -> int | None:
    """Return the number of layers that a list of kinds implies, for a config that does not count them."""
    kinds = _listed(config, 0)
    pattern = config.raw.get("hybrid_override_pattern")
    if kinds is None and isinstance(pattern, str):
        return len(pattern.replace("|", "")) or None
    return len(kinds) if kinds is not None else None


def _listed(config: ModelConfig, _count: int) -> Kinds | None:
    for key in ("layer_types", "layers_block_type", "layer_type_list", "block_types_list", "attention_layers"):
        words = _words(config.raw.get(key))
        if words:
            return tuple(_SPELLINGS.get(word, word) for word in words)
    return None


def _words(value: object) -> list[str] | None:
    """Return a list of strings; None for anything else."""
    if not isinstance(value, list):
        return None
    words = [item for item in value if isinstance(item, str)]
    return words if len(words) == len(value) else None


def numbers(value: object) -> set[int] | None:
    """Return a list of layer numbers as a set; None for anything else."""
    return {item for item in value if isinstance(item, int)} if isinstance(value, list) else None


def _grouped(config: ModelConfig, count: int) -> Kinds | None:
    """Read GPT-Neo's list of (cycle, repetitions)."""
    groups = config.get("attention_types")
    kinds: list[str] = []
    for group in groups if isinstance(groups, list) else ():
        cycle, times = group if isinstance(group, list) and len(group) == 2 else (None, None)
        words = _words(cycle)
        if words is None or not isinstance(times, int) or not 0 <= times <= count:
            return None
        kinds += words * times
    return tuple(_SPELLINGS.get(word, word) for word in kinds) or None


def _lettered(config: ModelConfig, count: int) -> Kinds | None:
    pattern = config.raw.get("hybrid_override_pattern")
    if not isinstance(pattern, str) or not pattern:
        return None
    kinds = tuple(_LETTERS.get(letter, letter) for letter in pattern if letter != "|")
    return kinds if len(kinds) == count else None


def _block_cycle(config: ModelConfig, count: int) -> Kinds | None:
    cycle = _words(config.get("block_types", "_block_types"))
    if not cycle:
        return None
    # The attention of these blocks is local: the config gives one window for all of them.
    kind = WINDOW if config.get("attention_window_size") else FULL
    words = [kind if item in ("attention", "attn") else _SPELLINGS.get(item, item) for item in cycle]
    return tuple(words[i % len(words)] for i in range(count))


def _flagged(key: str, off: str, on: str) -> Reader:
    """Return a reader of a list of 0 and 1 under ``key``."""

    def read(config: ModelConfig, _count: int) -> Kinds | None:
        value = config.raw.get(key)
        if not isinstance(value, list) or not value or not all(item in (0, 1) for item in value):
            return None
        return tuple(on if item else off for item in value)

    return read


def _linear_attention_lists(config: ModelConfig, count: int) -> Kinds | None:
    """Read two lists of layer numbers, counted from 1."""
    table = config.raw.get("linear_attn_config")
    full = numbers(table.get("full_attn_layers")) if isinstance(table, dict) else None
    if full is None:
        return None
    return tuple(FULL if number in full else RECURRENT for number in range(1, count + 1))


def _every(key: str, others: str) -> Reader:
    """Return a reader of an interval: each ``n``-th layer attends in full, the others are ``others``."""

    def read(config: ModelConfig, count: int) -> Kinds | None:
        interval = config.raw.get(key)
        if not isinstance(interval, int) or isinstance(interval, bool) or interval < 1:
            return None
        return tuple(others if (i + 1) % interval else FULL for i in range(count))

    return read


def _attention_period(config: ModelConfig, count: int) -> Kinds | None:
    """Read Jamba's period and offset, stated or default."""
    period, offset = config.get("attn_layer_period"), config.get("attn_layer_offset")
    if not isinstance(period, int) or not isinstance(offset, int) or period < 1 or config.get("hybrid_layer_ids") is not None:
        return None
    if config.pattern("layers_block_type", count) is not None:
        return None
    return tuple(FULL if i % period == offset else RECURRENT for i in range(count))


def _attention_indices(config: ModelConfig, count: int) -> Kinds | None:
    """Read a list of the layers that attend; what the others do depends on the family."""
    for key, others in (("attn_layer_indices", RECURRENT), ("full_attn_idxs", CONVOLUTION), ("attn_layer_idx", RECURRENT)):
        chosen = numbers(config.raw.get(key))
        if chosen is not None:
            return tuple(FULL if i in chosen else others for i in range(count))
    return None


def _hybrid_ids(config: ModelConfig, count: int) -> Kinds | None:
    chosen = numbers(config.raw.get("hybrid_layer_ids"))
    if chosen is None:
        return None
    return tuple(HYBRID if i in chosen else RECURRENT for i in range(count))


def _mixed_in(config: ModelConfig, count: int) -> Kinds | None:
    """Read flash-linear-attention's table of attention layers; their heads are in the table, and no law is taught for them."""
    table = config.raw.get("attn")
    chosen = numbers(table.get("layers")) if isinstance(table, dict) else None
    return tuple("mixed-in attention" if i in chosen else RECURRENT for i in range(count)) if chosen else None


def _sliding_pattern(config: ModelConfig, count: int) -> Kinds | None:
    """Read ``sliding_window_pattern``: an interval, or a cycle of L (local) and G (global)."""
    pattern = config.raw.get("sliding_window_pattern", config.raw.get("_sliding_window_pattern"))
    if config.raw.get("sliding_window", 0) is None:
        return (FULL,) * count if pattern is not None else None
    if isinstance(pattern, str) and pattern and set(pattern) <= {"L", "G"}:
        kinds = [FULL if pattern[i % len(pattern)] == "G" else WINDOW for i in range(count)]
        kinds[-1] = FULL
        return tuple(kinds)
    if isinstance(pattern, int) and not isinstance(pattern, bool) and pattern > 0:
        return tuple(WINDOW if (i + 1) % pattern else FULL for i in range(count))
    return None


def _every_nth_from_zero(config: ModelConfig, count: int) -> Kinds | None:
    interval = config.raw.get("global_attn_every_n_layers")
    if not isinstance(interval, int) or interval < 1:
        return None
    own = config.pattern("layer_types", 1)
    offset = 1 if own is not None and own[0] == WINDOW else 0
    return tuple(WINDOW if (i + offset) % interval else FULL for i in range(count))


def _rope_flags(config: ModelConfig, count: int) -> Kinds | None:
    """Read Llama 4's pattern: layers with rotary positions are chunked, those without see everything."""
    if not config.get("attention_chunk_size"):
        return None
    flags = config.raw.get("no_rope_layers")
    if isinstance(flags, list) and len(flags) >= count:
        return tuple(CHUNK if flag else FULL for flag in flags)
    interval = config.get("no_rope_layer_interval", "nope_layer_interval")
    if not isinstance(interval, int) or interval < 1 or config.raw.get("hybrid_layer_pattern") is not None:
        return None
    return tuple(CHUNK if (i + 1) % interval else FULL for i in range(count))


def _cross_layers(config: ModelConfig, count: int) -> Kinds | None:
    chosen = numbers(config.get("cross_attention_layers"))
    if chosen is None:
        return None
    return tuple(CROSS if i in chosen else FULL for i in range(count))


def _upper_windows(config: ModelConfig, count: int) -> Kinds | None:
    """Read Qwen2's switch: off by default; on, the layers from ``max_window_layers`` upwards slide."""
    if not config.states("use_sliding_window"):
        return None
    lowest = config.get("max_window_layers")
    if config.raw["use_sliding_window"] is not True or not config.get("sliding_window"):
        return (FULL,) * count
    if not isinstance(lowest, int):
        return None
    return tuple(WINDOW if i >= lowest else FULL for i in range(count))


def _compression(config: ModelConfig, _count: int) -> Kinds | None:
    """Read DeepSeek V4's ratios: 0 slides only, a small ratio is compressed and indexed, a large one heavily compressed."""
    ratios = config.raw.get("compress_ratios")
    if not isinstance(ratios, list) or not all(isinstance(item, int) for item in ratios):
        return None
    return tuple(f"compressed:{ratio}" if ratio else "shared_window" for ratio in ratios)


def _sparse_frequency(config: ModelConfig, _count: int) -> Kinds | None:
    table = config.raw.get("sparse_attention_config")
    flags = table.get("sparse_attention_freq") if isinstance(table, dict) else None
    if not isinstance(flags, list):
        return None
    return tuple("minimax_m3_sparse" if flag else FULL for flag in flags)


_READERS: tuple[Reader, ...] = (
    _listed,
    _grouped,
    _lettered,
    _compression,
    _flagged("hybrid_layer_pattern", FULL, WINDOW),
    _flagged("attn_type_list", RECURRENT, FULL),
    _linear_attention_lists,
    _sparse_frequency,
    _block_cycle,
    _attention_indices,
    _hybrid_ids,
    _every("full_attention_interval", RECURRENT),
    _every("layer_group_size", RECURRENT),
    _attention_period,
    _mixed_in,
    _sliding_pattern,
    _every_nth_from_zero,
    _rope_flags,
    _cross_layers,
    _upper_windows,
)


def indexer_modes(config: ModelConfig, count: int) -> Kinds | None:
    """Return ``full`` or ``shared`` for each layer's indexer, or None where nothing distinguishes them.

    A listed mode, a string of F and S, or an interval after an offset; the interval's rule is GLM-5's.
    """
    listed = config.raw.get("indexer_types")
    if isinstance(listed, list) and len(listed) >= count:
        return tuple(listed[:count])
    letters = config.raw.get("index_topk_pattern")
    if isinstance(letters, str) and len(letters) >= count:
        return tuple("shared" if letter == "S" else "full" for letter in letters[:count])
    interval = config.raw.get("index_topk_freq")
    if isinstance(interval, int) and not isinstance(interval, bool) and interval > 1:
        offset = config.raw.get("index_skip_topk_offset", 2)
        offset = offset if isinstance(offset, int) else 2
        return tuple("full" if max(i - offset + 1, 0) % interval == 0 else "shared" for i in range(count))
    return config.pattern("indexer_types", count)

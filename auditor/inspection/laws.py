"""The cache law of each kind of layer: what it remembers per token and per sequence, in elements."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from auditor.inspection import patterns
from auditor.inspection.anatomy import Mixer, State
from auditor.inspection.architectures import Family
from auditor.inspection.config import ModelConfig
from auditor.inspection.model import LayerKind
from auditor.inspection.recurrences import FLOAT32, recurrence_of
from auditor.inspection.shape import Shape, latent_rank


@dataclass(frozen=True, slots=True)
class LawError(Exception):
    """A layer's cache could not be computed: what is missing."""

    reason: str


def mixers_of(kind: str, config: ModelConfig, shape: Shape, family: Family) -> tuple[Mixer, ...]:
    """Return the mixers of a layer of ``kind`` (spelled as in ``patterns``).

    Raises LawError when a key that the law needs is missing or the kind is unknown.
    """
    word, _, argument = kind.partition(":")
    word = family.kinds.get(word, word)
    law = _LAWS.get(word)
    if law is None:
        raise LawError(f"layer kind {word!r} is not known")
    return law(config, shape, family, argument)


def _need(value: int | None, what: str) -> int:
    if value is None:
        raise LawError(f"{what} is not known")
    return value


def _heads(config: ModelConfig, shape: Shape, prefix: str) -> Shape:
    """Return the shape with the overrides that some models state for one kind of layer (``swa_head_dim``, ``global_head_dim``)."""
    changes: dict[str, int] = {}
    for field, keys in _OVERRIDES[prefix].items():
        value = next((config.positive(key) for key in keys if config.get(key) is not None), None)
        if value is not None:
            changes[field] = value
    if "head_dim" in changes and "value_dim" not in changes and shape.value_dim == shape.head_dim:
        changes["value_dim"] = changes["head_dim"]
    return Shape(
        shape.hidden,
        changes.get("heads", shape.heads),
        changes.get("kv_heads", shape.kv_heads),
        changes.get("head_dim", shape.head_dim),
        changes.get("value_dim", shape.value_dim),
    )


_OVERRIDES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "window": {
        "heads": ("swa_num_attention_heads", "num_sliding_attention_heads"),
        "kv_heads": ("swa_num_key_value_heads",),
        "head_dim": ("swa_head_dim",),
        "value_dim": ("swa_v_head_dim",),
    },
    "full": {
        "kv_heads": ("num_global_key_value_heads",),
        "head_dim": ("global_head_dim",),
    },
}


def _attention(config: ModelConfig, shape: Shape, kind: LayerKind, window: int | None = None) -> Mixer:
    """One key and one value per key/value head; for latent attention one compressed vector and one rotary key."""
    rank = latent_rank(config)
    if rank is not None and kind is LayerKind.WINDOW and config.get("swa_kv_lora_rank") is not None:
        rank = config.positive("swa_kv_lora_rank")
    if rank is not None:
        width = rank + (config.integer("qk_rope_head_dim") or 0)
        latent = LayerKind.LATENT if kind is LayerKind.FULL else kind
        return Mixer(latent, heads=shape.heads, key_dim=width, value_dim=0, window=window, elements_per_token=width)
    kv_heads = _need(shape.kv_heads, "the number of key/value heads")
    key_dim, value_dim = _need(shape.head_dim, "the width of a head"), _need(shape.value_dim, "the width of a value head")
    return Mixer(kind, shape.heads, kv_heads, key_dim, value_dim, window, elements_per_token=kv_heads * (key_dim + value_dim))


#: The window of the sliding layers.
WINDOW = ("sliding_window", "sliding_window_size", "attention_window_size", "window_size", "local_attention", "sliding_window_length")


def window_of(config: ModelConfig) -> int | None:
    """Return the window of the sliding layers."""
    value = config.get(*WINDOW)
    return config.positive(*WINDOW) if value is not None and not isinstance(value, list) else None


def _full(config: ModelConfig, shape: Shape, _family: Family, _argument: str) -> tuple[Mixer, ...]:
    return (_attention(config, _heads(config, shape, "full"), LayerKind.FULL),)


def _window(config: ModelConfig, shape: Shape, family: Family, argument: str) -> tuple[Mixer, ...]:
    window = int(argument) if argument else _need(window_of(config), "the sliding window") // family.window_divisor
    return (_attention(config, _heads(config, shape, "window"), LayerKind.WINDOW, window),)


def _chunk(config: ModelConfig, shape: Shape, _family: Family, _argument: str) -> tuple[Mixer, ...]:
    size = _need(config.positive("attention_chunk_size"), "attention_chunk_size")
    return (_attention(config, shape, LayerKind.CHUNK, size),)


def _indexed(config: ModelConfig, shape: Shape, family: Family, argument: str) -> tuple[Mixer, ...]:
    """Full attention that selects tokens by an indexer, which keeps one key of its own unless it reuses another layer's choice."""
    attention = _full(config, shape, family, "")
    if argument == "shared":
        return attention
    table = config.raw.get("sparse_attention_config")
    width = table.get("sparse_index_dim") if isinstance(table, dict) else None
    width = width if isinstance(width, int) else config.positive("index_head_dim", "indexer_head_dim")
    width = _need(width, "index_head_dim")
    ratio = config.get("indexer_compress_ratio")
    per_token = width / ratio if isinstance(ratio, int) and ratio > 0 else width
    return (*attention, Mixer(LayerKind.INDEXER, key_dim=width, value_dim=0, elements_per_token=per_token))


def _compressed(config: ModelConfig, shape: Shape, _family: Family, argument: str) -> tuple[Mixer, ...]:
    """One entry per ``ratio`` tokens, key and value in one, beside a window of uncompressed ones; small ratios are indexed."""
    ratio = int(argument)
    width = _need(shape.head_dim, "the width of a head")
    entry = Mixer(LayerKind.LATENT, shape.heads, None, width, 0, elements_per_token=width / ratio, detail=f"one entry per {ratio} tokens")
    mixers = (_shared_window(config, shape), entry)
    if ratio > _INDEXED_UP_TO:
        return mixers
    index = _need(config.positive("index_head_dim"), "index_head_dim")
    detail = f"one key per {ratio} tokens"
    return (*mixers, Mixer(LayerKind.INDEXER, key_dim=index, value_dim=0, elements_per_token=index / ratio, detail=detail))


#: DeepSeek V4 compresses by 4 with an indexer and by 128 without.
_INDEXED_UP_TO = 16


def _shared_window(config: ModelConfig, shape: Shape) -> Mixer:
    """A window whose keys are its values."""
    width = _need(shape.head_dim, "the width of a head")
    window = _need(window_of(config), "the sliding window")
    return Mixer(LayerKind.WINDOW, shape.heads, None, width, 0, window, elements_per_token=width, detail="keys are values")


def _named_compression(default: int) -> "Law":
    def law(config: ModelConfig, shape: Shape, family: Family, _argument: str) -> tuple[Mixer, ...]:
        return _compressed(config, shape, family, str(default))

    return law


def _recurrent(config: ModelConfig, _shape: Shape, family: Family, _argument: str) -> tuple[Mixer, ...]:
    recurrence = recurrence_of(config, family.recurrence)
    states = recurrence.states(config) if recurrence is not None else None
    if recurrence is None or states is None:
        raise LawError("the state of the recurrent layers is not stated in keys that auditor knows")
    kind = LayerKind.CONVOLUTION if recurrence.convolution_only else LayerKind.RECURRENT
    return (Mixer(kind, states=states, recurrence=recurrence.name),)


def _convolution(config: ModelConfig, _shape: Shape, _family: Family, _argument: str) -> tuple[Mixer, ...]:
    recurrence = recurrence_of(config, "short-conv")
    states = recurrence.states(config) if recurrence is not None else None
    if states is None:
        raise LawError("the width of the convolution is not known")
    return (Mixer(LayerKind.CONVOLUTION, states=states, recurrence="short-conv"),)


def _hybrid(config: ModelConfig, shape: Shape, family: Family, argument: str) -> tuple[Mixer, ...]:
    return (*_full(config, shape, family, argument), *_recurrent(config, shape, family, argument))


def _hybrid_window(config: ModelConfig, shape: Shape, family: Family, argument: str) -> tuple[Mixer, ...]:
    return (*_window(config, shape, family, argument), *_recurrent(config, shape, family, argument))


def _convolved(config: ModelConfig, shape: Shape, family: Family, argument: str) -> tuple[Mixer, ...]:
    """Full attention with short convolutions on keys, values, attention output and feed-forward output."""
    return _with_convolutions(config, _full(config, shape, family, argument)[0])


def _convolved_window(config: ModelConfig, shape: Shape, family: Family, argument: str) -> tuple[Mixer, ...]:
    return _with_convolutions(config, _window(config, shape, family, argument)[0])


def _with_convolutions(config: ModelConfig, attention: Mixer) -> tuple[Mixer, ...]:
    width = _need(config.positive("conv_kernel_size", "sconv_kernel_size"), "the width of the convolutions")
    hidden = _need(config.positive("hidden_size"), "the hidden size")
    keys = _need(attention.kv_heads, "the number of key/value heads") * _need(attention.key_dim, "the width of a head")
    state = State(2 * (keys + hidden) * (width - 1), FLOAT32)
    return (attention, Mixer(LayerKind.CONVOLUTION, states=(state,), recurrence="short-conv"))


def _cross(config: ModelConfig, shape: Shape, _family: Family, _argument: str) -> tuple[Mixer, ...]:
    """Keys and values of another sequence (an encoder's output, an image), kept once; its longest length where the config states one."""
    longest = config.positive("max_source_positions") if config.get("max_source_positions") is not None else None
    return (replace(_attention(config, shape, LayerKind.FULL), kind=LayerKind.CROSS, window=longest),)


def _decoder_with_cross(config: ModelConfig, shape: Shape, family: Family, argument: str) -> tuple[Mixer, ...]:
    return (*_full(config, shape, family, argument), *_cross(config, shape, family, argument))


def _shared(_config: ModelConfig, shape: Shape, _family: Family, _argument: str) -> tuple[Mixer, ...]:
    return (Mixer(LayerKind.SHARED, heads=shape.heads),)


def _nothing(_config: ModelConfig, _shape: Shape, _family: Family, _argument: str) -> tuple[Mixer, ...]:
    return (Mixer(LayerKind.NONE),)


Law = Callable[[ModelConfig, Shape, Family, str], tuple[Mixer, ...]]

SHARED = "shared"
DECODER_WITH_CROSS = "decoder_with_cross"

#: Kind of layer -> its law. A new kind of layer is one function and one line here.
_LAWS: dict[str, Law] = {
    patterns.FULL: _full,
    patterns.WINDOW: _window,
    "reference_sliding_attention": _full,
    patterns.CHUNK: _chunk,
    patterns.INDEXED: _indexed,
    "minimax_m3_sparse": _indexed,
    "compressed": _compressed,
    "compressed_sparse_attention": _named_compression(4),
    "heavily_compressed_attention": _named_compression(128),
    "shared_window": lambda config, shape, _family, _argument: (_shared_window(config, shape),),
    patterns.RECURRENT: _recurrent,
    patterns.CONVOLUTION: _convolution,
    patterns.HYBRID: _hybrid,
    "hybrid_sliding": _hybrid_window,
    "convolved": _convolved,
    "convolved_window": _convolved_window,
    patterns.CROSS: _cross,
    DECODER_WITH_CROSS: _decoder_with_cross,
    SHARED: _shared,
    patterns.NONE: _nothing,
    patterns.MOE: _nothing,
    patterns.MLP: _nothing,
}

"""The layers of a language model: kinds from the patterns, mixers from the laws, what follows each mixer."""

from dataclasses import dataclass, replace

from auditor.facts import Unknown
from auditor.inspection import patterns
from auditor.inspection.anatomy import Experts, FeedForward, Layer
from auditor.inspection.architectures import Family
from auditor.inspection.config import LARGEST, ModelConfig
from auditor.inspection.expert_patterns import feed_forward_kinds
from auditor.inspection.laws import DECODER_WITH_CROSS, SHARED, LawError, mixers_of, window_of
from auditor.inspection.shape import CONTEXT, INTERMEDIATE, LAYERS, VOCABULARY, Shape, names, read_shape
from auditor.inspection.tasks import ENCODER_TASKS

DECODER_LAYERS = ("decoder_layers", "num_decoder_layers", "decoder_num_hidden_layers")
ENCODER_LAYERS = ("encoder_layers", "num_encoder_layers", "num_layers", "num_hidden_layers")


#: Layers of the deepest model that we are willing to lay out.
DEEPEST = 10_000


@dataclass(frozen=True, slots=True)
class Figures:
    """Numbers of the language model that several steps need."""

    shape: Shape
    count: int | None
    encoder_layers: int | None
    intermediate_size: int | None
    vocab_size: int | None
    max_context: int | None
    encoder_decoder: bool

    @classmethod
    def of(cls, config: ModelConfig, text: ModelConfig, family: Family, task: str) -> "Figures":
        """Return the figures of ``text``, the language model's part of ``config``; of an encoder-decoder model, those of its decoder."""
        encoder_decoder = text.get("is_encoder_decoder") is True or config.get("is_encoder_decoder") is True
        shape = read_shape(text, family)
        keys = names(family, LAYERS)
        # A wrong count is unknown; only where there is none may a list of kinds, then the class, say how many layers there are.
        count = None if text.states(*keys) else patterns.listed_count(text)
        count = count if count is not None else count_of(text, *keys, maximum=DEEPEST)
        encoder_layers = None
        if encoder_decoder and task not in ENCODER_TASKS:
            heads = count_of(text, "decoder_attention_heads")
            if heads is not None:
                kv_heads = heads if shape.kv_heads in (shape.heads, None) else shape.kv_heads
                width = shape.head_dim if text.states("d_kv", "head_dim") or shape.hidden is None else shape.hidden // heads
                shape = replace(shape, heads=heads, kv_heads=kv_heads, head_dim=width, value_dim=width)
            encoder_layers = count_of(text, *ENCODER_LAYERS)
            count = count_of(text, *DECODER_LAYERS, maximum=DEEPEST) or count
        intermediate = None
        if text.get(*INTERMEDIATE) is not None and not isinstance(text.get(*INTERMEDIATE), list):
            intermediate = text.positive(*INTERMEDIATE)
        return cls(
            shape,
            count,
            encoder_layers,
            intermediate,
            text.positive(*names(family, VOCABULARY)) or (config.positive("vocab_size") if config is not text else None),
            text.positive(*names(family, CONTEXT)),
            encoder_decoder,
        )


def count_of(config: ModelConfig, *keys: str, minimum: int = 1, maximum: int = LARGEST) -> int | None:
    """Return the integer under ``keys``; None where there is none, or a list."""
    value = config.get(*keys)
    if isinstance(value, list):
        return None
    return config.integer(*keys, minimum=minimum, maximum=maximum) if value is not None else None


def read_layers(
    text: ModelConfig, family: Family, figures: Figures, experts: Experts | None, *, remembers: bool
) -> tuple[tuple[Layer, ...], tuple[tuple[str, Unknown], ...]]:
    """Return the layers, and the facts that stay unknown where a layer's law lacks something."""
    count = figures.count
    if count is None:
        return (), _unknown_layers(text)
    try:
        blocks = _block_configs(text, figures, count)
    except LawError as error:
        return (), _unknown_layers(text, error.reason)
    if blocks is not None:
        return blocks, ()
    if family.open:
        return (), _unknown_layers(text, family.open)
    kinds = _kinds(text, family, figures, count) if remembers else (patterns.NONE,) * count
    if patterns.UNSTATED in kinds:
        return (), _unknown_layers(
            text, f"{text.path} does not state the kinds of its layers, and its class has no rule for {count} of them"
        )
    widths = _per_layer_heads(text, count)
    feed_forward = feed_forward_kinds(text, count) if experts is not None else (patterns.DENSE,) * count
    single = any(kind in (patterns.MOE, patterns.MLP) for kind in kinds)
    made: dict[tuple[str, str, int | None], Layer] = {}
    layers = []
    try:
        for kind, forward, kv_heads in zip(kinds, feed_forward, widths, strict=True):
            key = (kind, forward, kv_heads)
            if key not in made:
                shape = figures.shape if kv_heads is None else replace(figures.shape, kv_heads=kv_heads)
                mixers = mixers_of(kind, text, shape, family) * family.caches_per_layer
                made[key] = Layer(mixers, _forward(kind, forward, single=single, experts=experts), figures.intermediate_size)
            layers.append(made[key])
    except LawError as error:
        return (), _unknown_layers(text, error.reason)
    return tuple(layers), ()


def _kinds(text: ModelConfig, family: Family, figures: Figures, count: int) -> tuple[str, ...]:
    if figures.encoder_decoder:
        return (DECODER_WITH_CROSS,) * count
    found = patterns.layer_kinds(text, count)
    kinds = found[0] if found is not None else (_only_kind(text, family, figures),) * count
    window = window_of(text) if patterns.WINDOW in kinds else None
    if window is not None and figures.max_context is not None and window >= figures.max_context:
        kinds = tuple(patterns.FULL if kind == patterns.WINDOW else kind for kind in kinds)
    kinds = _with_indexers(text, kinds, count)
    factor = text.get("cla_share_factor")
    if text.raw.get("use_cla") is True and isinstance(factor, int) and factor > 1:
        # Cross-layer attention: the first layer of each group keeps keys and values for all of it.
        kinds = tuple(SHARED if i % factor else kind for i, kind in enumerate(kinds))
    shared = text.integer("num_kv_shared_layers") if text.get("num_kv_shared_layers") is not None else 0
    return (*kinds[: count - shared], *([SHARED] * shared)) if shared and shared < count else kinds


def _only_kind(text: ModelConfig, family: Family, figures: Figures) -> str:
    """Return the kind of every layer of a model whose config distinguishes none."""
    if family.layer_kind:
        return family.layer_kind
    if figures.shape.heads is None:
        return patterns.RECURRENT
    if text.get("attention_chunk_size") and not text.get("sliding_window"):
        return patterns.CHUNK
    if window_of(text) is not None and text.get("use_sliding_window") is not False and text.raw.get("sliding_window", 0) is not None:
        return patterns.WINDOW
    return patterns.FULL


def _with_indexers(text: ModelConfig, kinds: tuple[str, ...], count: int) -> tuple[str, ...]:
    """Mark the layers that keep indexer keys; some models keep them on a part of their layers."""
    if text.get("index_topk") is not None and text.get("index_head_dim") is not None and text.get("compress_ratios") is None:
        kinds = tuple(patterns.INDEXED if kind == patterns.FULL else kind for kind in kinds) if patterns.INDEXED not in kinds else kinds
    if patterns.INDEXED not in kinds:
        return kinds
    modes = patterns.indexer_modes(text, count)
    if modes is None:
        return kinds
    return tuple(
        f"{kind}:{mode}" if kind == patterns.INDEXED and mode == "shared" else kind for kind, mode in zip(kinds, modes, strict=True)
    )


def _forward(kind: str, forward: str, *, single: bool, experts: Experts | None) -> FeedForward:
    """Return what follows the mixer. Where layers are either mixer or feed-forward (``single``), a mixer is followed by nothing."""
    if single:
        if kind == patterns.MOE and experts is not None:
            return FeedForward.MOE
        return FeedForward.DENSE if kind in (patterns.MLP, patterns.MOE) else FeedForward.NONE
    return FeedForward.MOE if forward == patterns.SPARSE and experts is not None else FeedForward.DENSE


def _per_layer_heads(text: ModelConfig, count: int) -> tuple[int | None, ...]:
    """Key/value heads per layer where the config lists them, else None for each."""
    for key in ("num_key_value_heads", "num_kv_heads", "num_key_value_heads_per_layer"):
        value = text.raw.get(key)
        if isinstance(value, list) and len(value) >= count and all(isinstance(item, int) for item in value):
            return tuple(value[:count])
    return (None,) * count


def _block_configs(text: ModelConfig, figures: Figures, count: int) -> tuple[Layer, ...] | None:
    """Read DeciLM's list of blocks: query heads per group, or no attention at all, and a width factor for each."""
    blocks = text.raw.get("block_configs")
    if not isinstance(blocks, list) or len(blocks) < count:
        return None
    shape, layers = figures.shape, []
    for block in blocks[:count]:
        attention = block.get("attention") or {} if isinstance(block, dict) else {}
        forward = block.get("ffn") or {} if isinstance(block, dict) else {}
        group = attention.get("n_heads_in_group")
        if isinstance(group, int) and group > 0 and shape.heads and not attention.get("no_op") and not attention.get("replace_with_linear"):
            window = attention.get("window_length")
            kind = f"{patterns.WINDOW}:{window}" if isinstance(window, int) else patterns.FULL
            mixers = mixers_of(kind, text, replace(shape, kv_heads=shape.heads // group), Family(types=()))
        else:
            mixers = mixers_of(patterns.NONE, text, shape, Family(types=()))
        factor = forward.get("ffn_mult")
        width = _rounded(2 * factor * shape.hidden / 3) if isinstance(factor, int | float) and shape.hidden else None
        stated = forward.get("intermediate_size")
        width = stated if isinstance(stated, int) else width
        dense = FeedForward.NONE if forward.get("no_op") else FeedForward.DENSE
        layers.append(Layer(mixers, dense, width if dense is FeedForward.DENSE else None))
    return tuple(layers)


def _rounded(width: float) -> int:
    """Round a feed-forward width up to a multiple of 256, as DeciLM does."""
    return -(-int(width) // 256) * 256


def _unknown_layers(text: ModelConfig, reason: str = "") -> tuple[tuple[str, Unknown], ...]:
    problem = next((problem.line for problem in text.problems), "")
    why = problem or reason or f"{text.path} does not state the number of layers"
    settled = (text.path,)
    facts = ("kv_cache.bytes_per_token", "state.bytes_per_sequence", "attention.full_layers", "attention.sliding_layers")
    return tuple((name, Unknown(why, settled)) for name in facts)

"""A config -> its anatomy. The story is told once, in ``read_anatomy``; each step lives in a module of its own."""

from dataclasses import dataclass, replace

from auditor.facts import Basis, Unknown
from auditor.inspection import patterns
from auditor.inspection.anatomy import Anatomy, Experts, FeedForward, Layer, Tower
from auditor.inspection.architectures import Family, family_of, taught
from auditor.inspection.config import ModelConfig
from auditor.inspection.defaults import defaults_for
from auditor.inspection.experts import read_experts
from auditor.inspection.laws import DECODER_WITH_CROSS, SHARED, LawError, mixers_of, window_of
from auditor.inspection.model import LayerKind
from auditor.inspection.parts import Parts, take_apart
from auditor.inspection.shape import CONTEXT, HEADS, HIDDEN, INTERMEDIATE, LAYERS, VOCABULARY, Shape, names, read_shape
from auditor.inspection.tasks import ENCODER_TASKS, generates, task_of
from auditor.snapshot import Snapshot

_MTP = ("num_nextn_predict_layers", "mtp_num_hidden_layers", "num_mtp_layers", "num_mtp_modules", "n_mtp_layers", "mtp_num_layers")
_DECODER_LAYERS = ("decoder_layers", "num_decoder_layers", "decoder_num_hidden_layers")
_ENCODER_LAYERS = ("encoder_layers", "num_encoder_layers", "num_layers", "num_hidden_layers")


def read_anatomy(raw: dict[str, object], *, path: str = "config.json", snapshot: Snapshot | None = None) -> Anatomy:
    """Return the anatomy that ``raw``, a parsed config, describes.

    Never raises for what the config says: what cannot be had is in ``unknown``, what is wrong in the config's ``problems``.
    """
    config = ModelConfig(raw, path=path)
    family = family_of(config.model_type)
    if family.like:
        config = ModelConfig(raw, path=path, defaults=defaults_for(family.like))
    parts = take_apart(config, family)
    tower_names = frozenset(tower.name for tower in parts.towers)
    task = task_of(config, family, tower_names, snapshot)
    parts = _main_part(parts, config, task)
    text = parts.text
    remembers = generates(task, config, text)
    text_family = family_of(text.model_type) if text is not config else family
    figures = _Figures.of(config, text, text_family, task)
    experts = read_experts(text, text_family)
    layers, unknown = _layers(text, text_family, figures, experts, remembers=remembers)
    if _attention_free(layers):
        figures = replace(figures, shape=replace(figures.shape, heads=None, kv_heads=None, head_dim=None, value_dim=None))
    if experts is not None and layers and not any(layer.feed_forward is FeedForward.MOE for layer in layers):
        experts = None
    anatomy = Anatomy(
        arch_class="other",
        task=task,
        config=config,
        text=text,
        model_type=config.model_type,
        known=config.has_class or taught(config.model_type),
        layers=layers,
        encoder_layers=figures.encoder_layers,
        hidden_size=figures.shape.hidden,
        intermediate_size=figures.intermediate_size,
        vocab_size=figures.vocab_size,
        max_context=figures.max_context,
        heads=figures.shape.heads,
        kv_heads=figures.shape.kv_heads,
        head_dim=figures.shape.head_dim,
        experts=experts,
        mtp_layers=next((count for key in _MTP if (count := _count(text, key))), 0),
        tied=_tied(config, text, text_family),
        towers=parts.towers,
        position=_position(text, text_family),
        dtype=_dtype(config, text),
        unknown=unknown,
    )
    return replace(anatomy, arch_class=family.arch_class or _class_of(anatomy))


@dataclass(frozen=True, slots=True)
class _Figures:
    """Numbers of the language model that several steps need."""

    shape: Shape
    count: int | None
    encoder_layers: int | None
    intermediate_size: int | None
    vocab_size: int | None
    max_context: int | None
    encoder_decoder: bool

    @classmethod
    def of(cls, config: ModelConfig, text: ModelConfig, family: Family, task: str) -> "_Figures":
        encoder_decoder = text.get("is_encoder_decoder") is True or config.get("is_encoder_decoder") is True
        shape = read_shape(text, family)
        count = _count(text, *names(family, LAYERS)) if text.states(*names(family, LAYERS)) else None
        count = count or patterns.listed_count(text) or _count(text, *names(family, LAYERS))
        encoder_layers = None
        if encoder_decoder and task not in ENCODER_TASKS:
            heads = _count(text, "decoder_attention_heads")
            if heads is not None:
                kv_heads = heads if shape.kv_heads in (shape.heads, None) else shape.kv_heads
                width = shape.head_dim if text.states("d_kv", "head_dim") or shape.hidden is None else shape.hidden // heads
                shape = replace(shape, heads=heads, kv_heads=kv_heads, head_dim=width, value_dim=width)
            encoder_layers = _count(text, *_ENCODER_LAYERS)
            count = _count(text, *_DECODER_LAYERS) or count
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


def _attention_free(layers: tuple[Layer, ...]) -> bool:
    """Whether every mixer is a recurrence: such a model's ``num_heads`` are not heads of attention."""
    mixers = [mixer for layer in {id(layer): layer for layer in layers}.values() for mixer in layer.mixers]
    return any(mixer.states for mixer in mixers) and all(mixer.heads is None for mixer in mixers)


def _count(config: ModelConfig, *keys: str) -> int | None:
    value = config.get(*keys)
    if isinstance(value, list):
        return None
    return config.integer(*keys) if value is not None else None


def _main_part(parts: Parts, config: ModelConfig, task: str) -> Parts:
    """Return the part that the facts are about.

    Of a dual encoder that is the tower that gives the task its name, and the text part becomes a tower; of a model whose config only
    wraps an encoder or a backbone, that one.
    """
    if task in ("image-encoder", "audio-encoder"):
        wanted = "vision" if task == "image-encoder" else "audio"
        main = next((tower for tower in parts.towers if tower.name == wanted), None)
        if main is not None and (parts.text is not config or config.get(*LAYERS) is None):
            others = tuple(tower for tower in parts.towers if tower is not main)
            text = () if parts.text is config else (Tower("text", parts.text, _count(parts.text, *LAYERS)),)
            return replace(parts, text=main.config, towers=(*others, *text))
    if parts.text is config and config.get(*LAYERS) is None:
        wrapped = next((part for key in _WRAPPED if (part := config.part(key)) is not None), None)
        if wrapped is not None:
            return replace(parts, text=wrapped)
    return parts


#: Nested configs that are the whole model where nothing stands beside them.
_WRAPPED = ("encoder_config", "backbone_config", "vlm_config")


def _layers(
    text: ModelConfig, family: Family, figures: _Figures, experts: Experts | None, *, remembers: bool
) -> tuple[tuple[Layer, ...], tuple[tuple[str, Unknown], ...]]:
    """Return the layers, and the facts that stay unknown where a layer's law lacks something."""
    count = figures.count
    if count is None:
        return (), _unknown_layers(text)
    blocks = _block_configs(text, figures, count)
    if blocks is not None:
        return blocks, ()
    if family.open:
        return (), _unknown_layers(text, family.open)
    kinds = _kinds(text, family, figures, count) if remembers else (patterns.NONE,) * count
    if patterns.UNSTATED in kinds:
        return (), _unknown_layers(text, f"{text.path} does not state the kinds of its layers, and its class has no rule for {count} of them")
    widths = _per_layer_heads(text, count)
    feed_forward = patterns.feed_forward_kinds(text, count) if experts is not None else (patterns.DENSE,) * count
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


def _kinds(text: ModelConfig, family: Family, figures: _Figures, count: int) -> tuple[str, ...]:
    if figures.encoder_decoder:
        return (DECODER_WITH_CROSS,) * count
    found = patterns.layer_kinds(text, count)
    kinds = found[0] if found is not None else (_only_kind(text, family, figures),) * count
    window = window_of(text) if patterns.WINDOW in kinds else None
    if window is not None and figures.max_context is not None and window >= figures.max_context:
        kinds = tuple(patterns.FULL if kind == patterns.WINDOW else kind for kind in kinds)
    kinds = _with_indexers(text, kinds, count)
    shared = text.integer("num_kv_shared_layers") if text.get("num_kv_shared_layers") is not None else 0
    return (*kinds[: count - shared], *([SHARED] * shared)) if shared and shared < count else kinds


def _only_kind(text: ModelConfig, family: Family, figures: _Figures) -> str:
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
    return tuple(f"{kind}:{mode}" if kind == patterns.INDEXED and mode == "shared" else kind for kind, mode in zip(kinds, modes, strict=True))


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


def _block_configs(text: ModelConfig, figures: _Figures, count: int) -> tuple[Layer, ...] | None:
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


def _tied(config: ModelConfig, text: ModelConfig, family: Family) -> bool | None:
    """Return whether the head is the embedding: what the file states, then what the record says, then the class's default."""
    for part in (config, text):
        for key in ("tie_word_embeddings", "tie_embedding", "weight_tying", "tie_embeddings", "share_embeddings"):
            stated = part.raw.get(key)
            if isinstance(stated, bool):
                return stated
    if family.tied is not None:
        return family.tied
    for part in (config, text):
        value = part.get("tie_word_embeddings")
        if isinstance(value, bool):
            return value
    return None


def _dtype(config: ModelConfig, text: ModelConfig) -> str | None:
    for part in (config, text):
        for key in ("dtype", "torch_dtype"):
            stated = part.raw.get(key)
            if isinstance(stated, str):
                return stated.removeprefix("torch.")
    return None


def _position(text: ModelConfig, family: Family) -> str | None:
    nested = text.raw.get("attn_config")
    if text.raw.get("alibi") is True or (isinstance(nested, dict) and nested.get("alibi") is True):
        return "alibi"
    if family.position:
        return family.position
    if text.get("relative_attention_num_buckets") is not None or text.get("relative_attention") is True:
        return "relative"
    if text.states("rope_theta", "rope_parameters", "rope_scaling", "rotary_emb_base", "rotary_pct", "rotary_dim", "partial_rotary_factor") or text.has_rope:
        return "rope"
    if text.get("num_attention_heads", "n_head", "num_heads") is None:
        return "none"
    return "learned" if text.get("max_position_embeddings", "n_positions", "image_size", "max_source_positions") is not None else None


def _class_of(anatomy: Anatomy) -> str:
    """Return the class by DESIGN's order: multimodal, hybrid, ssm, moe, dense; ``other`` for what is no transformer."""
    generates = anatomy.task not in ENCODER_TASKS
    if generates and any(tower.name in ("vision", "audio", "generator") for tower in anatomy.towers):
        return "multimodal"
    kinds = {mixer.kind for layer in {id(layer): layer for layer in anatomy.layers}.values() for mixer in layer.mixers}
    states = bool(kinds & {LayerKind.RECURRENT, LayerKind.CONVOLUTION})
    attends = bool(kinds & {LayerKind.FULL, LayerKind.WINDOW, LayerKind.CHUNK, LayerKind.LATENT})
    if states:
        return "hybrid" if attends else "ssm"
    if anatomy.experts is not None:
        return "moe-transformer"
    return "dense-transformer" if anatomy.heads is not None or anatomy.text.get(*HEADS) is not None else "other"


__all__ = ["Basis", "read_anatomy"]

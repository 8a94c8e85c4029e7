"""A config -> its anatomy. The story is told once, in ``read_anatomy``; each step lives in a module of its own."""

from dataclasses import replace

from auditor.inspection.anatomy import Anatomy, FeedForward, Layer, Tower
from auditor.inspection.architectures import Family, family_of, taught
from auditor.inspection.config import ModelConfig
from auditor.inspection.defaults import defaults_for
from auditor.inspection.experts import read_experts
from auditor.inspection.layers import Figures, count_of, read_layers
from auditor.inspection.legacy import in_common_words
from auditor.inspection.model import LayerKind
from auditor.inspection.parts import Parts, take_apart
from auditor.inspection.shape import HEADS, LAYERS
from auditor.inspection.tasks import generates, task_of
from auditor.snapshot import Snapshot

MTP = ("num_nextn_predict_layers", "mtp_num_hidden_layers", "num_mtp_layers", "num_mtp_modules", "n_mtp_layers", "mtp_num_layers")

#: Whether the head is the embedding.
TIED = ("tie_word_embeddings", "tie_embedding", "weight_tying", "tie_embeddings", "share_embeddings")
DTYPE = ("dtype", "torch_dtype")


def read_anatomy(raw: dict[str, object], *, path: str = "config.json", snapshot: Snapshot | None = None) -> Anatomy:
    """Return the anatomy that ``raw``, a parsed config, describes.

    Never raises for what the config says: what cannot be had is in ``unknown``, what is wrong in the config's ``problems``.
    """
    raw = in_common_words(raw)
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
    figures = Figures.of(config, text, text_family, task)
    experts = read_experts(text, text_family)
    layers, unknown = read_layers(text, text_family, figures, experts, remembers=remembers)
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
        mtp_layers=next((count for key in MTP if (count := count_of(text, key, minimum=0))), 0),
        tied=_tied(config, text, text_family),
        towers=parts.towers,
        position=_position(text, text_family),
        dtype=_dtype(config, text),
        unknown=unknown,
    )
    return replace(anatomy, arch_class=family.arch_class or _class_of(anatomy))


def _attention_free(layers: tuple[Layer, ...]) -> bool:
    """Whether every mixer is a recurrence: such a model's ``num_heads`` are not heads of attention."""
    mixers = [mixer for layer in {id(layer): layer for layer in layers}.values() for mixer in layer.mixers]
    return any(mixer.states for mixer in mixers) and all(mixer.heads is None for mixer in mixers)


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
            text = () if parts.text is config else (Tower("text", parts.text, count_of(parts.text, *LAYERS)),)
            return replace(parts, text=main.config, towers=(*others, *text))
    if parts.text is config and config.get(*LAYERS) is None:
        wrapped = next((part for key in _WRAPPED if (part := config.part(key)) is not None), None)
        if wrapped is not None:
            return replace(parts, text=wrapped)
    return parts


#: Nested configs that are the whole model where nothing stands beside them.
_WRAPPED = ("encoder_config", "backbone_config", "vlm_config")


def _tied(config: ModelConfig, text: ModelConfig, family: Family) -> bool | None:
    """Return whether the head is the embedding: what the file states, then what the record says, then the class's default."""
    for part in (config, text):
        for key in TIED:
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
        for key in DTYPE:
            stated = part.raw.get(key)
            if isinstance(stated, str):
                return stated.removeprefix("torch.")
    return None


#: First words of ``position_embedding_type``.
_POSITIONS = {"alibi": "alibi", "rope": "rope", "rotary": "rope", "absolute": "learned", "learned": "learned", "relative": "relative"}


def _position(text: ModelConfig, family: Family) -> str | None:
    nested = text.raw.get("attn_config")
    if text.raw.get("alibi") is True or (isinstance(nested, dict) and nested.get("alibi") is True):
        return "alibi"
    if family.position:
        return family.position
    stated = text.raw.get("position_embedding_type")
    if isinstance(stated, str) and stated.partition("_")[0] in _POSITIONS:
        return _POSITIONS[stated.partition("_")[0]]
    if text.get("relative_attention_num_buckets") is not None or text.get("relative_attention") is True:
        return "relative"
    if (
        text.states("rope_theta", "rope_parameters", "rope_scaling", "rotary_emb_base", "rotary_pct", "rotary_dim", "partial_rotary_factor")
        or text.has_rope
    ):
        return "rope"
    if text.get("num_attention_heads", "n_head", "num_heads") is None:
        return "none"
    return "learned" if text.get("max_position_embeddings", "n_positions", "image_size", "max_source_positions") is not None else None


_TWO_MODALITIES = ("image-text-to-text", "audio-text-to-text", "any-to-any")


def _class_of(anatomy: Anatomy) -> str:
    """Return the class by DESIGN's order: multimodal, hybrid, ssm, moe, dense; ``other`` for what is no transformer."""
    if anatomy.task in _TWO_MODALITIES and any(tower.name in ("vision", "audio", "generator") for tower in anatomy.towers):
        return "multimodal"
    kinds = {mixer.kind for layer in {id(layer): layer for layer in anatomy.layers}.values() for mixer in layer.mixers}
    states = bool(kinds & {LayerKind.RECURRENT, LayerKind.CONVOLUTION})
    attends = bool(kinds & {LayerKind.FULL, LayerKind.WINDOW, LayerKind.CHUNK, LayerKind.LATENT})
    if states:
        return "hybrid" if attends else "ssm"
    if anatomy.experts is not None:
        return "moe-transformer"
    return "dense-transformer" if anatomy.heads is not None or anatomy.text.get(*HEADS) is not None else "other"

"""Parameters from a config alone: the law of its family, applied to its anatomy. Exact or unknown, never an estimate."""

from dataclasses import replace

from auditor.inspection.anatomy import Anatomy, FeedForward, Layer
from auditor.inspection.experts import COUNT, PER_TOKEN
from auditor.inspection.model import LayerKind
from auditor.inspection.parameters_blocks import (
    RECURRENT,
    feed_forward,
    grouped_attention,
    latent_attention,
    routed_experts,
    router,
)
from auditor.inspection.parameters_diffusion import DIFFUSION
from auditor.inspection.parameters_encoders import WHOLE, architecture, labels
from auditor.inspection.parameters_exceptions import EXCEPTIONS
from auditor.inspection.parameters_keys import Missing, Parts, given, need, number, numbers, yes
from auditor.inspection.parameters_laws import DECODERS, Decoder
from auditor.inspection.parameters_towers import PROJECTORS, TOWERS

_ATTENTION = frozenset({LayerKind.FULL, LayerKind.WINDOW, LayerKind.CHUNK, LayerKind.NONE})


def count_parts(anatomy: Anatomy) -> Parts:
    """Return the parameters of the class that ``architectures[0]`` names. Raises Missing where no law or a figure is missing."""
    network = anatomy.config.get("_class_name")
    if isinstance(network, str):
        law = DIFFUSION.get(network)
        if law is None:
            raise Missing(f"no parameter law is taught for {network}")
        return Parts(body=law(anatomy.config))
    whole = WHOLE.get(anatomy.config.model_type)
    if whole is not None:
        return whole(anatomy)
    parts = decoder(anatomy)
    if DECODERS[anatomy.text.model_type].text_only == (architecture(anatomy.config) or None):
        return parts
    if anatomy.towers or anatomy.text is not anatomy.config:
        parts.towers = _towers(anatomy)
    return parts


def _towers(anatomy: Anatomy) -> int:
    projector = PROJECTORS.get(anatomy.config.model_type)
    if projector is None:
        raise Missing(f"no parameter law is taught for the projector of {anatomy.model_type or 'this model'}")
    if not anatomy.towers:
        return 0
    total = projector(anatomy.config, given(anatomy.hidden_size, "the hidden size"))
    for tower in anatomy.towers:
        law = TOWERS.get(tower.config.model_type)
        if law is None:
            raise Missing(f"no parameter law is taught for {tower.config.model_type or tower.name} towers")
        total += law(tower.config)
    return total


def decoder(anatomy: Anatomy) -> Parts:
    """Return the parameters of a decoder-only language model."""
    law = DECODERS.get(anatomy.text.model_type)
    if law is None:
        raise Missing(f"no parameter law is taught for model type {anatomy.text.model_type or '(none)'}")
    text = anatomy.text
    for key, answer in law.untaught:
        if text.get(key) is answer:
            raise Missing(f"no parameter law is taught for {text.model_type} with {key} {str(answer).lower()}")
    for key in law.requires:
        if not text.states(key):
            raise Missing(f"the config does not state {key}")
    h, vocabulary = given(anatomy.hidden_size, "the hidden size"), given(anatomy.vocab_size, "the vocabulary size")
    parts = Parts(embedding=vocabulary * h, tied=anatomy.tied is True and not law.never_tied)
    norm = _norm(law, text.get(law.norm_if) if law.norm_if else True) * h
    made: dict[Layer, tuple[int, int]] = {}
    for layer in _with_widths(anatomy):
        if layer not in made:
            made[layer] = layer_parts(anatomy, law, layer, h, norm)
        parts.body += made[layer][0]
        parts.experts += made[layer][1]
    if not anatomy.layers:
        raise Missing("the config does not say how many layers there are")
    parts.body += norm * yes(text, law.final_norm) + norm * law.embedding_norm
    if law.positions:
        parts.body += (need(text, law.positions, "n_positions") + law.position_offset) * h
    if law.embedding_width and (width := number(text, law.embedding_width)) and width != h:
        parts.embedding = vocabulary * width
        parts.body += 2 * width * h
    parts.add(_head(anatomy, law, h, parts.embedding, vocabulary))
    parts.embedding += law.embedding_rows_beyond * h
    if law.extra:
        parts.add(EXCEPTIONS[law.extra](anatomy))
    parts.mtp = _mtp(anatomy, law, h, norm, parts.embedding)
    return parts


def _with_widths(anatomy: Anatomy) -> list[Layer]:
    """Return the layers, each with its own feed-forward width where the config lists them."""
    widths = numbers(anatomy.text.get("intermediate_size"))
    if len(widths) != len(anatomy.layers):
        return list(anatomy.layers)
    return [replace(layer, intermediate_size=width) for layer, width in zip(anatomy.layers, widths, strict=True)]


def _mtp(anatomy: Anatomy, law: Decoder, h: int, norm: int, embedding: int) -> int | None:
    """Return the parameters of the MTP layers as published checkpoints store them; None where that is not taught.

    DeepSeek V3's layout stores copies of embedding and head with each MTP layer; they are counted, for they are stored.
    """
    if not anatomy.mtp_layers:
        return 0
    if law.mtp in {"deepseek", "glm"}:
        last = anatomy.layers[-1]
        indexed = {any(mixer.kind is LayerKind.INDEXER for mixer in layer.mixers) for layer in anatomy.layers}
        if len(indexed) > 1:
            return None
        copies = 2 * embedding if law.mtp == "deepseek" else 0
        return anatomy.mtp_layers * (sum(layer_parts(anatomy, law, last, h, norm)) + 2 * h * h + 3 * norm + copies)
    if law.mtp == "qwen":
        full = next((layer for layer in anatomy.layers if layer.mixers and layer.mixers[0].kind is LayerKind.FULL), None)
        if full is None:
            return None
        return anatomy.mtp_layers * sum(layer_parts(anatomy, law, full, h, norm)) + 2 * h * h + 3 * norm
    return None


def _norm(law: Decoder, shifted: object) -> int:
    return law.norm if shifted is not False else 1


def _head(anatomy: Anatomy, law: Decoder, h: int, embedding: int, vocabulary: int) -> Parts:
    """Return what the class puts on top: nothing, a language-model head, a classifier."""
    name = architecture(anatomy.config)
    if "SequenceClassification" in name or "RewardModel" in name or "TokenClassification" in name:
        count = 1 if "Reward" in name else labels(anatomy.config)
        return Parts(body=h * count + (count if "Token" in name else 0))
    base = name.endswith("Model") and "LMHead" not in name and not law.head_always
    if base or (not name and anatomy.task != "causal-lm"):
        return Parts()
    if anatomy.tied is None:
        raise Missing("the config does not say whether embedding and head are tied")
    return Parts(head=0 if anatomy.tied and not law.never_tied else embedding, body=vocabulary if yes(anatomy.config, law.head_bias) else 0)


def layer_parts(anatomy: Anatomy, law: Decoder, layer: Layer, h: int, norm: int) -> tuple[int, int]:
    """Return (body, routed experts) of one layer."""
    text = anatomy.text
    body = 0
    for mixer in layer.mixers:
        if law.attention == "none":
            continue
        if mixer.kind is LayerKind.LATENT:
            indexed = any(other.kind is LayerKind.INDEXER for other in layer.mixers)
            body += latent_attention(text, h, mixer, indexed=indexed)
        elif mixer.kind in (LayerKind.RECURRENT, LayerKind.CONVOLUTION):
            block = RECURRENT.get(mixer.recurrence)
            if block is None:
                raise Missing(f"no parameter law is taught for {mixer.recurrence or 'this recurrence'}")
            body += block(text, law, h)
        elif law.attention == "extra":
            continue
        elif mixer.kind is LayerKind.SHARED:
            if not law.extra:
                raise Missing(f"no parameter law is taught for layers of {text.model_type} that share a cache")
        elif mixer.kind in _ATTENTION and mixer.heads is not None:
            body += grouped_attention(text, law, h, mixer)
        elif mixer.kind not in (LayerKind.NONE, LayerKind.INDEXER) and not (mixer.kind is LayerKind.CROSS and law.extra):
            raise Missing(f"no parameter law is taught for {mixer.kind} layers of {text.model_type}")
    experts = 0
    if anatomy.experts is None and number(text, *COUNT) > 1 and text.get(*PER_TOKEN) is None:
        raise Missing("the config does not say how many experts a token uses")
    if layer.feed_forward is FeedForward.MOE:
        if anatomy.experts is None:
            raise Missing("the config does not describe the experts")
        if yes(text, law.mlp_bias):
            raise Missing("no parameter law is taught for experts with biases")
        experts = routed_experts(text, law, anatomy.experts, h)
        body += router(text, law, anatomy.experts, h)
    if (layer.feed_forward is FeedForward.DENSE and not law.mixer_only) or (
        law.dense_beside_experts and layer.feed_forward is FeedForward.MOE
    ):
        body += feed_forward(text, law, h, _width(anatomy, law, layer, h))
    alone = layer.feed_forward is FeedForward.NONE or law.single or law.mixer_only
    if law.norms_by_part:
        mixed = any(mixer.heads is not None for mixer in layer.mixers)
        return body + (int(mixed) + int(layer.feed_forward is not FeedForward.NONE)) * norm, experts
    if yes(text, law.parallel):
        return body + norm, experts
    norms = law.layer_norms_alone if alone and law.layer_norms_alone is not None else law.layer_norms
    return body + norms * norm, experts


def _width(anatomy: Anatomy, law: Decoder, layer: Layer, h: int) -> int:
    if law.mlp_width == "four":
        return 4 * h
    if law.mlp_width == "half":
        return given(layer.intermediate_size, "the feed-forward width") // 2
    if law.mlp_width == "lfm2":
        return _lfm2_width(anatomy, given(layer.intermediate_size, "the feed-forward width"))
    if law.mlp_width == "falcon":
        return number(anatomy.text, "ffn_hidden_size") or 4 * h
    if law.mlp_width == "mpt":
        return int(anatomy.text.number("expansion_ratio") or 4) * h
    if law.mlp_width:
        return need(anatomy.text, law.mlp_width)
    if layer.intermediate_size is None and not law.gated:
        return number(anatomy.text, "n_inner", "ffn_dim", "intermediate_size") or 4 * h
    return given(layer.intermediate_size, "the feed-forward width")


def _lfm2_width(anatomy: Anatomy, stated: int) -> int:
    """LFM2 shrinks the stated width by a third and rounds up, unless the config says that it stands as it is."""
    config = anatomy.text
    if config.get("block_auto_adjust_ff_dim") is not True:
        return stated
    width = int((config.number("block_ffn_dim_multiplier") or 1.0) * int(2 * stated / 3))
    multiple = need(config, "block_multiple_of")
    return -(-width // multiple) * multiple

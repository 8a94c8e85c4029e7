"""Laws of models that are no decoder-only language model: encoders, encoder-decoders, vision, speech and dual encoders.

``WHOLE`` maps a model type to the law of the whole model, its head for ``architectures[0]`` included; add one here.
"""

from collections.abc import Callable

from auditor.inspection.anatomy import Anatomy
from auditor.inspection.config import ModelConfig
from auditor.inspection.parameters_keys import Missing, Parts, child, linear, need, number, yes
from auditor.inspection.parameters_towers import (
    clip_text,
    clip_vision,
    dinov2,
    siglip_text,
    siglip_vision,
    stack,
    vit,
    whisper_encoder,
)


def architecture(config: ModelConfig) -> str:
    """Return ``architectures[0]``, or an empty string."""
    names = config.get("architectures")
    return names[0] if isinstance(names, list | tuple) and names and isinstance(names[0], str) else ""


def untied(config: ModelConfig, size: int) -> int:
    """Return ``size``, the parameters of a token head, where the config states that it shares nothing with the embedding."""
    return size if config.raw.get("tie_word_embeddings") is False else 0


def _encoder(config: ModelConfig, name: str, embedding: int, body: int) -> Parts:
    """Return the parts of an encoder whose token head shares the embedding unless the config says otherwise."""
    head = untied(config, embedding) if name.endswith("ForMaskedLM") else 0
    return Parts(embedding=embedding, head=head, body=body, tied=not head)


def labels(config: ModelConfig) -> int:
    """Return the number of classes of a classifier; two where nothing is said."""
    named = config.get("id2label")
    return len(named) if isinstance(named, dict) else number(config, "num_labels", default=2)


def _bert_like(anatomy: Anatomy) -> Parts:
    """BERT and what follows its layout: learned positions, post-norms, a pooler unless a token-level head replaces it."""
    config = anatomy.config
    h, width, layers = need(config, "hidden_size"), need(config, "intermediate_size"), need(config, "num_hidden_layers")
    inner = number(config, "embedding_size") or h
    vocabulary = need(config, "vocab_size")
    kind, name = config.model_type, architecture(config)
    pre_norm = kind == "megatron-bert"
    body = (need(config, "max_position_embeddings") + number(config, "type_vocab_size")) * inner
    body += 2 * h if pre_norm else 2 * inner
    if kind == "albert":
        body += linear(inner, h, bias=True) + need(config, "num_hidden_groups") * need(config, "inner_group_num") * stack(1, h, width)
    else:
        body += stack(layers, h, width)
    if kind == "electra" and inner != h:
        body += linear(inner, h, bias=True)
    predicts = name.endswith(("ForMaskedLM", "LMHeadModel", "ForPreTraining", "ForCausalLM"))
    head = untied(config, vocabulary * (inner if kind in {"albert", "electra"} else h)) if predicts else 0
    body += _bert_head(config, kind, name, h, inner, vocabulary)
    return Parts(embedding=vocabulary * inner, head=head, body=body, tied=not head)


def _bert_head(config: ModelConfig, kind: str, name: str, h: int, inner: int, vocabulary: int) -> int:
    pooler = 0 if kind == "electra" else linear(h, h, bias=True)
    if yes(config, "is_decoder") or yes(config, "add_cross_attention"):
        raise Missing(f"no parameter law is taught for {kind} as a decoder")
    narrow = inner if kind in {"albert", "electra"} else h
    token_head = linear(h, narrow, bias=True) + 2 * narrow + vocabulary
    token_head += untied(config, vocabulary if kind != "electra" else 0)
    classifier = linear(h, labels(config), bias=True)
    roberta = kind in {"roberta", "xlm-roberta", "camembert"}
    if name.endswith(("ForMaskedLM", "LMHeadModel")) or (roberta and name.endswith("ForCausalLM")):
        return token_head
    if name.endswith("ForPreTraining") and kind in {"bert", "megatron-bert", "albert"}:
        return pooler + token_head + linear(h, 2, bias=True)
    if name.endswith("ForSequenceClassification"):
        return linear(h, h, bias=True) + classifier if roberta or kind == "electra" else pooler + classifier
    if name.endswith("ForTokenClassification"):
        return classifier
    if name.endswith("ForQuestionAnswering"):
        return linear(h, 2, bias=True)
    if name.endswith("Model") or not name:
        return pooler
    raise Missing(f"no parameter law is taught for {name}")


def _distilbert(anatomy: Anatomy) -> Parts:
    config = anatomy.config
    h, vocabulary, name = need(config, "dim"), need(config, "vocab_size"), architecture(config)
    body = need(config, "max_position_embeddings") * h + 2 * h + stack(need(config, "n_layers"), h, need(config, "hidden_dim"))
    if name.endswith("ForMaskedLM"):
        body += linear(h, h, bias=True) + 2 * h + vocabulary
    elif name.endswith("ForSequenceClassification"):
        body += linear(h, h, bias=True) + linear(h, labels(config), bias=True)
    elif not (name.endswith("Model") or not name):
        raise Missing(f"no parameter law is taught for {name}")
    return _encoder(config, name, vocabulary * h, body)


def _deberta_v2(anatomy: Anatomy) -> Parts:
    """DeBERTa v2 and v3: relative positions shared by all layers, an optional convolution beside the first."""
    config = anatomy.config
    h, width, layers = need(config, "hidden_size"), need(config, "intermediate_size"), need(config, "num_hidden_layers")
    vocabulary, name = need(config, "vocab_size"), architecture(config)
    inner = number(config, "embedding_size") or h
    body = number(config, "type_vocab_size") * inner + 2 * h + (inner * h if inner != h else 0)
    if config.get("position_biased_input") is not False:
        body += need(config, "max_position_embeddings") * inner
    body += stack(layers, h, width)
    if yes(config, "relative_attention"):
        buckets = number(config, "position_buckets", default=-1)
        reach = number(config, "max_relative_positions", default=-1)
        reach = reach if reach > 0 else need(config, "max_position_embeddings")
        body += (buckets if buckets > 0 else reach) * 2 * h
        if config.get("share_att_key") is not True:
            kinds = config.get("pos_att_type")
            kinds = kinds.split("|") if isinstance(kinds, str) else kinds or ()
            body += layers * sum(linear(h, h, bias=kind == "p2c") for kind in kinds if kind in {"c2p", "p2c"})
    if "layer_norm" in str(config.get("norm_rel_ebd") or ""):
        body += 2 * h
    kernel = number(config, "conv_kernel_size")
    if kernel:
        body += linear(h * kernel, h, bias=True) + 2 * h
    if name.endswith("ForMaskedLM"):
        if config.get("legacy") is False or untied(config, 1):
            raise Missing("no parameter law is taught for this token head")
        body += linear(h, inner, bias=True) + 2 * h + vocabulary
    elif not (name.endswith("Model") or not name):
        raise Missing(f"no parameter law is taught for {name}")
    return Parts(embedding=vocabulary * inner, body=body, tied=True)


def _modernbert(anatomy: Anatomy) -> Parts:
    """ModernBERT: gated feed-forward parts, scale-only norms, none before the first attention."""
    config, name = anatomy.config, architecture(anatomy.config)
    h, width, layers = need(config, "hidden_size"), need(config, "intermediate_size"), need(config, "num_hidden_layers")
    norm = 2 * h if yes(config, "norm_bias") else h
    attention = linear(h, 3 * h, bias=yes(config, "attention_bias")) + linear(h, h, bias=yes(config, "attention_bias"))
    forward = linear(h, 2 * width, bias=yes(config, "mlp_bias")) + linear(width, h, bias=yes(config, "mlp_bias"))
    body = layers * (attention + forward + 2 * norm) + norm
    vocabulary = need(config, "vocab_size")
    head = linear(h, h, bias=yes(config, "classifier_bias")) + norm
    if name.endswith("ForMaskedLM"):
        body += head + (vocabulary if config.get("decoder_bias") is not False else 0)
    elif name.endswith(("ForSequenceClassification", "ForTokenClassification")):
        body += head + linear(h, labels(config), bias=True)
    elif not (name.endswith("Model") or not name):
        raise Missing(f"no parameter law is taught for {name}")
    return _encoder(config, name, vocabulary * h, body)


def _nomic_bert(anatomy: Anatomy) -> Parts:
    """Nomic BERT: rotary positions, gated feed-forward parts, no biases but in norms."""
    config, name = anatomy.config, architecture(anatomy.config)
    h, layers = need(config, "hidden_size"), need(config, "num_hidden_layers")
    block = stack(layers, h, need(config, "intermediate_size"), bias=False, mlp_bias=False, gated=True)
    body = number(config, "type_vocab_size") * h + 2 * h + block
    vocabulary = need(config, "vocab_size")
    if name.endswith("ForMaskedLM"):
        body += linear(h, h, bias=True) + 2 * h + vocabulary
    elif not (name.endswith("Model") or not name):
        raise Missing(f"no parameter law is taught for {name}")
    return Parts(embedding=vocabulary * h, body=body, tied=True)


def _mpnet(anatomy: Anatomy) -> Parts:
    """MPNet: BERT with relative positions beside the learned ones."""
    config, name = anatomy.config, architecture(anatomy.config)
    h, layers, vocabulary = need(config, "hidden_size"), need(config, "num_hidden_layers"), need(config, "vocab_size")
    body = need(config, "max_position_embeddings") * h + 2 * h + stack(layers, h, need(config, "intermediate_size"))
    body += need(config, "relative_attention_num_buckets") * need(config, "num_attention_heads")
    if name.endswith("ForMaskedLM"):
        body += linear(h, h, bias=True) + 2 * h + vocabulary + untied(config, vocabulary)
    elif name.endswith("Model") or not name:
        body += linear(h, h, bias=True)
    else:
        raise Missing(f"no parameter law is taught for {name}")
    return _encoder(config, name, vocabulary * h, body)


def _t5(anatomy: Anatomy) -> Parts:
    """T5 and its kin: no biases, relative positions in the first layer of each stack, gated in later releases."""
    config = anatomy.config
    h, heads, width, forward = need(config, "d_model"), need(config, "num_heads"), need(config, "d_kv"), need(config, "d_ff")
    name = architecture(config)
    layers = need(config, "num_layers", "num_hidden_layers")
    decoders = number(config, "num_decoder_layers") or layers
    projection, stated = config.get("feed_forward_proj"), config.raw.get("is_gated_act")
    gated = stated if isinstance(stated, bool) else isinstance(projection, str) and projection.startswith("gated")
    attention, feed = 4 * h * heads * width, (3 if gated else 2) * h * forward
    relative = need(config, "relative_attention_num_buckets") * heads
    everywhere = config.model_type == "umt5"
    encoder = layers * (attention + feed + 2 * h) + relative * (layers if everywhere else 1) + h
    decoder = decoders * (2 * attention + feed + 3 * h) + relative * (decoders if everywhere else 1) + h
    embedding = need(config, "vocab_size") * h
    if name.endswith("EncoderModel") or (not name and anatomy.task == "encoder"):
        return Parts(embedding=embedding, body=encoder, tied=True)
    if name.endswith("ForConditionalGeneration"):
        tied = anatomy.tied is not False
        return Parts(embedding=embedding, head=0 if tied else embedding, body=encoder + decoder, tied=tied)
    if name.endswith("Model"):
        return Parts(embedding=embedding, body=encoder + decoder, tied=True)
    raise Missing("the config does not say whether the decoder is stored" if not name else f"no parameter law is taught for {name}")


def _bart(anatomy: Anatomy) -> Parts:
    """BART, mBART, Pegasus, Marian, M2M100: two stacks over one embedding."""
    config = anatomy.config
    h, name, kind = need(config, "d_model"), architecture(config), config.model_type
    if not name.endswith(("Model", "ForConditionalGeneration", "MTModel")) or name.endswith("EncoderModel"):
        raise Missing(f"no parameter law is taught for {name}")
    encoder = stack(need(config, "encoder_layers"), h, need(config, "encoder_ffn_dim"))
    layers = need(config, "decoder_layers")
    decoder = stack(layers, h, need(config, "decoder_ffn_dim")) + layers * (4 * linear(h, h, bias=True) + 2 * h)
    if config.get("share_encoder_decoder_embeddings") is False or untied(config, 1):
        raise Missing("no parameter law is taught for two embeddings")
    learned, embedding_norm, final_norm = _BART_KINDS[kind]
    positions = 2 * (need(config, "max_position_embeddings") + learned) * h if learned is not None else 0
    body = encoder + decoder + positions + (4 * h if embedding_norm else 0) + (4 * h if final_norm else 0)
    return Parts(embedding=need(config, "vocab_size") * h, body=body, tied=True)


#: model type -> (offset of learned positions or None for computed ones, norm after the embedding, norm after each stack)
_BART_KINDS: dict[str, tuple[int | None, bool, bool]] = {
    "bart": (2, True, False),
    "mbart": (2, True, True),
    "plbart": (2, True, False),
    "m2m_100": (None, False, True),
    "pegasus": (0, False, True),
    "marian": (0, False, False),
    "blenderbot": (0, False, True),
    "blenderbot-small": (0, True, False),
}


def _whisper(anatomy: Anatomy) -> Parts:
    config = anatomy.config
    h, layers = need(config, "d_model"), need(config, "decoder_layers")
    decoder = stack(layers, h, need(config, "decoder_ffn_dim"), key_bias=False)
    decoder += layers * (4 * linear(h, h, bias=True) - h + 2 * h) + 2 * h + need(config, "max_target_positions") * h
    name = architecture(config)
    if not name.endswith(("WhisperModel", "ForConditionalGeneration")):
        raise Missing(f"no parameter law is taught for {name}")
    return Parts(embedding=need(config, "vocab_size") * h, body=whisper_encoder(config) + decoder, tied=True)


def _vit(anatomy: Anatomy) -> Parts:
    config, name = anatomy.config, architecture(anatomy.config)
    h = need(config, "hidden_size")
    if name.endswith("ForImageClassification"):
        return Parts(body=vit(config) + linear(h, labels(config), bias=True))
    if name.endswith("Model") or not name:
        return Parts(body=vit(config) + linear(h, number(config, "pooler_output_size") or h, bias=True))
    raise Missing(f"no parameter law is taught for {name}")


def _dinov2(anatomy: Anatomy) -> Parts:
    config, name = anatomy.config, architecture(anatomy.config)
    if name.endswith("ForImageClassification"):
        return Parts(body=dinov2(config) + linear(2 * need(config, "hidden_size"), labels(config), bias=True))
    if name.endswith("Model") or not name:
        return Parts(body=dinov2(config))
    raise Missing(f"no parameter law is taught for {name}")


def _clip(anatomy: Anatomy) -> Parts:
    config, name = anatomy.config, architecture(anatomy.config)
    if name and name != "CLIPModel":
        raise Missing(f"no parameter law is taught for {name}")
    text, vision = child(config, "text_config"), child(config, "vision_config")
    projected = need(config, "projection_dim")
    body = clip_text(text) + need(text, "hidden_size") * projected + 1
    towers = clip_vision(vision) + need(vision, "hidden_size") * projected
    return Parts(embedding=need(text, "vocab_size") * need(text, "hidden_size"), body=body + towers, tied=True)


def _siglip(anatomy: Anatomy) -> Parts:
    config = anatomy.config
    if architecture(config) not in {"", "SiglipModel"}:
        raise Missing(f"no parameter law is taught for {architecture(config)}")
    text, vision = child(config, "text_config"), child(config, "vision_config")
    body = siglip_text(text) + siglip_vision(vision) + 2
    return Parts(embedding=need(text, "vocab_size") * need(text, "hidden_size"), body=body, tied=True)


def _clip_text(anatomy: Anatomy) -> Parts:
    config = anatomy.config
    h, name = need(config, "hidden_size"), architecture(anatomy.config)
    projection = h * need(config, "projection_dim") if name.endswith("WithProjection") else 0
    return Parts(embedding=need(config, "vocab_size") * h, body=clip_text(config) + projection, tied=True)


def _clip_vision(anatomy: Anatomy) -> Parts:
    config = anatomy.config
    projected = architecture(config).endswith("WithProjection")
    return Parts(body=clip_vision(config) + (need(config, "hidden_size") * need(config, "projection_dim") if projected else 0))


def _git(anatomy: Anatomy) -> Parts:
    """GIT: a BERT decoder behind a CLIP vision tower."""
    config = anatomy.config
    h, vocabulary, vision = need(config, "hidden_size"), need(config, "vocab_size"), child(config, "vision_config")
    body = (
        need(config, "max_position_embeddings") * h + 2 * h + stack(need(config, "num_hidden_layers"), h, need(config, "intermediate_size"))
    )
    projector = linear(need(vision, "hidden_size"), h, bias=True) + 2 * h
    frames = number(config, "num_image_with_embedding") * need(vision, "hidden_size")
    named = architecture(config).endswith("ForCausalLM")
    head = vocabulary * h if named and anatomy.tied is False else 0
    return Parts(
        embedding=vocabulary * h,
        head=head,
        body=body + frames + (vocabulary if named else 0),
        towers=clip_vision(vision) + projector,
        tied=not head,
    )


def _wav2vec2(anatomy: Anatomy) -> Parts:
    """wav2vec 2.0, HuBERT and WavLM: a convolutional front end and a transformer with a convolution for positions."""
    config, name = anatomy.config, architecture(anatomy.config)
    if not name.endswith("Model") and name:
        raise Missing(f"no parameter law is taught for {name}")
    widths, kernels = config.items("conv_dim") or (), config.items("conv_kernel") or ()
    if len(widths) != len(kernels) or not widths:
        raise Missing("the config does not describe its convolutions")
    h, layers = need(config, "hidden_size"), need(config, "num_hidden_layers")
    bias, grouped = yes(config, "conv_bias"), config.get("feat_extract_norm") == "group"
    front = sum(linear(kernel * source, width, bias=bias) for kernel, source, width in zip(kernels, (1, *widths), widths, strict=False))
    front += 2 * widths[0] if grouped else 2 * sum(widths)
    if yes(config, "add_adapter") or yes(config, "conv_pos_batch_norm"):
        raise Missing("no parameter law is taught for adapters or batch norms in speech encoders")
    projection = linear(widths[-1], h, bias=True) + (2 * widths[-1] if config.get("feat_proj_layer_norm") is not False else 0)
    kernel, groups = need(config, "num_conv_pos_embeddings"), need(config, "num_conv_pos_embedding_groups")
    positions = h // groups * h * kernel + h + kernel
    body = front + projection + positions + stack(layers, h, need(config, "intermediate_size")) + 2 * h
    masked = config.number("mask_time_prob")
    if masked is None or masked > 0 or (config.number("mask_feature_prob") or 0) > 0:  # the classes mask by default
        body += h
    if config.model_type == "wavlm":
        heads = need(config, "num_attention_heads")
        body += layers * (heads + linear(h // heads, 8, bias=True)) + need(config, "num_buckets") * heads
    return Parts(body=body)


WHOLE: dict[str, Callable[[Anatomy], Parts]] = {
    **dict.fromkeys(("bert", "megatron-bert", "albert", "roberta", "xlm-roberta", "camembert", "electra"), _bert_like),
    "distilbert": _distilbert,
    "modernbert": _modernbert,
    "nomic_bert": _nomic_bert,
    "mpnet": _mpnet,
    "deberta-v2": _deberta_v2,
    **dict.fromkeys(("t5", "mt5", "umt5"), _t5),
    **dict.fromkeys(_BART_KINDS, _bart),
    "whisper": _whisper,
    "vit": _vit,
    "dinov2": _dinov2,
    "dinov2_with_registers": _dinov2,
    "clip": _clip,
    "siglip": _siglip,
    "clip_text_model": _clip_text,
    "clip_vision_model": _clip_vision,
    "git": _git,
    **dict.fromkeys(("wav2vec2", "hubert", "wavlm"), _wav2vec2),
}

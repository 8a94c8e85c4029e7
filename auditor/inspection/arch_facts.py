"""``arch.*``, ``moe.*`` and the head counts of ``attention.*``: an anatomy's figures as facts, each with its basis."""

from auditor.facts import Basis, Known, Unknown, Value
from auditor.inspection.anatomy import Anatomy
from auditor.inspection.architectures import family_of
from auditor.inspection.census import distinct
from auditor.inspection.config import ModelConfig
from auditor.inspection.experts import COUNT, PER_TOKEN, WIDTH
from auditor.inspection.layers import DEEPEST, count_of
from auditor.inspection.model import LayerKind
from auditor.inspection.shape import CONTEXT, HEAD_DIM, HEADS, HIDDEN, INTERMEDIATE, KV_HEADS, LAYERS, VOCABULARY, latent_rank, names

Fact = Known | Unknown


def architecture_facts(anatomy: Anatomy) -> dict[str, Fact]:
    """Return the facts of an anatomy that need neither weights nor cache."""
    config, text = anatomy.config, anatomy.text
    facts: dict[str, Fact] = {
        "arch.class": Known(anatomy.arch_class, Basis.DERIVED),
        "arch.task": Known(anatomy.task, Basis.DERIVED),
        "arch.known": Known(anatomy.known, Basis.DERIVED),
    }
    if anatomy.model_type:
        facts["arch.model_type"] = Known(anatomy.model_type, Basis.CONFIG)
    else:
        facts["arch.model_type"] = Unknown(f"{config.path} states no model_type", (config.path,))
    architectures = config.raw.get("architectures", text.raw.get("architectures"))
    if isinstance(architectures, list) and all(isinstance(name, str) for name in architectures):
        facts["arch.architectures"] = Known(tuple(architectures), Basis.CONFIG)
    facts |= _figures(anatomy)
    if anatomy.tied is not None:
        basis = Basis.CONFIG if config.states("tie_word_embeddings") or text.states("tie_word_embeddings") else Basis.CLASS_DEFAULT
        facts["arch.tied_embeddings"] = Known(anatomy.tied, basis)
    if anatomy.dtype is not None:
        facts["arch.dtype"] = Known(anatomy.dtype, Basis.CONFIG)
    if anatomy.position is not None:
        facts["arch.position"] = Known(anatomy.position, Basis.DERIVED)
    return facts | _attention(anatomy) | _experts(anatomy)


def _figures(anatomy: Anatomy) -> dict[str, Fact]:
    """Sizes that nearly every model has; missing ones are unknown, not absent, where the class makes them certain to exist."""
    text, family = anatomy.text, family_of(anatomy.text.model_type)
    # Without a class and without layers the config is of something else (a tokenizer, a scheduler, a lone image network).
    expected = anatomy.arch_class != "other" or anatomy.task not in ("unknown", "other", "image-encoder", "audio-encoder")
    facts: dict[str, Fact] = {}
    for fact, value, keys in (
        ("arch.layers", len(anatomy.layers) or count_of(text, *names(family, LAYERS), maximum=DEEPEST), LAYERS),
        ("arch.hidden_size", anatomy.hidden_size, HIDDEN),
        ("arch.vocab_size", anatomy.vocab_size, VOCABULARY),
        ("arch.max_context", anatomy.max_context, CONTEXT),
        ("arch.intermediate_size", anatomy.intermediate_size, INTERMEDIATE),
    ):
        if value is not None and value > 0:
            facts[fact] = Known(value, text.basis(*names(family, keys)) or Basis.DERIVED)
        elif expected and (fact in _ALWAYS or (fact in _OF_TEXT and anatomy.task not in ("image-encoder", "audio-encoder"))):
            facts[fact] = _unknown(text, keys)
    if anatomy.encoder_layers is not None:
        facts["arch.encoder_layers"] = Known(anatomy.encoder_layers, Basis.CONFIG)
    if anatomy.mtp_layers:
        facts["arch.mtp_layers"] = Known(anatomy.mtp_layers, Basis.CONFIG)
    return facts


_ALWAYS = ("arch.layers", "arch.hidden_size")
_OF_TEXT = ("arch.vocab_size",)


def _unknown(config: ModelConfig, keys: tuple[str, ...]) -> Unknown:
    """Name the wrong value if there is one, else the key that is missing."""
    problem = next((problem for problem in config.problems if problem.key.rpartition(".")[2] in keys), None)
    if problem is not None:
        return Unknown(problem.line, (config.path,))
    return Unknown(f"{config.path} does not state {config.prefix}{keys[0]}", (config.path,))


def _attention(anatomy: Anatomy) -> dict[str, Fact]:
    text, family = anatomy.text, family_of(anatomy.text.model_type)
    if anatomy.heads is None:
        bad = next((problem for problem in text.problems if problem.key.rpartition(".")[2] in (*HEADS, *KV_HEADS, *HEAD_DIM)), None)
        if bad is None:
            return {}
        unknown = Unknown(bad.line, (text.path,))
        return dict.fromkeys(("attention.heads", "attention.kv_heads", "attention.head_dim", "attention.kind"), unknown)
    facts: dict[str, Fact] = {"attention.heads": Known(anatomy.heads, text.basis(*names(family, HEADS)) or Basis.DERIVED)}
    per_layer = [mixer.kv_heads for layer, _ in distinct(anatomy.layers) for mixer in layer.mixers if mixer.kv_heads is not None]
    kv_heads = max(per_layer) if per_layer and latent_rank(text) is None else anatomy.kv_heads
    for fact, value, keys in (("attention.kv_heads", kv_heads, KV_HEADS), ("attention.head_dim", anatomy.head_dim, HEAD_DIM)):
        if value is None:
            facts[fact] = _unknown(text, keys)
        else:
            stated = text.get(*names(family, keys)) == value
            facts[fact] = Known(value, (text.basis(*names(family, keys)) if stated else None) or Basis.DERIVED)
    facts |= _latent(anatomy)
    facts |= {name: Known(value, Basis.DERIVED) for name, value in _traits(anatomy).items()}
    return facts


def _latent(anatomy: Anatomy) -> dict[str, Fact]:
    text = anatomy.text
    rank = latent_rank(text)
    width = text.integer("v_head_dim") if text.get("v_head_dim") is not None else None
    facts: dict[str, Fact] = {}
    if width and width != anatomy.head_dim:
        facts["attention.value_head_dim"] = Known(width, text.basis("v_head_dim") or Basis.CONFIG)
    if rank is not None:
        facts["attention.latent_rank"] = Known(rank, text.basis("kv_lora_rank") or Basis.CONFIG)
        rotary = text.integer("qk_rope_head_dim") if text.get("qk_rope_head_dim") is not None else None
        if rotary is not None:
            facts["attention.rope_head_dim"] = Known(rotary, text.basis("qk_rope_head_dim") or Basis.CONFIG)
        queries = text.integer("q_lora_rank") if text.get("q_lora_rank") is not None else None
        if queries:
            facts["attention.query_rank"] = Known(queries, text.basis("q_lora_rank") or Basis.CONFIG)
    return facts


def _traits(anatomy: Anatomy) -> dict[str, Value]:
    """Biases, sinks, sparsity: stated by a key or by the family's record."""
    text, family = anatomy.text, family_of(anatomy.text.model_type)
    bias = text.get("attention_bias", "qkv_bias", "use_qkv_bias", "add_qkv_bias")
    if not text.states("attention_bias", "qkv_bias", "use_qkv_bias", "add_qkv_bias") and family.qkv_bias is not None:
        bias = family.qkv_bias
    indexed = any(mixer.kind is LayerKind.INDEXER for layer, _ in distinct(anatomy.layers) for mixer in layer.mixers)
    sinks = family.sinks or any(
        text.raw.get(key) is True for key in ("add_swa_attention_sink_bias", "add_full_attention_sink_bias", "use_sinks")
    )
    traits: dict[str, Value] = {"attention.sparse": indexed or family.block_sparse, "attention.sinks": sinks}
    if isinstance(bias, bool):
        traits["attention.qkv_bias"] = bias
    return traits


def _experts(anatomy: Anatomy) -> dict[str, Fact]:
    experts = anatomy.experts
    if experts is None:
        return {}
    text = anatomy.text
    facts: dict[str, Fact] = {
        "moe.experts": Known(experts.count, text.basis(*COUNT) or Basis.CONFIG),
        "moe.experts_per_token": Known(experts.per_token, text.basis(*PER_TOKEN) or Basis.CONFIG),
        "moe.shared_experts": Known(experts.shared, Basis.DERIVED),
    }
    if experts.intermediate_size is not None:
        facts["moe.intermediate_size"] = Known(experts.intermediate_size, text.basis(*WIDTH) or Basis.DERIVED)
    if anatomy.layers:
        facts["moe.layers"] = Known(anatomy.moe_layers, Basis.DERIVED)
        facts["moe.dense_layers"] = Known(len(anatomy.layers) - anatomy.moe_layers, Basis.DERIVED)
    return facts

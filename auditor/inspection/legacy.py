"""Configs that predate, or never took, the common keys: put in the words that the common reader knows.

Each rule below recognises a layout by the keys that only it has.
"""

from collections.abc import Callable, Mapping
from typing import Any

Json = dict[str, Any]


def in_common_words(raw: Json) -> Json:
    """Return ``raw`` in common keys; itself, where it has a model type or no rule knows its layout."""
    if isinstance(raw.get("model_type"), str):
        return raw
    for keys, translate in _LAYOUTS:
        if all(key in raw for key in keys):
            return translate(raw)
    return raw


def _mamba(raw: Json) -> Json:
    """Read the reference implementation's config: ``d_model``, ``n_layer`` and the layer's arguments in ``ssm_cfg``."""
    arguments = raw["ssm_cfg"] if isinstance(raw["ssm_cfg"], Mapping) else {}
    width, expand = raw.get("d_model"), arguments.get("expand", 2)
    common = {
        "hidden_size": width,
        "num_hidden_layers": raw.get("n_layer"),
        "expand": expand,
        "conv_kernel": arguments.get("d_conv", 4),
        "vocab_size": _padded(raw.get("vocab_size"), raw.get("pad_vocab_size_multiple", 1)),
        "tie_word_embeddings": raw.get("tie_embeddings", True),
    }
    if arguments.get("layer") != "Mamba2":
        return {"model_type": "mamba", "architectures": ["MambaForCausalLM"], "state_size": arguments.get("d_state", 16), **common}
    head_dim = arguments.get("headdim", 64)
    heads = expand * width // head_dim if isinstance(width, int) else None
    sizes = {"state_size": arguments.get("d_state", 128), "n_groups": arguments.get("ngroups", 1), "num_heads": heads, "head_dim": head_dim}
    return {"model_type": "mamba2", "architectures": ["Mamba2ForCausalLM"], **sizes, **common}


def _padded(size: object, multiple: object) -> object:
    if isinstance(size, int) and isinstance(multiple, int) and multiple > 1:
        return -(-size // multiple) * multiple
    return size


def _params(raw: Json) -> Json:
    """Read a ``params.json`` beside consolidated weights, as Mistral and Meta publish them."""
    experts = raw.get("moe") if isinstance(raw.get("moe"), Mapping) else {}
    sizes = {
        "hidden_size": raw.get("dim"),
        "num_hidden_layers": raw.get("n_layers"),
        "num_attention_heads": raw.get("n_heads"),
        "num_key_value_heads": raw.get("n_kv_heads"),
        "head_dim": raw.get("head_dim"),
        "intermediate_size": raw.get("hidden_dim") or _meta_width(raw),
        "vocab_size": raw["vocab_size"] if isinstance(raw.get("vocab_size"), int) and raw["vocab_size"] > 0 else None,
        "max_position_embeddings": raw.get("max_seq_len") or raw.get("max_position_embeddings"),
        "sliding_window": raw.get("sliding_window"),
        "rope_theta": raw.get("rope_theta"),
        "tie_word_embeddings": raw.get("tied_embeddings", False),
        "num_local_experts": (experts or {}).get("num_experts"),
        "num_experts_per_tok": (experts or {}).get("num_experts_per_tok"),
        "vision_config": raw.get("vision_encoder"),
    }
    model_type = "mixtral" if experts else "mistral" if "hidden_dim" in raw else "llama"
    named = {"model_type": model_type, "architectures": [f"{model_type.capitalize()}ForCausalLM"]}
    return {**named, **{key: value for key, value in sizes.items() if value is not None or key == "sliding_window"}}


def _meta_width(raw: Json) -> int | None:
    """Width of the feed-forward layers by the rule of Meta's reference code."""
    width, multiple = raw.get("dim"), raw.get("multiple_of")
    if not isinstance(width, int) or not isinstance(multiple, int) or multiple < 1:
        return None
    hidden = 2 * 4 * width // 3
    factor = raw.get("ffn_dim_multiplier")
    if isinstance(factor, int | float):
        hidden = int(factor * hidden)
    return -(-hidden // multiple) * multiple


_LAYOUTS: tuple[tuple[tuple[str, ...], Callable[[Json], Json]], ...] = (
    (("ssm_cfg", "d_model"), _mamba),
    (("dim", "n_layers", "n_heads"), _params),
)

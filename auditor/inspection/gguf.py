"""A GGUF file's metadata, put in the words that configs use, so that one reader serves both.

Keys are those of the GGUF specification (``{arch}.block_count``, ``{arch}.attention.head_count_kv``, …), some of them one value per layer.
"""

from collections.abc import Mapping
from typing import Any

from auditor.inspection import patterns
from auditor.snapshot import Snapshot

#: ``general.architecture`` -> model type of the config class with the same layout, where the two differ in more than spelling.
_TYPES = {
    "command-r": "cohere",
    "deepseek2": "deepseek_v3",
    "falcon-h1": "falcon_h1",
    "gemma3": "gemma3_text",
    "gemma3n": "gemma3n_text",
    "gemma4": "gemma4_text",
    "glm4moe": "glm4_moe",
    "gpt-oss": "gpt_oss",
    "gptneox": "gpt_neox",
    "granitehybrid": "granitemoehybrid",
    "granite-moe": "granitemoe",
    "kimi-linear": "kimi_linear",
    "lfm2moe": "lfm2_moe",
    "llama4": "llama4_text",
    "minimax-m2": "minimax_m2",
    "mistral3": "mistral",
    "nemotron_h_moe": "nemotron_h",
    "phi2": "phi",
    "qwen2moe": "qwen2_moe",
    "qwen2vl": "qwen2",
    "qwen3moe": "qwen3_moe",
    "qwen3next": "qwen3_next",
    "qwen3vl": "qwen3",
    "qwen3vlmoe": "qwen3_moe",
    "qwen35": "qwen3_5_text",
    "qwen35moe": "qwen3_5_moe_text",
    "starcoder": "gpt_bigcode",
}

#: Metadata key after the architecture's name -> config key.
_KEYS = {
    "embedding_length": "hidden_size",
    "context_length": "max_position_embeddings",
    "vocab_size": "vocab_size",
    "attention.key_length_swa": "swa_head_dim",
    "attention.value_length_swa": "swa_v_head_dim",
    "attention.sliding_window": "sliding_window",
    "attention.chunk_size": "attention_chunk_size",
    "attention.kv_lora_rank": "kv_lora_rank",
    "attention.q_lora_rank": "q_lora_rank",
    "attention.indexer.head_count": "index_n_heads",
    "attention.indexer.key_length": "index_head_dim",
    "attention.indexer.top_k": "index_topk",
    "attention.shared_kv_layers": "num_kv_shared_layers",
    "expert_count": "num_experts",
    "expert_used_count": "num_experts_per_tok",
    "expert_shared_count": "n_shared_experts",
    "expert_feed_forward_length": "moe_intermediate_size",
    "expert_shared_feed_forward_length": "shared_expert_intermediate_size",
    "leading_dense_block_count": "first_k_dense_replace",
    "interleave_moe_layer_step": "interleave_moe_layer_step",
    "full_attention_interval": "full_attention_interval",
    "shortconv.l_cache": "conv_L_cache",
    "wkv.head_size": "head_size",
    "rope.freq_base": "rope_theta",
    "nextn_predict_layers": "num_nextn_predict_layers",
}
#: Architectures that encode and keep no cache.
_ENCODERS = ("bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "jina-bert-v3", "modern-bert", "neo-bert", "eurobert")
_DELTA_NETS = ("qwen3next", "qwen35", "qwen35moe")


def gguf_config(snapshot: Snapshot) -> tuple[dict[str, Any], str] | None:
    """Return the config that a GGUF file's metadata amounts to and the file's path; None where no GGUF file was read."""
    chosen = [file.path for group in snapshot.weights if group.format == "gguf" for file in group.files]
    for path in [*chosen, *snapshot.documents]:
        document = snapshot.documents.get(path)
        if path.endswith(".gguf") and isinstance(document, Mapping) and isinstance(document.get("general.architecture"), str):
            return config_from_metadata(document, has_head=_has_head(snapshot)), path
    return None


def config_from_metadata(metadata: Mapping[str, Any], *, has_head: bool | None = None) -> dict[str, Any]:
    """Return ``metadata`` in config keys. ``has_head`` says whether the file holds an output matrix of its own."""
    arch = str(metadata["general.architecture"])

    def get(key: str) -> Any:
        return metadata.get(f"{arch}.{key}")

    config: dict[str, Any] = {"model_type": _TYPES.get(arch, arch.replace("-", "_")), "general.architecture": arch}
    config |= {ours: value for theirs, ours in _KEYS.items() if (value := get(theirs)) is not None}
    layers = get("block_count")
    nextn = get("nextn_predict_layers")
    if isinstance(layers, int):
        layers -= nextn if isinstance(nextn, int) else 0
        config["num_hidden_layers"] = layers
    config["architectures"] = ["GGUFModel" if arch in _ENCODERS else "GGUFForCausalLM"]
    config |= _heads(get) | _widths(get)
    config |= _latent(get) if config.get("kv_lora_rank") is not None else {}
    config |= _states(get, arch, config.get("hidden_size"))
    if isinstance(layers, int):
        kinds = _kinds(get, layers)
        if kinds is not None:
            config["layer_types"] = kinds
    if "vocab_size" not in config:
        tokens = metadata.get("tokenizer.ggml.tokens")
        if isinstance(tokens, list | tuple):
            config["vocab_size"] = len(tokens)
    if has_head is not None:
        config["tie_word_embeddings"] = not has_head
    return config


def _has_head(snapshot: Snapshot) -> bool | None:
    tables = [file.tensors for group in snapshot.weights for file in group.files]
    if not tables or any(table is None for table in tables):
        return None
    return any(tensor.name == "output.weight" for table in tables for tensor in table or ())


def _heads(get: Any) -> dict[str, Any]:
    heads, kv_heads = get("attention.head_count"), get("attention.head_count_kv")
    config: dict[str, Any] = {}
    if heads is not None:
        config["num_attention_heads"] = max(heads) if isinstance(heads, list | tuple) else heads
    if isinstance(kv_heads, list | tuple):
        config["num_key_value_heads"] = list(kv_heads)
    elif kv_heads is not None:
        config["num_key_value_heads"] = kv_heads
    for theirs, ours in (("attention.key_length", "head_dim"), ("attention.value_length", "v_head_dim")):
        if (value := get(theirs)) is not None:
            config[ours] = value
    return config


def _widths(get: Any) -> dict[str, Any]:
    width = get("feed_forward_length")
    if isinstance(width, list | tuple):
        return {"intermediate_size": max(width)} if max(width, default=0) else {}
    return {"intermediate_size": width} if width else {}


def _latent(get: Any) -> dict[str, Any]:
    """Latent attention: key_length is either the whole head or, in newer files, the latent with its rotary key."""
    rotary = get("rope.dimension_count")
    whole = get("attention.key_length_mla") or get("attention.key_length")
    value = get("attention.value_length_mla") or get("attention.value_length")
    if not isinstance(rotary, int) or not isinstance(whole, int):
        return {}
    # One key/value head is how the file spells the shared latent; each query head has a key of its own once it is expanded.
    return {
        "qk_rope_head_dim": rotary,
        "qk_nope_head_dim": whole - rotary,
        "v_head_dim": value,
        "head_dim": None,
        "num_key_value_heads": None,
    }


def _states(get: Any, arch: str, hidden: Any) -> dict[str, Any]:
    """State-space keys. Of a delta net they mean key width, key heads and value heads; of Mamba 2, state, groups and heads."""
    state, inner, width = get("ssm.state_size"), get("ssm.inner_size"), get("ssm.conv_kernel")
    groups, rank = get("ssm.group_count"), get("ssm.time_step_rank")
    if not isinstance(state, int) or not isinstance(inner, int) or not isinstance(width, int):
        return {}
    if arch in _DELTA_NETS and isinstance(rank, int) and rank > 0:
        return {
            "linear_conv_kernel_dim": width,
            "linear_key_head_dim": state,
            "linear_num_key_heads": groups,
            "linear_num_value_heads": rank,
            "linear_value_head_dim": inner // rank,
        }
    if isinstance(groups, int) and groups > 0:
        return {"mamba_d_conv": width, "mamba_d_state": state, "mamba_n_groups": groups, "mamba_n_heads": rank, "mamba_d_ssm": inner}
    expand = inner / hidden if isinstance(hidden, int) and hidden else None
    return {"mamba_d_conv": width, "mamba_d_state": state, "mamba_expand": expand}


def _kinds(get: Any, layers: int) -> list[str] | None:
    """Kinds of layers from per-layer arrays: no key/value head means no attention; a true window flag means a window."""
    kv_heads, flags, widths = get("attention.head_count_kv"), get("attention.sliding_window_pattern"), get("feed_forward_length")
    if isinstance(flags, list | tuple) and len(flags) >= layers:
        return [patterns.WINDOW if flag else patterns.FULL for flag in flags[:layers]]
    if not isinstance(kv_heads, list | tuple) or len(kv_heads) < layers or all(kv_heads[:layers]):
        return None
    if get("shortconv.l_cache") is not None:
        others = patterns.CONVOLUTION
    else:
        others = patterns.RECURRENT if get("ssm.state_size") is not None else patterns.NONE
    kinds = [patterns.FULL if heads else others for heads in kv_heads[:layers]]
    if isinstance(widths, list | tuple) and len(widths) >= layers and others == patterns.RECURRENT and not all(widths[:layers]):
        alone = patterns.MOE if get("expert_count") else patterns.MLP
        kinds = [alone if kind == others and width else kind for kind, width in zip(kinds, widths, strict=False)]
    return kinds

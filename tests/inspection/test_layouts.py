"""Layer patterns and layouts: one small config per key that says which layers attend, recur, slide or hold experts."""

from typing import Any

import pytest

from auditor.inspection.gguf import config_from_metadata
from auditor.inspection.legacy import in_common_words
from auditor.inspection.model import LayerKind
from auditor.inspection.read import read_anatomy
from tests.support.published import of_documents

SIZES = {
    "hidden_size": 64,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "num_hidden_layers": 8,
    "sliding_window": 32,
}
MAMBA = {"mamba_n_heads": 4, "mamba_d_state": 16, "mamba_d_conv": 4, "mamba_expand": 2, "mamba_n_groups": 1}
LETTERS = {
    LayerKind.FULL: "F",
    LayerKind.WINDOW: "W",
    LayerKind.CHUNK: "C",
    LayerKind.LATENT: "L",
    LayerKind.RECURRENT: "R",
    LayerKind.CONVOLUTION: "V",
    LayerKind.CROSS: "X",
    LayerKind.SHARED: "s",
    LayerKind.NONE: "-",
    LayerKind.INDEXER: "i",
}


def _layout(keys: dict[str, Any]) -> str:
    """Return one letter per layer, the letters of a layer with several mixers in brackets."""
    anatomy = read_anatomy({"model_type": "custom", "architectures": ["CustomForCausalLM"], **SIZES, **keys})
    words = ["".join(LETTERS[mixer.kind] for mixer in layer.mixers) for layer in anatomy.layers]
    return "".join(word if len(word) == 1 else f"[{word}]" for word in words)


@pytest.mark.parametrize(
    ("keys", "layout"),
    [
        ({"layer_types": ["full_attention", "sliding_attention"] * 4}, "FWFWFWFW"),
        ({"layer_types": ["attention", "mamba"] * 4, **MAMBA}, "FRFRFRFR"),
        ({"layer_types": ["conv", "full_attention"] * 4, "conv_L_cache": 3}, "VFVFVFVF"),
        ({"layers_block_type": ["mamba", "hybrid"] * 4, **MAMBA}, "R[FR]R[FR]R[FR]R[FR]"),
        ({"hybrid_override_pattern": "M-M*-M-E", **MAMBA}, "R-RF-R--"),
        ({"hybrid_layer_pattern": [0, 1, 1, 1, 0, 1, 1, 1]}, "FWWWFWWW"),
        ({"attn_type_list": [0, 0, 0, 1] * 2}, "RRRFRRRF"),
        ({"linear_attn_config": {"full_attn_layers": [4, 8], "num_heads": 4, "head_dim": 16}}, "RRRFRRRF"),
        (
            {
                "full_attention_interval": 4,
                "linear_num_value_heads": 4,
                "linear_num_key_heads": 2,
                "linear_key_head_dim": 8,
                "linear_value_head_dim": 8,
                "linear_conv_kernel_dim": 4,
            },
            "RRRFRRRF",
        ),
        ({"attn_layer_period": 4, "attn_layer_offset": 2, **MAMBA}, "RRFRRRFR"),
        ({"attn_layer_indices": [1, 5], **MAMBA}, "RFRRRFRR"),
        ({"full_attn_idxs": [2, 5], "conv_L_cache": 3}, "VVFVVFVV"),
        ({"sliding_window_pattern": 4}, "WWWFWWWF"),
        ({"sliding_window_pattern": "LLG"}, "WWGWWGWF".replace("G", "F")),
        ({"sliding_window": None, "sliding_window_pattern": 4}, "FFFFFFFF"),
        ({"no_rope_layers": [1, 1, 1, 0] * 2, "attention_chunk_size": 16, "sliding_window": None}, "CCCFCCCF"),
        ({"cross_attention_layers": [3, 7], "sliding_window": None}, "FFFXFFFX"),
        ({"use_sliding_window": True, "max_window_layers": 6}, "FFFFFFWW"),
        ({"use_sliding_window": False, "max_window_layers": 6}, "FFFFFFFF"),
        (
            {"block_types": ["recurrent", "recurrent", "attention"], "attention_window_size": 16, "lru_width": 64, "conv1d_width": 4},
            "RRWRRWRR",
        ),
        ({"num_kv_shared_layers": 3, "sliding_window": None}, "FFFFFsss"),
        ({"use_cla": True, "cla_share_factor": 2, "sliding_window": None}, "FsFsFsFs"),
        ({"kv_lora_rank": 8, "qk_rope_head_dim": 4, "qk_nope_head_dim": 8, "sliding_window": None}, "LLLLLLLL"),
        ({"kv_lora_rank": 8, "qk_rope_head_dim": 4, "use_mla": False, "sliding_window": None}, "FFFFFFFF"),
        (
            {
                "kv_lora_rank": 8,
                "qk_rope_head_dim": 4,
                "index_topk": 4,
                "sliding_window": None,
                "index_head_dim": 8,
                "indexer_types": ["full", "shared"] * 4,
            },
            "[Li]L" * 4,
        ),
        (
            {
                "kv_lora_rank": 8,
                "qk_rope_head_dim": 4,
                "index_topk": 4,
                "sliding_window": None,
                "index_head_dim": 8,
                "index_topk_freq": 4,
                "index_skip_topk_offset": 2,
            },
            "[Li][Li]LLL[Li]LL",
        ),
        ({"compress_ratios": [0, 4, 128, 4] * 2, "index_head_dim": 8}, "W[WLi][WL][WLi]" * 2),
        ({"sliding_window": 32, "max_position_embeddings": 32}, "FFFFFFFF"),
    ],
    ids=lambda value: None if isinstance(value, str) else next(iter(value)),
)
def test_layers_are_what_the_key_says(keys: dict[str, Any], layout: str) -> None:
    assert _layout(keys) == layout


@pytest.mark.parametrize(
    ("keys", "sparse"),
    [
        ({}, "11111111"),
        ({"first_k_dense_replace": 2}, "00111111"),
        ({"first_k_dense_replace": 1, "moe_layer_freq": 2}, "00101010"),
        ({"moe_layer_freq": [0, 1, 1, 0, 1, 1, 1, 1]}, "01101111"),
        ({"mlp_layer_types": ["dense"] + ["sparse"] * 7}, "01111111"),
        ({"decoder_sparse_step": 2}, "01010101"),
        ({"decoder_sparse_step": 1, "mlp_only_layers": [0, 3]}, "01101111"),
        ({"expert_layer_period": 2, "expert_layer_offset": 1}, "01010101"),
        ({"interleave_moe_layer_step": 2}, "01010101"),
        ({"moe_layers": [1, 3]}, "01010000"),
        ({"moe_layers_enum": "4,5,6,7"}, "00001111"),
        ({"moe_layer_interval": 1, "moe_layer_start_index": 1, "moe_layer_end_index": -1}, "01111111"),
        ({"moe_layer_frequency": 2}, "01010101"),
        ({"num_dense_layers": 2}, "00111111"),
    ],
    ids=lambda value: None if isinstance(value, str) else next(iter(value), "none"),
)
def test_experts_are_where_the_key_says(keys: dict[str, Any], sparse: str) -> None:
    anatomy = read_anatomy({"model_type": "custom", **SIZES, "num_experts": 4, "num_experts_per_tok": 2, **keys})
    assert "".join(str(int(layer.feed_forward.value == "moe")) for layer in anatomy.layers) == sparse


@pytest.mark.parametrize(
    ("keys", "kv_heads"),
    [
        ({"num_key_value_heads": None}, 4),
        ({"num_key_value_heads": None, "multi_query": True}, 1),
        ({"num_key_value_heads": None, "multi_query": True, "new_decoder_architecture": True, "num_kv_heads": 2}, 2),
        ({"num_key_value_heads": None, "multi_query_attention": True, "multi_query_group_num": 2}, 2),
        ({"num_key_value_heads": None, "multi_query_attention": True}, 1),
        ({"num_key_value_heads": None, "attn_config": {"kv_n_heads": 2}}, 2),
        ({"num_key_value_heads": [1, 2, 2, 1, 1, 1, 1, 1]}, 2),
    ],
)
def test_key_value_heads_have_many_spellings(keys: dict[str, Any], kv_heads: int) -> None:
    assert read_anatomy({"model_type": "custom", **SIZES, "sliding_window": None, **keys}).kv_heads == kv_heads


def test_heads_listed_per_layer_count_per_layer() -> None:
    keys = {"num_key_value_heads": [1, 2, 2, 1, 1, 1, 1, 1], "sliding_window": None}
    anatomy = read_anatomy({"model_type": "custom", **SIZES, **keys})
    assert sum(mixer.elements_per_token for layer in anatomy.layers for mixer in layer.mixers) == 10 * 2 * 16


def test_windowed_and_global_heads_may_differ() -> None:
    keys = {"hybrid_layer_pattern": [0, 1] * 4, "swa_num_key_value_heads": 4, "swa_head_dim": 8, "v_head_dim": 8, "swa_v_head_dim": 4}
    anatomy = read_anatomy({"model_type": "custom", **SIZES, **keys})
    full, window = anatomy.layers[0].mixers[0], anatomy.layers[1].mixers[0]
    assert full.elements_per_token == 2 * (16 + 8)
    assert window.elements_per_token == 4 * (8 + 4)


def test_the_reference_implementation_of_mamba_is_understood() -> None:
    raw = {"d_model": 2560, "n_layer": 64, "vocab_size": 50277, "ssm_cfg": {}, "pad_vocab_size_multiple": 8}
    assert in_common_words(raw)["vocab_size"] == 50280
    facts = of_documents({"config.json": raw}).facts
    assert facts.value("arch.class") == "ssm"
    assert facts.value("state.bytes_per_sequence") == 64 * 5120 * (16 + 3) * 2
    second = {**raw, "ssm_cfg": {"layer": "Mamba2"}}
    state = 5120 * 128 + (5120 + 2 * 128) * 3
    assert of_documents({"config.json": second}).facts.value("state.bytes_per_sequence") == 64 * state * 2


def test_params_beside_consolidated_weights_serve_as_config() -> None:
    mixtral = {"dim": 4096, "n_layers": 32, "n_heads": 32, "n_kv_heads": 8, "head_dim": 128, "hidden_dim": 14336, "vocab_size": 32000}
    facts = of_documents({"params.json": {**mixtral, "moe": {"num_experts": 8, "num_experts_per_tok": 2}}}).facts
    assert facts.value("arch.class") == "moe-transformer"
    assert facts.value("kv_cache.bytes_per_token") == 131_072
    llama = {"dim": 8192, "n_layers": 80, "n_heads": 64, "n_kv_heads": 8, "multiple_of": 4096, "ffn_dim_multiplier": 1.3, "vocab_size": -1}
    facts = of_documents({"params.json": llama}).facts
    assert facts.value("arch.intermediate_size") == 28672
    assert facts.value("kv_cache.bytes_per_token") == 327_680


def test_a_delta_net_of_flash_linear_attention_keeps_a_state_per_value_head() -> None:
    facts = of_documents({"config.json": {"model_type": "gated_deltanet", "architectures": ["GatedDeltaNetForCausalLM"]}}).facts
    assert facts.value("arch.class") == "ssm"
    assert facts.value("attention.kind") == "none"
    assert facts.value("attention.linear_layers") == 21
    assert facts.value("state.bytes_per_sequence") == 21 * (6 * 512 * 256 * 4 + (2 * 6 * 256 + 6 * 512) * 3 * 2)


def _gguf(arch: str, **keys: Any) -> dict[str, Any]:
    return {"general.architecture": arch, **{f"{arch}.{key.replace('__', '.')}": value for key, value in keys.items()}}


def test_gguf_arrays_say_which_layers_attend() -> None:
    metadata = _gguf(
        "lfm2", block_count=4, embedding_length=64, attention__head_count=4, attention__head_count_kv=[0, 0, 2, 0], shortconv__l_cache=3
    )
    facts = of_documents({"model.gguf": metadata}).facts
    assert facts.value("arch.class") == "hybrid"
    assert facts.value("kv_cache.bytes_per_token") == 2 * 2 * 16 * 2
    assert facts.value("arch.model_type") == "lfm2"


def test_gguf_layers_leave_prediction_layers_out() -> None:
    config = config_from_metadata(_gguf("glm4moe", block_count=47, nextn_predict_layers=1, embedding_length=4096))
    assert config["num_hidden_layers"] == 46
    assert config["num_nextn_predict_layers"] == 1


def test_gguf_window_flags_are_layer_types() -> None:
    metadata = _gguf("gpt-oss", block_count=4, attention__sliding_window=128, attention__sliding_window_pattern=[True, False, True, False])
    config = config_from_metadata(metadata)
    assert config["layer_types"] == ["sliding_attention", "full_attention"] * 2
    assert config["sliding_window"] == 128


def test_gguf_counts_the_vocabulary_it_holds() -> None:
    metadata = {**_gguf("llama", block_count=2, embedding_length=64), "tokenizer.ggml.tokens": ["a"] * 10}
    assert config_from_metadata(metadata, has_head=False) | {"vocab_size": 10, "tie_word_embeddings": True} == config_from_metadata(
        metadata, has_head=False
    )

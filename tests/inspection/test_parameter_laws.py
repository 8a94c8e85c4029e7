"""Laws of parameters against counts that transformers and diffusers gave on the meta device (tools/make_reference_counts.py)."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from auditor.inspection.parameters_from_config import count_parts
from auditor.inspection.parameters_keys import Missing, Parts
from auditor.inspection.pipelines import read_component
from auditor.inspection.read import read_anatomy

DATA = Path(__file__).parent.parent / "data"
REFERENCE: dict[str, dict[str, int]] = json.loads((DATA / "reference_counts.json").read_text())["counts"]
CONFIGS: dict[str, dict[str, Any]] = json.loads(gzip.decompress((DATA / "configs.json.gz").read_bytes()))
TRANSFORMERS = [name for name in REFERENCE if "_class_name" not in CONFIGS[name]]


def counted(config: Mapping[str, Any]) -> Parts | None:
    raw = dict(config)
    anatomy = read_component(raw, "config.json") if "_class_name" in raw else read_anatomy(raw)
    try:
        return count_parts(anatomy)
    except Missing:
        return None


@pytest.mark.parametrize("name", sorted(REFERENCE))
def test_a_count_is_exact_or_unknown(name: str) -> None:
    parts = counted(CONFIGS[name])
    if parts is None:
        return
    reference = REFERENCE[name]
    assert parts.total == reference["total"]
    assert parts.experts == reference.get("routed_experts", 0)
    if "embedding" in reference:
        assert parts.embedding + parts.head == reference["embedding"]


def test_most_configs_that_transformers_builds_are_counted() -> None:
    known = [name for name in TRANSFORMERS if counted(CONFIGS[name]) is not None]
    assert len(known) / len(TRANSFORMERS) >= 0.97


PUBLISHED = [line.split("\t") for line in (DATA / "published_totals.tsv").read_text().splitlines() if not line.startswith("#")]


@pytest.mark.parametrize(("name", "total"), PUBLISHED)
def test_laws_give_the_published_total(name: str, total: str) -> None:
    parts = counted(CONFIGS[name])
    assert parts is not None
    assert parts.mtp is not None
    assert parts.total + parts.mtp == int(total)


VARIANTS: dict[str, dict[str, Any]] = json.loads(gzip.decompress((DATA / "reference_variants.json.gz").read_bytes()))["variants"]


@pytest.mark.parametrize("name", sorted(VARIANTS))
def test_every_flag_of_a_class_is_taught_or_unknown(name: str) -> None:
    parts = counted(VARIANTS[name]["config"])
    reference = VARIANTS[name]["counts"]
    if parts is not None:
        assert (parts.total, parts.experts) == (reference["total"], reference.get("routed_experts", 0))


def test_most_variants_are_counted() -> None:
    known = [name for name, variant in VARIANTS.items() if counted(variant["config"]) is not None]
    assert len(known) / len(VARIANTS) >= 0.85


def test_a_misread_width_would_be_noticed() -> None:
    config = CONFIGS["meta-llama/Llama-3.1-8B-Instruct"]
    parts = counted({**config, "intermediate_size": config["intermediate_size"] + 1})
    assert parts is not None
    assert parts.total == REFERENCE["meta-llama/Llama-3.1-8B-Instruct"]["total"] + 3 * 4096 * 32


def test_an_untaught_type_is_unknown_with_its_reason() -> None:
    anatomy = read_anatomy({"model_type": "never-heard-of", "hidden_size": 64, "num_hidden_layers": 2, "vocab_size": 10})
    with pytest.raises(Missing, match="never-heard-of"):
        count_parts(anatomy)


def test_published_totals_of_classes_that_transformers_cannot_build() -> None:
    shape = {"num_attention_heads": 16, "num_key_value_heads": 16, "hidden_size": 2048, "vocab_size": 102400, "tie_word_embeddings": False}
    experts = {"n_routed_experts": 64, "n_shared_experts": 2, "num_experts_per_tok": 6, "moe_intermediate_size": 1408}
    dense_first = {"first_k_dense_replace": 1, "moe_layer_freq": 1, "intermediate_size": 10944, "num_hidden_layers": 28}
    deepseek = counted({"model_type": "deepseek", "architectures": ["DeepseekForCausalLM"], **shape, **experts, **dense_first})
    assert deepseek is not None
    assert deepseek.total == 16_375_728_128
    mixture = {"ffn_config": {"ffn_hidden_size": 10752, "moe_num_experts": 16, "moe_top_k": 4}, "attn_config": {"kv_n_heads": 8}}
    sizes = {"d_model": 6144, "n_heads": 48, "n_layers": 40, "vocab_size": 100352, "tie_word_embeddings": False}
    dbrx = counted({"model_type": "dbrx", "architectures": ["DbrxForCausalLM"], **mixture, **sizes})
    assert dbrx is not None
    assert dbrx.total == 131_596_523_520
    hybrid = {"attn_type_list": [0, 0, 0, 0, 0, 0, 0, 1] * 10, "num_hidden_layers": 80, "hidden_size": 6144, "intermediate_size": 9216}
    heads = {"num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 200064, "tie_word_embeddings": False}
    chosen = {"num_local_experts": 32, "num_experts_per_tok": 2, "shared_intermediate_size": 0}
    minimax = counted({"model_type": "minimax_m1", "architectures": ["MiniMaxM1ForCausalLM"], **hybrid, **heads, **chosen})
    assert minimax is not None
    assert minimax.total == 456_089_655_296


def test_a_decoder_as_deep_as_its_encoder_needs_no_key() -> None:
    sizes = {"d_model": 1024, "d_ff": 65536, "d_kv": 128, "num_heads": 128, "num_layers": 24, "vocab_size": 32128}
    parts = counted({"model_type": "t5", "architectures": ["T5ForConditionalGeneration"], "is_encoder_decoder": True, **sizes})
    assert parts is not None
    assert parts.total == 11_307_321_344


_WINDOWS = ["sliding_attention", "sliding_attention", "sliding_attention", "full_attention"]
_EXAONE = {
    "model_type": "exaone4_5",
    "architectures": ["Exaone4_5_ForConditionalGeneration"],
    "tie_word_embeddings": False,
    "text_config": {
        "model_type": "exaone4_5_text",
        "hidden_size": 5120,
        "intermediate_size": 27392,
        "num_hidden_layers": 64,
        "num_attention_heads": 40,
        "num_key_value_heads": 8,
        "layer_types": _WINDOWS * 16,
        "sliding_window": 4096,
        "vocab_size": 153600,
    },
    "vision_config": {
        "model_type": "exaone4_5_vision",
        "depth": 28,
        "hidden_size": 2048,
        "intermediate_size": 5120,
        "num_heads": 32,
        "num_key_value_heads": 8,
        "out_hidden_size": 5120,
        "patch_size": 14,
        "temporal_patch_size": 2,
    },
}
_LFM2_VL = {
    "model_type": "lfm2_vl",
    "architectures": ["Lfm2VlForConditionalGeneration"],
    "downsample_factor": 2,
    "projector_bias": True,
    "projector_hidden_size": 2048,
    "projector_use_layernorm": False,
    "text_config": {
        "model_type": "lfm2",
        "block_auto_adjust_ff_dim": True,
        "block_ffn_dim_multiplier": 1.0,
        "block_multiple_of": 256,
        "conv_L_cache": 3,
        "hidden_size": 2048,
        "intermediate_size": 12288,
        "layer_types": ["conv", "conv", "full_attention"] * 3 + ["conv", "full_attention"] * 3 + ["conv"],
        "num_attention_heads": 32,
        "num_hidden_layers": 16,
        "num_key_value_heads": 8,
        "vocab_size": 65536,
    },
    "vision_config": {
        "model_type": "siglip2_vision_model",
        "hidden_size": 1152,
        "intermediate_size": 4304,
        "num_attention_heads": 16,
        "num_hidden_layers": 27,
        "num_patches": 256,
        "patch_size": 16,
        "vision_use_head": False,
    },
}
_HYBRIDS = (5, 11, 17, 23, 29, 35)
_ZAMBA2 = {
    "model_type": "zamba2",
    "architectures": ["Zamba2ForCausalLM"],
    "adapter_rank": 128,
    "attention_head_dim": 128,
    "attention_hidden_size": 4096,
    "hidden_size": 2048,
    "hybrid_layer_ids": list(_HYBRIDS),
    "intermediate_size": 8192,
    "layers_block_type": ["hybrid" if i in _HYBRIDS else "mamba" for i in range(38)],
    "mamba_d_state": 128,
    "mamba_ngroups": 1,
    "n_mamba_heads": 64,
    "num_attention_heads": 32,
    "num_hidden_layers": 38,
    "num_key_value_heads": 32,
    "num_mem_blocks": 1,
    "use_shared_attention_adapter": True,
    "use_mem_rope": True,
    "mamba_headdim": 64,
    "tie_word_embeddings": True,
    "vocab_size": 32000,
}
_WAN = {
    "_class_name": "WanTransformer3DModel",
    "attention_head_dim": 128,
    "cross_attn_norm": True,
    "ffn_dim": 13824,
    "freq_dim": 256,
    "in_channels": 16,
    "num_attention_heads": 40,
    "num_layers": 40,
    "out_channels": 16,
    "patch_size": [1, 2, 2],
    "text_dim": 4096,
}


@pytest.mark.parametrize(
    ("config", "total"),
    [(_EXAONE, 33_813_987_328), (_LFM2_VL, 1_596_625_904), (_ZAMBA2, 1_215_064_704), (_WAN, 14_288_491_584)],
    ids=["exaone4_5", "lfm2_vl", "zamba2 with adapters", "wan"],
)
def test_counts_made_on_the_meta_device(config: dict[str, Any], total: int) -> None:
    parts = counted(config)
    assert parts is not None
    assert parts.total == total


def test_a_tower_that_a_config_states_has_the_defaults_of_its_own_class() -> None:
    stated = {"model_type": "aya_vision", "vision_config": {"model_type": "siglip_vision_model", "hidden_size": 1152}}
    assert read_anatomy(stated).towers[0].config.get("vision_use_head") is not False
    assert read_anatomy({"model_type": "aya_vision"}).towers[0].config.get("vision_use_head") is False

"""The cache of one sequence against figures that were worked out by others or logged by engines."""

from typing import Any

import pytest

from tests.support.published import cache_bytes, of_config, of_documents, published

# What the publishers' configs say, for models whose config is not among the shared ones.
JAMBA = {
    "model_type": "jamba",
    "architectures": ["JambaForCausalLM"],
    "num_hidden_layers": 32,
    "hidden_size": 4096,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "attn_layer_period": 8,
    "attn_layer_offset": 4,
    "mamba_d_state": 16,
    "mamba_d_conv": 4,
    "mamba_expand": 2,
    "torch_dtype": "bfloat16",
}
GRANITE_4_SMALL = {
    "model_type": "granitemoehybrid",
    "architectures": ["GraniteMoeHybridForCausalLM"],
    "num_hidden_layers": 40,
    "hidden_size": 4096,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "layer_types": ["attention" if i in (5, 15, 25, 35) else "mamba" for i in range(40)],
    "mamba_n_heads": 128,
    "mamba_d_head": 64,
    "mamba_d_state": 128,
    "mamba_n_groups": 1,
    "mamba_d_conv": 4,
    "mamba_expand": 2,
    "torch_dtype": "bfloat16",
}
FALCON_7B = {
    "model_type": "falcon",
    "architectures": ["FalconForCausalLM"],
    "num_hidden_layers": 32,
    "hidden_size": 4544,
    "num_attention_heads": 71,
    "multi_query": True,
    "new_decoder_architecture": False,
    "torch_dtype": "bfloat16",
}
QWEN_3_5_27B = {
    "model_type": "qwen3_5",
    "architectures": ["Qwen3_5ForConditionalGeneration"],
    "text_config": {
        "model_type": "qwen3_5_text",
        "num_hidden_layers": 64,
        "hidden_size": 5120,
        "num_attention_heads": 24,
        "num_key_value_heads": 4,
        "head_dim": 256,
        "full_attention_interval": 4,
        "linear_num_key_heads": 16,
        "linear_num_value_heads": 48,
        "linear_key_head_dim": 128,
        "linear_value_head_dim": 128,
        "linear_conv_kernel_dim": 4,
        "mamba_ssm_dtype": "float32",
        "dtype": "bfloat16",
    },
    "vision_config": {"depth": 27},
}
GEMMA_3_27B = {
    "model_type": "gemma3",
    "architectures": ["Gemma3ForConditionalGeneration"],
    "text_config": {
        "model_type": "gemma3_text",
        "num_hidden_layers": 62,
        "hidden_size": 5376,
        "num_attention_heads": 32,
        "num_key_value_heads": 16,
        "head_dim": 128,
        "sliding_window": 1024,
    },
    "vision_config": {"hidden_size": 1152},
    "torch_dtype": "bfloat16",
}
QWEN_3_6_27B_GGUF = {
    "general.architecture": "qwen35",
    "qwen35.block_count": 64,
    "qwen35.embedding_length": 5120,
    "qwen35.attention.head_count": 24,
    "qwen35.attention.head_count_kv": 4,
    "qwen35.attention.key_length": 256,
    "qwen35.attention.value_length": 256,
    "qwen35.full_attention_interval": 4,
    "qwen35.ssm.conv_kernel": 4,
    "qwen35.ssm.state_size": 128,
    "qwen35.ssm.group_count": 16,
    "qwen35.ssm.time_step_rank": 48,
    "qwen35.ssm.inner_size": 6144,
}
DEEPSEEK_V3_GGUF = {
    "general.architecture": "deepseek2",
    "deepseek2.block_count": 61,
    "deepseek2.embedding_length": 7168,
    "deepseek2.attention.head_count": 128,
    "deepseek2.attention.head_count_kv": 1,
    "deepseek2.attention.kv_lora_rank": 512,
    "deepseek2.attention.key_length": 576,
    "deepseek2.attention.value_length": 512,
    "deepseek2.attention.key_length_mla": 192,
    "deepseek2.attention.value_length_mla": 128,
    "deepseek2.rope.dimension_count": 64,
    "deepseek2.expert_count": 256,
    "deepseek2.expert_used_count": 8,
}
#: Short-convolution states of Kimi K3's 69 KDA layers, which the figure for it leaves out.
_K3_CONVOLUTIONS = 69 * 3 * 96 * 128 * 3 * 4
#: Indexer keys of GLM-5's 78 layers, 128 wide, which the figure for it mentions and leaves out.
_GLM_INDEXER = 78 * 128 * 2 * 202_752

WORKED_OUT: list[tuple[str | dict[str, Any], str | None, int, int]] = [
    ("meta-llama/Llama-3.1-8B-Instruct", None, 131_072, 17_179_869_184),
    ("deepseek-ai/DeepSeek-V3", None, 163_840, 11_513_364_480),
    (DEEPSEEK_V3_GGUF, "bfloat16", 163_840, 11_513_364_480),
    ("moonshotai/Kimi-K2.5", None, 262_144, 18_421_383_168),
    ("moonshotai/Kimi-K3", None, 1_048_576, 29_425_139_712 + _K3_CONVOLUTIONS),
    ("zai-org/GLM-5", None, 202_752, 18_218_483_712 + _GLM_INDEXER),
    (QWEN_3_5_27B, None, 262_144, 17_336_762_368),
    (QWEN_3_6_27B_GGUF, "bfloat16", 262_144, 17_336_762_368),
    ("nvidia/Nemotron-H-56B-Base-8K", None, 8_192, 795_164_672),
    ("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", None, 262_144, 1_659_695_104),
    (JAMBA, None, 262_144, 4_303_683_584),
    (GRANITE_4_SMALL, None, 131_072, 2_224_805_888),
    (GEMMA_3_27B, None, 131_072, 11_173_625_856),
    ("google/gemma-3-27b-it", None, 131_072, 11_173_625_856),
    ("google/gemma-4-26B-A4B", None, 262_144, 5_578_424_320),
    ("XiaomiMiMo/MiMo-V2-Flash", "float8_e4m3fn", 262_144, 3_032_678_400),
    ("mistralai/Mistral-7B-v0.1", None, 32_768, 536_870_912),
    ("meta-llama/Llama-4-Scout-17B-16E-Instruct", None, 10_485_760, 516_604_035_072),
    (FALCON_7B, None, 2_048, 16_777_216),
    ("facebook/bart-large", "float32", 1_024, 201_326_592),
]


@pytest.mark.parametrize(
    ("model", "kv_dtype", "tokens", "expected"), WORKED_OUT, ids=lambda value: value if isinstance(value, str) else None
)
def test_cache_of_one_sequence_is_what_others_worked_out(
    model: str | dict[str, Any], kv_dtype: str | None, tokens: int, expected: int
) -> None:
    config = published()[model] if isinstance(model, str) else model
    documents = {"model.gguf": config} if "general.architecture" in config else {"config.json": config}
    assert cache_bytes(of_documents(documents, kv_dtype=kv_dtype), tokens) == expected


#: Bytes per token and rank that serving engines logged: model, ranks that split the heads, layers the rank holds, logged figure, where.
#: An engine rounds its pool down to whole blocks, so the logged rate may come out up to 1.5 % above the law and hardly below it.
LLAMA, QWEN = "meta-llama/Llama-3.1-8B-Instruct", "Qwen/Qwen3-30B-A3B"
LOGGED: list[tuple[str | dict[str, Any], int, float, float, str]] = [
    (LLAMA, 1, 1.0, 131_120.4, "vllm-project/vllm#10517"),
    (LLAMA, 1, 1.0, 131_221.0, "vllm-project/vllm#10517"),
    (LLAMA, 1, 1.0, 131_085.4, "a public vLLM log on A100"),
    (LLAMA, 1, 1.0, 131_158.3, "Gaudi documentation"),
    (LLAMA, 4, 1.0, 32_768.0, "vllm-project/tpu-inference#145"),
    (LLAMA, 1, 1.0, 131_037.9, "kyuz0/amd-r9700-vllm-toolboxes, R9700"),
    (LLAMA, 2, 1.0, 65_533.4, "kyuz0/amd-r9700-vllm-toolboxes, R9700"),
    (LLAMA, 1, 1.0, 131_197.4, "kyuz0/amd-r9700-vllm-toolboxes, RTX 3090"),
    (LLAMA, 1, 1.0, 131_004.1, "kyuz0/amd-r9700-vllm-toolboxes, RTX 4090"),
    (LLAMA, 1, 1.0, 131_067.0, "kyuz0/amd-r9700-vllm-toolboxes, RTX 5090"),
    (LLAMA, 1, 1.0, 131_082.2, "kyuz0/amd-r9700-vllm-toolboxes, A100"),
    (LLAMA, 1, 1.0, 131_098.9, "kyuz0/amd-r9700-vllm-toolboxes, RTX 5000 Ada"),
    ("meta-llama/Llama-3.1-70B-Instruct", 4, 1.0, 81_921.7, "LMCache documentation"),
    ("moonshotai/Kimi-K2.5", 1, 1.0, 70_271.2, "a public SGLang log; a latent is whole on every rank"),
    (QWEN, 2, 1.0, 49_151.7, "a public vLLM 0.10.2 log"),
    (QWEN, 1, 1.0, 98_377.9, "a public vLLM log"),
    ("Qwen/Qwen3-4B", 1, 1.0, 147_464.4, "a vLLM-Ascend issue"),
    ("Qwen/Qwen3-4B", 1, 1.0, 147_452.6, "pegainfer-project/pegainfer#422"),
    ("Qwen/Qwen2.5-72B", 1, 1.0, 327_155.7, "vllm-project/vllm#11230"),
    ("deepseek-ai/DeepSeek-V2-Lite", 1, 14 / 27, 16_123.6, "vllm-project/vllm#20665, one pipeline stage"),
    (
        {"model_type": "whisper", "decoder_layers": 32, "decoder_attention_heads": 20, "d_model": 1280},
        1,
        1.0,
        163_836.6,
        "MLPerf v5.1, whisper-large-v3",
    ),
    (
        {"model_type": "qwen2", "num_hidden_layers": 24, "num_attention_heads": 14, "num_key_value_heads": 2, "hidden_size": 896},
        1,
        1.0,
        12_288.1,
        "a vLLM-Ascend log",
    ),
    (
        {
            "model_type": "lfm2",
            "num_hidden_layers": 16,
            "full_attn_idxs": [2, 5, 8, 10, 12, 14],
            "hidden_size": 2048,
            "num_attention_heads": 32,
            "num_key_value_heads": 8,
        },
        1,
        1.0,
        12_281.6,
        "a public SGLang log, attention layers only",
    ),
    (
        {
            "model_type": "llava",
            "text_config": {
                "model_type": "mistral",
                "num_hidden_layers": 40,
                "num_attention_heads": 32,
                "num_key_value_heads": 8,
                "head_dim": 128,
                "hidden_size": 5120,
                "sliding_window": None,
            },
            "vision_config": {"model_type": "pixtral"},
        },
        1,
        1.0,
        163_820.0,
        "dphnAI/sonar#1320, Pixtral 12B",
    ),
]


@pytest.mark.parametrize(("model", "ranks", "share", "logged", "where"), LOGGED, ids=[row[4] for row in LOGGED])
def test_growth_per_token_is_what_engines_log(model: str | dict[str, Any], ranks: int, share: float, logged: float, where: str) -> None:
    inspection = of_config(published()[model] if isinstance(model, str) else model)
    per_token = inspection.facts.number("kv_cache.bytes_per_token")
    assert per_token is not None
    assert per_token * share / ranks == pytest.approx(logged, rel=0.015), where


def test_recurrent_state_is_what_llama_cpp_logs() -> None:
    """Four sequences of Qwen3.6-27B: 598.50 MiB of recurrent state beside 16,384 MiB of keys and values at 262,144 tokens."""
    facts = of_config(QWEN_3_5_27B).facts
    assert 4 * (facts.integer("state.bytes_per_sequence") or 0) == 598.5 * 2**20
    assert 262_144 * (facts.number("kv_cache.bytes_per_token") or 0) == 16_384 * 2**20


def test_a_block_quantized_cache_counts_its_scales() -> None:
    """DeepSeek's latent cache as q8_0: 34 bytes for each 32 elements, 1,166.625 MiB at 32,768 tokens."""
    facts = of_config(published()["deepseek-ai/DeepSeek-V3"], kv_dtype="q8_0").facts
    assert 32_768 * (facts.number("kv_cache.bytes_per_token") or 0) == 1_166.625 * 2**20


def test_an_engine_that_keeps_windows_in_full_grows_by_both_rates() -> None:
    """What vLLM logged for gpt-oss-120b before it bounded windows: 73,728 bytes per token."""
    facts = of_config(published()["openai/gpt-oss-120b"]).facts
    assert (facts.number("kv_cache.bytes_per_token") or 0) + (facts.number("kv_cache.bytes_per_token_windowed") or 0) == 73_728

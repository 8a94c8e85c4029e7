"""The families: what their configs leave unsaid. To add an architecture, add a record (or a model type to one) here.

Types that need nothing said are not listed: transformers' class table and the general readers cover them.
"""

from auditor.inspection.architectures.model import Family

FAMILIES: tuple[Family, ...] = (
    # Decoders whose code lives in their own repositories
    Family(("baichuan",), tied=False, position="rope"),
    Family(
        ("chatglm",),
        keys={"num_hidden_layers": "num_layers", "vocab_size": "padded_vocab_size", "max_position_embeddings": "seq_length"},
        tied=False,
        position="rope",
    ),
    Family(("internlm2",), tied=False, position="rope", qkv_bias=False),
    Family(("xverse",), tied=False, position="rope"),
    Family(("qwen",), tied=False, position="rope", qkv_bias=True),
    Family(("mimo",), like="qwen2", qkv_bias=True, tied=False),
    Family(("minicpm3", "minicpm"), position="rope", tied=True),
    Family(("phi3small",), position="rope", tied=True, qkv_bias=True, block_sparse=True),
    Family(("phi3_v",), like="phi3", task="image-text-to-text", flat_towers=("vision",), position="rope"),
    Family(("nemotron-nas", "deci"), position="rope", tied=False),
    Family(("kimi_k2",), like="deepseek_v3"),
    Family(("kimi_k25",), text="text_config", task="image-text-to-text"),
    Family(("kimi_k3",), text="text_config", task="image-text-to-text"),
    Family(("deepseek_ref",), like="deepseek_v4"),
    Family(("molmo",), task="image-text-to-text", flat_towers=("vision",), position="rope", tied=False),
    Family(("multi_modality",), text="language_config", task="any-to-any"),
    Family(("deepseek_vl_v2",), text="language_config", text_like="deepseek_v2", task="image-text-to-text"),
    Family(("minimax_text_01", "minimax_m1"), position="rope", tied=False),
    Family(("phi4mm",), like="phi3", task="image-text-to-text", flat_towers=("vision", "audio")),
    Family(("minicpmv",), task="image-text-to-text"),
    Family(("minicpmo",), task="any-to-any"),
    Family(("new", "nvembed"), task="embedding", position="rope"),
    Family(("hymba",), open="its layers share keys and values in groups that auditor has not been taught"),
    Family(("phi4flash", "plamo2"), open="which of its layers recur, slide or share a cache is in its code, not in its config"),
    # Parts that no key nests, or under unusual names
    Family(("fuyu",), task="image-text-to-text", flat_towers=("vision",)),
    Family(("granite_speech", "granite_speech_plus"), task="audio-text-to-text", flat_towers=("audio",)),
    Family(("colpali", "colqwen2", "colmodernvbert"), text="vlm_config", task="embedding", arch_class="multimodal"),
    Family(("bark",), task="text-to-speech", arch_class="dense-transformer"),
    # Biases that no key states
    Family(("qwen2", "qwen2_moe", "qwen2_vl", "qwen2_5_vl", "qwen2_audio", "qwen2_vl_text", "qwen2_5_vl_text"), qkv_bias=True),
    Family(("gpt2", "gpt_bigcode", "gpt_neox", "opt", "bert", "roberta", "xlm-roberta", "phi", "starcoder2", "codegen2"), qkv_bias=True),
    # Experts that no key counts
    Family(("llama4", "llama4_text"), shared_experts=1),
    Family(("switch_transformers",), experts_per_token=1),
    Family(("nllb-moe",), experts_per_token=2),
    # Layers whose kind no key gives
    Family(("falcon_h1",), layer_kind="hybrid"),
    Family(("bamba",), layer_kind="linear_attention"),
    Family(("mamba2",), layer_kind="linear_attention", recurrence="mamba2"),
    Family(("mamba", "falcon_mamba"), layer_kind="linear_attention", recurrence="mamba1"),
    Family(("rwkv",), layer_kind="linear_attention", recurrence="rwkv4"),
    Family(("rwkv5", "rwkv6", "rwkv6qwen2", "rwkv7"), layer_kind="linear_attention", recurrence="rwkv"),
    Family(
        ("gated_deltanet",),
        layer_kind="linear_attention",
        tied=False,
        position="none",
        defaults={"num_heads": 6, "head_dim": 256, "expand_v": 2.0, "conv_size": 4, "use_short_conv": True, "num_hidden_layers": 21},
    ),
    Family(("xlstm",), layer_kind="linear_attention", recurrence="xlstm"),
    Family(("inkling_text", "inkling2_text"), kinds={"hybrid": "convolved", "hybrid_sliding": "convolved_window"}),
    Family(("longcat_flash",), caches_per_layer=2),
    Family(("gemma4_text", "gemma4_unified_text"), defaults={"global_head_dim": 512}),
    Family(("dots3_note_text",), defaults={"swa_kv_lora_rank": 1024}),
    Family(("gpt_neo",), defaults={"attention_types": [[["global", "local"], 12]]}),
    Family(("hrm_text",), open="its layers run several times over, and each pass keeps a cache of its own"),
    # Sinks and positions
    Family(("gpt_oss",), sinks=True, qkv_bias=True),
    Family(("mimo_v2_flash",), sinks=True),
    Family(("jamba", "nemotron_h", "kimi_linear"), position="none"),
    Family(("zamba",), position="none", head_dim_factor=2, recurrence="mamba1"),
    Family(("zamba2",), head_dim_factor=2, recurrence="mamba2"),
    Family(("modernbert-decoder",), window_divisor=2),
    Family(("bloom",), position="alibi", qkv_bias=True),
)

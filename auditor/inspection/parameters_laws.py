"""Which law counts the parameters of which model type. Families share laws; a record states only how a family departs from Llama's.

To add a decoder: add its ``model_type`` to ``DECODERS``, with the exceptions its code makes. Parameters are those of the class that
transformers builds; ``tests/inspection/test_parameter_laws.py`` compares every law with counts made there.
"""

from dataclasses import dataclass, replace

Flag = bool | str


@dataclass(frozen=True, slots=True)
class Decoder:
    """A decoder-only language model, or the language model's part of a larger one. Flags name the config key that decides."""

    qkv_bias: Flag = "attention_bias"
    key_bias: bool = True
    """Whether the key projection has a bias where query and value have."""
    out_bias: Flag = "attention_bias"
    mlp_bias: Flag = "mlp_bias"
    gated: bool = True
    """Three feed-forward matrices instead of two."""
    norm: int = 1
    """Vectors per norm: 1 a scale, 2 a scale and a shift, 0 a norm without parameters."""
    norm_if: str = ""
    """Key that takes the shift away when it is false."""
    layer_norms: int = 2
    layer_norms_alone: int | None = None
    """Norms of layers without a feed-forward part (or that are only one), where they differ."""
    norms_by_part: bool = False
    """Whether a layer that lacks attention or its feed-forward part lacks that part's norm too."""
    parallel: Flag = False
    """Whether attention and feed-forward part stand side by side behind one norm."""
    final_norm: Flag = True
    embedding_norm: bool = False
    embedding_rows_beyond: int = 0
    """Rows of the embedding beyond the vocabulary."""
    embedding_width: str = ""
    """Key of the embedding's width, where it may differ from the hidden size and is then projected."""
    qk_norm: str = ""
    """``head``: one scale of a head's width each; ``width``: of all heads; ``heads``: a scale per head and channel."""
    qk_norm_if: Flag = True
    attention: str = "grouped"
    """``extra`` where ``extra`` counts it; ``none`` where that counts recurrences too."""
    sinks: Flag = False
    windowed_sinks: Flag = False
    """The same for windowed layers, where another key decides."""
    gate: str = ""
    """Gate on the attention's output: ``query`` (query projection twice as wide), ``head`` or ``width`` (a matrix of its own)."""
    keys_of_values: Flag = False
    """Key that makes full-attention layers use their keys as values."""
    positions: str = ""
    """Key that gives the rows of a learned position table."""
    position_offset: int = 0
    vocabulary_multiple: str = ""
    """Key whose value the embedding's rows are rounded up to a multiple of."""
    head_bias: Flag = False
    never_tied: bool = False
    """Whether the class keeps a head of its own whatever the config says."""
    head_always: bool = False
    """Whether the base model has the head too."""
    router_bias: Flag = False
    trained_correction: bool = False
    """Whether the routing correction is a parameter (else a buffer)."""
    expert_bias: bool = False
    expert_input: str = ""
    """Key of the narrower width in which experts work, between two projections of their own."""
    shared_gate: bool = False
    """Whether shared experts are weighted by a gate of their own."""
    dense_beside_experts: bool = False
    """Whether MoE layers keep a dense feed-forward part next to the experts."""
    single: bool = False
    """Whether a layer is one mixer or one feed-forward part, each with one norm."""
    mixer_only: bool = False
    """Whether layers have no feed-forward part, whatever widths the config states."""
    mamba_bias: tuple[Flag, Flag] = ("mamba_proj_bias", "mamba_proj_bias")
    """Bias of the projections into and out of the state-space layer."""
    mamba_norms: Flag = False
    """Norms inside the state-space layer."""
    mamba_width: str = ""
    mlp_width: str = ""
    """Width of dense feed-forward parts where it is not the usual key: another key, ``four`` times hidden, ``half`` the stated
    width, or the rule of ``falcon``, ``mpt``, ``lfm2``."""
    mtp: str = ""
    """What an MTP layer is: ``deepseek`` (a last layer, a joining matrix, three norms, copies of embedding and head), ``glm`` (the same
    without copies), ``qwen`` (a full-attention layer, one joining matrix, three norms). Empty where it is not taught."""
    untaught: tuple[tuple[str, bool], ...] = ()
    """Keys and answers with which the class builds something else: the count is then unknown."""
    requires: tuple[str, ...] = ()
    """Keys without which the class decides in ways that are not taught."""
    text_only: str = ""
    """Class that builds the language model alone from a config that describes towers too."""
    extra: str = ""
    """Name of a function in ``parameters_exceptions`` that adds what no field above describes."""


LLAMA = Decoder()
_PLAIN = Decoder(qkv_bias=False, out_bias=False, mlp_bias=False)
_QWEN2 = replace(_PLAIN, qkv_bias=True)
_QWEN3 = Decoder(mlp_bias=False, qk_norm="head")
_GEMMA = Decoder(mlp_bias=False)
_GPT2 = Decoder(qkv_bias=True, out_bias=True, mlp_bias=True, gated=False, norm=2, positions="max_position_embeddings")
#: Without a tied head the class shares no blocks either.
_ZAMBA = (("tie_word_embeddings", False), ("use_conv_bias", False))
_DEEPSEEK = Decoder(mlp_bias=False, mtp="deepseek")

#: model_type of the language model -> its law.
DECODERS: dict[str, Decoder] = {
    "llama": LLAMA,
    "smollm3": LLAMA,
    "granite": LLAMA,
    "exaone": _PLAIN,
    "exaone4": replace(_PLAIN, qk_norm="head"),
    "exaone4_5_text": replace(_PLAIN, qk_norm="head"),
    "mistral": _PLAIN,
    "ministral": _PLAIN,
    "ministral3": _PLAIN,
    "mixtral": _PLAIN,
    "internlm2": Decoder(qkv_bias="bias", out_bias="bias", mlp_bias=False),
    "baichuan": _PLAIN,
    "xverse": _PLAIN,
    "minicpm": _PLAIN,
    "mimo": replace(_QWEN2, mtp="qwen"),
    "qwen": replace(_PLAIN, qkv_bias=True, mlp_width="half"),
    "qwen2": _QWEN2,
    "qwen2_vl_text": _QWEN2,
    "qwen2_5_vl_text": _QWEN2,
    "qwen2_moe": replace(_QWEN2, qkv_bias="qkv_bias", shared_gate=True),
    "qwen3": _QWEN3,
    "qwen3_moe": _QWEN3,
    "qwen3_vl_text": _QWEN3,
    "qwen3_vl_moe_text": _QWEN3,
    "qwen3_omni_moe_text": _QWEN3,
    "qwen3_next": replace(_QWEN3, gate="query", shared_gate=True, mtp="qwen"),
    "qwen3_5_text": replace(_QWEN3, gate="query", mtp="qwen"),
    "qwen3_5_moe_text": replace(_QWEN3, gate="query", shared_gate=True, mtp="qwen"),
    "olmo": replace(LLAMA, mlp_bias=False, norm=0),
    "olmo2": replace(LLAMA, mlp_bias=False, qk_norm="width"),
    "olmo3": replace(LLAMA, mlp_bias=False, qk_norm="width"),
    "olmoe": replace(LLAMA, mlp_bias=False, qk_norm="width"),
    "gemma": _GEMMA,
    "gemma2": replace(_GEMMA, layer_norms=4),
    "gemma3_text": replace(_GEMMA, layer_norms=4, qk_norm="head"),
    "gemma4_text": replace(
        _GEMMA, layer_norms=4, qk_norm="head", extra="gemma4", keys_of_values="attention_k_eq_v", dense_beside_experts=True
    ),
    "gemma3n_text": replace(_GEMMA, layer_norms=4, qk_norm="head", extra="gemma3n"),
    "recurrent_gemma": replace(_GEMMA, out_bias=True, mlp_bias=True, mlp_width="half"),
    "phi": replace(_GPT2, positions="", layer_norms=1, head_bias=True, qk_norm_if="qk_layernorm", qk_norm="layernorm"),
    "phi3": _PLAIN,
    "phimoe": Decoder(norm=2, head_bias="lm_head_bias"),
    "starcoder2": Decoder(qkv_bias="use_bias", out_bias="use_bias", mlp_bias="use_bias", gated=False, norm=2),
    "stablelm": Decoder(
        qkv_bias="use_qkv_bias",
        out_bias=False,
        mlp_bias=False,
        norm=2,
        qk_norm_if="qk_layernorm",
        qk_norm="heads",
        parallel="use_parallel_residual",
    ),
    "gpt2": _GPT2,
    "gpt_bigcode": _GPT2,
    "gpt_neox": replace(_GPT2, positions="", qkv_bias="attention_bias", out_bias="attention_bias"),
    "gptj": replace(_GPT2, positions="", qkv_bias=False, out_bias=False, layer_norms=1, head_bias=True),
    "opt": replace(
        _GPT2,
        qkv_bias="enable_bias",
        out_bias="enable_bias",
        mlp_bias="enable_bias",
        position_offset=2,
        embedding_width="word_embed_proj_dim",
        final_norm="do_layer_norm_before",
        untaught=(("_remove_final_layer_norm", True), ("layer_norm_elementwise_affine", False)),
    ),
    "bloom": replace(_GPT2, positions="", embedding_norm=True, mlp_width="four"),
    "falcon": Decoder(qkv_bias="bias", out_bias="bias", mlp_bias="bias", gated=False, norm=2, extra="falcon", mlp_width="falcon"),
    "mpt": Decoder(qkv_bias=False, out_bias=False, mlp_bias=False, gated=False, norm=1, mlp_width="mpt"),
    "cohere": replace(LLAMA, mlp_bias=False, layer_norms=1, qk_norm="heads", qk_norm_if="use_qk_norm"),
    "cohere2": replace(LLAMA, mlp_bias=False, layer_norms=1),
    "glm": replace(LLAMA, out_bias=False, mlp_bias=False),
    "glm4": replace(LLAMA, out_bias=False, mlp_bias=False, layer_norms=4),
    "glm4_moe": replace(LLAMA, out_bias=False, mlp_bias=False, qk_norm="head", qk_norm_if="use_qk_norm", mtp="deepseek"),
    "glm4v_text": replace(LLAMA, qkv_bias=True, out_bias=False, mlp_bias=False, layer_norms=4),
    "glm4v_moe_text": replace(LLAMA, out_bias=False, mlp_bias=False),
    "chatglm": replace(_PLAIN, qkv_bias="add_qkv_bias", head_always=True),
    "deepseek": replace(LLAMA, mlp_bias=False),
    "deepseek_v2": _DEEPSEEK,
    "deepseek_v3": _DEEPSEEK,
    "kimi_k2": _DEEPSEEK,
    "deepseek_v32": _DEEPSEEK,
    "glm_moe_dsa": replace(_DEEPSEEK, mtp="glm"),
    "deepseek_v4": replace(_DEEPSEEK, attention="none", mtp="", untaught=(("mlp_bias", True),), extra="deepseek_v4"),
    "deepseek_ref": replace(_DEEPSEEK, attention="none", mtp="", untaught=(("mlp_bias", True),), extra="deepseek_v4"),
    "minicpm3": replace(_DEEPSEEK, mlp_bias="mlp_bias"),
    "kimi_linear": _DEEPSEEK,
    "llama4_text": replace(LLAMA, mlp_bias=False, mlp_width="intermediate_size_mlp"),
    "gpt_oss": Decoder(mlp_bias=False, router_bias=True, expert_bias=True, sinks=True),
    "granitemoe": replace(LLAMA, mlp_bias=False),
    "minimax_m2": Decoder(qkv_bias=False, out_bias=False, qk_norm="width"),
    "minimax": Decoder(qkv_bias=False, out_bias=False),
    "minimax_text_01": Decoder(qkv_bias=False, out_bias=False),
    "minimax_m1": Decoder(qkv_bias=False, out_bias=False),
    "dbrx": _PLAIN,
    "mimo_v2_flash": Decoder(
        out_bias=False,
        mlp_bias=False,
        sinks="add_full_attention_sink_bias",
        windowed_sinks="add_swa_attention_sink_bias",
        requires=("swa_num_key_value_heads",),
    ),
    "laguna": Decoder(mlp_bias=False, qk_norm="head", trained_correction=True, gate="head", extra="laguna"),
    "minimax_m3_vl_text": Decoder(mlp_bias=False, qk_norm="head", mlp_width="dense_intermediate_size", extra="minimax_m3"),
    "muse_glimmer_text": Decoder(mlp_bias=False, layer_norms=4, gate="width"),
    "mllama_text_model": Decoder(
        qkv_bias=False, out_bias=False, mlp_bias=False, embedding_rows_beyond=8, text_only="MllamaForCausalLM", extra="mllama"
    ),
    "mamba": Decoder(layer_norms_alone=1, mixer_only=True, mamba_width="stated", mamba_bias=("use_bias", "use_bias")),
    "falcon_mamba": Decoder(layer_norms_alone=1, mixer_only=True, mamba_width="stated", mamba_bias=("use_bias", "use_bias")),
    "mamba2": Decoder(layer_norms_alone=1, mixer_only=True, mamba_norms=True, mamba_bias=("use_bias", "use_bias")),
    "jamba": Decoder(qkv_bias=False, out_bias=False, mlp_bias=False, mamba_norms=True),
    "nemotron_h": Decoder(
        qkv_bias=False,
        out_bias=False,
        gated=False,
        single=True,
        mamba_norms=True,
        mamba_bias=("use_bias", "use_bias"),
        layer_norms_alone=1,
        expert_input="moe_latent_size",
        never_tied=True,
    ),
    "zamba": Decoder(attention="extra", mixer_only=True, layer_norms_alone=1, untaught=_ZAMBA, extra="zamba"),
    "zamba2": Decoder(attention="extra", mixer_only=True, layer_norms_alone=1, mamba_norms=True, untaught=_ZAMBA, extra="zamba"),
    "bamba": Decoder(mamba_norms=True),
    "lfm2": Decoder(qkv_bias=False, out_bias=False, mlp_bias=False, qk_norm="head", mlp_width="lfm2"),
    "lfm2_moe": Decoder(qkv_bias=False, out_bias=False, mlp_bias=False, qk_norm="head"),
    "granitemoeshared": replace(LLAMA, mlp_bias=False),
    "granitemoehybrid": Decoder(mlp_bias=False, mamba_norms=True, mlp_width="shared_intermediate_size"),
    "falcon_h1": Decoder(mamba_norms="mamba_rms_norm", mamba_bias=("mamba_proj_bias", "projectors_bias")),
    "olmo_hybrid": Decoder(mlp_bias=False, qk_norm="width"),
    "rwkv": Decoder(norm=2, attention="none", mixer_only=True, extra="rwkv"),
    "seed_oss": Decoder(out_bias="attention_out_bias"),
    "ernie4_5": Decoder(qkv_bias="use_bias", out_bias="use_bias", mlp_bias="use_bias"),
    "ernie4_5_moe": Decoder(qkv_bias="use_bias", out_bias="use_bias", mlp_bias="use_bias", trained_correction=True),
    "glm4_moe_lite": replace(_DEEPSEEK, mtp=""),
    "mistral4": replace(_DEEPSEEK, mtp=""),
    "youtu": replace(_DEEPSEEK, mtp=""),
    "helium": replace(LLAMA, out_bias=False, extra="helium"),
    "cwm": LLAMA,
    "arcee": Decoder(gated=False),
    "apertus": Decoder(gated=False, mlp_bias=False, qk_norm="head", extra="apertus"),
    "exaone_moe": replace(_PLAIN, qk_norm="head"),
    "afmoe": Decoder(mlp_bias=False, qk_norm="head", gate="width", layer_norms=4, trained_correction=True),
    "cohere2_moe": replace(LLAMA, mlp_bias=False, layer_norms=1),
    "solar_open": Decoder(out_bias=False, mlp_bias=False),
    "hy_v3": Decoder(qk_norm="head"),
    "hunyuan_v1_dense": Decoder(mlp_bias="mlp_bias", qk_norm="head", qk_norm_if="use_qk_norm"),
    "hunyuan_v1_moe": Decoder(mlp_bias="mlp_bias", qk_norm="head", qk_norm_if="use_qk_norm"),
    "dots1": Decoder(mlp_bias=False, qk_norm="head"),
    "flex_olmo": replace(LLAMA, mlp_bias=False, qk_norm="width"),
    "vaultgemma": _GEMMA,
    "nemotron": Decoder(gated=False, norm=2),
    "internlm3": Decoder(qkv_bias="qkv_bias", out_bias="bias", mlp_bias="bias"),
    "codegen": replace(_GPT2, positions="", qkv_bias=False, out_bias=False, layer_norms=1, head_bias=True),
    "gpt_neo": replace(_GPT2, qkv_bias=False),
    "gpt-sw3": _GPT2,
    "openai-gpt": replace(_GPT2, final_norm=False),
    "ctrl": replace(_GPT2, positions="", head_bias=True, mlp_width="dff"),
    "biogpt": replace(_GPT2, position_offset=2),
    "xglm": replace(_GPT2, positions=""),
    "persimmon": Decoder(qkv_bias=True, out_bias=True, mlp_bias=True, gated=False, norm=2, qk_norm="layernorm", qk_norm_if="qk_layernorm"),
    "deci": replace(_PLAIN, norms_by_part=True),
    "nemotron-nas": replace(_PLAIN, norms_by_part=True),
    "phi3small": Decoder(qkv_bias=True, out_bias=True, mlp_bias=True, norm=2, mlp_width="ff_intermediate_size"),
}

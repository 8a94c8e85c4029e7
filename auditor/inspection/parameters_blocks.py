"""Parameters of one block: attention, recurrences, feed-forward parts, experts. Each a function of the config and the family's law.

All counts are logical parameters as transformers builds them; the letters follow the usual names: ``h`` hidden size, ``d`` head width.
"""

from collections.abc import Callable

from auditor.inspection.anatomy import Experts, Mixer
from auditor.inspection.config import ModelConfig
from auditor.inspection.parameters_keys import Missing, given, linear, need, number, yes
from auditor.inspection.parameters_laws import Decoder


def grouped_attention(config: ModelConfig, law: Decoder, h: int, mixer: Mixer) -> int:
    """Query, key, value and output matrices; grouped keys share heads, value heads may differ in width."""
    heads, kv_heads = given(mixer.heads, "the number of heads"), given(mixer.kv_heads, "the number of key/value heads")
    key, value = given(mixer.key_dim, "the head width"), given(mixer.value_dim, "the value head width")
    bias = yes(config, law.qkv_bias)
    queries = heads * key
    result = linear(h, queries * (2 if law.gate == "query" else 1), bias=bias)
    shares = not yes(config, law.keys_of_values) or mixer.window is not None
    result += linear(h, kv_heads * key, bias=bias and law.key_bias)
    if shares:
        result += linear(h, kv_heads * value, bias=bias)
    result += linear(heads * value, h, bias=yes(config, law.out_bias))
    if law.qk_norm and yes(config, law.qk_norm_if):
        result += {
            "head": 2 * key,
            "width": queries + kv_heads * key,
            "heads": (heads + kv_heads) * key,
            "layernorm": 4 * key,
        }[law.qk_norm]
    if law.gate == "head":
        result += h * heads
    elif law.gate == "width":
        result += h * heads * value
    sinks = law.windowed_sinks if mixer.window is not None and law.windowed_sinks else law.sinks
    if yes(config, sinks):
        result += heads
    return result


def latent_attention(config: ModelConfig, h: int, mixer: Mixer, *, indexed: bool) -> int:
    """Multi-head latent attention: compressed queries (unless ``q_lora_rank`` is null), a latent expanded per head, a rotary key."""
    heads = given(mixer.heads, "the number of heads")
    bias = config.get("attention_bias") is True
    rope = number(config, "qk_rope_head_dim")
    nope, value = need(config, "qk_nope_head_dim"), number(config, "v_head_dim") or h // heads
    rank, latent = number(config, "q_lora_rank"), need(config, "kv_lora_rank")
    result = linear(h, rank, bias=bias) + rank + rank * heads * (nope + rope) if rank else h * heads * (nope + rope)
    result += linear(h, latent + rope, bias=bias) + latent + latent * heads * (nope + value)
    result += linear(heads * value, h, bias=bias)
    if indexed:
        width, count = need(config, "index_head_dim"), need(config, "index_n_heads")
        result += rank * count * width + h * width + 2 * width + h * count
    return result


def mamba1(config: ModelConfig, law: Decoder, h: int) -> int:
    """Selective state space of the first generation."""
    inner = number(config, "intermediate_size") if law.mamba_width == "stated" else 0
    inner = inner or int((config.number("mamba_expand", "expand") or 2) * h)
    state, width = need(config, "mamba_d_state", "state_size"), need(config, "mamba_d_conv", "conv_kernel")
    rank = config.get("mamba_dt_rank", "time_step_rank")
    rank = rank if isinstance(rank, int) and not isinstance(rank, bool) else -(-h // 16)
    biases = tuple(yes(config, flag) for flag in law.mamba_bias)
    convolution = config.get("mamba_conv_bias", "use_conv_bias") is not False
    result = linear(h, 2 * inner, bias=biases[0]) + linear(width, inner, bias=convolution) + inner * (rank + 2 * state)
    result += linear(rank, inner, bias=True) + inner * state + inner + linear(inner, h, bias=biases[1])
    return result + (rank + 2 * state if law.mamba_norms else 0)


def mamba2(config: ModelConfig, law: Decoder, h: int) -> int:
    """Selective state space of the second generation: scalar decay per head, shared projections."""
    heads = need(config, "mamba_num_heads", "mamba_n_heads", "n_mamba_heads", "num_heads")
    inner = number(config, "mamba_d_ssm")
    if not inner:
        width = config.get("mamba_head_dim", "mamba_d_head", "mamba_headdim", "head_dim")
        expand = config.number("mamba_expand", "expand")
        by_heads = heads * width if isinstance(width, int) else None
        inner = by_heads if by_heads is not None else int((expand or 2) * h)
    groups = need(config, "mamba_n_groups", "mamba_ngroups", "n_groups")
    state, kernel = need(config, "mamba_d_state", "ssm_state_size", "state_size"), need(config, "mamba_d_conv", "conv_kernel")
    biases = tuple(yes(config, flag) for flag in law.mamba_bias)
    convolution = config.get("mamba_conv_bias", "use_conv_bias") is not False
    channels = inner + 2 * groups * state
    result = linear(h, inner + channels + heads, bias=biases[0]) + linear(kernel, channels, bias=convolution)
    result += 3 * heads + linear(inner, h, bias=biases[1])
    norm = law.mamba_norms if isinstance(law.mamba_norms, bool) else yes(config, law.mamba_norms)
    return result + (inner if norm else 0)


def gated_delta_net(config: ModelConfig, h: int) -> int:
    """Gated delta rule: separate key and value heads behind one short convolution."""
    key_heads, value_heads = need(config, "linear_num_key_heads"), need(config, "linear_num_value_heads")
    keys, value_width = key_heads * need(config, "linear_key_head_dim"), need(config, "linear_value_head_dim")
    values = value_heads * value_width
    result = h * (2 * keys + 2 * values) + h * 2 * value_heads + (2 * keys + values) * need(config, "linear_conv_kernel_dim")
    return result + 2 * value_heads + value_width + values * h


def kimi_delta_attention(config: ModelConfig, h: int) -> int:
    """Kimi delta attention: per-channel decay and output gate through low-rank maps, three short convolutions."""
    part = config.get("linear_attn_config")
    part = part if isinstance(part, dict) else {}
    heads, width, kernel = (part.get(key) for key in ("num_heads", "head_dim", "short_conv_kernel_size"))
    if not (isinstance(heads, int) and isinstance(width, int) and isinstance(kernel, int)):
        raise Missing("the config does not describe its linear attention")
    inner = heads * width
    result = 3 * h * inner + 3 * inner * kernel + heads + h * width + width * inner + inner
    return result + h * heads + h * width + width * inner + width + inner * h


def lightning(config: ModelConfig, h: int) -> int:
    """Lightning attention: fused projections, a gate and a norm over all heads."""
    inner = need(config, "num_attention_heads") * (number(config, "head_dim") or h // need(config, "num_attention_heads"))
    return h * 3 * inner + inner * h + h * inner + inner


def rg_lru(config: ModelConfig, h: int) -> int:
    """Real-gated linear recurrent unit with its two branches and block-diagonal gates."""
    width, heads = number(config, "lru_width") or h, need(config, "num_attention_heads")
    block = width // heads
    gates = 2 * (heads * block * block + width)
    return 2 * linear(h, width, bias=True) + linear(width, h, bias=True) + width * (need(config, "conv1d_width") + 1) + width + gates


def short_convolution(config: ModelConfig, h: int) -> int:
    """Gated short convolution."""
    bias = config.get("conv_bias") is True
    return linear(h, 3 * h, bias=bias) + linear(need(config, "conv_L_cache"), h, bias=bias) + linear(h, h, bias=bias)


RECURRENT: dict[str, Callable[[ModelConfig, Decoder, int], int]] = {
    "mamba1": mamba1,
    "mamba2": mamba2,
    "gated-deltanet": lambda config, _, h: gated_delta_net(config, h),
    "kda": lambda config, _, h: kimi_delta_attention(config, h),
    "lightning": lambda config, _, h: lightning(config, h),
    "rg-lru": lambda config, _, h: rg_lru(config, h),
    "short-conv": lambda config, _, h: short_convolution(config, h),
}


def feed_forward(config: ModelConfig, law: Decoder, h: int, width: int) -> int:
    """Two matrices, or three where the activation is gated."""
    bias = yes(config, law.mlp_bias)
    return linear(h, width, bias=bias) * (2 if law.gated else 1) + linear(width, h, bias=bias)


def routed_experts(config: ModelConfig, law: Decoder, experts: Experts, h: int) -> int:
    """All routed experts of one layer."""
    width = given(experts.intermediate_size, "the width of an expert")
    matrices = 3 if law.gated else 2
    each = matrices * (number(config, law.expert_input) or h if law.expert_input else h) * width
    if law.expert_bias:
        each += (matrices - 1) * width + h
    return experts.count * each


def router(config: ModelConfig, law: Decoder, experts: Experts, h: int) -> int:
    """Router and shared experts of one layer."""
    result = linear(h, experts.count, bias=yes(config, law.router_bias)) + (experts.count if law.trained_correction else 0)
    if law.expert_input and (inner := number(config, law.expert_input)):
        result += 2 * h * inner
    if experts.shared and experts.shared_intermediate_size:
        result += (3 if law.gated else 2) * h * experts.shared_intermediate_size
        result += h if law.shared_gate else 0
    return result

"""Fixed states: what a recurrent or convolution layer keeps per sequence, in elements, by the kind of recurrence.

Sizes follow the published reference implementations: a convolution of width k keeps its last k - 1 inputs. A state's type is the config's
where it states one; otherwise the compute type for Mamba, and float32 for recurrences whose reference kernels accumulate in it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from auditor.inspection.anatomy import State
from auditor.inspection.config import ModelConfig

COMPUTE = "compute"
"""Stands for the model's compute type, which is settled later."""
FLOAT32 = "float32"

States = tuple[State, ...]


@dataclass(frozen=True, slots=True)
class Recurrence:
    """One kind of recurrence: how a config gives it away, and what it keeps."""

    name: str
    keys: tuple[str, ...]
    """Keys that a config (or its class) must all have for this kind to be recognised."""
    states: Callable[[ModelConfig], States | None]
    """States of one layer; None where a size is missing."""
    linear: bool
    """Whether it counts as linear attention (else as a state-space layer)."""
    convolution_only: bool = False


def recurrence_of(config: ModelConfig, name: str = "") -> Recurrence | None:
    """Return the recurrence called ``name``; without a name, the first whose keys the config or its class has."""
    if name:
        return _BY_NAME[name]
    for recurrence in RECURRENCES:
        if all(config.get(key) is not None for key in recurrence.keys):
            return recurrence
    return None


def _dtype(config: ModelConfig, default: str) -> str:
    for key in ("mamba_ssm_cache_dtype", "mamba_ssm_dtype", "ssm_cache_dtype"):
        stated = config.raw.get(key)
        if isinstance(stated, str) and stated not in ("", "auto"):
            return stated.removeprefix("torch.")
    return default


def _mamba1(config: ModelConfig) -> States | None:
    hidden = config.positive("hidden_size", "d_model")
    expand = config.number("mamba_expand", "expand")
    state = config.positive("mamba_d_state", "state_size", "ssm_state_size")
    width = config.positive("mamba_d_conv", "conv_kernel", "d_conv")
    inner = int(expand * hidden) if expand is not None and expand > 0 and hidden is not None else None
    if inner is None or state is None or width is None:
        return None
    return State(inner * state, _dtype(config, COMPUTE)), State(inner * (width - 1), COMPUTE)


def _mamba2(config: ModelConfig) -> States | None:
    hidden = config.positive("hidden_size", "d_model")
    heads = config.positive("mamba_num_heads", "mamba_n_heads", "n_mamba_heads", "num_heads", "nheads")
    state = config.positive("mamba_d_state", "ssm_state_size", "state_size", "mamba_state_dim", "d_state")
    groups = config.positive("mamba_n_groups", "mamba_ngroups", "n_groups", "ngroups") or 1
    width = config.positive("mamba_d_conv", "conv_kernel", "d_conv")
    inner = _mamba2_width(config, hidden, heads)
    if inner is None or state is None or width is None:
        return None
    return State(inner * state, _dtype(config, COMPUTE)), State((inner + 2 * groups * state) * (width - 1), COMPUTE)


def _mamba2_width(config: ModelConfig, hidden: int | None, heads: int | None) -> int | None:
    """The stated inner width, heads times their width, or the expanded hidden size."""
    inner = config.integer("mamba_d_ssm", "d_inner")
    if inner:
        return inner
    width = config.integer("mamba_head_dim")
    if width and heads is not None:
        return width * heads
    expand = config.number("mamba_expand", "expand")
    return int(expand * hidden) if expand is not None and expand > 0 and hidden is not None else None


def _gated_deltanet(config: ModelConfig) -> States | None:
    key_heads = config.positive("linear_num_key_heads")
    value_heads = config.positive("linear_num_value_heads")
    key_dim, value_dim = config.positive("linear_key_head_dim"), config.positive("linear_value_head_dim")
    width = config.positive("linear_conv_kernel_dim")
    if key_heads is None or value_heads is None or key_dim is None or value_dim is None or width is None:
        return None
    dtype = _dtype(config, FLOAT32)
    mixed = 2 * key_heads * key_dim + value_heads * value_dim
    return State(value_heads * key_dim * value_dim, dtype), State(mixed * (width - 1), dtype)


def _gated_deltanet_of_heads(config: ModelConfig) -> States | None:
    """A delta net in the keys of the flash-linear-attention library: key heads of one width, values of an expanded one."""
    heads, width, expand = config.positive("num_heads"), config.positive("head_dim"), config.number("expand_v")
    kernel = config.positive("conv_size")
    if heads is None or width is None or expand is None or kernel is None:
        return None
    values = (config.positive("num_v_heads") or heads) * int(width * expand)
    state = State(values * width, FLOAT32)
    if config.flag("use_short_conv") is False:
        return (state,)
    return state, State((2 * heads * width + values) * (kernel - 1), COMPUTE)


def _kda(config: ModelConfig) -> States | None:
    table = config.table("linear_attn_config") or {}
    heads, width, kernel = table.get("num_heads"), table.get("head_dim"), table.get("short_conv_kernel_size")
    if not isinstance(heads, int) or not isinstance(width, int):
        return None
    dtype = _dtype(config, FLOAT32)
    state = State(heads * width * width, dtype)
    return (state, State(3 * heads * width * (kernel - 1), dtype)) if isinstance(kernel, int) else (state,)


def _kda_of_heads(config: ModelConfig) -> States | None:
    """KDA whose heads are those of the attention."""
    heads, width = config.positive("num_attention_heads"), config.positive("head_dim")
    kernel = config.positive("short_conv_kernel_size")
    if heads is None or width is None or kernel is None:
        return None
    dtype = _dtype(config, FLOAT32)
    return State(heads * width * width, dtype), State(3 * heads * width * (kernel - 1), dtype)


def _cca(config: ModelConfig) -> States | None:
    """Compressed convolutional attention: the inputs of two stacked convolutions over queries and keys, and the last value."""
    heads, kv_heads, width = config.positive("num_attention_heads"), config.positive("num_key_value_heads"), config.positive("head_dim")
    first, second = config.positive("cca_time0"), config.positive("cca_time1")
    if heads is None or kv_heads is None or width is None or first is None or second is None:
        return None
    return State((heads + kv_heads) * width * (first + second - 2), COMPUTE), State(width, COMPUTE)


def _lightning(config: ModelConfig) -> States | None:
    heads, width = config.positive("num_attention_heads"), config.positive("head_dim")
    hidden = config.positive("hidden_size")
    if heads is None or (width is None and hidden is None):
        return None
    width = width if width is not None else (hidden or 0) // heads
    return (State(heads * width * width, _dtype(config, FLOAT32)),)


def _rwkv4(config: ModelConfig) -> States | None:
    """Two shifted inputs, and numerator, denominator and maximum of the attention; all of the residual's width."""
    hidden = config.positive("hidden_size")
    inner = config.positive("attention_hidden_size") or hidden
    return (State(2 * hidden + 3 * inner, FLOAT32),) if hidden is not None and inner is not None else None


def _rwkv_heads(config: ModelConfig) -> States | None:
    """RWKV 5 to 7: one square state per head, and the last input of each half of the block."""
    hidden = config.positive("hidden_size", "n_embd")
    width = config.positive("head_size", "head_dim", "wkv_head_size") or 64
    if hidden is None:
        return None
    return State(hidden * width, FLOAT32), State(2 * hidden, COMPUTE)


def _rg_lru(config: ModelConfig) -> States | None:
    width = config.positive("lru_width") or config.positive("hidden_size")
    kernel = config.positive("conv1d_width")
    return (State(width, FLOAT32), State(width * (kernel - 1), COMPUTE)) if width is not None and kernel is not None else None


def _short_conv(config: ModelConfig) -> States | None:
    hidden = config.positive("conv_dim", "hidden_size")
    width = config.positive("conv_L_cache", "conv_kernel_size", "sconv_kernel_size")
    return (State(hidden * (width - 1), COMPUTE),) if hidden is not None and width is not None else None


def _xlstm(config: ModelConfig) -> States | None:
    """The matrix memory of each head with its normaliser and maximum."""
    heads, hidden = config.positive("num_heads"), config.positive("hidden_size", "embedding_dim")
    if heads is None or hidden is None:
        return None
    value_dim = int(hidden * (config.number("v_dim_factor") or 1.0)) // heads
    key_dim = int(hidden * (config.number("qk_dim_factor") or 0.5)) // heads
    return (State(heads * (key_dim * value_dim + key_dim + 1), FLOAT32),)


#: In the order in which they are recognised: the more telling keys first.
RECURRENCES: tuple[Recurrence, ...] = (
    Recurrence("gated-deltanet", ("linear_num_value_heads", "linear_key_head_dim"), _gated_deltanet, linear=True),
    Recurrence("gated-deltanet", ("num_heads", "expand_v", "use_short_conv"), _gated_deltanet_of_heads, linear=True),
    Recurrence("kda", ("linear_attn_config",), _kda, linear=True),
    Recurrence("kda", ("short_conv_kernel_size", "kda_safe_gate"), _kda_of_heads, linear=True),
    Recurrence("cca", ("cca_time0",), _cca, linear=True, convolution_only=True),
    Recurrence("rg-lru", ("conv1d_width",), _rg_lru, linear=True),
    Recurrence("rwkv4", ("attention_hidden_size",), _rwkv4, linear=True),
    Recurrence("mamba2", ("mamba_n_heads",), _mamba2, linear=False),
    Recurrence("mamba2", ("mamba_num_heads",), _mamba2, linear=False),
    Recurrence("mamba2", ("n_mamba_heads", "mamba_ngroups"), _mamba2, linear=False),
    Recurrence("mamba2", ("n_groups", "state_size"), _mamba2, linear=False),
    Recurrence("mamba1", ("mamba_d_state",), _mamba1, linear=False),
    Recurrence("mamba1", ("state_size", "conv_kernel"), _mamba1, linear=False),
    Recurrence("short-conv", ("conv_L_cache",), _short_conv, linear=True, convolution_only=True),
    Recurrence("rwkv", ("head_size", "attention_bias", "num_wkv_heads"), _rwkv_heads, linear=True),
    Recurrence("xlstm", ("qk_dim_factor",), _xlstm, linear=True),
    Recurrence("lightning", ("attn_type_list",), _lightning, linear=True),
    Recurrence("lightning", ("layer_group_size",), _lightning, linear=True),
    Recurrence("lightning", ("linear_attn_alpha_factor",), _lightning, linear=True),
)

_BY_NAME = {recurrence.name: recurrence for recurrence in reversed(RECURRENCES)}


def recurrence_named(name: str) -> Recurrence:
    """Return a recurrence by name. Raises KeyError for a name that no record bears."""
    return _BY_NAME[name]

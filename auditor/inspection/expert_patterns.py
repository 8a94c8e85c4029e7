"""Which layers have routed experts, read from whatever key a config uses to say so."""

from collections.abc import Callable
from typing import Any

from auditor.inspection.config import ModelConfig
from auditor.inspection.patterns import DENSE, SPARSE, Kinds, Reader, numbers


def feed_forward_kinds(config: ModelConfig, count: int) -> Kinds:
    """Return ``sparse`` or ``dense`` for each layer of a model that has routed experts."""
    for reader in _EXPERT_READERS:
        kinds = reader(config, count)
        if kinds is not None and len(kinds) >= count:
            return kinds[:count]
    own = config.pattern("mlp_layer_types", count)
    return tuple(DENSE if kind == DENSE else SPARSE for kind in own) if own is not None else (SPARSE,) * count


def _listed_experts(config: ModelConfig, _count: int) -> Kinds | None:
    value = config.raw.get("mlp_layer_types")
    if not isinstance(value, list) or not value:
        return None
    return tuple(DENSE if item in ("dense", "mlp") else SPARSE for item in value)


def _numbered_experts(config: ModelConfig, count: int) -> Kinds | None:
    """Read a list of MoE layer numbers: a JSON list or a comma-separated string."""
    value: Any = config.raw.get("moe_layers", config.raw.get("moe_layers_enum"))
    if isinstance(value, str):
        value = [int(item) for item in value.split(",") if item.strip().isdigit()]
    chosen = numbers(value)
    return tuple(SPARSE if i in chosen else DENSE for i in range(count)) if chosen else None


def _expert_period(config: ModelConfig, count: int) -> Kinds | None:
    period, offset = config.get("expert_layer_period"), config.get("expert_layer_offset")
    if not isinstance(period, int) or not isinstance(offset, int) or period < 1:
        return None
    return tuple(SPARSE if i % period == offset else DENSE for i in range(count))


def _expert_interleave(config: ModelConfig, count: int) -> Kinds | None:
    step = config.get("interleave_moe_layer_step")
    if not isinstance(step, int) or step < 1:
        return None
    return tuple(DENSE if (i + 1) % step else SPARSE for i in range(count))


def _expert_range(config: ModelConfig, count: int) -> Kinds | None:
    """Read ERNIE's first, last and interval."""
    interval = config.get("moe_layer_interval")
    if not isinstance(interval, int) or interval < 1:
        return None
    first = _scalar(config.get("moe_layer_start_index"), min, 0)
    last = _scalar(config.get("moe_layer_end_index"), max, -1)
    last = count - 1 if last < 0 else last
    return tuple(SPARSE if (i + 1) % interval == 0 and first <= i <= last else DENSE for i in range(count))


def _scalar(value: object, pick: Callable[[list[int]], int], default: int) -> int:
    if isinstance(value, list) and value and all(isinstance(item, int) for item in value):
        return pick(value)
    return value if isinstance(value, int) else default


def _expert_steps(config: ModelConfig, count: int) -> Kinds | None:
    """Read Qwen's step with its list of exceptions."""
    step = config.get("decoder_sparse_step")
    if not isinstance(step, int) or step < 1:
        return None
    dense = numbers(config.get("mlp_only_layers")) or set()
    return tuple(DENSE if i in dense or (i + 1) % step else SPARSE for i in range(count))


def _expert_beat(config: ModelConfig, count: int) -> Kinds | None:
    """Read Arctic's interval: each n-th layer, counted from one."""
    interval = config.raw.get("moe_layer_frequency")
    if not isinstance(interval, int) or isinstance(interval, bool) or interval < 1:
        return None
    return tuple(DENSE if (i + 1) % interval else SPARSE for i in range(count))


def _expert_frequency(config: ModelConfig, count: int) -> Kinds | None:
    """Read the DeepSeek way: the first layers dense, then a list of flags or an interval."""
    frequency = config.get("moe_layer_freq")
    if isinstance(frequency, list):
        return tuple(SPARSE if flag else DENSE for flag in frequency)
    first = config.get("first_k_dense_replace", "num_dense_layers", "n_dense_layers", "moe_first_k_dense")
    if not isinstance(first, int):
        if not isinstance(frequency, int):
            return None
        first = 0
    interval = frequency if isinstance(frequency, int) and frequency > 0 else 1
    return tuple(SPARSE if i >= first and i % interval == 0 else DENSE for i in range(count))


_EXPERT_READERS: tuple[Reader, ...] = (
    _listed_experts,
    _numbered_experts,
    _expert_period,
    _expert_interleave,
    _expert_range,
    _expert_steps,
    _expert_beat,
    _expert_frequency,
)

"""Routed and shared experts, whatever a config calls them."""

from auditor.inspection.anatomy import Experts
from auditor.inspection.architectures import Family
from auditor.inspection.config import ModelConfig
from auditor.inspection.shape import INTERMEDIATE

COUNT = ("n_routed_experts", "num_experts", "num_local_experts", "moe_num_experts", "n_experts", "num_routed_experts")
PER_TOKEN = (
    "num_experts_per_tok",
    "num_experts_per_token",
    "top_k_experts",
    "experts_per_token",
    "moe_topk",
    "moe_top_k",
    "moe_k",
    "moe_router_topk",
    "num_selected_experts",
    "router_top_k",
)
SHARED = ("n_shared_experts", "num_shared_experts", "num_shared_expert", "moe_num_shared_experts", "n_shared_expert")
WIDTH = ("moe_intermediate_size", "expert_intermediate_size", "expert_ffn_hidden_size", "moe_ffn_hidden_size", "expert_ffn_size")
SHARED_WIDTH = ("shared_expert_intermediate_size", "moe_shared_expert_intermediate_size", "shared_intermediate_size", "share_expert_dim")


def read_experts(config: ModelConfig, family: Family) -> Experts | None:
    """Return the experts of a model, or None for one without routed experts."""
    config = _nested(config)
    if config.get("enable_moe_block") is False:
        return None
    count = _largest(config, COUNT)
    per_token = _largest(config, PER_TOKEN) or family.experts_per_token
    if count is None or count < _FEWEST or per_token is None:
        return None
    width = _largest(config, WIDTH) or (config.positive(*INTERMEDIATE) if config.get(*INTERMEDIATE) is not None else None)
    shared_width = next((value for key in SHARED_WIDTH if isinstance(value := config.get(key), int) and value > 0), None)
    shared = _largest(config, SHARED)
    if shared is None:
        shared = family.shared_experts if family.shared_experts is not None else int(shared_width is not None)
    if shared and shared_width is None and width is not None:
        shared_width = shared * width
    return Experts(count, per_token, shared, width, shared_width if shared else None)


#: A single expert is a dense layer by another name.
_FEWEST = 2


def _nested(config: ModelConfig) -> ModelConfig:
    """Return the part that speaks of experts, where a config keeps it apart (DBRX)."""
    part = config.part("ffn_config")
    return part if part is not None and part.get(*COUNT) is not None else config


def _largest(config: ModelConfig, keys: tuple[str, ...]) -> int | None:
    """Return an integer, or the largest of a list (experts per modality or per layer)."""
    value = config.get(*keys)
    if isinstance(value, list):
        numbers = [item for item in value if isinstance(item, int) and not isinstance(item, bool)]
        return max(numbers) if numbers else None
    return config.integer(*keys) if value is not None else None

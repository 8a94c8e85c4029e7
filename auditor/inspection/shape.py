"""Heads and widths of attention, whatever a config calls them."""

from dataclasses import dataclass

from auditor.facts import Basis
from auditor.inspection.architectures import Family
from auditor.inspection.config import ModelConfig

HIDDEN = ("hidden_size", "n_embd", "n_embed", "d_model", "dim", "embed_dim", "embedding_dim", "hidden_dim")
LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "depth")
HEADS = ("num_attention_heads", "n_head", "n_heads", "num_heads", "attention_heads")
KV_HEADS = (
    "num_key_value_heads",
    "num_kv_heads",
    "n_head_kv",
    "n_kv_heads",
    "multi_query_group_num",
    "num_query_groups",
    "num_attention_groups",
)
HEAD_DIM = ("head_dim", "kv_channels", "d_kv", "attention_head_dim", "head_size", "dim_head")
INTERMEDIATE = ("intermediate_size", "ffn_hidden_size", "n_inner", "ffn_dim", "d_ff", "d_inner", "inner_hidden_size", "mlp_hidden_size")
VOCABULARY = ("vocab_size", "padded_vocab_size", "embedding_size")
CONTEXT = (
    "max_position_embeddings",
    "n_positions",
    "seq_length",
    "max_seq_len",
    "max_sequence_length",
    "n_ctx",
    "model_max_length",
    "max_target_positions",
    "context_length",
)


@dataclass(frozen=True, slots=True)
class Shape:
    """Attention of one layer."""

    hidden: int | None
    heads: int | None
    kv_heads: int | None
    head_dim: int | None
    value_dim: int | None
    """Width of a value head; equal to ``head_dim`` unless the config says otherwise."""
    heads_basis: Basis = Basis.CONFIG
    kv_heads_basis: Basis = Basis.CONFIG
    head_dim_basis: Basis = Basis.CONFIG

    @property
    def complete(self) -> bool:
        """Whether the cache of such a layer can be computed."""
        return None not in (self.heads, self.kv_heads, self.head_dim, self.value_dim)


def names(family: Family, standard: tuple[str, ...]) -> tuple[str, ...]:
    """Return the keys to look under: the family's own name first."""
    own = family.keys.get(standard[0])
    return (own, *standard) if own else standard


def read_shape(config: ModelConfig, family: Family) -> Shape:
    """Return the attention that the config describes for the model as a whole."""
    hidden = None if isinstance(config.get(*names(family, HIDDEN)), list) else config.positive(*names(family, HIDDEN))
    heads_names = names(family, HEADS)
    # A list of heads belongs to a network in stages; it has no one number of heads.
    heads = None if isinstance(config.get(*heads_names), list) else config.positive(*heads_names)
    heads_basis = config.basis(*heads_names) or Basis.CONFIG
    kv_heads, kv_basis = _kv_heads(config, family, heads)
    head_dim, head_dim_basis = _head_dim(config, family, hidden, heads)
    value_dim = config.integer("v_head_dim") if config.get("v_head_dim") is not None else None
    rotary, plain = config.integer("qk_rope_head_dim"), config.integer("qk_nope_head_dim")
    if latent_rank(config) is not None and rotary is not None and plain is not None:
        head_dim, head_dim_basis = rotary + plain, Basis.DERIVED
    return Shape(hidden, heads, kv_heads, head_dim, value_dim or head_dim, heads_basis, kv_basis, head_dim_basis)


def _kv_heads(config: ModelConfig, family: Family, heads: int | None) -> tuple[int | None, Basis]:
    """Key/value heads; as many as query heads where nothing is said.

    Three older ways of saying it come first: Falcon's and StarCoder's ``multi_query`` (one head, unless Falcon's new decoder is on),
    ChatGLM's switch beside its group number, and a nested ``attn_config``.
    """
    multi_query, basis = config.find("multi_query")
    if isinstance(multi_query, bool) and config.get("new_decoder_architecture") is not True:
        return (1, basis or Basis.CONFIG) if multi_query else (heads, Basis.DERIVED)
    grouped = config.raw.get("multi_query_attention")
    if grouped is False:
        return heads, Basis.DERIVED
    if grouped is True and not config.states(*KV_HEADS):
        return 1, Basis.CONFIG
    nested = config.raw.get("attn_config")
    if isinstance(nested, dict) and isinstance(nested.get("kv_n_heads"), int):
        return nested["kv_n_heads"], Basis.CONFIG
    found = names(family, KV_HEADS)
    value = config.get(*found)
    if isinstance(value, list):
        widths = [item for item in value if isinstance(item, int)]
        return (max(widths), Basis.CONFIG) if widths else (None, Basis.CONFIG)
    if value is None:
        return heads, Basis.DERIVED
    # A class default of key/value heads says nothing about a config that states other query heads and no key/value heads.
    return config.positive(*found), config.basis(*found) or Basis.CONFIG


def _head_dim(config: ModelConfig, family: Family, hidden: int | None, heads: int | None) -> tuple[int | None, Basis]:
    found = names(family, HEAD_DIM)
    # Classes with latent attention give the width of the rotary part as head_dim: no width of a whole head where it is switched off.
    stated = config.states(*found) or config.default("kv_lora_rank") is None
    width = config.positive(*found) if stated and config.get(*found) is not None else None
    if width is not None:
        return width, config.basis(*found) or Basis.CONFIG
    if any(problem.key.removeprefix(config.prefix) in found for problem in config.problems) or hidden is None or heads is None:
        return None, Basis.DERIVED
    return family.head_dim_factor * hidden // heads, Basis.DERIVED


def latent_rank(config: ModelConfig) -> int | None:
    """Return the rank of the compressed key/value, or None where attention is not latent (or the config switches it off)."""
    if config.raw.get("use_mla") is False:
        return None
    return config.positive("kv_lora_rank") if config.get("kv_lora_rank") is not None else None

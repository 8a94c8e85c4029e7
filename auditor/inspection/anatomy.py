"""The anatomy of a model: its layers, what each remembers, its experts, towers and heads, as read from the config.

Everything later computed from a config (cache law, parameters, facts) is computed from this value.
"""

from dataclasses import dataclass
from enum import StrEnum

from auditor.facts import Basis, Unknown
from auditor.inspection.config import ModelConfig
from auditor.inspection.model import LayerKind


class FeedForward(StrEnum):
    """What follows a layer's mixer."""

    DENSE = "dense"
    MOE = "moe"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class State:
    """A fixed state per sequence: ``elements`` of ``dtype`` in one layer."""

    elements: int
    dtype: str


@dataclass(frozen=True, slots=True)
class Mixer:
    """One way in which a layer mixes tokens, with what it remembers of them. A layer may have two side by side."""

    kind: LayerKind
    heads: int | None = None
    """Query heads; None for recurrences and convolutions."""
    kv_heads: int | None = None
    """Heads that the cache holds and tensor parallelism can shard; None for a latent."""
    key_dim: int | None = None
    """Width of a cached key head; latent rank plus rotary key for a latent."""
    value_dim: int | None = None
    window: int | None = None
    """Tokens after which the cache stops growing."""
    elements_per_token: float = 0.0
    """Cached elements per token and layer, in the cache's type."""
    states: tuple[State, ...] = ()
    token_dtype: str | None = None
    """Type of what is cached per token, where the model fixes one other than the cache's."""
    recurrence: str = ""
    """``mamba1 mamba2 gated-deltanet kda lightning rwkv rg-lru short-conv`` …"""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: its mixers (none for a layer that only transforms) and its feed-forward part."""

    mixers: tuple[Mixer, ...]
    feed_forward: FeedForward = FeedForward.DENSE
    intermediate_size: int | None = None
    """Width of the dense feed-forward part of this layer; None where there is none or where it is unknown."""


@dataclass(frozen=True, slots=True)
class Experts:
    """Routed and shared experts."""

    count: int
    per_token: int
    shared: int = 0
    """Experts that every token uses."""
    intermediate_size: int | None = None
    """Width of one routed expert."""
    shared_intermediate_size: int | None = None
    """Width of all shared experts together."""


@dataclass(frozen=True, slots=True)
class Tower:
    """A part beside the language model: vision or audio encoder, talker, code-to-wave decoder, text tower."""

    name: str
    """``vision``, ``audio``, ``text``, ``talker``, …"""
    config: ModelConfig
    layers: int | None = None
    heads: int | None = None


@dataclass(frozen=True, slots=True)
class Anatomy:
    """What one config describes. ``None`` for a figure that does not apply or could not be had (see ``unknown``)."""

    arch_class: str
    task: str
    config: ModelConfig
    """The whole config, as published."""
    text: ModelConfig
    """The language model's part of it; the same object where there is no nesting. For a pure vision or speech model its own config."""
    model_type: str = ""
    """``model_type`` of the whole config (or the GGUF architecture, or a pipeline's class name)."""
    known: bool = True
    """Whether the model type is taught here; False for a generic reading of the keys."""
    layers: tuple[Layer, ...] = ()
    """Decoder layers (encoder layers of an encoder), MTP layers left out."""
    encoder_layers: int | None = None
    """Encoder layers of an encoder-decoder model."""
    hidden_size: int | None = None
    intermediate_size: int | None = None
    vocab_size: int | None = None
    max_context: int | None = None
    heads: int | None = None
    kv_heads: int | None = None
    head_dim: int | None = None
    experts: Experts | None = None
    mtp_layers: int = 0
    tied: bool | None = None
    """Whether input embedding and output head are one matrix; None where unknown or not applicable."""
    towers: tuple[Tower, ...] = ()
    position: str | None = None
    dtype: str | None = None
    """Compute type that the config states."""
    basis: tuple[tuple[str, Basis], ...] = ()
    """Basis of the figures above, by fact name, where it is not ``config``."""
    unknown: tuple[tuple[str, Unknown], ...] = ()
    """Facts that apply and could not be had, by fact name."""
    notes: tuple[str, ...] = ()
    components: tuple[tuple[str, "Anatomy"], ...] = ()
    """Components of a pipeline with weights, by folder name."""

    @property
    def moe_layers(self) -> int:
        """Layers with routed experts."""
        return sum(layer.feed_forward is FeedForward.MOE for layer in self.layers)

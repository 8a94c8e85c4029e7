"""What inspection gives: the facts of a model and its layer census."""

from dataclasses import dataclass
from enum import StrEnum

from auditor.facts import Facts


class LayerKind(StrEnum):
    """How a layer remembers the sequence."""

    FULL = "full"
    WINDOW = "window"
    CHUNK = "chunk"
    LATENT = "latent"
    INDEXER = "indexer"
    RECURRENT = "recurrent"
    CONVOLUTION = "convolution"
    CROSS = "cross"
    SHARED = "shared"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class LayerGroup:
    """Layers that keep the same cache. All byte figures are for the whole group, one sequence, unsharded."""

    kind: LayerKind
    count: int
    """Layers in the group."""
    bytes_per_token: float = 0.0
    """Cache growth per token (per source token for cross attention); 0 for fixed state."""
    bytes_per_sequence: float = 0.0
    """Fixed state per sequence."""
    window: int | None = None
    """Tokens after which the cache stops growing; for cross attention the longest source sequence, where the config states one."""
    kv_heads: int | None = None
    """Heads that tensor parallelism can shard; None where the cache cannot be sharded by heads (a latent)."""
    key_dim: int | None = None
    """Width of a key head; of latent plus rotary key for ``latent``."""
    value_dim: int | None = None
    detail: str = ""
    """Kind of recurrence (``mamba2``, ``gated-deltanet``, …) or whatever else sets the group apart."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """Everything the files say of one model."""

    id: str
    revision: str | None
    source: str
    facts: Facts
    layers: tuple[LayerGroup, ...] = ()
    errors: tuple[str, ...] = ()
    """One line each; not empty means that the inspection is incomplete."""
    notes: tuple[str, ...] = ()
    """What was chosen among variants and formats, what rests on a default, totals that differ."""

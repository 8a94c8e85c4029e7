"""What inspection gives: the facts of a model and its layer census."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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
class Origin:
    """Where in a model's files something stands."""

    path: str
    """A file, relative to the model's root; the model itself where that is one file."""
    keys: tuple[str, ...] = ()
    """Keys that lead to it in a JSON document (one in any other text); empty for the file as a whole."""
    line: int = 0
    """The line, where it is known already."""
    stated: bool = False
    """Whether the key there states just this, so that its name says what it is about."""


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
    origins: Mapping[str, Origin] = field(default_factory=dict)
    """Where facts (by name) and errors (by sentence) stand in the files: those that one place decides. Empty unless asked for."""
    target: str = ""
    """What the model was opened by, as it was typed."""
    entry: Origin | None = None
    """The line of the fleet file that names the model."""

"""What a family of architectures says that its configs do not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Family:
    """One record: model types that share everything here. Every field but ``types`` states an exception; most families need few.

    What configs of the family state themselves (layer types, windows, heads, experts) is read from them and not repeated here.
    """

    types: tuple[str, ...]
    """``model_type`` values (of the whole config, or of the language model's part)."""
    like: str = ""
    """Model type of the transformers class whose defaults apply, for a type that transformers does not have."""
    task: str = ""
    """Where architectures and auto classes do not tell."""
    arch_class: str = ""
    """Where the anatomy does not tell: ``other`` for a network that is no transformer."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Standard key -> this family's own name for it, where no other family uses that name."""
    text: str = ""
    """Key of the nested config that is the language model, where it is none of the usual ones."""
    text_like: str = ""
    """Model type whose class reads the language model's part, where that part states none."""
    flat_towers: tuple[str, ...] = ()
    """Towers that the model has though its config nests nothing for them."""
    recurrence: str = ""
    """Kind of recurrence of its ``linear_attention`` layers, where the keys do not tell."""
    layer_kind: str = ""
    """Kind of every layer, where the keys do not tell."""
    window_divisor: int = 1
    """2 where the stated window counts both sides of a token and the model only looks back."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """Kind as its configs spell it -> the law that holds for it in this family, where that is not the usual one."""
    caches_per_layer: int = 1
    """Attention blocks, each with a cache of its own, in what the config counts as one layer."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """What its class computes for a missing key and the class table therefore lacks."""
    open: str = ""
    """Why its cache cannot be computed from the config: reported as unknown."""
    position: str = ""
    tied: bool | None = None
    """Whether embedding and head are one matrix, where neither config nor class says."""
    sinks: bool = False
    """Whether attention has learned sinks."""
    qkv_bias: bool | None = None
    """Bias of query, key and value projections that no key states."""
    experts_per_token: int | None = None
    """Routed experts per token that no key counts."""
    shared_experts: int | None = None
    """Shared experts that no key counts."""
    head_dim_factor: int = 1
    """Head width as a multiple of hidden size / heads."""
    block_sparse: bool = False
    """Whether attention selects blocks of tokens (all are still cached)."""
    note: str = ""
    """One sentence for the documentation."""

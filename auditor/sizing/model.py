"""What sizing is asked and what it gives: a placement with its memory, and the speed it would have."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Constraints:
    """What the user fixes of a layout; None leaves the choice to sizing."""

    devices: int | None = None
    tensor_parallel: int | None = None
    """In ranks."""
    memory_fraction: float | None = None
    weights_holds: str | None = None
    """Type to hold every weight in, in place of what the stack does with the stored one."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A division of the model over ranks. A rank is a device, or a part of one where a device has several."""

    tensor: int
    pipeline: int = 1
    expert: int = 1
    """Degree over which experts are divided whole; 1 where tensor parallelism slices every expert."""
    replicas: int = 1
    """Copies of the whole, each serving its part of the sequences (data parallelism)."""
    groups: int = 1
    """Groups of ``tensor`` ranks in one copy, each with attention and sequences of its own, that share the experts
    (data-parallel attention). A latent cache, which tensor parallelism would replicate, is then divided."""

    @property
    def ranks(self) -> int:
        """Ranks that one copy takes."""
        return self.tensor * self.groups * self.pipeline

    @property
    def sequence_shares(self) -> int:
        """Return into how many shares the sequences are divided: a rank keeps the cache of one share."""
        return self.replicas * self.groups


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of the fullest device (of the fullest rank, where a device has several with memories of their own)."""

    weights: int
    kv_cache: int
    activations: int
    runtime: int
    total: int
    usable: int

    @property
    def headroom(self) -> int:
        """Bytes left; negative where the layout that was asked for does not fit."""
        return self.usable - self.total


@dataclass(frozen=True, slots=True)
class SequenceCache:
    """Cache of one sequence at the workload's context, in bytes."""

    logical: int
    """What the model needs, whole model."""
    reserved: int
    """What the engine sets aside on one rank."""
    reserved_fixed: int
    """Part of ``reserved`` that does not grow with the context: windows, states, padding."""
    reserved_per_token: float
    """Growth of ``reserved`` per token beyond every window."""


@dataclass(frozen=True, slots=True)
class Placement:
    """A layout that fits (or, where one was asked for, the layout that was asked for)."""

    devices: int
    """Devices that hold the model."""
    instance: str
    """Name of the machine type; empty where none is known."""
    provider: str
    instances: int
    billed_devices: int
    """Devices paid for: whole instances, unless sold one by one."""
    layout: Layout
    memory: Memory
    max_concurrency: int
    max_context_tokens: int
    borderline: bool
    borderline_knob: str
    """What to turn when within five percent of a limit; empty otherwise."""
    weights_dtype: str
    """``as-stored``, or what the target converts the weights to."""
    launch: str
    notes: tuple[str, ...] = ()
    cache: SequenceCache | None = None
    """None for models that keep no cache."""
    cache_cap_raised: bool = False
    """Whether it fits only with the stack's default cap on the cache raised."""
    step_tokens: int = 0
    """Tokens of one forward step that activations were sized for."""

    @property
    def tensor_parallel(self) -> int:
        """Ranks that share each matrix; devices, except where a device has several (Neuron cores, TPU7x)."""
        return self.layout.tensor

    @property
    def pipeline_parallel(self) -> int:
        """Stages that layers are divided into."""
        return self.layout.pipeline

    @property
    def expert_parallel(self) -> int:
        """Ranks over which whole experts are divided; 1 where every expert is sliced."""
        return self.layout.expert

    @property
    def data_parallel(self) -> int:
        """Shares that sequences are divided into: copies of the model, and groups that share its experts."""
        return self.layout.sequence_shares


@dataclass(frozen=True, slots=True)
class NoPlacement:
    """Why no offered configuration holds the model, or why it cannot be told."""

    reason: str
    known: bool
    """False when a fact is missing: feasibility is then unknown."""
    settled_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Range:
    """Low, likely and high."""

    low: float
    likely: float
    high: float


@dataclass(frozen=True, slots=True)
class Throughput:
    """Speed of the whole placement. Tokens are generated tokens."""

    output_tokens_per_s: Range
    """At the workload's mix, prefill included."""
    decode_tokens_per_s: Range
    prefill_tokens_per_s: Range
    decode_tokens_per_s_per_sequence: Range
    ttft_s: Range
    basis: str
    """``estimate`` or ``measured``."""
    tokens_per_joule: Range | None = None
    terms: tuple[str, ...] = ()
    """The arithmetic, one line per step, for ``explain``."""

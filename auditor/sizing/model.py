"""What sizing gives: a placement with its memory, and the speed it would have."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes on the fullest device of a placement."""

    weights: int
    kv_cache: int
    activations: int
    runtime: int
    total: int
    usable: int


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
    tensor_parallel: int
    """Ranks, which are devices except where a device has several (Neuron cores, TPU7x)."""
    pipeline_parallel: int
    expert_parallel: int
    data_parallel: int
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

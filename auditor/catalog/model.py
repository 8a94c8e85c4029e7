"""What rules/ holds, as values: accelerators, stacks, prices, targets. Loaded and validated by ``auditor.catalog.load``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from auditor.catalog.condition import Condition
from auditor.catalog.message import Message


@dataclass(frozen=True, slots=True)
class Source:
    """Where a figure or a claim was seen, and when."""

    title: str
    ref: str
    """URL, or ``owner/repo:path@commit``."""
    as_of: str
    """ISO date of the source, or of the day it was read for an undated page."""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """One published figure. ``value`` is None where no source gives it."""

    value: float | None
    unit: str
    confidence: str
    sources: tuple[Source, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Partition:
    """How a device presents itself to software: the ranks of one chip, each with its own share of memory."""

    name: str
    per_device: int
    memory_bytes: int
    """Bytes each rank can address; not pooled with its neighbours."""


@dataclass(frozen=True, slots=True)
class Instance:
    """Something one can rent: a machine type with a number of devices."""

    provider: str
    name: str
    devices: int
    sold_per_device: bool = False
    """True where devices can be rented one by one (a price per chip-hour)."""
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Price:
    """A dated price of one instance (or of one device, where sold per device)."""

    provider: str
    instance: str
    accelerator: str
    devices: int
    usd_per_hour: float
    term: str
    """``on-demand``, ``spot``, ``reserved-1y``, ``reserved-3y``, ``capacity-block``."""
    region: str | None
    as_of: str
    confidence: str
    sources: tuple[Source, ...] = ()
    note: str = ""
    market: str = ""
    """Marketplace or price list, where a provider has several."""


@dataclass(frozen=True, slots=True)
class Accelerator:
    """A chip, as published. Bandwidths in GB/s, peaks in dense TFLOPS (TOPS for integers), power in watts."""

    id: str
    name: str
    vendor: str
    family: str
    generation: str
    aliases: tuple[str, ...]
    availability: str
    """``open limited captive unreleased``."""
    availability_note: str
    memory: Figure
    """Capacity as the vendor states it, in the vendor's unit."""
    memory_bytes: Figure
    """Bytes that a fit check plans with, before any stack's fraction."""
    memory_type: str
    bandwidth: Figure
    peaks: Mapping[str, Figure]
    """Dense peak by canonical dtype."""
    native_dtypes: tuple[str, ...]
    power: Figure
    interconnect: Figure
    """Scale-up bandwidth of one device, one direction, GB/s."""
    interconnect_name: str
    scale_up_devices: int | None
    """Largest domain reachable over the scale-up fabric."""
    partition: Partition | None
    instances: tuple[Instance, ...]
    training: bool | None
    compute_capability: float | None
    kernel_language: bool | None
    excluded_classes: tuple[str, ...]
    excluded_layers: tuple[str, ...]
    fixed_function_note: str
    sources: tuple[Source, ...]
    notes: tuple[str, ...] = ()
    availability_as_of: str = ""
    availability_sources: tuple[Source, ...] = ()
    fixed_function_sources: tuple[Source, ...] = ()
    fixed_function_confidence: str = ""


@dataclass(frozen=True, slots=True)
class ArchitectureSupport:
    """One row of a stack's support list."""

    architecture: str
    """HF class name, or ``*`` for a generic path."""
    status: str
    models: tuple[str, ...] = ()
    """Hub ids the vendor names: matched for ``validated`` only."""
    accelerators: tuple[str, ...] = ()
    """Accelerator ids or families the row is about; empty for all."""
    model_type: str = ""
    """``model_type`` (or GGUF architecture) that the row is about, where it names no class: ``architecture`` is then empty."""
    tasks: tuple[str, ...] = ()
    """Tasks the row is about; empty for all."""
    note: str = ""
    port_tier: str = ""
    """Effort tier where the row says that part of the work is done (``P1``)."""
    sources: tuple[Source, ...] = ()
    confidence: str = ""


@dataclass(frozen=True, slots=True)
class FormatSupport:
    """How a stack treats one quantization method (or ``none`` for plain weights)."""

    method: str
    status: str
    """``native``, ``validated``, ``listed``, ``fallback`` (loads, no native speed), ``convert``, ``absent``, ``blocked``."""
    accelerators: tuple[str, ...] = ()
    holds: str = "as-stored"
    """``as-stored``, or the dtype the device holds the weights in after conversion (``bfloat16``)."""
    work: str = ""
    """Work item case where ``convert``: ``rescale``, ``requantize``, ``dequantize``."""
    note: str = ""
    sources: tuple[Source, ...] = ()
    confidence: str = ""
    bits: tuple[float, ...] = ()
    """Values of quant.bits that the row is about; empty for all. The next three narrow it likewise."""
    weight_formats: tuple[str, ...] = ()
    """Values of quant.weight_format."""
    activation_schemes: tuple[str, ...] = ()
    """Values of quant.activation_scheme."""
    dtypes: tuple[str, ...] = ()
    """Values of weights.dtype."""


@dataclass(frozen=True, slots=True)
class MemoryModel:
    """How a stack divides a device's memory. Every figure carries its source in the stack's file."""

    fraction: float
    """Share of device memory that the stack plans with by default."""
    fraction_of: str
    """``total`` or ``free-after-weights``."""
    runtime_bytes: int
    """Context, graphs and communication buffers per device, outside what is modelled."""
    activation_tokens: int
    """Tokens of one forward step that the activation peak is computed for."""
    block_tokens: int
    """Tokens of one cache block."""
    kv_cap_fraction: float | None = None
    """Largest share of the budget that the cache may take."""
    windowed: str = "window"
    """What the engine reserves for windowed and recurrent layers: ``window`` (each layer its own), ``full`` (windowed
    layers as if they had none), ``grouped`` (all layers share pages of one size, see ``auditor.sizing.cache``)."""
    step_sequences: int = 256
    """Sequences of one step that the sampler's peak is computed for."""
    bytes_per_logit: float = 16.0
    """Bytes that the sampler holds per logit at its peak: copies in float32, sorted values and indices."""
    state_blocks: int = 1
    """Blocks that a ``grouped`` engine reserves per sequence and group of recurrent layers."""
    head_dim_multiple: int = 1
    """Cached heads are padded to a multiple of this width."""
    collective_bytes: int = 0
    """Communication buffers per rank, where there is more than one."""
    mxfp4_pad_intermediate: int = 1
    """Slices of MXFP4 experts are padded to a multiple of this width on each rank."""
    mxfp4_pad_hidden: int = 1
    """The same for the residual width of MXFP4 experts."""
    minimum_step_tokens: int = 2048
    """Smallest step that a deployment is tuned down to where the default does not fit."""
    driver_bytes: int = 0
    """Bytes of a device that its driver keeps from a process: what the stack counts as its total is so much less."""


@dataclass(frozen=True, slots=True)
class ParallelismRules:
    """Which layouts a stack accepts."""

    tensor_parallel: tuple[int, ...]
    """Degrees to try, in ranks, ascending."""
    pipeline_parallel: bool
    expert_parallel: bool
    heads_divisible: bool = True
    heads_per_rank_even: bool = False
    """Whether each rank takes an even number of heads, or a single one."""
    kv_heads_replicate: bool = True
    intermediate_divisible: bool = False
    vocab_padded: bool = True
    minimum_tensor_parallel: int = 1
    weights_per_rank_bytes: int | None = None
    """Hard ceiling of weights on one rank."""
    multi_node: bool = True
    expert_slice_multiple: int = 1
    """Width of which a slice of an expert must be a multiple; experts are kept whole (expert parallelism) where it is not."""
    towers_sharded: bool = True
    """Whether tensor parallelism shards vision and audio towers; they are replicated otherwise."""
    attention_group_limit: int | None = None
    """Largest tensor-parallel degree of groups that each serve sequences of their own and share the experts (data-parallel
    attention); None where the stack has no such layout."""


@dataclass(frozen=True, slots=True)
class OlderMemory:
    """How a stack divided memory before a release, where that differs from what came after it."""

    before: str
    """The first release that no longer does it."""
    memory: Mapping[str, Any]
    """Fields of ``MemoryModel``."""
    figures: Mapping[str, Figure]
    """Those that are numbers, with their sources, by dotted name."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Stack:
    """The software that serves models on an accelerator: what it supports, what it demands."""

    id: str
    name: str
    family: str
    """Whose effort figures apply: ``cuda neuron tpu_vllm jax rocm gaudi hosted_asic captive local``."""
    version: str
    maturity: str
    maturity_multiplier: str
    """Key into the effort model's stack_maturity multipliers."""
    accelerators: tuple[str, ...]
    """Accelerator ids or families it runs on."""
    architectures_complete: bool
    architectures: tuple[ArchitectureSupport, ...]
    formats: tuple[FormatSupport, ...]
    memory: MemoryModel | None
    """None where nobody outside can place a model (captive, hosted)."""
    parallelism: ParallelismRules | None
    efficiency: Mapping[str, float]
    """Calibrated shares of peak: ``bandwidth_low bandwidth_likely bandwidth_high compute_low …``, ``step_overhead_s``."""
    features: tuple[str, ...]
    unsupported_features: tuple[str, ...]
    limits: Mapping[str, int | float | tuple[str, ...]]
    launch: str
    """Template of the launch command, or empty."""
    hosted: bool = False
    hosted_models: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    notes: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    end_of_life: str = ""
    """ISO date after which its makers no longer support it; empty where none is announced."""
    formats_complete: bool = False
    """Whether a method absent from ``formats`` is absent from the stack."""
    figures: Mapping[str, Figure] = field(default_factory=dict)
    """Every number of ``memory``, ``parallelism``, ``efficiency`` and ``limits`` with its source, by dotted name."""
    parallelism_sources: tuple[Source, ...] = ()
    feature_sources: tuple[Source, ...] = ()
    architecture_sources: tuple[Source, ...] = ()
    format_sources: tuple[Source, ...] = ()
    releases: tuple[OlderMemory, ...] = ()
    """How earlier releases divided memory, newest first; each is laid over those before it (``auditor.catalog.releases``)."""
    release: str = ""
    """Release whose division of memory was asked for; empty for that of ``version``."""


@dataclass(frozen=True, slots=True)
class StackFamily:
    """A stack, and what it becomes on the accelerators that its file sets apart."""

    stack: Stack
    variants: Mapping[str, Stack]
    """By accelerator id or family."""

    def on(self, accelerator: Accelerator) -> Stack:
        """Return the stack as it is on ``accelerator``."""
        return self.variants.get(accelerator.id) or self.variants.get(accelerator.family) or self.stack


@dataclass(frozen=True, slots=True)
class Target:
    """One accelerator with one stack: what an audit is made against."""

    accelerator: Accelerator
    stack: Stack

    @property
    def id(self) -> str:
        """``h100-sxm/vllm-cuda``, with ``@0.11`` where an older release was asked for."""
        return f"{self.accelerator.id}/{self.stack.id}" + (f"@{self.stack.release}" if self.stack.release else "")


@dataclass(frozen=True, slots=True)
class AppliesTo:
    """Targets that a rule is about: every key that is not empty must match, any value of a key will do."""

    stack: tuple[str, ...] = ()
    stack_family: tuple[str, ...] = ()
    accelerator: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
    vendor: tuple[str, ...] = ()
    availability: tuple[str, ...] = ()

    def covers(self, target: Target) -> bool:
        """Return whether the target is among them."""
        chip, stack = target.accelerator, target.stack
        return (
            (not self.stack or stack.id in self.stack)
            and (not self.stack_family or stack.family in self.stack_family)
            and (not self.accelerator or chip.id in self.accelerator)
            and (not self.family or chip.family in self.family)
            and (not self.vendor or chip.vendor in self.vendor)
            and (not self.availability or chip.availability in self.availability)
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, parsed and checked."""

    id: str
    title: str
    applies_to: tuple[AppliesTo, ...]
    """The file's and the rule's own: every one must cover the target."""
    when: Condition
    verdict: str
    """``native note config-change needs-port blocked``, or ``unknown`` with ``at_worst``."""
    confidence: str
    work: tuple[str, ...]
    message: Message
    remediation: Message
    sources: tuple[Source, ...]
    file: str
    """File and line where it stands, for people."""
    line: int
    at_worst: str = ""
    """How bad a rule of verdict ``unknown`` may turn out."""
    settled_by: tuple[str, ...] = ()
    """What would settle it, said in words; the unknown facts otherwise."""
    shipped: bool = True
    """False for a rule of a pack that the user added."""

    def covers(self, target: Target) -> bool:
        """Return whether the rule is about the target."""
        for part in self.applies_to:  # noqa: SIM110 - a generator costs more than the check, rules times targets often
            if not part.covers(target):
                return False
        return True

"""Hand-made models, chips and stacks whose sums can be done on paper."""

from dataclasses import replace

from auditor.catalog.model import (
    Accelerator,
    Figure,
    FormatSupport,
    Instance,
    MemoryModel,
    ParallelismRules,
    Partition,
    Price,
    Stack,
    Target,
)
from auditor.facts import Basis, Facts, Known, Value
from auditor.inspection.model import Inspection, LayerGroup, LayerKind
from auditor.units import GB
from auditor.workload import Workload


def figure(value: float | None, unit: str = "") -> Figure:
    return Figure(value, unit, "high")


def accelerator(**changes: object) -> Accelerator:
    """80 GB, 3 TB/s, 1 PFLOPS in 16 bit, eight to a host."""
    plain = Accelerator(
        id="chip",
        name="Chip",
        vendor="maker",
        family="chips",
        generation="",
        aliases=(),
        availability="open",
        availability_note="",
        memory=figure(80, "GB"),
        memory_bytes=figure(80 * GB, "bytes"),
        memory_type="HBM",
        bandwidth=figure(3000, "GB/s"),
        peaks={"bfloat16": figure(1000), "float8_e4m3fn": figure(2000)},
        native_dtypes=("bfloat16", "float8_e4m3fn"),
        power=figure(700),
        interconnect=figure(400, "GB/s"),
        interconnect_name="link",
        scale_up_devices=8,
        partition=None,
        instances=(Instance("cloud", "one", 1), Instance("cloud", "eight", 8)),
        training=True,
        compute_capability=None,
        kernel_language=True,
        excluded_classes=(),
        excluded_layers=(),
        fixed_function_note="",
        sources=(),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def stack(**changes: object) -> Stack:
    plain = Stack(
        id="engine",
        name="Engine",
        family="cuda",
        version="1",
        maturity="stable",
        maturity_multiplier="ga",
        accelerators=("chips",),
        architectures_complete=True,
        architectures=(),
        formats=(FormatSupport("none", "native"), FormatSupport("fp8", "native")),
        memory=MemoryModel(
            fraction=0.9,
            fraction_of="total",
            runtime_bytes=GB,
            activation_tokens=2048,
            block_tokens=16,
            windowed="grouped",
            bytes_per_logit=16,
        ),
        parallelism=ParallelismRules(tensor_parallel=(1, 2, 4, 8), pipeline_parallel=True, expert_parallel=True),
        efficiency={
            "bandwidth_low": 0.5,
            "bandwidth_likely": 0.7,
            "bandwidth_high": 0.9,
            "compute_low": 0.3,
            "compute_likely": 0.5,
            "compute_high": 0.7,
        },
        features=(),
        unsupported_features=(),
        limits={},
        launch="serve {model}[ --tensor-parallel-size {tensor_parallel}][ --stages {pipeline_parallel}] --max-model-len {context}",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def target(chip: Accelerator | None = None, engine: Stack | None = None) -> Target:
    return Target(chip or accelerator(), engine or stack())


def neuron() -> Target:
    """A chip of four ranks with 24 GB each that are not pooled."""
    chip = accelerator(
        memory_bytes=figure(96 * GB),
        partition=Partition("core", 4, 24 * GB),
        scale_up_devices=16,
        instances=(Instance("cloud", "sixteen", 16),),
    )
    return target(chip, stack(parallelism=ParallelismRules((1, 2, 4, 8, 16, 32, 64), pipeline_parallel=False, expert_parallel=True)))


def full(count: int, kv_heads: int = 8, head_dim: int = 128, each: int = 2) -> LayerGroup:
    per_token = count * 2 * kv_heads * head_dim * each
    return LayerGroup(LayerKind.FULL, count, per_token, kv_heads=kv_heads, key_dim=head_dim, value_dim=head_dim)


def window(count: int, tokens: int, kv_heads: int = 8, head_dim: int = 128, each: int = 2) -> LayerGroup:
    return replace(full(count, kv_heads, head_dim, each), kind=LayerKind.WINDOW, window=tokens)


def state(count: int, each: int) -> LayerGroup:
    return LayerGroup(LayerKind.RECURRENT, count, bytes_per_sequence=count * each)


def latent(count: int, width: int = 576) -> LayerGroup:
    return LayerGroup(LayerKind.LATENT, count, bytes_per_token=count * width * 2, key_dim=width)


def model(layers: tuple[LayerGroup, ...] = (full(32),), **facts: Value | None) -> Inspection:
    """8 B parameters in 16 bit, 32 layers, 32 heads over 8; facts by name with ``__`` for the dot, None to leave out."""
    values: dict[str, Value | None] = {
        "arch.task": "causal-lm",
        "arch.layers": 32,
        "arch.hidden_size": 4096,
        "arch.intermediate_size": 14336,
        "arch.vocab_size": 128256,
        "arch.max_context": 131072,
        "arch.position": "rope",
        "attention.kind": "gqa",
        "attention.heads": 32,
        "attention.kv_heads": 8,
        "attention.head_dim": 128,
        "params.total": 8_030_261_248,
        "params.active": 8_030_261_248,
        "params.decode": 7_504_924_672,
        "weights.bytes": 16_060_522_496,
        "weights.embedding_bytes": 2 * 128256 * 4096 * 2,
        "weights.dtype": "bfloat16",
        "quant.method": "none",
    }
    values |= {name.replace("__", "."): value for name, value in facts.items()}
    known = {name: Known(value, Basis.CONFIG) for name, value in values.items() if value is not None}
    return Inspection("model", None, "test", Facts(known), layers)


def experts(**facts: Value | None) -> Inspection:
    """30 B parameters of which 3 B are active: 128 experts, eight of them per token."""
    return model(
        (full(48, kv_heads=4),),
        **{
            "arch__layers": 48,
            "arch__hidden_size": 2048,
            "arch__intermediate_size": 6144,
            "attention__kv_heads": 4,
            "params__total": 30_532_122_624,
            "params__active": 3_345_000_000,
            "params__decode": 3_030_000_000,
            "params__routed_experts": 28_991_029_248,
            "weights__bytes": 61_064_245_248,
            "weights__routed_expert_bytes": 57_982_058_496,
            "weights__embedding_bytes": 2 * 151936 * 2048 * 2,
            "arch__vocab_size": 151936,
            "moe__experts": 128,
            "moe__experts_per_token": 8,
            "moe__intermediate_size": 768,
            "moe__layers": 48,
            **facts,
        },
    )


def workload(context: int = 8192, concurrency: int = 16) -> Workload:
    return Workload(context=context, concurrency=concurrency, input_tokens=context * 3 // 4, output_tokens=context // 4)


def price(usd: float, instance: str = "one", devices: int = 1, term: str = "on-demand", as_of: str = "2026-11-01") -> Price:
    return Price("cloud", instance, "chip", devices, usd, term, None, as_of, "high")

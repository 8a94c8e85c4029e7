"""Hand-made audits for the tests of reports: every figure invented, every kind of row present."""

from auditor.catalog.model import Accelerator, Figure, Price, Source, Stack, Target
from auditor.facts import Basis, Facts, Known, Unknown
from auditor.inspection.model import Inspection, LayerGroup, LayerKind
from auditor.results import Audit, Cost, Effort, ModelAudit, TargetAudit, WorkItem
from auditor.rules.model import Finding, Undecided
from auditor.sizing.model import Layout, Memory, NoPlacement, Placement, Range, Throughput
from auditor.workload import Workload

GIB = 1 << 30
PAGE = Source("Supported models of a stack", "https://example.invalid/models", "2026-11-01", "table 2")


def accelerator(name: str, family: str, availability: str = "open", note: str = "") -> Accelerator:
    nothing = Figure(None, "", "low", note="not published")
    return Accelerator(
        id=name,
        name=name.upper(),
        vendor="vendor",
        family=family,
        generation="",
        aliases=(),
        availability=availability,
        availability_note=note,
        memory=Figure(80, "GB", "high", (PAGE,)),
        memory_bytes=Figure(80 * 10**9, "bytes", "high", (PAGE,)),
        memory_type="HBM3",
        bandwidth=Figure(3350, "GB/s", "high", (PAGE,)),
        peaks={"bfloat16": Figure(989, "TFLOPS", "high", (PAGE,))},
        native_dtypes=("bfloat16",),
        power=nothing,
        interconnect=nothing,
        interconnect_name="",
        scale_up_devices=8,
        partition=None,
        instances=(),
        training=True,
        compute_capability=None,
        kernel_language=None,
        excluded_classes=(),
        excluded_layers=(),
        fixed_function_note="",
        sources=(PAGE,),
    )


def stack(name: str, family: str = "cuda") -> Stack:
    return Stack(
        id=name,
        name=name,
        family=family,
        version="1.0",
        maturity="stable",
        maturity_multiplier="",
        accelerators=(),
        architectures_complete=True,
        architectures=(),
        formats=(),
        memory=None,
        parallelism=None,
        efficiency={},
        features=(),
        unsupported_features=(),
        limits={},
        launch="",
    )


def placement(devices: int, instance: str, *, borderline: bool = False) -> Placement:
    return Placement(
        devices=devices,
        instance=instance,
        provider="cloud",
        instances=1,
        billed_devices=devices,
        layout=Layout(devices),
        memory=Memory(15 * GIB, 16 * GIB, GIB, GIB, 33 * GIB, 72 * GIB),
        max_concurrency=44,
        max_context_tokens=26_112,
        borderline=borderline,
        borderline_knob="--memory-fraction" if borderline else "",
        weights_dtype="as-stored",
        launch="vllm serve MODEL --tensor-parallel-size 1",
        notes=("a note on the placement",),
    )


def throughput(likely: float) -> Throughput:
    def around(value: float) -> Range:
        return Range(value * 0.7, value, value * 1.25)

    return Throughput(
        output_tokens_per_s=around(likely),
        decode_tokens_per_s=around(likely * 1.5),
        prefill_tokens_per_s=around(likely * 12),
        decode_tokens_per_s_per_sequence=around(likely / 16),
        ttft_s=around(0.21),
        basis="estimate",
        terms=("step time = 15.0 GB / 3.35 TB/s = 4.5 ms",),
    )


def cost(usd_per_hour: float, likely_tokens_per_s: float, *, stale: bool = False) -> Cost:
    each = usd_per_hour / (likely_tokens_per_s * 3600 / 1e6)
    return Cost(
        usd_per_hour=usd_per_hour,
        usd_per_million_tokens=Range(each / 1.25, each, each / 0.7),
        usd_per_million_total_tokens=Range(each / 5, each / 4, each / 3),
        price=Price("cloud", "big.48xlarge", "h100-sxm", 8, usd_per_hour, "on-demand", "us-east-1", "2026-11-01", "high", (PAGE,)),
        price_is_stale=stale,
        break_even_months=None,
        break_even_reason="no volume given",
    )


NO_COST = Cost(None, None, None, None, price_is_stale=False, break_even_months=None, break_even_reason="no price", reason="no price row")
NO_EFFORT = Effort(None, None, None, (), "", "the chip is captive")


def effort(low: float, likely: float, high: float) -> Effort:
    weeks = Range(low, likely, high)
    item = WorkItem("config", "Configuration and sharding", "model", "org/model", weeks, "J", ("neuron-gptq-weights",))
    return Effort(weeks, (low + 4 * likely + high) / 6, (low, high), (item,), "J")


def finding(rule: str, verdict: str, message: str, remediation: str = "", confidence: str = "high") -> Finding:
    return Finding(
        rule, verdict, confidence, message, {"quant.method": "none", "arch.class": None}, remediation, (), (PAGE,), f"Title of {rule}"
    )


FACTS = Facts(
    {
        "model.id": Known("org/model-8b", Basis.USER),
        "arch.class": Known("dense-transformer", Basis.DERIVED),
        "arch.architectures": Known(("LlamaForCausalLM",), Basis.CONFIG),
        "arch.task": Known("causal-lm", Basis.DERIVED),
        "arch.layers": Known(32, Basis.CONFIG),
        "attention.kind": Known("gqa", Basis.DERIVED),
        "attention.heads": Known(32, Basis.CONFIG),
        "attention.kv_heads": Known(8, Basis.CONFIG),
        "attention.head_dim": Known(128, Basis.CLASS_DEFAULT),
        "params.total": Known(8_030_261_248, Basis.HEADER),
        "params.active": Known(8_030_261_248, Basis.HEADER),
        "weights.bytes": Known(16_060_522_496, Basis.HEADER),
        "weights.dtype": Known("bfloat16", Basis.HEADER),
        "quant.method": Known("none", Basis.ASSUMED),
        "kv_cache.dtype": Known("bfloat16", Basis.ASSUMED),
        "kv_cache.bytes_per_token": Known(131_072.0, Basis.DERIVED),
        "repo.custom_code": Known(value=False, basis=Basis.CONFIG),
        "repo.license": Unknown("no model card", ("README.md",)),
    }
)
INSPECTION = Inspection(
    id="org/model-8b",
    revision="0e9e39f249a16976918f6564b8830bc894c89659",
    source="folder",
    facts=FACTS,
    layers=(LayerGroup(LayerKind.FULL, 32, bytes_per_token=131_072.0, kv_heads=8, key_dim=128, value_dim=128),),
    notes=("chose the safetensors files; consolidated.00.pth holds the same weights",),
)


def row(target: Target, verdict: str, **given: object) -> TargetAudit:
    fields: dict[str, object] = {
        "availability": target.accelerator.availability,
        "at_least": None,
        "settled_by": (),
        "placement": None,
        "no_placement": None,
        "throughput": None,
        "cost": NO_COST,
        "effort": NO_EFFORT,
        "findings": (),
        "undecided": (),
        "facts": FACTS.merged({"kv_cache.bytes": Known(17_179_869_184.0, Basis.DERIVED)}),
    }
    return TargetAudit(target=target, verdict=verdict, **{**fields, **given})  # type: ignore[arg-type]


def rows() -> tuple[TargetAudit, ...]:
    h100 = Target(accelerator("h100-sxm", "hopper"), stack("vllm-cuda"))
    h200 = Target(accelerator("h200", "hopper"), stack("vllm-cuda"))
    trn2 = Target(accelerator("trainium2", "trn2"), stack("neuron-vllm", "neuron"))
    jax = Target(accelerator("tpu-v6e", "tpu-v6e", "limited"), stack("maxtext", "jax"))
    v7 = Target(accelerator("tpu-v7-ironwood", "tpu-v7"), stack("vllm-tpu", "tpu_vllm"))
    lpu = Target(accelerator("groq-3-lpu", "lpu"), stack("dynamo-lpu", "hosted_asic"))
    maia = Target(accelerator("maia-200", "maia", "captive", "Runs inside one company's data centres only."), stack("maia-sdk", "captive"))
    mtia = Target(accelerator("mtia-2", "mtia", "captive", "Runs inside one company's data centres only."), stack("mtia-sdk", "captive"))
    sohu = Target(accelerator("sohu", "sohu", "unreleased", "Announced in 2024; nobody outside has one."), stack("etched", "captive"))
    return (
        row(
            h100, "native", placement=placement(1, "p5.4xlarge"), throughput=throughput(1500), cost=cost(6.88, 1500), effort=effort(0, 0, 0)
        ),
        row(
            h200,
            "native",
            placement=placement(1, "p5en.48xlarge", borderline=True),
            throughput=throughput(2000),
            cost=cost(63.3, 2000, stale=True),
            effort=effort(0.3, 0.8, 1.5),
        ),
        row(
            trn2,
            "config-change",
            placement=placement(4, "trn2.48xlarge"),
            throughput=throughput(900),
            cost=cost(44.7, 900),
            effort=effort(2, 3.5, 6),
            findings=(
                finding("neuron-list", "native", "LlamaForCausalLM is validated."),
                finding("neuron-gptq-weights", "config-change", "gptq weights cannot be loaded.", "Serve the original weights: they fit."),
            ),
        ),
        row(
            jax,
            "needs-port",
            placement=placement(4, "ct6e-standard-4t"),
            throughput=throughput(1100),
            cost=cost(10.8, 1100),
            effort=effort(2.7, 5.2, 9.6),
            findings=(finding("maxtext-convert", "needs-port", "The checkpoint is converted first.", "Map the parameters.", "medium"),),
        ),
        row(
            v7,
            "unknown",
            at_least="config-change",
            settled_by=("quant.group_size", "arch.max_context"),
            undecided=(Undecided("tpu-group", "needs-port", ("quant.group_size",)),),
            no_placement=NoPlacement("weights.bytes is unknown", known=False, settled_by=("weights.bytes",)),
            findings=(finding("tpu-format", "config-change", "The format is converted on load."),),
        ),
        row(lpu, "blocked", findings=(finding("lpu-hosted", "blocked", "Not in the hosted catalogue.", "Ask the vendor."),)),
        row(maia, "blocked"),
        row(mtia, "blocked"),
        row(sohu, "unknown"),
    )


def audit() -> Audit:
    workload = Workload(context=8192, concurrency=16, input_tokens=6144, output_tokens=2048, kv_dtype="bfloat16")
    basis = {"context": "default", "concurrency": "user", "input_tokens": "default", "output_tokens": "default", "kv_dtype": "default"}
    broken = Inspection("broken/model", None, "folder", Facts(), errors=("broken/model/config.json is not JSON; check the file",))
    return Audit(
        version="0.1.0",
        rules_digest="0123456789abcdef0123456789abcdef",
        today="2026-11-22",
        models=(ModelAudit(INSPECTION, workload, basis, rows()), ModelAudit(broken, Workload(), {}, ())),
    )

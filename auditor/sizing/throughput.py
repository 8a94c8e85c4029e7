"""Speed of a placement: a roofline for each phase, with efficiencies that a stack's file calibrates.

A decode step multiplies by every weight that the batch touches: the longer of reading them once and of the arithmetic
for all sequences. Attention then reads each sequence's cache; it cannot hide behind the matrices, which come before and
after it. Exchanges between ranks and a fixed overhead are added. Prefill multiplies every parameter once per prompt token
and attends, in 16 bit, to the tokens before.

Efficiencies (``Stack.efficiency``), shares of the published peaks unless a unit is given:

``bandwidth_low bandwidth_likely bandwidth_high``  of memory bandwidth
``compute_low compute_likely compute_high``        of the peak of the type that is multiplied
``compute_4bit``                                   of that share, where the type has four bits (default 1)
``expert_width``                                   width of an expert at which its arithmetic is half as efficient (default 0)
``link``                                           of the interconnect's bandwidth, in exchanges (default 0.5)
``collective_s``                                   seconds of one exchange, beyond its bytes
``layer_s``  ``step_s``  ``sequence_s``            seconds of launches per layer, of scheduling per step, of scheduling
                                                   per sequence of a step (default 0)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from auditor.catalog.model import MemoryModel, Target
from auditor.inspection.model import Inspection, LayerKind
from auditor.sizing import cache
from auditor.sizing.layout import ranks_per_device
from auditor.sizing.model import Layout, NoPlacement, Placement, Range, Throughput
from auditor.sizing.shape import SIXTEEN_BIT, Shape, read_shape
from auditor.sizing.weights import AS_STORED, Holding, holding
from auditor.units import GB, dtype_bytes
from auditor.workload import Workload

TERA = 1e12
#: Types in which a quantization method multiplies where the chip has them; weights are widened to 16 bit where it has not.
_MULTIPLIES: Mapping[str, tuple[str, ...]] = {
    "fp8": ("float8_e4m3fn",),
    "modelopt-fp8": ("float8_e4m3fn",),
    "nvfp4": ("float4_e2m1",),
    "mxfp4": ("float4_e2m1",),
    "mxfp8": ("float8_e4m3fn",),
    "quark": ("float8_e4m3fn",),
}
_SIXTEEN_BIT_TYPES = ("bfloat16", "float16")


@dataclass(frozen=True, slots=True)
class _Machine:
    """One rank's peaks, scaled by one set of efficiencies. Bytes and operations per second, seconds."""

    bandwidth: float
    compute: float
    attend: float
    """Operations per second in attention, which is done in 16 bit."""
    expert_width: float
    link: float
    collective: float
    layer: float
    step: float
    sequence: float
    """Seconds of the host's work for each sequence of a step: its tokens are sampled, kept and sent one by one."""


@dataclass(frozen=True, slots=True)
class _Work:
    """What one rank of a layout does, independent of how fast it is."""

    layout: Layout
    shape: Shape
    held: Holding
    shares: int
    """Copies of the model, and groups within them, that have a sequence to work on."""
    batch: float
    """Sequences in one of them."""
    mean_tokens: float
    cache_bytes: float
    """Cache that one sequence's next token reads on one rank."""
    input_tokens: int
    output_tokens: int
    step_tokens: int

    @property
    def split(self) -> int:
        """Return over how many ranks everything but the experts is divided."""
        return self.layout.tensor * self.layout.pipeline


def estimate(inspection: Inspection, target: Target, workload: Workload, placement: Placement) -> Throughput | None:
    """Return the speed of a placement at a (resolved) workload, as ranges.

    None for models that do not generate text, and where bandwidth, peak or efficiency of the target is not known.
    """
    shape = read_shape(inspection)
    memory = target.stack.memory
    if isinstance(shape, NoPlacement) or not shape.generates or memory is None:
        return None
    held = holding(shape, target, inspection.facts, None if placement.weights_dtype == AS_STORED else placement.weights_dtype)
    if isinstance(held, NoPlacement) or not workload.output_tokens or not shape.decode_parameters:
        return None
    dtype = multiplied_dtype(shape, held, target)
    machines = [machine for case in ("likely", "low", "high") if (machine := _machine(target, dtype, case)) is not None]
    if len(machines) < len(Range.__slots__):
        return None
    work = _work(shape, held, placement.layout, memory, workload, placement)
    speeds = [_speeds(work, machine) for machine in machines]

    def spread(name: str) -> Range:
        values = [speed[name] for speed in speeds]
        return Range(min(values), values[0], max(values))

    output = spread("output")
    watts = target.accelerator.power.value
    joules = None if not watts else Range(*(rate / (watts * placement.devices) for rate in (output.low, output.likely, output.high)))
    return Throughput(
        output_tokens_per_s=output,
        decode_tokens_per_s=spread("decode"),
        prefill_tokens_per_s=spread("prefill"),
        decode_tokens_per_s_per_sequence=spread("decode_each"),
        ttft_s=spread("ttft"),
        basis="estimate",
        tokens_per_joule=joules,
        terms=_terms(work, machines[0], dtype, speeds[0]),
    )


def multiplied_dtype(shape: Shape, held: Holding, target: Target) -> str:
    """Return the type in which the target multiplies: the quantized one where it computes in it, else 16 bit."""
    if held.dtype == AS_STORED:
        for dtype in _MULTIPLIES.get(shape.quant_method, ()):
            if dtype in target.accelerator.native_dtypes and _peak(target, dtype):
                return dtype
        if (
            shape.quant_method == "compressed-tensors"
            and shape.weights_dtype in target.accelerator.native_dtypes
            and _peak(target, shape.weights_dtype)
        ):
            return shape.weights_dtype
    elif held.dtype in target.accelerator.native_dtypes and _peak(target, held.dtype):
        return held.dtype
    return next((dtype for dtype in _SIXTEEN_BIT_TYPES if _peak(target, dtype)), "bfloat16")


def _peak(target: Target, dtype: str) -> float | None:
    figure = target.accelerator.peaks.get(dtype)
    return figure.value if figure is not None else None


def _machine(target: Target, dtype: str, case: str) -> _Machine | None:
    accelerator, efficiency = target.accelerator, target.stack.efficiency
    peak, bandwidth = _peak(target, dtype), accelerator.bandwidth.value
    shares = (efficiency.get(f"bandwidth_{case}"), efficiency.get(f"compute_{case}"))
    if peak is None or bandwidth is None or shares[0] is None or shares[1] is None:
        return None
    per_device = ranks_per_device(accelerator)
    sixteen = next((value for name in _SIXTEEN_BIT_TYPES if (value := _peak(target, name))), peak)
    narrow = efficiency.get("compute_4bit", 1.0) if dtype_bytes(dtype) < 1 else 1.0
    # A device without a published link is charged as if its exchanges went over its own memory at a tenth.
    link = accelerator.interconnect.value or bandwidth / 10
    # Exchanges and overheads vary with the same conditions as bandwidth does.
    slower = efficiency["bandwidth_likely"] / shares[0]
    return _Machine(
        bandwidth=bandwidth * GB / per_device * shares[0],
        compute=peak * TERA / per_device * shares[1] * narrow,
        attend=sixteen * TERA / per_device * shares[1],
        expert_width=efficiency.get("expert_width", 0.0),
        link=link * GB / per_device * efficiency.get("link", 0.5) / slower,
        collective=efficiency.get("collective_s", 0.0) * slower,
        layer=efficiency.get("layer_s", 0.0) * slower,
        step=efficiency.get("step_s", 0.0) * slower,
        sequence=efficiency.get("sequence_s", 0.0) * slower,
    )


def _work(shape: Shape, held: Holding, layout: Layout, memory: MemoryModel, workload: Workload, placement: Placement) -> _Work:
    input_tokens, output_tokens = workload.input_tokens or 0, workload.output_tokens or 1
    mean = input_tokens + output_tokens / 2
    layers = cache.on_rank(shape.cache, Layout(layout.tensor, 1, layout.expert), memory)
    read = sum(
        layer.count * (2 * layer.state + layer.per_token * layer.tokens(ceil(mean)))
        for layer in layers
        if layer.kind is not LayerKind.INDEXER
    )
    sequences = min(workload.concurrency or 1, max(placement.max_concurrency, 1))
    shares = min(layout.sequence_shares, sequences)
    return _Work(
        layout,
        shape,
        held,
        shares,
        sequences / shares,
        mean,
        read,
        input_tokens,
        output_tokens,
        placement.step_tokens or memory.activation_tokens,
    )


def touched_experts(experts: int, per_token: int, tokens: float) -> float:
    """Return the share of experts that ``tokens`` tokens touch when each picks ``per_token`` at random: 1 - (1 - k/E)^B."""
    return 1 - (1 - per_token / experts) ** tokens if experts else 1.0


def step_weight_bytes(work: _Work, tokens: float) -> float:
    """Return the weights that one rank reads in a step of ``tokens`` sequences per group.

    The input embedding is looked up, and groups that share experts touch them together.
    """
    shape, held, groups = work.shape, work.held, work.layout.groups
    untied = shape.embedding_bytes > 1.5 * shape.vocabulary * shape.hidden * SIXTEEN_BIT
    head = held.embedding / 2 if untied else held.embedding
    touched = touched_experts(shape.experts, shape.experts_per_token, tokens * groups)
    return (held.layers + head + held.experts * touched / groups) / work.split


def _multiply_seconds(work: _Work, machine: _Machine, tokens: float) -> float:
    """Return the seconds in which all ranks multiply ``tokens`` tokens by the parameters that each uses.

    Narrow experts leave the matrix units half empty: their share of the arithmetic is stretched.
    """
    shape = work.shape
    routed = shape.expert_parameters * shape.experts_per_token / shape.experts if shape.experts else 0.0
    stretch = 1 + machine.expert_width / shape.expert_intermediate if shape.expert_intermediate else 1.0
    effective = max(shape.decode_parameters - routed, 0) + routed * stretch
    return 2 * effective * tokens / work.split / machine.compute


def _step_seconds(work: _Work, machine: _Machine) -> float:
    """Return the seconds in which every sequence of a copy gains one token.

    Pipeline stages work side by side on their own share of the batch, so a step is as many stage times as there are
    stages, each over one stage's layers.
    """
    shape, stages = work.shape, work.layout.pipeline
    tokens = work.batch / stages
    weights = step_weight_bytes(work, tokens) / machine.bandwidth
    cached = tokens * work.cache_bytes / stages / machine.bandwidth
    layers = shape.layers / stages * (machine.layer + _exchange_seconds(work, machine, tokens))
    scheduling = machine.step + work.batch * machine.sequence
    return stages * (max(weights, _multiply_seconds(work, machine, tokens)) + cached + layers) + scheduling


def _exchange_seconds(work: _Work, machine: _Machine, tokens: float) -> float:
    """Return the seconds of a layer's exchanges over the residual of ``tokens`` tokens of one group.

    Two all-reduces; where groups share experts, one, and each token's way to its experts and back.
    """
    degree, groups = work.layout.tensor, work.layout.groups
    residual = tokens * work.shape.hidden * SIXTEEN_BIT
    seconds = 0.0
    if degree > 1:
        seconds += (2 if groups == 1 else 1) * (machine.collective + 2 * (degree - 1) / degree * residual / machine.link)
    if groups > 1:
        reached = min(work.shape.experts_per_token, degree * groups - 1)
        seconds += 2 * (machine.collective + reached * residual / degree / machine.link)
    return seconds


def _prefill_seconds(work: _Work, machine: _Machine) -> float:
    """Return the seconds of one prompt, all ranks working on it."""
    shape, tokens = work.shape, work.input_tokens
    if not tokens:
        return 0.0
    attending = sum(group.count for group in shape.cache if group.kind in {LayerKind.FULL, LayerKind.LATENT})
    # Scores and weighted values: two multiply-adds per pair of tokens and head element, each pair once.
    attention = 2 * attending * shape.heads * shape.head_dim * tokens**2
    compute = _multiply_seconds(work, machine, tokens) + attention / work.split / machine.attend
    chunk = min(tokens, work.step_tokens)
    read = step_weight_bytes(work, chunk) * tokens / work.step_tokens / machine.bandwidth
    return max(compute, read) + shape.layers / work.layout.pipeline * _exchange_seconds(work, machine, tokens)


def _speeds(work: _Work, machine: _Machine) -> dict[str, float]:
    step, prompt = _step_seconds(work, machine), _prefill_seconds(work, machine)
    # Prompts take their turns between steps: while one sequence generates its tokens, a whole batch of prompts passes.
    cycle = work.output_tokens * step + work.batch * prompt
    return {
        "output": work.shares * work.batch * work.output_tokens / cycle,
        "decode": work.shares * work.batch / step,
        "decode_each": 1 / step,
        "prefill": work.shares * work.input_tokens / prompt if prompt else 0.0,
        "ttft": prompt + step,
    }


def _terms(work: _Work, machine: _Machine, dtype: str, speeds: dict[str, float]) -> tuple[str, ...]:
    shape, layout = work.shape, work.layout
    tokens = work.batch / layout.pipeline
    weights = step_weight_bytes(work, tokens)
    cached = work.batch * work.cache_bytes / layout.pipeline
    multiplied = _multiply_seconds(work, machine, work.batch)
    exchanged = shape.layers * _exchange_seconds(work, machine, tokens)
    whose = "group" if layout.groups > 1 else "copy"
    lines = [
        f"batch {work.batch:g} sequences per {whose}, {work.mean_tokens:g} tokens each on average (input + output / 2)",
        f"weights per step and rank: {_quotient(weights, machine)}, embedding and idle experts left out",
    ]
    if shape.experts:
        share = touched_experts(shape.experts, shape.experts_per_token, tokens * layout.groups)
        lines.append(f"experts touched: 1 - (1 - {shape.experts_per_token}/{shape.experts})^{tokens * layout.groups:g} = {share:.1%}")
    flops = f"{machine.compute / TERA:.0f} TFLOPS ({dtype})"
    arithmetic = f"2 x {shape.decode_parameters / 1e9:.2f} B x {work.batch:g} / {work.split} / {flops}"
    stretched = ", narrow experts stretched" if shape.experts and machine.expert_width else ""
    prompt = f"{_prefill_seconds(work, machine) * 1e3:.1f} ms"
    lines += [
        f"arithmetic: {arithmetic}{stretched} = {multiplied * 1e3:.2f} ms",
        f"cache per step and rank: {_quotient(cached, machine)}",
        f"exchanges: {shape.layers * _exchanges(layout)} per step, {exchanged * 1e3:.2f} ms",
        f"overhead: {(machine.step + work.batch * machine.sequence + shape.layers * machine.layer) * 1e3:.2f} ms",
        f"decode step: {1e3 / speeds['decode_each']:.2f} ms, prompt of {work.input_tokens} tokens: {prompt}",
        f"generated: {speeds['output']:.0f} tokens/s with prompts between the steps, {speeds['decode']:.0f} without",
    ]
    return tuple(lines)


def _exchanges(layout: Layout) -> int:
    """Return how many exchanges a layer has."""
    if layout.groups > 1:
        return 2 + (layout.tensor > 1)
    return 2 if layout.tensor > 1 else 0


def _quotient(count: float, machine: _Machine) -> str:
    return f"{count / GB:.2f} GB / {machine.bandwidth / GB:.0f} GB/s = {count / machine.bandwidth * 1e3:.2f} ms"

"""Speed: the roofline on paper, and what must hold whatever the figures."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.catalog.model import FormatSupport, Target
from auditor.inspection.model import Inspection
from auditor.sizing import Constraints, Placement, Throughput, estimate, place
from auditor.sizing.throughput import multiplied_dtype, touched_experts
from auditor.sizing.weights import Holding
from auditor.workload import Workload
from tests.support.hands import accelerator, experts, figure, model, stack, target, workload


def speed(inspection: Inspection, on: Target | None = None, load: Workload | None = None, **constraints: int) -> Throughput:
    where, work = on or target(), load or workload()
    placement = place(inspection, where, work, (), Constraints(**constraints))
    assert isinstance(placement, Placement), placement
    answer = estimate(inspection, where, work, placement)
    assert answer is not None
    return answer


def test_decode_is_bytes_over_bandwidth() -> None:
    found = speed(model(), load=workload(8192, 1))
    weights = 16_060_522_496 - 128256 * 4096 * 2
    cached = (6144 + 1024) * 131_072
    assert found.decode_tokens_per_s.likely == pytest.approx(0.7 * 3e12 / (weights + cached))
    assert found.decode_tokens_per_s.low == pytest.approx(0.5 * 3e12 / (weights + cached))


def test_prefill_is_arithmetic_over_peak() -> None:
    found = speed(model(), load=workload(8192, 1))
    flops = 2 * 7_504_924_672 * 6144 + 2 * 32 * 32 * 128 * 6144**2
    assert found.prefill_tokens_per_s.likely == pytest.approx(6144 * 0.5e15 / flops)
    assert found.ttft_s.likely == pytest.approx(flops / 0.5e15 + 1 / found.decode_tokens_per_s_per_sequence.likely)


def test_output_counts_the_prompts_between_the_steps() -> None:
    found = speed(model())
    prompt, step = 6144 / found.prefill_tokens_per_s.likely, 16 / found.decode_tokens_per_s.likely
    assert found.output_tokens_per_s.likely == pytest.approx(16 * 2048 / (2048 * step + 16 * prompt))


def test_large_batches_are_bound_by_arithmetic() -> None:
    load = Workload(context=64, concurrency=4096, input_tokens=8, output_tokens=56)
    cached = 36 * 131_072 / 2.1e12
    assert speed(model(), load=load).decode_tokens_per_s.likely == pytest.approx(1 / (2 * 7_504_924_672 / 0.5e15 + cached))


def test_four_bit_arithmetic_and_narrow_experts_are_less_efficient() -> None:
    load = Workload(context=64, concurrency=4096, input_tokens=8, output_tokens=56)
    narrow = target(engine=stack(efficiency=dict(stack().efficiency) | {"expert_width": 768.0}))
    assert speed(experts(), narrow, load).prefill_tokens_per_s.likely < 0.75 * speed(experts(), load=load).prefill_tokens_per_s.likely
    chip = accelerator(peaks={"bfloat16": figure(1000), "float4_e2m1": figure(4000)}, native_dtypes=("bfloat16", "float4_e2m1"))
    engine = stack(formats=(FormatSupport("nvfp4", "native"),))
    quantized = model(quant__method="nvfp4", weights__bytes=6_000_000_000)
    full = speed(quantized, target(chip, engine), load).prefill_tokens_per_s.likely
    half = speed(quantized, target(chip, replace(engine, efficiency=dict(engine.efficiency) | {"compute_4bit": 0.5})), load)
    assert half.prefill_tokens_per_s.likely == pytest.approx(full / 2, rel=0.01)


def test_touched_experts() -> None:
    assert touched_experts(128, 8, 1) == pytest.approx(8 / 128)
    assert touched_experts(128, 8, 1000) == pytest.approx(1)
    assert touched_experts(0, 0, 5) == 1


def test_a_model_of_experts_is_faster_alone_than_a_dense_one_of_its_size() -> None:
    dense = experts(moe__experts=None, moe__experts_per_token=None, weights__routed_expert_bytes=None, params__routed_experts=None)
    assert (
        speed(experts(), load=workload(8192, 1)).decode_tokens_per_s.likely
        > 5 * speed(dense, load=workload(8192, 1)).decode_tokens_per_s.likely
    )


def test_exchanges_cost_time() -> None:
    slow = target(engine=stack(efficiency=dict(stack().efficiency) | {"collective_s": 1e-4}))
    assert speed(model(), slow, devices=8).decode_tokens_per_s.likely < speed(model(), devices=8).decode_tokens_per_s.likely
    assert speed(model(), slow).decode_tokens_per_s == speed(model()).decode_tokens_per_s


def test_copies_multiply() -> None:
    one, four = speed(model(), load=workload(8192, 4)), speed(model(), load=workload(8192, 16), devices=4, tensor_parallel=1)
    assert four.output_tokens_per_s.likely == pytest.approx(4 * one.output_tokens_per_s.likely)


def test_quantized_weights_multiply_in_their_type_where_the_chip_has_it() -> None:
    from auditor.sizing.shape import Shape, read_shape  # noqa: PLC0415 - only here

    shape = read_shape(model(quant__method="fp8"))
    assert isinstance(shape, Shape)
    stored = Holding("as-stored", 1, 0, 0, 0)
    assert multiplied_dtype(shape, stored, target()) == "float8_e4m3fn"
    assert multiplied_dtype(shape, stored, target(accelerator(native_dtypes=("bfloat16",)))) == "bfloat16"
    assert multiplied_dtype(replace(shape, quant_method="gptq"), stored, target()) == "bfloat16"
    assert multiplied_dtype(shape, replace(stored, dtype="bfloat16"), target()) == "bfloat16"


def test_energy_is_tokens_over_published_power() -> None:
    found = speed(model())
    assert found.tokens_per_joule
    assert found.tokens_per_joule.likely == pytest.approx(found.output_tokens_per_s.likely / 700)
    assert speed(model(), target(accelerator(power=figure(None)))).tokens_per_joule is None


@pytest.mark.parametrize(
    "without",
    [
        target(accelerator(bandwidth=figure(None))),
        target(accelerator(peaks={"bfloat16": figure(None)})),
        target(engine=stack(efficiency={})),
    ],
)
def test_no_estimate_without_its_figures(without: Target) -> None:
    placement = place(model(), without, workload())
    assert isinstance(placement, Placement)
    assert estimate(model(), without, workload(), placement) is None


def test_no_estimate_for_what_generates_nothing() -> None:
    encoder = model((), arch__task="embedding")
    load = Workload(context=512, concurrency=32, input_tokens=512)
    placement = place(encoder, target(), load)
    assert isinstance(placement, Placement)
    assert estimate(encoder, target(), load, placement) is None


@given(st.integers(1, 200), st.integers(9, 14))
def test_ranges_are_ordered_and_a_larger_batch_is_never_slower(concurrency: int, exponent: int) -> None:
    one = speed(model(), load=workload(2**exponent, concurrency), devices=8)
    more = speed(model(), load=workload(2**exponent, concurrency + 1), devices=8)
    for found in (one.output_tokens_per_s, one.decode_tokens_per_s, one.prefill_tokens_per_s, one.ttft_s):
        assert found.low <= found.likely <= found.high
    assert more.output_tokens_per_s.likely >= one.output_tokens_per_s.likely * (1 - 1e-9)


def test_the_terms_show_the_sum() -> None:
    terms = "\n".join(speed(experts()).terms)
    assert "1 - (1 - 8/128)^16 = 64.4%" in terms
    assert "GB/s" in terms
    assert "TFLOPS (bfloat16)" in terms

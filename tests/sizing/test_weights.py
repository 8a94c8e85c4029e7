"""Weights per rank: what is divided, replicated, padded, converted."""

from dataclasses import replace

import pytest

from auditor.catalog.model import FormatSupport
from auditor.inspection.model import Inspection
from auditor.sizing.model import Layout, NoPlacement
from auditor.sizing.shape import Shape, read_shape
from auditor.sizing.weights import Holding, bytes_per_rank, holding
from auditor.units import GIB
from tests.support.hands import experts, latent, model, stack, target


def held(inspection: Inspection, *rows: FormatSupport, asked: str | None = None, pads: tuple[int, int] = (1, 1)) -> tuple[Shape, Holding]:
    shape = read_shape(inspection)
    assert isinstance(shape, Shape)
    engine = stack(formats=rows)
    assert engine.memory
    engine = replace(engine, memory=replace(engine.memory, mxfp4_pad_intermediate=pads[0], mxfp4_pad_hidden=pads[1]))
    result = holding(shape, target(engine=engine), inspection.facts, asked)
    assert isinstance(result, Holding)
    return shape, result


def per_rank(inspection: Inspection, layout: Layout, pads: tuple[int, int] = (1, 1)) -> int:
    return bytes_per_rank(*held(inspection, pads=pads), layout, towers_sharded=True)


def test_one_rank_holds_the_file_and_its_rotary_table() -> None:
    # Llama-3.1-8B-Instruct: 14.9888 GiB logged, of which 32 MiB are 131,072 rows of cosines and sines.
    assert per_rank(model(), Layout(1)) / GIB == pytest.approx(14.9888, rel=0.001)


def test_two_ranks_hold_half_each() -> None:
    # 7.582 GiB logged by vLLM 0.13.0rc2 on two cards.
    assert per_rank(model(), Layout(2)) / GIB == pytest.approx(7.582, rel=0.01)


def test_experts_divide_and_routers_replicate() -> None:
    # Qwen3-30B-A3B over four A10: 14.2474 GiB logged by vLLM 0.8.5.
    assert per_rank(experts(), Layout(4)) / GIB == pytest.approx(14.2474, rel=0.005)


def test_key_value_projections_replicate_beyond_their_heads() -> None:
    even = per_rank(model(attention__kv_heads=16), Layout(16))
    shape = 2 * 4096 * 128 * 2 * 32 * (1 - 8 / 16)
    assert per_rank(model(), Layout(16)) - even == pytest.approx(shape, rel=0.001)


def test_down_projections_of_latent_attention_replicate() -> None:
    facts = {"attention__kind": "mla", "attention__latent_rank": 512, "attention__rope_head_dim": 64, "attention__query_rank": 1536}
    plain = per_rank(model((latent(32),)), Layout(8))
    assert per_rank(model((latent(32),), **facts), Layout(8)) - plain > 32 * 4096 * (512 + 64 + 1536) * 2 * 0.8  # type: ignore[arg-type]


def test_expert_parallelism_keeps_experts_whole() -> None:
    assert per_rank(experts(), Layout(6, expert=6)) > per_rank(experts(), Layout(6))


def test_stages_divide_layers() -> None:
    assert per_rank(model(), Layout(1, pipeline=2)) == pytest.approx(per_rank(model(), Layout(2)), rel=0.01)


def test_experts_are_padded_where_the_kernels_want_it() -> None:
    # gpt-oss-120b: 2,880 wide experts stored in 60.8 GiB take 65.97 GiB with the kernel that pads to 128 and 256.
    wide = experts(arch__hidden_size=2880, moe__intermediate_size=2880, quant__method="mxfp4")
    padded, plain = per_rank(wide, Layout(1), (128, 256)), per_rank(wide, Layout(1))
    assert padded - plain == pytest.approx(57_982_058_496 * (2944 * 3072 / 2880**2 - 1), rel=1e-6)


def test_conversion_counts_parameters_not_stored_bytes() -> None:
    four_bit = model(quant__method="gptq", weights__bytes=5_700_000_000)
    shape, converted = held(four_bit, FormatSupport("gptq", "convert", holds="bfloat16"))
    assert converted.total == pytest.approx(2 * shape.parameters)
    assert converted.dtype == "bfloat16"


def test_a_row_for_this_accelerator_goes_before_a_general_one() -> None:
    rows = (FormatSupport("fp8", "native"), FormatSupport("fp8", "fallback", accelerators=("chips",), holds="bfloat16"))
    assert held(model(quant__method="fp8"), *rows)[1].dtype == "bfloat16"


def test_fewer_bits_leave_embeddings_alone() -> None:
    shape, converted = held(model(), asked="float8_e4m3fn")
    assert converted.total == shape.parameters + shape.embedding_bytes // 2


def test_thirty_two_bit_weights_are_loaded_in_sixteen() -> None:
    wide = model(weights__dtype="float32", weights__bytes=2 * 16_060_522_496, weights__embedding_bytes=4 * 128256 * 4096 * 2)
    assert held(wide, FormatSupport("none", "native"))[1].total == pytest.approx(16_060_522_496)


def test_conversion_without_a_parameter_count_is_unknown() -> None:
    shape = read_shape(model(params__total=None))
    assert isinstance(shape, Shape)
    answer = holding(shape, target(), model().facts, "bfloat16")
    assert isinstance(answer, NoPlacement)
    assert not answer.known
    assert answer.settled_by == ("params.total",)


@pytest.mark.parametrize(
    ("facts", "gib"),
    [
        # Llama-3.1-8B-Instruct in FP8: 8.4926 GiB logged by vLLM 0.6.3, rotary table included.
        ({"quant__method": "fp8"}, 8.4926),
        # The same at four bits in groups of 128: 5.73 GB published.
        ({"quant__method": "gptq", "quant__bits": 4, "quant__group_size": 128}, 5.73e9 / GIB),
    ],
)
def test_a_config_alone_gives_an_estimate_of_quantized_weights(facts: dict[str, str | int], gib: float) -> None:
    alone = model(weights__bytes=None, weights__embedding_bytes=None, weights__dtype=None, params__embedding=2 * 128256 * 4096, **facts)
    shape = read_shape(alone)
    assert isinstance(shape, Shape)
    assert "weights estimated" in shape.estimated
    assert shape.stored_bytes / GIB == pytest.approx(gib, rel=0.01)


@pytest.mark.parametrize(
    ("excluded", "share"),
    [(("model.layers.*.self_attn", "lm_head"), 1.0), (("model.layers.0.self_attn.q_proj",), 1 / 32), (("lm_head",), 0.0)],
)
def test_attention_left_unquantized_is_counted_in_sixteen_bits(excluded: tuple[str, ...], share: float) -> None:
    alone = {"weights__bytes": None, "quant__method": "fp8", "params__embedding": 2 * 128256 * 4096}
    plain, partly = read_shape(model(**alone)), read_shape(model(**alone, quant__excluded_modules=excluded))
    assert isinstance(plain, Shape)
    assert isinstance(partly, Shape)
    assert partly.stored_bytes - plain.stored_bytes == pytest.approx(share * 2 * 32 * 4096 * 128 * (32 + 8), abs=2)


def test_a_format_of_unknown_bits_is_not_estimated() -> None:
    alone = model(weights__bytes=None, quant__method="gguf")
    assert isinstance(read_shape(alone), NoPlacement)


def test_plain_weights_of_unknown_type_are_counted_as_loaded() -> None:
    alone = model(weights__bytes=None, weights__dtype=None)
    shape, stored = held(alone, FormatSupport("none", "native"), FormatSupport("none", "native", holds="bfloat16", dtypes=("float32",)))
    assert stored.total == pytest.approx(2 * shape.parameters)
    assert "type is not known" in stored.note


def test_parts_without_bytes_have_their_share_by_parameters() -> None:
    whole, counted = read_shape(experts()), read_shape(experts(weights__routed_expert_bytes=None))
    assert isinstance(whole, Shape)
    assert isinstance(counted, Shape)
    assert counted.expert_bytes == pytest.approx(whole.expert_bytes)

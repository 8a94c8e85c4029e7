"""Packed tensors count as the parameters they hold; scales, zeros, indices and buffers count nothing."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.inspection.parameters_from_tensors import Tally, tally
from auditor.inspection.parameters_roles import Role
from auditor.snapshot import Tensor, WeightFile, WeightSet
from auditor.units import DTYPE_BITS

Row = tuple[str, str, tuple[int, ...]]


def tallied(*rows: Row, bits: float | None = None, group_size: int | None = None) -> Tally:
    tensors = tuple(Tensor(name, dtype, shape, math.prod(shape) * DTYPE_BITS[dtype] // 8) for name, dtype, shape in rows)
    result = tally(WeightSet("", "safetensors", "", (WeightFile("model.safetensors", None, tensors),)), None, bits, group_size)
    assert result is not None
    return result


LINEAR = "model.layers.0.mlp.up_proj"
PACKINGS: dict[str, tuple[tuple[Row, ...], float | None, int | None]] = {
    # every packing of one matrix of 512 inputs and 1024 outputs
    "gptq 4 bit": (
        (
            (f"{LINEAR}.qweight", "int32", (64, 1024)),
            (f"{LINEAR}.qzeros", "int32", (4, 128)),
            (f"{LINEAR}.scales", "float16", (4, 1024)),
            (f"{LINEAR}.g_idx", "int32", (512,)),
        ),
        None,
        None,
    ),
    "gptq 3 bit": (
        (
            (f"{LINEAR}.qweight", "int32", (48, 1024)),
            (f"{LINEAR}.qzeros", "int32", (4, 96)),
            (f"{LINEAR}.scales", "float16", (4, 1024)),
        ),
        None,
        None,
    ),
    "gptq without zeros": (((f"{LINEAR}.qweight", "int32", (128, 1024)), (f"{LINEAR}.scales", "float16", (4, 1024))), 8, None),
    "awq": (
        (
            (f"{LINEAR}.qweight", "int32", (512, 128)),
            (f"{LINEAR}.qzeros", "int32", (4, 128)),
            (f"{LINEAR}.scales", "float16", (4, 1024)),
        ),
        None,
        None,
    ),
    "bitsandbytes 4 bit": (
        (
            (f"{LINEAR}.weight", "uint8", (262144, 1)),
            (f"{LINEAR}.weight.absmax", "float32", (8192,)),
            (f"{LINEAR}.weight.quant_map", "float32", (16,)),
            (f"{LINEAR}.weight.quant_state.bitsandbytes__nf4", "uint8", (80,)),
        ),
        4,
        None,
    ),
    "bitsandbytes 8 bit": (
        (
            (f"{LINEAR}.weight", "int8", (1024, 512)),
            (f"{LINEAR}.SCB", "float32", (1024,)),
            (f"{LINEAR}.weight_format", "uint8", ()),
        ),
        8,
        None,
    ),
    "nvfp4": (
        (
            (f"{LINEAR}.weight", "uint8", (1024, 256)),
            (f"{LINEAR}.weight_scale", "float8_e4m3fn", (1024, 32)),
            (f"{LINEAR}.weight_scale_2", "float32", ()),
            (f"{LINEAR}.input_scale", "float32", ()),
        ),
        4,
        16,
    ),
    "quark mxfp4": (
        ((f"{LINEAR}.weight", "uint8", (1024, 256)), (f"{LINEAR}.weight_scale", "uint8", (1024, 16))),
        4,
        32,
    ),
    "int8 pairs with a scale per 32": (
        ((f"{LINEAR}.weight", "int8", (1024, 256)), (f"{LINEAR}.scale", "float8_e8m0fnu", (1024, 16))),
        8,
        128,
    ),
    "block fp8": (
        ((f"{LINEAR}.weight", "float8_e4m3fn", (1024, 512)), (f"{LINEAR}.weight_scale_inv", "float32", (8, 4))),
        8,
        128,
    ),
    "compressed-tensors int4": (
        (
            (f"{LINEAR}.weight_packed", "int32", (1024, 64)),
            (f"{LINEAR}.weight_scale", "bfloat16", (1024, 16)),
            (f"{LINEAR}.weight_shape", "int32", (2,)),
        ),
        4,
        32,
    ),
    "compressed-tensors nvfp4": (
        (
            (f"{LINEAR}.weight_packed", "uint8", (1024, 256)),
            (f"{LINEAR}.weight_scale", "float8_e4m3fn", (1024, 32)),
            (f"{LINEAR}.weight_global_scale", "float32", (1,)),
        ),
        4,
        16,
    ),
    "mxfp4 blocks": (
        (
            ("model.layers.0.mlp.experts.up_proj_blocks", "uint8", (1, 1024, 16, 16)),
            ("model.layers.0.mlp.experts.up_proj_scales", "uint8", (1, 1024, 16)),
        ),
        4,
        32,
    ),
    "mlx": (
        (
            (f"{LINEAR}.weight", "uint32", (1024, 64)),
            (f"{LINEAR}.scales", "bfloat16", (1024, 8)),
            (f"{LINEAR}.biases", "bfloat16", (1024, 8)),
        ),
        4,
        64,
    ),
    "hqq": (
        ((f"{LINEAR}.W_q", "uint8", (262144, 1)), (f"{LINEAR}.scale", "float16", (8192, 1)), (f"{LINEAR}.zero", "float16", (8192, 1))),
        4,
        64,
    ),
    "aqlm": (
        (
            (f"{LINEAR}.codes", "int16", (1024, 64, 1)),
            (f"{LINEAR}.codebooks", "float16", (1, 65536, 1, 8)),
            (f"{LINEAR}.scales", "float16", (1024, 1, 1, 1)),
        ),
        2,
        8,
    ),
    "exl2": (
        (
            (f"{LINEAR}.q_weight", "int32", (70, 1024)),
            (f"{LINEAR}.q_invperm", "int16", (512,)),
            (f"{LINEAR}.q_scale", "int32", (16, 128)),
            (f"{LINEAR}.q_scale_max", "float16", (16,)),
        ),
        4.25,
        None,
    ),
    "exl3": (
        ((f"{LINEAR}.trellis", "int16", (32, 64, 48)), (f"{LINEAR}.suh", "float16", (512,)), (f"{LINEAR}.svh", "float16", (1024,))),
        3,
        None,
    ),
    "eetq": (((f"{LINEAR}.weight", "int8", (512, 1024)), (f"{LINEAR}.weight_scales", "float16", (1024,))), 8, None),
}


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_packed_matrix_counts_as_what_it_holds(packing: str) -> None:
    rows, bits, group_size = PACKINGS[packing]
    assert tallied(*rows, bits=bits, group_size=group_size).total == 512 * 1024


def test_buffers_are_bytes_and_no_parameters() -> None:
    result = tallied(
        ("model.layers.0.self_attn.rotary_emb.inv_freq", "float32", (64,)),
        ("embeddings.position_ids", "int64", (1, 512)),
        ("model.layers.3.mlp.gate.e_score_correction_bias", "float32", (256,)),
        ("features.1.running_mean", "float32", (32,)),
    )
    assert result.total == 0
    assert result.nbytes() == 64 * 4 + 512 * 8 + 256 * 4 + 32 * 4


def test_roles_are_told_apart() -> None:
    result = tallied(
        ("model.embed_tokens.weight", "bfloat16", (100, 8)),
        ("lm_head.weight", "bfloat16", (100, 8)),
        ("model.layers.0.mlp.experts.0.up_proj.weight", "bfloat16", (4, 8)),
        ("model.layers.0.mlp.experts.1.up_proj.weight", "bfloat16", (4, 8)),
        ("model.layers.0.mlp.shared_expert.up_proj.weight", "bfloat16", (4, 8)),
        ("model.layers.0.mlp.gate.weight", "bfloat16", (2, 8)),
        ("mtp.fc.weight", "bfloat16", (8, 16)),
    )
    assert result.parameters(Role.EMBEDDING) == 800
    assert result.parameters(Role.HEAD) == 800
    assert result.parameters(Role.EXPERT) == 64
    assert result.parameters(Role.MTP) == 128
    assert result.parameters(Role.BODY) == 32 + 16
    assert result.total == 800 + 800 + 64 + 48


def test_a_numbered_mtp_layer_is_known_by_its_joining_matrix() -> None:
    result = tallied(
        ("model.layers.1.self_attn.o_proj.weight", "bfloat16", (8, 8)),
        ("model.layers.2.self_attn.o_proj.weight", "bfloat16", (8, 8)),
        ("model.layers.2.eh_proj.weight", "bfloat16", (8, 16)),
    )
    assert result.total == 64
    assert result.parameters(Role.MTP) == 64 + 128


def test_a_tensor_in_two_files_counts_once() -> None:
    row = Tensor("model.norm.weight", "bfloat16", (8,), 16)
    files = (WeightFile("a.safetensors", None, (row,)), WeightFile("b.safetensors", None, (row,)))
    result = tally(WeightSet("", "safetensors", "", files), None)
    assert result is not None
    assert result.total == 8
    assert result.nbytes() == 16
    assert result.repeated == ("model.norm.weight",)


def test_no_table_no_tally() -> None:
    assert tally(WeightSet("", "safetensors", "", (WeightFile("a.safetensors", 10, None, "header is cut short"),)), None) is None


DTYPES = ["uint8", "int8", "int32", "uint32", "int64", "bool", "float8_e4m3fn", "float8_e8m0fnu", "bfloat16", "unknown:X"]
LEAVES = [
    "weight", "weight_scale", "scale", "scales", "qweight", "qzeros", "W_q", "codes", "q_weight", "q_invperm",
    "q_scale", "trellis", "biases", "up_proj_blocks", "up_proj_scales", "weight_packed", "weight.absmax",
    "_weight_qdata", "eh_proj.weight",
]  # fmt: skip


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["", "model.layers.0.mlp.", "model.layers.61.experts.7."]),
            st.sampled_from(LEAVES),
            st.sampled_from(DTYPES),
            st.lists(st.integers(0, 2**40), max_size=4),
        ),
        max_size=12,
    ),
    bits=st.none() | st.floats(0.5, 64),
    group_size=st.none() | st.integers(-1, 4096),
)
def test_whatever_a_header_says_is_counted_without_a_crash(
    rows: list[tuple[str, str, str, list[int]]], bits: float | None, group_size: int | None
) -> None:
    tensors = tuple(Tensor(stem + leaf, dtype, tuple(shape), 0) for stem, leaf, dtype, shape in rows)
    result = tally(WeightSet("", "safetensors", "", (WeightFile("model.safetensors", None, tensors),)), None, bits, group_size)
    assert result is not None
    assert result.total >= 0
    assert result.tensors == len({tensor.name for tensor in tensors})

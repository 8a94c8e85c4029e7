"""Quantization as publishers write it down, and as tensors show it."""

from typing import Any

import pytest

from auditor.facts import Basis, Known, Unknown, Value
from auditor.inspection.precision import precision_facts
from auditor.inspection.precision_methods import READERS
from auditor.snapshot import Snapshot


def facts_of(documents: dict[str, Any]) -> dict[str, Value]:
    facts = precision_facts(Snapshot("m", None, "folder", (), documents), {})
    return {name.removeprefix("quant."): fact.value for name, fact in facts.items() if isinstance(fact, Known)}


FP8_CHANNEL = {"num_bits": 8, "type": "float", "strategy": "channel", "group_size": None}
CASES: dict[str, tuple[dict[str, Any], dict[str, Value]]] = {
    "gptq": (
        {"quant_method": "gptq", "bits": 4, "group_size": 128, "desc_act": False},
        {"method": "gptq", "bits": 4, "group_size": 128, "weight_format": "int4"},
    ),
    "awq": (
        {"quant_method": "awq", "bits": 4, "group_size": 128, "modules_to_not_convert": ["visual"]},
        {"method": "awq", "bits": 4, "group_size": 128, "weight_format": "int4", "excluded_modules": ("visual",)},
    ),
    "nf4": (
        {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"},
        {"method": "bitsandbytes", "bits": 4, "group_size": 64, "weight_format": "nf4"},
    ),
    "llm.int8": (
        {"quant_method": "bitsandbytes", "load_in_8bit": True},
        {
            "method": "bitsandbytes",
            "bits": 8,
            "activation_bits": 8,
            "activation_scheme": "dynamic",
            "group_size": -1,
            "weight_format": "int8",
        },
    ),
    "block fp8": (
        {"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": [128, 128]},
        {
            "method": "fp8",
            "bits": 8,
            "activation_bits": 8,
            "activation_scheme": "dynamic",
            "group_size": 128,
            "weight_format": "float8_e4m3fn",
        },
    ),
    "fbgemm": (
        {"quant_method": "fbgemm_fp8", "activation_scale_ub": 1200.0},
        {
            "method": "fp8",
            "bits": 8,
            "activation_bits": 8,
            "activation_scheme": "dynamic",
            "group_size": -1,
            "weight_format": "float8_e4m3fn",
        },
    ),
    "compressed-tensors fp8 with a cache scheme": (
        {
            "quant_method": "compressed-tensors",
            "config_groups": {"group_0": {"weights": FP8_CHANNEL, "input_activations": {"num_bits": 8, "type": "float", "dynamic": True}}},
            "ignore": ["lm_head"],
            "kv_cache_scheme": {"num_bits": 8, "type": "float"},
        },
        {
            "method": "compressed-tensors",
            "bits": 8,
            "activation_bits": 8,
            "activation_scheme": "dynamic",
            "group_size": -1,
            "weight_format": "float8_e4m3fn",
            "kv_scheme": "float8_e4m3fn",
            "excluded_modules": ("lm_head",),
        },
    ),
    "compressed-tensors int4": (
        {
            "quant_method": "compressed-tensors",
            "config_groups": {
                "group_0": {"weights": {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 32}, "input_activations": None}
            },
        },
        {"method": "compressed-tensors", "bits": 4, "group_size": 32, "weight_format": "int4"},
    ),
    "compressed-tensors in two widths": (
        {
            "quant_method": "compressed-tensors",
            "config_groups": {
                "group_0": {"weights": FP8_CHANNEL},
                "group_1": {"weights": {"num_bits": 4, "type": "float", "strategy": "tensor_group", "group_size": 16}},
            },
        },
        {"method": "compressed-tensors", "bits": 4, "group_size": 16, "weight_format": "float4_e2m1"},
    ),
    "modelopt": (
        {"quant_method": "modelopt", "quant_algo": "NVFP4", "kv_cache_scheme": {"num_bits": 8, "type": "float"}},
        {
            "method": "nvfp4",
            "bits": 4,
            "activation_bits": 4,
            "activation_scheme": "static",
            "group_size": 16,
            "weight_format": "float4_e2m1",
            "kv_scheme": "float8_e4m3fn",
        },
    ),
    "mxfp4": (
        {"quant_method": "mxfp4", "modules_to_not_convert": ["lm_head"]},
        {"method": "mxfp4", "bits": 4, "group_size": 32, "weight_format": "float4_e2m1", "excluded_modules": ("lm_head",)},
    ),
    "quark": (
        {
            "quant_method": "quark",
            "global_quant_config": {
                "weight": {"dtype": "fp4", "group_size": 32, "qscheme": "per_group"},
                "input_tensors": {"dtype": "fp4", "is_dynamic": True},
            },
            "layer_quant_config": {"*k_proj": {"output_tensors": {"dtype": "fp8_e4m3"}}},
        },
        {
            "method": "quark",
            "bits": 4,
            "activation_bits": 4,
            "activation_scheme": "dynamic",
            "group_size": 32,
            "weight_format": "float4_e2m1",
            "kv_scheme": "float8_e4m3fn",
        },
    ),
    "torchao": (
        {"quant_method": "torchao", "quant_type": {"default": {"_type": "Float8DynamicActivationFloat8WeightConfig"}}},
        {"method": "torchao", "bits": 8, "activation_bits": 8, "activation_scheme": "dynamic", "weight_format": "float8_e4m3fn"},
    ),
    "aqlm": (
        {"quant_method": "aqlm", "num_codebooks": 1, "nbits_per_codebook": 16, "in_group_size": 8},
        {"method": "aqlm", "bits": 2.0, "group_size": 8},
    ),
    "hqq": (
        {"quant_method": "hqq", "quant_config": {"weight_quant_params": {"nbits": 4, "group_size": 64}}},
        {"method": "hqq", "bits": 4, "group_size": 64, "weight_format": "int4"},
    ),
    "eetq": ({"quant_method": "eetq"}, {"method": "eetq", "bits": 8, "group_size": -1, "weight_format": "int8"}),
    "auto-round": (
        {"quant_method": "auto-round", "bits": 4, "group_size": 128},
        {"method": "autoround", "bits": 4, "group_size": 128, "weight_format": "int4"},
    ),
    "exl2": ({"quant_method": "exl2", "bits": 4.25}, {"method": "exl2", "bits": 4.25}),
    "exl3": ({"quant_method": "exl3", "bits": 3.0}, {"method": "exl3", "bits": 3.0, "weight_format": "int3"}),
    "something new": ({"quant_method": "vapour-quant", "bits": 2}, {"method": "other", "bits": 2}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_block_is_read_as_its_publisher_means_it(case: str) -> None:
    block, expected = CASES[case]
    assert facts_of({"config.json": {"quantization_config": block}}) == expected


def test_every_reader_survives_an_empty_block() -> None:
    for name in READERS:
        assert "method" in facts_of({"config.json": {"quantization_config": {"quant_method": name}}})


@pytest.mark.parametrize(
    "block", [{"quant_method": 7}, {"quant_method": "gptq", "bits": "four"}, {"quant_method": "fp8", "weight_block_size": "wide"}]
)
def test_nonsense_is_no_crash(block: dict[str, Any]) -> None:
    facts = precision_facts(Snapshot("m", None, "folder", (), {"config.json": {"quantization_config": block}}), {})
    assert isinstance(facts["quant.method"], Known)


def test_no_quantization_config_means_none() -> None:
    assert facts_of({"config.json": {"model_type": "llama"}}) == {"method": "none"}


def test_the_file_beside_the_config_counts_too() -> None:
    document = {
        "producer": {"name": "modelopt"},
        "quantization": {"quant_algo": "FP8", "kv_cache_quant_algo": "FP8", "exclude_modules": ["lm_head"]},
    }
    facts = facts_of({"config.json": {"model_type": "llama"}, "hf_quant_config.json": document})
    assert facts["method"] == "modelopt-fp8"
    assert facts["kv_scheme"] == "float8_e4m3fn"


def test_mixed_precision_is_named_by_its_narrowest_type() -> None:
    layers = {"a": {"quant_algo": "FP8"}, "b": {"quant_algo": "W4A16_NVFP4", "group_size": 16}}
    facts = facts_of({"hf_quant_config.json": {"quantization": {"quant_algo": "MIXED_PRECISION", "quantized_layers": layers}}})
    assert facts["method"] == "nvfp4"
    assert "activation_bits" not in facts


def test_experts_in_four_bits_within_an_fp8_config() -> None:
    facts = facts_of(
        {"config.json": {"expert_dtype": "fp4", "quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]}}}
    )
    assert facts["method"] == "fp8"
    assert facts["bits"] == 4


def test_mlx() -> None:
    assert facts_of({"config.json": {"quantization": {"group_size": 64, "bits": 4}}}) == {
        "method": "mlx",
        "bits": 4,
        "group_size": 64,
        "weight_format": "int4",
    }


def test_nothing_at_all_is_unknown() -> None:
    fact = precision_facts(Snapshot("m", None, "safetensors", (), {}), {})["quant.method"]
    assert isinstance(fact, Unknown)
    assert fact.settled_by == ("config.json",)


def test_a_config_alone_is_the_basis() -> None:
    facts = precision_facts(Snapshot("m", None, "config", (), {"config.json": {"model_type": "llama"}}), {})
    assert facts["quant.method"] == Known("none", Basis.CONFIG)

"""A config that is wrong gives one line that names the key, and unknown facts; never a traceback, never a guess."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import WorkloadError
from auditor.facts import Basis, Known, Unknown
from auditor.inspection import inspect_snapshot
from auditor.snapshot import Snapshot, Tensor, WeightFile, WeightSet
from tests.support.published import of_config, of_documents, published

LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 4096,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
}


@pytest.mark.parametrize("key", ["num_attention_heads", "num_key_value_heads", "num_hidden_layers", "hidden_size"])
@pytest.mark.parametrize("value", ["8", -1, 0, 1.5, True, {"a": 1}])
def test_a_wrong_value_is_one_line_and_unknown_facts(key: str, value: object) -> None:
    inspection = of_config({**LLAMA, key: value})
    lines = [line for line in inspection.errors if key in line]
    assert len(lines) == 1
    assert lines[0].startswith("config.json: ")
    assert "\n" not in lines[0]
    assert "correct" in lines[0]
    if key != "hidden_size":
        assert isinstance(inspection.facts["kv_cache.bytes_per_token"], Unknown)
        assert key in inspection.facts["kv_cache.bytes_per_token"].reason


def test_a_class_default_does_not_stand_in_for_a_wrong_value() -> None:
    assert of_config({**LLAMA, "num_hidden_layers": "32"}).facts.value("arch.layers") is None


def test_other_facts_survive_a_wrong_value() -> None:
    facts = of_config({**LLAMA, "num_key_value_heads": -4}).facts
    assert facts.value("arch.layers") == 32
    assert facts.value("attention.heads") == 32
    assert facts.value("arch.class") == "dense-transformer"


def test_a_nested_wrong_value_is_named_with_its_path() -> None:
    inspection = of_config({"model_type": "gemma3", "text_config": {"num_hidden_layers": []}, "vision_config": {}})
    assert any("text_config.num_hidden_layers" in line for line in inspection.errors) or isinstance(
        inspection.facts["arch.layers"], Unknown
    )


@pytest.mark.parametrize("part", ["text_config", "vision_config", "quantization_config"])
@pytest.mark.parametrize("value", ["text", 3, [1], True])
def test_a_part_that_is_no_object_does_not_stop_the_inspection(part: str, value: object) -> None:
    of_config({"model_type": "gemma3", "architectures": ["Gemma3ForConditionalGeneration"], part: value})


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"model_type": None},
        {"model_type": 7, "architectures": "LlamaForCausalLM"},
        {"architectures": [None]},
        {"model_type": "llama", "layer_types": ["no such kind"] * 32},
        {"model_type": "llama", "layer_types": [1, 2, 3]},
        {"model_type": "nemotron_h", "hybrid_override_pattern": "M" * 5000},
        {"model_type": "deepseek_v4", "compress_ratios": ["a"]},
        {"model_type": "kimi_linear", "linear_attn_config": {"full_attn_layers": "all"}},
        {"model_type": "nemotron-nas", "num_hidden_layers": 2, "block_configs": [None, {"attention": None}]},
        {"model_type": "jamba", "attn_layer_period": 0},
        {"model_type": "mixtral", "num_local_experts": -1},
    ],
)
def test_whatever_a_config_says_it_is_inspected(config: dict[str, Any]) -> None:
    inspection = of_config(config)
    assert "arch.class" in inspection.facts


def test_layers_of_an_unheard_of_kind_are_unknown_not_full() -> None:
    facts = of_config({**LLAMA, "layer_types": ["telepathic"] * 32}).facts
    fact = facts["kv_cache.bytes_per_token"]
    assert isinstance(fact, Unknown)
    assert "telepathic" in fact.reason


def test_a_hybrid_that_hides_its_layout_is_unknown_not_full() -> None:
    facts = of_config({"model_type": "nemotron_h", "num_hidden_layers": 118, "hidden_size": 8192}).facts
    assert isinstance(facts["kv_cache.bytes_per_token"], Unknown)


def test_an_unknown_model_type_is_a_fact() -> None:
    facts = of_config({**LLAMA, "model_type": "yesterdays-model", "architectures": ["YesterdayForCausalLM"]}).facts
    assert facts.value("arch.model_type") == "yesterdays-model"
    assert facts.value("arch.known") is False
    assert facts.value("kv_cache.bytes_per_token") == 32 * 2 * 8 * 128 * 2


def test_nothing_but_headers_leaves_the_architecture_unknown() -> None:
    facts = of_documents({}).facts
    assert isinstance(facts["arch.class"], Unknown)
    assert facts["arch.class"].settled_by == ("config.json",)


def test_headers_tell_what_they_can() -> None:
    names = {"model.embed_tokens.weight": (1000, 64), "lm_head.weight": (1000, 64)}
    names |= {f"model.layers.{i}.mlp.experts.{j}.up_proj.weight": (8, 64) for i in range(3) for j in range(4)}
    tensors = tuple(Tensor(name, "bfloat16", shape, 2 * shape[0] * shape[1]) for name, shape in names.items())
    weights = WeightSet("", "safetensors", "", (WeightFile("model.safetensors", None, tensors),))
    facts = inspect_snapshot(Snapshot("model.safetensors", None, "safetensors", (), {}, weights=(weights,))).facts
    assert facts["arch.hidden_size"] == Known(64, Basis.HEADER)
    assert facts["arch.vocab_size"] == Known(1000, Basis.HEADER)
    assert facts["arch.layers"] == Known(3, Basis.HEADER)
    assert facts["moe.experts"] == Known(4, Basis.HEADER)
    assert isinstance(facts["attention.heads"], Unknown)


def test_a_cache_type_that_does_not_exist_is_refused() -> None:
    with pytest.raises(WorkloadError, match="float7"):
        of_config(LLAMA, kv_dtype="float7")


def _paths(config: dict[str, Any], lead: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for key, value in config.items():
        found.append((*lead, key))
        if isinstance(value, dict):
            found += _paths(value, (*lead, key))
    return found


GARBAGE: tuple[Any, ...] = ("8", "", -1, 0, 1.5, None, True, [], [None], ["x"], [[1]], [{}], {}, {"a": {}})


@settings(max_examples=200)
@given(data=st.data())
def test_no_value_anywhere_in_a_published_config_stops_the_inspection(data: st.DataObject) -> None:
    config = copy.deepcopy(published()[data.draw(st.sampled_from(sorted(published())))])
    for _ in range(data.draw(st.integers(1, 3))):
        *lead, last = data.draw(st.sampled_from(_paths(config)))
        place = config
        for key in lead:
            place = place[key]
        place[last] = copy.deepcopy(data.draw(st.sampled_from(GARBAGE)))
    inspection = of_config(config)
    assert all("\n" not in line for line in inspection.errors)
    assert all(group.count > 0 and group.bytes_per_token >= 0 and group.bytes_per_sequence >= 0 for group in inspection.layers)


@pytest.mark.parametrize("expand", [-1, 0])
def test_a_recurrence_of_no_width_has_no_size(expand: int) -> None:
    config = {"model_type": "mamba", "hidden_size": 64, "num_hidden_layers": 2, "state_size": 16, "conv_kernel": 4, "expand": expand}
    assert of_config(config).facts.value("state.bytes_per_sequence") is None


def test_an_absurd_depth_costs_no_memory() -> None:
    inspection = of_config({**LLAMA, "num_hidden_layers": 10**30})
    assert any("at most" in line for line in inspection.errors)

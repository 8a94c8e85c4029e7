"""Weights and parameters of real models: published totals to the byte, parameters as transformers builds them."""

from functools import cache
from pathlib import Path

import pytest
import yaml

from auditor.facts import Basis, Facts, Known, Unknown
from auditor.inspection.inspect import anatomy_of, inspect_snapshot
from auditor.inspection.weights_facts import facts_of_weights
from auditor.snapshot import FileEntry, Snapshot, Tensor, WeightFile, WeightSet
from auditor.sources.saved import load

ROOT = Path(__file__).parent.parent.parent
FIXTURES = ROOT / "fixtures"


@cache
def fixture(name: str) -> Snapshot:
    return load(FIXTURES / f"{name}.snapshot.json.gz")


@cache
def facts_of(name: str) -> Facts:
    return inspect_snapshot(fixture(name)).facts


def published() -> dict[str, int]:
    recipes = yaml.safe_load((ROOT / "tools" / "fixtures.yaml").read_text())
    return {name: recipe["expect"]["bytes"] for name, recipe in recipes.items() if "bytes" in recipe.get("expect", {})}


@pytest.mark.parametrize("name", sorted(published()))
def test_bytes_match_the_published_total(name: str) -> None:
    assert facts_of(name)["weights.bytes"] == Known(published()[name], Basis.HEADER)


#: Parameters of the class that architectures[0] names, counted on the meta device by transformers 5.23.
TOTALS = {
    "llama-3.1-8b-instruct": 8_030_261_248,
    "llama-3.3-70b-instruct": 70_553_706_496,
    "qwen3-32b": 32_762_123_264,
    "qwen3-32b-awq": 32_762_123_264,
    "llama-2-7b-awq": 6_738_415_616,
    "qwen3-8b-fp8": 8_190_735_360,
    "qwen3-30b-a3b": 30_532_122_624,
    "qwen3-235b-a22b": 235_093_634_560,
    "gpt-oss-20b": 20_914_757_184,
    "gpt-oss-120b": 116_829_156_672,
    "deepseek-v3": 671_026_404_352,
    "deepseek-v3.2": 671_877_929_216,
    "deepseek-v4-flash": 284_332_230_231,
    "kimi-linear-48b": 49_122_675_072,
    "kimi-k2": 1_026_408_209_408,
    "glm-4.5v": 107_710_927_360,
    "gemma-3-27b-it": 27_432_406_640,
    "qwen2.5-vl-7b-instruct": 8_292_166_656,
    "qwen3.5-35b-a3b": 35_107_181_936,
    "nemotron-h-56b": 56_324_350_464,
    "mamba-2.8b": 2_768_345_600,
    "whisper-large-v3-turbo": 808_878_080,
    "bge-large-en-v1.5": 335_141_888,
}


@pytest.mark.parametrize("name", TOTALS)
def test_parameters_from_headers(name: str) -> None:
    assert facts_of(name)["params.total"] == Known(TOTALS[name], Basis.HEADER)


@pytest.mark.parametrize("name", TOTALS)
def test_parameters_from_the_config_alone(name: str) -> None:
    snapshot = fixture(name)
    alone = Snapshot(snapshot.id, None, "config", (), {"config.json": snapshot.documents["config.json"]})
    facts, _ = facts_of_weights(alone, anatomy_of(alone))
    assert facts["params.total"] == Known(TOTALS[name], Basis.DERIVED)


def test_deepseek_v3_leaves_its_mtp_layer_out_of_the_total() -> None:
    facts = facts_of("deepseek-v3")
    assert facts.value("params.mtp") == 13_463_426_048
    assert facts.value("params.active") == 37_552_282_624
    stored, loaded, mtp = (facts.integer(f"weights.{name}") for name in ("bytes", "loaded_bytes", "mtp_bytes"))
    assert stored is not None
    assert loaded is not None
    assert mtp is not None
    assert stored == loaded + mtp


def test_a_moe_model_uses_a_part_of_its_experts() -> None:
    facts = facts_of("qwen3-30b-a3b")
    assert facts.value("params.routed_experts") == 48 * 128 * 3 * 2048 * 768
    assert facts.value("params.active") == 30_532_122_624 - 48 * 120 * 3 * 2048 * 768


def test_a_decode_step_looks_the_input_embedding_up() -> None:
    facts = facts_of("llama-3.1-8b-instruct")
    assert facts.value("params.decode") == 8_030_261_248 - 128_256 * 4096


def test_a_pipeline_sums_its_components_and_lists_them() -> None:
    facts = facts_of("stable-diffusion-3.5-large")
    parts = facts.value("params.components")
    assert isinstance(parts, tuple)
    counts = dict(str(part).split("=") for part in parts)
    assert counts["transformer"] == "8056627520"
    assert facts.value("params.total") == sum(int(count) for count in counts.values())


def test_a_lone_config_can_be_sized_when_its_type_is_stated() -> None:
    config = {"config.json": fixture("llama-3.1-8b-instruct").documents["config.json"]}
    snapshot = Snapshot("m", None, "config", (), config)
    facts, _ = facts_of_weights(snapshot, anatomy_of(snapshot))
    assert facts["weights.bytes"] == Known(16_060_522_496, Basis.DERIVED)
    assert facts["weights.dtype"] == Known("bfloat16", Basis.CONFIG)


def test_a_lone_quantized_config_cannot() -> None:
    config = {"config.json": fixture("qwen3-32b-awq").documents["config.json"]}
    snapshot = Snapshot("m", None, "config", (), config)
    facts, _ = facts_of_weights(snapshot, anatomy_of(snapshot))
    assert isinstance(facts["weights.bytes"], Unknown)
    assert "awq" in facts["weights.bytes"].reason


def snapshot_with(files: tuple[WeightFile, ...], *, index_total: int | None = None, **config: object) -> Snapshot:
    entries = tuple(FileEntry(file.path, file.size) for file in files)
    weights = (WeightSet("", "safetensors", "", files, index_total),)
    return Snapshot("m", None, "folder", entries, {"config.json": {"model_type": "llama", **config}}, weights)


def test_unread_headers_leave_the_index_then_the_file_sizes() -> None:
    files = (WeightFile("a.safetensors", 1000, None, "not read"), WeightFile("b.safetensors", 500, None, "not read"))
    assert facts_of_weights(snapshot_with(files, index_total=1400), None)[0]["weights.bytes"] == Known(1400, Basis.INDEX)
    assert facts_of_weights(snapshot_with(files), None)[0]["weights.bytes"] == Known(1500, Basis.FILE_SIZE)


def contradictions_of(snapshot: Snapshot) -> str:
    return "; ".join(one.sentence for one in facts_of_weights(snapshot, anatomy_of(snapshot))[1])


EMBEDDING = Tensor("model.embed_tokens.weight", "float32", (10, 4), 160)
HEAD = Tensor("lm_head.weight", "float32", (10, 4), 160)


def test_a_tied_head_stored_twice_is_named_and_counted_once() -> None:
    snapshot = snapshot_with(
        (WeightFile("a.safetensors", None, (EMBEDDING, HEAD)),), tie_word_embeddings=True, hidden_size=4, vocab_size=10
    )
    assert "stored twice (160 bytes)" in contradictions_of(snapshot)
    facts, _ = facts_of_weights(snapshot, anatomy_of(snapshot))
    assert facts["params.total"] == Known(40, Basis.HEADER)
    assert facts["weights.bytes"] == Known(320, Basis.HEADER)
    assert facts["weights.loaded_bytes"] == Known(160, Basis.HEADER)


@pytest.mark.parametrize(
    ("config", "index_total", "words"),
    [
        ({"torch_dtype": "bfloat16"}, None, "states bfloat16 and most tensors are float32"),
        ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, None, "says gptq and no tensor is named like it"),
        ({}, 100, r"states 100 bytes and the headers add up to 160 (+60)"),
        (
            {"num_nextn_predict_layers": 1, "num_hidden_layers": 1, "num_attention_heads": 1, "hidden_size": 4},
            None,
            "1 MTP layers and none is stored",
        ),
    ],
)
def test_statements_that_disagree_are_named(config: dict[str, object], index_total: int | None, words: str) -> None:
    snapshot = snapshot_with((WeightFile("a.safetensors", None, (EMBEDDING,)),), index_total=index_total, **config)
    assert words in contradictions_of(snapshot)


def test_bytes_that_no_header_names_are_a_finding() -> None:
    snapshot = snapshot_with((WeightFile("a.safetensors", 50 << 20, (EMBEDDING,)),))
    assert f"the files hold {(50 << 20) - 160:+d} bytes beyond their tensors" in contradictions_of(snapshot)


def test_an_adapter_has_bytes_and_no_parameters_of_its_own() -> None:
    lora = Tensor("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight", "float32", (8, 64), 2048)
    weights = (WeightSet("", "safetensors", "", (WeightFile("adapter_model.safetensors", None, (lora,)),)),)
    snapshot = Snapshot("m", None, "folder", (), {"adapter_config.json": {"base_model_name_or_path": "org/base"}}, weights)
    facts, _ = facts_of_weights(snapshot, None)
    assert facts["weights.bytes"] == Known(2048, Basis.HEADER)
    assert isinstance(facts["params.total"], Unknown)
    assert "base" in facts["params.total"].reason


def test_what_tensors_alone_say_contradicts_no_config() -> None:
    weight = Tensor("model.layers.0.mlp.up_proj.weight", "float8_e4m3fn", (16, 16), 256)
    assert "the config says" not in contradictions_of(snapshot_with((WeightFile("a.safetensors", None, (weight,)),)))


@pytest.mark.parametrize("name", ["llama-3.1-8b-instruct", "gpt-oss-20b", "deepseek-v3", "qwen3-32b-awq", "glm-4.5v"])
def test_published_models_do_not_contradict_themselves(name: str) -> None:
    assert "repo.contradictions" not in facts_of(name)


def test_gguf_types_give_the_bits_that_most_weights_have() -> None:
    blocks = 4096 * 4096 // 256
    rows = (
        Tensor("token_embd.weight", "Q6_K", (1000, 4096), 1000 * 4096 // 256 * 210),
        Tensor("blk.0.attn_q.weight", "Q4_K", (4096, 4096), blocks * 144),
        Tensor("blk.0.ffn_gate_exps.weight", "Q4_K", (8, 1024, 4096), 2 * blocks * 144),
        Tensor("blk.0.attn_norm.weight", "float32", (4096,), 4 * 4096),
        Tensor("rope_freqs.weight", "float32", (64,), 256),
    )
    snapshot = Snapshot("m", None, "gguf", (), {}, (WeightSet("", "gguf", "", (WeightFile("m.gguf", None, rows),)),))
    facts, _ = facts_of_weights(snapshot, None)
    assert facts["quant.method"] == Known("gguf", Basis.HEADER)
    assert facts["quant.bits"] == Known(4.5, Basis.HEADER)
    assert facts["quant.weight_format"] == Known("Q4_K", Basis.HEADER)
    assert facts["params.total"] == Known(1000 * 4096 + 3 * 4096 * 4096 + 4096, Basis.HEADER)
    assert facts["params.routed_experts"] == Known(8 * 1024 * 4096, Basis.HEADER)

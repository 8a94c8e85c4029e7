"""Classes, tasks, parts and layer patterns: published configs, and every model type of the class table."""

from collections.abc import Callable
from typing import Any

import pytest

from auditor.facts import ARCH_CLASSES, TASKS, Basis, Known, Unknown
from auditor.inspection.architectures import FAMILIES
from auditor.inspection.architectures.families import FAMILIES as TABLE
from auditor.inspection.defaults import known_types
from tests.support.published import of_config, of_documents, published


def test_every_published_config_is_read_as_it_was(expected: Callable[[str, str], None]) -> None:
    """One line per model, so that a change of any law shows as the models it changes."""
    lines = [_line(name, config) for name, config in sorted(published().items()) if "/" in name and name.count("/") == 1]
    expected("\n".join(lines) + "\n", "published.txt")


def _line(name: str, config: dict[str, Any]) -> str:
    facts = of_config(config).facts
    words = [name] + [str(facts.value(fact)) for fact in ("arch.class", "arch.task", "attention.kind", "arch.layers")]
    words += [f"{fact.partition('.')[2]}={facts.value(fact)}" for fact in _SHOWN if facts.value(fact)]
    words += [f"{fact}=unknown" for fact in sorted(facts) if isinstance(facts[fact], Unknown) and fact.startswith(_OURS)]
    return " ".join(words)


_SHOWN = (
    "attention.heads",
    "attention.kv_heads",
    "attention.head_dim",
    "attention.sliding_window",
    "attention.full_layers",
    "attention.sliding_layers",
    "attention.linear_layers",
    "attention.ssm_layers",
    "attention.indexer_layers",
    "moe.experts",
    "moe.experts_per_token",
    "moe.shared_experts",
    "moe.layers",
    "kv_cache.bytes_per_token",
    "kv_cache.bytes_per_token_windowed",
    "state.bytes_per_sequence",
)
_OURS = ("arch.", "attention.", "moe.", "kv_cache.", "state.")


@pytest.mark.parametrize("model_type", known_types())
def test_every_type_of_the_class_table_is_inspected(model_type: str) -> None:
    facts = of_config({"model_type": model_type}).facts
    assert facts.value("arch.class") in ARCH_CLASSES
    assert facts.value("arch.task") in TASKS


def test_no_type_stands_in_two_records() -> None:
    types = [model_type for family in TABLE for model_type in family.types]
    assert len(types) == len(set(types))
    assert FAMILIES is TABLE


@pytest.mark.parametrize(
    ("config", "arch_class", "task"),
    [
        ({"model_type": "whisper", "architectures": ["WhisperForConditionalGeneration"]}, "dense-transformer", "speech-to-text"),
        ({"model_type": "vit", "architectures": ["ViTForImageClassification"]}, "dense-transformer", "image-encoder"),
        ({"model_type": "clip", "architectures": ["CLIPModel"]}, "dense-transformer", "image-encoder"),
        ({"model_type": "wav2vec2", "architectures": ["Wav2Vec2ForCTC"]}, "dense-transformer", "speech-to-text"),
        ({"model_type": "rwkv", "architectures": ["RwkvForCausalLM"]}, "ssm", "causal-lm"),
        ({"model_type": "resnet", "architectures": ["ResNetForImageClassification"]}, "other", "image-encoder"),
        ({"model_type": "t5", "architectures": ["T5ForConditionalGeneration"]}, "dense-transformer", "seq2seq-lm"),
        ({"model_type": "umt5", "architectures": ["UMT5EncoderModel"]}, "dense-transformer", "encoder"),
        ({"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}, "dense-transformer", "causal-lm"),
        ({"model_type": "bert", "architectures": ["BertForMaskedLM"]}, "dense-transformer", "encoder"),
        (
            {"model_type": "bert", "architectures": ["BertForSequenceClassification"], "id2label": {"0": "score"}},
            "dense-transformer",
            "reranker",
        ),
        ({"model_type": "mistral", "architectures": ["MistralModel"]}, "dense-transformer", "embedding"),
        ({"model_type": "qwen2_5_omni", "architectures": ["Qwen2_5OmniModel"]}, "multimodal", "any-to-any"),
        ({"model_type": "qwen2_audio", "architectures": ["Qwen2AudioForConditionalGeneration"]}, "multimodal", "audio-text-to-text"),
        ({"model_type": "llava", "architectures": ["LlavaForConditionalGeneration"]}, "multimodal", "image-text-to-text"),
        ({"model_type": "jamba", "architectures": ["JambaForCausalLM"]}, "hybrid", "causal-lm"),
        ({"model_type": "lfm2", "full_attn_idxs": [2], "architectures": ["Lfm2ForCausalLM"]}, "hybrid", "causal-lm"),
        ({"model_type": "falcon_h1", "architectures": ["FalconH1ForCausalLM"]}, "hybrid", "causal-lm"),
        ({"model_type": "mamba2", "architectures": ["Mamba2ForCausalLM"]}, "ssm", "causal-lm"),
        ({"model_type": "mixtral", "architectures": ["MixtralForCausalLM"]}, "moe-transformer", "causal-lm"),
        ({"model_type": "vits", "architectures": ["VitsModel"]}, "dense-transformer", "text-to-speech"),
        ({"_class_name": "AutoencoderKL"}, "other", "other"),
        ({"_class_name": "UNet2DConditionModel"}, "diffusion", "text-to-image"),
    ],
)
def test_class_and_task(config: dict[str, Any], arch_class: str, task: str) -> None:
    facts = of_config(config).facts
    assert (facts.value("arch.class"), facts.value("arch.task")) == (arch_class, task)


@pytest.mark.parametrize(
    "config",
    [
        {"model_type": "bert", "architectures": ["BertModel"]},
        {"model_type": "t5", "architectures": ["T5EncoderModel"]},
        {"model_type": "vit", "architectures": ["ViTModel"]},
        {"model_type": "wav2vec2", "architectures": ["Wav2Vec2ForCTC"]},
        {"model_type": "clip", "architectures": ["CLIPModel"]},
        {"model_type": "vits", "architectures": ["VitsModel"]},
    ],
)
def test_what_does_not_generate_keeps_no_cache(config: dict[str, Any]) -> None:
    facts = of_config(config).facts
    assert "kv_cache.bytes_per_token" not in facts
    assert "kv_cache.dtype" not in facts


def test_sentence_transformers_files_make_an_encoder_an_embedding_model() -> None:
    config = {"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"]}
    assert of_config(config).facts.value("arch.task") == "causal-lm"
    assert of_documents({"config.json": config, "modules.json": []}).facts.value("arch.task") == "embedding"
    assert of_documents({"config.json": config}, card={"pipeline_tag": "text-ranking"}).facts.value("arch.task") == "reranker"


def test_an_encoder_decoder_keeps_its_own_and_the_encoders_keys() -> None:
    inspection = of_config({"model_type": "bart", "architectures": ["BartForConditionalGeneration"]})
    assert [(group.kind.value, group.count) for group in inspection.layers] == [("full", 12), ("cross", 12)]
    assert inspection.facts.value("arch.encoder_layers") == 12
    assert inspection.facts.value("kv_cache.bytes_per_token") == 12 * 2 * 16 * 64 * 2


def test_a_text_model_saved_under_its_multimodal_type_has_no_towers() -> None:
    config = {"model_type": "step3p7", "architectures": ["Step3p7ForCausalLM"], "num_hidden_layers": 4, "hidden_size": 64, "num_experts": 8}
    assert of_config(config).facts.value("arch.class") == "moe-transformer"


def test_a_flat_config_of_a_nesting_class_is_its_language_model() -> None:
    """LLaVA as first published: no text_config, the tower named in a string."""
    facts = of_config(published()["liuhaotian/llava-v1.5-7b"]).facts
    assert facts.value("arch.class") == "multimodal"
    assert facts.value("kv_cache.bytes_per_token") == 32 * 2 * 32 * 128 * 2


def test_nested_values_that_a_config_omits_take_the_default_of_their_own_class() -> None:
    """Gemma 3 4B states few keys of its language model: heads, key/value heads and head width are class defaults."""
    config = {
        "model_type": "gemma3",
        "architectures": ["Gemma3ForConditionalGeneration"],
        "text_config": {
            "hidden_size": 2560,
            "intermediate_size": 10240,
            "model_type": "gemma3_text",
            "num_hidden_layers": 34,
            "sliding_window": 1024,
        },
        "vision_config": {"hidden_size": 1152, "num_hidden_layers": 27},
        "torch_dtype": "bfloat16",
    }
    facts = of_config(config).facts
    assert facts["attention.heads"] == Known(8, Basis.CLASS_DEFAULT)
    assert facts["attention.kv_heads"] == Known(4, Basis.CLASS_DEFAULT)
    assert facts["attention.head_dim"] == Known(256, Basis.CLASS_DEFAULT)
    assert facts["arch.hidden_size"] == Known(2560, Basis.CONFIG)
    assert facts.value("attention.full_layers") == 5
    assert facts.value("kv_cache.bytes_per_token") == 5 * 2 * 4 * 256 * 2


@pytest.mark.parametrize(
    ("keys", "full", "sliding"),
    [
        ({"use_sliding_window": False, "sliding_window": 4096, "max_window_layers": 20}, 28, 0),
        ({"use_sliding_window": True, "sliding_window": 4096, "max_window_layers": 20}, 20, 8),
        ({"sliding_window": 4096, "max_window_layers": 20}, 28, 0),
    ],
)
def test_qwen2_slides_in_its_upper_layers_and_only_when_told(keys: dict[str, Any], full: int, sliding: int) -> None:
    config = {"model_type": "qwen2", "num_hidden_layers": 28, "hidden_size": 3584, "num_attention_heads": 28, **keys}
    facts = of_config(config).facts
    assert (facts.value("attention.full_layers"), facts.value("attention.sliding_layers")) == (full, sliding)


def test_layers_that_share_a_cache_keep_none() -> None:
    config = {"model_type": "gemma3n_text", "architectures": ["Gemma3nForCausalLM"], "num_hidden_layers": 30, "num_kv_shared_layers": 10}
    facts = of_config(config).facts
    assert facts.value("attention.shared_layers") == 10
    assert facts.value("attention.full_layers") == 4
    assert facts.value("attention.sliding_layers") == 16


def test_blocks_without_attention_keep_nothing() -> None:
    facts = of_config(published()["nvidia/Llama-3_3-Nemotron-Super-49B-v1"]).facts
    assert facts.value("attention.full_layers") == 49
    assert facts.value("attention.kv_heads") == 8
    assert facts.value("kv_cache.bytes_per_token") == 49 * 2 * 8 * 128 * 2


def test_a_pipeline_is_read_component_by_component() -> None:
    documents = {
        "model_index.json": {
            "_class_name": "StableDiffusion3Pipeline",
            "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
            "text_encoder": ["transformers", "CLIPTextModelWithProjection"],
            "tokenizer": ["transformers", "CLIPTokenizer"],
            "transformer": ["diffusers", "SD3Transformer2DModel"],
            "vae": ["diffusers", "AutoencoderKL"],
            "image_encoder": [None, None],
        },
        "transformer/config.json": {
            "_class_name": "SD3Transformer2DModel",
            "num_layers": 38,
            "num_attention_heads": 38,
            "attention_head_dim": 64,
        },
        "text_encoder/config.json": {"model_type": "clip_text_model", "architectures": ["CLIPTextModelWithProjection"]},
        "vae/config.json": {"_class_name": "AutoencoderKL"},
    }
    facts = of_documents(documents).facts
    assert facts.value("arch.class") == "diffusion"
    assert facts.value("arch.task") == "text-to-image"
    assert facts.value("model.components") == ("text_encoder", "transformer", "vae")
    assert facts.value("arch.layers") == 38
    assert facts.value("arch.hidden_size") == 38 * 64
    assert "kv_cache.bytes_per_token" not in facts


def test_a_stated_cache_scheme_sets_the_cache_type() -> None:
    config = {
        "model_type": "llama",
        "torch_dtype": "bfloat16",
        "quantization_config": {"quant_method": "modelopt", "quant_algo": "FP8", "kv_cache_scheme": {"type": "float", "num_bits": 8}},
    }
    assert of_config(config).facts["kv_cache.dtype"] == Known("float8_e4m3fn", Basis.CONFIG)
    assert of_config(config, kv_dtype="bfloat16").facts["kv_cache.dtype"] == Known("bfloat16", Basis.USER)
    plain = {"model_type": "llama", "torch_dtype": "bfloat16", "quantization_config": {"quant_method": "fp8"}}
    assert of_config(plain).facts["kv_cache.dtype"] == Known("bfloat16", Basis.CONFIG)
    assert of_config({"model_type": "llama", "torch_dtype": "float32"}).facts["kv_cache.dtype"] == Known("float16", Basis.ASSUMED)

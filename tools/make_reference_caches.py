"""Write tests/data/reference_caches.json: what transformers' own cache objects hold, layer by layer, for published and default configs.

    python tools/make_reference_caches.py            every model, half an hour
    python tools/make_reference_caches.py --missing  those without a reference yet

Needs PyTorch. Each model is built on the meta device with its real sizes and run for a few tokens, so that the cache's tensors have
shapes and no memory. Models whose code asks for values (meta tensors have none) are left out, with the reason.
"""

import gc
import gzip
import json
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "critical")

import torch
import transformers
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoModelForSeq2SeqLM,
    AutoModelForSpeechSeq2Seq,
    EncoderDecoderCache,
)
from transformers.models.auto import modeling_auto

DATA = Path(__file__).resolve().parent.parent / "tests" / "data"
TARGET = DATA / "reference_caches.json"
TOKENS = 128
"""Enough for one entry of every compressed cache."""
SECONDS = 120
DEFAULT_LAYERS = 8
"""Layers of a model made from class defaults alone: enough for every pattern to show."""


#: What the defaults of a class need beside the number of layers before its code runs.
TUNED: dict[str, dict[str, Any]] = {
    "bamba": {"attn_layer_indices": [3]},
    "deepseek_v2": {"num_experts_per_tok": 6, "n_routed_experts": 64, "first_k_dense_replace": 1},
    "dots1": {"n_routed_experts": 64, "n_shared_experts": 2, "num_experts_per_tok": 6},
    "gemma3n_text": {"num_hidden_layers": 20, "num_kv_shared_layers": 5},
    "granitemoehybrid": {
        "num_hidden_layers": 4,
        "layer_types": ["mamba", "mamba", "attention", "mamba"],
        "mamba_n_heads": 128,
        "mamba_d_head": 64,
    },
    "hunyuan_v1_dense": {"head_dim": 128},
    "hunyuan_v1_moe": {"head_dim": 128, "num_experts": 4, "moe_topk": [2, 2, 2, 2, 2, 2, 2, 2]},
    "kimi_linear": {
        "linear_attn_config": {
            "full_attn_layers": [4, 8],
            "kda_layers": [1, 2, 3, 5, 6, 7],
            "num_heads": 32,
            "head_dim": 128,
            "short_conv_kernel_size": 4,
        }
    },
    "lfm2_moe": {"layer_types": ["conv", "conv", "full_attention", "conv"] * 2},
    "ministral": {"head_dim": 128},
    "nemotron": {"head_dim": 128},
    "nemotron_h": {"num_hidden_layers": 6, "hybrid_override_pattern": "M-M*-E"},
    "olmo_hybrid": {
        "linear_num_key_heads": 30,
        "linear_num_value_heads": 30,
        "linear_key_head_dim": 96,
        "linear_value_head_dim": 192,
    },
    "zamba2": {"num_hidden_layers": 54},
}


class TooSlowError(Exception):
    """One model took longer than all of them should."""


def main() -> None:
    """Build, run and describe every model; write what was seen."""
    warnings.filterwarnings("ignore")
    torch.set_grad_enabled(False)
    signal.signal(signal.SIGALRM, _too_slow)
    caches: dict[str, list[Any]] = json.loads(TARGET.read_text(encoding="utf-8"))["caches"] if "--missing" in sys.argv else {}
    skipped: dict[str, str] = {}
    for name, config in _configs():
        if name in caches:
            continue
        signal.alarm(SECONDS)
        try:
            caches[name] = _described(_cache(config))
        except Exception as error:  # noqa: BLE001 - whatever a model's code raises is the reason it has no reference
            skipped[name] = f"{type(error).__name__}: {error}".splitlines()[0][:120]
        finally:
            signal.alarm(0)
            gc.collect()
        print(name, "ok" if name in caches else skipped[name], flush=True)
    result = {
        "transformers": transformers.__version__,
        "torch": torch.__version__,
        "tokens": TOKENS,
        "default_layers": DEFAULT_LAYERS,
        "tuned": TUNED,
        "caches": caches,
        "skipped": skipped,
    }
    TARGET.write_text(json.dumps(result, indent=0, sort_keys=True) + "\n", encoding="utf-8")


def _too_slow(_signal: int, _frame: FrameType | None) -> None:
    raise TooSlowError(f"more than {SECONDS} s")


def _configs() -> Iterator[tuple[str, dict[str, Any]]]:
    published = json.loads(gzip.decompress((DATA / "configs.json.gz").read_bytes()))
    for name, config in published.items():
        if isinstance(config.get("model_type"), str) and not (name.count("/") > 1 and "encoder" in name):
            yield name, {key: value for key, value in config.items() if key not in {"quantization_config", "auto_map"}}
    for model_type in sorted(
        {*modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES, *modeling_auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES}
    ):
        yield f"default:{model_type}", {"model_type": model_type, "num_hidden_layers": DEFAULT_LAYERS, **TUNED.get(model_type, {})}


def _cache(config: dict[str, Any]) -> Any:
    settings = AutoConfig.for_model(**config)
    model_type = config["model_type"]
    inputs: dict[str, Any] = {"use_cache": True}
    ids = torch.zeros((1, TOKENS), dtype=torch.long, device="meta")
    auto = AutoModelForCausalLM
    if getattr(settings, "is_encoder_decoder", False):
        inputs["decoder_input_ids"] = ids
        if model_type in modeling_auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES:
            auto = AutoModelForSeq2SeqLM
            inputs["input_ids"] = ids
        else:
            auto = AutoModelForSpeechSeq2Seq
            inputs["input_features"] = torch.zeros((1, settings.num_mel_bins, 3000), device="meta", dtype=torch.bfloat16)
    else:
        inputs["input_ids"] = ids
        text = settings.get_text_config(decoder=True)
        settings = text if type(text) in AutoModelForCausalLM._model_mapping else settings  # noqa: SLF001 - no public way to ask
        if type(settings) not in AutoModelForCausalLM._model_mapping:  # noqa: SLF001
            auto = AutoModelForImageTextToText
    with torch.device("meta"):
        model = auto.from_config(settings, dtype=torch.bfloat16, attn_implementation="eager").eval()
    output = model(**inputs)
    cache = getattr(output, "past_key_values", None)
    cache = getattr(output, "cache_params", None) if cache is None else cache
    if cache is None:
        message = "no cache"
        raise LookupError(message)
    return cache.self_attention_cache if isinstance(cache, EncoderDecoderCache) else cache


def _described(cache: Any) -> list[Any]:
    """Return runs of equal layers: ``[count, elements per token, recurrent elements, [[channels, columns], …], window]``."""
    runs: list[Any] = []
    for layer in cache.layers:
        per_token, recurrent, convolutions = 0.0, 0, []
        keys = getattr(layer, "keys", None)
        for name, tensor in _tensors(vars(layer)):
            if not tensor.numel() or (name == "values" and tensor is keys):
                continue  # nothing yet, or one tensor that serves as both
            if name in ("keys", "values") or name.startswith(("indexer_keys", "index_keys", "idx_keys")):
                per_token += tensor.numel() / tensor.shape[-2]
            elif name.startswith("compressed_kv"):
                per_token += tensor.numel() / TOKENS
            elif name.startswith("recurrent"):
                recurrent += tensor.numel()
            elif name.startswith("conv"):
                convolutions.append([tensor.numel() // tensor.shape[-1], tensor.shape[-1]])
        row = [per_token, recurrent, convolutions, getattr(layer, "sliding_window", None)]
        if runs and runs[-1][1:] == row:
            runs[-1][0] += 1
        else:
            runs.append([1, *row])
    return runs


def _tensors(values: dict[str, Any]) -> Iterator[tuple[str, torch.Tensor]]:
    for name, value in values.items():
        if isinstance(value, torch.Tensor):
            yield name, value
        elif isinstance(value, list | tuple):
            yield from ((name, item) for item in value if isinstance(item, torch.Tensor))
        elif isinstance(value, dict):
            yield from ((f"{name}.{key}", item) for key, item in value.items() if isinstance(item, torch.Tensor))


if __name__ == "__main__":
    main()

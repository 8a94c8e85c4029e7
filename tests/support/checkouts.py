"""Model folders as a git checkout holds them: a config and git-LFS pointers."""

import json
from pathlib import Path
from typing import Any

CONFIG: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 4096,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "intermediate_size": 14336,
    "vocab_size": 128256,
    "max_position_embeddings": 8192,
    "torch_dtype": "bfloat16",
    "tie_word_embeddings": False,
}


def pointer(size: int) -> str:
    """Return the pointer to a file of ``size`` bytes."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{size:064x}\nsize {size}\n"


def checkout(folder: Path, weights: str = "model.safetensors", size: int = 16_060_522_496, **config: Any) -> Path:
    """Write a model of ``size`` bytes whose weights were not fetched, and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**CONFIG, **config}, indent=2) + "\n", encoding="utf-8")
    (folder / weights).write_text(pointer(size), encoding="utf-8")
    return folder

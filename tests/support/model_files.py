"""Small model files for tests: real headers, and bodies that are holes in the file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

BITS = {"BF16": 16, "F16": 16, "F32": 32, "F8_E4M3": 8, "U8": 8, "I32": 32, "F4": 4, "BOOL": 8}

Tensors = Mapping[str, tuple[str, tuple[int, ...]]]


def header(tensors: Tensors, metadata: Mapping[str, str] | None = None) -> tuple[bytes, int]:
    """Return the JSON part of a safetensors header and the number of bytes that its tensors take."""
    entries: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    offset = 0
    for name, (dtype, shape) in tensors.items():
        size = BITS[dtype]
        for extent in shape:
            size *= extent
        entries[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, offset + size // 8]}
        offset += size // 8
    text = json.dumps(entries).encode()
    return text + b" " * (-len(text) % 8), offset


def write_safetensors(path: Path, tensors: Tensors, metadata: Mapping[str, str] | None = None) -> None:
    text, size = header(tensors, metadata)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + size)


def write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def write_sharded(folder: Path, shards: list[Tensors], stem: str = "model", variant: str = "") -> None:
    """Write shards and their index the way that transformers names them."""
    names = [f"{stem}{variant and '.' + variant}-{number:05}-of-{len(shards):05}.safetensors" for number in range(1, len(shards) + 1)]
    total = 0
    for name, tensors in zip(names, shards, strict=True):
        write_safetensors(folder / name, tensors)
        total += header(tensors)[1]
    index = {
        "metadata": {"total_size": total},
        "weight_map": {tensor: name for name, tensors in zip(names, shards, strict=True) for tensor in tensors},
    }
    write_json(folder / f"{stem}.safetensors.index{variant and '.' + variant}.json", index)


LLAMA: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "num_hidden_layers": 2,
    "vocab_size": 256,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
}


def llama_tensors() -> list[Tensors]:
    """Return the tensors of the configuration ``LLAMA``, in two shards."""
    layers: list[dict[str, tuple[str, tuple[int, ...]]]] = []
    for number in range(2):
        prefix = f"model.layers.{number}"
        layers.append(
            {
                f"{prefix}.self_attn.q_proj.weight": ("BF16", (64, 64)),
                f"{prefix}.self_attn.k_proj.weight": ("BF16", (32, 64)),
                f"{prefix}.self_attn.v_proj.weight": ("BF16", (32, 64)),
                f"{prefix}.self_attn.o_proj.weight": ("BF16", (64, 64)),
                f"{prefix}.mlp.gate_proj.weight": ("BF16", (128, 64)),
                f"{prefix}.mlp.up_proj.weight": ("BF16", (128, 64)),
                f"{prefix}.mlp.down_proj.weight": ("BF16", (64, 128)),
                f"{prefix}.input_layernorm.weight": ("BF16", (64,)),
                f"{prefix}.post_attention_layernorm.weight": ("BF16", (64,)),
            }
        )
    first = {"model.embed_tokens.weight": ("BF16", (256, 64)), **layers[0]}
    second = {**layers[1], "model.norm.weight": ("BF16", (64,)), "lm_head.weight": ("BF16", (256, 64))}
    return [first, second]


def write_llama(folder: Path) -> Path:
    """Write a small sharded Llama and return its folder."""
    write_json(folder / "config.json", LLAMA)
    write_sharded(folder, llama_tensors())
    (folder / "README.md").write_text("---\nlicense: apache-2.0\nbase_model:\n- org/base\n---\n# A small Llama\n")
    return folder


#: What the Hub makes of that README.
CARD = {"license": "apache-2.0", "base_model": ["org/base"]}

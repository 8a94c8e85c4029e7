"""GGUF files for tests, written with the ``gguf`` package: real headers, and bodies that are holes in the file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gguf
import numpy as np

Types = gguf.GGMLQuantizationType


def write_gguf(
    path: Path,
    tensors: Mapping[str, tuple[str, Sequence[int]]],
    architecture: str = "llama",
    members: Mapping[str, Any] | None = None,
    tokens: int = 0,
) -> None:
    """Write tensors of ggml types, by name, with shapes in PyTorch's order."""
    writer = gguf.GGUFWriter(path, architecture)
    for key, value in (members or {}).items():
        _add(writer, key, value)
    if tokens:
        writer.add_token_list([f"token{number}" for number in range(tokens)])
        writer.add_token_scores([0.0] * tokens)
    for name, (kind, shape) in tensors.items():
        block, size = gguf.GGML_QUANT_SIZES[Types[kind]]
        count = 1
        for extent in shape:
            count *= extent
        stored = [*shape[:-1], shape[-1] // block * size]
        writer.add_tensor_info(name, stored, np.dtype(np.uint8), count // block * size, raw_dtype=Types[kind])
    path.parent.mkdir(parents=True, exist_ok=True)
    writer.write_header_to_file(path)
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    size = sum(-(-info.nbytes // 32) * 32 for part in writer.tensors for info in part.values())
    with path.open("r+b") as file:
        header = -(-path.stat().st_size // 32) * 32
        file.truncate(header + size)


def _add(writer: gguf.GGUFWriter, key: str, value: Any) -> None:
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    elif isinstance(value, str):
        writer.add_string(key, value)
    else:
        writer.add_array(key, value)


def metadata(layers: int = 2, width: int = 256) -> dict[str, Any]:
    """Return the metadata of a small Llama."""
    return {
        "llama.block_count": layers,
        "llama.context_length": 2048,
        "llama.embedding_length": width,
        "llama.feed_forward_length": 2 * width,
        "llama.attention.head_count": 8,
        "llama.attention.head_count_kv": 4,
        "llama.rope.freq_base": 10000.0,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.chat_template": "x" * 5_000,
        "general.name": "Small",
        "llama.per_layer": [1] * layers,
    }


def llama(width: int = 256, kind: str = "Q4_K") -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return the tensors of one layer of a small Llama, quantized."""
    return {
        "token_embd.weight": ("Q6_K", (512, width)),
        "blk.0.attn_q.weight": (kind, (width, width)),
        "blk.0.attn_norm.weight": ("F32", (width,)),
        "blk.0.ffn_gate_exps.weight": (kind, (4, 2 * width, width)),
        "output.weight": ("Q6_K", (512, width)),
    }

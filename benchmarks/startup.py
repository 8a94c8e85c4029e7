"""How long a person or a hook waits: help, one inspection, one audit."""

import json
import shutil
import struct
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Row, median_ratio, median_seconds, pair, run

BIN = Path(sys.executable).parent
AUDITOR = str(BIN / "auditor")
FIXTURES = Path(__file__).parent.parent / "fixtures"
LLAMA = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "max_position_embeddings": 131072,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 8,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "vocab_size": 128256,
}


def llama_folder(folder: Path) -> None:
    """Write a folder shaped like an 8 B Llama: real header, sparse body."""
    hidden, inner, vocab, kv = 4096, 14336, 128256, 1024
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (vocab, hidden),
        "lm_head.weight": (vocab, hidden),
        "model.norm.weight": (hidden,),
    }
    for layer in range(32):
        base = f"model.layers.{layer}"
        shapes |= {
            f"{base}.self_attn.{name}_proj.weight": (rows, hidden) for name, rows in (("q", hidden), ("k", kv), ("v", kv), ("o", hidden))
        }
        shapes |= {f"{base}.mlp.{name}_proj.weight": (inner, hidden) for name in ("gate", "up")}
        shapes |= {f"{base}.mlp.down_proj.weight": (hidden, inner)}
        shapes |= {f"{base}.{name}.weight": (hidden,) for name in ("input_layernorm", "post_attention_layernorm")}
    write_safetensors(folder / "model.safetensors", shapes)
    (folder / "config.json").write_text(json.dumps(LLAMA))


def write_safetensors(path: Path, shapes: dict[str, tuple[int, ...]]) -> None:
    """Write a safetensors file of bfloat16 tensors whose data is a hole in the file."""
    header: dict[str, object] = {}
    offset = 0
    for name, shape in shapes.items():
        size = 2
        for dimension in shape:
            size *= dimension
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)))
        file.write(text)
        file.truncate(8 + len(text) + offset)


def rows() -> list[Row]:
    """Measure and return the table's lines."""
    result = []
    ours, bare = pair([AUDITOR, "--help"], [sys.executable, "-c", "pass"])
    beyond = median_seconds(ours) - median_seconds(bare)
    result.append(Row("auditor --help, beyond python -c pass", f"{beyond:.3f} s", "≤ 0.15 s", beyond <= 0.15))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "llama"
        folder.mkdir()
        llama_folder(folder)
        peer = shutil.which("hf-mem", path=str(BIN))
        if peer:
            ours, theirs = pair([AUDITOR, "inspect", str(folder)], [peer, "--help"])
            ratio = median_ratio(ours, theirs)
            result.append(Row("auditor inspect of a Llama folder ÷ hf-mem --help", f"{ratio:.2f} ×", "≤ 1.5 ×", ratio <= 1.5))
        else:
            result.append(Row("auditor inspect of a Llama folder ÷ hf-mem --help", "hf-mem is not installed", "≤ 1.5 ×", met=False))
        many = Path(scratch) / "many"
        many.mkdir()
        write_safetensors(
            many / "model.safetensors", {f"model.layers.{i // 1000}.mlp.experts.{i % 1000}.weight": (64, 64) for i in range(100_000)}
        )
        peak = run([AUDITOR, "inspect", str(many)]).peak_bytes / 1e6
        result.append(Row("peak memory, 100,000 tensors", f"{peak:.0f} MB", "< 250 MB", peak < 250))
    audits = [run([AUDITOR, "audit", str(FIXTURES / "llama-3.1-8b-instruct.snapshot.json.gz"), "-f", "json"]) for _ in range(5)]
    seconds = median_seconds(audits)
    result.append(Row("auditor audit of one fixture, all targets", f"{seconds:.2f} s", "≤ 1 s", seconds <= 1.0))
    return result

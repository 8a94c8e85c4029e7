"""Small fleets on disk, and what they are audited with."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor.catalog import load_catalog
from auditor.fleet.model import FleetModel
from auditor.fleet.one import Context

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 2048,
    "intermediate_size": 8192,
    "max_position_embeddings": 131072,
    "num_attention_heads": 32,
    "num_hidden_layers": 16,
    "num_key_value_heads": 8,
    "head_dim": 64,
    "tie_word_embeddings": True,
    "torch_dtype": "bfloat16",
    "vocab_size": 128256,
}


def write_model(folder: Path, **changes: object) -> Path:
    """Write a folder with nothing but a config."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**CONFIG, **changes}))
    return folder


@pytest.fixture(scope="session")
def context() -> Context:
    catalog = load_catalog()
    targets = catalog.find_targets(["h100-sxm/vllm-cuda", "trainium2/neuron-vllm", "tpu-v6e/tpu-vllm"])
    return Context(catalog, targets, today="2026-11-22", version="test")


@pytest.fixture
def fleet(tmp_path: Path) -> Callable[[int], list[FleetModel]]:
    """Return a maker of fleets of so many folders, each with another number of layers."""

    def make(count: int) -> list[FleetModel]:
        return [FleetModel(str(write_model(tmp_path / "models" / f"m{at}", num_hidden_layers=4 + at))) for at in range(count)]

    return make

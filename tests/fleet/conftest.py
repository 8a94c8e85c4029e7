"""Small fleets on disk, and what they are audited with."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auditor.fleet.model import FleetModel
from auditor.fleet.one import Context, ScanRules
from auditor.fleet.store import Store

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


def content(path: Path) -> list[Any]:
    """Return everything a store holds but the order in which it came."""
    with Store(path, read_only=True) as store:
        return [
            store.query(
                "select * exclude (scan) from entries where scan = (select max(scan) from scans where state = 'done') order by position"
            ),
            store.query("select * from audits order by audit_key, accelerator, stack"),
            store.query("select * from works order by work_key"),
            store.query("select * from inspections order by target, fingerprint"),
            store.query("select scan, state from scans order by scan"),
        ]


@pytest.fixture(scope="session")
def context() -> Context:
    targets = ("h100-sxm/vllm-cuda", "trainium2/neuron-vllm", "tpu-v6e/tpu-vllm")
    return ScanRules(targets=targets, today="2026-11-22", version="test").load()


@pytest.fixture
def fleet(tmp_path: Path) -> Callable[[int], list[FleetModel]]:
    """Return a maker of fleets of so many folders, each with another number of layers."""

    def make(count: int) -> list[FleetModel]:
        return [FleetModel(str(write_model(tmp_path / "models" / f"m{at}", num_hidden_layers=4 + at))) for at in range(count)]

    return make

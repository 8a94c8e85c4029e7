"""Where facts stand: every fact of a config has a place, and taking the key away from there changes the fact."""

import copy
import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from auditor.facts import Basis, Known
from auditor.inspection import Inspection, inspect_snapshot
from auditor.inspection.model import Origin
from auditor.snapshot import Snapshot
from auditor.sources import SourceOptions, open_target
from auditor.sources.lone import document
from tests.support.checkouts import CONFIG, checkout, pointer

DATA = Path(__file__).parents[1] / "data" / "configs.json.gz"
FIXTURES = Path(__file__).parents[2] / "fixtures"
#: Facts of the repository and of the command line: no key of a config states them.
ELSEWHERE = {"model.id", "model.format", "repo.custom_code"}


@cache
def published() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(gzip.decompress(DATA.read_bytes()))
    return found


def inspected(config: dict[str, Any]) -> Inspection:
    return inspect_snapshot(document("config.json", json.dumps(config).encode(), "model", "config"), places=True)


def holder(config: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    for key in keys[:-1]:
        config = config[key]
    return config


def test_every_known_fact_of_a_published_config_stands_somewhere() -> None:
    nowhere, wrong = set(), set()
    for name, config in published().items():
        found = inspected(config)
        for fact, value in found.facts.items():
            if fact in ELSEWHERE or not isinstance(value, Known) or (fact, value.value) == ("quant.method", "none"):
                continue
            origin = found.origins.get(fact)
            if origin is None or not origin.keys:
                nowhere.add((name, fact))
            elif origin.keys[-1] not in holder(config, origin.keys):
                wrong.add((name, fact, origin.keys))
    assert not nowhere
    assert not wrong


def test_without_the_key_the_fact_is_another() -> None:
    """Some configs say a thing twice, or what the class would say; of the rest every key decides."""
    decided, idle = 0, []
    for name, config in list(published().items())[::20]:
        found = inspected(config)
        for fact, value in found.facts.items():
            origin = found.origins.get(fact)
            if origin is None or not origin.stated or not isinstance(value, Known) or value.basis is not Basis.CONFIG:
                continue
            without = copy.deepcopy(config)
            del holder(without, origin.keys)[origin.keys[-1]]
            if inspected(without).facts.get(fact) == value:
                idle.append((name, fact, origin.keys))
            else:
                decided += 1
    assert decided > 100
    assert len(idle) < decided / 15, idle


def test_nothing_is_looked_for_unless_it_is_asked_for() -> None:
    assert inspect_snapshot(document("config.json", json.dumps(CONFIG).encode(), "m", "config")).origins == {}


@pytest.mark.parametrize(
    ("fact", "keys"),
    [
        ("arch.architectures", ("architectures",)),
        ("arch.class", ("architectures",)),
        ("attention.kind", ("num_key_value_heads",)),
        ("attention.head_dim", ("hidden_size",)),
        ("quant.method", ("quantization_config", "quant_method")),
        ("quant.bits", ("quantization_config", "config_groups", "group_0", "weights", "num_bits")),
        ("kv_cache.bytes_per_token", ("num_key_value_heads",)),
        ("kv_cache.dtype", ("torch_dtype",)),
        ("arch.position", ("model_type",)),
        ("repo.custom_code", ("auto_map",)),
    ],
)
def test_where_a_fact_stands(fact: str, keys: tuple[str, ...]) -> None:
    group = {"input_activations": {"num_bits": 8}, "weights": {"num_bits": 4, "type": "int", "group_size": 128}}
    block = {"quant_method": "compressed-tensors", "format": "pack-quantized", "config_groups": {"group_0": group}}
    found = inspected({**CONFIG, "quantization_config": block, "auto_map": {"AutoModel": "m.M"}})
    assert found.origins[fact] == Origin("config.json", keys, stated=found.origins[fact].stated)
    assert found.origins[fact].stated is (
        fact
        not in {
            "arch.class",
            "attention.kind",
            "attention.head_dim",
            "kv_cache.bytes_per_token",
            "kv_cache.dtype",
            "arch.position",
            "repo.custom_code",
        }
    )


def test_a_nested_config() -> None:
    found = inspected(
        {
            "model_type": "gemma3",
            "architectures": ["Gemma3ForConditionalGeneration"],
            "text_config": {**CONFIG, "model_type": "gemma3_text"},
        }
    )
    assert found.origins["arch.layers"].keys == ("text_config", "num_hidden_layers")
    assert found.origins["arch.model_type"].keys == ("model_type",)


def test_a_pipeline_stands_in_its_denoiser() -> None:
    snapshot = open_target(str(FIXTURES / "stable-diffusion-3.5-large.snapshot.json.gz"), SourceOptions())
    found = inspect_snapshot(snapshot, places=True).origins
    assert (found["arch.layers"].path, found["arch.layers"].keys) == ("transformer/config.json", ("num_layers",))
    assert (found["arch.class"].path, found["arch.class"].keys) == ("model_index.json", ("_class_name",))


def test_weights_that_were_not_fetched_stand_at_their_size(tmp_path: Path) -> None:
    found = inspect_snapshot(open_target(str(checkout(tmp_path)), SourceOptions()), places=True).origins
    assert found["weights.bytes"] == Origin("model.safetensors", ("size",))
    (tmp_path / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {"total_size": 7}, "weight_map": {"x": "model-00001-of-00001.safetensors"}}), encoding="utf-8"
    )
    (tmp_path / "model.safetensors").rename(tmp_path / "model-00001-of-00001.safetensors")
    (tmp_path / "model-00001-of-00001.safetensors").write_text(pointer(7), encoding="utf-8")
    found = inspect_snapshot(open_target(str(tmp_path), SourceOptions()), places=True).origins
    assert found["weights.bytes"] == Origin("model.safetensors.index.json", ("metadata", "total_size"))


def test_a_contradiction_stands_where_its_statement_does() -> None:
    table = open_target(str(FIXTURES / "llama-3.1-8b-instruct.snapshot.json.gz"), SourceOptions())
    config = {**table.documents["config.json"], "torch_dtype": "float32"}
    snapshot = Snapshot("m", None, "folder", table.files, {**table.documents, "config.json": config}, table.weights)
    found = inspect_snapshot(snapshot, places=True)
    assert found.origins["repo.contradictions"].keys == ("torch_dtype",)


def test_a_wrong_value_stands_at_its_key() -> None:
    found = inspected({**CONFIG, "num_hidden_layers": "many"})
    [error] = found.errors
    assert found.origins[error] == Origin("config.json", ("num_hidden_layers",))

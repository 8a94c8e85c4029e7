"""From changed files to models: each once, whatever changed of it, and nothing that is no model."""

import re
from pathlib import Path

import pytest
import yaml

from auditor.gate.changed import changed_models, is_model_file
from tests.support.checkouts import checkout, pointer

ROOT = Path(__file__).parents[2]
NAMES = {
    "config.json": True,
    "models/one/config.json": True,
    "one/model-00001-of-00002.safetensors": True,
    "one/model.safetensors.index.json": True,
    "one/model.safetensors.index.fp16.json": True,
    "one/pytorch_model.bin": True,
    "one/consolidated.00.pth": True,
    "one/adapter_config.json": True,
    "pipe/model_index.json": True,
    "model-Q4_K_M.gguf": True,
    "served/llama.snapshot.json.gz": True,
    "auditor.fleet.yaml": True,
    "prod.fleet.yml": True,
    "README.md": False,
    "package.json": False,
    "tokenizer.json": False,
    "myconfig.json": False,
    "src/train.py": False,
    "fleet.yaml": False,
}


@pytest.mark.parametrize(("name", "wanted"), NAMES.items())
def test_which_files_can_be_part_of_a_model(name: str, wanted: bool) -> None:
    assert is_model_file(name) is wanted


@pytest.mark.parametrize(("name", "wanted"), NAMES.items())
def test_the_pattern_of_the_hook_lets_the_same_names_through(name: str, wanted: bool) -> None:
    manifest = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    [pattern] = [hook["files"] for hook in manifest if hook["id"] == "auditor"]
    assert (re.search(pattern, name) is not None) is wanted


def test_one_audit_per_folder(tmp_path: Path) -> None:
    one, two = checkout(tmp_path / "one"), checkout(tmp_path / "two")
    files = [one / "config.json", two / "model.safetensors", one / "model.safetensors", tmp_path / "README.md"]
    assert changed_models(files).models == (str(one), str(two))


def test_a_deleted_file_counts_for_what_is_left(tmp_path: Path) -> None:
    one = checkout(tmp_path / "one")
    assert changed_models([one / "model-00002-of-00002.safetensors"]).models == (str(one),)
    assert changed_models([tmp_path / "gone" / "config.json"]).models == ()


def test_a_config_of_something_else_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"port": 8080}', encoding="utf-8")
    assert changed_models([tmp_path / "config.json"]).models == ()
    (tmp_path / "config.json").write_text('{"model_type": "llama", ', encoding="utf-8")
    assert changed_models([tmp_path / "config.json"]).models == (str(tmp_path),), "a broken one is for the audit to tell"


def test_a_component_belongs_to_its_pipeline(tmp_path: Path) -> None:
    checkout(tmp_path / "pipe" / "unet")
    (tmp_path / "pipe" / "model_index.json").write_text('{"_class_name": "FluxPipeline"}', encoding="utf-8")
    assert changed_models([tmp_path / "pipe" / "unet" / "config.json"]).models == (str(tmp_path / "pipe"),)


def test_each_quantization_of_a_folder_is_a_model(tmp_path: Path) -> None:
    for name in ("m-Q4_K_M.gguf", "m-Q8_0-00001-of-00002.gguf", "m-Q8_0-00002-of-00002.gguf"):
        (tmp_path / name).write_text(pointer(1000), encoding="utf-8")
    files = [tmp_path / "m-Q4_K_M.gguf", tmp_path / "m-Q8_0-00002-of-00002.gguf"]
    assert changed_models(files).models == (str(files[0]), str(tmp_path / "m-Q8_0-00001-of-00002.gguf"))


def test_fleet_files_are_told_apart(tmp_path: Path) -> None:
    one = checkout(tmp_path / "one")
    (tmp_path / "auditor.fleet.yaml").write_text("models: [{model: ./one}]\n", encoding="utf-8")
    found = changed_models([tmp_path / "auditor.fleet.yaml", one / "config.json", tmp_path / "gone.fleet.yaml"])
    assert found.models == (str(one),)
    assert found.fleets == (str(tmp_path / "auditor.fleet.yaml"),)

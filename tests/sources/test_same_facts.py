"""One model, wherever it lies, has the same facts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import snapshot_download

from auditor.inspection import inspect_snapshot
from auditor.sources import SourceOptions, open_target, saved
from tests.support.hub_server import Hub
from tests.support.model_files import CARD, write_llama

MODEL = "org/name"
#: The name is how the user called the model; that a model is gated is known to the Hub alone.
_OF_THE_SOURCE = {"model.id", "repo.gated"}

Place = Callable[[Path, Hub, Path], tuple[str, SourceOptions]]


def in_a_folder(model: Path, hub: Hub, scratch: Path) -> tuple[str, SourceOptions]:
    return str(model), SourceOptions()


def on_the_hub(model: Path, hub: Hub, scratch: Path) -> tuple[str, SourceOptions]:
    return MODEL, SourceOptions(endpoint=hub.endpoint)


def in_the_cache(model: Path, hub: Hub, scratch: Path) -> tuple[str, SourceOptions]:
    snapshot_download(MODEL, endpoint=hub.endpoint, cache_dir=scratch)
    return MODEL, SourceOptions(offline=True, cache_dir=scratch)


def in_a_checkout(model: Path, hub: Hub, scratch: Path) -> tuple[str, SourceOptions]:
    for number, path in enumerate(sorted(model.iterdir())):
        content = path.read_bytes()
        if path.suffix == ".safetensors":
            name = f"{number:02}" * 32
            stored = scratch / ".git/lfs/objects" / name[:2] / name[2:4] / name
            stored.parent.mkdir(parents=True)
            stored.write_bytes(content)
            content = f"version https://git-lfs.github.com/spec/v1\noid sha256:{name}\nsize {len(content)}\n".encode()
        (scratch / path.name).write_bytes(content)
    return str(scratch), SourceOptions()


def in_an_object_store(model: Path, hub: Hub, scratch: Path) -> tuple[str, SourceOptions]:
    fsspec = pytest.importorskip("fsspec", reason="object stores are an extra")
    fsspec.filesystem("memory").put(str(model), f"/{scratch.name}", recursive=True)
    return f"memory://{scratch.name}", SourceOptions()


def in_a_saved_snapshot(model: Path, hub: Hub, scratch: Path) -> tuple[str, SourceOptions]:
    saved.save(open_target(str(model), SourceOptions()), scratch / "x.snapshot.json.gz")
    return str(scratch / "x.snapshot.json.gz"), SourceOptions()


@pytest.mark.parametrize("place", [in_a_folder, on_the_hub, in_the_cache, in_a_checkout, in_an_object_store, in_a_saved_snapshot])
def test_the_facts_do_not_depend_on_where_the_model_lies(place: Place, hub: Hub, tmp_path: Path) -> None:
    model = write_llama(hub.root / MODEL)
    hub.behaviour.cards[MODEL] = CARD
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    expected = inspect_snapshot(open_target(str(model), SourceOptions()))
    found = inspect_snapshot(open_target(*place(model, hub, scratch)))
    assert _comparable(found) == _comparable(expected)
    assert found.facts.integer("weights.bytes") == 2 * 106_816
    assert (found.layers, found.errors) == (expected.layers, ())


@pytest.mark.parametrize("fast", [False, True])
def test_a_checkout_of_pointers_says_nothing_different(fast: bool, hub: Hub, tmp_path: Path) -> None:
    """What pointers leave out is unknown; what they do tell is what the whole model tells."""
    model = write_llama(tmp_path / "model")
    expected = inspect_snapshot(open_target(str(model), SourceOptions()))
    for path in model.glob("*.safetensors"):
        size = path.stat().st_size
        path.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'ab' * 32}\nsize {size}\n")
    found = inspect_snapshot(open_target(str(model), SourceOptions(fast=fast)))
    known = {name: value for name, (value, _) in _comparable(found).items() if value is not None}
    assert known["weights.bytes"] == expected.facts.value("weights.bytes")
    assert {name: expected.facts.value(name) for name in known} == known


def _comparable(inspection: Any) -> dict[str, tuple[Any, Any]]:
    facts = inspection.facts
    return {name: (facts.value(name), getattr(facts[name], "basis", None)) for name in facts if name not in _OF_THE_SOURCE}

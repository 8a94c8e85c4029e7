"""Folders, the Hub's cache, Ollama's store, saved snapshots and object stores: one broken item never hides another."""

import gzip
import json
from pathlib import Path

import pytest

from auditor.errors import AuditorError, NotFound
from auditor.fleet.discover import DiscoverOptions, Found, discover
from auditor.fleet.model import FleetModel
from auditor.inspection import inspect_snapshot
from auditor.sources import SourceOptions, open_target
from tests.fleet.conftest import write_model
from tests.support.gguf_files import write_gguf
from tests.support.model_files import write_llama

OPTIONS = DiscoverOptions()
POD = "{apiVersion: v1, kind: Pod, spec: {containers: [{image: vllm/vllm-openai, args: [--model, org/a]}]}}"


def found(path: Path) -> Found:
    return discover(str(path), OPTIONS)


def targets(result: Found, root: Path) -> list[str]:
    return [model.target.removeprefix(f"{root}/") for model in result.models]


def test_a_tree_of_everything(tmp_path: Path) -> None:
    write_model(tmp_path / "chat" / "v1")
    write_model(tmp_path / "chat" / "v1" / "original")  # inside a model: part of it
    (tmp_path / "pipeline" / "unet").mkdir(parents=True)
    (tmp_path / "pipeline" / "model_index.json").write_text("{}")
    (tmp_path / "pipeline" / "unet" / "config.json").write_text('{"_class_name": "x"}')
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "config.json").write_text('{"port": 80}')
    (tmp_path / "gguf").mkdir()
    for name in ("a-Q4_K_M.gguf", "b-00001-of-00002.gguf", "b-00002-of-00002.gguf", "mmproj-a.gguf"):
        (tmp_path / "gguf" / name).write_bytes(b"GGUF")
    (tmp_path / "saved.snapshot.json.gz").write_bytes(gzip.compress(b"{}"))
    (tmp_path / "k8s").mkdir()
    (tmp_path / "k8s" / "pod.yaml").write_text(POD)
    (tmp_path / "k8s" / "values.yaml").write_text("a: [")  # about something else
    result = found(tmp_path)
    assert sorted(targets(result, tmp_path)) == sorted(
        ["saved.snapshot.json.gz", "chat/v1", "gguf/a-Q4_K_M.gguf", "gguf/b-00001-of-00002.gguf", "org/a", "pipeline"]
    )
    assert result.problems == ()


def test_links_are_not_followed(tmp_path: Path) -> None:
    write_model(tmp_path / "outside")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "out").symlink_to(tmp_path / "outside")
    (tmp_path / "in" / "circle").symlink_to(tmp_path / "in")
    assert found(tmp_path / "in") == Found()


def test_what_cannot_be_read_is_one_problem(tmp_path: Path) -> None:
    write_model(tmp_path / "good")
    (tmp_path / "chart").mkdir()
    (tmp_path / "chart" / "deploy.yaml").write_text("image: vllm\nmodel: {{ .Values.model }}\n")
    deep = tmp_path / "deep" / "/".join("d" * 30)
    write_model(deep)
    (tmp_path / "bad\nname").mkdir()
    result = found(tmp_path)
    assert targets(result, tmp_path) == ["good"]
    assert [line.count("\n") for line in result.problems] == [0, 0, 0]
    assert "cannot be printed" in result.problems[0]
    assert "helm template" in result.problems[1]
    assert "nest deeper than 24" in result.problems[2]


def _cached(home: Path, commit: str, ref: str | None) -> None:
    write_model(home / "snapshots" / commit)
    (home / "refs").mkdir(exist_ok=True)
    if ref:
        (home / "refs" / "main").write_text(ref)


def test_the_hubs_cache(tmp_path: Path) -> None:
    _cached(tmp_path / "models--org--a", "c1", "c1")
    _cached(tmp_path / "models--org--b", "c2", None)
    (tmp_path / "models--org--gone" / "refs").mkdir(parents=True)
    (tmp_path / "datasets--org--d" / "snapshots" / "x").mkdir(parents=True)
    result = found(tmp_path)
    assert targets(result, tmp_path) == ["models--org--a", "models--org--b/snapshots/c2"]
    assert [model.name for model in result.models] == ["org/a", "org/b"]
    assert "holds no snapshot of org/gone" in result.problems[0]
    assert all(open_target(model.target, SourceOptions()).documents for model in result.models)


def _ollama(store: Path, name: str, layers: list[dict[str, object]]) -> None:
    manifest = store / "manifests" / name
    manifest.parent.mkdir(parents=True, exist_ok=True)
    manifest.write_text(json.dumps({"schemaVersion": 2, "layers": layers}))


def test_ollamas_store(tmp_path: Path) -> None:
    store, weights, settings = tmp_path / "models", "a" * 64, "b" * 64
    (store / "blobs").mkdir(parents=True)
    write_gguf(store / "blobs" / f"sha256-{weights}", {"blk.0.attn_q.weight": ("Q4_K", (256, 256))})
    (store / "blobs" / f"sha256-{settings}").write_text('{"num_ctx": 4096}')
    layers = [
        {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{weights}", "size": 1},
        {"mediaType": "application/vnd.ollama.image.params", "digest": f"sha256:{settings}", "size": 1},
    ]
    _ollama(store, "registry.ollama.ai/library/llm/8b", layers)
    _ollama(
        store, "registry.ollama.ai/team/own/latest", [{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:../../etc"}]
    )
    _ollama(store, "registry.ollama.ai/library/gone/latest", [{**layers[0], "digest": "sha256:" + "c" * 64}])
    _ollama(store, "registry.ollama.ai/library/cloud/latest", [])
    (store / "manifests/registry.ollama.ai/library/bad").mkdir()
    (store / "manifests/registry.ollama.ai/library/bad/latest").write_text("{")
    result = found(tmp_path)
    blob = str(store / "blobs" / f"sha256-{weights}")
    at = str(store / "manifests/registry.ollama.ai/library/llm/8b")
    assert result.models == (FleetModel(blob, name="llm:8b", found=at, workload={"context": 4096}, serving={"engine": "ollama"}),)
    assert len(result.problems) == 3
    assert "cloud/latest: holds no weights" in result.notes[0]
    facts = inspect_snapshot(open_target(blob, SourceOptions())).facts
    assert facts.text("model.format") == "gguf"


def test_a_single_model_and_nothing(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m")
    assert targets(found(path), tmp_path) == ["m"]
    assert [model.target for model in found(path / "config.json").models] == [str(path / "config.json")]
    assert [model.target for model in discover("org/name", OPTIONS).models] == ["org/name"]
    (tmp_path / "empty").mkdir()
    assert found(tmp_path / "empty") == Found()
    with pytest.raises(NotFound):
        discover(str(tmp_path / "none" / "x"), OPTIONS)


def test_an_object_store(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec", reason="object stores are an extra")
    store = fsspec.filesystem("memory")
    write_llama(tmp_path / "llama")
    try:
        store.put(str(tmp_path / "llama"), "/fleet/team/llama", recursive=True)
        store.pipe("/fleet/gguf/a-Q4_K_M.gguf", b"GGUF")
        store.pipe("/fleet/data/part-0.parquet", b"")
        result = discover("memory://fleet", OPTIONS)
        assert sorted(model.target for model in result.models) == ["memory:///fleet/gguf/a-Q4_K_M.gguf", "memory:///fleet/team/llama"]
        assert all(open_target(model.target, SourceOptions()).weights for model in result.models if "llama" in model.target)
    finally:
        store.rm("/fleet", recursive=True)
    for address in ("memory://fleet/nothing", "gopher://x"):
        with pytest.raises(AuditorError) as error:
            discover(address, OPTIONS)
        assert "\n" not in str(error.value)

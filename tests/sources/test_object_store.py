"""Models in object stores: in memory for the common case, and on a real S3 server."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor.errors import NotFound, TargetError, Unreachable
from auditor.snapshot import Snapshot
from auditor.sources import SourceOptions, open_target, saved
from tests.support.model_files import write_llama

fsspec = pytest.importorskip("fsspec", reason="object stores are an extra")


def take(text: str, **options: Any) -> Snapshot:
    return open_target(text, SourceOptions(**options))


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Any]:
    store = fsspec.filesystem("memory")
    write_llama(tmp_path / "model")
    store.put(str(tmp_path / "model"), "/bucket/model", recursive=True)
    store.pipe("/bucket/model-other/config.json", b"{}")
    yield store
    store.rm("/bucket", recursive=True)


def test_a_prefix_is_a_model(memory: Any, tmp_path: Path) -> None:
    found, local = take("memory://bucket/model"), take(str(tmp_path / "model"))
    assert (found.weights, found.documents, found.files) == (local.weights, local.documents, local.files)
    assert (found.id, found.source, found.problems) == ("memory://bucket/model", "object-store", ())
    assert take("memory://bucket/model/") == found


def test_a_url_may_name_one_file(memory: Any, tmp_path: Path) -> None:
    assert take("memory://bucket/model/config.json").documents == take(str(tmp_path / "model/config.json")).documents
    shard = take("memory://bucket/model/model-00001-of-00002.safetensors")
    assert shard.weights[0].files[0].tensors
    saved.save(take(str(tmp_path / "model")), tmp_path / "x.snapshot.json.gz")
    memory.put(str(tmp_path / "x.snapshot.json.gz"), "/bucket/x.snapshot.json.gz")
    assert take("memory://bucket/x.snapshot.json.gz") == take(str(tmp_path / "model"))
    memory.pipe("/bucket/notes.txt", b"hello")
    with pytest.raises(TargetError, match="no kind of file"):
        take("memory://bucket/notes.txt")


def test_a_folder_inside_can_be_named(memory: Any, tmp_path: Path) -> None:
    assert take("memory://bucket:model").weights == take(str(tmp_path / "model")).weights


def test_a_local_url_is_a_path(tmp_path: Path) -> None:
    assert take(f"file://{write_llama(tmp_path)}").source == "folder"


def test_nothing_there_is_one_line(memory: Any) -> None:
    with pytest.raises(NotFound, match="memory://bucket/nothing holds no files; check the URL"):
        take("memory://bucket/nothing")
    with pytest.raises(NotFound, match="no object store is addressed by gopher://"):
        take("gopher://bucket/model")


def test_a_missing_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise ImportError

    monkeypatch.setattr("fsspec.core.url_to_fs", missing)
    with pytest.raises(TargetError, match="needs gcsfs, which is not installed; install auditor with its extra object-stores"):
        take("gs://bucket/model")


def test_a_drivers_own_error_is_one_line_without_its_text(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class ThrottledError(Exception):
        pass

    def broken(*_: object, **__: object) -> None:
        raise ThrottledError("<html>\nsecret=abc</html>")

    monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.cat_ranges", broken)
    with pytest.raises(Unreachable, match=re.escape("cannot be read (ThrottledError)")) as caught:
        take("memory://bucket/model")
    assert "secret" not in str(caught.value)


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """Run a real S3-compatible server, and point the drivers to it."""
    server = pytest.importorskip("moto.server", reason="installed by make check")
    pytest.importorskip("s3fs", reason="installed by make check")
    running = server.ThreadedMotoServer(port=0)
    running.start()
    host, port = running.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield fsspec.filesystem("s3", skip_instance_cache=True)
    running.stop()


@pytest.mark.server
def test_a_prefix_of_an_s3_bucket(s3: Any, tmp_path: Path) -> None:
    s3.mkdir("bucket")
    s3.put(str(write_llama(tmp_path / "model")), "bucket/team/model", recursive=True)
    found, local = take("s3://bucket/team/model"), take(str(tmp_path / "model"))
    assert (found.weights, found.documents, found.files) == (local.weights, local.documents, local.files)
    assert take("s3://bucket/team/model/config.json").documents == {"config.json": local.documents["config.json"]}
    with pytest.raises(NotFound, match="s3://bucket/nothing holds no files"):
        take("s3://bucket/nothing")
    with pytest.raises(TargetError, match="s3://no-such-bucket/model"):
        take("s3://no-such-bucket/model")

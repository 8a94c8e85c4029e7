"""The mark of a model's state changes when the model does, and costs no reading."""

import os
from pathlib import Path
from typing import Any

import pytest

from auditor.sources import SourceOptions
from auditor.sources.fingerprint import fingerprint, mark_of
from tests.support.hub_server import COMMIT, Hub
from tests.support.model_files import write_llama

OPTIONS = SourceOptions()


def test_a_folder_changes_with_any_of_its_files(tmp_path: Path) -> None:
    folder = write_llama(tmp_path / "model")
    first = fingerprint(str(folder), OPTIONS)
    assert first == fingerprint(str(folder), OPTIONS)
    os.utime(folder / "config.json", ns=(1, 1))
    second = fingerprint(str(folder), OPTIONS)
    (folder / "notes.txt").write_text("new")
    assert len({first, second, fingerprint(str(folder), OPTIONS)}) == 3
    assert fingerprint(str(folder / "config.json"), OPTIONS) is not None
    assert fingerprint(str(tmp_path / "gone"), OPTIONS) is None


def test_an_object_store_tells_by_the_marks_of_its_files() -> None:
    fsspec = pytest.importorskip("fsspec", reason="object stores are an extra")
    store: Any = fsspec.filesystem("memory")
    try:
        store.pipe("/marks/model/config.json", b"{}")
        first = fingerprint("memory://marks/model", OPTIONS)
        assert first is not None
        assert first == fingerprint("memory://marks/model", OPTIONS)
        store.pipe("/marks/model/config.json", b"[]")
        assert fingerprint("memory://marks/model", OPTIONS) != first
        assert fingerprint("memory://marks/none", OPTIONS) is None
    finally:
        store.rm("/marks", recursive=True)


def test_the_hub_is_asked_for_the_commit_of_what_was_seen_before(hub: Hub) -> None:
    write_llama(hub.root / "org" / "model")
    options = SourceOptions(endpoint=hub.endpoint)
    assert fingerprint("org/model", options, seen=False) is None
    assert hub.requests == []
    assert fingerprint("org/model", options) == f"hub:{COMMIT}" == mark_of("hub", COMMIT)
    assert len(hub.requests) == 1
    assert fingerprint("org/none", options) is None
    assert mark_of("folder", "main") is None

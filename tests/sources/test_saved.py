"""Saved snapshots come back as they were, in the same bytes, and a hostile one is refused cheaply."""

import gzip
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor._shipped import SCHEMAS
from auditor.errors import Malformed, NotFound, ReportError
from auditor.snapshot import CodeFile, FileEntry, Problem, Snapshot, Tensor, WeightFile, WeightSet
from auditor.sources import SourceOptions, open_target, saved
from auditor.sources.saved import dump, load, parse, save

SCHEMA = json.loads((SCHEMAS / "snapshot.schema.json").read_text())

names = st.text(max_size=8)
sizes = st.integers(0, 2**62)
maybe_sizes = st.none() | sizes
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
tensors = st.builds(Tensor, names, st.sampled_from(["bfloat16", "Q4_K", "unknown:X"]), st.lists(sizes, max_size=3).map(tuple), sizes)
strings = st.lists(names, max_size=2).map(tuple)
weight_files = st.builds(WeightFile, names, maybe_sizes, st.none() | st.lists(tensors, max_size=4).map(tuple), names, strings)
weight_sets = st.builds(WeightSet, names, names, names, st.lists(weight_files, max_size=3).map(tuple), maybe_sizes)
snapshots = st.builds(
    Snapshot,
    id=names,
    revision=st.none() | names,
    source=names,
    files=st.lists(st.builds(FileEntry, names, maybe_sizes, st.booleans()), max_size=3).map(tuple),
    documents=st.dictionaries(names, json_values, max_size=3),
    weights=st.lists(weight_sets, max_size=2).map(tuple),
    not_loaded=st.lists(weight_sets, max_size=2).map(tuple),
    code=st.lists(st.builds(CodeFile, names, strings, strings, strings), max_size=2).map(tuple),
    problems=st.lists(st.builds(Problem, names, names, st.booleans()), max_size=2).map(tuple),
    card=st.dictionaries(names, json_values, max_size=2),
    origin=names,
    headers_read=st.booleans(),
)


def example() -> Snapshot:
    file = WeightFile("model.safetensors", 20, (Tensor("a", "bfloat16", (2, 2), 8), Tensor("b", "bfloat16", (2, 2), 8)))
    return Snapshot(
        id="org/name",
        revision="abc",
        source="hub",
        files=(FileEntry("model.safetensors", 20), FileEntry("big.bin", 5, pointer=True)),
        documents={"config.json": {"model_type": "llama"}},
        weights=(WeightSet("", "safetensors", "", (file,), 16),),
        not_loaded=(WeightSet("", "pytorch", "", (WeightFile("big.bin", 5, None, "not what would be loaded"),)),),
        code=(CodeFile("modeling_x.py", ("torch",), ("X",), ()),),
        problems=(Problem("x", "something"),),
        card={"license": "mit"},
    )


@given(snapshots)
def test_any_snapshot_comes_back_equal_and_fits_the_schema(snapshot: Snapshot) -> None:
    data = dump(snapshot)
    assert parse(data, "x") == snapshot
    jsonschema.validate(json.loads(gzip.decompress(data)), SCHEMA)


def test_the_bytes_depend_on_nothing_but_the_snapshot(tmp_path: Path) -> None:
    save(example(), tmp_path / "a.snapshot.json.gz")
    save(load(tmp_path / "a.snapshot.json.gz"), tmp_path / "b.snapshot.json.gz")
    first, second = (tmp_path / f"{name}.snapshot.json.gz" for name in "ab")
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes()[4:8] == bytes(4), "gzip's time of day must be zero"


def test_a_saved_snapshot_is_a_target(tmp_path: Path) -> None:
    save(example(), tmp_path / "a.snapshot.json.gz")
    assert open_target(str(tmp_path / "a.snapshot.json.gz"), SourceOptions()) == example()


def test_a_table_of_92_000_tensors_stays_below_a_megabyte() -> None:
    table = tuple(
        Tensor(f"model.layers.{layer}.mlp.experts.{expert}.{name}", "float8_e4m3fn", (2048, 7168), 2048 * 7168)
        for layer in range(60)
        for expert in range(256)
        for name in ("gate_proj.weight", "up_proj.weight", "down_proj.weight", "gate_proj.scale", "up_proj.scale", "down_proj.scale")
    )
    snapshot = Snapshot("x", None, "hub", (), {}, (WeightSet("", "safetensors", "", (WeightFile("x", 1, table),)),))
    assert len(table) > 92_000
    assert len(dump(snapshot)) < 1_000_000


def set_in(*path: str | int, value: Any) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = value

    return change


def drop(*path: str | int) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        del document[path[-1]]

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (set_in("schema", value="auditor/snapshot/2"), "schema is"),
        (set_in("id", value=1), "id is not a string"),
        (set_in("revision", value=1), "revision is not a string"),
        (drop("files"), "files is missing"),
        (set_in("extra", value=1), "extra is not a member"),
        (set_in("headers_read", value=1), "headers_read is not true or false"),
        (set_in("documents", value=[]), "documents is not an object"),
        (set_in("files", value={}), "files is not a list"),
        (set_in("files", 0, value=[]), r"files\[0\] is not an object"),
        (set_in("files", 0, "size", value=-1), r"files\[0\].size is not a count of bytes"),
        (set_in("files", 0, "size", value=True), r"files\[0\].size is not a count of bytes"),
        (set_in("kinds", 0, value=["bfloat16", [2], "8"]), r"kinds\[0\] is not"),
        (set_in("kinds", 0, value=["bfloat16", [-2], 8]), r"kinds\[0\] is not"),
        (set_in("weights", 0, "files", 0, "kinds", value=[0, "0"]), "kinds is not a list of int"),
        (set_in("weights", 0, "files", 0, "kinds", value=[0, -1]), "points outside"),
        (set_in("weights", 0, "files", 0, "kinds", value=[0, 1]), "points outside"),
        (set_in("weights", 0, "files", 0, "kinds", value=[0]), "2 names and 1 kinds"),
        (drop("weights", 0, "files", 0, "kinds"), "one of names and kinds"),
        (set_in("code", 0, "classes", value="X"), "classes is not a list of str"),
    ],
)
def test_a_wrong_document_is_refused_with_the_place(change: Callable[[Any], None], says: str) -> None:
    document = json.loads(gzip.decompress(dump(example())))
    change(document)
    with pytest.raises(Malformed, match=says) as caught:
        parse(gzip.compress(json.dumps(document).encode()), "x.snapshot.json.gz")
    assert str(caught.value).startswith("x.snapshot.json.gz is no")
    assert "--save" in caught.value.hint


@given(st.data())
def test_what_the_schema_refuses_the_reader_refuses(data: st.DataObject) -> None:
    """Replace one value anywhere in a document; the hand-written reader must not be laxer than the published schema."""
    document = json.loads(gzip.decompress(dump(example())))
    here: Any = document
    while True:
        steps = list(here) if isinstance(here, dict) else list(range(len(here)))
        step = data.draw(st.sampled_from(steps))
        if isinstance(here[step], dict | list) and here[step] and data.draw(st.booleans()):
            here = here[step]
        else:
            break
    here[step] = data.draw(json_values)
    try:
        parse(json.dumps(document).encode(), "x")
    except Malformed:
        return
    jsonschema.validate(document, SCHEMA)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\x1f\x8bnot gzip at all", "not intact gzip"),
        (gzip.compress(b"{}" * 1000)[:-5], "cut short"),
        (gzip.compress(b"[1]"), "holds a list"),
        (gzip.compress(b"{}"), "no saved snapshot"),
        (b"", "not JSON"),
        (gzip.compress(b'{"a":' * 200 + b"1" + b"}" * 200), "nested"),
    ],
    ids=["no-gzip", "cut", "list", "empty-object", "empty", "nested"],
)
def test_a_damaged_file_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        parse(data, "x.snapshot.json.gz")


def test_a_zip_bomb_is_refused_before_it_goes_off(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = 1 << 20
    monkeypatch.setattr(saved, "SIZE_LIMIT", limit)
    bomb = gzip.compress(bytes(limit * 50))
    assert len(bomb) < limit / 10
    tracemalloc.start()
    try:
        with pytest.raises(Malformed, match="unpacks to more than"):
            parse(bomb, "x.snapshot.json.gz")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2.5 * limit


def test_a_file_that_cannot_be_had_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="does not exist"):
        load(tmp_path / "nothing.snapshot.json.gz")
    with pytest.raises(ReportError, match="cannot be written"):
        save(example(), tmp_path / "no" / "such" / "folder")

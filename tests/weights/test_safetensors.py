"""The safetensors header reader: right on what the reference library writes, strict on everything else."""

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from auditor.errors import Malformed
from auditor.units import DTYPE_BITS
from auditor.weights.safetensors import DTYPES, HEADER_LIMIT, Header, header_length, parse_header
from tests.support.model_files import header as make_header


def parse(data: bytes) -> Header:
    length = header_length(data[:8], "x.safetensors", len(data))
    return parse_header(data[8 : 8 + length], "x.safetensors", len(data))


def file_of(entries: object, body: int = 0, *, raw: bytes | None = None) -> bytes:
    text = json.dumps(entries).encode() if raw is None else raw
    return len(text).to_bytes(8, "little") + text + bytes(body)


def entry(dtype: str = "U8", shape: tuple[int, ...] = (4,), begin: int = 0, end: int = 4) -> dict[str, object]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


def test_reads_what_the_reference_library_writes(tmp_path: Path) -> None:
    arrays = {"b": np.zeros((3, 5), np.float16), "a": np.zeros((), np.int64), "empty": np.zeros((0, 7), np.float32)}
    save_file(arrays, tmp_path / "x.safetensors", metadata={"format": "np"})
    found = parse((tmp_path / "x.safetensors").read_bytes())
    assert {t.name: (t.shape, t.nbytes) for t in found.tensors} == {name: (a.shape, a.nbytes) for name, a in arrays.items()}
    assert {t.name: t.dtype for t in found.tensors} == {"b": "float16", "a": "int64", "empty": "float32"}
    assert found.metadata == {"format": "np"}


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_type_agrees_with_the_reference_library(dtype: str, tmp_path: Path) -> None:
    bits = DTYPE_BITS[DTYPES[dtype]]
    data = file_of({"t": entry(dtype, (2, 4), 0, bits)}, bits)
    path = tmp_path / "x.safetensors"
    path.write_bytes(data)
    with safe_open(path, "np") as file:
        assert list(file.keys()) == ["t"]
    (tensor,) = parse(data).tensors
    assert (tensor.dtype, tensor.nbytes) == (DTYPES[dtype], bits)


def test_a_type_nobody_taught_us_keeps_its_bytes() -> None:
    (tensor,) = parse(file_of({"t": entry("F3_NEW", (8,), 0, 3)}, 3)).tensors
    assert (tensor.dtype, tensor.nbytes) == ("unknown:F3_NEW", 3)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\x01\x02", "too short"),
        (b"\x00" * 8, "header of 0 bytes"),
        ((HEADER_LIMIT + 1).to_bytes(8, "little"), "more than the"),
        ((2**63).to_bytes(8, "little") + b"{}", "more than the"),
        ((100).to_bytes(8, "little") + b"{}", "cut short"),
        (file_of({"t": entry()}, 3), "cut short"),
        (file_of({"t": entry()}, 5), "bytes after its last tensor"),
        (file_of(None, raw=b"{not json}"), "not JSON"),
        (file_of(None, raw=b'{"\xff": 1}'), "not UTF-8"),
        (file_of([]), "no JSON object"),
        (file_of(None, raw=b"[" * 100_000), "nested"),
        (file_of(None, raw=b'{"a":' * 100_000), "nested"),
        (file_of({"a": entry(), "b": entry(begin=2, end=6)}, 6), "'b' overlaps"),
        (file_of({"a": entry(), "b": entry(begin=6, end=10)}, 10), "leaves 2 bytes unused"),
        (file_of({"a": entry(begin=4, end=0)}), "impossible offsets"),
        (file_of({"a": entry(begin=-4, end=0)}), "impossible offsets"),
        (file_of({"a": entry(begin=2**63, end=2**63)}), "impossible offsets"),
        (file_of({"a": entry(shape=(2**63, 2**63))}, 4), "impossible shape"),
        (file_of({"a": entry(shape=(2**62, 2**62))}, 4), "do not make"),
        (file_of({"a": entry(shape=(-1,))}, 4), "impossible shape"),
        (file_of({"a": {**entry(), "shape": [True, 4]}}, 4), "impossible shape"),
        (file_of({"a": {**entry(), "shape": [4.0]}}, 4), "impossible shape"),
        (file_of({"a": {**entry(), "shape": [1] * 65 + [4]}}, 4), "impossible shape"),
        (file_of({"a": entry(shape=(3,))}, 4), "do not make"),
        (file_of({"a": entry("F4", (3,), 0, 1)}, 1), "do not make"),
        (file_of({"a": {"dtype": "U8"}}), "not described"),
        (file_of({"a": {**entry(), "extra": 1}}, 4), "not described"),
        (file_of({"a": None}), "not described"),
        (file_of({"__metadata__": {"a": 1}}), "metadata"),
        (file_of(None, raw=b'{"a":' + json.dumps(entry()).encode() + b',"a":' + json.dumps(entry()).encode() + b"}", body=4), "'a' twice"),
        (file_of(None, raw=b'{"a": ' + b"9" * 5000 + b"}"), "number too long"),
    ],
)
def test_refuses_in_one_line_that_names_the_file(data: bytes, says: str) -> None:
    with pytest.raises(Malformed, match=says) as caught:
        parse(data)
    line = str(caught.value)
    assert line.startswith("x.safetensors")
    assert caught.value.hint
    assert "\n" not in line
    assert len(line) < 300


def test_a_hostile_name_cannot_break_the_line() -> None:
    with pytest.raises(Malformed) as caught:
        parse(file_of({"a\n\x1b[31m" + "x" * 10_000: None}))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


names = st.text(max_size=20)
shapes = st.lists(st.integers(0, 9), max_size=4).map(tuple)
tables = st.dictionaries(names.filter(lambda name: name != "__metadata__"), st.tuples(st.sampled_from(["BF16", "U8", "F32"]), shapes))


@given(tables)
def test_any_table_comes_back_as_it_was_written(tensors: dict[str, tuple[str, tuple[int, ...]]]) -> None:
    text, size = make_header(tensors)
    found = parse(len(text).to_bytes(8, "little") + text + bytes(size))
    assert {t.name: t.shape for t in found.tensors} == {name: shape for name, (_, shape) in tensors.items()}
    assert sum(t.nbytes for t in found.tensors) == size


@given(st.binary(max_size=200))
def test_any_bytes_give_a_table_or_one_line(data: bytes) -> None:
    try:
        parse(data)
    except Malformed as error:
        assert "\n" not in str(error)  # noqa: PT017 - success is fine too


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["dtype", "shape", "data_offsets", "x"]), inner, max_size=4)
    ),
    max_leaves=15,
)


@given(st.dictionaries(st.text(max_size=3) | st.just("__metadata__"), json_values, max_size=4), st.integers(0, 20))
def test_any_json_gives_a_table_or_one_line(document: object, body: int) -> None:
    try:
        parse(file_of(document, body))
    except Malformed as error:
        assert "\n" not in str(error)  # noqa: PT017 - success is fine too


@given(tables, st.integers(0, 400), st.integers(0, 255))
@settings(max_examples=200)
def test_accepts_nothing_that_the_reference_library_refuses(
    tmp_path_factory: pytest.TempPathFactory, tensors: dict[str, tuple[str, tuple[int, ...]]], where: int, value: int
) -> None:
    """Change one byte of a valid file; what we then accept, the reference library reads too, with the same names."""
    text, size = make_header(tensors)
    data = bytearray(len(text).to_bytes(8, "little") + text + bytes(size))
    data[where % len(data)] = value
    try:
        found = parse(bytes(data))
    except Malformed:
        return
    if any(tensor.dtype.startswith("unknown") for tensor in found.tensors):
        return
    path = tmp_path_factory.getbasetemp() / "changed.safetensors"
    path.write_bytes(data)
    try:
        with safe_open(path, "np") as file:
            assert set(file.keys()) == {tensor.name for tensor in found.tensors}
    except SafetensorError as error:
        pytest.fail(f"accepted what the reference library refuses: {error}")


def test_twenty_thousand_tensors_stay_small() -> None:
    tensors = {f"model.layers.{n // 1000}.mlp.experts.{n % 1000}.down_proj.weight": ("BF16", (2048, 7168)) for n in range(20_000)}
    text, size = make_header(tensors)
    tracemalloc.start()
    try:
        found = parse_header(text, "x.safetensors", 8 + len(text) + size)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(found.tensors) == 20_000
    assert peak < 30e6


def test_a_million_lists_are_refused_before_they_are_built() -> None:
    data = b'{"a":[' + b"[]," * 4_000_000 + b"[]]}"
    tracemalloc.start()
    try:
        with pytest.raises(Malformed, match="lists and objects"):
            parse_header(data, "x.safetensors", None)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1e6

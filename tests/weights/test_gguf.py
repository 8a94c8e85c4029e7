"""The GGUF header reader: right on what the ``gguf`` package writes, strict on everything else."""

import struct
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import Malformed
from auditor.sources import SourceOptions, open_target
from auditor.weights.gguf import TYPES, Header, parse
from auditor.weights.more import NeedMoreError

gguf = pytest.importorskip("gguf", reason="the reference package writes these files")
from tests.support.gguf_files import llama, metadata, write_gguf  # noqa: E402 - needs the package

PLAIN = {
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F64": "float64",
    "I8": "int8",
    "I16": "int16",
    "I32": "int32",
    "I64": "int64",
}


def test_every_type_and_block_size_is_the_reference_packages() -> None:
    expected = {int(kind): (PLAIN.get(kind.name, kind.name), *gguf.GGML_QUANT_SIZES[kind]) for kind in gguf.GGMLQuantizationType}
    assert expected == TYPES


@pytest.fixture
def small(tmp_path: Path) -> bytes:
    write_gguf(tmp_path / "x.gguf", llama(), members=metadata(), tokens=300)
    return (tmp_path / "x.gguf").read_bytes()


def test_reads_what_the_reference_package_reads(small: bytes, tmp_path: Path) -> None:
    reference = gguf.GGUFReader(tmp_path / "x.gguf")
    found = parse(small, "x.gguf", len(small))
    assert {t.name: (t.nbytes, t.shape) for t in found.tensors} == {
        t.name: (t.n_bytes, tuple(int(extent) for extent in reversed(t.shape))) for t in reference.tensors
    }
    assert {t.name: t.dtype for t in found.tensors} == {
        t.name: PLAIN.get(t.tensor_type.name, t.tensor_type.name) for t in reference.tensors
    }


def test_short_metadata_is_kept_and_a_vocabulary_is_its_size(small: bytes) -> None:
    found = parse(small, "x.gguf", len(small)).metadata
    assert found["general.architecture"] == "llama"
    assert found["llama.attention.head_count_kv"] == 4
    assert found["llama.per_layer"] == [1, 1]
    assert found["tokenizer.ggml.add_bos_token"] is True
    assert found["llama.vocab_size"] == 300
    assert "tokenizer.ggml.tokens" not in found
    assert "tokenizer.chat_template" not in found


def test_asks_for_more_until_the_header_is_whole(small: bytes) -> None:
    length, rounds = 1, 0
    while True:
        try:
            found = parse(small[:length], "x.gguf", len(small))
            break
        except NeedMoreError as need:
            assert need.length > length  # noqa: PT017
            length, rounds = need.length, rounds + 1
    assert found == parse(small, "x.gguf", len(small))
    assert rounds < 30


def test_big_endian_files_are_read(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "x.gguf", "llama", endianess=gguf.GGUFEndian.BIG)
    writer.add_block_count(7)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    data = (tmp_path / "x.gguf").read_bytes()
    assert parse(data, "x.gguf", len(data)).metadata["llama.block_count"] == 7


def test_a_folder_a_file_and_its_shards(tmp_path: Path) -> None:
    write_gguf(tmp_path / "m-Q4_K_M-00001-of-00002.gguf", llama(), members=metadata(), tokens=300)
    write_gguf(tmp_path / "m-Q4_K_M-00002-of-00002.gguf", {"blk.1.attn_q.weight": ("Q4_K", (256, 256))})
    for target in (tmp_path, tmp_path / "m-Q4_K_M-00001-of-00002.gguf"):
        found = open_target(str(target), SourceOptions())
        (group,) = found.weights
        assert (group.format, group.variant) == ("gguf", "Q4_K_M")
        assert [len(file.tensors or ()) for file in group.files] == [5, 1]
        assert found.documents["m-Q4_K_M-00001-of-00002.gguf"]["llama.block_count"] == 2


def test_a_vocabulary_longer_than_the_first_range_is_read(tmp_path: Path) -> None:
    write_gguf(tmp_path / "x.gguf", llama(), members=metadata(), tokens=130_000)
    found = open_target(str(tmp_path / "x.gguf"), SourceOptions())
    assert found.documents["x.gguf"]["llama.vocab_size"] == 130_000
    assert found.weights[0].files[0].tensors


# Files made by hand.


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def row(name: str = "a", shape: tuple[int, ...] = (32,), kind: int = 0, offset: int = 0) -> bytes:
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


def file_of(
    *rows: bytes, members: tuple[bytes, ...] = (), version: int = 3, counts: tuple[int, int] | None = None, body: int = 1024
) -> bytes:
    tensors, metadata_count = counts or (len(rows), len(members))
    head = b"GGUF" + struct.pack("<IQQ", version, tensors, metadata_count) + b"".join(members) + b"".join(rows)
    return head + bytes(-len(head) % 32) + bytes(body)


def member(key: str, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def read(data: bytes, size: int | None = None) -> Header:
    return parse(data, "x.gguf", len(data) if size is None else size)


def test_the_hand_made_file_is_one_that_is_read() -> None:
    found = read(file_of(row(), row("b", (64, 2), 8, 128), members=(member("k", 4, struct.pack("<I", 5)),)))
    assert [(t.name, t.dtype, t.shape, t.nbytes) for t in found.tensors] == [("a", "float32", (32,), 128), ("b", "Q8_0", (2, 64), 136)]
    assert found.metadata == {"k": 5}


def test_a_type_nobody_taught_us_takes_the_place_up_to_the_next_tensor() -> None:
    found = read(file_of(row("a", (32,), 99, 0), row("b", (32,), 0, 96)))
    assert [(t.dtype, t.nbytes) for t in found.tensors] == [("unknown:99", 96), ("float32", 128)]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"GGML" + bytes(100), "does not begin like a GGUF file"),
        (b"version https://git-lfs.github.com/spec/v1", "does not begin like a GGUF file"),
        (file_of(version=1), "GGUF version 1"),
        (file_of(version=9), "GGUF version 9"),
        (file_of(counts=(2**63, 0)), "which no model has"),
        (file_of(counts=(0, 2**63)), "which no model has"),
        (file_of(counts=(900_000, 0)), "cut short"),
        (file_of(row(), row("b", offset=64)), "places tensor 'b' at 64, where 128"),
        (file_of(row(), row("b", offset=256)), "places tensor 'b' at 256, where 128"),
        (file_of(row(offset=32)), "places tensor 'a' at 32, where 0"),
        (file_of(row(), row(offset=128)), "names a tensor twice"),
        (file_of(row(shape=(2**40, 2**40))), "impossible tensor"),
        (file_of(row(offset=2**63)), "impossible tensor"),
        (file_of(row(shape=(1, 1, 1, 1, 1))), "5 dimensions"),
        (file_of(row(kind=8, shape=(33,))), "no multiple of the 32 of Q8_0"),
        (file_of(row(shape=(100_000,))), "cut short: tensor 'a' ends at byte"),
        (file_of(members=(member("k", 99, b""),)), "unknown type 99"),
        (file_of(members=(member("k", 9, struct.pack("<IQ", 9, 1)),)), "array of unknown type 9"),
        (file_of(members=(member("k", 9, struct.pack("<IQ", 8, 2**62)),)), "header of more than"),
        (file_of(members=(member("k", 9, struct.pack("<IQ", 10, 2**62)),)), "header of more than"),
        (file_of(members=(member("k", 8, struct.pack("<Q", 2**63)),)), "header of more than"),
        (file_of(members=(member("k", 7, b"\1"), member("k", 7, b"\1"))), "names 'k' twice"),
        (file_of(members=(member("general.alignment", 4, bytes(4)),)), "impossible alignment"),
        (file_of(members=(member("general.alignment", 8, text("32")),)), "impossible alignment"),
    ],
)
def test_refuses_in_one_line_that_names_the_file(data: bytes, says: str) -> None:
    with pytest.raises(Malformed, match=says) as caught:
        read(data)
    assert str(caught.value).startswith("x.gguf")
    assert "\n" not in str(caught.value)
    assert caught.value.hint


def test_a_file_cut_inside_its_header_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(file_of(row(), members=(member("k", 8, text("v" * 500)),), body=0)[:300])
    (problem,) = open_target(str(tmp_path), SourceOptions()).problems
    assert problem.fatal
    assert problem.message.startswith("x.gguf is cut short inside its header")


def parsed(data: bytes, size: int | None) -> Header | None:
    try:
        return parse(data, "x.gguf", size)
    except NeedMoreError as need:
        assert need.length > len(data)  # noqa: PT017
    except Malformed as error:
        assert "\n" not in str(error)  # noqa: PT017
    return None


@given(st.binary(max_size=300), st.none() | st.integers(0, 400))
def test_any_bytes_give_a_header_or_one_line(data: bytes, size: int | None) -> None:
    parsed(b"GGUF" + data, size)
    parsed(data, size)


@given(st.data())
def test_a_changed_byte_gives_a_header_or_one_line(data: Any) -> None:
    whole = bytearray(file_of(row(), row("b", (64, 2), 8, 128), members=(member("k", 9, struct.pack("<IQ", 4, 2) + bytes(8)),)))
    whole[data.draw(st.integers(0, 160))] = data.draw(st.integers(0, 255))
    found = parsed(bytes(whole), len(whole))
    if found is not None:
        assert sum(tensor.nbytes for tensor in found.tensors) <= len(whole)


def test_counts_made_up_from_nothing_cost_nothing() -> None:
    start = time.perf_counter()
    for count in (2**20, 2**31, 2**40, 2**63):
        for kind in (0, 8, 12):
            parsed(file_of(members=(member("k", 9, struct.pack("<IQ", kind, count)),)), None)
    assert time.perf_counter() - start < 1

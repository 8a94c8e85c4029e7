"""The header of a GGUF file: metadata and tensor table, strictly checked, read from bytes alone.

Layout: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md; the limits are llama.cpp's where it has one. A header holds
the whole vocabulary, so its length is unknown until it is read: ``parse`` asks for more bytes when it runs out of them.
"""

import struct
from dataclasses import dataclass, field
from math import prod
from typing import Any

from auditor.bounded_json import shorten
from auditor.errors import Malformed
from auditor.snapshot import Tensor
from auditor.weights.more import NeedMoreError

#: A header holds the vocabulary: two or three megabytes for 100,000 words, a tenth of that for a small one.
FIRST_RANGE = 1_000_000
HEADER_LIMIT = 100_000_000
_TENSORS_LIMIT = 1_000_000
_MEMBERS_LIMIT = 100_000
_DIMENSIONS_LIMIT = 4
_NAME_LIMIT = 65_536
#: Longer texts (chat templates) and arrays (vocabularies) say nothing that a fact wants.
_KEPT_TEXT = 1_024
_KEPT_ITEMS = 4_096
_ALIGNMENT = 32
_SIZE_LIMIT = 1 << 63

#: Type number -> name, elements of a block, bytes of a block. Plain types are spelled as everywhere else, blocks as ggml does.
TYPES: dict[int, tuple[str, int, int]] = {
    0: ("float32", 1, 4),
    1: ("float16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    9: ("Q8_1", 32, 40),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    24: ("int8", 1, 1),
    25: ("int16", 1, 2),
    26: ("int32", 1, 4),
    27: ("int64", 1, 8),
    28: ("float64", 1, 8),
    29: ("IQ1_M", 256, 56),
    30: ("bfloat16", 1, 2),
    34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17),
    40: ("NVFP4", 64, 36),
    41: ("Q1_0", 128, 18),
}
_BOOL, _STRING, _ARRAY = 7, 8, 9
#: Type number of a metadata value -> how struct reads it.
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", _BOOL: "?", 10: "Q", 11: "q", 12: "d"}


@dataclass(frozen=True, slots=True)
class Header:
    """What a GGUF header says."""

    tensors: tuple[Tensor, ...]
    """Shapes in the order of PyTorch: the fastest dimension last."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """Short values only. The vocabulary is left out; its size is ``ARCHITECTURE.vocab_size`` whether or not the file says so."""


class _Reader:
    """A place in the bytes."""

    def __init__(self, data: bytes, path: str) -> None:
        self.data = data
        self.path = path
        self.at = 0
        self.order = "<"

    def skip(self, count: int) -> int:
        """Move on by ``count`` bytes and return where they start. Raises NeedMoreError, or Malformed beyond the limit."""
        start = self.at
        self.require(count)
        self.at += count
        return start

    def require(self, count: int) -> None:
        """Make sure that ``count`` more bytes are at hand."""
        end = self.at + count
        if end > HEADER_LIMIT:
            raise self.wrong(f"has a header of more than {HEADER_LIMIT:,} bytes")
        if end > len(self.data):
            raise NeedMoreError(max(end, min(2 * len(self.data), HEADER_LIMIT)))

    def number(self, code: str) -> Any:
        start = self.skip(struct.calcsize(code))
        return struct.unpack_from(self.order + code, self.data, start)[0]

    def text(self) -> str:
        length = self.number("Q")
        start = self.skip(length)
        return self.data[start : start + length].decode("utf-8", "replace")

    def wrong(self, fault: str) -> Malformed:
        return Malformed(f"{self.path} {fault}", "fetch or convert it again")


def parse(data: bytes, path: str, file_size: int | None) -> Header:
    """Return the header that ``data``, the start of the file ``path``, begins with. Raises NeedMoreError and Malformed."""
    reader = _Reader(data, path)
    if data[:4] != b"GGUF"[: len(data[:4])]:
        raise reader.wrong("does not begin like a GGUF file")
    reader.skip(4)
    version = reader.number("I")
    if version >= 1 << 16:  # a small number, read from the wrong end
        reader.order = ">"
        version = int.from_bytes(version.to_bytes(4, "little"), "big")
    if version not in {2, 3}:
        raise reader.wrong(f"is GGUF version {version}, and versions 2 and 3 are known")
    tensor_count, member_count = reader.number("Q"), reader.number("Q")
    if tensor_count > _TENSORS_LIMIT or member_count > _MEMBERS_LIMIT:
        raise reader.wrong(f"claims {tensor_count:,} tensors and {member_count:,} metadata members, which no model has")
    if file_size is not None and reader.at + 24 * tensor_count + 13 * member_count > file_size:
        raise reader.wrong("is cut short, or not a GGUF file")
    metadata = _metadata(reader, member_count)
    rows = [_row(reader) for _ in range(tensor_count)]
    if len({row[0] for row in rows}) != len(rows):
        raise reader.wrong("names a tensor twice")
    alignment = metadata.get("general.alignment", _ALIGNMENT)
    if type(alignment) is not int or not 0 < alignment <= 1 << 20:
        raise reader.wrong("has an impossible alignment")
    return Header(_placed(reader, rows, alignment, file_size), metadata)


def _metadata(reader: _Reader, count: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    vocabulary = None
    for _ in range(count):
        key, kind = reader.text(), reader.number("I")
        if key in found:
            raise reader.wrong(f"names {shorten(key)} twice")
        if kind == _STRING:
            found[key] = reader.text()
        elif kind == _ARRAY:
            length, found[key] = _array(reader)
            if key == "tokenizer.ggml.tokens":
                vocabulary = length
        elif kind in _SCALARS:
            found[key] = reader.number(_SCALARS[kind])
        else:
            raise reader.wrong(f"has metadata {shorten(key)} of unknown type {kind}")
    architecture = found.get("general.architecture")
    if vocabulary is not None and isinstance(architecture, str):
        found.setdefault(f"{architecture}.vocab_size", vocabulary)
    return {
        key[:_KEPT_TEXT]: value
        for key, value in found.items()
        if value is not None and not (isinstance(value, str) and len(value) > _KEPT_TEXT)
    }


def _array(reader: _Reader) -> tuple[int, list[Any] | None]:
    """Return an array's length and, for a short one of numbers, its items."""
    kind, count = reader.number("I"), reader.number("Q")
    if kind == _STRING:
        reader.require(8 * count)  # the lengths alone: a count made up from nothing is not walked along
        for _ in range(count):
            reader.skip(reader.number("Q"))
        return count, None
    if kind not in _SCALARS:
        raise reader.wrong(f"has an array of unknown type {kind}")
    size = struct.calcsize(_SCALARS[kind])
    start = reader.skip(size * count)
    if count > _KEPT_ITEMS:
        return count, None
    return count, list(struct.unpack_from(f"{reader.order}{count}{_SCALARS[kind]}", reader.data, start))


Row = tuple[str, tuple[int, ...], int, int]


def _row(reader: _Reader) -> Row:
    """Return (name, dimensions with the fastest first, type number, offset) of one tensor."""
    name = reader.text()
    count = reader.number("I")
    if len(name) > _NAME_LIMIT or count > _DIMENSIONS_LIMIT:
        raise reader.wrong(f"gives the tensor {shorten(name)} {count} dimensions, more than {_DIMENSIONS_LIMIT}")
    dimensions = tuple(reader.number("Q") for _ in range(count))
    kind, offset = reader.number("I"), reader.number("Q")
    if prod(dimensions) >= _SIZE_LIMIT or offset >= _SIZE_LIMIT:
        raise reader.wrong(f"has an impossible tensor {shorten(name)}")
    return name, dimensions, kind, offset


def _placed(reader: _Reader, rows: list[Row], alignment: int, file_size: int | None) -> tuple[Tensor, ...]:
    """Return the tensors with their bytes, after checking that they lie one after the other, padded, inside the file."""
    data_start = _padded(reader.at, alignment)
    rows.sort(key=lambda row: row[3])
    end = None if file_size is None else file_size - data_start
    ends = [*(row[3] for row in rows[1:]), end][: len(rows)]
    expected = 0
    tensors = []
    for (name, dimensions, kind, offset), following in zip(rows, ends, strict=True):
        if offset != expected:
            raise reader.wrong(f"places tensor {shorten(name)} at {offset:,}, where {expected:,} is its place")
        label, block, block_bytes = TYPES.get(kind, (f"unknown:{kind}", 0, 0))
        if block == 0:  # a type newer than our table: it takes the place up to the next tensor
            nbytes = max(0, (following if following is not None else offset) - offset)
        elif dimensions and dimensions[0] % block:
            raise reader.wrong(f"has rows of {dimensions[0]:,} in tensor {shorten(name)}, no multiple of the {block} of {label}")
        else:
            nbytes = prod(dimensions) // block * block_bytes
        expected = _padded(offset + nbytes, alignment)
        tensors.append(Tensor(name, label, tuple(reversed(dimensions)), nbytes))
        if end is not None and offset + nbytes > end:
            raise reader.wrong(f"is cut short: tensor {shorten(name)} ends at byte {data_start + offset + nbytes:,} of {file_size:,}")
    return tuple(tensors)


def _padded(count: int, alignment: int) -> int:
    return -(-count // alignment) * alignment

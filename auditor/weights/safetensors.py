"""The header of a safetensors file: a tensor table, strictly checked, read from bytes alone.

Layout: eight bytes with the header's length (little endian), the header (a JSON object), the tensors. The checks are those
of the reference library (tensors lie side by side, without overlap, gap or rest), except that a type nobody taught us is
kept as ``unknown:X`` with the bytes that its offsets claim.
"""

import sys
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from math import prod
from typing import Any

from auditor.bounded_json import parse_any, paused_collector, shorten
from auditor.errors import Malformed
from auditor.snapshot import Tensor
from auditor.units import DTYPE_BITS, human_bytes
from auditor.weights.more import NeedMoreError

#: The reference library refuses longer headers.
HEADER_LIMIT = 100_000_000
LENGTH_BYTES = 8
#: Where nothing is known of a header's length: most are shorter, by far.
FIRST_RANGE = 99_000
_METADATA = "__metadata__"
_RANK_LIMIT = 64
_EXTENT_LIMIT = 1 << 63
_ONLY_INT = {int}

#: safetensors' names of types, and ours.
DTYPES: dict[str, str] = {
    "BOOL": "bool",
    "F4": "float4_e2m1",
    "F6_E2M3": "float6_e2m3",
    "F6_E3M2": "float6_e3m2",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2": "float8_e5m2",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "F8_E8M0": "float8_e8m0fnu",
    "BF16": "bfloat16",
    "F16": "float16",
    "F32": "float32",
    "F64": "float64",
    "C64": "complex64",
    "I8": "int8",
    "U8": "uint8",
    "I16": "int16",
    "U16": "uint16",
    "I32": "int32",
    "U32": "uint32",
    "I64": "int64",
    "U64": "uint64",
}
_BITS = {name: DTYPE_BITS[ours] for name, ours in DTYPES.items()}


@dataclass(frozen=True, slots=True)
class Header:
    """What a safetensors header says."""

    tensors: tuple[Tensor, ...]
    """In the order of the file's bytes."""
    metadata: dict[str, str] = field(default_factory=dict)


def parse(data: bytes, path: str, file_size: int | None) -> Header:
    """Return the header that ``data``, the start of the file ``path``, begins with. Raises NeedMoreError and Malformed."""
    if len(data) < LENGTH_BYTES and (file_size is None or file_size >= LENGTH_BYTES):
        raise NeedMoreError(LENGTH_BYTES)
    end = LENGTH_BYTES + header_length(data, path, file_size)
    if len(data) < end:
        raise NeedMoreError(end)
    return parse_header(data[LENGTH_BYTES:end], path, file_size)


def header_length(prefix: bytes, path: str, file_size: int | None) -> int:
    """Return the header's length in bytes, from the first eight bytes of the file. Raises Malformed."""
    if len(prefix) < LENGTH_BYTES:
        raise Malformed(f"{path} is {len(prefix)} bytes long, too short for a safetensors file", _FETCH)
    length = int.from_bytes(prefix[:LENGTH_BYTES], "little")
    if length > HEADER_LIMIT:
        raise Malformed(
            f"{path} claims a header of {human_bytes(length)}, more than the {human_bytes(HEADER_LIMIT)} that safetensors allows",
            "it is no safetensors file, or damaged",
        )
    if length < 2:  # the shortest JSON object
        raise Malformed(f"{path} claims a header of {length} bytes", "it is no safetensors file, or damaged")
    if file_size is not None and LENGTH_BYTES + length > file_size:
        raise Malformed(
            f"{path} is cut short: its header ends at byte {LENGTH_BYTES + length:,} and the file at byte {file_size:,}", _FETCH
        )
    return length


def parse_header(header: bytes, path: str, file_size: int | None) -> Header:
    """Return the table in ``header``, the JSON part of the file ``path`` of ``file_size`` bytes. Raises Malformed."""
    try:
        table = _remembered(header) if len(header) <= _REMEMBERED_BYTES else _read(header)
    except Malformed as error:
        raise Malformed(f"{path}{error.message}", error.hint) from None
    expected = LENGTH_BYTES + len(header) + table.data_bytes
    if file_size is not None and expected != file_size:
        fault = "is cut short" if file_size < expected else "has bytes after its last tensor"
        raise Malformed(f"{path} {fault}: its header describes {expected:,} bytes and the file has {file_size:,}", _FETCH)
    return table.header


_FETCH = "fetch or write it again"
#: Headers that are kept for the next file, and how long they may be: fine-tunes have the header of their base, byte by byte.
_REMEMBERED = 64
_REMEMBERED_BYTES = 256 * 1024

Span = tuple[int, int, str, str, tuple[int, ...]]
"""Begin, end, name, dtype and shape of a tensor."""


@dataclass(frozen=True, slots=True)
class _Table:
    header: Header
    data_bytes: int


def _read(header: bytes) -> _Table:
    """Return the table of a header. Raises Malformed, with a message to which the file's path is still to be added."""
    document = _parsed(header)
    metadata = _metadata(document.pop(_METADATA, {}))
    with paused_collector():
        spans = sorted(_spans(document))
    document.clear()  # the parsed JSON is larger than the table: drop it before the table is built
    end = 0
    for begin, stop, name, _dtype, _shape in spans:
        if begin != end:
            fault = "overlaps the tensor before it" if begin < end else f"leaves {begin - end:,} bytes unused before it"
            raise Malformed(f": tensor {shorten(name)} {fault}", "write the file again with the safetensors library")
        end = stop
    return _Table(Header(tuple(Tensor(name, dtype, shape, stop - begin) for begin, stop, name, dtype, shape in spans), metadata), end)


_remembered = lru_cache(_REMEMBERED)(_read)


def _parsed(header: bytes) -> dict[str, Any]:
    """Return the header as an object. Raises Malformed for anything else, and for one that names a tensor twice."""
    document: Any = parse_any(header, "", limit=HEADER_LIMIT)
    if not isinstance(document, dict):
        raise Malformed(" has a header that is no JSON object", _FETCH)
    # A pair has a colon, so that with as many of them as pairs were kept none was lost to a name that stood twice.
    if header.count(b":") != len(document) + sum(len(value) for value in document.values() if isinstance(value, dict)):
        document = parse_any(header, "", limit=HEADER_LIMIT, unique_keys=True)
    found: dict[str, Any] = document
    return found


def _spans(document: dict[str, Any]) -> list[Span]:
    """Return a span for every tensor. Raises Malformed.

    A header may hold 100,000 of them: what they have in common is checked for all at once, and each kind is reckoned once.
    """
    if not _regular(list(document.values())):
        return [_span(name, entry) for name, entry in document.items()]
    kinds: dict[tuple[str, tuple[int, ...]], tuple[int, str, tuple[int, ...]]] = {}
    spans = []
    for name, entry in document.items():
        kind = entry["dtype"], tuple(entry["shape"])
        begin, stop = entry["data_offsets"]
        known = kinds.get(kind)
        if known is None or stop - begin != known[0]:
            _, _, _, dtype, shape = _span(name, entry)
            known = kinds[kind] = stop - begin, dtype, shape
        spans.append((begin, stop, name, known[1], known[2]))
    return spans


def _regular(entries: list[Any]) -> bool:
    """Return whether all entries have the members that they should, of the types that they should."""
    try:
        shapes, offsets = [entry["shape"] for entry in entries], [entry["data_offsets"] for entry in entries]
        types = set(map(type, [entry["dtype"] for entry in entries]))
        extents, ends = list(chain.from_iterable(shapes)), list(chain.from_iterable(offsets))
    except (KeyError, TypeError):
        return False
    numbers = extents + ends
    return (
        types <= {str}
        and set(map(len, entries)) <= {3}
        and set(map(type, shapes)) | set(map(type, offsets)) <= {list}
        and set(map(len, offsets)) <= {2}
        and set(map(type, numbers)) <= _ONLY_INT
        and (not numbers or (min(numbers) >= 0 and max(numbers) < _EXTENT_LIMIT))
        and max(map(len, shapes), default=0) <= _RANK_LIMIT
    )


def _span(name: str, entry: Any) -> Span:
    """Return the span of one entry, every part of it checked. Raises Malformed."""
    try:
        dtype, shape, (begin, stop) = entry["dtype"], entry["shape"], entry["data_offsets"]
    except (KeyError, TypeError, ValueError):
        dtype = shape = begin = stop = None
    if type(dtype) is not str or type(shape) is not list or len(entry) != 3:
        raise Malformed(f": tensor {shorten(name)} is not described by dtype, shape and data_offsets alone", _FETCH)
    if not (type(begin) is int and type(stop) is int and 0 <= begin <= stop < _EXTENT_LIMIT):
        raise Malformed(f": tensor {shorten(name)} has impossible offsets", _FETCH)
    if shape and (set(map(type, shape)) != _ONLY_INT or min(shape) < 0 or max(shape) >= _EXTENT_LIMIT or len(shape) > _RANK_LIMIT):
        raise Malformed(f": tensor {shorten(name)} has an impossible shape", _FETCH)
    bits = _BITS.get(dtype)
    if bits is None:
        return begin, stop, name, sys.intern(f"unknown:{dtype[:40]}"), tuple(shape)
    if prod(shape) * bits != (stop - begin) * 8:
        raise Malformed(f": tensor {shorten(name)} has {stop - begin:,} bytes, which its type and shape do not make", _FETCH)
    return begin, stop, name, DTYPES[dtype], tuple(shape)


def _metadata(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise Malformed(" has metadata that is not a map of strings", _FETCH)
    return value

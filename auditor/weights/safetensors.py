"""The header of a safetensors file: a tensor table, strictly checked, read from bytes alone.

Layout: eight bytes with the header's length (little endian), the header (a JSON object), the tensors. The checks are those
of the reference library (tensors lie side by side, without overlap, gap or rest), except that a type nobody taught us is
kept as ``unknown:X`` with the bytes that its offsets claim.
"""

import sys
from dataclasses import dataclass, field
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
    document = parse_any(header, path, limit=HEADER_LIMIT, unique_keys=True)
    if not isinstance(document, dict):
        raise Malformed(f"{path} has a header that is no JSON object", _FETCH)
    metadata = _metadata(document.pop(_METADATA, {}), path)
    with paused_collector():
        spans = sorted(_span(name, entry, path) for name, entry in document.items())
    document.clear()  # the parsed JSON is larger than the table: drop it before the table is built
    end = 0
    for begin, stop, name, _dtype, _shape in spans:
        if begin != end:
            fault = "overlaps the tensor before it" if begin < end else f"leaves {begin - end:,} bytes unused before it"
            raise Malformed(f"{path}: tensor {shorten(name)} {fault}", "write the file again with the safetensors library")
        end = stop
    if file_size is not None and (expected := LENGTH_BYTES + len(header) + end) != file_size:
        fault = "is cut short" if file_size < expected else "has bytes after its last tensor"
        raise Malformed(f"{path} {fault}: its header describes {expected:,} bytes and the file has {file_size:,}", _FETCH)
    return Header(tuple(Tensor(name, dtype, shape, stop - begin) for begin, stop, name, dtype, shape in spans), metadata)


_FETCH = "fetch or write it again"

Span = tuple[int, int, str, str, tuple[int, ...]]


def _span(name: str, entry: Any, path: str) -> Span:
    """Return (begin, end, name, dtype, shape) of one entry. It runs 100,000 times, so it is written flat."""
    try:
        dtype, shape, (begin, stop) = entry["dtype"], entry["shape"], entry["data_offsets"]
    except (KeyError, TypeError, ValueError):
        dtype = shape = begin = stop = None
    if type(dtype) is not str or type(shape) is not list or len(entry) != 3:
        raise Malformed(f"{path}: tensor {shorten(name)} is not described by dtype, shape and data_offsets alone", _FETCH)
    if not (type(begin) is int and type(stop) is int and 0 <= begin <= stop < _EXTENT_LIMIT):
        raise Malformed(f"{path}: tensor {shorten(name)} has impossible offsets", _FETCH)
    if shape and (set(map(type, shape)) != _ONLY_INT or min(shape) < 0 or max(shape) >= _EXTENT_LIMIT or len(shape) > _RANK_LIMIT):
        raise Malformed(f"{path}: tensor {shorten(name)} has an impossible shape", _FETCH)
    bits = _BITS.get(dtype)
    if bits is None:
        return begin, stop, name, sys.intern(f"unknown:{dtype[:40]}"), tuple(shape)
    if prod(shape) * bits != (stop - begin) * 8:
        raise Malformed(f"{path}: tensor {shorten(name)} has {stop - begin:,} bytes, which its type and shape do not make", _FETCH)
    return begin, stop, name, DTYPES[dtype], tuple(shape)


def _metadata(value: Any, path: str) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise Malformed(f"{path} has metadata that is not a map of strings", _FETCH)
    return value

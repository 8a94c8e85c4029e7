"""The tensor table of a PyTorch checkpoint: the zip directory and the pickle's opcodes, neither unpickled nor executed.

``torch.save`` writes a zip file with one pickle, ``ARCHIVE/data.pkl``, and one member for each storage. The pickle is followed
symbolically: names stay names, calls stay notes of what would be called. What it would import beyond a state dict's needs is
reported. Files of before 2020 have no directory: only their size is known.
"""

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any, BinaryIO

from auditor.bounded_json import shorten
from auditor.errors import Malformed
from auditor.snapshot import Tensor
from auditor.units import DTYPE_BITS, canonical_dtype
from auditor.weights.pickle_steps import Call, Name, Persistent, UnfollowableError, follow

PICKLE_LIMIT = 32_000_000
_TENSORS_LIMIT = 1_000_000
_DEPTH_LIMIT = 100
_NAME_LIMIT = 1_000
_RANK_LIMIT = 64
_EXTENT_LIMIT = 1 << 63

_STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
}
#: Where a module keeps its tensors and its parts: no part of their names.
_OF_MODULES = {"_parameters", "_buffers", "_modules"}
#: What the pickle of a state dict may import: containers, and the functions that put a tensor together.
_EXPECTED = {
    "collections.OrderedDict",
    "torch.Size",
    "torch.device",
    "torch.serialization._get_layout",
    "torch.storage.UntypedStorage",
    "torch.storage.TypedStorage",
    "torch.storage._load_from_bytes",
    "torch.nn.parameter.Parameter",
    "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_tensor_v3",
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state",
    "torch._utils._rebuild_qtensor",
    "torch._tensor._rebuild_from_type_v2",
    "torch.Tensor",
    "__builtin__.set",
    "builtins.set",
    *(f"torch.{name}" for name in (*_STORAGES, "UntypedStorage")),
}


#: How every pickle of protocol 2 or newer begins, and so every file that torch.save wrote before it wrote zip files.
_PICKLE = b"\x80"


@dataclass(frozen=True, slots=True)
class Table:
    """What a checkpoint says without being loaded."""

    tensors: tuple[Tensor, ...]
    imports: tuple[str, ...]
    """Names that unpickling would import and that no state dict needs, sorted."""


class LegacyError(Exception):
    """A checkpoint without a zip directory: nothing but its size can be known."""


def read_table(file: BinaryIO, path: str) -> Table:
    """Return the table of the checkpoint in ``file``, which must seek. Raises LegacyError and Malformed."""
    start = file.read(4)
    if start != b"PK\x03\x04":
        if not start.startswith(_PICKLE):  # a file that says nothing of itself must not pass for weights of its size
            raise Malformed(f"{path} is no PyTorch checkpoint: neither a zip file nor a pickle", "fetch or save it again")
        raise LegacyError
    return parse_pickle(_pickle(file, path), path)


def _pickle(file: BinaryIO, path: str) -> bytes:
    """Return the archive's one pickle. Raises Malformed."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = [name for name in archive.namelist() if name == "data.pkl" or name.endswith("/data.pkl")]
            if len(names) != 1:
                raise Malformed(f"{path} is a zip file without the one data.pkl of a checkpoint", _SAVE)
            with archive.open(names[0]) as member:
                data = member.read(PICKLE_LIMIT + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError):
        raise Malformed(f"{path} is no intact zip file", "fetch or save it again") from None
    if len(data) > PICKLE_LIMIT:
        raise Malformed(f"{path} has a pickle of more than {PICKLE_LIMIT:,} bytes", _SAVE)
    return data


_SAVE = "save the weights as safetensors"


def parse_pickle(data: bytes, path: str) -> Table:
    """Return the table that the pickle ``data`` of the file ``path`` describes. Raises Malformed."""
    try:
        root, names = follow(data)
    except UnfollowableError:
        raise Malformed(f"{path} holds a pickle that cannot be followed", _SAVE) from None
    imports = tuple(sorted({str(name) for name in names if str(name) not in _EXPECTED and not _is_dtype(name)}))
    return Table(_tensors(root, path), imports)


def _is_dtype(name: Name) -> bool:
    return name.module == "torch" and canonical_dtype(name.name) is not None


def _tensors(root: Any, path: str) -> tuple[Tensor, ...]:
    found: list[Tensor] = []
    storages: set[tuple[str, int]] = set()
    for name, call in _calls(_state(root), "", 0, set()):
        tensor = _tensor(name, call, storages)
        if tensor is not None:
            found.append(tensor)
            if len(found) > _TENSORS_LIMIT:
                raise Malformed(f"{path} holds more than {_TENSORS_LIMIT:,} tensors", _SAVE)
    if not found:
        raise Malformed(f"{path} holds no tensors by name", "name the file of a model's weights")
    return tuple(found)


def _state(root: Any) -> Any:
    """Return the state dict in a training checkpoint, which keeps it under a name beside other things."""
    if isinstance(root, dict) and not any(isinstance(value, Call) for value in root.values()):
        inner = [value for value in root.values() if isinstance(value, dict) and any(isinstance(item, Call) for item in value.values())]
        if len(inner) == 1:
            return inner[0]
    return root


def _calls(value: Any, name: str, depth: int, seen: set[int]) -> Iterator[tuple[str, Call]]:
    """Yield calls by the dotted names under which containers and modules hold them; each container is walked once."""
    if isinstance(value, Call):
        if value.state is None:
            yield name, value
        else:  # a module, or another object with members
            value = value.state
    if isinstance(value, dict | list | tuple) and depth < _DEPTH_LIMIT and id(value) not in seen:
        seen.add(id(value))
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            inner = name if key in _OF_MODULES else f"{name}.{key}"[:_NAME_LIMIT] if name else str(key)[:_NAME_LIMIT]
            yield from _calls(item, inner, depth + 1, seen)


def _tensor(name: str, call: Call, storages: set[tuple[str, int]]) -> Tensor | None:
    """Return the tensor that a call would rebuild; None for a call of anything else."""
    for _ in range(4):  # a parameter wraps a tensor, a subclass wraps its rebuilding
        if not isinstance(call.function, Name):
            return None
        match str(call.function), call.arguments:
            case "torch._utils._rebuild_parameter" | "torch._utils._rebuild_parameter_with_state", (Call() as call, *_):
                continue
            case "torch._tensor._rebuild_from_type_v2", (function, _, tuple(inner), *_):
                call = Call(function, inner)
                continue
            case (
                "torch._utils._rebuild_tensor_v2" | "torch._utils._rebuild_tensor_v3" | "torch._utils._rebuild_qtensor",
                (Persistent(reference=("storage", Name() as kind, str(key), _, _)), offset, tuple(shape), *rest),
            ):
                stated = rest[3] if str(call.function).endswith("_v3") and len(rest) > 3 else None
                return _described(name, kind, stated, tuple(shape), (key, offset if isinstance(offset, int) else 0), storages)
        return None
    return None


def _described(
    name: str, kind: Name, stated: Any, shape: tuple[Any, ...], place: tuple[str, int], storages: set[tuple[str, int]]
) -> Tensor | None:
    if len(shape) > _RANK_LIMIT or not all(type(extent) is int and 0 <= extent < _EXTENT_LIMIT for extent in shape):
        return None
    dtype = canonical_dtype(stated.name) if isinstance(stated, Name) else _STORAGES.get(kind.name)
    if dtype is None or prod(shape) >= _EXTENT_LIMIT:
        return Tensor(name, f"unknown:{shorten(kind.name)}", shape, 0)
    # Two names for one storage (a tied head) are stored once.
    again = place in storages
    storages.add(place)
    return Tensor(name, dtype, shape, 0 if again else prod(shape) * DTYPE_BITS[dtype] // 8)

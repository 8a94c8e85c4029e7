"""Saved snapshots: one ``*.snapshot.json.gz`` that audits anywhere, weights not needed.

``load(save(snapshot)) == snapshot``, so the audit of a saved snapshot is that of the original. Equal snapshots give equal
bytes. The format is published as ``schemas/snapshot.schema.json``; the reader here is as strict as that schema, by hand,
because a table of 100,000 tensors would spend seconds in a general validator.

Tensor tables repeat few (dtype, shape, bytes) combinations many times: these stand once, in ``kinds``, and a file's table
is two columns, ``names`` and indices into ``kinds``.
"""

import gzip
import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from auditor.bounded_json import parse_object, printable, shorten
from auditor.errors import Malformed, NotFound, ReportError, TargetError
from auditor.snapshot import CodeFile, FileEntry, Problem, Snapshot, Tensor, WeightFile, WeightSet
from auditor.units import MIB

SCHEMA = "auditor/snapshot/1"
SUFFIXES = (".snapshot.json.gz", ".snapshot.json")
#: Unpacked size that we are willing to read: about a million tensors.
SIZE_LIMIT = 96 * MIB

Kind = tuple[str, tuple[int, ...], int]


def save(snapshot: Snapshot, path: Path) -> None:
    """Write ``snapshot`` to ``path``. Raises ReportError when the file cannot be written."""
    try:
        path.write_bytes(dump(snapshot))
    except OSError as error:
        raise ReportError(f"{path} cannot be written ({error.strerror})", "choose another place") from None


def dump(snapshot: Snapshot) -> bytes:
    """Return the bytes of the saved snapshot: gzip without a time of day."""
    text = json.dumps(_encode(snapshot), ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return gzip.compress(text.encode(), compresslevel=9, mtime=0)


def load(path: Path) -> Snapshot:
    """Return the snapshot in ``path``. Raises NotFound, TargetError or Malformed."""
    try:
        with path.open("rb") as file:
            data = file.read(SIZE_LIMIT + 1)
    except FileNotFoundError:
        raise NotFound(f"{path} does not exist", "check the path") from None
    except OSError as error:
        raise TargetError(f"{path} cannot be read ({error.strerror})", "check the path and its permissions") from None
    return parse(data, str(path))


def parse(data: bytes, path: str) -> Snapshot:
    """Return the snapshot in the bytes of the file ``path``. Raises Malformed."""
    if data[:2] == b"\x1f\x8b":
        data = _unpack(data, path)
    document = parse_object(data, path, limit=SIZE_LIMIT)
    if document.get("schema") != SCHEMA:
        found = document.get("schema")
        stated = shorten(found) if isinstance(found, str) else "not stated"
        raise Malformed(f"{path} is no saved snapshot: its schema is {stated}, not {SCHEMA!r}", _MAKE_AGAIN)
    try:
        return _decode(document)
    except _WrongError as error:
        raise Malformed(f"{path} is no valid snapshot: {error}", _MAKE_AGAIN) from None


_MAKE_AGAIN = "make it again with `auditor inspect MODEL --save FILE`"


def _unpack(data: bytes, path: str) -> bytes:
    stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        result = stream.decompress(data, SIZE_LIMIT + 1)
    except zlib.error:
        raise Malformed(f"{path} is not intact gzip", _MAKE_AGAIN) from None
    if len(result) > SIZE_LIMIT:
        raise Malformed(f"{path} unpacks to more than {SIZE_LIMIT // MIB} MiB", "no model's tables are that large; do not trust the file")
    if not stream.eof:
        raise Malformed(f"{path} is cut short", _MAKE_AGAIN)
    return result


# Writing


def _encode(snapshot: Snapshot) -> dict[str, Any]:
    kinds: dict[Kind, int] = {}
    return {
        "schema": SCHEMA,
        "id": snapshot.id,
        "revision": snapshot.revision,
        "source": snapshot.source,
        "origin": snapshot.origin,
        "headers_read": snapshot.headers_read,
        "files": [{"path": file.path, "size": file.size, **({"pointer": True} if file.pointer else {})} for file in snapshot.files],
        "documents": dict(snapshot.documents),
        "card": dict(snapshot.card),
        "weights": [_encode_set(group, kinds) for group in snapshot.weights],
        "not_loaded": [_encode_set(group, kinds) for group in snapshot.not_loaded],
        "kinds": [[dtype, list(shape), nbytes] for dtype, shape, nbytes in kinds],
        "code": [
            {"path": file.path, "imports": list(file.imports), "classes": list(file.classes), "kernels": list(file.kernels)}
            for file in snapshot.code
        ],
        "problems": [{"path": p.path, "message": p.message, "fatal": p.fatal} for p in snapshot.problems],
    }


def _encode_set(group: WeightSet, kinds: dict[Kind, int]) -> dict[str, Any]:
    return {
        "component": group.component,
        "format": group.format,
        "variant": group.variant,
        "index_total": group.index_total,
        "files": [_encode_file(file, kinds) for file in group.files],
    }


def _encode_file(file: WeightFile, kinds: dict[Kind, int]) -> dict[str, Any]:
    result: dict[str, Any] = {"path": file.path, "size": file.size, "why": file.why}
    if file.imports:
        result["imports"] = list(file.imports)
    if file.tensors is not None:
        result["names"] = [tensor.name for tensor in file.tensors]
        result["kinds"] = [kinds.setdefault((t.dtype, t.shape, t.nbytes), len(kinds)) for t in file.tensors]
    return result


# Reading


class _WrongError(Exception):
    """What in the document is not as the schema says."""


class _Object:
    """One object of the document: hands out members of a required type, and knows where it stands."""

    def __init__(self, value: Any, where: str, members: str, optional: str = "") -> None:
        self.where = where
        if not isinstance(value, dict):
            raise _WrongError(f"{where or 'the document'} is not an object")
        known = {*members.split(), *optional.split()}
        for name in value:
            if name not in known:
                raise _WrongError(f"{self._name(name)} is not a member that we know")
        for name in members.split():
            if name not in value:
                raise _WrongError(f"{self._name(name)} is missing")
        self._value: dict[str, Any] = value

    def _name(self, member: str) -> str:
        return printable(f"{self.where}.{member}".lstrip("."))

    def __contains__(self, member: str) -> bool:
        return member in self._value

    def text(self, member: str) -> str:
        value = self._value[member]
        if not isinstance(value, str):
            raise _WrongError(f"{self._name(member)} is not a string")
        return value

    def optional_text(self, member: str) -> str | None:
        return None if self._value[member] is None else self.text(member)

    def size(self, member: str) -> int | None:
        value = self._value[member]
        if value is not None and not _is_size(value):
            raise _WrongError(f"{self._name(member)} is not a count of bytes")
        return value  # type: ignore[no-any-return]

    def flag(self, member: str, *, default: bool | None = None) -> bool:
        value = self._value.get(member, default)
        if not isinstance(value, bool):
            raise _WrongError(f"{self._name(member)} is not true or false")
        return value

    def mapping(self, member: str) -> Mapping[str, Any]:
        value = self._value[member]
        if not isinstance(value, dict):
            raise _WrongError(f"{self._name(member)} is not an object")
        return value

    def items(self, member: str) -> list[tuple[str, Any]]:
        value = self._value[member]
        if not isinstance(value, list):
            raise _WrongError(f"{self._name(member)} is not a list")
        return [(f"{self._name(member)}[{index}]", item) for index, item in enumerate(value)]

    def column(self, member: str, kind: type) -> list[Any]:
        value = self._value[member]
        if not isinstance(value, list) or not all(type(item) is kind for item in value):
            raise _WrongError(f"{self._name(member)} is not a list of {kind.__name__}")
        return value


def _is_size(value: object) -> bool:
    return type(value) is int and value >= 0


def _decode(document: dict[str, Any]) -> Snapshot:
    members = "schema id revision source origin headers_read files documents card weights not_loaded kinds code problems"
    top = _Object(document, "", members)
    kinds = [_decode_kind(item, where) for where, item in top.items("kinds")]
    return Snapshot(
        id=top.text("id"),
        revision=top.optional_text("revision"),
        source=top.text("source"),
        files=tuple(_decode_entry(item, where) for where, item in top.items("files")),
        documents=top.mapping("documents"),
        weights=tuple(_decode_set(item, where, kinds) for where, item in top.items("weights")),
        not_loaded=tuple(_decode_set(item, where, kinds) for where, item in top.items("not_loaded")),
        code=tuple(_decode_code(item, where) for where, item in top.items("code")),
        problems=tuple(_decode_problem(item, where) for where, item in top.items("problems")),
        card=top.mapping("card"),
        origin=top.text("origin"),
        headers_read=top.flag("headers_read"),
    )


def _decode_kind(value: Any, where: str) -> Kind:
    match value:
        case [str(dtype), list(shape), nbytes] if _is_size(nbytes) and all(_is_size(extent) for extent in shape):
            return dtype, tuple(shape), nbytes
    raise _WrongError(f"{where} is not [dtype, [extents], bytes]")


def _decode_entry(value: Any, where: str) -> FileEntry:
    entry = _Object(value, where, "path size", "pointer")
    return FileEntry(entry.text("path"), entry.size("size"), pointer=entry.flag("pointer", default=False))


def _decode_set(value: Any, where: str, kinds: Sequence[Kind]) -> WeightSet:
    group = _Object(value, where, "component format variant index_total files")
    return WeightSet(
        component=group.text("component"),
        format=group.text("format"),
        variant=group.text("variant"),
        files=tuple(_decode_file(item, place, kinds) for place, item in group.items("files")),
        index_total=group.size("index_total"),
    )


def _decode_file(value: Any, where: str, kinds: Sequence[Kind]) -> WeightFile:
    file = _Object(value, where, "path size why", "names kinds imports")
    imports = tuple(file.column("imports", str)) if "imports" in file else ()
    return WeightFile(file.text("path"), file.size("size"), _decode_table(file, kinds), file.text("why"), imports)


def _decode_table(file: _Object, kinds: Sequence[Kind]) -> tuple[Tensor, ...] | None:
    if "names" not in file and "kinds" not in file:
        return None
    if "names" not in file or "kinds" not in file:
        raise _WrongError(f"{file.where} has one of names and kinds without the other")
    names, indices = file.column("names", str), file.column("kinds", int)
    if len(names) != len(indices):
        raise _WrongError(f"{file.where} has {len(names)} names and {len(indices)} kinds")
    if indices and not (min(indices) >= 0 and max(indices) < len(kinds)):
        raise _WrongError(f"{file.where}.kinds points outside the table of kinds")
    return tuple(Tensor(name, *kinds[index]) for name, index in zip(names, indices, strict=True))


def _decode_code(value: Any, where: str) -> CodeFile:
    file = _Object(value, where, "path imports classes kernels")
    columns = (tuple(file.column(member, str)) for member in ("imports", "classes", "kernels"))
    return CodeFile(file.text("path"), *columns)


def _decode_problem(value: Any, where: str) -> Problem:
    problem = _Object(value, where, "path message fatal")
    return Problem(problem.text("path"), problem.text("message"), fatal=problem.flag("fatal"))

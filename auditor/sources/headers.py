"""Reading the headers of the chosen weight files: one range for each file, and one more where a header is longer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from auditor.bounded_json import shorten
from auditor.errors import AccessDenied, Malformed, TargetError, Unreachable
from auditor.snapshot import FileEntry, Problem, WeightFile, WeightSet
from auditor.sources.base import Range, Repository
from auditor.weights import safetensors
from auditor.weights.names import index_name

#: First range of a file about which nothing is known: most headers are shorter.
FIRST_RANGE = 99_000
#: What an entry of a safetensors header takes beside the tensor's name, at the most.
_ENTRY = 120
_SLACK = 1_024
_NOT_HERE = "its content is not here (git-LFS pointer)"


@dataclass(slots=True)
class _Reading:
    """One file on its way to a tensor table."""

    file: WeightFile
    format: str
    data: bytes = b""
    more: int = 0
    """Bytes still missing at the end of ``data``."""


def read_headers(
    repository: Repository,
    groups: Sequence[WeightSet],
    entries: Mapping[str, FileEntry],
    documents: Mapping[str, Any],
    problems: list[Problem],
) -> tuple[tuple[WeightSet, ...], dict[str, Any]]:
    """Return the sets with their tensor tables, and documents found in the files themselves (a GGUF file's metadata)."""
    lengths = _expected_lengths(documents)
    tables: dict[str, WeightFile] = {}
    formats: dict[str, str] = {}
    readings = []
    for group in groups:
        for file in group.files:
            if file.why:
                continue
            if group.format not in {"safetensors", "consolidated"} or not file.path.endswith(".safetensors"):
                tables[file.path] = replace(file, why=f"headers of {group.format} files are not read")
            elif entries[file.path].pointer:
                tables[file.path] = replace(file, why=_NOT_HERE)
            else:
                readings.append(_Reading(file, group.format))
    _fetch(repository, readings, [Range(r.file.path, 0, _first(r.file, lengths)) for r in readings], tables, problems)
    longer = [reading for reading in readings if reading.more]
    _fetch(repository, longer, [Range(r.file.path, len(r.data), r.more) for r in longer], tables, problems)
    for reading in readings:
        if reading.file.path not in tables:
            tables[reading.file.path], formats[reading.file.path] = _table(reading, problems)
    groups = tuple(_filled(group, tables, formats) for group in groups)
    _compare_with_indices(groups, documents, problems)
    return groups, {}


def _compare_with_indices(groups: Sequence[WeightSet], documents: Mapping[str, Any], problems: list[Problem]) -> None:
    """Note the first tensor that an index places in a file whose header does not have it."""
    tables = {file.path: file.tensors for group in groups for file in group.files if file.tensors is not None}
    names = {path: {tensor.name for tensor in tensors} for path, tensors in tables.items()}
    for path, placed in _weight_maps(documents):
        absent = [(tensor, file) for tensor, file in placed if file in names and tensor not in names[file]]
        if absent:
            tensor, file = absent[0]
            text = f"{path} places {len(absent):,} tensors in files that lack them, first {shorten(tensor)} in {file}"
            problems.append(Problem(path, f"{text}; write the index again"))


def _weight_maps(documents: Mapping[str, Any]) -> Iterator[tuple[str, Iterator[tuple[str, str]]]]:
    """Yield each index and its pairs of tensor and file, the file with its folder."""
    for path, document in documents.items():
        name = index_name(path)
        weight_map = document.get("weight_map") if name is not None and isinstance(document, dict) else None
        if name is not None and isinstance(weight_map, dict):
            prefix = f"{name.folder}/" if name.folder else ""
            yield path, ((tensor, prefix + file) for tensor, file in weight_map.items() if isinstance(file, str))


def _filled(group: WeightSet, tables: Mapping[str, WeightFile], formats: Mapping[str, str]) -> WeightSet:
    files = tuple(tables.get(file.path, file) for file in group.files)
    found = {formats[file.path] for file in files if file.path in formats}
    return replace(group, files=files, format=found.pop() if len(found) == 1 else group.format)


def _expected_lengths(documents: Mapping[str, Any]) -> dict[str, int]:
    """Return an upper bound of each indexed file's header, from the tensor names that the index gives it."""
    result: dict[str, int] = {}
    for _, placed in _weight_maps(documents):
        for tensor, file in placed:
            result[file] = result.get(file, _SLACK) + len(tensor) + _ENTRY
    return result


def _first(file: WeightFile, lengths: Mapping[str, int]) -> int:
    length = lengths.get(file.path, FIRST_RANGE)
    return length if file.size is None else min(length, file.size)


def _fetch(
    repository: Repository, readings: Sequence[_Reading], ranges: Sequence[Range], tables: dict[str, WeightFile], problems: list[Problem]
) -> None:
    """Read one range for each reading and find out how much is missing; a file that fails gets its table entry here."""
    for reading, answer in zip(readings, repository.read(ranges), strict=True):
        if isinstance(answer, AccessDenied | Unreachable):  # the next file would fare no better
            raise answer
        try:
            if isinstance(answer, TargetError):
                raise answer
            had, reading.data = len(reading.data), reading.data + answer
            needed = safetensors.LENGTH_BYTES + safetensors.header_length(reading.data, reading.file.path, reading.file.size)
            if had and len(reading.data) < needed:
                raise Malformed(f"{reading.file.path} is cut short inside its header", "fetch or write it again")
            reading.more = max(0, needed - len(reading.data))
        except TargetError as error:
            tables[reading.file.path] = _failed(reading.file, error, problems)


def _table(reading: _Reading, problems: list[Problem]) -> tuple[WeightFile, str]:
    start = safetensors.LENGTH_BYTES
    end = start + int.from_bytes(reading.data[:start], "little")
    data, reading.data = reading.data[start:end], b""
    try:
        header = safetensors.parse_header(data, reading.file.path, reading.file.size)
    except Malformed as error:
        return _failed(reading.file, error, problems), reading.format
    format_ = "mlx" if header.metadata.get("format") == "mlx" else reading.format
    return replace(reading.file, tensors=header.tensors), format_


def _failed(file: WeightFile, error: TargetError, problems: list[Problem]) -> WeightFile:
    problems.append(Problem(file.path, str(error), fatal=True))
    return replace(file, why=error.message)

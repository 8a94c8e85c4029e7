"""Reading the headers of the chosen weight files: one range for each file, and more where a header is longer."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from auditor.bounded_json import paused_collector, shorten
from auditor.errors import AccessDenied, Malformed, TargetError, Unreachable
from auditor.snapshot import FileEntry, Problem, WeightFile, WeightSet
from auditor.sources.base import Range, Repository
from auditor.weights import gguf, safetensors
from auditor.weights.more import NeedMoreError
from auditor.weights.names import index_name

_PICKLE_READERS = 8
_NAMED_AT_MOST = 5
_NOT_HERE = "its content is not here (git-LFS pointer)"
_LEGACY = "a PyTorch file of before 2020, without a table of contents: only its size is known"

Header = safetensors.Header | gguf.Header
#: Extension -> how many bytes to begin with, and what reads them.
_READERS: dict[str, tuple[int, Callable[[bytes, str, int | None], Header]]] = {
    "safetensors": (safetensors.FIRST_RANGE, safetensors.parse),
    "gguf": (gguf.FIRST_RANGE, gguf.parse),
}
_PICKLES = {"pt", "pth", "bin", "ckpt"}


@dataclass(slots=True)
class _Reading:
    """One file on its way to a header."""

    file: WeightFile
    parse: Callable[[bytes, str, int | None], Header]
    wanted: int
    """Bytes from the start of the file that the parser wants."""
    data: bytes = b""


def first_ranges(groups: Sequence[WeightSet], entries: Mapping[str, FileEntry]) -> list[Range]:
    """Return the ranges with which reading the headers of these sets begins."""
    return [_range(reading) for group in groups for file in group.files if (reading := _reading(file, entries)) is not None]


def _reading(file: WeightFile, entries: Mapping[str, FileEntry]) -> _Reading | None:
    """Return how to read a file's header; None where there is no way to, or where it is not by its start."""
    reader = _READERS.get(file.path.rpartition(".")[2])
    if reader is None or file.why or entries[file.path].pointer:
        return None
    return _Reading(file, reader[1], reader[0])


def read_headers(
    repository: Repository,
    groups: Sequence[WeightSet],
    entries: Mapping[str, FileEntry],
    documents: Mapping[str, Any],
    problems: list[Problem],
) -> tuple[tuple[WeightSet, ...], dict[str, Any]]:
    """Return the sets with their tensor tables, and documents found in the files themselves (a GGUF file's metadata).

    Raises AccessDenied and Unreachable; a header that is wrong is a problem of its own file.
    """
    read: dict[str, WeightFile] = {}
    readings: list[_Reading] = []
    pickles: list[WeightFile] = []
    for file, format_ in ((file, group.format) for group in groups for file in group.files if not file.why):
        reading = _reading(file, entries)
        if entries[file.path].pointer:
            read[file.path] = replace(file, why=_NOT_HERE)
        elif reading is not None:
            readings.append(reading)
        elif file.path.rpartition(".")[2] in _PICKLES and format_ in {"pytorch", "consolidated"} and file.size is not None:
            pickles.append(file)
        else:
            read[file.path] = replace(file, why=f"headers of {format_} files are not read")
    metadata: dict[str, dict[str, Any]] = {}
    while readings:
        readings = [reading for reading in _round(repository, readings, read, metadata, problems) if reading.file.path not in read]
    read.update(_read_pickles(repository, pickles, problems))
    groups = tuple(_filled(group, read, metadata) for group in groups)
    _compare_with_indices(groups, documents, problems)
    return groups, {path: found for path, found in metadata.items() if path.endswith(".gguf")}


def _filled(group: WeightSet, read: Mapping[str, WeightFile], metadata: Mapping[str, Mapping[str, Any]]) -> WeightSet:
    files = tuple(read.get(file.path, file) for file in group.files)
    is_mlx = bool(files) and all(metadata.get(file.path, {}).get("format") == "mlx" for file in files)
    return replace(group, files=files, format="mlx" if is_mlx else group.format)


def _round(
    repository: Repository,
    readings: Sequence[_Reading],
    read: dict[str, WeightFile],
    metadata: dict[str, dict[str, Any]],
    problems: list[Problem],
) -> Iterator[_Reading]:
    """Read one range for each file; put those that are done or wrong into ``read``, and yield the rest."""
    ranges = [_range(reading) for reading in readings]
    for reading, wanted, answer in zip(readings, ranges, repository.read(ranges), strict=True):
        file = reading.file
        try:
            if isinstance(answer, TargetError):
                raise answer
            reading.data += answer
            at_end = len(answer) < wanted.length or not wanted.length
            with paused_collector():
                header = reading.parse(reading.data, file.path, file.size)
            read[file.path] = replace(file, tensors=header.tensors)
            metadata[file.path] = header.metadata
        except NeedMoreError as need:
            if at_end:
                error = Malformed(f"{file.path} is cut short inside its header", "fetch or write it again")
                read[file.path] = _failed(file, error, problems)
            reading.wanted = need.length
            yield reading
        except TargetError as error:
            read[file.path] = _failed(file, error, problems)
        if file.path in read:
            reading.data = b""


def _range(reading: _Reading) -> Range:
    end = reading.wanted if reading.file.size is None else min(reading.wanted, reading.file.size)
    return Range(reading.file.path, len(reading.data), max(0, end - len(reading.data)))


def _read_pickles(repository: Repository, files: Sequence[WeightFile], problems: list[Problem]) -> dict[str, WeightFile]:
    """Return PyTorch checkpoints with their tables, several read at a time: each takes a few ranges one after the other."""
    if not files:
        return {}
    # Threads, zip files and opcodes are slow to import, and most models want none of them.
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    from auditor.sources.ranged import open_ranged  # noqa: PLC0415
    from auditor.weights import pytorch  # noqa: PLC0415

    def read(file: WeightFile) -> WeightFile | TargetError:
        try:
            table = pytorch.read_table(open_ranged(repository, file.path, file.size or 0), file.path)
        except pytorch.LegacyError:
            return replace(file, why=_LEGACY)
        except TargetError as error:
            return error
        return replace(file, tensors=table.tensors, imports=table.imports)

    with ThreadPoolExecutor(min(len(files), _PICKLE_READERS)) as pool:
        answers = list(pool.map(read, files))
    result = {}
    for file, answer in zip(files, answers, strict=True):
        if isinstance(answer, TargetError):
            result[file.path] = _failed(file, answer, problems)
            continue
        result[file.path] = answer
        if answer.imports:
            names = ", ".join(answer.imports[:_NAMED_AT_MOST])
            problems.append(Problem(file.path, f"loading {file.path} would import {names}; look at why before anything unpickles it"))
    return result


def _failed(file: WeightFile, error: TargetError, problems: list[Problem]) -> WeightFile:
    if isinstance(error, AccessDenied | Unreachable):  # the next file would fare no better
        raise error
    problems.append(Problem(file.path, str(error), fatal=True))
    return replace(file, why=error.message)


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

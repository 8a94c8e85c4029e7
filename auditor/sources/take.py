"""From a repository to a snapshot: the same few documents and headers, whatever the source."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from auditor.bounded_json import DOCUMENT_LIMIT, parse_list, parse_object, shorten, too_large
from auditor.errors import AccessDenied, Malformed, NotFound, TargetError, Unreachable
from auditor.snapshot import CodeFile, FileEntry, Problem, Snapshot, WeightFile, WeightSet
from auditor.sources import card, code
from auditor.sources.base import Ahead, Listing, Range, Repository, Within
from auditor.sources.headers import first_ranges, read_headers
from auditor.sources.options import SourceOptions
from auditor.weights.choose import choose
from auditor.weights.names import index_name

#: Documents that describe a model by themselves: one that cannot be read leaves nothing to say.
_MAIN = ("config.json", "model_index.json", "adapter_config.json")
#: Read too, where they are present.
_ROOT = (*_MAIN, "modules.json")
#: Where a quantization was written down before configurations had a member for it.
_QUANTIZATION = ("hf_quant_config.json", "quantize_config.json", "quant_config.json")
_LISTS = ("modules.json",)


def take(repository: Repository, options: SourceOptions, path: str | None = None) -> Snapshot:
    """Return the snapshot of a repository; ``path`` names the weight file to take of several, or a folder in place of the root.

    Raises TargetError when there is nothing to describe the model. What is wrong with one file of many is a problem of
    the snapshot instead.
    """
    listing = repository.listing()
    if path is not None and any(file.path.startswith(f"{path}/") for file in listing.files):
        repository, path = Within(repository, listing, path), None
        listing = repository.listing()
    problems = list(listing.problems)
    entries = _entries(listing, problems)
    repository = Ahead(repository, () if options.fast else _likely_headers(entries, options, path))
    documents = _documents(repository, entries, problems)
    choice = choose(tuple(entries.values()), documents, options.variant, path)
    if not documents and not choice.weights and not choice.not_loaded:
        if problems:
            # What is wrong with its files is why nothing is there to read.
            raise Malformed(problems[0].message)
        raise NotFound(f"{repository.id} holds no config.json and no weights", "name the folder or repository of a model")
    problems += choice.problems
    weights = choice.weights
    found_code = () if options.fast else _code(repository, tuple(entries.values()), documents, problems)
    found_card = listing.card if listing.card is not None else _card(repository, entries)
    if options.fast:
        weights = tuple(_unread(group, "headers were not read (--fast)") for group in weights)
    else:
        weights, metadata = read_headers(repository, weights, entries, documents, problems)
        documents.update(metadata)
    documents = {path: _without_map(document) if index_name(path) else document for path, document in documents.items()}
    return Snapshot(
        id=repository.id,
        revision=repository.revision,
        source=repository.source,
        files=tuple(entries.values()),
        documents=documents,
        weights=weights,
        not_loaded=tuple(_unread(group, "not what would be loaded") for group in choice.not_loaded),
        code=found_code,
        problems=tuple(problems),
        card=found_card,
        headers_read=not options.fast,
    )


def _entries(listing: Listing, problems: list[Problem]) -> dict[str, FileEntry]:
    """Return the files by path, sorted, without those whose names no report could print."""
    entries = {}
    for file in sorted(listing.files, key=lambda file: file.path):
        if file.path.isprintable():
            entries[file.path] = file
        else:
            problems.append(Problem("", f"a file has the unprintable name {shorten(file.path)} and is left out; rename it"))
    return entries


def _likely_headers(entries: dict[str, FileEntry], options: SourceOptions, path: str | None) -> list[Range]:
    """Return the first ranges of the files that would be loaded as far as names alone tell; a pipeline's do not."""
    if "model_index.json" in entries or "modules.json" in entries:
        return []
    try:
        likely = choose(tuple(entries.values()), {}, options.variant, path)
    except NotFound:
        return []
    return first_ranges(likely.weights, entries)


def _without_map(index: Any) -> Any:
    # The map is used up by now, and as long as the tensor tables themselves.
    return {name: value for name, value in index.items() if name != "weight_map"}


def _unread(group: WeightSet, why: str) -> WeightSet:
    return replace(group, files=tuple(file if file.why else WeightFile(file.path, file.size, None, why) for file in group.files))


def _documents(repository: Repository, entries: dict[str, FileEntry], problems: list[Problem]) -> dict[str, Any]:
    """Return the parsed documents, in two rounds: what the root says, then what that points to."""
    first = [path for path in _ROOT if path in entries]
    first += sorted(path for path in entries if "/" not in path and index_name(path))
    if not any(path in entries for path in _MAIN) and "params.json" in entries:
        first.append("params.json")
    documents = _read(repository, first, entries, problems)
    second = _components(documents, entries)
    config = documents.get("config.json")
    if isinstance(config, dict) and _leaves_open(config.get("quantization_config")):
        second += [path for path in _QUANTIZATION if path in entries]
    documents.update(_read(repository, second, entries, problems))
    return documents


def _leaves_open(quantization: Any) -> bool:
    # ModelOpt's exporters write the scheme of the cache into their own file only.
    return not isinstance(quantization, dict) or quantization.get("quant_method") in {None, "modelopt"}


def _components(documents: dict[str, Any], entries: dict[str, FileEntry]) -> list[str]:
    """Return the configurations and indices of a pipeline's components and of a sentence encoder's modules."""
    folders: list[str] = []
    pipeline, modules = documents.get("model_index.json"), documents.get("modules.json")
    if isinstance(pipeline, dict):
        folders += sorted(name for name, value in pipeline.items() if isinstance(value, list))
    if isinstance(modules, list):
        folders += sorted({module["path"] for module in modules if isinstance(module, dict) and isinstance(module.get("path"), str)})
    wanted = {folder for folder in folders if folder}
    return [
        path
        for path in sorted(entries)
        if path.rpartition("/")[0] in wanted and (path.endswith("/config.json") or index_name(path) is not None)
    ]


def _card(repository: Repository, entries: dict[str, FileEntry]) -> dict[str, Any]:
    if "README.md" not in entries or entries["README.md"].pointer:
        return {}
    (start,) = repository.read([Range("README.md", 0, card.LIMIT)])
    return {} if isinstance(start, TargetError) else card.front_matter(start)


def _code(repository: Repository, files: Sequence[FileEntry], documents: dict[str, Any], problems: list[Problem]) -> tuple[CodeFile, ...]:
    """Return what the code beside the configurations contains, where one of them asks for code (``auto_map``)."""
    folders = {path.rpartition("/")[0] for path, document in documents.items() if isinstance(document, dict) and document.get("auto_map")}
    wanted = [file for file in files if file.path.endswith(code.SUFFIXES) and not file.pointer and file.path.rpartition("/")[0] in folders]
    wanted = sorted(wanted, key=lambda file: file.path)[: code.FILES_LIMIT]
    answers = repository.read(
        [Range(file.path, 0, code.SIZE_LIMIT if file.size is None else min(file.size, code.SIZE_LIMIT)) for file in wanted]
    )
    result = []
    for file, answer in zip(wanted, answers, strict=True):
        try:
            if isinstance(answer, TargetError):
                raise answer
            result.append(code.summarise(file.path, answer))
        except TargetError as error:
            problems.append(Problem(file.path, str(error)))
    return tuple(result)


def _read(repository: Repository, paths: Iterable[str], entries: dict[str, FileEntry], problems: list[Problem]) -> dict[str, Any]:
    """Return the parsed documents. Raises TargetError for a main document that cannot be read; else notes the problem."""
    paths = list(dict.fromkeys(paths))
    answers = dict(zip(paths, repository.read([_whole(entries[path]) for path in paths]), strict=True))
    result: dict[str, Any] = {}
    for path, answer in answers.items():
        try:
            if isinstance(answer, TargetError):
                raise answer
            result[path] = _parse(entries[path], answer)
        except TargetError as error:
            if path in _MAIN or isinstance(error, AccessDenied | Unreachable):
                raise
            problems.append(Problem(path, str(error), fatal=True))
    return result


def _whole(entry: FileEntry) -> Range:
    # One byte more than we are willing to parse shows that a file of unknown size is too long. A file known to be longer
    # is not read at all, and one whose content is only pointed to has nothing to read.
    known = DOCUMENT_LIMIT if entry.size is None else entry.size
    return Range(entry.path, 0, 0 if known > DOCUMENT_LIMIT or entry.pointer else known + (entry.size is None))


def _parse(entry: FileEntry, data: bytes) -> Any:
    if entry.pointer:
        raise Malformed(f"{entry.path} is a git-LFS pointer", f"fetch it: `git lfs pull --include {entry.path}`")
    if entry.size is not None and entry.size > DOCUMENT_LIMIT:
        raise too_large(entry.path, entry.size, DOCUMENT_LIMIT)
    return parse_list(data, entry.path) if entry.path in _LISTS else parse_object(data, entry.path)

"""Which files of a repository would be loaded: one format and one variant for each component, the rest named.

A plain model has one component, the root. A pipeline (``model_index.json``) has one for each folder it lists; a sentence
encoder (``modules.json``) one for each module with weights. Order of preference, as the libraries have it: the variant that
was asked for, else the files without a variant suffix; the names that libraries look for; safetensors before the rest.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from auditor.bounded_json import printable
from auditor.errors import NotFound
from auditor.snapshot import FileEntry, Problem, WeightFile, WeightSet
from auditor.weights.names import KNOWN_STEMS, SHARDS_LIMIT, Name, index_name, shard_path, weight_name

#: Best first. A lone ``consolidated`` or GGUF copy is loaded only where the formats before it are missing.
FORMATS = ("safetensors", "pytorch", "consolidated", "gguf", "mlx", "tensorflow", "flax", "onnx", "openvino", "rust")
#: What llama.cpp takes from a repository when no quantization is named.
_GGUF_DEFAULT = "q4_k_m"
#: Components of a pipeline that have no weights, by the end of their class's name.
_WEIGHTLESS = ("Scheduler", "Tokenizer", "TokenizerFast", "Processor", "FeatureExtractor", "ImageProcessor", "ProcessorFast")
_NAMED_AT_MOST = 3


@dataclass(frozen=True, slots=True)
class Choice:
    """What would be loaded, what would not, and what is wrong or worth saying about it."""

    weights: tuple[WeightSet, ...]
    not_loaded: tuple[WeightSet, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class _Candidate:
    """Files that would be loaded together."""

    name: Name
    files: dict[str, FileEntry] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    index: str | None = None
    index_total: int | None = None

    def answers(self, wanted: str) -> bool:
        return wanted.lower() in {self.name.variant.lower(), self.name.format, self.name.folder.lower()}

    def weight_set(self, component: str) -> WeightSet:
        folder = "" if component == self.name.folder else self.name.folder
        variant = self.name.variant or folder
        present = [WeightFile(path, entry.size, None) for path, entry in self.files.items()]
        absent = [WeightFile(path, None, None, why=f"{printable(path)} is missing") for path in self.missing]
        files = sorted([*present, *absent], key=lambda file: file.path)
        return WeightSet(component, self.name.format, variant, tuple(files), self.index_total)


def choose(files: Sequence[FileEntry], documents: Mapping[str, Any], variant: str | None = None, path: str | None = None) -> Choice:
    """Return which weights would be loaded. ``documents`` must hold the indices and the list of components, if any.

    Raises NotFound when the variant or file that was asked for is not there.
    """
    problems: list[Problem] = []
    candidates = _candidates(files, documents, problems)
    if path is not None:
        chosen = {"": _holding(candidates, path)}
    else:
        components = _components(documents, candidates, problems)
        if variant is not None and not any(candidate.answers(variant) for candidate in candidates):
            raise NotFound(f"no variant {variant!r} here", f"there is {_named(_variants(candidates)) or 'no weight file at all'}")
        found = {component: _pick(component, candidates, variant, problems) for component in components}
        chosen = {component: candidate for component, candidate in found.items() if candidate is not None}
    for candidate in chosen.values():
        _check_complete(candidate, problems)
    taken = {id(candidate) for candidate in chosen.values()}
    return Choice(
        tuple(candidate.weight_set(component) for component, candidate in chosen.items()),
        tuple(_rest(candidate, chosen) for candidate in candidates if id(candidate) not in taken and candidate.files),
        tuple(problems),
    )


def _rest(candidate: _Candidate, chosen: Mapping[str, _Candidate]) -> WeightSet:
    return candidate.weight_set(candidate.name.folder if candidate.name.folder in chosen else "")


def _variants(candidates: Iterable[_Candidate]) -> list[str]:
    return sorted({c.name.variant or c.name.folder or c.name.format for c in candidates if c.files})


def _named(names: Sequence[str]) -> str:
    more = len(names) - _NAMED_AT_MOST
    return ", ".join(map(printable, names[:_NAMED_AT_MOST])) + (f" and {more} more" if more > 0 else "")


def _candidates(files: Sequence[FileEntry], documents: Mapping[str, Any], problems: list[Problem]) -> list[_Candidate]:
    """Return every set of files that belongs together, by index or else by name."""
    by_path = {file.path: file for file in files}
    result: list[_Candidate] = []
    indexed: set[str] = set()
    for index_path in sorted(documents):
        name = index_name(index_path)
        if name is not None:
            candidate = _by_index(name, index_path, documents[index_path], by_path, problems)
            if candidate is not None:
                result.append(candidate)
                indexed.update(candidate.files)
    groups: dict[tuple[object, ...], _Candidate] = {}
    for file in files:
        file_name = weight_name(file.path)
        if file_name is not None and file.path not in indexed:
            # Shards and a single file of one name are two sets; so are runs of shards of different lengths.
            key = (*file_name.key, file_name.shards, file_name.shard is None)
            groups.setdefault(key, _Candidate(file_name)).files[file.path] = file
    for candidate in groups.values():
        candidate.missing = _missing_shards(candidate)
    return result + list(groups.values())


def _by_index(name: Name, index_path: str, index: Any, by_path: Mapping[str, FileEntry], problems: list[Problem]) -> _Candidate | None:
    weight_map = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(weight_map, dict) or not all(isinstance(value, str) for value in weight_map.values()):
        problems.append(
            Problem(index_path, f"{printable(index_path)} has no weight_map of tensor names to files; publish the index again", fatal=True)
        )
        return None
    prefix = f"{name.folder}/" if name.folder else ""
    paths = sorted({prefix + file for file in weight_map.values()})
    candidate = _Candidate(name, index=index_path)
    candidate.files = {path: by_path[path] for path in paths if path in by_path}
    candidate.missing = [path for path in paths if path not in by_path]
    metadata = index.get("metadata")
    total = metadata.get("total_size") if isinstance(metadata, dict) else None
    if isinstance(total, float) and total.is_integer():
        total = int(total)
    candidate.index_total = total if type(total) is int and total >= 0 else None
    return candidate


def _missing_shards(candidate: _Candidate) -> list[str]:
    count = candidate.name.shards
    if count is None or count <= len(candidate.files):
        return []
    first = min(candidate.files)
    paths = (shard_path(first, number) for number in range(1, min(count, SHARDS_LIMIT) + 1))
    return [path for path in paths if path not in candidate.files]


def _components(documents: Mapping[str, Any], candidates: Sequence[_Candidate], problems: list[Problem]) -> list[str]:
    """Return the components that should have weights: folders of a pipeline or of a sentence encoder, or the root alone."""
    folders = {candidate.name.folder for candidate in candidates}
    pipeline = documents.get("model_index.json")
    if isinstance(pipeline, dict):
        result = []
        for component, value in sorted(pipeline.items()):
            if not (isinstance(value, list) and len(value) == 2 and isinstance(value[1], str)):
                continue
            if component in folders:
                result.append(component)
            elif not value[1].endswith(_WEIGHTLESS):
                text = f"model_index.json lists {printable(component)} ({printable(value[1])}), which has no weight file; fetch that folder"
                problems.append(Problem("model_index.json", text, fatal=True))
        return result
    modules = documents.get("modules.json")
    if isinstance(modules, list):
        paths = [module.get("path") for module in modules if isinstance(module, dict)]
        listed = [path for path in paths if isinstance(path, str) and path in folders]
        if listed:
            return sorted(set(listed))
    return [""]


def _rank(candidate: _Candidate, wanted: str | None) -> tuple[object, ...]:
    name = candidate.name
    return (
        not candidate.files,
        wanted is not None and not candidate.answers(wanted),
        bool(name.variant) and name.format != "gguf",
        name.stem not in KNOWN_STEMS and name.format != "gguf",
        FORMATS.index(name.format),
        KNOWN_STEMS.index(name.stem) if name.stem in KNOWN_STEMS else 0,
        bool(candidate.missing),
        candidate.index is None,
        name.format == "gguf" and name.variant.lower() != _GGUF_DEFAULT,
        {"fp16": 0, "bf16": 1}.get(name.variant, 2),
        name.variant,
        name.stem,
    )


def _pick(component: str, candidates: Sequence[_Candidate], wanted: str | None, problems: list[Problem]) -> _Candidate | None:
    here = [candidate for candidate in candidates if candidate.name.folder == component]
    if component == "":
        # Elsewhere than in the root only where the root has nothing, or where a folder was asked for by name.
        elsewhere = [c for c in candidates if c.name.folder and "mmproj" not in c.name.stem]
        asked = [c for c in candidates if wanted is not None and c.answers(wanted)]
        here = asked or [c for c in here if "mmproj" not in c.name.stem] or elsewhere
    if not here:
        return None
    best = min(here, key=lambda candidate: _rank(candidate, wanted))
    if wanted is not None and not best.answers(wanted):
        text = f"{printable(component)} has no variant {wanted!r}; its default is counted"
        problems.append(Problem(component, text))
    rivals = [c for c in here if c is not best and c.files and _equal_claim(c, best, wanted)]
    if rivals and best.name.format == "gguf":
        names = _named(sorted(c.name.variant for c in rivals))
        text = f"{printable(min(best.files))} is taken of {len(rivals) + 1} quantizations ({names}); choose one with --variant or :path"
        problems.append(Problem(min(best.files), text))
    elif rivals:
        text = f"{_named(sorted(min(c.files) for c in [best, *rivals]))} could each be the model; choose one with --variant or :path"
        problems.append(Problem(component or ".", text, fatal=True))
        return None
    elif best.name.variant and wanted is None and best.name.format != "gguf":
        text = f"{printable(component) or 'the model'} is published as variant {best.name.variant!r} only, which is counted"
        problems.append(Problem(component or min(best.files), text))
    return best


def _equal_claim(rival: _Candidate, best: _Candidate, wanted: str | None) -> bool:
    """Return whether nothing in the names says why ``best`` should be loaded rather than ``rival``."""
    if wanted is not None and rival.answers(wanted) != best.answers(wanted):
        return False
    if rival.name.format != best.name.format:
        return False
    if best.name.format == "gguf":
        return True
    if best.name.stem in KNOWN_STEMS and best.name.folder == rival.name.folder:
        return False
    return (rival.name.stem in KNOWN_STEMS) == (best.name.stem in KNOWN_STEMS) and rival.name.variant == best.name.variant


def _holding(candidates: Sequence[_Candidate], path: str) -> _Candidate:
    for candidate in candidates:
        if path in candidate.files:
            return candidate
    raise NotFound(f"no weight file {path!r} here", f"there is {_named([min(c.files) for c in candidates if c.files]) or 'none at all'}")


def _check_complete(candidate: _Candidate, problems: list[Problem]) -> None:
    if not candidate.missing:
        return
    names = _named(candidate.missing)
    where = printable(candidate.index or min(candidate.files))
    fault = f"{where} names files that are missing ({names})" if candidate.index else f"shards are missing beside {where}: {names}"
    problems.append(Problem(where, f"{fault}; fetch them", fatal=True))

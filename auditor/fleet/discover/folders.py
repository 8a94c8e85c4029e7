"""What lies on a disk: models, caches and stores of models, saved snapshots, and manifests, anywhere below a folder.

Links are not followed: a folder that links to itself would have no end, and one that links out is somebody else's.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from auditor.fleet.discover import manifests, ollama
from auditor.fleet.discover.documents import MAX_BYTES
from auditor.fleet.discover.found import MODELS_LIMIT, DiscoverOptions, Found
from auditor.fleet.model import FleetModel
from auditor.sources import saved
from auditor.units import MIB
from auditor.weights.names import weight_name

MAX_DEPTH = 24
#: Files and folders looked at below one source.
ENTRIES_LIMIT = 5_000_000
_SKIPPED = {".git", ".huggingface", "__pycache__", "node_modules", ".venv", ".locks"}
_DESCRIPTIONS = ("model_index.json", "adapter_config.json", "modules.json")
#: What tells the configuration of a model from any other ``config.json``.
_OF_A_MODEL = (b'"model_type"', b'"architectures"', b'"_class_name"', b'"n_layer', b'"hidden_size"')
_CONFIG_LIMIT = MIB
#: What a file of manifests that serves models must contain one of.
_MARKS = (
    b"vllm",
    b"sglang",
    b"text-generation",
    b"text-embeddings",
    b"tritonserver",
    b"trtllm",
    b"llama-server",
    b"huggingfaceserver",
    b"InferenceService",
    b"RayService",
    b"kaito.sh",
    b"LeaderWorkerSet",
    b"nvcr.io/nim/",
    b"ollama/ollama",
    b"llama.cpp",
)
#: What such a file may refer to.
_REFERRED_TO = (b"ConfigMap", b"ServingRuntime", b"LLMInferenceServiceConfig", b"ResourceClaim", b"scaleTargetRef")


@dataclass
class _Folder:
    """The entries of one folder, links left out."""

    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    unprintable: int = 0


def tree(root: Path, options: DiscoverOptions) -> Found:
    """Return everything below a folder that ``auditor audit`` could take, and what manifests serve."""
    return Found.all_of(_walk(root, options))


def _walk(root: Path, options: DiscoverOptions) -> Iterator[Found]:
    pending = [(root, 0)]
    seen = models = 0
    while pending:
        path, depth = pending.pop()
        try:
            folder = _entries(path)
        except OSError as error:
            yield Found(problems=(f"{path} cannot be read ({error.strerror or error})",))
            continue
        seen += len(folder.files) + len(folder.folders)
        found, descend = _here(path, folder, options)
        models += len(found.models)
        yield found
        if folder.unprintable:
            yield Found(problems=(f"{path}: {folder.unprintable} names in it cannot be printed; rename what they name",))
        if seen > ENTRIES_LIMIT or models > MODELS_LIMIT:
            yield Found(problems=(f"{root}: more than {ENTRIES_LIMIT:,} files or {MODELS_LIMIT:,} models; name smaller folders",))
            return
        if descend and depth >= MAX_DEPTH and folder.folders:
            yield Found(problems=(f"{path}: folders nest deeper than {MAX_DEPTH} levels; name this folder to look into it",))
        elif descend:
            # The last one in is the first one out: folders come in the order of their names.
            pending += [(path / name, depth + 1) for name in reversed(folder.folders)]


def _entries(path: Path) -> _Folder:
    folder = _Folder()
    with os.scandir(path) as items:
        for item in items:
            if not item.name.isprintable():
                folder.unprintable += 1
                continue
            if item.is_dir(follow_symlinks=False):
                if item.name not in _SKIPPED:
                    folder.folders.append(item.name)
            elif item.is_file(follow_symlinks=False):
                folder.files.append(item.name)
    folder.files.sort()
    folder.folders.sort()
    return folder


def _here(path: Path, folder: _Folder, options: DiscoverOptions) -> tuple[Found, bool]:
    """Return what a folder itself holds, and whether to look into its folders."""
    if ollama.is_store(path):
        return ollama.store(path), False
    if path.name.startswith("models--") and {"snapshots", "refs", "blobs"} & set(folder.folders):
        return cached(path), False
    loose = [FleetModel(str(path / name), found=str(path / name)) for name in folder.files if name.endswith(saved.SUFFIXES)]
    others = manifest_files([path / name for name in folder.files if name.endswith((".yaml", ".yml"))], options)
    if is_model(path, folder.files):
        return Found.all_of([Found((*loose, FleetModel(str(path), found=str(path)))), others]), False
    loose += [FleetModel(str(path / name), found=str(path / name)) for name in one_of_each(folder.files)]
    return Found.all_of([Found(tuple(loose)), others]), True


def is_model(path: Path, files: Sequence[str]) -> bool:
    """Return whether a folder is one model: something describes it, or its weights are of one model."""
    if any(name in files for name in _DESCRIPTIONS):
        return True
    weights = [name for name in files if name.endswith(".safetensors") and weight_name(name) is not None]
    return bool(weights) or ("config.json" in files and _describes(path / "config.json"))


def one_of_each(files: Sequence[str]) -> list[str]:
    """Return the GGUF files of a folder, of each set of shards the first: each quantization is a model of its own."""
    return [
        name
        for name in files
        if name.endswith(".gguf")
        and not name.startswith("mmproj")
        and (weight := weight_name(name))
        and (weight.shards is None or "-00001-of-" in name)
    ]


def _describes(config: Path) -> bool:
    try:
        with config.open("rb") as file:
            start = file.read(_CONFIG_LIMIT)
    except OSError:
        return True  # reported when it is audited
    return any(mark in start for mark in _OF_A_MODEL)


def manifest_files(paths: Sequence[Path], options: DiscoverOptions) -> Found:
    """Return what YAML files found by the way serve, those of one folder together; most are about something else."""
    serving, beside, problems = [], [], []
    for path in paths:
        try:
            data = path.read_bytes() if path.stat().st_size <= MAX_BYTES else b""
        except OSError as error:
            problems.append(f"{path} cannot be read ({error.strerror or error})")
            continue
        if any(mark in data for mark in _MARKS):
            serving.append(path)
        elif any(mark in data for mark in _REFERRED_TO):
            beside.append(path)
    if not serving:
        return Found(problems=tuple(problems))
    found = manifests.read_files(serving, options, beside)
    return replace(found, problems=(*problems, *found.problems))


def cached(home: Path) -> Found:
    """Return a model of the Hub's cache: what ``main`` names, or every snapshot where nothing does."""
    name = home.name.removeprefix("models--").replace("--", "/")
    try:
        snapshots = sorted(item.name for item in (home / "snapshots").iterdir() if item.is_dir())
    except OSError:
        snapshots = []
    if not snapshots:
        return Found(problems=(f"{home}: holds no snapshot of {name}; fetch it again, or remove it",))
    try:
        main = (home / "refs" / "main").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        main = ""
    paths = [home] if main in snapshots else [home / "snapshots" / commit for commit in snapshots]
    return Found(tuple(FleetModel(str(path), name=name, found=str(path)) for path in paths))

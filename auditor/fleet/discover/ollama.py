"""Ollama's store: ``manifests/REGISTRY/NAMESPACE/MODEL/TAG`` name the layers of a model, ``blobs/sha256-…`` hold them.

Shape: the manifests that Ollama writes (ollama/ollama, server/internal/manifest, and Docker's distribution manifest, version 2).
"""

import re
from pathlib import Path
from typing import Any

from auditor.bounded_json import parse_object
from auditor.errors import TargetError
from auditor.fleet.discover.found import Found
from auditor.fleet.model import FleetModel
from auditor.units import MIB

_LAYER = "application/vnd.ollama.image."
_DIGEST = re.compile(r"sha256[:-]([0-9a-f]{64})")
_LIMIT = MIB
_MANIFESTS_LIMIT = 100_000
_HOME = "registry.ollama.ai"


def is_store(path: Path) -> bool:
    """Return whether a folder is a store, as ``~/.ollama/models`` is."""
    return (path / "manifests").is_dir() and (path / "blobs").is_dir()


def store(path: Path) -> Found:
    """Return every model of a store; one whose manifest or blob is broken is a problem, and the others are read."""
    parts = []
    for at, manifest in enumerate(sorted((path / "manifests").glob("*/*/*/*"))):
        if at >= _MANIFESTS_LIMIT:
            parts.append(Found(problems=(f"{path}: more than {_MANIFESTS_LIMIT:,} models",)))
            break
        if manifest.is_file() and not manifest.is_symlink():
            parts.append(_model(path, manifest))
    return Found.all_of(parts)


def _model(store: Path, manifest: Path) -> Found:
    registry, namespace, model, tag = manifest.parts[-4:]
    owner = "" if (registry, namespace) == (_HOME, "library") else f"{namespace}/" if registry == _HOME else f"{registry}/{namespace}/"
    try:
        layers = _object(manifest).get("layers")
        kinds = _blobs(layers if isinstance(layers, list) else [], store, manifest)
        if "model" not in kinds:
            return Found(notes=(f"{manifest}: holds no weights here",))
        if not kinds["model"].is_file():
            return Found(problems=(f"{manifest}: its weights {kinds['model'].name} are not in the store; pull the model again",))
        workload: dict[str, Any] = {}
        context = _object(kinds["params"]).get("num_ctx") if "params" in kinds else None
        if type(context) is int and context > 0:
            workload["context"] = context
    except TargetError as error:
        return Found(problems=(str(error),))
    serving = {"engine": "ollama"} | ({"adapter": True} if "adapter" in kinds else {})
    return Found((FleetModel(str(kinds["model"]), name=f"{owner}{model}:{tag}", found=str(manifest), workload=workload, serving=serving),))


def _blobs(layers: list[Any], store: Path, manifest: Path) -> dict[str, Path]:
    """Return the file of each kind of layer. Raises TargetError for a digest that is none."""
    found: dict[str, Path] = {}
    for layer in layers:
        kind, digest = (layer.get("mediaType"), layer.get("digest")) if isinstance(layer, dict) else (None, None)
        if not isinstance(kind, str) or not kind.startswith(_LAYER):
            continue
        name = _DIGEST.fullmatch(digest) if isinstance(digest, str) else None
        if name is None:
            raise TargetError(f"{manifest}: a layer without a digest", "pull the model again")
        found.setdefault(kind.removeprefix(_LAYER), store / "blobs" / f"sha256-{name[1]}")
    return found


def _object(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(_LIMIT + 1)
    except OSError as error:
        raise TargetError(f"{path} cannot be read ({error.strerror or error})", "pull the model again") from None
    return parse_object(data, str(path), limit=_LIMIT)

"""Where a report points: the line of the fleet file that names a model, or the line of the model's own file that decided.

Lines are those of the files as they lie on disk, read when a report that points asks for them. A model that lies elsewhere is
pointed at where its config would lie in a mirror of the Hub: ``org/name/config.json``.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from auditor.inspection.model import Inspection, Origin
from auditor.positions import SIZE_LIMIT, KeyPath, key_lines, text_line
from auditor.results import Audit, Place, Places
from auditor.sources import hub_name
from auditor.sources.pointers import SIZE_LIMIT as POINTER_LIMIT
from auditor.sources.pointers import parse_pointer

#: What says what a model is, the most telling first.
_DOCUMENTS = ("config.json", "model_index.json", "adapter_config.json", "params.json")


def anchored(audit: Audit, here: Path) -> Audit:
    """Return the audit with the places in files that its reports can point at.

    Paths are relative to the root of the repository around ``here``, or to ``here`` outside of one.
    """
    root = next((place for place in (here, *here.parents) if (place / ".git").exists()), here)
    return replace(audit, models=tuple(replace(model, places=_places(model.inspection, here, root)) for model in audit.models))


def _places(inspection: Inspection, here: Path, root: Path) -> Places:
    base = _on_disk(inspection.target or inspection.id, here)
    if base is None:
        whole, found = Place(mirrored(inspection.id)), {}
    else:
        whole, found = Place(_shown(_main_file(base), root)), _lines(inspection.origins, base, root)
    if inspection.entry is None:
        return Places(whole, found)
    listed = Place(_shown(here / inspection.entry.path, root), inspection.entry.line)
    return Places(listed, found, listed=True)


def _on_disk(target: str, here: Path) -> Path | None:
    """Return the folder or the file that a target names; None for one that lies elsewhere."""
    for text in (target, target.rpartition(":")[0]):  # a colon leads to one of several models in a folder
        path = here / Path(text.removeprefix("file://")).expanduser()
        try:
            if text and path.exists():
                return path
        except (OSError, ValueError):
            continue
    return None


def _main_file(base: Path) -> Path:
    """Return the file that stands for the model as a whole."""
    if not base.is_dir():
        return base
    return next((base / name for name in _DOCUMENTS if (base / name).is_file()), base / "config.json")


def _lines(origins: Mapping[str, Origin], base: Path, root: Path) -> dict[str, Place]:
    """Return the place of each origin whose file is there."""
    wanted: dict[Path, set[KeyPath]] = {}
    files = {name: file for name, origin in origins.items() if (file := _file(base, origin)).is_file()}
    for name, file in files.items():
        wanted.setdefault(file, set()).add(origins[name].keys)
    lines = {file: _of_file(file, keys) for file, keys in wanted.items()}
    return {name: _place(origins[name], file, lines[file], root) for name, file in files.items()}


def _place(origin: Origin, file: Path, lines: Mapping[KeyPath, int], root: Path) -> Place:
    """Return the place of a key, or of the nearest object around it that is there."""
    near = (lines[origin.keys[:depth]] for depth in range(len(origin.keys), 0, -1) if origin.keys[:depth] in lines)
    return Place(_shown(file, root), origin.line or next(near, 1))


def _file(base: Path, origin: Origin) -> Path:
    if base.is_dir():
        return base / origin.path
    # A weight file was read with its other shards; of every other file it is the whole model that is one file.
    return base.with_name(origin.path) if base.name.endswith((".safetensors", ".gguf")) else base


def _of_file(file: Path, wanted: Iterable[KeyPath]) -> dict[KeyPath, int]:
    """Return the lines of keys in a file; of one that holds no text, none."""
    keys = {path[:depth] for path in wanted for depth in range(1, len(path) + 1)}
    try:
        with file.open("rb") as opened:
            data = opened.read(SIZE_LIMIT + 1 if file.suffix == ".json" else POINTER_LIMIT)
    except OSError:
        return {}
    if file.suffix == ".json":
        return key_lines(data, keys)
    if file.suffix != ".md" and parse_pointer(data) is None:
        return {}
    return {key: line for key in keys if (line := text_line(data, key[0])) is not None}


def _shown(file: Path, root: Path) -> str:
    """Return a path relative to ``root``, with forward slashes; one outside of it without what leads there."""
    for one, other in ((file.absolute(), root), (file.resolve(), root.resolve())):
        relative = os.path.relpath(os.path.normpath(one), other)
        if not relative.startswith(".."):
            return PurePosixPath(relative.replace(os.sep, "/")).as_posix()
    return "/".join(_parts(str(file)))


def mirrored(identity: str) -> str:
    """Return where the config of a model that lies elsewhere would lie: ``org/name/config.json``."""
    hub = hub_name(identity)
    return "/".join([*_parts(hub[0] if hub else identity), "config.json"])


def _parts(path: str) -> list[str]:
    return [part for part in PurePosixPath(path.replace("\\", "/")).parts if part not in ("/", "..", ".")]

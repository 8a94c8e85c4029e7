"""A cheap mark of a model's state: when it is the same, the model need not be read again."""

import hashlib
import os
from pathlib import Path

from auditor.errors import TargetError
from auditor.sources import hub_name
from auditor.sources.options import SourceOptions

#: Files in a folder of a model beyond which a mark would cost more than reading the model.
_MAX_FILES = 100_000


def fingerprint(target: str, options: SourceOptions) -> str | None:
    """Return a mark that changes whenever the model does, or None where none is to be had without reading it.

    On disk: names, sizes and times of change; a link counts as what it points to. On the Hub: the commit.
    """
    path = Path(target).expanduser()
    try:
        if path.is_dir():
            return _folder(path)
        if path.is_file():
            return _mark([f"{_state(path)}"])
    except OSError:
        return None
    return None if "://" in target or options.offline or options.fast else _hub(target, options)


def _folder(path: Path) -> str | None:
    states: list[str] = []
    folders = [str(path)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != ".git":
                        folders.append(entry.path)
                    continue
                try:
                    found = entry.stat()
                except FileNotFoundError:  # a link to nothing
                    found = entry.stat(follow_symlinks=False)
                states.append(f"{entry.path}\0{found.st_size}\0{found.st_mtime_ns}")
        if len(states) > _MAX_FILES:
            return None
    return _mark(sorted(states))


def _state(path: Path) -> str:
    found = path.stat()
    return f"{path}\0{found.st_size}\0{found.st_mtime_ns}"


def _mark(states: list[str]) -> str:
    return "disk:" + hashlib.sha256("\n".join(states).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _hub(target: str, options: SourceOptions) -> str | None:
    name = hub_name(target)
    if name is None:
        return None
    # The Hub's library is imported only for its models.
    from auditor.sources.hub import HubRepository  # noqa: PLC0415

    repository = HubRepository(name[0], name[1] or options.revision, options)
    try:
        repository.listing()
    except TargetError:
        return None
    return f"hub:{repository.revision}" if repository.revision else None

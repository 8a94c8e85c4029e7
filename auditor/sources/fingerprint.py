"""A cheap mark of a model's state: when it is the same, the model need not be read again."""

import hashlib
import os
from pathlib import Path

from auditor.errors import TargetError
from auditor.sources import hub_name
from auditor.sources.options import SourceOptions

#: Files in a folder of a model beyond which a mark would cost more than reading the model.
_MAX_FILES = 100_000


def fingerprint(target: str, options: SourceOptions, *, seen: bool = True) -> str | None:
    """Return a mark that changes whenever the model does, or None where none is to be had without reading it.

    On disk: names, sizes and times of change; a link counts as what it points to. In an object store: names, sizes and etags.
    On the Hub: the commit, which is asked for only of a model that was ``seen`` before (``mark_of`` is for the others).
    """
    path = Path(target).expanduser()
    try:
        if path.is_dir():
            return _folder(path)
        if path.is_file():
            return _mark([f"{_state(path)}"])
    except OSError:
        return None
    if options.offline:
        return None
    try:
        name = hub_name(target)
        if name is None:
            return _object_store(target)
        return _hub(name[0], name[1] or options.revision, options) if seen else None
    except TargetError:
        return None


def mark_of(source: str, revision: str | None) -> str | None:
    """Return the mark that ``fingerprint`` gives a model that was read in this state, or None where only its files tell."""
    return f"hub:{revision}" if source == "hub" and revision else None


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
    return "disk:" + _digest(states)


def _digest(states: list[str]) -> str:
    return hashlib.sha256("\n".join(states).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _object_store(url: str) -> str | None:
    scheme = url.partition("://")[0]
    if "://" not in url or scheme == "file":
        return None
    from auditor.sources.object_store import DRIVERS, ObjectStore  # noqa: PLC0415 - an extra, for who names a URL

    states = ObjectStore(url).states if scheme in DRIVERS else None
    return "store:" + _digest(states) if states else None


def _hub(identity: str, revision: str | None, options: SourceOptions) -> str | None:
    # The Hub's library is imported only for its models.
    from auditor.sources.hub import HubRepository  # noqa: PLC0415

    repository = HubRepository(identity, revision, options)
    repository.listing()
    return mark_of(repository.source, repository.revision)

"""The Hub's cache on disk, without network: ``models--ORG--NAME/{refs,snapshots,blobs}``."""

from pathlib import Path

from auditor.errors import NotFound
from auditor.sources.folder import Folder

_FETCH = "fetch it with `hf download`, or leave out --offline"


def cached(cache: Path, identity: str, revision: str | None) -> Folder:
    """Return the snapshot folder of a model in the cache. Raises NotFound when it is not there."""
    home = cache / f"models--{identity.replace('/', '--')}"
    if not home.is_dir():
        raise NotFound(f"{identity} is not in the Hub's cache at {cache}", _FETCH)
    return _snapshot(home, identity, revision)


def cache_folder(path: Path) -> Folder | None:
    """Return the model when ``path`` is a model's folder in a cache, or one of its snapshots; else None. Raises NotFound."""
    if _is_home(path) and (path / "snapshots").is_dir():
        return _snapshot(path, _identity(path), None)
    if path.parent.name == "snapshots" and _is_home(path.parent.parent):
        return Folder(path, _identity(path.parent.parent), source="cache", revision=path.name)
    return None


def _is_home(path: Path) -> bool:
    return path.name.startswith("models--")


def _identity(home: Path) -> str:
    return home.name.removeprefix("models--").replace("--", "/")


def _snapshot(home: Path, identity: str, revision: str | None) -> Folder:
    wanted = revision or "main"
    # A revision is a user's text: it must not lead out of refs/ or snapshots/.
    names = [_ref(home, wanted), wanted] if ".." not in wanted.split("/") and not wanted.startswith("/") else []
    for commit in names:
        if commit and (home / "snapshots" / commit).is_dir():
            return Folder(home / "snapshots" / commit, identity, source="cache", revision=commit)
    raise NotFound(f"{identity} has no revision {wanted!r} in the cache", _FETCH)


def _ref(home: Path, name: str) -> str | None:
    try:
        commit = (home / "refs" / name).read_text().strip()
    except (OSError, UnicodeDecodeError):
        return None
    return commit if commit.isalnum() else None

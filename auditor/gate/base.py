"""The state of a git repository at an earlier revision: which files changed since, and models as they were."""

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from auditor.errors import ConfigError, NotFound, TargetError
from auditor.gate.changed import DOCUMENTS
from auditor.snapshot import FileEntry, Snapshot
from auditor.sources.base import Listing, Range
from auditor.sources.options import SourceOptions
from auditor.sources.pointers import SIZE_LIMIT, parse_pointer
from auditor.sources.take import take

_TIMEOUT_S = 60
_REGULAR = ("100644", "100755")


def _git(folder: Path, *arguments: str, take_bytes: int | None = None) -> bytes:
    """Return what git writes, or its first ``take_bytes``. Raises ConfigError with git's own words."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:  # noqa: S603
            if take_bytes is not None and process.stdout is not None:
                found = process.stdout.read(take_bytes)
                process.kill()
                return found
            out, err = process.communicate(timeout=_TIMEOUT_S)
    except FileNotFoundError:
        raise ConfigError("git is not installed", "--changed-since asks it what changed") from None
    except subprocess.TimeoutExpired:
        process.kill()
        raise ConfigError(f"git {arguments[0]} did not answer within {_TIMEOUT_S} s") from None
    if process.returncode:
        reason = err.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise ConfigError(f"git {arguments[0]} failed: {reason[0]}", "check --changed-since, and that its history is fetched")
    return out


@dataclass(frozen=True, slots=True)
class _Changes:
    """What differs from the base."""

    files: tuple[Path, ...]
    """Every file, moved, deleted and untracked ones too, sorted."""
    moved: Mapping[Path, Path]
    """Where a file lay before."""
    deleted: frozenset[Path]


def _changes(root: Path, commit: str) -> _Changes:
    untracked = _git(root, "ls-files", "--others", "--exclude-standard", "-z").split(b"\0")
    listed = _git(root, "diff", "--name-status", "--find-renames", "-z", commit).split(b"\0")
    files = {root / os.fsdecode(name) for name in untracked if name}
    moved: dict[Path, Path] = {}
    deleted: set[Path] = set()
    words = (os.fsdecode(word) for word in listed if word)
    for status in words:
        path = root / next(words)
        files.add(path)
        if status == "D":
            deleted.add(path)
        elif status.startswith("R"):
            new = root / next(words)
            moved[new] = path
            files.add(new)
    return _Changes(tuple(sorted(files)), moved, frozenset(deleted))


class Base:
    """An earlier revision of the repository around ``folder``: where the branch of today left that of ``revision``.

    Raises ConfigError where there is no repository, no such revision, or no history that leads to it.
    """

    def __init__(self, folder: Path, revision: str) -> None:
        if revision.startswith("-"):
            raise ConfigError(f"{revision} is no revision", "name a commit, a branch or a tag")
        self.root = Path(os.fsdecode(_git(folder, "rev-parse", "--show-toplevel")).strip())
        self.commit = self._common(revision)
        self._changes = _changes(self.root, self.commit)

    def _common(self, revision: str) -> str:
        try:
            return _git(self.root, "merge-base", revision, "HEAD").decode().strip()
        except ConfigError as error:
            if _git(self.root, "rev-parse", "--is-shallow-repository").strip() != b"true":
                raise
            hint = "the clone is shallow: fetch its history (git fetch --unshallow, or fetch-depth: 0 of actions/checkout)"
            raise ConfigError(error.message, hint) from None

    def changed(self) -> tuple[Path, ...]:
        """Return every file that differs from the base, moved, deleted and untracked ones too, sorted."""
        return self._changes.files

    def gone(self, files: Iterable[Path]) -> list[str]:
        """Return the folders of the models among ``files`` that were there at the base and are not any more."""
        documents = (file for file in files if file in self._changes.deleted and file.name in DOCUMENTS)
        return sorted({str(file.parent) for file in documents if not file.parent.exists()})

    def _formerly(self, path: Path) -> Path:
        """Return where a model lay at the base: elsewhere, where its file or the documents of its folder were moved."""
        moved = self._changes.moved
        documents = (path / name for name in sorted(DOCUMENTS))
        return moved.get(path) or next((moved[one].parent for one in documents if one in moved), path)

    def snapshot(self, target: str, options: SourceOptions) -> Snapshot | None:
        """Return a model as it was; None where it was not there. ``target`` is a folder or a file of today.

        Raises TargetError for one that could not be read then either.
        """
        path = Path(target).resolve()
        is_folder, path = path.is_dir(), self._formerly(path)
        inner = None if is_folder else path.name
        folder = path if is_folder else path.parent
        tree = _Tree(self.root, self.commit, folder.relative_to(self.root.resolve()).as_posix(), target)
        if not tree.listing().files or (inner is not None and all(file.path != inner for file in tree.listing().files)):
            return None
        try:
            return take(tree, options, inner)
        except NotFound:
            return None


class _Tree:
    """One folder of one commit, as a repository of the sources."""

    source = "git"

    def __init__(self, root: Path, commit: str, folder: str, identity: str) -> None:
        self.id = identity
        self.revision: str | None = commit
        self._root = root
        shared = _git(root, "rev-parse", "--git-common-dir").decode().strip()
        self._store = root / shared / "lfs" / "objects"
        self._objects: dict[str, str] = {}
        self._listing = self._list(commit, folder)

    def listing(self) -> Listing:
        """Return the folder's files; links are left out."""
        return self._listing

    def _list(self, commit: str, folder: str) -> Listing:
        within = "" if folder == "." else f"{folder}/"
        listed = _git(self._root, "ls-tree", "-r", "-z", "--long", "--full-tree", commit, *([within] if within else []))
        files = []
        for line in listed.split(b"\0"):
            about, _, name = line.decode(errors="surrogateescape").partition("\t")
            if not about:
                continue
            mode, _, blob, size = about.split()
            if mode in _REGULAR:
                path = name.removeprefix(within)
                self._objects[path] = blob
                files.append(self._entry(path, blob, int(size)))
        return Listing(tuple(files))

    def _entry(self, path: str, blob: str, size: int) -> FileEntry:
        pointer = parse_pointer(_git(self._root, "cat-file", "blob", blob)) if size < SIZE_LIMIT else None
        if pointer is None:
            return FileEntry(path, size)
        fetched = self._store / pointer.sha256[:2] / pointer.sha256[2:4] / pointer.sha256
        if fetched.is_file() and fetched.stat().st_size == pointer.size:
            self._objects[path] = str(fetched)
        return FileEntry(path, pointer.size, pointer=not fetched.is_file())

    def read(self, ranges: Sequence[Range]) -> list[bytes | TargetError]:
        """Return the bytes of each range."""
        return [self._read(wanted) for wanted in ranges]

    def _read(self, wanted: Range) -> bytes | TargetError:
        where = self._objects[wanted.path]
        end = wanted.start + wanted.length
        try:
            if Path(where).is_absolute():
                with Path(where).open("rb") as file:
                    file.seek(wanted.start)
                    return file.read(wanted.length)
            return _git(self._root, "cat-file", "blob", where, take_bytes=end)[wanted.start :]
        except OSError as error:
            return TargetError(f"{wanted.path} cannot be read ({error.strerror})", "fetch the repository's objects")

"""The state of a git repository at an earlier revision: which files changed since, and models as they were."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from auditor.errors import ConfigError, NotFound, TargetError
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
        raise ConfigError(f"git {arguments[0]} failed: {reason[0]}", "check --changed-since, and that the history is fetched")
    return out


class Base:
    """An earlier revision of the repository around ``folder``: where the branch of today left that of ``revision``."""

    def __init__(self, folder: Path, revision: str) -> None:
        if revision.startswith("-"):
            raise ConfigError(f"{revision} is no revision", "name a commit, a branch or a tag")
        self.root = Path(_git(folder, "rev-parse", "--show-toplevel").decode().strip())
        self.commit = _git(self.root, "merge-base", revision, "HEAD").decode().strip()

    def changed(self) -> list[Path]:
        """Return every file that differs from the base, deleted and untracked ones too, sorted."""
        names = _git(self.root, "diff", "--name-only", "--no-renames", "-z", self.commit)
        names += _git(self.root, "ls-files", "--others", "--exclude-standard", "-z")
        return [self.root / name for name in sorted({name.decode(errors="surrogateescape") for name in names.split(b"\0") if name})]

    def snapshot(self, target: str, options: SourceOptions) -> Snapshot | None:
        """Return a model as it was; None where it was not there. ``target`` is a folder or a file of today.

        Raises TargetError for one that could not be read then either.
        """
        path = Path(target).resolve()
        inner = None if path.is_dir() else path.name
        folder = path if path.is_dir() else path.parent
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
        fetched = self._root / ".git" / "lfs" / "objects" / pointer.sha256[:2] / pointer.sha256[2:4] / pointer.sha256
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

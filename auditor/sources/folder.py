"""A model on disk: a folder, a git-LFS checkout, a snapshot in the Hub's cache, or one file.

A link is followed only to a regular file inside the folder or, in a Hub cache, inside that repository's own ``blobs/``.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from auditor.bounded_json import printable
from auditor.errors import Malformed, NotFound, TargetError
from auditor.snapshot import FileEntry, Problem
from auditor.sources.base import Listing, Range
from auditor.sources.pointers import SIZE_LIMIT, Pointer, parse_pointer

#: No model has more files; a home directory has.
FILES_LIMIT = 50_000
#: Folders that version control and download tools keep beside the model.
_SKIPPED = {".git", ".cache", ".huggingface", "__pycache__", "node_modules"}


@dataclass(frozen=True, slots=True)
class _Content:
    """Where a file's bytes really lie."""

    real: Path
    size: int
    pointer: bool = False


class Folder:
    """A folder, or the given ``files`` of it alone."""

    def __init__(
        self, root: Path, identity: str, *, source: str = "folder", revision: str | None = None, files: Sequence[str] | None = None
    ) -> None:
        self.id = identity
        self.revision = revision
        self.source = source
        self._root = root
        self._real_root = root.resolve()
        self._only = files
        self._contents: dict[str, _Content] = {}

    def listing(self) -> Listing:
        """Return every regular file below the folder. Raises NotFound and TargetError."""
        problems: list[Problem] = []
        allowed = [self._real_root, *_blobs(self._real_root)]
        paths = self._only if self._only is not None else sorted(_walk(self._root))
        for path in paths:
            try:
                content = self._locate(path, allowed)
            except TargetError as error:
                problems.append(Problem(printable(path), str(error), fatal=True))
            else:
                if content is not None:
                    self._contents[path] = content
        if any(content.pointer for content in self._contents.values()) and self.source == "folder":
            self.source = "lfs"
        entries = (FileEntry(path, content.size, pointer=content.pointer) for path, content in self._contents.items())
        return Listing(tuple(entries), tuple(problems))

    def read(self, ranges: Sequence[Range]) -> list[bytes | TargetError]:
        """Return the bytes of each range."""
        return [self._read(wanted) for wanted in ranges]

    def _read(self, wanted: Range) -> bytes | TargetError:
        try:
            with self._contents[wanted.path].real.open("rb") as file:
                file.seek(wanted.start)
                return file.read(wanted.length)
        except OSError as error:
            return TargetError(f"{wanted.path} cannot be read ({error.strerror})", "check its permissions")

    def _locate(self, path: str, allowed: Sequence[Path]) -> _Content | None:
        """Return where the bytes of ``path`` are, or None for what is no regular file. Raises Malformed."""
        link = self._root / path
        try:
            real = link.resolve(strict=True)
            status = real.stat()
        except (OSError, RuntimeError):  # RuntimeError: links in a circle
            raise Malformed(f"{printable(path)} is a link to a file that is not there", "fetch the file, or remove the link") from None
        if not any(real.is_relative_to(place) for place in allowed):
            raise Malformed(
                f"{printable(path)} is a link out of the model's folder, which is not followed", "copy the file into the folder"
            )
        if not stat.S_ISREG(status.st_mode):
            if link.is_symlink() and stat.S_ISDIR(status.st_mode):
                raise Malformed(
                    f"{printable(path)} is a link to a folder, which is not followed", "copy the folder, or audit its target itself"
                )
            return None
        pointer = _pointer(real, status.st_size)
        if pointer is None:
            return _Content(real, status.st_size)
        fetched = _lfs_object(self._real_root, pointer)
        return _Content(fetched, pointer.size) if fetched else _Content(real, pointer.size, pointer=True)


def _walk(root: Path) -> Iterator[str]:
    """Yield every path below ``root`` that is no folder, relative and with forward slashes. Raises NotFound, TargetError."""
    pending, count = [""], 0
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(root / folder) as items:
                for item in items:
                    path = f"{folder}/{item.name}" if folder else item.name
                    if item.is_dir(follow_symlinks=False):
                        if item.name not in _SKIPPED:
                            pending.append(path)
                        continue
                    count += 1
                    if count > FILES_LIMIT:
                        raise TargetError(f"{root} has more than {FILES_LIMIT:,} files", "name the folder of one model")
                    yield path
        except FileNotFoundError:
            raise NotFound(f"{root} does not exist", "check the path") from None
        except OSError as error:
            raise TargetError(f"{root / folder} cannot be read ({error.strerror})", "check its permissions") from None


def _blobs(root: Path) -> list[Path]:
    """Return the ``blobs`` folder that a snapshot of the Hub's cache may link to: its own repository's, and only that."""
    if root.parent.name != "snapshots" or not root.parent.parent.name.startswith("models--"):
        return []
    return [root.parent.parent / "blobs"]


def _pointer(real: Path, size: int) -> Pointer | None:
    if size >= SIZE_LIMIT:
        return None
    try:
        return parse_pointer(real.read_bytes())
    except OSError:
        return None  # reported when its content is wanted


def _lfs_object(root: Path, pointer: Pointer) -> Path | None:
    """Return git-LFS's own copy of the file, where the checkout holds one."""
    name = pointer.sha256
    copy = root / ".git" / "lfs" / "objects" / name[:2] / name[2:4] / name
    try:
        status = copy.lstat()
    except OSError:
        return None
    whole = stat.S_ISREG(status.st_mode) and status.st_size == pointer.size
    return copy if whole and copy.resolve().is_relative_to(root) else None

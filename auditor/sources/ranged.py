"""A file of a repository as a file object, for readers that seek: a few ranges, kept."""

import io
from typing import Any

from auditor.errors import TargetError
from auditor.sources.base import Range, Repository

#: What one read fetches at the least; a checkpoint's directory and pickle are rarely longer.
_PIECE = 65_536
#: What one file may fetch in all. Its weights are not wanted, so this is far more than is needed.
_TOTAL_LIMIT = 256_000_000


def open_ranged(repository: Repository, path: str, size: int) -> io.BufferedReader:
    """Return one file of ``size`` bytes. Reading raises TargetError, and ValueError where far more is asked than a header."""
    return io.BufferedReader(_RangedFile(repository, path, size))


class _RangedFile(io.RawIOBase):
    """One file, read in pieces of which the last is kept."""

    def __init__(self, repository: Repository, path: str, size: int) -> None:
        super().__init__()
        self._repository = repository
        self._path = path
        self._size = size
        self._at = 0
        self._start, self._data = 0, b""
        self._fetched = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the place of the next read."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the place of the next read."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError
        self._at = start + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill ``buffer`` as far as the file goes, and return how many bytes that were."""
        end = min(self._at + len(buffer), self._size)
        if end <= self._at:
            return 0
        if not (self._start <= self._at and end <= self._start + len(self._data)):
            self._fetch(end)
        result = self._data[self._at - self._start : end - self._start]
        buffer[: len(result)] = result
        self._at += len(result)
        return len(result)

    def _fetch(self, end: int) -> None:
        # A zip file is read from its end: a read near the end brings everything that follows it, and what stands before it.
        start = max(0, min(self._at, self._size - _PIECE)) if self._at + _PIECE > self._size else self._at
        length = max(end - start, min(_PIECE, self._size - start))
        self._fetched += length
        if self._fetched > _TOTAL_LIMIT:
            raise ValueError
        (answer,) = self._repository.read([Range(self._path, start, length)])
        if isinstance(answer, TargetError):
            raise answer
        self._start, self._data = start, answer

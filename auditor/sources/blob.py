"""A GGUF file under another name, as stores keep it that call a file by its digest."""

from collections.abc import Sequence
from pathlib import Path

from auditor.errors import TargetError
from auditor.snapshot import FileEntry
from auditor.sources.base import Listing, Range

_MAGIC = b"GGUF"
_NAME = "model.gguf"


def is_gguf(path: Path) -> bool:
    """Return whether a file's first bytes are those of GGUF."""
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


class Blob:
    """The file as a repository of one."""

    source = "gguf"
    revision = None

    def __init__(self, path: Path, identity: str) -> None:
        self.id = identity
        self._path = path

    def listing(self) -> Listing:
        """Return the one file, under a name that says what it is. Raises TargetError."""
        try:
            return Listing((FileEntry(_NAME, self._path.stat().st_size),))
        except OSError as error:
            raise self._unread(error) from None

    def read(self, ranges: Sequence[Range]) -> list[bytes | TargetError]:
        """Return the bytes of each range."""
        return [self._read(wanted) for wanted in ranges]

    def _read(self, wanted: Range) -> bytes | TargetError:
        try:
            with self._path.open("rb") as file:
                file.seek(wanted.start)
                return file.read(wanted.length)
        except OSError as error:
            return self._unread(error)

    def _unread(self, error: OSError) -> TargetError:
        return TargetError(f"{self.id} cannot be read ({error.strerror or error})", "check its permissions")

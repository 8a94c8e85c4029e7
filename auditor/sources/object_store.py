"""A model in an object store, through fsspec: a listing, and ranges of the files that matter.

Each store has its own driver, none of which is installed by default; they are imported where a URL asks for one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from auditor.errors import AccessDenied, NotFound, TargetError, Unreachable
from auditor.snapshot import FileEntry
from auditor.sources.base import Listing, Range
from auditor.sources.folder import FILES_LIMIT

#: Scheme of the URL, and the package that drives it. ``memory`` is fsspec's own store of a process.
DRIVERS = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
    "memory": "fsspec",
}
#: What drivers call the mark of a file's content, or else its time of change.
_CHANGES = ("ETag", "etag", "generation", "md5Hash", "LastModified", "last_modified", "mtime", "created")
_CHECK = "check the URL, the network and the store's own settings"


class ObjectStore:
    """The files below a URL, or the one file that it names. Making one lists them, and raises TargetError."""

    source = "object-store"
    revision = None

    def __init__(self, url: str) -> None:
        self.id = url.rstrip("/")
        self._store, root = open_store(self.id)
        self._root = root.rstrip("/")
        self.states: list[str] | None = None
        """A line per file that changes when it does; None where the store does not tell."""
        self._listing, self.lone = self._list()

    def _list(self) -> tuple[Listing, str | None]:
        """Return the files, and the name of the one file where the URL names a file."""
        try:
            found: dict[str, dict[str, Any]] = self._store.find(self._root, detail=True)
        except Exception as error:  # noqa: BLE001
            raise explained(error, self.id) from None
        if not found:
            raise NotFound(f"{self.id} holds no files", _CHECK)
        if len(found) > FILES_LIMIT:
            raise TargetError(f"{self.id} holds more than {FILES_LIMIT:,} files", "name the prefix of one model")
        lone = None
        self.states = _states(found)
        if list(found) == [self._root]:
            self._root, _, lone = self._root.rpartition("/")
        start = len(self._root) + 1
        files = (FileEntry(path[start:], info.get("size")) for path, info in sorted(found.items()) if not path.endswith("/"))
        return Listing(tuple(files)), lone

    def listing(self) -> Listing:
        """Return every file below the URL."""
        return self._listing

    def read(self, ranges: Sequence[Range]) -> list[bytes | TargetError]:
        """Return the bytes of each range; the driver reads them concurrently."""
        answers: list[bytes | TargetError] = [b""] * len(ranges)
        wanted = [(index, item) for index, item in enumerate(ranges) if item.length]
        if not wanted:
            return answers
        try:
            found = self._store.cat_ranges(
                [f"{self._root}/{item.path}" for _, item in wanted],
                [item.start for _, item in wanted],
                [item.start + item.length for _, item in wanted],
                on_error="return",
            )
        except Exception as error:  # noqa: BLE001
            raise explained(error, self.id) from None
        for (index, item), data in zip(wanted, found, strict=True):
            answers[index] = explained(data, f"{item.path} of {self.id}") if isinstance(data, Exception) else bytes(data)
        return answers


def _states(found: Mapping[str, Mapping[str, Any]]) -> list[str] | None:
    lines = []
    for path, info in sorted(found.items()):
        changed = next((info[name] for name in _CHANGES if info.get(name)), None)
        if changed is None:
            return None
        lines.append(f"{path}\0{info.get('size')}\0{changed}")
    return lines


def open_store(url: str) -> tuple[Any, str]:
    """Return the driver of the store that ``url`` names, and the path there. Raises TargetError."""
    scheme = url.partition("://")[0]
    if scheme not in DRIVERS:
        raise NotFound(f"{url}: no object store is addressed by {scheme}://", f"schemes are {', '.join(DRIVERS)}")
    try:
        from fsspec.core import url_to_fs  # noqa: PLC0415 - an extra: only who names a URL needs it

        store, root = url_to_fs(url, skip_instance_cache=True)
    except ImportError:
        raise TargetError(
            f"{url} needs {DRIVERS[scheme]}, which is not installed", "install auditor with its extra object-stores"
        ) from None
    except Exception as error:  # noqa: BLE001 - each driver has errors of its own
        raise explained(error, url) from None
    return store, root


def explained(error: Exception, what: str) -> TargetError:
    """Return one line for a driver's error, without the driver's text where that could hold credentials or pages."""
    match error:
        case FileNotFoundError():
            return NotFound(f"{what} does not exist", _CHECK)
        case PermissionError():
            return AccessDenied(f"{what} may not be read", "check the credentials that the store's own tools use")
    name = type(error).__name__
    if "Credential" in name or "Auth" in name:
        return AccessDenied(f"{what}: the store finds no valid credentials", "set up those that the store's own tools use")
    return Unreachable(f"{what} cannot be read ({name})", _CHECK)

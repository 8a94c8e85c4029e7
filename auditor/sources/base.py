"""What every source offers: a list of files, and ranges of their bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from auditor.errors import TargetError
from auditor.snapshot import FileEntry, Problem


@dataclass(frozen=True, slots=True)
class Range:
    """Bytes of one file: ``length`` from ``start`` on."""

    path: str
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a repository, and what there is to say about them as a whole."""

    files: tuple[FileEntry, ...]
    problems: tuple[Problem, ...] = ()
    card: Mapping[str, Any] | None = None
    """What the source itself says of the model, so that its README need not be read; None where it says nothing."""


class Repository(Protocol):
    """A model's files at one revision, wherever they lie."""

    @property
    def id(self) -> str:
        """How the model is named in reports."""

    @property
    def revision(self) -> str | None:
        """The commit, where there is such a thing; known once the files are listed."""

    @property
    def source(self) -> str:
        """Kind of source, as ``Snapshot.source`` spells it."""

    def listing(self) -> Listing:
        """Return every file. Raises TargetError."""

    def read(self, ranges: Sequence[Range]) -> list[bytes | TargetError]:
        """Return the bytes of each range, in order; fewer where the file ends first, an error where they cannot be had.

        A source that answers slowly reads them concurrently.
        """


@dataclass(frozen=True, slots=True)
class Within:
    """One folder of a repository, as a repository."""

    whole: Repository
    files: Listing
    """Of the whole: listing it again could ask a server again."""
    folder: str
    """Without a slash at its end."""

    @property
    def id(self) -> str:
        """The whole repository's name and the folder."""
        return f"{self.whole.id}:{self.folder}"

    @property
    def revision(self) -> str | None:
        """The whole repository's revision."""
        return self.whole.revision

    @property
    def source(self) -> str:
        """The whole repository's kind of source."""
        return self.whole.source

    def listing(self) -> Listing:
        """Return the files of the folder."""
        start = len(self.folder) + 1
        inside = (file for file in self.files.files if file.path.startswith(f"{self.folder}/"))
        return replace(self.files, files=tuple(replace(file, path=file.path[start:]) for file in inside))

    def read(self, ranges: Sequence[Range]) -> list[bytes | TargetError]:
        """Return the bytes of each range."""
        return self.whole.read([replace(wanted, path=f"{self.folder}/{wanted.path}") for wanted in ranges])


class Ahead:
    """A repository that fetches, together with the first thing it is asked for, what will be asked for next.

    A round trip to a remote repository takes longer than what it brings.
    """

    def __init__(self, whole: Repository, ranges: Sequence[Range]) -> None:
        self._whole = whole
        self._next = list(ranges)
        self._answers: dict[Range, bytes | TargetError] = {}
        self.id = whole.id
        self.revision = whole.revision
        self.source = whole.source

    def listing(self) -> Listing:
        """Return the files of the whole repository."""
        return self._whole.listing()

    def read(self, ranges: Sequence[Range]) -> list[bytes | TargetError]:
        """Return the bytes of each range, the ones fetched ahead without asking again."""
        missing = [wanted for wanted in ranges if wanted not in self._answers]
        if missing:
            asked, self._next = list(dict.fromkeys(missing + self._next)), []
            self._answers.update(zip(asked, self._whole.read(asked), strict=True))
        return [self._answers.pop(wanted) for wanted in ranges]

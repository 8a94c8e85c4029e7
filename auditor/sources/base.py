"""What every source offers: a list of files, and ranges of their bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
    card: Mapping[str, Any] = field(default_factory=dict)
    """What the source itself says of the model (the Hub does); empty elsewhere."""


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


def first_range(repository: Repository, path: str, length: int) -> bytes:
    """Return up to ``length`` bytes from the start of one file. Raises TargetError."""
    (result,) = repository.read([Range(path, 0, length)])
    if isinstance(result, TargetError):
        raise result
    return result

"""One file as a value that knows where in the file each part of it stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from auditor.catalog.vocabulary import Path
from auditor.errors import CatalogError

Position: TypeAlias = tuple[int, int]

#: No file of ours comes near this; a larger one is a mistake or an attack.
MAX_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Document:
    """One file's value, and where in the file each part of it stands."""

    label: str
    """The file, as a message names it."""
    value: Any
    keys: Mapping[Path, Position] = field(default_factory=dict)
    """Line and column, from 1, of the key of each path."""
    values: Mapping[Path, Position] = field(default_factory=dict)
    """Line and column, from 1, of the value at each path."""

    def where(self, path: Path, *, key: bool = False) -> str:
        """Return ``file:line:column`` of a value (or its key), or of the nearest part around it that is in the file."""
        tables = (self.keys, self.values) if key else (self.values, self.keys)
        for length in range(len(path), -1, -1):
            for table in tables:
                if (position := table.get(path[:length])) is not None:
                    return f"{self.label}:{position[0]}:{position[1]}"
        return self.label

    def error(self, path: Path, message: str, hint: str = "", *, key: bool = False) -> CatalogError:
        """Return the error to raise for a fault at ``path``."""
        return CatalogError(f"{self.where(path, key=key)}: {message}", hint)

"""Collects the files of the catalogue: those shipped in rules/, and packs that a user adds."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from auditor.catalog.document import MAX_BYTES
from auditor.errors import CatalogError

#: More files than this in one pack is a wrong folder, not a pack.
MAX_FILES = 5000


@dataclass(frozen=True, slots=True)
class RawFile:
    """One YAML file as bytes."""

    label: str
    """Path as messages name it: ``rules/…`` for a shipped file, as given for a pack."""
    key: str
    """Path inside its root: the same on every machine."""
    text: bytes
    shipped: bool


def collect(root: Path, packs: Sequence[Path]) -> list[RawFile]:
    """Return every ``*.yaml`` of the shipped ``root`` and of ``packs`` (folders or files), tests of rules left out.

    Raises CatalogError for a pack that is not there, holds no YAML file, or is far too large.
    """
    files = [RawFile(f"{root.name}/{key}", key, text, shipped=True) for key, text in _walk(root)]
    for pack in packs:
        if pack.is_file():
            found = [(pack.name, _read(pack))]
            labels = {pack.name: str(pack)}
        elif pack.is_dir():
            found = list(_walk(pack))
            labels = {key: str(pack / key) for key, _ in found}
        else:
            raise CatalogError(f"{pack}: no such file or folder", "give --rules a rule file or a folder of them")
        if not found:
            raise CatalogError(f"{pack}: holds no .yaml file", "give --rules a rule file or a folder of them")
        files.extend(RawFile(labels[key], key, text, shipped=False) for key, text in found)
    return files


def digest(files: Sequence[RawFile]) -> str:
    """Return the SHA-256 of all content, in an order that does not depend on the machine."""
    total = hashlib.sha256()
    for file in sorted(files, key=lambda file: (not file.shipped, file.key, file.text)):
        total.update(f"{file.shipped}\0{file.key}\0{len(file.text)}\0".encode())
        total.update(file.text)
    return total.hexdigest()


def _walk(root: Path) -> Iterator[tuple[str, bytes]]:
    count = 0
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            if not name.endswith((".yaml", ".yml")) or name.endswith((".test.yaml", ".test.yml")):
                continue
            count += 1
            if count > MAX_FILES:
                raise CatalogError(f"{root}: more than {MAX_FILES} YAML files", "is this the right folder?")
            # Strings rather than Path: a hundred files are read before anything else happens.
            path = os.path.join(folder, name)  # noqa: PTH118
            yield path.removeprefix(f"{root}{os.sep}").replace(os.sep, "/"), _read(path)


def _read(path: Path | str) -> bytes:
    if not os.path.isfile(path):  # noqa: PTH113 - a pipe would keep us waiting for ever
        raise CatalogError(f"{path}: not a regular file", "take it out of the folder")
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            # One byte more than is allowed, so that the parser says that it is too long.
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CatalogError(f"{path}: cannot be read ({error.strerror or error})", "check its permissions") from None

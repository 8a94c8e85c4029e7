"""Loads the catalogue: from its files, everything checked, or from what was kept of the very same files.

Reading and checking YAML takes ten times as long as everything else, so the checked values are kept as JSON under the
digest of all content. What was kept and is damaged, or was written by another version, is read anew.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

from auditor._shipped import RULES, SCHEMAS
from auditor.catalog.catalog import Catalog
from auditor.catalog.files import RawFile, collect, digest
from auditor.catalog.kept import DamagedError, pack, unpack

_CODE = Path(__file__).parent
#: Catalogues kept beside each other: people switch between a few sets of packs.
_KEPT = 8


def load_catalog(extra: Sequence[Path] = (), *, cache: Path | None = None, root: Path = RULES) -> Catalog:
    """Return the shipped catalogue with the packs of ``extra`` added.

    ``cache`` is a folder where the checked values may be kept; nothing is kept without one. Raises CatalogError, whose
    message begins with ``file:line:column``, for anything that does not load: an audit never checks less than it says.
    """
    files = collect(root, extra)
    content = digest(files)
    kept = None if cache is None else cache / f"catalogue-{_key(content, files)}.json"
    catalog = None if kept is None else _from_cache(kept)
    if catalog is None:
        from auditor.catalog.read import read_catalog  # noqa: PLC0415 - YAML and schemas cost 0.1 s to import

        catalog = read_catalog(files, content)
        if kept is not None:
            _keep(kept, catalog)
    return catalog


def _key(content: str, files: Sequence[RawFile]) -> str:
    """Return a name for what is kept: it depends on the content, on the names in messages, and on the code that reads it."""
    key = hashlib.sha256(content.encode())
    for file in files:
        key.update(f"{file.label}\0".encode())
    for path in sorted((*_CODE.glob("*.py"), _CODE.parent / "facts.py", *SCHEMAS.glob("*.json"))):
        stat = path.stat()
        key.update(f"{path.name} {stat.st_size} {stat.st_mtime_ns}\0".encode())
    return key.hexdigest()[:32]


def _from_cache(kept: Path) -> Catalog | None:
    """Return the catalogue as it was kept; None where nothing usable was."""
    try:
        return unpack(json.loads(kept.read_bytes()))
    except (OSError, ValueError, RecursionError, DamagedError):
        return None


def _keep(kept: Path, catalog: Catalog) -> None:
    """Write the checked values; a folder that cannot be written to only costs time."""
    half = kept.with_suffix(f".{os.getpid()}.tmp")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        half.write_text(json.dumps(pack(catalog), separators=(",", ":")), encoding="utf-8")
        half.replace(kept)
        for old in sorted(kept.parent.glob("catalogue-*.json"), key=lambda path: path.stat().st_mtime_ns)[:-_KEPT]:
            old.unlink()
    except OSError:
        return

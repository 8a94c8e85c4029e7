"""One file that is all there is of a model: a configuration, a saved snapshot."""

import os
from pathlib import Path

from auditor.bounded_json import DOCUMENT_LIMIT, parse_object, too_large
from auditor.errors import TargetError
from auditor.snapshot import FileEntry, Snapshot

#: Names under which a document means something else than a configuration.
_OTHERS = {"model_index.json", "adapter_config.json", "params.json"}


def read_document(path: Path, identity: str) -> Snapshot:
    """Return the snapshot of one JSON file. Raises TargetError."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > DOCUMENT_LIMIT:
                raise too_large(str(path), size, DOCUMENT_LIMIT)
            data = file.read(DOCUMENT_LIMIT + 1)
    except OSError as error:
        raise TargetError(f"{path} cannot be read ({error.strerror})", "check its permissions") from None
    return document(path.name, data, identity, "config")


def document(name: str, data: bytes, identity: str, source: str) -> Snapshot:
    """Return the snapshot of the JSON document ``data``: a configuration, whatever its name. Raises Malformed."""
    known = name if name in _OTHERS else "config.json"
    parsed = parse_object(data, identity)
    return Snapshot(id=identity, revision=None, source=source, files=(FileEntry(known, len(data)),), documents={known: parsed})

"""git-LFS pointers: the few lines that stand in a checkout for a file whose content was not fetched.

Format: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
"""

import re
from dataclasses import dataclass

#: A pointer must be shorter than this.
SIZE_LIMIT = 1024
_START = b"version https://git-lfs.github.com/spec/v1\n"
_OID = re.compile(rb"^oid sha256:([0-9a-f]{64})$", re.MULTILINE)
_SIZE = re.compile(rb"^size (\d{1,19})$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pointer:
    """What a pointer says of the file that it stands for."""

    sha256: str
    size: int
    """Bytes of the real file."""


def parse_pointer(data: bytes) -> Pointer | None:
    """Return the pointer in ``data``, or None when it is ordinary content."""
    if len(data) >= SIZE_LIMIT or not data.startswith(_START):
        return None
    oid, size = _OID.search(data), _SIZE.search(data)
    return Pointer(oid[1].decode(), int(size[1])) if oid and size else None

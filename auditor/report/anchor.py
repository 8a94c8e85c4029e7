"""Where a finding is shown: the file of the repository that describes the model."""

from pathlib import PurePosixPath
from urllib.parse import quote

from auditor.inspection.model import Inspection

#: Sources whose id is the path of a file, and of a folder.
_FILES = ("config", "safetensors", "gguf")


def path_of(inspection: Inspection) -> str:
    """Return the path of the model's config, relative, with forward slashes; for a Hub id that of its mirror's config."""
    parts = [part for part in PurePosixPath(inspection.id.replace("\\", "/")).parts if part not in ("/", "..", ".")]
    if inspection.source not in _FILES or not parts:
        parts.append("config.json")
    return "/".join(parts)


def uri_of(inspection: Inspection) -> str:
    """Return ``path_of`` as a relative URI reference."""
    return quote(path_of(inspection), safe="/-._~", errors="replace")

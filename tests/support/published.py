"""Published configs and what is computed from an inspection of one, for tests."""

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

from auditor.inspection import Inspection, inspect_snapshot
from auditor.snapshot import Snapshot

DATA = Path(__file__).parent.parent / "data"


@cache
def published() -> dict[str, dict[str, Any]]:
    """Return every config in tests/data, by model (or ``model/component``)."""
    return json.loads(gzip.decompress((DATA / "configs.json.gz").read_bytes()))  # type: ignore[no-any-return]


def of_documents(
    documents: dict[str, Any], name: str = "org/model", kv_dtype: str | None = None, card: dict[str, Any] | None = None
) -> Inspection:
    """Return the inspection of a snapshot that holds nothing but documents."""
    return inspect_snapshot(Snapshot(name, None, "folder", (), documents, card=card or {}), kv_dtype)


def of_config(config: dict[str, Any], kv_dtype: str | None = None) -> Inspection:
    """Return the inspection of a lone config."""
    return of_documents({"config.json": config}, kv_dtype=kv_dtype)


def cache_bytes(inspection: Inspection, tokens: int) -> int:
    """Return the logical cache of one sequence: growing layers in full, windows up to their size, fixed states once."""
    total = 0.0
    for group in inspection.layers:
        total += group.bytes_per_token * min(tokens, group.window or tokens) + group.bytes_per_sequence
    return int(total)

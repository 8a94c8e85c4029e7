"""How many facts are known of published configs read alone, and how many of those that can be checked are right."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor.facts import CATALOGUE, Facts, Known
from auditor.inspection import inspect_snapshot
from auditor.snapshot import FileEntry, Snapshot

DATA = Path(__file__).resolve().parent.parent / "tests" / "data"
#: Facts that transformers and diffusers, building the class on the meta device, give a count for.
_COUNTED = {"params.total": "total", "params.embedding": "embedding", "params.routed_experts": "routed_experts"}
_GROUPS = ("arch", "attention", "moe", "params", "quant", "kv_cache", "state", "weights")


@dataclass(frozen=True, slots=True)
class Share:
    """One fact over all configs that it applies to."""

    name: str
    applies: int
    known: int
    checked: int
    right: int


def shares() -> list[Share]:
    """Return every model fact that applies to at least one of the published configs."""
    configs: dict[str, dict[str, Any]] = json.loads(gzip.decompress((DATA / "configs.json.gz").read_bytes()))
    reference: dict[str, dict[str, int]] = json.loads((DATA / "reference_counts.json").read_text())["counts"]
    read = {name: _facts(name, config) for name, config in configs.items() if "_class_name" not in config}
    names = [name for name in CATALOGUE if name.split(".")[0] in _GROUPS]
    return [share for name in names if (share := _share(name, read, reference)).applies]


def rows() -> Iterator[tuple[str, ...]]:
    """Yield the lines of a table."""
    for share in shares():
        right = f"{share.right} of {share.checked}" if share.checked else ""
        yield share.name, str(share.applies), f"{share.known / share.applies:.1%}", right


def _facts(name: str, config: dict[str, Any]) -> Facts:
    snapshot = Snapshot(name, None, "config", (FileEntry("config.json", None),), {"config.json": config})
    return inspect_snapshot(snapshot).facts


def _share(name: str, read: dict[str, Facts], reference: dict[str, dict[str, int]]) -> Share:
    found = {model: facts[name] for model, facts in read.items() if name in facts}
    known = {model: fact for model, fact in found.items() if isinstance(fact, Known)}
    key = _COUNTED.get(name)
    checked = [model for model in known if key and key in reference.get(model, {})]
    right = sum(1 for model in checked if isinstance(fact := known[model], Known) and fact.value == reference[model][str(key)])
    return Share(name, len(found), len(known), len(checked), right)

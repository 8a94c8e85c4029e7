"""``model.*`` and ``repo.*``: what the file list, the card and the code beside the weights say."""

from collections.abc import Mapping
from typing import Any

from auditor.facts import FORMATS, Basis, Known, Unknown
from auditor.snapshot import Snapshot

Fact = Known | Unknown


def repository_facts(snapshot: Snapshot) -> dict[str, Fact]:
    """Return the facts that need no anatomy."""
    facts: dict[str, Fact] = {"model.id": Known(snapshot.id, Basis.USER)}
    facts |= _weights(snapshot) | _code(snapshot) | _card(snapshot.card)
    base = _document(snapshot, "adapter_config.json").get("base_model_name_or_path")
    if isinstance(base, str) and base:
        facts["model.adapter_base"] = Known(base, Basis.CONFIG)
    return facts


def _weights(snapshot: Snapshot) -> dict[str, Fact]:
    if not snapshot.weights:
        # A config alone has no weights whose format could stand in the way: the fact does not apply.
        return {"model.format": Known("none", Basis.FILE_SIZE)}
    formats = {group.format for group in snapshot.weights}
    main = snapshot.weights[0].format
    facts: dict[str, Fact] = {
        "model.format": Known(main if main in FORMATS else "none", Basis.FILE_SIZE),
        "repo.pickle_only": Known(formats == {"pytorch"}, Basis.FILE_SIZE),
    }
    if snapshot.weights[0].variant:
        facts["model.variant"] = Known(snapshot.weights[0].variant, Basis.FILE_SIZE)
    components = tuple(group.component for group in snapshot.weights if group.component)
    if components:
        facts["model.components"] = Known(components, Basis.FILE_SIZE)
    imports = {name for group in snapshot.weights for file in group.files for name in file.imports}
    if imports:
        facts["repo.suspicious_globals"] = Known(tuple(sorted(imports)), Basis.HEADER)
    beside = [file.size for group in snapshot.not_loaded for file in group.files]
    if beside and all(size is not None for size in beside):
        facts["repo.duplicate_bytes"] = Known(sum(size or 0 for size in beside), Basis.FILE_SIZE)
    return facts


def _code(snapshot: Snapshot) -> dict[str, Fact]:
    configs = [
        document for path, document in snapshot.documents.items() if path.rpartition("/")[2] == "config.json" and isinstance(document, dict)
    ]
    facts: dict[str, Fact] = {}
    if configs:
        facts["repo.custom_code"] = Known(any(document.get("auto_map") for document in configs), Basis.CONFIG)
    else:
        facts["repo.custom_code"] = Known(bool(snapshot.code), Basis.FILE_SIZE)
    if snapshot.code:
        facts["repo.imports"] = Known(tuple(sorted({name for file in snapshot.code for name in file.imports})), Basis.HEADER)
        kernels = tuple(sorted({name for file in snapshot.code for name in file.kernels}))
        if kernels:
            facts["repo.custom_kernels"] = Known(kernels, Basis.HEADER)
    return facts


def _card(card: Mapping[str, Any]) -> dict[str, Fact]:
    facts: dict[str, Fact] = {}
    if isinstance(card.get("license"), str):
        facts["repo.license"] = Known(card["license"], Basis.CONFIG)
    gated = card.get("gated")
    if gated is not None:
        facts["repo.gated"] = Known(gated not in (False, "false"), Basis.CONFIG)
    return facts


def _document(snapshot: Snapshot, path: str) -> Mapping[str, Any]:
    document = snapshot.documents.get(path)
    return document if isinstance(document, Mapping) else {}

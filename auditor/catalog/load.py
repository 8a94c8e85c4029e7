"""Loads rules/: files to values, everything checked. One broken file stops the run.

Reading and checking YAML costs most of the time, so what was read is kept as JSON under the digest of all content. A kept
catalogue that is damaged, or of another version, is read anew.
"""

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from auditor import __version__
from auditor._shipped import RULES, SCHEMAS
from auditor.catalog.accelerators import build_accelerators, build_prices
from auditor.catalog.catalog import Catalog
from auditor.catalog.effort import EffortModel, build_effort
from auditor.catalog.entry import Entry, source_of
from auditor.catalog.files import RawFile, collect, digest
from auditor.catalog.model import Source
from auditor.catalog.rules import build_rules
from auditor.catalog.stacks import build_stacks
from auditor.catalog.strict_yaml import Document, did_you_mean, parse
from auditor.catalog.validate import check
from auditor.errors import CatalogError

#: Kinds of file, by the key that tells them, with the schema each is checked against.
KINDS = {
    "accelerator": "accelerator",
    "stack": "stack",
    "prices": "prices",
    "rules": "rules-outline",
    "effort": "effort",
    "sources": "sources",
}
#: What a rule names when the facts decide which port it takes.
ANY_PORT = "port"
_CACHE_SCHEMA = "auditor/catalogue-cache/1"

_Read = list[tuple[RawFile, Document]]


def load_catalog(extra: Sequence[Path] = (), *, cache: Path | None = None, root: Path = RULES) -> Catalog:
    """Return the shipped catalogue with the packs of ``extra`` added.

    ``cache`` is a folder where what was read may be kept; nothing is kept without one. Raises CatalogError, whose message
    begins with ``file:line:column``, for anything that does not load.
    """
    wanted = collect(root, extra)
    content = digest(wanted)
    kept = cache / f"catalogue-{_cache_key(content)}.json" if cache is not None else None
    if kept is not None and (documents := _from_cache(kept, wanted)) is not None:
        try:
            return _build(documents, content)
        except CatalogError:
            pass  # Read the files themselves, which know their lines.
    documents = [(file, parse(file.text, file.label)) for file in wanted]
    for _, document in documents:
        check(document, KINDS[kind_of(document)])
    catalog = _build(documents, content)
    if kept is not None:
        _keep(kept, documents)
    return catalog


def kind_of(document: Document) -> str:
    """Return which kind of file it is. Raises CatalogError where no key tells it."""
    value = document.value
    if isinstance(value, dict):
        for kind in KINDS:
            if kind in value:
                return kind
        first = next(iter(value), "")
        hint = did_you_mean(first, KINDS) or f"begin it with one of {', '.join(f'{kind}:' for kind in KINDS)}"
        raise document.error((first,) if first else (), "this is no file of the catalogue", hint, key=True)
    raise document.error((), "this is no file of the catalogue", f"begin it with one of {', '.join(f'{kind}:' for kind in KINDS)}")


def _build(documents: _Read, content: str) -> Catalog:
    by_kind: dict[str, _Read] = {kind: [] for kind in KINDS}
    for file, document in documents:
        by_kind[kind_of(document)].append((file, document))
    shared = _shared_sources(by_kind["sources"])
    accelerators = build_accelerators(_by_id("accelerator", by_kind["accelerator"], shared))
    stacks = build_stacks(_by_id("stack", by_kind["stack"], shared), accelerators)
    prices = build_prices([_entry(file, document, shared) for file, document in by_kind["prices"]], accelerators)
    rules = build_rules([_entry(file, document, shared) for file, document in by_kind["rules"]], accelerators, stacks)
    effort = _effort(by_kind["effort"], shared)
    _check_work(effort, by_kind["rules"])
    catalog = Catalog(accelerators, {name: family.stack for name, family in stacks.items()}, stacks, prices, rules, effort, content)
    _check_names(catalog, by_kind)
    return catalog


def _shared_sources(files: _Read) -> dict[str, Source]:
    shared: dict[str, Source] = {}
    places: dict[str, str] = {}
    for _, document in files:
        for name, raw in document.value["sources"].items():
            if name in shared:
                message = f"source '{name}' is there already, at {places[name]}"
                raise document.error(("sources", name), message, "use that one, or another name", key=True)
            shared[name] = source_of(raw)
            places[name] = document.where(("sources", name), key=True)
    return shared


def _entry(file: RawFile, document: Document, shared: Mapping[str, Source]) -> Entry:
    own = document.value.get("sources", {})
    for name in own:
        if name in shared:
            raise document.error(("sources", name), f"source '{name}' is a shared one already", "use that one, or another name", key=True)
    return Entry(document, {**shared, **{name: source_of(raw) for name, raw in own.items()}}, file.shipped)


def _by_id(kind: str, files: _Read, shared: Mapping[str, Source]) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for file, document in files:
        name = document.value[kind]
        if name in entries:
            message = f"{kind} '{name}' is there already, at {entries[name].document.where((kind,))}"
            raise document.error((kind,), message, "give it an id of its own; `extends:` takes over the other's fields")
        entries[name] = _entry(file, document, shared)
    return entries


def _effort(files: _Read, shared: Mapping[str, Source]) -> EffortModel:
    """Return the effort model: a pack's own, where it brings one, in place of the shipped one."""
    own = [one for one in files if not one[0].shipped]
    if len(own) > 1:
        raise own[1][1].error(("effort",), "two packs bring effort figures", "keep one of the two files")
    chosen = own or files
    if not chosen:
        raise CatalogError("rules/effort/effort.yaml is missing", "is the installation whole?")
    return build_effort(_entry(*chosen[0], shared))


def _check_work(effort: EffortModel, files: _Read) -> None:
    """Raise where a rule names work that the effort model does not have."""
    for _, document in files:
        for at, rule in enumerate(document.value.get("rules", ())):
            for index, item in enumerate(rule.get("work", ())):
                if item not in effort.items and item != ANY_PORT:
                    raise document.error(("rules", at, "work", index), f"no work item is called '{item}'", did_you_mean(item, effort.items))


def _check_names(catalog: Catalog, by_kind: Mapping[str, _Read]) -> None:
    """Raise where one name that people type would mean two things."""
    for kind, families in (("accelerator", {chip.family for chip in catalog.accelerators.values()}), ("stack", set())):
        taken: dict[str, str] = {}
        for _, document in by_kind[kind]:
            taken[document.value[kind]] = document.where((kind,))
        for _, document in by_kind[kind]:
            for index, alias in enumerate(document.value.get("aliases", ())):
                path = ("aliases", index)
                if alias in taken or alias in families:
                    first = taken.get(alias, "a family's name")
                    raise document.error(path, f"'{alias}' is taken already ({first})", "people could not tell which is meant")
                taken[alias] = document.where(path)


def _cache_key(content: str) -> str:
    """Return what the kept content depends on: all content, the version, and the schemas it was checked against."""
    stamps = "-".join(
        str((SCHEMAS / f"{name}.schema.json").stat().st_size) for name in ("accelerator", "stack", "prices", "rules", "sources")
    )
    return f"{__version__}-{content}-{stamps}"


def _from_cache(kept: Path, files: Sequence[RawFile]) -> _Read | None:
    """Return the documents as they were read before; None where nothing usable was kept."""
    try:
        data: Any = json.loads(kept.read_bytes())
        if data["schema"] != _CACHE_SCHEMA or len(data["values"]) != len(files):
            return None
        return [
            (file, Document(file.label, value, {}, {("rules", at): (line, 1) for at, line in enumerate(lines)}))
            for file, (value, lines) in zip(files, data["values"], strict=True)
        ]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _keep(kept: Path, documents: _Read) -> None:
    """Write what was read; a folder that cannot be written to only costs time."""
    values = [(document.value, _rule_lines(document)) for _, document in documents]
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=kept.parent, suffix=".tmp", delete=False, encoding="utf-8") as file:
            json.dump({"schema": _CACHE_SCHEMA, "values": values}, file)
        os.replace(file.name, kept)  # noqa: PTH105 - atomic, whatever reads at the same time
    except OSError:
        return


def _rule_lines(document: Document) -> list[int]:
    return [document.values[("rules", at)][0] for at in range(len(document.value.get("rules", ())))]

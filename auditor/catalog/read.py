"""Reads the catalogue's files: YAML to checked values. The slow way; ``auditor.catalog.load`` remembers its result."""

from collections.abc import Mapping, Sequence
from typing import Any

from auditor.catalog.accelerators import build_accelerators, build_prices
from auditor.catalog.catalog import Catalog
from auditor.catalog.document import Document
from auditor.catalog.effort import EffortModel, build_effort
from auditor.catalog.entry import Entry, source_of
from auditor.catalog.files import RawFile
from auditor.catalog.model import Source
from auditor.catalog.rules import build_rules
from auditor.catalog.stacks import build_stacks
from auditor.catalog.strict_yaml import parse
from auditor.catalog.validate import check
from auditor.catalog.vocabulary import Path, did_you_mean
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

_Read = list[tuple[RawFile, Document]]


def read_catalog(files: Sequence[RawFile], digest: str) -> Catalog:
    """Return the catalogue that ``files`` hold. Raises CatalogError at ``file:line:column`` for anything that does not load."""
    documents = [(file, parse(file.text, file.label)) for file in files]
    for _, document in documents:
        check(document, KINDS[kind_of(document)])
    return _build(documents, digest)


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
    """Return the effort model: the shipped one, with the items of a pack's own file laid over it."""
    shipped, own = ([one for one in files if one[0].shipped is kind] for kind in (True, False))
    if len(own) > 1:
        raise own[1][1].error(("effort",), "two packs bring effort figures", "keep one of the two files")
    if not shipped:
        raise CatalogError("rules/effort/effort.yaml is missing", "is the installation whole?")
    model = build_effort(_entry(*shipped[0], shared))
    return build_effort(_entry(*own[0], shared), model) if own else model


def _check_work(effort: EffortModel, files: _Read) -> None:
    """Raise where a rule names work that the effort model does not have."""
    for _, document in files:
        for at, rule in enumerate(document.value.get("rules", ())):
            _check_items(effort, document, rule, ("rules", at))
        _check_items(effort, document, document.value.get("default", {}), ("default",))


def _check_items(effort: EffortModel, document: Document, rule: Mapping[str, Any], path: Path) -> None:
    for index, item in enumerate(rule.get("work", ())):
        if item not in effort.items and item != ANY_PORT:
            raise document.error((*path, "work", index), f"no work item is called '{item}'", did_you_mean(item, effort.items))


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

"""Everything that can be found wrong with rule files without a model: what ``auditor rules check`` reports."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from auditor._shipped import RULES
from auditor.catalog.catalog import Catalog
from auditor.catalog.condition import Condition, Group, IsKnown, Not
from auditor.catalog.document import Document
from auditor.catalog.files import RawFile, collect
from auditor.catalog.load import load_catalog
from auditor.catalog.model import Rule
from auditor.catalog.read import KINDS, kind_of
from auditor.catalog.strict_yaml import parse
from auditor.catalog.support import stack_facts
from auditor.catalog.validate import problems
from auditor.catalog.vocabulary import Path as Place
from auditor.errors import AuditorError
from auditor.facts import CATALOGUE, Facts, Unknown
from auditor.rules.testing import load_cases, untested

_NO_MODEL = Unknown("no model is looked at")
_TARGET_PREFIXES = ("accelerator.", "stack.")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend. An error keeps the catalogue from loading; a warning does not."""

    level: str
    """``error`` or ``warning``."""
    message: str
    """Begins with ``file:line:column``."""


def check_rules(packs: Sequence[Path] = (), *, today: date, stale_after: int | None = None, root: Path = RULES) -> list[Problem]:
    """Return everything wrong with the shipped files and ``packs``, errors first.

    ``stale_after`` is a number of days: older sources are reported. ``today`` is what they age by.
    """
    found: list[Problem] = []
    documents: list[Document] = []
    try:
        files = collect(root, packs)
    except AuditorError as error:
        return [Problem("error", str(error))]
    for file in files:
        document = _read(file, found)
        if document is not None:
            documents.append(document)
    if not found:
        try:
            catalog = load_catalog(packs, root=root)
            cases = load_cases((root, *packs))
        except AuditorError as error:
            found.append(Problem("error", str(error)))
        else:
            names = {rule.id for rule in catalog.rules}
            strangers = (case for case in cases if case.rule is not None and case.rule not in names)
            found += [Problem("error", f"{case.place}: no rule is called '{case.rule}'") for case in strangers]
            found += [Problem("warning", text) for text in (*untested(catalog.rules, cases), *_unreachable(catalog), *_loose_ends(catalog))]
    found += [Problem("warning", text) for text in _unused_sources(documents)]
    if stale_after is not None:
        found += [Problem("warning", text) for document in documents for text in _stale(document, today, stale_after)]
    return sorted(found, key=lambda problem: problem.level)


def _read(file: RawFile, found: list[Problem]) -> Document | None:
    try:
        document = parse(file.text, file.label)
        schema = KINDS[kind_of(document)].removesuffix("-outline")
    except AuditorError as error:
        found.append(Problem("error", str(error)))
        return None
    found.extend(Problem("error", str(error)) for error in problems(document, schema))
    return document


def _unreachable(catalog: Catalog) -> Iterator[str]:
    """Yield the rules that can fire for no model: about no target, or false on every one whatever the model is."""
    blank = Facts(dict.fromkeys((name for name in CATALOGUE if not name.startswith(_TARGET_PREFIXES)), _NO_MODEL))
    tables = {target.id: blank.merged(stack_facts(target, blank)) for target in catalog.targets}
    for rule in catalog.rules:
        covered = [target for target in catalog.targets if rule.covers(target)]
        if not covered:
            yield _about(rule, "is about no target")
        elif not any(_may_be(rule.when, truth=True, facts=tables[target.id]) for target in covered):
            yield _about(rule, "fires on none of its targets, whatever the model is")


def _may_be(condition: Condition, *, truth: bool, facts: Facts) -> bool:
    """Return whether some model could make the condition come out as ``truth``; ``facts`` are those of the target."""
    match condition:
        case Not(part):
            return _may_be(part, truth=not truth, facts=facts)
        case Group(decisive, parts):
            ways = (_may_be(part, truth=truth, facts=facts) for part in parts)
            return any(ways) if truth is decisive else all(ways)
        case IsKnown(fact) if not fact.startswith(_TARGET_PREFIXES):
            return True
        case _:
            return condition(facts) in (truth, None)


def _about(rule: Rule, what: str) -> str:
    return f"{rule.file}:{rule.line}: rule '{rule.id}' {what}"


def _loose_ends(catalog: Catalog) -> Iterator[str]:
    """Yield accelerators that no stack serves on, and prices of machines that no accelerator lists."""
    served = {target.accelerator.id for target in catalog.targets}
    for chip in catalog.accelerators.values():
        if chip.id not in served:
            yield f"accelerator '{chip.id}': no stack serves on it, so that nothing is audited against it"
    offered = {(chip.id, machine.provider, machine.name) for chip in catalog.accelerators.values() for machine in chip.instances}
    for price in catalog.prices:
        if (price.accelerator, price.provider, price.instance) not in offered:
            yield f"price of {price.provider} {price.instance}: {price.accelerator} lists no such instance, so that it is never used"


def _unused_sources(documents: Sequence[Document]) -> Iterator[str]:
    cited: dict[str, set[str]] = {document.label: set(_cited(document.value)) for document in documents}
    everywhere = set().union(*cited.values())
    for document in documents:
        if not isinstance(document.value, dict):
            continue
        shared = kind_of(document) == "sources"
        for name in document.value.get("sources", {}):
            if name not in (everywhere if shared else cited[document.label]):
                yield f"{document.where(('sources', name), key=True)}: source '{name}' is never cited"


def _cited(value: Any) -> Iterator[str]:
    """Yield the ids that the ``sources:`` lists under ``value`` name."""
    if isinstance(value, list):
        for item in value:
            yield from _cited(item)
    elif isinstance(value, dict):
        for key, part in value.items():
            if key == "sources" and isinstance(part, list):
                yield from (item if isinstance(item, str) else item.get("id", "") for item in part if isinstance(item, str | dict))
            else:
                yield from _cited(part)


def _stale(document: Document, today: date, limit: int) -> Iterator[str]:
    for place, as_of in _dates(document.value, ()):
        try:
            age = (today - date.fromisoformat(as_of if len(as_of) > 7 else f"{as_of}-01")).days
        except ValueError:
            continue
        if age > limit:
            yield f"{document.where(place)}: {as_of} was {age} days ago; read the source again"
        elif age < 0:
            yield f"{document.where(place)}: {as_of} is in the future"


def _dates(value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        if key == "as_of" and isinstance(part, str):
            yield (*place, key), part
        else:
            yield from _dates(part, (*place, key))

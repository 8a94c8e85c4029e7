"""Turns rule files into ``Rule`` values: conditions and messages parsed, sources resolved, names checked."""

from collections.abc import Mapping, Sequence
from typing import Any

from auditor.catalog.condition_parser import ConditionError, parse_condition
from auditor.catalog.entry import Entry
from auditor.catalog.message import Message, MessageError, parse_message
from auditor.catalog.model import Accelerator, AppliesTo, Rule, StackFamily
from auditor.catalog.vocabulary import Path, did_you_mean
from auditor.facts import AFTER_AUDIT

_DEFAULTED = ("verdict", "confidence", "work")


def build_rules(entries: Sequence[Entry], accelerators: Mapping[str, Accelerator], stacks: Mapping[str, StackFamily]) -> tuple[Rule, ...]:
    """Return every rule, in the order of the files.

    Raises CatalogError for a condition or message that makes no sense, a repeated id, a name that the catalogue does not
    have, and a rule of a pack that contradicts a shipped one.
    """
    names = {
        "stack": set(stacks),
        "accelerator": set(accelerators),
        "family": {chip.family for chip in accelerators.values()},
        "vendor": {chip.vendor for chip in accelerators.values()},
    }
    rules: dict[str, Rule] = {}
    replaced: dict[str, str] = {}
    for entry in entries:
        document = entry.document
        shared = _applies_to(entry, document.value.get("applies_to"), ("applies_to",), names)
        for index, raw in enumerate(document.value["rules"]):
            path: Path = ("rules", index)
            rule = _build(entry, raw, path, shared, names)
            if rule.id in rules:
                first = rules[rule.id]
                hint = (
                    "say `replaces:` to put a rule of yours in its place" if first.shipped and not rule.shipped else "ids are never reused"
                )
                raise document.error((*path, "id"), f"rule '{rule.id}' is there already, at {first.file}:{first.line}", hint)
            if (old := raw.get("replaces")) is not None:
                _replace(entry, old, (*path, "replaces"), rules)
                replaced[old] = rule.id
            rules[rule.id] = rule
    _check_contradictions(tuple(rules.values()), entries)
    return tuple(rules.values())


def _replace(entry: Entry, old: str, path: Path, rules: dict[str, Rule]) -> None:
    if entry.shipped:
        raise entry.document.error(path, "a shipped rule replaces nothing", "change the rule itself")
    if old not in rules:
        raise entry.document.error(path, f"no rule is called '{old}'", did_you_mean(old, rules))
    del rules[old]


def _build(entry: Entry, raw: Mapping[str, Any], path: Path, shared: AppliesTo, names: Mapping[str, set[str]]) -> Rule:
    document = entry.document
    own = _applies_to(entry, raw.get("applies_to"), (*path, "applies_to"), names)
    fields = {**{key: entry.default[key] for key in _DEFAULTED if key in entry.default}, **raw}
    for key in ("verdict", "confidence"):
        if key not in fields:
            raise document.error(path, f"rule '{raw['id']}' has no {key}", f"add {key}: here or to the file's default:")
    sources = entry.citations(raw, path)
    if not sources:
        raise document.error(path, f"rule '{raw['id']}' has no source", "add sources: here or to the file's default:")
    try:
        condition = parse_condition(raw["when"])
    except ConditionError as error:
        raise document.error((*path, "when", *error.path), error.message, error.hint, key=error.at_key) from None
    for name in condition.reads():
        if name.startswith(AFTER_AUDIT):
            raise document.error((*path, "when"), f"{name} is known only when every rule has spoken", "ask for it in a policy")
    place = document.where(path).removeprefix(document.label).split(":")
    return Rule(
        id=raw["id"],
        title=raw.get("title", ""),
        applies_to=tuple(part for part in (shared, own) if part != AppliesTo()),
        when=condition,
        verdict=fields["verdict"],
        confidence=fields["confidence"],
        work=tuple(fields.get("work", ())),
        message=_message(entry, raw["message"], (*path, "message")),
        remediation=_message(entry, raw["remediation"], (*path, "remediation")),
        sources=sources,
        file=document.label,
        line=int(place[1]) if len(place) > 1 else 0,
        at_worst=raw.get("at_worst", ""),
        settled_by=tuple(raw.get("settled_by", ())),
        shipped=entry.shipped,
    )


def _message(entry: Entry, text: str, path: Path) -> Message:
    try:
        return parse_message(text)
    except MessageError as error:
        raise entry.document.error(path, error.message, error.hint) from None


def _applies_to(entry: Entry, raw: Mapping[str, Any] | None, path: Path, names: Mapping[str, set[str]]) -> AppliesTo:
    if raw is None:
        return AppliesTo()
    for key, known in names.items():
        for index, name in enumerate(raw.get(key, ())):
            if name not in known:
                raise entry.document.error((*path, key, index), f"no {key} is called '{name}'", did_you_mean(name, known))
    return AppliesTo(**{key: tuple(values) for key, values in raw.items()})


def _check_contradictions(rules: Sequence[Rule], entries: Sequence[Entry]) -> None:
    """Raise where a rule of a pack says the opposite of a shipped one under the very same condition."""
    shipped = [rule for rule in rules if rule.shipped]
    documents = {entry.document.label: entry.document for entry in entries}
    for rule in rules:
        if rule.shipped:
            continue
        for other in shipped:
            if other.verdict != rule.verdict and _same_condition(other, rule) and _may_meet(other, rule):
                document = documents[rule.file]
                index = next(at for at, raw in enumerate(document.value["rules"]) if raw["id"] == rule.id)
                message = f"'{rule.id}' says {rule.verdict} where the shipped rule '{other.id}' says {other.verdict} on the same condition"
                raise document.error(("rules", index), message, f"say `replaces: {other.id}` if yours is to hold")


def _same_condition(one: Rule, other: Rule) -> bool:
    return one.when == other.when


def _may_meet(one: Rule, other: Rule) -> bool:
    """Return whether some target could be covered by both: no key of one excludes all values of the other."""
    for left in one.applies_to:
        for right in other.applies_to:
            for key in ("stack", "stack_family", "accelerator", "family", "vendor", "availability"):
                mine, theirs = getattr(left, key), getattr(right, key)
                if mine and theirs and set(mine).isdisjoint(theirs):
                    return False
    return True

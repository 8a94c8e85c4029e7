"""Policy files: strict YAML into values, every mistake at its file, line and column."""

from collections.abc import Mapping
from pathlib import Path as File
from typing import Any

from auditor import workload_file
from auditor.catalog.condition import Condition
from auditor.catalog.condition_parser import ConditionError, parse_condition
from auditor.catalog.document import Document
from auditor.catalog.message import Message, MessageError, parse_message
from auditor.catalog.strict_yaml import parse
from auditor.catalog.vocabulary import Path
from auditor.errors import CatalogError
from auditor.policy.model import DEFAULT_TARGETS, Policy, PolicyRule, Scope
from auditor.waivers import parse_waiver

#: How the names of facts begin that need an audit, and those that need a row of it.
_OF_AUDIT = ("audit.", "workload.")
_OF_ROWS = ("row.", "accelerator.", "stack.", "fit.")
#: Facts of the model that depend on its workload.
_WITH_WORKLOAD = ("kv_cache.bytes", "kv_cache.bytes_per_sequence")


def read_policy(path: File) -> Policy:
    """Return the policy in ``path``. Raises CatalogError with file, line and column for anything that is none."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise CatalogError(f"{path} cannot be read: {error.strerror or error}", "`auditor policy init` writes one") from None
    return parse_policy(text, str(path))


def parse_policy(text: bytes, label: str) -> Policy:
    """Return the policy that ``text`` states; ``label`` is what messages call its file. Raises CatalogError."""
    from auditor.catalog.validate import check  # noqa: PLC0415 - the shipped policy is read without it

    document = parse(text, label)
    check(document, "policy-outline")
    return build_policy(document)


def build_policy(document: Document) -> Policy:
    """Return the policy of a document that follows the schema. Raises CatalogError for what the schema does not say."""
    value = document.value
    rules: dict[str, PolicyRule] = {}
    for index, raw in enumerate(value["rules"]):
        path: Path = ("rules", index)
        rule = _rule(document, raw, path)
        if rule.id in rules:
            raise document.error((*path, "id"), f"rule '{rule.id}' is there already, at {rules[rule.id].where}", "give it another id")
        rules[rule.id] = rule
    workload = value.get("workload", {})
    workload_file.fields(document, workload, ("workload",))
    exceptions = []
    for index, raw in enumerate(value.get("exceptions", ())):
        path = ("exceptions", index)
        if raw["rule"] not in rules:
            raise document.error((*path, "rule"), f"the policy has no rule '{raw['rule']}'", f"it has {', '.join(rules)}")
        exceptions.append(parse_waiver(raw, _line(document, path)))
    return Policy(value["policy"], tuple(value.get("on", DEFAULT_TARGETS)), tuple(rules.values()), tuple(exceptions), workload)


def _rule(document: Document, raw: Mapping[str, Any], path: Path) -> PolicyRule:
    when = _condition(document, raw["when"], (*path, "when")) if "when" in raw else None
    require = _condition(document, raw["require"], (*path, "require"))
    message = _message(document, raw.get("message"), (*path, "message"))
    remediation = _message(document, raw.get("remediation"), (*path, "remediation"))
    on = tuple(raw.get("on", ()))
    reads = [*(when.reads() if when else ()), *require.reads()]
    reads += [name for text in (message, remediation) if text for name in text.reads()]
    for name in reads:
        if name.startswith(_OF_ROWS) and not on:
            raise document.error(path, f"{name} differs from target to target", "say which rows the rule is about with on:")
    about_audit = any(name.startswith(_OF_AUDIT) or name in _WITH_WORKLOAD for name in reads)
    return PolicyRule(
        id=raw["id"],
        title=raw.get("title", ""),
        level=raw.get("level", "error"),
        when=when,
        require=require,
        on=on,
        rows=raw.get("rows", "every"),
        message=message,
        remediation=remediation,
        scope=Scope.ROWS if on else Scope.AUDIT if about_audit else Scope.FILES,
        where=_line(document, path),
    )


def _line(document: Document, path: Path) -> str:
    return document.where(path).rpartition(":")[0]


def _condition(document: Document, raw: object, path: Path) -> Condition:
    try:
        return parse_condition(raw)
    except ConditionError as error:
        raise document.error((*path, *error.path), error.message, error.hint, key=error.at_key) from None


def _message(document: Document, text: str | None, path: Path) -> Message | None:
    if text is None:
        return None
    try:
        return parse_message(text)
    except MessageError as error:
        raise document.error(path, error.message, error.hint) from None

"""Parses conditions: what a ``when:`` says in YAML, its names and types checked against the fact catalogue."""

import re

from auditor.catalog.condition import TESTS, Always, Compare, Condition, FactRef, Group, IsKnown, Not
from auditor.catalog.vocabulary import FEATURES, Path, did_you_mean
from auditor.facts import CATALOGUE, FactSpec

#: Facts whose values are entries of the list of serving features.
_FEATURE_FACTS = ("stack.features", "stack.unsupported_features")
_ORDER = ("gt", "ge", "lt", "le")
#: Operators by kind of fact.
OPERATORS: dict[str, tuple[str, ...]] = {
    "number": ("eq", "ne", *_ORDER, "in", "known"),
    "string": ("eq", "ne", "in", "contains", "matches", "known"),
    "boolean": ("eq", "ne", "known"),
    "strings": ("eq", "ne", "contains", "matches", "known"),
    "integers": ("eq", "ne", "contains", "known"),
}
_CONNECTIVES = ("all", "any", "not", "always")


class ConditionError(ValueError):
    """A condition that makes no sense: ``path`` leads to the fault from where the condition began."""

    def __init__(self, path: Path, message: str, hint: str = "", *, at_key: bool = False) -> None:
        super().__init__(message)
        self.path = path
        self.message = message
        self.hint = hint
        self.at_key = at_key


def kind_of(spec: FactSpec) -> str:
    """Return what a fact compares with: ``number string boolean strings integers``."""
    return "number" if spec.type == "integer" else spec.type


def values_of(spec: FactSpec) -> tuple[str, ...]:
    """Return the closed list of values of a fact, empty where any value will do."""
    return FEATURES if spec.name in _FEATURE_FACTS else spec.values


def comparable(kind: str, operator: str) -> tuple[str, ...]:
    """Return the kinds of fact that may be the operand of ``operator`` on a fact of ``kind``."""
    plural = {"string": "strings", "number": "integers"}
    single = {many: one for one, many in plural.items()}
    if operator == "in":
        return (plural[kind],) if kind in plural else ()
    if operator == "contains":
        return (single[kind], kind) if kind in single else ()
    return (kind,)


def parse_condition(data: object) -> Condition:
    """Return the condition that ``data`` (a ``when:`` as read from YAML) states. Raises ConditionError."""
    return _parse(data, ())


def _parse(data: object, path: Path) -> Condition:
    if not isinstance(data, dict) or len(data) != 1:
        given = f"{len(data)} of them" if isinstance(data, dict) else repr(data)
        raise ConditionError(path, f"a condition is one fact, or one of {', '.join(_CONNECTIVES)}; not {given}", "put several under all:")
    (key, value), below = next(iter(data.items())), (*path, next(iter(data)))
    match key:
        case "all" | "any":
            if not isinstance(value, list) or not value:
                raise ConditionError(below, f"{key} needs a list of conditions")
            return Group(key == "any", tuple(_parse(part, (*below, index)) for index, part in enumerate(value)))
        case "not":
            return Not(_parse(value, below))
        case "always":
            if value is not True:
                raise ConditionError(below, "always takes only true")
            return Always()
    spec = _spec(key, below, at_key=True)
    if isinstance(value, dict):
        if not value:
            raise ConditionError(below, f"{key} needs an operator", f"one of {', '.join(OPERATORS[kind_of(spec)])}")
        parts = tuple(_operator(spec, name, operand, (*below, name)) for name, operand in value.items())
        return parts[0] if len(parts) == 1 else Group(decisive=False, parts=parts)
    if kind_of(spec) in ("strings", "integers"):
        raise ConditionError(below, f"{key} is a list", f"write {key}: {{contains: …}}")
    return _operator(spec, "in" if isinstance(value, list) else "eq", value, below)


def _spec(name: object, path: Path, *, at_key: bool) -> FactSpec:
    spec = CATALOGUE.get(str(name))
    if spec is None:
        raise ConditionError(path, f"no fact is called '{name}'", did_you_mean(name, (*CATALOGUE, *_CONNECTIVES)), at_key=at_key)
    return spec


def _operator(spec: FactSpec, name: str, operand: object, path: Path) -> Condition:
    kind = kind_of(spec)
    if name not in OPERATORS[kind]:
        known = (
            f"'{name}' does not apply to {spec.name}, which is {_described(spec)}"
            if name in (*TESTS, "matches")
            else f"no operator is called '{name}'"
        )
        hint = did_you_mean(name, OPERATORS[kind]) or f"use one of {', '.join(OPERATORS[kind])}"
        raise ConditionError(path, known, hint, at_key=True)
    if name == "known":
        if not isinstance(operand, bool):
            raise ConditionError(path, f"known takes true or false, not {operand!r}")
        return IsKnown(spec.name, operand)
    if isinstance(operand, dict):
        return _against_fact(spec, name, operand, path)
    if name == "matches":
        return _regex(spec, operand, path)
    if name == "contains" and kind == "string":
        if not isinstance(operand, str):
            raise ConditionError(path, f"{spec.name} is text, {operand!r} is not")
        return Compare(spec.name, name, operand)
    wants_list = name == "in" or (name in ("eq", "ne") and kind in ("strings", "integers"))
    if isinstance(operand, list):
        if not wants_list and name != "contains":
            raise ConditionError(path, f"{name} takes one value, not a list")
        if not operand and name in ("in", "contains"):
            raise ConditionError(path, f"{name} takes at least one value")
        for index, item in enumerate(operand):
            _check_value(spec, item, (*path, index))
            if item in operand[:index]:
                raise ConditionError((*path, index), f"{item!r} is given twice")
        return Compare(spec.name, name, tuple(operand))
    if wants_list:
        raise ConditionError(path, f"{name} takes a list here", f"write [{operand}]")
    _check_value(spec, operand, path)
    return Compare(spec.name, name, operand)  # type: ignore[arg-type]  # _check_value has seen to it


def _regex(spec: FactSpec, operand: object, path: Path) -> Condition:
    if not isinstance(operand, str):
        raise ConditionError(path, f"matches takes a regular expression, not {operand!r}")
    try:
        return Compare(spec.name, "matches", operand)
    except re.error as error:
        raise ConditionError(path, f"not a regular expression: {error}") from None


def _against_fact(spec: FactSpec, name: str, operand: dict[str, object], path: Path) -> Condition:
    if set(operand) != {"fact"}:
        raise ConditionError(path, f"an operand is a value or {{fact: NAME}}, not {operand!r}")
    if name == "matches":
        raise ConditionError(path, "matches takes a regular expression, not a fact")
    other = _spec(operand["fact"], (*path, "fact"), at_key=False)
    kind = kind_of(spec)
    wanted = comparable(kind, name)
    if kind_of(other) not in wanted:
        hint = f"{name} needs a fact whose kind is {' or '.join(wanted)}" if wanted else ""
        raise ConditionError((*path, "fact"), f"{other.name} is {_described(other)}, {spec.name} is {_described(spec)}", hint)
    return Compare(spec.name, name, FactRef(other.name))


def _check_value(spec: FactSpec, value: object, path: Path) -> None:
    """Raise unless ``value`` is one that the fact (or an element of it) can have."""
    fits = {
        "string": isinstance(value, str),
        "strings": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "integers": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
    }[spec.type]
    if not fits:
        raise ConditionError(path, f"{spec.name} is {_described(spec)}, {value!r} is not")
    if (values := values_of(spec)) and value not in values:
        raise ConditionError(path, f"{spec.name} is never {value!r}", did_you_mean(value, values) or f"it is one of {', '.join(values)}")


def _described(spec: FactSpec) -> str:
    unit = f" of {spec.unit}" if spec.unit else ""
    return {
        "string": "text",
        "strings": "a list of words",
        "boolean": "true or false",
        "integer": f"a whole number{unit}",
        "integers": "a list of whole numbers",
        "number": f"a number{unit}",
    }[spec.type]

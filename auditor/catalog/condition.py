"""The language of conditions: structured predicates over facts, three-valued.

A condition is true, false, or unknown (None), by Kleene's rules: unknown-or-true is true, unknown-and-false is false.
A comparison with a fact that does not apply is false; with an unknown fact it is unknown. ``known`` is always decided.
There are no calls and no arithmetic: a number worth computing is a fact of its own.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from auditor.catalog.vocabulary import FEATURES, Path, did_you_mean
from auditor.facts import CATALOGUE, FactSpec, Known, Unknown, Value

Truth = bool | None
FactTable = Mapping[str, Known | Unknown]

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


class Condition(Protocol):
    """A parsed condition."""

    def __call__(self, facts: FactTable) -> Truth:
        """Return whether it holds."""

    def reads(self) -> tuple[str, ...]:
        """Return the facts it reads, in the order in which it is written."""

    def unsettled(self, facts: FactTable) -> tuple[str, ...]:
        """Return the unknown facts that leave it undecided; empty when it is decided."""


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


@dataclass(frozen=True, slots=True)
class Always:
    """Holds on every target that its rule applies to."""

    def __call__(self, facts: FactTable) -> Truth:  # noqa: ARG002 - the protocol's signature
        """Return True."""
        return True

    def reads(self) -> tuple[str, ...]:
        """Return nothing: no fact is read."""
        return ()

    def unsettled(self, facts: FactTable) -> tuple[str, ...]:  # noqa: ARG002 - the protocol's signature
        """Return nothing: it is always decided."""
        return ()


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite; unknown stays unknown."""

    part: Condition

    def __call__(self, facts: FactTable) -> Truth:
        """Return the opposite of the part."""
        truth = self.part(facts)
        return None if truth is None else not truth

    def reads(self) -> tuple[str, ...]:
        """Return the facts of the part."""
        return self.part.reads()

    def unsettled(self, facts: FactTable) -> tuple[str, ...]:
        """Return what leaves the part undecided."""
        return self.part.unsettled(facts)


@dataclass(frozen=True, slots=True)
class Group:
    """``all`` or ``any`` of several: the first part that decides the group ends it."""

    decisive: bool
    """The truth of one part that settles the whole: False for ``all``, True for ``any``."""
    parts: tuple[Condition, ...]

    def __call__(self, facts: FactTable) -> Truth:
        """Return the truth of the group by Kleene's rules."""
        undecided = False
        for part in self.parts:
            truth = part(facts)
            if truth is self.decisive:
                return truth
            undecided = undecided or truth is None
        return None if undecided else not self.decisive

    def reads(self) -> tuple[str, ...]:
        """Return the facts of all parts, each once."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.reads()))

    def unsettled(self, facts: FactTable) -> tuple[str, ...]:
        """Return what leaves undecided the parts that matter."""
        if self(facts) is not None:
            return ()
        return tuple(dict.fromkeys(name for part in self.parts for name in part.unsettled(facts)))


@dataclass(frozen=True, slots=True)
class FactRef:
    """Another fact as an operand."""

    name: str


@dataclass(frozen=True, slots=True)
class Compare:
    """One fact against a value or against another fact."""

    fact: str
    operator: str
    operand: Value | FactRef
    test: Callable[[Any, Any], bool] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Chosen once, since it is called for every model on every target.
        test = _matcher(str(self.operand)) if self.operator == "matches" else _TESTS[self.operator]
        object.__setattr__(self, "test", test)

    def __call__(self, facts: FactTable) -> Truth:
        """Return how the comparison comes out."""
        left = facts.get(self.fact)
        if left is None:
            return False
        if isinstance(self.operand, FactRef):
            right = facts.get(self.operand.name)
            if right is None:
                return False
            if not isinstance(left, Known) or not isinstance(right, Known):
                return None
            return self.test(left.value, right.value)
        return self.test(left.value, self.operand) if isinstance(left, Known) else None

    def reads(self) -> tuple[str, ...]:
        """Return the fact, and the one it is compared with."""
        return (self.fact, self.operand.name) if isinstance(self.operand, FactRef) else (self.fact,)

    def unsettled(self, facts: FactTable) -> tuple[str, ...]:
        """Return the unknown ones of its facts."""
        return tuple(name for name in self.reads() if isinstance(facts.get(name), Unknown)) if self(facts) is None else ()


@dataclass(frozen=True, slots=True)
class IsKnown:
    """Whether a fact has a value: false when it is unknown, and when it does not apply."""

    fact: str
    wanted: bool

    def __call__(self, facts: FactTable) -> Truth:
        """Return whether the fact is (or is not) known."""
        return isinstance(facts.get(self.fact), Known) is self.wanted

    def reads(self) -> tuple[str, ...]:
        """Return the fact."""
        return (self.fact,)

    def unsettled(self, facts: FactTable) -> tuple[str, ...]:  # noqa: ARG002 - the protocol's signature
        """Return nothing: knowing is always decided."""
        return ()


def _contains(left: Any, right: Any) -> bool:
    if isinstance(left, tuple) and isinstance(right, tuple):
        return not set(left).isdisjoint(right)
    return right in left


def _matcher(text: str) -> Callable[[Any, Any], bool]:
    pattern = re.compile(text)
    return lambda left, _: any(pattern.search(item) for item in ((left,) if isinstance(left, str) else left))


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda left, right: bool(left == right),
    "ne": lambda left, right: bool(left != right),
    "gt": lambda left, right: bool(left > right),
    "ge": lambda left, right: bool(left >= right),
    "lt": lambda left, right: bool(left < right),
    "le": lambda left, right: bool(left <= right),
    "in": lambda left, right: left in right,
    "contains": _contains,
}


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
            if name in (*_TESTS, "matches")
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

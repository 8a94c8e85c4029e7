"""Conditions as values: structured predicates over facts, three-valued.

A condition is true, false, or unknown (None), by Kleene's rules: unknown-or-true is true, unknown-and-false is false.
A comparison with a fact that does not apply is false; with an unknown fact it is unknown. ``known`` is always decided.
There are no calls and no arithmetic: a number worth computing is a fact of its own.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from auditor.facts import Known, Unknown, Value

Truth = bool | None
FactTable = Mapping[str, Known | Unknown]


class Condition(Protocol):
    """A parsed condition."""

    def __call__(self, facts: FactTable) -> Truth:
        """Return whether it holds."""

    def reads(self) -> tuple[str, ...]:
        """Return the facts it reads, in the order in which it is written."""

    def unsettled(self, facts: FactTable) -> tuple[str, ...]:
        """Return the unknown facts that leave it undecided; empty when it is decided."""


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
        test = _matcher(str(self.operand)) if self.operator == "matches" else TESTS[self.operator]
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


TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda left, right: bool(left == right),
    "ne": lambda left, right: bool(left != right),
    "gt": lambda left, right: bool(left > right),
    "ge": lambda left, right: bool(left >= right),
    "lt": lambda left, right: bool(left < right),
    "le": lambda left, right: bool(left <= right),
    "in": lambda left, right: left in right,
    "contains": _contains,
}

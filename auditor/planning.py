"""Several models moved to one stack: in which order, and what they take together, shared work paid once.

The order is greedy: next comes whatever is the cheapest of those left. Fleets have thousands of models of a few kinds, so the
unit is a group of models that cost the same: its first member pays what the others then share, and they follow at one price.
"""

import heapq
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

from auditor.catalog.effort import EffortModel
from auditor.effort import architecture_key, expected_weeks, shape_key, total_of_many
from auditor.facts import Facts
from auditor.results import Effort, WorkItem
from auditor.sizing.model import Range

#: What an item is paid once for (None: every model pays its own), its expected weeks, and the item.
_Term = tuple[Hashable, float, WorkItem]


@dataclass(frozen=True, slots=True)
class Work:
    """What moving a model takes; make one with ``work``, and share it between the groups that ask for the same."""

    levels: tuple[tuple[_Term, ...], ...]
    """For the first model of its architecture, for a further one, and for one whose shapes were there before."""


@dataclass(frozen=True, slots=True)
class Group:
    """Models that cost the same to move: one architecture, one set of shapes, the same work."""

    models: tuple[str, ...]
    """Names, in the order in which they would go; at least one."""
    architecture: str
    shape: str
    work: Work


@dataclass(frozen=True, slots=True)
class Step:
    """Models of one group that go one after the other."""

    models: tuple[str, ...]
    items: tuple[WorkItem, ...]
    """What each of them adds to what was paid before."""
    expected: float
    """The weeks of that."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All groups in the cheapest order."""

    steps: tuple[Step, ...]
    total: Effort

    @property
    def order(self) -> tuple[tuple[str, float], ...]:
        """Every model with the expected weeks that it adds."""
        return tuple((name, step.expected) for step in self.steps for name in step.models)


def work(model: EffortModel, items: Sequence[WorkItem]) -> Work:
    """Return the work of one model as if it were the only one. Items of scope ``model`` are each model's own."""
    unique = {(item.item, item.scope_key): item for item in items}.values()
    levels = []
    for level in range(3):
        scaled = [_scaled(item, _shares(model, item)[level]) for item in unique]
        levels.append(tuple((_token(item), expected_weeks(item.weeks), item) for item in scaled))
    return Work(tuple(levels))


def alone(model: EffortModel, name: str, facts: Facts, effort: Effort) -> Group:
    """Return one model as a group of its own."""
    return Group((name,), architecture_key(facts), shape_key(facts), work(model, effort.items))


def plan(model: EffortModel, groups: Iterable[Group]) -> Plan:
    """Return the order in which each next model is the cheapest one left, and the total with shared work paid once.

    Ties go by the names of a group's models, so that the order never depends on the order of the input.
    """
    waiting = [_Waiting(group) for group in sorted(groups, key=lambda group: group.models)]
    # What is paid makes a group cheaper only where it shares something with it, so only those are priced anew; the queue may
    # hold their older, dearer prices, which are passed over.
    sharing: dict[Hashable, list[int]] = {}
    for at, one in enumerate(waiting):
        for token in one.tokens:
            sharing.setdefault(token, []).append(at)
    paid: set[Hashable] = set()
    queue: list[tuple[float, int]] = []

    def price(at: int) -> None:
        waiting[at].price = sum(weeks for _, weeks, _ in waiting[at].terms(paid))
        heapq.heappush(queue, (waiting[at].price, at))

    for at in range(len(waiting)):
        price(at)
    steps = []
    while queue:
        offered, at = heapq.heappop(queue)
        one = waiting[at]
        if not one.models or offered != one.price:
            continue
        new = one.tokens - paid
        going, one.models = (one.models[:1], one.models[1:]) if new else (one.models, ())
        steps.append(Step(going, tuple(item for _, _, item in one.terms(paid)), offered))
        paid |= new
        for other in set().union(*(sharing[token] for token in new)):
            if waiting[other].models:
                price(other)
    return Plan(tuple(steps), _total(steps, model))


class _Waiting:
    """What of a group is left, and its price at the moment."""

    def __init__(self, group: Group) -> None:
        self.models = group.models
        self.price = 0.0
        self._levels = group.work.levels
        self._architecture: Hashable = group.architecture
        self._shape: Hashable = ("shape", group.architecture, group.shape)
        self.tokens = frozenset([*(token for token, _, _ in self._levels[0] if token is not None), self._architecture, self._shape])

    def terms(self, paid: set[Hashable]) -> list[_Term]:
        """Return the work of one more member."""
        level = 2 if self._shape in paid else 1 if self._architecture in paid else 0
        return [term for term in self._levels[level] if term[0] not in paid]


def _total(steps: Iterable[Step], model: EffortModel) -> Effort:
    # Groups share their items, so that few are left to be added up.
    counted: dict[int, tuple[WorkItem, int]] = {}
    for step in steps:
        for item in step.items:
            counted[id(item)] = item, counted.get(id(item), (item, 0))[1] + len(step.models)
    return total_of_many(counted.values(), model.rho)


def _token(item: WorkItem) -> Hashable:
    return None if item.scope == "model" else (item.item, item.scope_key)


def _shares(model: EffortModel, item: WorkItem) -> tuple[float, float, float]:
    """Return the shares of an item that are paid on each level."""
    spec = model.items.get(item.item)
    return (1.0, spec.same_architecture, spec.same_shape) if spec else (1.0, 1.0, 1.0)


def _scaled(item: WorkItem, share: float) -> WorkItem:
    weeks = item.weeks
    return item if share == 1.0 else replace(item, weeks=Range(weeks.low * share, weeks.likely * share, weeks.high * share))

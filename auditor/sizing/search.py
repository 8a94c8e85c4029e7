"""Searches layouts: which hold a model and its workload, on the fewest devices or on those that were asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

from auditor.catalog.model import Price, Target
from auditor.inspection.model import Inspection
from auditor.sizing.fit import Fit, Room, Step, fit
from auditor.sizing.layout import layouts, ranks_per_device
from auditor.sizing.model import Constraints, Layout
from auditor.sizing.offers import Offer, offers
from auditor.sizing.shape import Shape
from auditor.sizing.weights import Holding
from auditor.workload import Workload


@dataclass(frozen=True, slots=True)
class Search:
    """What every candidate is judged by."""

    inspection: Inspection
    shape: Shape
    held: Holding
    room: Room
    workload: Workload
    target: Target
    prices: Sequence[Price]
    term: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A layout that fits, and the machines for it."""

    fit: Fit
    offer: Offer
    devices: int
    tuned: bool
    """Whether it fits only with a smaller step than the stack's default."""

    @property
    def order(self) -> tuple[int, int, tuple[int, float, int, str]]:
        """Return what makes a placement the smallest: devices, then copies, then machines and their price."""
        return self.devices, self.fit.layout.replicas, self.offer.order


def candidates(search: Search, asked: Constraints) -> list[Layout]:
    """Return layouts in the order in which they are tried: fewest devices first."""
    accelerator, rules = search.target.accelerator, search.room.rules
    per_device = ranks_per_device(accelerator)
    domain = accelerator.scale_up_devices * per_device if accelerator.scale_up_devices else None
    ranks = asked.devices * per_device if asked.devices else None
    found = list(layouts(search.shape, rules, domain=domain, tensor=asked.tensor_parallel, ranks=ranks))
    if ranks:
        # Where tensor parallelism does not take all of them, copies side by side come before stages: they wait for nobody.
        single = layouts(search.shape, rules, domain=domain, tensor=asked.tensor_parallel, ranks=None)
        found += [
            replace(layout, replicas=ranks // layout.ranks) for layout in single if layout.ranks < ranks and ranks % layout.ranks == 0
        ]
        found.sort(key=lambda layout: (layout.pipeline > 1, layout.sequence_shares, layout.pipeline))
    if ranks is None and asked.tensor_parallel is None and per_device > 1:
        found.sort(key=lambda layout: (ceil(layout.ranks / per_device), -layout.tensor, layout.pipeline))
    return found


def fitting(search: Search, tried: Sequence[Layout], asked: Constraints) -> list[Choice]:
    """Return the layouts among ``tried`` (fewest devices first) that hold model and workload, as far as one may be the best.

    Where no number of devices is asked for, a layout that holds some of the sequences is taken as often as it needs to be.
    """
    accelerator = search.target.accelerator
    per_device = ranks_per_device(accelerator)
    found: list[Choice] = []
    for layout in tried:
        if found and _is_past(layout, found[0], asked, per_device):
            break
        held = _whole(search, layout) or (None if asked.devices else _spread(search, layout))
        if held is None:
            continue
        devices = ceil(held.layout.ranks * held.layout.replicas / per_device)
        offered = offers(accelerator, devices, ceil(layout.tensor * layout.groups / per_device), search.prices, search.term)
        if offered or asked.devices:
            found.append(Choice(held, offered[0] if offered else Offer(None, 0, devices, None), devices, held.step != steps(search)[0]))
            found.sort(key=lambda choice: choice.order)
    return found


def nearest(search: Search, tried: Sequence[Layout]) -> Fit:
    """Return the layout that leaves most (or lacks least), at the smallest step."""
    return max((fit_of(search, layout, steps(search)[1]) for layout in tried), key=lambda attempt: attempt.memory.headroom)


def _is_past(layout: Layout, best: Choice, asked: Constraints, per_device: int) -> bool:
    """Return whether neither this candidate nor one after it can be better than what was found."""
    if asked.devices:
        return layout.pipeline > best.fit.layout.pipeline
    return ceil(layout.ranks / per_device) > best.devices


def steps(search: Search) -> tuple[Step, Step]:
    """Return the stack's default step, and the smallest that a deployment is tuned down to."""
    memory, sequences = search.room.model, search.workload.concurrency or 1
    tuned = Step(min(memory.activation_tokens, memory.minimum_step_tokens), min(memory.step_sequences, sequences))
    return Step(memory.activation_tokens, memory.step_sequences), tuned


def _whole(search: Search, layout: Layout) -> Fit | None:
    """Return how the layout holds all sequences; None where it does not."""
    return next((found for step in steps(search) if (found := fit_of(search, layout, step)).fits), None)


def _spread(search: Search, layout: Layout) -> Fit | None:
    """Return as many copies of the layout as it takes to hold all sequences; None where one copy does not hold a single one."""
    wanted = search.workload.concurrency or 1
    default, tuned = steps(search)
    for step in (default, tuned):
        one = fit_of(search, layout, step)
        held = one.sequences if one.slots is None else min(one.sequences, one.slots * layout.groups)
        if held < 1:
            continue
        copies = ceil(wanted / held)
        share = replace(step, sequences=min(step.sequences, ceil(wanted / copies))) if step is tuned else step
        found = fit_of(search, replace(layout, replicas=copies), share)
        if found.fits:
            return found
    return None


def fit_of(search: Search, layout: Layout, step: Step) -> Fit:
    """Return the memory of one layout at one step."""
    return fit(search.shape, search.held, layout, search.room, search.workload, step)

"""Whether one layout holds a model and its workload: memory of the fullest rank against what the stack lets it use."""

from dataclasses import dataclass
from math import ceil, floor

from auditor.catalog.model import MemoryModel, ParallelismRules
from auditor.sizing import activations, cache
from auditor.sizing.extras import Extras
from auditor.sizing.model import Layout, Memory
from auditor.sizing.shape import Shape
from auditor.sizing.weights import Holding, bytes_per_rank
from auditor.workload import Workload

#: Share of a limit within which a placement is called borderline.
BORDERLINE = 0.05


@dataclass(frozen=True, slots=True)
class Step:
    """What one forward step is sized for."""

    tokens: int
    sequences: int


@dataclass(frozen=True, slots=True)
class Fit:
    """One layout's memory, with what is left for cache."""

    layout: Layout
    step: Step
    memory: Memory
    layers: tuple[cache.RankLayers, ...]
    per_sequence: int
    """Bytes that one more sequence takes on the rank: cache of a generating model, activations of another."""
    available: int
    """Bytes that the sequences of the rank may take."""
    weights_ceiling: int | None
    slots: int | None = None
    """Sequences that can hold a recurrent state; None where nothing limits them."""

    @property
    def fits(self) -> bool:
        """Return whether weights, activations and the workload's sequences are within the limits."""
        within_ceiling = self.weights_ceiling is None or self.memory.weights <= self.weights_ceiling
        enough_slots = self.slots is None or self.step.sequences <= self.slots
        return within_ceiling and enough_slots and self.memory.headroom >= 0 and self.memory.kv_cache <= max(self.available, 0)

    @property
    def borderline(self) -> bool:
        """Return whether less than five percent of the usable memory, or of the cache's cap, is left."""
        left = min(self.memory.headroom, self.available - self.memory.kv_cache) if self.memory.kv_cache else self.memory.headroom
        return abs(left) < BORDERLINE * self.memory.usable

    @property
    def sequences(self) -> int:
        """Return how many sequences of the workload's length fit on all copies together."""
        if self.per_sequence <= 0:
            return 0
        return max(0, self.available // self.per_sequence) * self.layout.sequence_shares


@dataclass(frozen=True, slots=True)
class Room:
    """What one rank offers a model under a stack."""

    rank_bytes: int
    fraction: float
    model: MemoryModel
    rules: ParallelismRules
    extras: Extras


def fit(shape: Shape, held: Holding, layout: Layout, room: Room, workload: Workload, step: Step) -> Fit:
    """Return the memory of the fullest rank of ``layout``.

    Usable memory is a share of the rank's, or (Gaudi) what is taken by weights and activations plus a share of the
    rest. What is left after weights, activations and runtime is the cache's, up to the stack's cap on it: a share of the
    usable memory, or, where that is a share itself, of what is left.
    """
    memory = room.model
    weights = bytes_per_rank(shape, held, layout, towers_sharded=room.rules.towers_sharded) + room.extras.bytes_on_rank(shape, layout)
    runtime = memory.runtime_bytes + (memory.collective_bytes if layout.ranks > 1 else 0)
    sequences = ceil((workload.concurrency or 1) / layout.sequence_shares)
    layers: tuple[cache.RankLayers, ...] = ()
    if shape.generates:
        active = activations.text_bytes(shape, layout, memory, step.tokens, step.sequences)
        layers = cache.on_rank(room.extras.cache(shape), layout, memory)
        per_sequence = cache.reserved_bytes(layers, workload.context or 1, memory, step.tokens)
        kept = per_sequence * sequences
    else:
        per_sequence = _per_item(shape, layout, workload)
        active = per_sequence * sequences
        kept = 0
    fixed = weights + runtime + (active if shape.generates else 0)
    usable = _usable(room, fixed)
    available = usable - fixed
    if shape.generates and memory.kv_cap_fraction is not None:
        share = available if memory.fraction_of == "free-after-weights" else usable
        available = min(available, floor(memory.kv_cap_fraction * max(share, 0)))
    return Fit(
        layout=layout,
        step=step,
        memory=Memory(weights, kept, active, runtime, weights + kept + active + runtime, usable),
        layers=layers,
        per_sequence=per_sequence,
        available=available,
        weights_ceiling=room.rules.weights_per_rank_bytes,
        slots=cache.state_slots(layers, available, memory, step.tokens),
    )


def _usable(room: Room, fixed: int) -> int:
    if room.model.fraction_of == "free-after-weights":
        return fixed + floor(room.fraction * max(room.rank_bytes - fixed, 0))
    return floor(room.fraction * room.rank_bytes)


def _per_item(shape: Shape, layout: Layout, workload: Workload) -> int:
    if shape.diffuses or shape.task == "image-encoder":
        if shape.diffuses:
            return activations.image_bytes(shape, workload, 1)
        # A patch is 14 or 16 pixels wide; the smaller makes more tokens.
        return activations.encoder_bytes(shape, layout, 1, ceil((workload.image_size or 224) / 14) ** 2 + 1)
    tokens = workload.context or workload.input_tokens or ceil((workload.audio_seconds or 30) * activations.FRAMES_PER_SECOND)
    return activations.encoder_bytes(shape, layout, 1, tokens)

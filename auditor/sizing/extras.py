"""What a workload adds to the model on every rank: slots for LoRA adapters, and what drafts tokens for it."""

from dataclasses import dataclass, replace
from math import ceil

from auditor.catalog.model import Target
from auditor.inspection.model import Inspection, LayerGroup, LayerKind
from auditor.sizing.model import Layout, NoPlacement
from auditor.sizing.shape import SIXTEEN_BIT, Shape, read_shape
from auditor.sizing.weights import Holding, bytes_per_rank, holding
from auditor.workload import Workload

#: What vLLM sets aside where LoRA is enabled and nothing else is said: ``max_loras`` and ``max_lora_rank``.
DEFAULT_ADAPTERS = 1
DEFAULT_RANK = 16
_LASTING = frozenset({LayerKind.FULL, LayerKind.LATENT, LayerKind.INDEXER})


@dataclass(frozen=True, slots=True)
class Drafting:
    """A draft model, or the model's own layers for multi-token prediction, served beside it."""

    cache: tuple[LayerGroup, ...]
    """Layers that keep a cache of their own for every sequence."""
    layers_bytes: float = 0.0
    """Bytes of prediction layers, unsharded; 0 for a draft model."""
    shape: Shape | None = None
    held: Holding | None = None
    """Of a draft model; None for prediction layers."""

    def bytes_on_rank(self, layout: Layout) -> int:
        """Return the bytes on one rank: a draft is divided by tensor parallelism alone, whole on the last stage."""
        if self.shape is None or self.held is None:
            return ceil(self.layers_bytes / (layout.tensor * layout.groups))
        return bytes_per_rank(self.shape, self.held, Layout(layout.tensor), towers_sharded=False)


@dataclass(frozen=True, slots=True)
class Extras:
    """Everything that a workload adds."""

    adapters: int = 0
    """LoRA adapters that are on the device at once."""
    rank: int = 0
    """Largest rank of an adapter."""
    drafting: Drafting | None = None
    notes: tuple[str, ...] = ()

    def bytes_on_rank(self, shape: Shape, layout: Layout) -> int:
        """Return the bytes that one rank holds beside the model."""
        drafted = self.drafting.bytes_on_rank(layout) if self.drafting else 0
        return drafted + lora_bytes(shape, layout, self.adapters, self.rank)

    def cache(self, shape: Shape) -> tuple[LayerGroup, ...]:
        """Return the layers that keep a cache: the model's, and those of what drafts."""
        return shape.cache + (self.drafting.cache if self.drafting else ())


def extras(inspection: Inspection, target: Target, workload: Workload, draft: Inspection | None) -> Extras | NoPlacement:
    """Return what the workload adds to the model, or what must be known to say so."""
    adapters = (workload.lora_adapters or DEFAULT_ADAPTERS) if workload.lora or workload.lora_adapters else 0
    added = Extras(adapters, workload.lora_rank or DEFAULT_RANK)
    if draft is None and not workload.speculative:
        return added
    drafting = _draft_model(draft, target) if draft is not None else _prediction_layers(inspection)
    if isinstance(drafting, NoPlacement):
        return replace(drafting, reason=f"the draft model {draft.id}: {drafting.reason}") if draft is not None else drafting
    if drafting is None:
        return replace(added, notes=("what drafts is not counted: the model has no prediction layers, and no draft model is named",))
    what = f"{draft.id} drafts" if draft is not None else "the model's own prediction layers draft"
    return replace(added, drafting=drafting, notes=(f"{what}: weights and cache of that are counted",))


def _draft_model(draft: Inspection, target: Target) -> Drafting | NoPlacement:
    shape = read_shape(draft)
    if isinstance(shape, NoPlacement):
        return shape
    held = holding(shape, target, draft.facts, None)
    return held if isinstance(held, NoPlacement) else Drafting(shape.cache, shape=shape, held=held)


def _prediction_layers(inspection: Inspection) -> Drafting | NoPlacement | None:
    """Return the model's layers for multi-token prediction; None where it has none."""
    facts = inspection.facts
    count = facts.integer("arch.mtp_layers")
    if not count:
        return None
    parameters, whole = facts.integer("params.mtp"), facts.integer("params.total")
    loaded = facts.integer("weights.loaded_bytes")
    each = loaded / whole if loaded and whole else SIXTEEN_BIT
    nbytes = facts.integer("weights.mtp_bytes") or (parameters * each if parameters else None)
    if nbytes is None:
        return NoPlacement("how large the prediction layers are is not known", known=False, settled_by=("params.mtp",))
    alike = (group for group in inspection.layers if group.kind in _LASTING and group.count)
    cache = tuple(
        replace(
            group,
            count=count,
            bytes_per_token=group.bytes_per_token / group.count * count,
            bytes_per_sequence=group.bytes_per_sequence / group.count * count,
        )
        for group in alike
    )
    return Drafting(cache, layers_bytes=nbytes)


def lora_bytes(shape: Shape, layout: Layout, adapters: int, rank: int) -> int:
    """Return the bytes of ``adapters`` slots of ``rank`` on one rank, in 16 bit (vLLM: ``lora/layers``).

    Each projection has an A of rank x input and a B of output x rank. Tensor parallelism divides the B of the
    projections that it divides by output (queries, keys, values, gate, up) and the A of those divided by input (output,
    down); the other half stands on every rank. Experts have slots of their own. Recurrent layers are counted as if they
    had attention's projections.
    """
    if not adapters:
        return 0
    heads, kv_heads = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    attention = 4 * shape.hidden + (2 * heads + 2 * kv_heads) / layout.tensor
    dense_layers = shape.layers - shape.moe_layers
    dense = dense_layers * (3 * shape.hidden + 3 * shape.intermediate / layout.tensor)
    slices = layout.tensor if layout.expert == 1 else 1
    experts = shape.moe_layers * ceil(shape.experts / layout.expert) * (3 * shape.hidden + 3 * shape.expert_intermediate / slices)
    widths = (shape.layers * attention + dense + experts) * ceil(shape.layers / layout.pipeline) / max(shape.layers, 1)
    return ceil(adapters * rank * widths * SIXTEEN_BIT)

"""Weights on one rank: what the target holds them as, what it shards, and what it replicates or pads."""

from dataclasses import dataclass
from math import ceil

from auditor.catalog.model import Target
from auditor.catalog.support import format_support
from auditor.facts import Facts, Unknown
from auditor.sizing.model import Layout, NoPlacement
from auditor.sizing.shape import SIXTEEN_BIT, Shape
from auditor.units import canonical_dtype, dtype_bytes

#: Word for weights that are held as they are stored.
AS_STORED = "as-stored"


#: Bytes of scales per weight of types that are never stored without them (NVFP4: one of eight bits to sixteen weights).
_SCALE_BYTES = {"float4_e2m1": 1 / 16}


@dataclass(frozen=True, slots=True)
class Holding:
    """The weights as a target holds them, unsharded. Bytes."""

    dtype: str
    """``as-stored``, or the type that the weights are converted to."""
    layers: float
    """Everything but experts, embedding and towers."""
    experts: float
    embedding: float
    towers: float
    pad_intermediate: int = 1
    pad_hidden: int = 1
    note: str = ""

    @property
    def total(self) -> int:
        """Bytes of the whole model."""
        return ceil(self.layers + self.experts + self.embedding + self.towers)


def holding(shape: Shape, target: Target, facts: Facts, asked: str | None) -> Holding | NoPlacement:
    """Return what the target holds the weights as: ``asked``, or what its stack does with the stored format.

    Weights stored in 32 bit are loaded in 16 (every serving stack's default type), unless the stack says otherwise.
    """
    dtype = canonical_dtype(asked) if asked else None
    if dtype is None:
        row = format_support(target.stack, target.accelerator, facts)
        if isinstance(row, Unknown):
            # Which row applies matters only where some row converts quantized weights: plain ones end in 16 bit anyhow.
            converting = (other for other in target.stack.formats if other.method == shape.quant_method and other.holds != AS_STORED)
            if shape.quant_method != "none" and any(converting):
                return NoPlacement(
                    f"what the target holds the weights as is not known: {row.reason}", known=False, settled_by=row.settled_by
                )
        elif row.holds != AS_STORED:
            dtype = row.holds
    if dtype is not None:
        return _converted(shape, dtype)
    layers = shape.stored_bytes - shape.expert_bytes - shape.embedding_bytes - shape.tower_bytes
    scale = 0.5 if _stored_wide(shape) else 1.0
    notes = [shape.estimated] if shape.estimated else []
    if scale != 1:
        notes.append("stored in 32 bit, loaded in 16 bit")
    memory = target.stack.memory
    padded = memory is not None and shape.quant_method == "mxfp4"
    return Holding(
        dtype=AS_STORED if scale == 1 else "bfloat16",
        layers=layers * scale,
        experts=shape.expert_bytes * scale,
        embedding=shape.embedding_bytes * scale,
        towers=shape.tower_bytes * scale,
        pad_intermediate=memory.mxfp4_pad_intermediate if memory and padded else 1,
        pad_hidden=memory.mxfp4_pad_hidden if memory and padded else 1,
        note="; ".join(notes),
    )


def _stored_wide(shape: Shape) -> bool:
    return shape.weights_dtype == "float32" and shape.quant_method == "none"


def _converted(shape: Shape, dtype: str) -> Holding | NoPlacement:
    if not shape.parameters:
        reason = f"the target holds these weights as {dtype}, and how many parameters there are is not known"
        return NoPlacement(reason, known=False, settled_by=("params.total",))
    each = dtype_bytes(dtype) + _SCALE_BYTES.get(dtype, 0.0)
    # Embeddings and towers are left in 16 bit by every quantization of fewer bits.
    kept = max(each, SIXTEEN_BIT) if each < SIXTEEN_BIT else each
    plain = _plain_bytes_per_parameter(shape)
    embedding = shape.embedding_bytes / plain * kept
    towers = shape.tower_bytes / plain * kept
    experts = shape.expert_parameters * each
    rest = shape.parameters - shape.expert_parameters - (shape.embedding_bytes + shape.tower_bytes) / plain
    return Holding(dtype, max(rest, 0) * each, experts, embedding, towers, note=f"held as {dtype}")


def _plain_bytes_per_parameter(shape: Shape) -> int:
    """Bytes per parameter of embeddings and towers, which quantization leaves alone."""
    return 4 if _stored_wide(shape) else SIXTEEN_BIT


def bytes_per_rank(shape: Shape, held: Holding, layout: Layout, *, towers_sharded: bool) -> int:
    """Return the weights of the fullest rank.

    Tensor parallelism divides every matrix but routers, the down-projections of latent attention, norms, and the key
    and value projections once there are more ranks than key/value heads. Groups with attention of their own hold all
    but the experts each. Pipeline stages divide layers; the fullest stage has the embedding or the head. Rotary tables
    (one row per position) stand on every rank.
    """
    stage = ceil(shape.layers / layout.pipeline) / shape.layers if shape.layers else 1.0
    whole = min(_replicated_bytes(shape, held), held.layers)
    layers = ((held.layers - whole) / layout.tensor + whole + _extra_kv_bytes(shape, held, layout.tensor)) * stage
    experts = held.experts * stage * _expert_share(shape, held, layout)
    ends = held.embedding if layout.pipeline == 1 else held.embedding / 2
    towers = held.towers / (layout.tensor if towers_sharded else 1)
    return ceil(layers + experts + ends / layout.tensor + towers + _rotary_bytes(shape))


def _dense_bytes_per_parameter(shape: Shape, held: Holding) -> float:
    dense = shape.parameters - shape.expert_parameters - (held.embedding + held.towers) / SIXTEEN_BIT
    return held.layers / dense if dense > 0 else SIXTEEN_BIT


def _replicated_bytes(shape: Shape, held: Holding) -> float:
    norms = 4 * shape.hidden * shape.layers * SIXTEEN_BIT
    routers = shape.hidden * shape.experts * shape.moe_layers * SIXTEEN_BIT
    down = shape.hidden * (shape.latent_rank + shape.rope_head_dim + shape.query_rank) * shape.layers if shape.latent else 0
    return norms + routers + down * _dense_bytes_per_parameter(shape, held)


def _extra_kv_bytes(shape: Shape, held: Holding, tensor: int) -> float:
    """Bytes by which one rank's key and value projections exceed an even share."""
    if shape.latent or not shape.kv_heads or tensor <= shape.kv_heads:
        return 0.0
    layers = sum(group.count for group in shape.cache if group.kv_heads)
    return 2 * shape.hidden * shape.head_dim * (1 - shape.kv_heads / tensor) * layers * _dense_bytes_per_parameter(shape, held)


def _expert_share(shape: Shape, held: Holding, layout: Layout) -> float:
    """Return the share of all experts that one rank of a stage holds, padding included."""
    if not shape.experts:
        return 1 / layout.tensor
    if layout.expert > 1:
        return ceil(shape.experts / layout.expert) / shape.experts * _padding(shape, held, 1)
    return _padding(shape, held, layout.tensor) / layout.tensor


def _padding(shape: Shape, held: Holding, slices: int) -> float:
    if not shape.expert_intermediate or not shape.hidden:
        return 1.0
    width = shape.expert_intermediate / slices
    padded = ceil(width / held.pad_intermediate) * held.pad_intermediate
    return (padded / width if held.pad_intermediate > 1 else 1.0) * ceil(shape.hidden / held.pad_hidden) * held.pad_hidden / shape.hidden


def _rotary_bytes(shape: Shape) -> float:
    if not shape.rotary or not shape.longest:
        return 0.0
    return shape.longest * (shape.rope_head_dim or shape.head_dim) * SIXTEEN_BIT

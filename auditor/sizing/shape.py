"""The figures of a model that sizing computes with, read out of its facts once."""

import re
from dataclasses import dataclass

from auditor.facts import Facts, Known, Unknown
from auditor.inspection.model import Inspection, LayerGroup
from auditor.sizing.model import NoPlacement
from auditor.units import DTYPE_BITS, dtype_bytes, human_count

_LAYER_NUMBER = re.compile(r"\.(\d+)\.")
#: Tasks that generate tokens one after another and therefore keep a cache.
GENERATING = frozenset(
    {"causal-lm", "seq2seq-lm", "image-text-to-text", "audio-text-to-text", "any-to-any", "speech-to-text", "text-to-speech"}
)
#: Tasks that run a whole pipeline of components per image.
DIFFUSING = frozenset({"text-to-image", "text-to-video"})
#: Bytes of the type that engines compute in where nothing else is said.
SIXTEEN_BIT = 2


@dataclass(frozen=True, slots=True)
class Shape:
    """One model in numbers. Bytes are those of the stored file; 0 for a part that the model lacks."""

    task: str
    stored_bytes: int
    """Bytes that a server loads of the file: without layers for multi-token prediction."""
    embedding_bytes: int
    """Token embedding and untied head."""
    expert_bytes: int
    tower_bytes: int
    estimated: str
    """How the bytes were estimated; empty where files state them."""
    parameters: int
    """Logical parameters that a server loads; 0 where unknown."""
    decode_parameters: int
    """Parameters that one generated token multiplies; 0 where unknown."""
    expert_parameters: int
    quant_method: str
    weights_dtype: str
    layers: int
    hidden: int
    intermediate: int
    vocabulary: int
    heads: int
    kv_heads: int
    head_dim: int
    latent: bool
    latent_rank: int
    rope_head_dim: int
    query_rank: int
    """Rank of compressed queries (latent attention); 0 where they are not compressed."""
    rotary: bool
    experts: int
    experts_per_token: int
    expert_intermediate: int
    moe_layers: int
    longest: int | None
    """Largest context that the model takes; None where it states none."""
    cache: tuple[LayerGroup, ...]

    @property
    def generates(self) -> bool:
        """Return whether the model generates tokens and keeps a cache."""
        return self.task in GENERATING

    @property
    def diffuses(self) -> bool:
        """Return whether the model is a pipeline that makes images or video."""
        return self.task in DIFFUSING


def read_shape(inspection: Inspection) -> Shape | NoPlacement:
    """Return the model's figures, or what is missing to place it at all."""
    facts = inspection.facts
    task = facts.text("arch.task") or "unknown"
    if task in {"other", "unknown"} and facts.integer("arch.layers") and inspection.layers and facts.integer("arch.vocab_size"):
        task = "causal-lm"
    stored = _stored(facts)
    if stored is None:
        return _missing(facts, "weights.bytes", "how large the weights are is not known")
    if task in GENERATING:
        for name in ("arch.layers", "arch.hidden_size"):
            if facts.integer(name) is None:
                return _missing(facts, name, "the size of the cache and of activations needs the model's layers and width")
        if not inspection.layers:
            return _missing(facts, "kv_cache.bytes_per_token", "what each layer keeps of the sequence is not known")
        if isinstance(facts.get("kv_cache.bytes_per_token"), Unknown):
            return _missing(facts, "kv_cache.bytes_per_token", "what each layer keeps of the sequence is not known")
    kind = facts.text("attention.kind") or "none"

    def whole(name: str) -> int:
        return facts.integer(name) or 0

    return Shape(
        task=task,
        stored_bytes=stored.total,
        embedding_bytes=stored.embedding,
        expert_bytes=stored.experts,
        tower_bytes=stored.towers,
        estimated=stored.estimated,
        parameters=whole("params.total"),
        decode_parameters=whole("params.decode") or whole("params.active") or whole("params.total"),
        expert_parameters=whole("params.routed_experts"),
        quant_method=facts.text("quant.method") or "none",
        weights_dtype=facts.text("weights.dtype") or facts.text("arch.dtype") or "bfloat16",
        layers=whole("arch.layers"),
        hidden=whole("arch.hidden_size"),
        intermediate=whole("arch.intermediate_size") or 4 * whole("arch.hidden_size"),
        vocabulary=whole("arch.vocab_size"),
        # A pipeline's transformer is not sliced by heads: its components differ.
        heads=0 if task in DIFFUSING else whole("attention.heads"),
        kv_heads=whole("attention.kv_heads") or whole("attention.heads"),
        head_dim=whole("attention.head_dim"),
        latent=kind == "mla",
        latent_rank=whole("attention.latent_rank"),
        rope_head_dim=whole("attention.rope_head_dim"),
        query_rank=whole("attention.query_rank"),
        rotary=facts.text("arch.position") == "rope",
        experts=whole("moe.experts"),
        experts_per_token=whole("moe.experts_per_token"),
        expert_intermediate=whole("moe.intermediate_size"),
        moe_layers=whole("moe.layers"),
        longest=facts.integer("arch.max_context"),
        cache=inspection.layers,
    )


@dataclass(frozen=True, slots=True)
class _Stored:
    total: int
    embedding: int
    experts: int
    towers: int
    estimated: str = ""


def _stored(facts: Facts) -> _Stored | None:
    """Return the bytes a server loads; from parameters and the bits of their format where no file states bytes."""
    loaded = facts.integer("weights.loaded_bytes") or facts.integer("weights.bytes")
    if loaded:
        each = loaded / (facts.integer("params.total") or loaded)
        # A part without bytes of its own has its share by parameters: what a config alone says.
        embedding, experts, towers = (
            facts.integer(f"weights.{stored}_bytes") or round((facts.integer(f"params.{counted}") or 0) * each)
            for stored, counted in (("embedding", "embedding"), ("routed_expert", "routed_experts"), ("tower", "towers"))
        )
        return _Stored(loaded, embedding, experts, towers)
    parameters = facts.integer("params.total")
    if not parameters:
        return None
    embedding, experts, towers = (facts.integer(f"params.{part}") or 0 for part in ("embedding", "routed_experts", "towers"))
    method, dtype = facts.text("quant.method") or "none", facts.text("weights.dtype") or facts.text("arch.dtype")
    if method == "none":
        # Whatever they are stored in, servers load plain weights in 16 bit.
        each = dtype_bytes(dtype) if dtype in DTYPE_BITS else SIXTEEN_BIT
        note = "" if dtype in DTYPE_BITS else "the stored type is not known: weights counted as loaded, in 16 bit"
        return _Stored(int(parameters * each), int(embedding * each), int(experts * each), int(towers * each), note)
    bits = _format_bits(method, facts.number("quant.bits"), facts.integer("quant.group_size"))
    if bits is None:
        return None
    # Embeddings and towers are left out of every quantization, attention where the config says so.
    plain = (
        embedding + towers + int(_attention_parameters(facts, parameters - embedding - towers - experts) * _unquantized_attention(facts))
    )
    total = plain * SIXTEEN_BIT + (parameters - plain) * bits / 8
    note = f"weights estimated: {human_count(parameters)} parameters at {bits:.4g} bits, {human_count(plain)} of them left in 16"
    return _Stored(int(total), embedding * SIXTEEN_BIT, int(experts * bits / 8), towers * SIXTEEN_BIT, note)


def _attention_parameters(facts: Facts, dense: int) -> int:
    """Return the parameters of attention: all that is dense beside routed experts, else the four projections."""
    if facts.integer("params.routed_experts"):
        return dense
    layers, hidden, heads, kv_heads, width = (
        facts.integer(name) or 0
        for name in ("arch.layers", "arch.hidden_size", "attention.heads", "attention.kv_heads", "attention.head_dim")
    )
    return min(2 * layers * hidden * width * (heads + kv_heads), dense)


def _unquantized_attention(facts: Facts) -> float:
    """Return the share of layers whose attention the config leaves unquantized; a pattern without a number means all."""
    excluded = facts.value("quant.excluded_modules")
    names = [str(name) for name in excluded if "attn" in str(name)] if isinstance(excluded, tuple) else []
    numbers = [_LAYER_NUMBER.search(name) for name in names]
    if not all(numbers):
        return 1.0
    return min(1.0, len({number[1] for number in numbers if number}) / (facts.integer("arch.layers") or 1))


def _format_bits(method: str, bits: float | None, group: int | None) -> float | None:
    """Return the stored bits per quantized parameter, scales included; None for a format whose bits vary."""
    match method:
        case "fp8" | "modelopt-fp8":
            return 8.0
        case "nvfp4":
            return 4 + 8 / 16
        case "mxfp4" | "mxfp8":
            return (4 if method == "mxfp4" else 8) + 8 / 32
        case "bitsandbytes":
            # Four-bit blocks of 64 share an eight-bit scale; eight-bit rows share one of 32 bits.
            return None if bits is None else bits + (8 / 64 if bits == 4 else 0)
        case "gptq" | "awq" | "autoround":
            # A scale of 16 bits and a packed zero point per group.
            return None if bits is None else bits + ((16 + bits) / group if group and group > 0 else 0)
        case "compressed-tensors" | "quark" | "torchao":
            return None if bits is None else bits + (16 / group if group and group > 0 else 0)
        case _:
            return None


def _missing(facts: Facts, name: str, reason: str) -> NoPlacement:
    fact: Known | Unknown | None = facts.get(name)
    if isinstance(fact, Unknown):
        return NoPlacement(f"{reason}: {fact.reason}", known=False, settled_by=fact.settled_by or (name,))
    return NoPlacement(reason, known=False, settled_by=(name,))

"""The sentences above a model's facts or rows: what it is and what it weighs."""

from auditor.facts import Facts, Unknown
from auditor.inspection.model import Inspection
from auditor.units import human_bytes, human_count


def name(inspection: Inspection) -> str:
    """Return ``org/name @ revision (source)``."""
    revision = f" @ {inspection.revision[:12]}" if inspection.revision else ""
    source = f" ({inspection.source})" if inspection.source else ""
    return f"{inspection.id}{revision}{source}"


def lines(inspection: Inspection) -> list[str]:
    """Return what the model is, in two sentences."""
    facts = inspection.facts
    return [line for line in (_architecture(facts), _weights(facts), _cache(facts)) if line]


def _architecture(facts: Facts) -> str:
    names = facts.value("arch.architectures")
    pipeline = facts.text("arch.class") == "diffusion"  # whose architectures are its components'
    first = names[0] if isinstance(names, tuple) and names and not pipeline else facts.text("arch.model_type")
    parts = [facts.text("arch.class"), str(first) if first else None, facts.text("arch.task")]
    layers = facts.integer("arch.layers")
    if layers:
        parts.append(f"{layers} layers")
    parts.append(_attention(facts))
    experts, used = facts.integer("moe.experts"), facts.integer("moe.experts_per_token")
    if experts:
        parts.append(f"{used or '?'} of {experts} experts")
    return ", ".join(part for part in parts if part)


def _attention(facts: Facts) -> str | None:
    kind = facts.text("attention.kind")
    if kind is None or kind == "none":
        return None
    heads, kv_heads = facts.integer("attention.heads"), facts.integer("attention.kv_heads")
    return f"{kind} {heads}/{kv_heads}" if heads and kv_heads else kind


def _weights(facts: Facts) -> str:
    parts = []
    total, active = facts.number("params.total"), facts.number("params.active")
    if total is not None:
        share = f" ({human_count(active)} active)" if active is not None and active != total else ""
        parts.append(f"{human_count(total)} parameters{share}")
    size = facts.number("weights.bytes")
    if size is not None:
        parts.append(f"weights {human_bytes(size)} {facts.text('weights.dtype') or ''}".rstrip())
    elif isinstance(missing := facts.get("weights.bytes"), Unknown):
        parts.append(f"weights unknown ({missing.reason})")
    method = facts.text("quant.method")
    if method and method != "none":
        parts.append(f"quantized by {method}")
    return ", ".join(parts)


def _cache(facts: Facts) -> str:
    parts = []
    for fact, words in (
        ("kv_cache.bytes_per_token", "per token"),
        ("kv_cache.bytes_per_token_windowed", "per token inside the window"),
        ("state.bytes_per_sequence", "of state per sequence"),
    ):
        amount = facts.number(fact)
        if amount:
            parts.append(f"{human_bytes(amount)} {words}")
    return f"cache ({facts.text('kv_cache.dtype') or 'unknown type'}): {', '.join(parts)}" if parts else ""

"""The sentences above a model's rows: what it is, what it weighs, what it is asked to do, what rests on a default."""

from auditor.facts import Facts, Unknown
from auditor.inspection.model import Inspection
from auditor.report.arrange import resting_on_defaults
from auditor.report.words import listed
from auditor.results import ModelAudit
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
    first = names[0] if isinstance(names, tuple) and names else facts.text("arch.model_type")
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


def workload(model: ModelAudit) -> str:
    """Return the workload in one sentence, and which of its figures nobody gave."""
    load, basis = model.workload, model.workload_basis
    figures = [
        ("concurrency", load.concurrency, f"{load.concurrency:,} at once" if load.concurrency else ""),
        ("context", load.context, f"context {load.context:,}" if load.context else ""),
        ("input_tokens", load.input_tokens, f"{load.input_tokens:,} tokens in" if load.input_tokens else ""),
        ("output_tokens", load.output_tokens, f"{load.output_tokens:,} out" if load.output_tokens else ""),
        ("image_size", load.image_size, f"images of {load.image_size} x {load.image_size}"),
        ("steps", load.steps, f"{load.steps} steps"),
        ("audio_seconds", load.audio_seconds, f"{load.audio_seconds:g} s of audio" if load.audio_seconds else ""),
        ("kv_dtype", load.kv_dtype, f"{load.kv_dtype} cache"),
        ("tokens_per_day", load.tokens_per_day, f"{load.tokens_per_day:,.0f} tokens a day" if load.tokens_per_day else ""),
        ("lora", load.lora or None, "LoRA"),
        ("speculative", load.speculative or None, "speculative decoding"),
        ("structured_output", load.structured_output or None, "structured output"),
        ("prefix_caching", load.prefix_caching or None, "prefix caching"),
        ("multimodal_input", load.multimodal_input or None, "images or audio sent"),
        ("current_stack", load.current_stack, f"today on {load.current_accelerator} with {load.current_stack}"),
    ]
    said = [(name, words) for name, value, words in figures if value is not None and words]
    given = [name.replace("_", " ") for name, _ in said if basis.get(name) == "user"]
    note = f"(given: {', '.join(given)}; the rest by default)" if given else "(all by default)"
    return f"workload: {', '.join(words for _, words in said)} {note}"


def assumptions(model: ModelAudit) -> str:
    """Return which facts rest on a default or an assumption; empty when none does."""
    defaults, assumed = resting_on_defaults(model)
    parts = []
    if defaults:
        parts.append(f"by class default: {listed(defaults, 4)}")
    if assumed:
        parts.append(f"assumed: {listed(assumed, 4)}")
    return "; ".join(parts)

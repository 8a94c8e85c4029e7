"""The sentences between a model and its rows: what it is asked to do, and what rests on a default."""

from auditor.facts import Basis, Known
from auditor.report.words import listed
from auditor.results import ModelAudit

#: What a reader should know to rest on no statement of the model's own files.
_SOFT = (Basis.CLASS_DEFAULT, Basis.ASSUMED)


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


def resting_on_defaults(model: ModelAudit) -> tuple[list[str], list[str]]:
    """Return the facts that rest on a class default and those that were assumed, by name."""
    found: dict[Basis, list[str]] = {basis: [] for basis in _SOFT}
    for name, fact in sorted(model.inspection.facts.items()):
        if isinstance(fact, Known) and fact.basis in found:
            found[fact.basis].append(name)
    return found[Basis.CLASS_DEFAULT], found[Basis.ASSUMED]

"""What the model is asked to do: context, concurrency, tokens, features in use, and what serves it today."""

from dataclasses import dataclass, fields, replace

from auditor.errors import WorkloadError
from auditor.facts import Basis, Facts, Known

DEFAULT_CONTEXT = 8192
DEFAULT_CONCURRENCY = 16
#: Share of the context that a request brings; the rest is generated.
DEFAULT_INPUT_SHARE = 0.75
#: Fields that are more than nothing, where they are given.
_COUNTS = (
    "context",
    "concurrency",
    "input_tokens",
    "output_tokens",
    "image_size",
    "steps",
    "audio_seconds",
    "tokens_per_day",
    "tokens_per_s",
    "lora_adapters",
    "lora_rank",
)


@dataclass(frozen=True, slots=True)
class Workload:
    """A workload as given; None means that the default applies (see ``resolve``)."""

    context: int | None = None
    """Tokens per sequence that memory is sized for."""
    concurrency: int | None = None
    """Sequences served at once; images or utterances per batch for models that do not generate text."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    tokens_per_day: float | None = None
    """Generated tokens per day; break-even needs it."""
    tokens_per_s: float | None = None
    """Generated tokens per second that all copies together are to reach."""
    kv_dtype: str | None = None
    lora: bool = False
    lora_adapters: int | None = None
    """LoRA adapters that are on the devices at once."""
    lora_rank: int | None = None
    """Largest rank of an adapter."""
    speculative: bool = False
    structured_output: bool = False
    prefix_caching: bool = False
    multimodal_input: bool = False
    image_size: int | None = None
    """Pixels along one edge, for image models."""
    steps: int | None = None
    """Denoising steps of a diffusion pipeline."""
    audio_seconds: float | None = None
    current_stack: str = "vllm-cuda"
    current_accelerator: str = "h100-sxm"
    """What serves the model today; the baseline where nothing else is said."""
    current_devices: int | None = None
    """Devices that serve it today; the smallest placement where nothing is said."""
    latency_target: bool = True
    """False for batch work: tuning then costs less."""


def resolve(workload: Workload, facts: Facts) -> tuple[Workload, dict[str, str]]:
    """Return the workload with every default filled in for this model, and the basis of each field.

    A context beyond the model's maximum is kept as asked: a rule reports it. Raises WorkloadError for numbers that
    cannot be meant.
    """
    for name in _COUNTS:
        value = getattr(workload, name)
        if value is not None and not 0 < value <= 1e15:
            raise WorkloadError(f"--{name.replace('_', '-')} is {value}", "give a positive number, at most 10^15")
    if workload.lora_adapters is not None or workload.lora_rank is not None:
        workload = replace(workload, lora=True)
    basis = {field.name: "user" if getattr(workload, field.name) != field.default else "assumed" for field in fields(workload)}
    task = facts.text("arch.task") or "unknown"
    filled = _fill(workload, _defaults(task, facts))
    if filled.input_tokens is None or filled.output_tokens is None:
        filled = _split(filled)
    output = filled.output_tokens or 0
    if filled.context and filled.input_tokens and filled.input_tokens + output > filled.context:
        raise WorkloadError(
            f"a request of {filled.input_tokens} + {output} tokens is longer than the context of {filled.context}",
            "raise --context or lower --input-tokens and --output-tokens",
        )
    return filled, basis


def workload_facts(workload: Workload) -> Facts:
    """Return the workload.* facts of a resolved workload."""
    facts: dict[str, Known] = {}
    for name in [
        "context",
        "concurrency",
        "input_tokens",
        "output_tokens",
        "tokens_per_day",
        "kv_dtype",
        "lora",
        "speculative",
        "structured_output",
        "prefix_caching",
        "multimodal_input",
        "current_stack",
    ]:
        value = getattr(workload, name)
        if value is not None:
            facts[f"workload.{name}"] = Known(value, Basis.USER)
    return Facts(facts)


def _defaults(task: str, facts: Facts) -> Workload:
    """Return the defaults of a kind of model: text by tokens, images by edge and steps, speech by seconds."""
    longest = facts.integer("arch.max_context")
    match task:
        case "text-to-image" | "text-to-video":
            return Workload(concurrency=1, image_size=1024, steps=28)
        case "image-encoder":
            return Workload(concurrency=32, image_size=224)
        case "audio-encoder":
            return Workload(concurrency=8, audio_seconds=30.0)
        case "speech-to-text" | "text-to-speech":
            context = min(longest or 448, DEFAULT_CONTEXT)
            return Workload(context=context, concurrency=DEFAULT_CONCURRENCY, input_tokens=1, output_tokens=context - 1, audio_seconds=30.0)
        case "encoder" | "embedding" | "reranker":
            context = min(longest or 512, DEFAULT_CONTEXT)
            return Workload(context=context, concurrency=32, input_tokens=context)
        case _:
            return Workload(context=min(longest or DEFAULT_CONTEXT, DEFAULT_CONTEXT), concurrency=DEFAULT_CONCURRENCY)


def _fill(given: Workload, defaults: Workload) -> Workload:
    missing = {field.name: getattr(defaults, field.name) for field in fields(given) if getattr(given, field.name) is None}
    # Token counts of a default belong to its context; with another context they are split anew.
    if given.context is not None or given.input_tokens is not None or given.output_tokens is not None:
        missing["input_tokens"] = given.input_tokens
        missing["output_tokens"] = given.output_tokens
    return replace(given, **missing)


def _split(workload: Workload) -> Workload:
    context = workload.context
    if context is None:
        return workload
    if workload.input_tokens is not None:
        return replace(workload, output_tokens=max(0, context - workload.input_tokens))
    if workload.output_tokens is not None:
        return replace(workload, input_tokens=max(1, context - workload.output_tokens))
    output = max(1, round(context * (1 - DEFAULT_INPUT_SHARE)))
    return replace(workload, input_tokens=max(1, context - output), output_tokens=output)

"""What the model is asked to do: context, concurrency, tokens, features in use, and who pays for what."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Workload:
    """A workload as given; None means that the default applies (resolved by ``resolve`` for a model)."""

    context: int | None = None
    concurrency: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    tokens_per_day: float | None = None
    kv_dtype: str | None = None
    lora: bool = False
    lora_rank: int | None = None
    speculative: bool = False
    structured_output: bool = False
    prefix_caching: bool = False
    multimodal_input: bool | None = None
    current_stack: str = "vllm-cuda"
    latency_target: bool = True
    """False for batch work: tuning for latency then costs less."""

"""A measured baseline: what a server that runs today really does."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Baseline:
    """Measured speed of one server at its real mix of requests. None for what the measurement does not tell."""

    source: str
    """The file or address it was read from."""
    tool: str
    """``vllm bench``, ``sglang bench``, ``guidellm``, ``vllm /metrics``, …"""
    model: str | None
    output_tokens_per_s: float
    """Generated tokens per second of the whole server."""
    prompt_tokens_per_s: float | None
    seconds: float
    """Length of the measurement."""
    requests: int | None
    concurrency: float | None
    """Requests running at once, on average."""
    input_tokens: float | None
    """Mean prompt tokens of a request."""
    output_tokens: float | None
    """Mean generated tokens of a request."""
    ttft_s: float | None
    """Time to first token: the median where the tool gives one, else the mean."""
    cache_use: float | None
    """Share of the cache in use, on average."""
    watts: float | None
    """Power of the devices, as given by the user."""

    @property
    def tokens_per_joule(self) -> float | None:
        """Generated tokens per joule, where watts are known."""
        return self.output_tokens_per_s / self.watts if self.watts else None

"""The closed lists of words and units that the catalogue's files use, beside those of the fact catalogue."""

from collections.abc import Iterable
from typing import TypeAlias

from auditor.facts import CATALOGUE, SUPPORT_STATUSES
from auditor.units import DTYPE_BITS

#: Keys and indices that lead to a place inside a file.
Path: TypeAlias = tuple[str | int, ...]

CONFIDENCES = ("high", "medium", "low")
TERMS = ("on-demand", "spot", "reserved-1y", "reserved-3y", "capacity-block")
PEAK_DTYPES = tuple(sorted({*DTYPE_BITS, "tfloat32"} - {"bool", "complex64"}))
#: Units that a figure may be written in, by field, and what each is multiplied by to reach the field's own unit.
UNITS: dict[str, dict[str, float]] = {
    "memory": {"GB": 1, "GiB": 1, "MB": 1, "MiB": 1, "TB": 1, "TiB": 1},
    "bytes": {"bytes": 1, "MB": 1e6, "MiB": 1 << 20, "GB": 1e9, "GiB": 1 << 30, "TB": 1e12, "TiB": 1 << 40},
    "bandwidth": {"GB/s": 1, "TB/s": 1e3, "PB/s": 1e6, "GiB/s": (1 << 30) / 1e9},
    "peak": {"TFLOPS": 1, "TOPS": 1, "PFLOPS": 1e3, "POPS": 1e3},
    "power": {"W": 1, "kW": 1e3},
    "plain": {},
}
#: Serving features that a stack may be said to have or to lack.
FEATURES = (
    "lora",
    "speculative",
    "structured_output",
    "prefix_caching",
    "multimodal_input",
    "chunked_prefill",
    "disaggregated_prefill",
    "expert_parallel",
    "pipeline_parallel",
    "embedding",
    "rerank",
    "kv_cache_fp8",
    "kv_cache_int8",
    "custom_weights",
    "encoder_decoder",
    "diffusion",
    "video",
    "speech",
    "sleep_mode",
    "device_sharing",
)
#: Facts of a stack that its file states under ``limits``: what it cannot take.
LIMITS = tuple(
    name
    for prefix, _, name in (fact.partition(".") for fact in CATALOGUE)
    if prefix == "stack" and (name.startswith("max_") or name.endswith("_unsupported"))
)
FORMAT_STATUSES = ("native", *SUPPORT_STATUSES)
CONVERSIONS = ("rescale", "requantize", "dequantize")


def did_you_mean(word: object, choices: Iterable[str]) -> str:
    """Return ``did you mean 'x'?`` for a near miss, else an empty string."""
    from difflib import get_close_matches  # noqa: PLC0415 - needed by mistakes only

    folded = {choice.lower(): choice for choice in choices}
    close = get_close_matches(str(word).lower(), list(folded), n=1, cutoff=0.6)
    return f"did you mean '{folded[close[0]]}'?" if close else ""

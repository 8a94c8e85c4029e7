"""Result files of benchmark tools: ``vllm bench serve --save-result``, SGLang's ``bench_serving``, GuideLLM."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from auditor.baseline.model import Baseline
from auditor.errors import Malformed, NotFound
from auditor.units import MIB

MAX_BYTES = 512 * MIB
_HINT = "give a result file of vllm bench serve --save-result, sglang.bench_serving or guidellm, or one that auditor saved"


def read_results(path: Path, *, watts: float | None = None) -> Baseline:
    """Return the baseline that a result file holds; of several runs in one file, the fastest.

    Raises NotFound or Malformed with the file's name.
    """
    document = _load(path)
    if isinstance(document, Mapping) and isinstance(document.get("benchmarks"), list):
        runs = [_guidellm(path, run, watts) for run in document["benchmarks"] if isinstance(run, Mapping)]
    else:
        lines = document if isinstance(document, list) else [document]
        runs = [_serving(path, run, watts) for run in lines if isinstance(run, Mapping) and "output_throughput" in run]
    found = [run for run in runs if run is not None]
    if not found:
        raise Malformed(f"{path}: holds no benchmark result", _HINT)
    return max(found, key=lambda run: run.output_tokens_per_s)


def _load(path: Path) -> Any:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Malformed(f"{path}: larger than {MAX_BYTES // MIB} MiB", _HINT)
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(f"{path}: no such file", _HINT) from None
    except (OSError, UnicodeDecodeError) as error:
        raise Malformed(f"{path}: cannot be read ({error})", _HINT) from None
    try:
        return json.loads(text)
    except RecursionError:
        raise Malformed(f"{path}: nested too deeply", _HINT) from None
    except ValueError:
        return _json_lines(path, text)


def _json_lines(path: Path, text: str) -> list[Any]:
    """Return one document per line, as SGLang appends them."""
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        raise Malformed(f"{path}: not JSON", _HINT) from None


def _serving(path: Path, run: Mapping[str, Any], watts: float | None) -> Baseline | None:
    """Return one run of vLLM's or SGLang's serving benchmark: they share most of their keys."""
    output = _number(run, "output_throughput")
    seconds = _number(run, "duration")
    if not output or not seconds:
        return None
    requests = _number(run, "completed", "num_prompts")
    total_in, total_out = _number(run, "total_input_tokens", "total_input"), _number(run, "total_output_tokens", "total_output")
    ttft = _number(run, "median_ttft_ms", "mean_ttft_ms")
    return Baseline(
        source=str(path),
        # vLLM names its endpoint type; SGLang's runs carry the data set and the backend.
        tool="sglang bench" if str(run.get("backend", "")).startswith("sglang") or "dataset_name" in run else "vllm bench",
        model=_text(run, "model_id", "model"),
        output_tokens_per_s=output,
        prompt_tokens_per_s=_number(run, "input_throughput") or (total_in / seconds if total_in else None),
        seconds=seconds,
        requests=int(requests) if requests else None,
        concurrency=_number(run, "concurrency", "max_concurrency"),
        input_tokens=total_in / requests if total_in and requests else None,
        output_tokens=total_out / requests if total_out and requests else None,
        ttft_s=ttft / 1000 if ttft else None,
        cache_use=None,
        watts=watts,
    )


def _guidellm(path: Path, run: Mapping[str, Any], watts: float | None) -> Baseline | None:
    """Return one benchmark of a GuideLLM report: every metric is a distribution per outcome of the request."""
    metrics = run.get("metrics")
    if not isinstance(metrics, Mapping):
        return None
    output = _distribution(metrics, "output_tokens_per_second", "mean")
    if not output:
        return None
    ttft = _distribution(metrics, "time_to_first_token_ms", "median")
    count = _distribution(metrics, "request_latency", "count") or _distribution(metrics, "output_token_count", "count")
    return Baseline(
        source=str(path),
        tool="guidellm",
        model=_guidellm_model(run),
        output_tokens_per_s=output,
        prompt_tokens_per_s=_distribution(metrics, "prompt_tokens_per_second", "mean"),
        seconds=_number(run, "duration", "run_duration") or 0.0,
        requests=int(count) if count else None,
        concurrency=_distribution(metrics, "request_concurrency", "mean"),
        input_tokens=_distribution(metrics, "prompt_token_count", "mean"),
        output_tokens=_distribution(metrics, "output_token_count", "mean"),
        ttft_s=ttft / 1000 if ttft else None,
        cache_use=None,
        watts=watts,
    )


def _distribution(metrics: Mapping[str, Any], name: str, part: str) -> float | None:
    value = metrics.get(name)
    for outcome in ("successful", "total"):
        if isinstance(value, Mapping) and isinstance(value.get(outcome), Mapping) and (found := _number(value[outcome], part)) is not None:
            return found
    return None


def _guidellm_model(run: Mapping[str, Any]) -> str | None:
    for key in ("worker", "config", "args"):
        part = run.get(key)
        if isinstance(part, Mapping):
            for name in ("backend_model", "model"):
                if isinstance(part.get(name), str):
                    return str(part[name])
            backend = part.get("backend")
            if isinstance(backend, Mapping) and isinstance(backend.get("model"), str):
                return str(backend["model"])
    return None


def _number(run: Mapping[str, Any], *names: str) -> float | None:
    for name in names:
        value = run.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e15:
            return float(value)
    return None


def _text(run: Mapping[str, Any], *names: str) -> str | None:
    return next((str(run[name]) for name in names if isinstance(run.get(name), str)), None)

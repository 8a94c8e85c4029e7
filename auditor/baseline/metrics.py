"""Prometheus ``/metrics`` of a live server: token counters at two moments make a rate at the real mix of requests."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from auditor.baseline.model import Baseline
from auditor.endpoint import Endpoint
from auditor.errors import Malformed


@dataclass(frozen=True, slots=True)
class Server:
    """How one server names its metrics. Counters only grow; gauges are averaged."""

    name: str
    generated: str
    prompt: str
    requests: str
    running: str
    cache: tuple[str, ...]
    ttft: str | None
    """Histogram of the time to first token, where the server keeps one."""


#: Names from each server's published list of metrics.
SERVERS = (
    Server(
        "vllm",
        generated="vllm:generation_tokens_total",
        prompt="vllm:prompt_tokens_total",
        requests="vllm:request_success_total",
        running="vllm:num_requests_running",
        cache=("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"),
        ttft="vllm:time_to_first_token_seconds",
    ),
    Server(
        "sglang",
        generated="sglang:generation_tokens_total",
        prompt="sglang:prompt_tokens_total",
        requests="sglang:num_requests_total",
        running="sglang:num_running_reqs",
        cache=("sglang:token_usage",),
        ttft="sglang:time_to_first_token_seconds",
    ),
    # TGI counts tokens only in histograms of finished requests: their sums grow when a request ends.
    Server(
        "tgi",
        generated="tgi_request_generated_tokens_sum",
        prompt="tgi_request_input_length_sum",
        requests="tgi_request_generated_tokens_count",
        running="tgi_batch_current_size",
        cache=(),
        ttft=None,
    ),
)
#: Labels by which ranks of one engine repeat the same gauge: the largest counts, not the sum.
_RANKS = frozenset({"tp_rank", "pp_rank", "moe_ep_rank", "priority"})

Sample = tuple[str, Mapping[str, str], float]


def sample(
    endpoint: Endpoint,
    seconds: float,
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    watts: float | None = None,
    interval: float = 5.0,
) -> Baseline:
    """Watch a server for ``seconds`` and return its rates at whatever it was serving.

    Raises Unreachable when it does not answer, Malformed when it has no known metrics, served nothing in that time, or
    was restarted meanwhile (a counter fell).
    """
    started = clock()
    first = parse(endpoint.get("/metrics"))
    server = _recognise(first, endpoint.address)
    gauges = [first]
    while (left := seconds - (clock() - started)) > 0:
        sleep(min(interval, left))
        gauges.append(parse(endpoint.get("/metrics")))
    elapsed = clock() - started
    return _baseline(server, endpoint.address, gauges, elapsed, watts)


def parse(body: bytes) -> list[Sample]:
    """Return the samples of a Prometheus text exposition. Raises Malformed for anything else."""
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415 - only for a live baseline

    try:
        text = body.decode("utf-8")
        return [(one.name, one.labels, one.value) for family in text_string_to_metric_families(text) for one in family.samples]
    except (ValueError, KeyError, IndexError) as error:
        raise Malformed(f"/metrics is no Prometheus text ({error})", "give the address of the server, without /metrics") from None


def _recognise(samples: list[Sample], address: str) -> Server:
    names = {name for name, _, _ in samples}
    for server in SERVERS:
        if server.generated in names:
            return server
    known = ", ".join(server.name for server in SERVERS)
    raise Malformed(f"{address}: its /metrics has no token counter of {known}", "start the server with its metrics switched on")


def _baseline(server: Server, address: str, scrapes: list[list[Sample]], elapsed: float, watts: float | None) -> Baseline:
    first, last = scrapes[0], scrapes[-1]
    generated = _growth(first, last, server.generated, address)
    if generated is None or generated <= 0 or elapsed <= 0:
        raise Malformed(f"{address}: no token was generated in {elapsed:.0f} s", "measure while the server is under its usual load")
    prompt = _growth(first, last, server.prompt, address)
    requests = _growth(first, last, server.requests, address)
    waited, answered = (
        (_growth(first, last, f"{server.ttft}_{part}", address) for part in ("sum", "count")) if server.ttft else (None, None)
    )
    return Baseline(
        source=address,
        tool=f"{server.name} /metrics",
        model=_model(last, server),
        output_tokens_per_s=generated / elapsed,
        prompt_tokens_per_s=None if prompt is None else prompt / elapsed,
        seconds=elapsed,
        requests=None if requests is None else int(requests),
        concurrency=_mean_gauge(scrapes, (server.running,)),
        input_tokens=prompt / requests if prompt is not None and requests else None,
        output_tokens=generated / requests if requests else None,
        ttft_s=waited / answered if waited is not None and answered else None,
        cache_use=_mean_gauge(scrapes, server.cache),
        watts=watts,
    )


def _growth(first: list[Sample], last: list[Sample], name: str, address: str) -> float | None:
    before, after = (_sum(samples, name) for samples in (first, last))
    if before is None or after is None:
        return None
    if after < before:
        raise Malformed(f"{address}: {name} fell while it was watched", "the server was restarted: measure again")
    return after - before


def _sum(samples: list[Sample], name: str) -> float | None:
    values = [value for found, _, value in samples if found == name and math.isfinite(value)]
    return math.fsum(values) if values else None


def _mean_gauge(scrapes: list[list[Sample]], names: tuple[str, ...]) -> float | None:
    values = [value for samples in scrapes if (value := _gauge(samples, names)) is not None]
    return math.fsum(values) / len(values) if values else None


def _gauge(samples: list[Sample], names: tuple[str, ...]) -> float | None:
    """Return a gauge summed over replicas, each replica counted once however many ranks repeat it."""
    for name in names:
        replicas: dict[tuple[tuple[str, str], ...], float] = {}
        for found, labels, value in samples:
            if found == name and math.isfinite(value):
                key = tuple(sorted((label, text) for label, text in labels.items() if label not in _RANKS))
                replicas[key] = max(value, replicas.get(key, value))
        if replicas:
            total = math.fsum(replicas.values())
            return total / len(replicas) if "usage" in name else total
    return None


def _model(samples: list[Sample], server: Server) -> str | None:
    labels = next((labels for name, labels, _ in samples if name == server.generated), {})
    return labels.get("model_name") or labels.get("model")

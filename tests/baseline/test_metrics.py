"""A live baseline, from servers that answer with each engine's own metric names."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import pytest

from auditor.baseline import Baseline, sample
from auditor.endpoint import Endpoint
from auditor.errors import Malformed, NotFound, Unreachable, WorkloadError

# Names, labels and shapes as each project documents its metrics; the numbers are counters at two moments, ten seconds apart.
# vLLM: vllm-project/vllm docs/usage/metrics.md. Replicas (engine 0 and 1) count on their own.
VLLM = """# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{{engine="0",model_name="org/model"}} {running}
vllm:num_requests_running{{engine="1",model_name="org/model"}} {running}
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{{engine="0",model_name="org/model"}} 0.25
vllm:kv_cache_usage_perc{{engine="1",model_name="org/model"}} 0.75
# TYPE vllm:prompt_tokens counter
vllm:prompt_tokens_total{{engine="0",model_name="org/model"}} {prompt}
# TYPE vllm:generation_tokens counter
vllm:generation_tokens_total{{engine="0",model_name="org/model"}} {generated}
vllm:generation_tokens_total{{engine="1",model_name="org/model"}} {generated}
# TYPE vllm:request_success counter
vllm:request_success_total{{engine="0",finished_reason="stop",model_name="org/model"}} {requests}
vllm:request_success_total{{engine="0",finished_reason="length",model_name="org/model"}} 0.0
# TYPE vllm:time_to_first_token_seconds histogram
vllm:time_to_first_token_seconds_bucket{{engine="0",le="+Inf",model_name="org/model"}} {requests}
vllm:time_to_first_token_seconds_count{{engine="0",model_name="org/model"}} {requests}
vllm:time_to_first_token_seconds_sum{{engine="0",model_name="org/model"}} {waited}
"""
# SGLang: sgl-project/sglang docs/references/production_metrics.md. Ranks of one replica repeat its gauges.
SGLANG = """# HELP sglang:prompt_tokens_total Number of prefill tokens processed.
# TYPE sglang:prompt_tokens_total counter
sglang:prompt_tokens_total{{model_name="org/model"}} {prompt}
# TYPE sglang:generation_tokens_total counter
sglang:generation_tokens_total{{model_name="org/model"}} {generated}
# TYPE sglang:num_requests_total counter
sglang:num_requests_total{{model_name="org/model"}} {requests}
# TYPE sglang:num_running_reqs gauge
sglang:num_running_reqs{{model_name="org/model",tp_rank="0"}} {running}
sglang:num_running_reqs{{model_name="org/model",tp_rank="1"}} {running}
# TYPE sglang:token_usage gauge
sglang:token_usage{{model_name="org/model"}} 0.28
"""
# TGI: huggingface/text-generation-inference docs/source/reference/metrics.md. Tokens are counted in histograms.
TGI = """# TYPE tgi_request_generated_tokens histogram
tgi_request_generated_tokens_bucket{{le="+Inf"}} {requests}
tgi_request_generated_tokens_sum {generated}
tgi_request_generated_tokens_count {requests}
# TYPE tgi_request_input_length histogram
tgi_request_input_length_bucket{{le="+Inf"}} {requests}
tgi_request_input_length_sum {prompt}
tgi_request_input_length_count {requests}
# TYPE tgi_batch_current_size gauge
tgi_batch_current_size {running}
"""


@contextmanager
def serving(*pages: str | bytes, status: int = 200, headers: dict[str, str] | None = None) -> Iterator[str]:
    """Serve each page once, the last one for ever, at /metrics of a real server."""
    turn = count()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages[min(next(turn), len(pages) - 1)]
            body = page.encode() if isinstance(page, str) else page
            self.send_response(status if self.path == "/metrics" else 404)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class Time:
    """A clock that only sleeping moves."""

    now = 0.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def watch(address: str, seconds: float = 10.0, watts: float | None = None) -> Baseline:
    time = Time()
    return sample(Endpoint(address), seconds, clock=time.clock, sleep=time.sleep, watts=watts, interval=5.0)


def page(text: str, generated: float, *, running: float = 4) -> str:
    return text.format(generated=generated, prompt=generated * 3, requests=generated / 100, running=running, waited=generated / 1000)


@pytest.mark.parametrize(
    ("text", "replicas", "running", "cache", "ttft"),
    [(VLLM, 2, 8, 0.5, 0.1), (SGLANG, 1, 4, 0.28, None), (TGI, 1, 4, None, None)],
    ids=["vllm", "sglang", "tgi"],
)
def test_counters_become_rates(text: str, replicas: int, running: float, cache: float | None, ttft: float | None) -> None:
    with serving(page(text, 1000), page(text, 2000), page(text, 3000)) as address:
        found = watch(address, watts=500)
    assert found.output_tokens_per_s == pytest.approx(200 * replicas)
    assert found.prompt_tokens_per_s == pytest.approx(600)
    assert found.concurrency == pytest.approx(running)
    assert found.cache_use == (None if cache is None else pytest.approx(cache))
    assert found.requests == 20
    assert found.input_tokens == pytest.approx(300)
    assert found.output_tokens == pytest.approx(100 * replicas)
    assert found.ttft_s == (None if ttft is None else pytest.approx(ttft))
    assert found.tokens_per_joule == pytest.approx(200 * replicas / 500)


def test_an_idle_server_is_no_baseline() -> None:
    with serving(page(VLLM, 1000)) as address, pytest.raises(Malformed, match="no token was generated"):
        watch(address)


def test_a_restart_is_noticed() -> None:
    with serving(page(VLLM, 1000), page(VLLM, 10)) as address, pytest.raises(Malformed, match="fell while it was watched"):
        watch(address)


def test_other_metrics_are_refused() -> None:
    with serving("process_cpu_seconds_total 1.0\n") as address, pytest.raises(Malformed, match="no token counter of vllm, sglang, tgi"):
        watch(address)


def test_garbage_is_refused() -> None:
    with serving(b"\xff\xfe{{{") as address, pytest.raises(Malformed, match="no Prometheus text"):
        watch(address)


def test_a_redirect_is_not_followed() -> None:
    elsewhere = {"Location": "http://169.254.169.254/latest"}
    with serving("secret", status=302, headers=elsewhere) as address, pytest.raises(Unreachable, match="redirects elsewhere"):
        watch(address)


def test_an_endless_answer_is_cut() -> None:
    with serving(b"x" * (17 << 20)) as address, pytest.raises(Malformed, match="larger than 16 MiB"):
        watch(address)


def test_a_dead_server_and_a_wrong_address() -> None:
    with serving("x") as address, pytest.raises(NotFound):
        Endpoint(address).get("/elsewhere")
    with pytest.raises(Unreachable, match="no answer"):
        watch(address)
    with pytest.raises(WorkloadError, match="no http address"):
        watch("file:///etc/passwd")

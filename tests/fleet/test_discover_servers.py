"""Running servers that answer as each project documents it, and servers that do not answer as they should."""

import http.server
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from auditor.endpoint import Endpoint
from auditor.errors import AuditorError, Malformed, Unreachable, WorkloadError
from auditor.fleet.discover import DiscoverOptions, Found, discover

OPTIONS = DiscoverOptions(pause=0.0)
Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


@contextmanager
def serving(pages: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Serve pages by path: an object as JSON, text as it is, a function by calling it. Yields the address and the paths asked."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            asked.append(self.path)
            page = pages.get(self.path.partition("?")[0])
            if callable(page):
                page(self)
                return
            body = (page if isinstance(page, str) else json.dumps(page)).encode()
            self.send_response(404 if page is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()


def found(pages: dict[str, Any]) -> Found:
    with serving(pages) as (address, _):
        return discover(address, OPTIONS)


def test_vllm() -> None:
    # vllm-project/vllm: entrypoints/openai/protocol.py ModelCard; an adapter has a parent. Metrics: docs/usage/metrics.md.
    models = [
        {"id": "chat", "object": "model", "owned_by": "vllm", "root": "org/chat", "parent": None, "max_model_len": 8192},
        {"id": "tuned", "object": "model", "owned_by": "vllm", "root": "/adapters/tuned", "parent": "chat", "max_model_len": None},
    ]
    metrics = """# TYPE vllm:cache_config_info gauge
vllm:cache_config_info{cache_dtype="fp8",enable_prefix_caching="True",engine="0",gpu_memory_utilization="0.9"} 1.0
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="chat"} 0.0
vllm:num_requests_running{engine="1",model_name="chat"} 0.0
"""
    (model,) = found({"/v1/models": {"object": "list", "data": models}, "/metrics": metrics}).models
    assert (model.target, model.name) == ("org/chat", "chat")
    assert model.workload == {"context": 8192, "kv_dtype": "fp8", "lora": True, "prefix_caching": True}
    assert model.serving == {"engine": "vllm", "data_parallel": 2}


@pytest.mark.parametrize("path", ["/server_info", "/get_server_info"])
def test_sglang(path: str) -> None:
    # sgl-project/sglang: docs/basic_usage/native_api; the settings of ServerArgs, its key among them
    info = {
        "model_path": "org/big",
        "served_model_name": "big",
        "tp_size": 8,
        "pp_size": 1,
        "context_length": 32768,
        "quantization": "fp8",
        "kv_cache_dtype": "fp8_e5m2",
        "speculative_algorithm": "EAGLE",
        "enable_lora": None,
        "lora_paths": None,
        "api_key": "secret",
        "version": "0.5",
    }
    listed = {"object": "list", "data": [{"id": "big", "owned_by": "sglang", "root": "big", "max_model_len": 32768}]}
    (model,) = found({"/v1/models": listed, path: info}).models
    assert (model.target, model.name) == ("org/big", "big")
    assert model.workload == {"context": 32768, "kv_dtype": "fp8_e5m2", "speculative": True, "current_devices": 8}
    assert model.serving == {"engine": "sglang", "tensor_parallel": 8, "pipeline_parallel": 1, "quantization": "fp8", "devices": 8}
    assert "secret" not in repr(model)


def test_tgi_and_tei() -> None:
    # huggingface/text-generation-inference docs/openapi.json, Info; text-embeddings-inference docs/openapi.json, Info
    info = {"model_id": "org/a", "model_sha": "abc", "max_total_tokens": 4096, "max_input_tokens": 3000, "max_concurrent_requests": 128}
    (model,) = found({"/info": info}).models
    assert (model.target, model.workload) == ("org/a@abc", {"context": 4096})
    assert model.serving == {"engine": "tgi", "max_sequences": 128}
    (encoder,) = found({"/info": {"model_id": "org/e", "model_sha": None, "max_input_length": 512}}).models
    assert (encoder.target, encoder.workload, encoder.serving["engine"]) == ("org/e", {"context": 512}, "tei")


def test_another_server_with_the_same_list() -> None:
    (model,) = found({"/v1/models": {"data": [{"id": "org/x", "owned_by": "llamacpp"}, {"no": "id"}, 7]}}).models
    assert (model.target, model.serving) == ("org/x", {"engine": "llama.cpp"})


def test_a_path_before_the_pages_and_a_token() -> None:
    seen: list[str | None] = []

    def page(request: http.server.BaseHTTPRequestHandler) -> None:
        seen.append(request.headers["Authorization"])
        request.send_response(200)
        request.end_headers()
        request.wfile.write(b'{"data": [{"id": "org/x"}]}')

    with serving({"/team/v1/models": page}) as (address, _):
        discover(f"{address}/team/v1", DiscoverOptions(server_token="t"))  # noqa: S106
    assert seen == ["Bearer t"]


def test_a_password_in_an_address_is_refused_without_repeating_it() -> None:
    with pytest.raises(WorkloadError) as error:
        discover("http://user:secret@host:1", OPTIONS)
    assert "secret" not in str(error.value)


def _status(code: int) -> Answer:
    return lambda request: request.send_error(code)


def _reset(request: http.server.BaseHTTPRequestHandler) -> None:
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    request.connection.close()
    request.close_connection = True


def _short(request: http.server.BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    request.wfile.write(b"{")


def _endless(request: http.server.BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    try:
        while True:
            request.wfile.write(b"x" * 65536)
    except OSError:
        pass


def _redirect(request: http.server.BaseHTTPRequestHandler) -> None:
    request.send_response(302)
    request.send_header("Location", "http://127.0.0.1:1/")
    request.end_headers()


@pytest.mark.parametrize(
    ("page", "said", "times"),
    [
        (_status(500), "answered 500", 3),
        (_status(429), "answered 429", 3),
        (_status(401), "answered 401", 1),
        (_reset, "no answer", 3),
        (_short, "no answer", 3),
        (_endless, "larger than 16 MiB", 1),
        (_redirect, "redirects elsewhere", 1),
        ("garbage", "is not JSON", 1),
        ("[1]", "an object", 1),
        ("[" * 100_000, "is nested|is not JSON", 1),
    ],
)
def test_faults_are_tried_again_where_that_helps_and_told_in_one_line(page: Any, said: str, times: int) -> None:
    with serving({"/v1/models": page}) as (address, asked):
        with pytest.raises(AuditorError, match=said) as error:
            discover(address, OPTIONS)
        assert len(asked) == times
    assert "\n" not in str(error.value)


def test_a_passing_fault_passes() -> None:
    answers = [_status(503), _reset]
    pauses: list[float] = []

    def page(request: http.server.BaseHTTPRequestHandler) -> None:
        if answers:
            answers.pop(0)(request)
            return
        request.send_response(200)
        request.end_headers()
        request.wfile.write(b"{}")

    with serving({"/x": page}) as (address, _):
        assert Endpoint(address, attempts=3, pause=0.5, sleep=pauses.append).get("/x") == b"{}"
    assert pauses == [0.5, 1.0]


def test_a_server_may_ask_for_a_pause_within_bounds() -> None:
    pauses: list[float] = []

    def page(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(429)
        request.send_header("Retry-After", "7" if not pauses else "99999")
        request.end_headers()

    with serving({"/x": page}) as (address, _), pytest.raises(Unreachable):
        Endpoint(address, attempts=3, pause=0.5, sleep=pauses.append).get("/x")
    assert pauses == [7.0, 30.0]


def _stall(request: http.server.BaseHTTPRequestHandler) -> None:
    time.sleep(2)
    request.close_connection = True


def _drip(request: http.server.BaseHTTPRequestHandler) -> None:
    try:
        for _ in range(100):
            request.wfile.write(b"X")
            time.sleep(0.05)
    except OSError:
        pass


def _drip_body(request: http.server.BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    _drip(request)


@pytest.mark.parametrize(("page", "said"), [(_stall, "no answer"), (_drip, "still answering"), (_drip_body, "still answering")])
def test_a_slow_server_costs_no_more_than_its_time(page: Answer, said: str) -> None:
    with serving({"/x": page}) as (address, _):
        started = time.monotonic()
        with pytest.raises(Unreachable, match=said):
            Endpoint(address, read_timeout=0.2, total_timeout=0.4).get("/x")
        assert time.monotonic() - started < 1.5


def test_no_server_at_all() -> None:
    with pytest.raises(Unreachable, match="no answer"):
        discover("http://127.0.0.1:1", OPTIONS)
    with pytest.raises(Malformed, match="none of /v1/models"):
        found({})

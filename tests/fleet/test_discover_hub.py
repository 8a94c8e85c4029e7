"""An organisation and a collection of a Hub, read in pages by the real client."""

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from auditor.errors import AccessDenied, NotFound, TargetError, Unreachable
from auditor.fleet.discover import DiscoverOptions, discover
from auditor.fleet.discover.hub import listed
from auditor.sources import SourceOptions


@dataclass
class Hub:
    """Answers as huggingface.co/docs/hub/api has it: a list of models in pages joined by a Link header, and collections."""

    models: list[str] = field(default_factory=lambda: [f"org/m{at}" for at in range(5)])
    faults: list[Any] = field(default_factory=list)
    """Status codes to answer with first, one per request; None answers as usual."""
    elsewhere: bool = False
    authorizations: list[str | None] = field(default_factory=list)
    address: str = ""

    def answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        self.authorizations.append(request.headers["Authorization"])
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            self._send(request, fault, {"error": "made to order"}, {"Retry-After": "3"} if fault == 429 else {})
            return
        parts = urlsplit(request.path)
        query = parse_qs(parts.query)
        if parts.path == "/api/models":
            mine = [name for name in self.models if name.startswith(f"{query['author'][0]}/")]
            start = int(query.get("cursor", ["0"])[0])
            host = "http://127.0.0.2:1" if self.elsewhere else self.address
            more = {"Link": f'<{host}{parts.path}?author=org&cursor={start + 2}>; rel="next"'} if start + 2 < len(mine) else {}
            self._send(request, 200, [{"id": name, "modelId": name} for name in mine[start : start + 2]], more)
        elif parts.path == "/api/collections/org/picks-abc":
            self._send(request, 200, {"items": [{"type": "model", "id": "org/a"}, {"type": "dataset", "id": "org/d"}]}, {})
        else:
            self._send(request, 404, {"error": "not found"}, {})

    def _send(self, request: http.server.BaseHTTPRequestHandler, status: int, value: Any, headers: dict[str, str]) -> None:
        body = json.dumps(value).encode()
        request.send_response(status)
        for name, text in {**headers, "Content-Length": str(len(body))}.items():
            request.send_header(name, text)
        request.end_headers()
        request.wfile.write(body)


@pytest.fixture
def hub() -> Iterator[Hub]:
    state = Hub()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            state.answer(self)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    state.address = f"http://127.0.0.1:{server.server_address[1]}"
    yield state
    server.shutdown()
    server.server_close()


def options(hub: Hub, **source: Any) -> DiscoverOptions:
    return DiscoverOptions(source=SourceOptions(endpoint=hub.address, **source), pause=0.0)


def test_an_organisation_in_pages(hub: Hub) -> None:
    found = discover("hf://org", options(hub, token="hf_x"))  # noqa: S106
    assert [model.target for model in found.models] == hub.models
    assert {model.found for model in found.models} == {"hf://org"}
    assert hub.authorizations == ["Bearer hf_x"] * 3


def test_a_collection_and_one_model(hub: Hub) -> None:
    assert [model.target for model in discover("hf://collections/org/picks-abc", options(hub)).models] == ["org/a"]
    assert [model.target for model in discover("hf://org/name", options(hub)).models] == ["org/name"]


def test_limits_and_passing_faults_are_waited_for(hub: Hub) -> None:
    hub.faults = [429, 503]
    pauses: list[float] = []
    found = listed("hf://org", options(hub), pauses.append)
    assert len(found.models) == 5
    assert pauses == [3.0, 0.0]


def test_pages_before_a_lasting_fault_are_kept(hub: Hub) -> None:
    hub.faults = [None, 500, 500, 500, 500]
    found = discover("hf://org", options(hub))
    assert [model.target for model in found.models] == ["org/m0", "org/m1"]
    assert len(found.problems) == 1
    assert "answered 500" in found.problems[0]


def test_the_token_never_leaves_for_another_host(hub: Hub) -> None:
    hub.elsewhere = True
    found = discover("hf://org", options(hub))
    assert len(found.models) == 2
    assert "another host" in found.problems[0]


@pytest.mark.parametrize(
    ("text", "faults", "error"),
    [
        ("hf://nobody", [], NotFound),
        ("hf://", [], NotFound),
        ("hf://collections/org/none", [], NotFound),
        ("hf://org", [401], AccessDenied),
        ("hf://org", [429] * 4, Unreachable),
    ],
)
def test_what_fails_is_one_line(hub: Hub, text: str, faults: list[int], error: type[TargetError]) -> None:
    hub.faults = faults
    with pytest.raises(error) as caught:
        listed(text, options(hub), lambda _: None)
    assert "\n" not in str(caught.value)


def test_offline_asks_nobody(hub: Hub) -> None:
    with pytest.raises(Unreachable, match="offline"):
        discover("hf://org", options(hub, offline=True))
    assert hub.authorizations == []

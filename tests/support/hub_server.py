"""A Hub of our own: speaks enough of the protocol for the real ``huggingface_hub`` client, with faults to order.

Models lie in ``root/ORG/NAME/``. Weight files (by extension) are served as the Hub serves LFS files: a redirect to another
path. Everything asked is in ``requests``; everything sent is counted. Run it by hand for the benchmarks.
"""

import argparse
import hashlib
import json
import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LFS = (".safetensors", ".bin", ".gguf", ".pt", ".pth", ".h5", ".msgpack", ".onnx")
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass
class Behaviour:
    """What the server does apart from answering; change it between requests."""

    latency_s: float = 0.0
    gated: set[str] = field(default_factory=set)
    private: set[str] = field(default_factory=set)
    disabled: set[str] = field(default_factory=set)
    renamed: dict[str, str] = field(default_factory=dict)
    cards: dict[str, dict[str, Any]] = field(default_factory=dict)
    token: str = "hf_good"  # noqa: S105 - of a server that lives for one test
    fail: dict[str, list[int | str]] = field(default_factory=dict)
    """By substring of the path: answers to give first, each a status, ``hang`` or ``drop``."""
    without_sizes: bool = False
    """Leave sizes out of the model info, as some mirrors do."""
    page: int = 1000
    """Entries on one page of the tree."""
    ignore_ranges: bool = False


@dataclass
class Request:
    """One request as it came in."""

    method: str
    path: str
    range: str
    authorized: bool
    sent: int = 0


class Hub:
    """The server and what it has seen."""

    def __init__(self, root: Path, port: int = 0, certificate: tuple[Path, Path] | None = None) -> None:
        self.root = root
        self.behaviour = Behaviour()
        self.requests: list[Request] = []
        self.busy = self.busiest = 0
        """Requests being answered now, and the most that ever were at a time."""
        self.certificate = certificate
        hub = self

        class Handler(_Handler):
            server_state = hub

        self._server = _Server(("127.0.0.1", port), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.02)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def asked(self) -> list[Request]:
        """Return what a client asked, without the second halves of redirects."""
        return [request for request in self.requests if not request.path.startswith("/cdn/")]

    def forget(self) -> None:
        self.requests.clear()


@contextmanager
def running_hub(root: Path) -> Iterator[Hub]:
    """Run a Hub over the models in ``root`` for as long as the block lasts."""
    hub = Hub(root)
    thread = threading.Thread(target=hub.serve, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.stop()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256  # of five, the kernel drops the rest and the client tries again a second later


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: ThreadingHTTPServer
    server_state: Hub
    request_log: Request

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        pass

    def do_CONNECT(self) -> None:
        """Act as a proxy in front of ourselves, for clients that insist on an https address of their own."""
        assert self.server_state.certificate is not None
        self.send_response(200)
        self.end_headers()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.server_state.certificate)
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)
        self.close_connection = False

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        hub, behaviour = self.server_state, self.server_state.behaviour
        authorized = self.headers.get("authorization") == f"Bearer {behaviour.token}"
        self.request_log = Request(self.command, self.path, self.headers.get("range", ""), authorized)
        hub.requests.append(self.request_log)
        hub.busy += 1
        hub.busiest = max(hub.busiest, hub.busy)
        if behaviour.latency_s:
            time.sleep(behaviour.latency_s)
        hub.busy -= 1
        for part, answers in behaviour.fail.items():
            if part in self.path and answers:
                return self._fail(answers.pop(0))
        path = urlsplit(self.path).path
        if self.headers.get("authorization") and not authorized:
            return self._error(401, "", "Invalid credentials in Authorization header")
        if path.startswith("/cdn/"):
            return self._content(hub.root / unquote(path.removeprefix("/cdn/")))
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(revision|tree)/([^/]+))?(?:/)?", path):
            return self._api(found[1], found[2], unquote(found[3] or "main"), authorized=authorized)
        if found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            return self._resolve(found[1], unquote(found[2]), unquote(found[3]), authorized=authorized)
        return self._error(404, "", "Not found")

    def _fail(self, how: int | str) -> None:
        if how == "hang":
            time.sleep(1.5)
            self.close_connection = True
            return
        if how == "drop":
            self.close_connection = True
            self.connection.close()
            return
        assert isinstance(how, int)
        self._error(how, "", "made to order", {"Retry-After": "7"} if how == 429 else {})

    def _known(self, model: str, revision: str, *, authorized: bool) -> Path | None:
        """Return the model's folder, or None after answering with the error."""
        behaviour, folder = self.server_state.behaviour, self.server_state.root / model
        if model in behaviour.renamed:
            target = self.path.replace(model, behaviour.renamed[model], 1)
            self._send(307, b"", {"Location": target})
        elif not folder.is_dir() or (model in behaviour.private and not authorized):
            self._error(404 if authorized else 401, "RepoNotFound", "Repository not found")
        elif model in behaviour.disabled:
            self._error(403, "", "Access to this resource is disabled.")
        elif revision not in {"main", COMMIT, "refs/pr/1"}:
            self._error(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        else:
            return folder
        return None

    def _api(self, model: str, what: str | None, revision: str, *, authorized: bool) -> None:
        folder = self._known(model, revision, authorized=authorized)
        if folder is None:
            return None
        paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        if what == "tree":
            return self._tree(folder, paths)
        behaviour = self.server_state.behaviour
        siblings = [{"rfilename": path, **({} if behaviour.without_sizes else _blob(folder / path))} for path in paths]
        info = {
            "_id": "1",
            "id": model,
            "modelId": model,
            "sha": COMMIT,
            "private": model in behaviour.private,
            "gated": "manual" if model in behaviour.gated else False,
            "siblings": siblings,
            "cardData": behaviour.cards.get(model, {}),
            "tags": [],
            "downloads": 0,
        }
        self._json(info)
        return None

    def _tree(self, folder: Path, paths: list[str]) -> None:
        query = parse_qs(urlsplit(self.path).query)
        start = int(query.get("cursor", ["0"])[0])
        page = paths[start : start + self.server_state.behaviour.page]
        entries = []
        for path in page:
            blob = _blob(folder / path)
            entries.append(
                {
                    "type": "file",
                    "path": path,
                    "oid": blob["blobId"],
                    "size": blob["size"],
                    **({"lfs": blob["lfs"]} if "lfs" in blob else {}),
                }
            )
        headers = {}
        if start + len(page) < len(paths):
            address = f"http://{self.headers['host']}{urlsplit(self.path).path}?recursive=true&cursor={start + len(page)}"
            headers["Link"] = f'<{address}>; rel="next"'
        self._json(entries, headers)

    def _resolve(self, model: str, revision: str, path: str, *, authorized: bool) -> None:
        folder = self._known(model, revision, authorized=authorized)
        if folder is None:
            return None
        if model in self.server_state.behaviour.gated and not authorized:
            return self._error(401, "GatedRepo", f"Access to model {model} is restricted.")
        file = folder / path
        if not file.is_file():
            return self._error(404, "EntryNotFound", "Entry not found")
        headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{_blob(file)["blobId"]}"', "Accept-Ranges": "bytes"}
        if path.endswith(LFS):
            sha = _blob(file)["lfs"]["sha256"]
            # Content lies on another host than the Hub, as it does in life; a client behind the proxy sees one host only.
            host = "" if self.server_state.certificate else f"http://localhost:{self.server.server_port}"
            headers |= {
                "X-Linked-Size": str(file.stat().st_size),
                "X-Linked-Etag": f'"{sha}"',
                "Location": f"{host}/cdn/{quote(model)}/{quote(path)}",
            }
            return self._send(302, b"", headers)
        return self._content(file, headers)

    def _content(self, file: Path, headers: dict[str, str] | None = None) -> None:
        size = file.stat().st_size
        wanted = None if self.server_state.behaviour.ignore_ranges else _RANGE.fullmatch(self.headers.get("range", ""))
        start, end = 0, size - 1
        if wanted:
            start, end = int(wanted[1]), min(int(wanted[2] or size - 1), size - 1)
            if start >= size:
                return self._send(416, b"", {"Content-Range": f"bytes */{size}"})
        length = end - start + 1
        self.send_response(206 if wanted else 200)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{end}/{size}")
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.command == "HEAD":
            return None
        with file.open("rb") as source:
            source.seek(start)
            while length > 0:
                chunk = source.read(min(length, 1 << 18))
                try:
                    self.wfile.write(chunk)
                except OSError:  # the client has seen enough
                    self.close_connection = True
                    return None
                self.request_log.sent += len(chunk)
                length -= len(chunk)
        return None

    def _json(self, value: Any, headers: dict[str, str] | None = None) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})

    def _error(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        extra = {"X-Error-Message": message, **({"X-Error-Code": code} if code else {}), **(headers or {})}
        self._send(status, json.dumps({"error": message}).encode(), {"Content-Type": "application/json", **extra})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
            self.request_log.sent += len(body)


def _blob(file: Path) -> dict[str, Any]:
    # Names stand for content: hashing sparse files of many gigabytes would take the tests' whole time.
    size, name = file.stat().st_size, str(file).encode()
    result: dict[str, Any] = {"blobId": hashlib.sha1(name).hexdigest(), "size": size}  # noqa: S324
    if file.name.endswith(LFS):
        result["lfs"] = {
            "sha256": hashlib.sha256(name).hexdigest(),
            "size": size,
            "pointerSize": 134,
            "oid": hashlib.sha256(name).hexdigest(),
        }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--tls", type=Path, nargs=2, metavar=("CERTIFICATE", "KEY"), help="also act as an https proxy in front of itself")
    arguments = parser.parse_args()
    hub = Hub(arguments.root, arguments.port, tuple(arguments.tls) if arguments.tls else None)
    hub.behaviour.latency_s = arguments.latency
    hub.serve()


if __name__ == "__main__":
    main()

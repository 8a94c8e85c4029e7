"""One small bounded HTTP client for servers that a user names: short time-outs, small answers, no redirects.

A redirect, or an address found in somebody's config, could point at a service that only this machine can reach. So the
client goes to the address it was given and nowhere else.
"""

import http.client
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from auditor.errors import Malformed, NotFound, Unreachable, WorkloadError
from auditor.units import MIB

MAX_BYTES = 16 * MIB
#: Seconds for one read from the socket, and for a whole answer.
READ_TIMEOUT = 10.0
TOTAL_TIMEOUT = 30.0
_CHUNK = 64 * 1024
#: Answers that another try may better.
_PASSING = {429, 500, 502, 503, 504}
#: Longest wait that a server may ask for, in seconds.
_LONGEST_PAUSE = 30.0


class _Passing(Exception):
    """A failure that another try may better, and the seconds that the server wants to be left alone."""

    def __init__(self, error: Unreachable, pause: float = 0.0) -> None:
        super().__init__(str(error))
        self.error = error
        self.pause = pause


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server at an address that the user typed."""

    address: str
    token: str | None = None
    attempts: int = 1
    """Times that a request is sent before a passing failure (no answer, a limit, a fault of the server) is believed."""
    pause: float = 1.0
    """Seconds before the second attempt; each further wait is twice as long."""
    read_timeout: float = READ_TIMEOUT
    total_timeout: float = TOTAL_TIMEOUT
    sleep: Callable[[float], None] = time.sleep

    def get(self, path: str, query: Mapping[str, str] | None = None) -> bytes:
        """Return the body at ``path``. Raises Unreachable, NotFound (404), Malformed (too large) or WorkloadError (no http address)."""
        parts = urlsplit(self.address)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise WorkloadError(f"{self.address} is no http address", "write it as http://HOST:PORT")
        pause = self.pause
        for attempt in range(1, self.attempts + 1):
            try:
                return self._once(f"{parts.path.rstrip('/')}/{path.lstrip('/')}", query)
            except _Passing as failure:
                if attempt >= self.attempts:
                    raise failure.error from None
                self.sleep(min(max(pause, failure.pause), _LONGEST_PAUSE))
                pause *= 2
        raise AssertionError  # the last attempt returns or raises

    def _once(self, path: str, query: Mapping[str, str] | None) -> bytes:
        parts = urlsplit(self.address)
        url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}"
        headers = {"Accept": "*/*", "Connection": "close"} | ({"Authorization": f"Bearer {self.token}"} if self.token else {})
        try:
            kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
            connection = kind(parts.hostname or "", parts.port, timeout=self.read_timeout)
        except ValueError:
            raise WorkloadError(f"{self.address} is no http address", "write it as http://HOST:PORT") from None
        started = time.monotonic()
        deadline: threading.Timer | None = None
        try:
            connection.connect()
            # However slowly a server drips, its time ends: the socket is shut under the reader.
            deadline = threading.Timer(self.total_timeout, _end, [connection.sock])
            deadline.daemon = True
            deadline.start()
            connection.request("GET", f"{path}?{urlencode(query)}" if query else path, headers=headers)
            with closing(connection.getresponse()) as answer:
                return self._answer(answer, url, started)
        except (OSError, http.client.HTTPException, ValueError) as error:
            if time.monotonic() - started >= self.total_timeout:
                raise self._slow(url) from None
            raise _Passing(Unreachable(f"{url}: no answer ({error})", "check that the server runs and that the address is right")) from None
        finally:
            if deadline is not None:
                deadline.cancel()
            connection.close()

    def _answer(self, answer: http.client.HTTPResponse, url: str, started: float) -> bytes:
        status = answer.status
        if status == http.HTTPStatus.NOT_FOUND:
            raise NotFound(f"{url}: not there", "check the path and that the server exposes it")
        if 300 <= status < 400:
            raise Unreachable(f"{url}: redirects elsewhere", "give the address it redirects to, if you trust it")
        if status >= 400:
            error = Unreachable(f"{url}: answered {status} {answer.reason}", "check the address and its credentials")
            if status in _PASSING:
                wait = answer.headers.get("Retry-After", "")
                raise _Passing(error, float(wait) if wait.isascii() and wait.isdigit() else 0.0)
            raise error
        body = bytearray()
        while chunk := answer.read1(_CHUNK):
            body += chunk
            if len(body) > MAX_BYTES:
                raise Malformed(f"{url}: the answer is larger than {MAX_BYTES // MIB} MiB", "this is not the page that was expected")
        if time.monotonic() - started >= self.total_timeout:
            raise self._slow(url)
        if answer.length:  # fewer bytes than were promised
            raise http.client.IncompleteRead(b"", answer.length)
        return bytes(body)

    def _slow(self, url: str) -> Unreachable:
        return Unreachable(f"{url}: still answering after {self.total_timeout:.0f} s", "try again when the server is less busy")


def _end(connected: socket.socket) -> None:
    with suppress(OSError):  # it may have ended by itself
        connected.shutdown(socket.SHUT_RDWR)

"""One small bounded HTTP client for servers that a user names: short time-outs, small answers, no redirects.

A redirect, or an address found in somebody's config, could point at a service that only this machine can reach. So the
client goes to the address it was given and nowhere else.
"""

import http.client
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import urljoin, urlsplit

from auditor.errors import Malformed, NotFound, Unreachable, WorkloadError
from auditor.units import MIB

MAX_BYTES = 16 * MIB
#: Seconds for one read from the socket, and for a whole answer.
READ_TIMEOUT = 10.0
TOTAL_TIMEOUT = 30.0
_CHUNK = 64 * 1024


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str) -> None:
        """Refuse every redirect: the answer then surfaces as an HTTP error with its 3xx code."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server at an address that the user typed."""

    address: str
    token: str | None = None

    def get(self, path: str) -> bytes:
        """Return the body at ``path``. Raises Unreachable, NotFound (404), Malformed (too large) or WorkloadError (no http address)."""
        parts = urlsplit(self.address)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise WorkloadError(f"{self.address} is no http address", "write it as http://HOST:PORT")
        url = urljoin(self.address.rstrip("/") + "/", path.lstrip("/"))
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))
        started = time.monotonic()
        try:
            with opener.open(urllib.request.Request(url, headers=headers), timeout=READ_TIMEOUT) as answer:  # noqa: S310 - http checked above
                return _bounded(answer, url, started)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == http.HTTPStatus.NOT_FOUND:
                raise NotFound(f"{url}: not there", "check the path and that the server exposes it") from None
            if 300 <= error.code < 400:
                raise Unreachable(f"{url}: redirects elsewhere", "give the address it redirects to, if you trust it") from None
            raise Unreachable(f"{url}: answered {error.code} {error.reason}", "check the address and its credentials") from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise Unreachable(f"{url}: no answer ({reason})", "check that the server runs and that the address is right") from None


def _bounded(answer: IO[bytes], url: str, started: float) -> bytes:
    body = bytearray()
    while chunk := answer.read(_CHUNK):
        body += chunk
        if len(body) > MAX_BYTES:
            raise Malformed(f"{url}: the answer is larger than {MAX_BYTES // MIB} MiB", "this is not the page that was expected")
        if time.monotonic() - started > TOTAL_TIMEOUT:
            raise Unreachable(f"{url}: still answering after {TOTAL_TIMEOUT:.0f} s", "try again when the server is less busy")
    return bytes(body)

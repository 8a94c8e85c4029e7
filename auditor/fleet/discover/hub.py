"""The models of an organisation or of a collection on the Hub, through ``huggingface_hub``'s own client.

Pages follow the ``Link`` header, on the same host only. A rate limit is waited for as long as the Hub asks, within bounds.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from huggingface_hub import constants, errors
from huggingface_hub.utils import (  # type: ignore[attr-defined] # exported, but lazily
    build_hf_headers,
    get_session,
)

from auditor.bounded_json import DOCUMENT_LIMIT, parse_list, parse_object, too_large
from auditor.errors import AccessDenied, Malformed, NotFound, TargetError, Unreachable
from auditor.fleet.discover.found import MODELS_LIMIT, DiscoverOptions, Found
from auditor.fleet.model import FleetModel

_PAGE = 1000
_ATTEMPTS = 4
_PASSING = {429, 500, 502, 503, 504}
#: Longest wait for the Hub, in seconds; its limits are counted over five minutes.
_LONGEST_PAUSE = 300.0
_COLLECTIONS = "collections/"


def listed(text: str, options: DiscoverOptions, sleep: Callable[[float], None] = time.sleep) -> Found:
    """Return the models of ``hf://ORG`` or ``hf://collections/OWNER/SLUG``. Raises TargetError.

    Models of the pages before one that fails are kept, and the failure is a problem.
    """
    name = text.removeprefix("hf://").strip("/")
    if not name or name == _COLLECTIONS.rstrip("/"):
        raise NotFound(f"{text} names nobody on the Hub", "write hf://ORG, or hf://collections/OWNER/SLUG")
    if options.source.offline or constants.HF_HUB_OFFLINE:
        raise Unreachable(f"{text} was not asked for: offline", "leave out --offline, or name the Hub's cache folder")
    client = _Client(options, sleep)
    models: list[FleetModel] = []
    problems: list[str] = []
    try:
        for identity in _collection(client, name) if name.startswith(_COLLECTIONS) else _organisation(client, name):
            models.append(FleetModel(identity, found=text))
            if len(models) >= MODELS_LIMIT:
                problems.append(f"{text}: more than {MODELS_LIMIT:,} models; the others are left out")
                break
    except TargetError as error:
        if not models:
            raise
        problems.append(str(error))
    if not models:
        raise NotFound(f"{text}: no model is there that this token may see", "check the name; collections are hf://collections/OWNER/SLUG")
    return Found(tuple(models), tuple(problems))


def _organisation(client: "_Client", name: str) -> Iterator[str]:
    url: str | None = f"{client.endpoint}/api/models?author={quote(name, safe='')}&limit={_PAGE}"
    while url:
        data, link = client.page(url)
        yield from _identities(parse_list(data, f"the Hub's list of {name}"))
        url = client.following(link, url)


def _collection(client: "_Client", name: str) -> Iterator[str]:
    data, _ = client.page(f"{client.endpoint}/api/{quote(name)}")
    items = parse_object(data, f"the Hub's answer for {name}").get("items")
    yield from _identities(
        [item for item in items if isinstance(item, dict) and item.get("type") == "model"] if isinstance(items, list) else []
    )


def _identities(items: list[Any]) -> Iterator[str]:
    for item in items:
        identity = item.get("id") if isinstance(item, dict) else None
        if isinstance(identity, str) and identity.isprintable():
            yield identity


class _Client:
    def __init__(self, options: DiscoverOptions, sleep: Callable[[float], None]) -> None:
        self.endpoint = (options.source.endpoint or constants.ENDPOINT).rstrip("/")
        self._headers = build_hf_headers(token=options.source.token, library_name="auditor")
        self._pause = options.pause
        self._sleep = sleep

    def page(self, url: str) -> tuple[bytes, str]:
        """Return one page and its ``Link`` header. Raises TargetError."""
        pause = self._pause
        for attempt in range(1, _ATTEMPTS + 1):
            wait = 0.0
            failure: TargetError
            try:
                status, data, headers = self._once(url)
            except errors.HTTPError as error:  # type: ignore[attr-defined] # the base error of whichever HTTP library the Hub's uses
                fault = "did not answer in time" if type(error).__name__.endswith("Timeout") else "cannot be reached"
                failure = Unreachable(f"{self.endpoint} {fault}", "check the network")
            except errors.OfflineModeIsEnabled:
                raise Unreachable(f"{self.endpoint} was not asked: the Hub's library is set to offline", "unset HF_HUB_OFFLINE") from None
            else:
                if status == 200:
                    return data, headers.get("link", "")
                failure = self._failure(status, url)
                if status not in _PASSING:
                    raise failure
                after = headers.get("retry-after", "")
                wait = float(after) if after.isascii() and after.isdigit() else 0.0
            if attempt == _ATTEMPTS:
                raise failure
            self._sleep(min(max(pause, wait), _LONGEST_PAUSE))
            pause *= 2
        raise AssertionError  # the last attempt returns or raises

    def _once(self, url: str) -> tuple[int, bytes, dict[str, str]]:
        with get_session().stream("GET", url, headers=self._headers, timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT) as response:
            data = bytearray()
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) > DOCUMENT_LIMIT:
                    raise too_large(f"a page of {self.endpoint}", len(data), DOCUMENT_LIMIT)
            return response.status_code, bytes(data), {name.lower(): value for name, value in response.headers.items()}

    def following(self, link: str, url: str) -> str | None:
        """Return the address of the next page, or None. Raises Malformed for one on another host: the token would go there."""
        for part in link.split(","):
            address, _, relation = part.partition(";")
            if 'rel="next"' in relation:
                following = urljoin(url, address.strip().strip("<>"))
                if urlsplit(following)[:2] != urlsplit(self.endpoint)[:2]:
                    raise Malformed(f"{self.endpoint}: its next page is on another host", "check that the endpoint is a Hub")
                return following
        return None

    def _failure(self, status: int, url: str) -> TargetError:
        path = urlsplit(url).path
        if status == 404:
            return NotFound(f"{self.endpoint}{path}: not there", "check the name of the organisation or collection")
        if status in (401, 403):
            return AccessDenied(f"{self.endpoint}{path}: may not be read with this token", "pass --token, or log in with `hf auth login`")
        if status == 429:
            return Unreachable(f"{self.endpoint}: its rate limit is reached", "try again in five minutes; a token allows more")
        return Unreachable(f"{self.endpoint}{path}: answered {status}", "try again later")

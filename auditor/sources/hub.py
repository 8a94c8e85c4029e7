"""A repository on the Hub, read through ``huggingface_hub``'s own client: headers and JSON only, by ranges, concurrently.

One request lists the files with their sizes; each document and each header is one more. ``HfApi`` itself is imported only
for the rare repository whose list of files comes in pages: it costs a quarter of a second that the rest need not pay.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

from huggingface_hub import constants, errors
from huggingface_hub.utils import (  # type: ignore[attr-defined] # exported, but lazily
    build_hf_headers,
    get_session,
    hf_raise_for_status,
)

from auditor.bounded_json import DOCUMENT_LIMIT, parse_object, printable
from auditor.errors import AccessDenied, Malformed, NotFound, TargetError, Unreachable
from auditor.snapshot import FileEntry, Problem
from auditor.sources.base import Listing, Range
from auditor.sources.card import kept
from auditor.sources.options import SourceOptions

#: Requests in flight. More than this gained nothing at 50 ms of latency, and the Hub counts requests.
WORKERS = 16
#: A request that failed for a passing reason is sent once more.
_ATTEMPTS = 2
_PASSING = {500, 502, 503, 504}
_PARTIAL = 206
_LOG_IN = "pass --token, or log in with `hf auth login`"


class HubRepository:
    """One model of the Hub at one revision."""

    source = "hub"

    def __init__(self, identity: str, revision: str | None, options: SourceOptions) -> None:
        self.id = identity
        self.revision = revision
        self._name = identity
        self._endpoint = (options.endpoint or constants.ENDPOINT).rstrip("/")
        self._token = options.token
        self._headers = build_hf_headers(token=options.token, library_name="auditor")
        self._sizes: dict[str, int | None] = {}

    def listing(self) -> Listing:
        """Return every file with its size, from one request. Raises TargetError."""
        revision = f"/revision/{quote(self.revision, safe='')}" if self.revision else ""
        info = self._info(f"{self._endpoint}/api/models/{self._name}{revision}?blobs=true")
        problems = []
        if isinstance(name := info.get("id"), str) and name != self._name:
            problems.append(Problem("", f"{self.id} is now called {printable(name)} on the Hub; use the new name"))
            self._name = name
        if isinstance(commit := info.get("sha"), str):
            self.revision = commit
        try:
            files = [FileEntry(str(item["rfilename"]), _size(item)) for item in info["siblings"]]
        except (KeyError, TypeError, AttributeError):
            raise Malformed(
                f"{self._endpoint} answered for {self.id} without a list of files", "check that the endpoint is a Hub"
            ) from None
        if any(file.size is None for file in files):
            files = self._tree()
        self._sizes = {file.path: file.size for file in files}
        return Listing(tuple(files), tuple(problems), _card(info))

    def read(self, ranges: Sequence[Range]) -> list[bytes | TargetError]:
        """Return the bytes of each range, read concurrently."""
        if len(ranges) < 2:
            return [self._answer(wanted) for wanted in ranges]
        with ThreadPoolExecutor(min(WORKERS, len(ranges))) as pool:
            return list(pool.map(self._answer, ranges))

    def _answer(self, wanted: Range) -> bytes | TargetError:
        try:
            return self._range(wanted)
        except TargetError as error:
            return error

    def _range(self, wanted: Range) -> bytes:
        if wanted.length == 0:
            return b""
        url = f"{self._endpoint}/{self._name}/resolve/{quote(self.revision or 'main', safe='')}/{quote(wanted.path)}"
        if wanted.start == 0 and wanted.length == self._sizes.get(wanted.path):
            return self._get(url, {}, wanted.length, wanted.path)
        # A compressed answer has other offsets than the file.
        headers = {"Range": f"bytes={wanted.start}-{wanted.start + wanted.length - 1}", "Accept-Encoding": "identity"}
        return self._get(url, headers, wanted.length, wanted.path, partial=wanted.start > 0)

    def _info(self, url: str) -> dict[str, Any]:
        data = self._get(url, {}, DOCUMENT_LIMIT + 1, "")
        return parse_object(data, f"the Hub's answer for {self.id}")

    def _get(self, url: str, headers: Mapping[str, str], limit: int, path: str, *, partial: bool = False) -> bytes:
        """Return at most ``limit`` bytes of the answer; the rest of a longer one is never read. Raises TargetError."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._get_once(url, headers, limit, path, partial=partial)
            except errors.HfHubHTTPError as error:
                if error.response.status_code not in _PASSING or attempt == _ATTEMPTS:
                    raise self._explained(error, path) from None
            except errors.HTTPError as error:  # type: ignore[attr-defined] # the base error of whichever HTTP library the Hub's uses
                if attempt == _ATTEMPTS:
                    raise self._unreachable(error) from None
            except errors.OfflineModeIsEnabled:
                raise Unreachable(f"{self.id} was not fetched: the Hub's library is set to offline", "unset HF_HUB_OFFLINE") from None
        raise AssertionError  # the last attempt returns or raises

    def _get_once(self, url: str, headers: Mapping[str, str], limit: int, path: str, *, partial: bool) -> bytes:
        timeout = constants.HF_HUB_DOWNLOAD_TIMEOUT
        with get_session().stream("GET", url, headers={**self._headers, **headers}, timeout=timeout) as response:
            hf_raise_for_status(response)
            if partial and response.status_code != _PARTIAL:
                raise Unreachable(f"{self._endpoint} does not serve ranges of {path}", "use another endpoint, or a local copy")
            data = bytearray()
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) >= limit:
                    return bytes(data[:limit])
            return bytes(data)

    def _tree(self) -> list[FileEntry]:
        """Return the files from the paged list, where the short answer left sizes out."""
        from huggingface_hub import HfApi  # noqa: PLC0415 - slow to import, seldom needed
        from huggingface_hub.hf_api import RepoFile  # noqa: PLC0415

        api = HfApi(endpoint=self._endpoint, token=self._token)
        try:
            items = list(api.list_repo_tree(self._name, recursive=True, revision=self.revision))
        except errors.HfHubHTTPError as error:
            raise self._explained(error, "") from None
        except errors.HTTPError as error:  # type: ignore[attr-defined]
            raise self._unreachable(error) from None
        return [FileEntry(item.path, item.lfs.size if item.lfs else item.size) for item in items if isinstance(item, RepoFile)]

    def _unreachable(self, error: Exception) -> Unreachable:
        fault = "did not answer in time" if type(error).__name__.endswith("Timeout") else "cannot be reached"
        return Unreachable(
            f"{self._endpoint} {fault} ({self.id} was not read)", "check the network, or use --offline for a model that is in the cache"
        )

    def _explained(self, error: errors.HfHubHTTPError, path: str) -> TargetError:
        """Return the one line that a user needs for an error of the Hub's library."""
        what = f"{path} of {self.id}" if path else self.id
        status = error.response.status_code
        match error:
            case errors.GatedRepoError():
                return AccessDenied(f"{self.id} is gated", f"accept its terms on its page at the Hub, then {_LOG_IN}")
            case errors.DisabledRepoError():
                return AccessDenied(f"{self.id} is disabled by the Hub", "choose another model")
            case errors.RevisionNotFoundError():
                return NotFound(f"{self.id} has no revision {self.revision!r}", "check the branch, tag or commit")
            case errors.RepositoryNotFoundError():
                return NotFound(f"{self.id} is not on the Hub, or private", f"check the name; for a private model {_LOG_IN}")
            case errors.EntryNotFoundError():
                return NotFound(f"{what} is not there", "the repository may have changed meanwhile; try again")
        if status == 404:
            return NotFound(f"{what} is not at {self._endpoint}", "check the name, and that the endpoint is a Hub")
        if status == 401:
            return AccessDenied(f"{what}: the Hub refuses the token", f"{_LOG_IN} with a valid one")
        if status == 403:
            return AccessDenied(f"{what} may not be read with this token", _LOG_IN)
        if status == 429:
            header = error.response.headers.get("Retry-After", "")
            wait = float(header) if header.isascii() and header.isdigit() else 0.0
            after = f"in {wait:.0f} seconds" if wait else "later"
            return Unreachable(
                f"the Hub's rate limit is reached ({what} was not read)", f"try again {after}; a token allows more", wait=wait
            )
        return Unreachable(f"the Hub answered {status} for {what}", "try again later")


def _size(item: Mapping[str, Any]) -> int | None:
    lfs = item.get("lfs")
    size = lfs.get("size") if isinstance(lfs, dict) else item.get("size")
    return size if type(size) is int and size >= 0 else None


def _card(info: Mapping[str, Any]) -> dict[str, Any]:
    data = info.get("cardData")
    card = kept(data) if isinstance(data, dict) else {}
    return card | {name: info[name] for name in ("gated", "private") if isinstance(info.get(name), bool | str)}

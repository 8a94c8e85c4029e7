"""Which models a team has and serves: found on disks, in caches and registries, in manifests, and on running servers."""

from pathlib import Path

from auditor.endpoint import Endpoint
from auditor.errors import NotFound, WorkloadError
from auditor.fleet.discover import folders, manifests
from auditor.fleet.discover.found import DiscoverOptions, Found
from auditor.fleet.file import is_fleet_file, read_fleet
from auditor.fleet.model import FleetModel

__all__ = ["DiscoverOptions", "Found", "discover", "discover_text"]

_ATTEMPTS = 3
_ACCEPTED = (
    "name a folder, a manifest or Compose file, http://HOST:PORT of a server, hf://ORG, hf://collections/OWNER/SLUG, "
    "an object store's URL, mlflow://HOST:PORT, or a model"
)
_MLFLOW = {"mlflow": "http", "mlflow+http": "http", "mlflow+https": "https"}
_YAML = (".yaml", ".yml")
#: A JSON file longer than this is no list of resources.
_SNIFFED = 4096


def discover(text: str, options: DiscoverOptions) -> Found:
    """Return the models of one source; one broken item of it is a problem, and the others are found.

    Raises TargetError where the source as a whole cannot be read, WorkloadError for an address or a fleet file that makes no sense.
    """
    scheme, separator, rest = text.partition("://")
    if separator and scheme != "file":
        return _remote(scheme, rest, text, options)
    path = Path(rest if separator else text).expanduser()
    if path.is_dir():
        return folders.tree(path, options)
    if path.is_file():
        return _file(path, text, options)
    if text.count("/") == 1 and not text.startswith((".", "/", "~")):
        return Found((FleetModel(text, found="the command line"),))
    raise NotFound(f"{text!r} is neither a file nor a folder here", _ACCEPTED)


def discover_text(data: bytes, label: str, options: DiscoverOptions) -> Found:
    """Return the models of manifests at hand, as ``helm template`` or ``kubectl get -o yaml`` writes them."""
    return manifests.read_text(data, label, options)


def _remote(scheme: str, rest: str, text: str, options: DiscoverOptions) -> Found:
    if scheme in _MLFLOW:
        from auditor.fleet.discover.registry import registry  # noqa: PLC0415 - as below: only what is asked for is imported

        return registry(_endpoint(f"{_MLFLOW[scheme]}://{rest}", options))
    if scheme in ("http", "https"):
        from auditor.fleet.discover.servers import server  # noqa: PLC0415

        return server(_endpoint(text, options), options)
    if scheme == "hf":
        if rest.count("/") == 1 and not rest.startswith("collections/") and not rest.endswith("/"):
            return Found((FleetModel(rest, found="the command line"),))
        from auditor.fleet.discover.hub import listed  # noqa: PLC0415

        return listed(text, options)
    from auditor.fleet.discover.stores import prefix  # noqa: PLC0415

    return prefix(text)


def _endpoint(address: str, options: DiscoverOptions) -> Endpoint:
    if "@" in address:
        # It would stand in the fleet file.
        raise WorkloadError(f"the address of {address.rpartition('@')[2]} holds a password", "leave it out and give --server-token")
    return Endpoint(address.rstrip("/").removesuffix("/v1"), options.server_token, attempts=_ATTEMPTS, pause=options.pause)


def _file(path: Path, text: str, options: DiscoverOptions) -> Found:
    if is_fleet_file(path):
        return Found(read_fleet(path).models)
    if path.suffix in _YAML or (path.suffix == ".json" and _lists_resources(path)):
        return manifests.read_file(path, options)
    return Found((FleetModel(text, found=text),))


def _lists_resources(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(_SNIFFED)
    return b'"apiVersion"' in start and b'"kind"' in start

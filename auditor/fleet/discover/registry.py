"""MLflow's Model Registry over its REST API: of each registered model the versions that an alias names, or else the newest.

API: MLflow's REST reference, ``registered-models/search``, ``model-versions/get``, ``model-versions/get-download-uri``,
``logged-models``; ``model-versions/get-artifact`` serves a version's ``MLmodel`` file, whose ``transformers`` flavour says
where the weights lie.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from auditor.bounded_json import parse_object
from auditor.endpoint import MAX_BYTES, Endpoint
from auditor.errors import Malformed, TargetError
from auditor.fleet.discover.documents import Block, read
from auditor.fleet.discover.found import MODELS_LIMIT, Found
from auditor.fleet.model import FleetModel
from auditor.sources.object_store import DRIVERS

_API = "/api/2.0/mlflow"
_PAGE = 200


def registry(endpoint: Endpoint) -> Found:
    """Return the models of a registry. Raises TargetError when its list cannot be had; one broken model is a problem."""
    parts = []
    for model in _registered(endpoint):
        name = model.get("name")
        if not isinstance(name, str):
            continue
        try:
            parts.append(Found.all_of(_version(endpoint, name, *pair) for pair in _wanted(model)))
        except TargetError as error:
            parts.append(Found(problems=(str(error),)))
    return Found.all_of(parts)


def _registered(endpoint: Endpoint) -> Iterator[dict[str, Any]]:
    token, seen = "", 0
    while True:
        query = {"max_results": str(_PAGE)} | ({"page_token": token} if token else {})
        page = _object(endpoint, "/registered-models/search", query)
        models = page.get("registered_models", [])
        if not isinstance(models, list):
            raise Malformed(f"{endpoint.address}: its list of registered models is none", "give the address of an MLflow server")
        yield from (model for model in models if isinstance(model, dict))
        seen += max(len(models), 1)
        following = page.get("next_page_token")
        if not isinstance(following, str) or not following or following == token or seen > MODELS_LIMIT:
            return
        token = following


def _wanted(model: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the versions that are in use, each with its alias: all that have one, or the newest."""
    aliases = [item for item in model.get("aliases") or [] if isinstance(item, dict)]
    named: dict[str, list[str]] = {}
    for item in aliases:
        named.setdefault(str(item.get("version")), []).append(str(item.get("alias")))
    if named:
        return [(version, ",".join(sorted(names))) for version, names in sorted(named.items())]
    newest = [str(item.get("version")) for item in model.get("latest_versions") or [] if isinstance(item, dict)]
    return [(max(newest, key=lambda text: (len(text), text)), "")] if newest else []


def _version(endpoint: Endpoint, name: str, version: str, alias: str) -> Found:
    called = f"{name}@{alias}" if alias else f"{name}/{version}"
    at = f"{endpoint.address}/#/models/{quote(name)}/versions/{quote(version)}"
    key = {"name": name, "version": version}
    try:
        place = _place(endpoint, key)
        described = _described(endpoint, key)
    except TargetError as error:
        return Found(problems=(str(error),))
    transformers = described.block("flavors", "transformers")
    serving = {"flavor": flavor} if (flavor := _flavor(described)) else {}
    inner = transformers.text("model_binary") or transformers.text("model_path") or ""
    notes: tuple[str, ...] = ()
    source = transformers.text("source_model_name")
    if _opens(place):
        target = f"{place.rstrip('/')}/{inner}".rstrip("/")
    elif source and "/" in source and not source.startswith(("/", ".")):
        revision = transformers.text("source_model_revision")
        target = f"{source}@{revision}" if revision else source
        notes = (f"{at}: its files are behind the server; {source}, which it was made from, stands for it",)
    else:
        target = place
        notes = (f"{at}: its files are behind the server; name a copy that can be read from here",)
    return Found((FleetModel(target, name=called, found=at, serving=serving),), notes=notes)


def _place(endpoint: Endpoint, key: dict[str, str]) -> str:
    """Return where a version's files lie: a path, an object store's URL, or an address that only the server understands."""
    place = _object(endpoint, "/model-versions/get-download-uri", key).get("artifact_uri")
    if isinstance(place, str) and place.startswith("models:/m-"):
        answer = _object(endpoint, f"/logged-models/{quote(place.removeprefix('models:/'), safe='')}", {})
        place = (answer.get("model") or {}).get("info", {}).get("artifact_uri")
    if not isinstance(place, str) or not place:
        raise Malformed(f"{endpoint.address}: {key['name']} version {key['version']} lies nowhere", "register it again")
    parts = urlsplit(place)
    return unquote(parts.path) if parts.scheme == "file" else place


def _opens(place: str) -> bool:
    return place.startswith("/") or place.partition("://")[0] in DRIVERS


def _described(endpoint: Endpoint, key: dict[str, str]) -> Block:
    """Return a version's ``MLmodel`` file, empty where it has none: files that were registered as they are."""
    try:
        data = endpoint.get("/model-versions/get-artifact", {**key, "path": "MLmodel"})
        documents, _ = read(data, f"{endpoint.address}: MLmodel of {key['name']} version {key['version']}")
    except TargetError:
        return Block(0)
    return next(iter(documents), Block(0))


def _flavor(described: Block) -> str:
    flavors = [name for name in described.block("flavors") if name != "python_function"]
    return "transformers" if "transformers" in flavors else next(iter(flavors), "")


def _object(endpoint: Endpoint, path: str, query: dict[str, str]) -> dict[str, Any]:
    return parse_object(endpoint.get(f"{_API}{path}", query), f"{endpoint.address}{_API}{path}", limit=MAX_BYTES)

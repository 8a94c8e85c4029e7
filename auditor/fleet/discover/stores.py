"""Models below a prefix of an object store: folders are listed one by one, so that a bucket of datasets is not read to its end."""

from typing import Any

from auditor.errors import NotFound, TargetError
from auditor.fleet.discover.folders import MAX_DEPTH, one_of_each
from auditor.fleet.discover.found import MODELS_LIMIT, Found
from auditor.fleet.model import FleetModel
from auditor.sources import saved
from auditor.sources.object_store import explained, open_store
from auditor.weights.names import weight_name

#: Folders and files looked at below one prefix.
_ENTRIES_LIMIT = 1_000_000
_DESCRIPTIONS = {"config.json", "model_index.json", "adapter_config.json", "modules.json"}


def prefix(url: str) -> Found:
    """Return the models below ``url``. Raises TargetError when it cannot be listed; a folder that cannot be is a problem."""
    store, root = open_store(url)
    scheme = url.partition("://")[0]
    pending = [(root.rstrip("/"), 0)]
    models: list[FleetModel] = []
    problems: list[str] = []
    seen = 0
    while pending:
        folder, depth = pending.pop()
        try:
            items: list[dict[str, Any]] = store.ls(folder, detail=True)
        except Exception as error:  # noqa: BLE001 - each driver has errors of its own
            failure: TargetError = explained(error, f"{scheme}://{folder}")
            if folder == root.rstrip("/"):
                raise failure from None
            problems.append(str(failure))
            continue
        seen += len(items)
        files = sorted(item["name"].rpartition("/")[2] for item in items if item["type"] == "file")
        address = f"{scheme}://{folder}"
        names = [name for name in files if name.endswith(saved.SUFFIXES)]
        if _is_model(files):
            models.append(FleetModel(address, found=address))
        else:
            names += one_of_each(files)
            below = sorted((item["name"].rstrip("/") for item in items if item["type"] == "directory"), reverse=True)
            if below and depth >= MAX_DEPTH:
                problems.append(f"{address}: folders nest deeper than {MAX_DEPTH} levels; name this one to look into it")
            else:
                pending += [(name, depth + 1) for name in below if name != folder]
        models += [FleetModel(f"{address}/{name}", found=f"{address}/{name}") for name in names]
        if seen > _ENTRIES_LIMIT or len(models) > MODELS_LIMIT:
            problems.append(f"{url}: more than {_ENTRIES_LIMIT:,} files or {MODELS_LIMIT:,} models; name smaller prefixes")
            break
    if not seen:
        raise NotFound(f"{url} holds no files", "check the URL, the network and the store's own settings")
    return Found(tuple(models), tuple(problems))


def _is_model(files: list[str]) -> bool:
    # Unlike on disk, a configuration is not opened to see whose it is: that would be a request for each.
    return bool(_DESCRIPTIONS.intersection(files)) or any(name.endswith(".safetensors") and weight_name(name) for name in files)

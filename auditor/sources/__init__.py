"""Where models come from: every source gives the same kind of snapshot."""

import re
from dataclasses import replace
from pathlib import Path

from auditor.errors import NotFound, TargetError
from auditor.snapshot import Snapshot
from auditor.sources import lone, saved
from auditor.sources.adapters import with_base
from auditor.sources.base import Range, Repository
from auditor.sources.blob import Blob, is_gguf
from auditor.sources.cache import cache_folder, cached
from auditor.sources.folder import Folder
from auditor.sources.options import SourceOptions
from auditor.sources.take import take
from auditor.weights.names import SHARDS_LIMIT, shard_path, weight_name

__all__ = ["SourceOptions", "hub_name", "open_target"]

_HUB_ID = re.compile(r"(?:hf://(?:models/)?)?(?P<id>\w[\w.-]*/[\w.-]+)(?:@(?P<revision>[^:\s]+))?(?::(?P<path>.+))?")
# What can only be meant as a path.
_LOCAL_STARTS = ("/", "./", "../", "~")
_LOCAL_ENDS = (".json", ".gz", ".safetensors", ".gguf")
_ACCEPTED = "name a folder, a config.json, a .safetensors or .gguf file, a saved snapshot, a Hub id org/name, or an object store's URL"


def open_target(text: str, options: SourceOptions) -> Snapshot:
    """Return the snapshot of whatever ``text`` names; of an adapter, with its base. Raises TargetError, with what to do about it."""
    if not text.strip() or "\0" in text or "\n" in text:
        raise NotFound(f"{text!r} names no model", _ACCEPTED)
    path = Path(text).expanduser()
    if is_there(path):
        return _local(path, text, options)
    folder, colon, inner = text.rpartition(":")
    if colon and inner and is_there(Path(folder).expanduser()):
        return _folder(Path(folder).expanduser(), text, options, inner)
    scheme, separator, rest = text.partition("://")
    if separator and scheme == "file":
        return open_target(rest, options)
    if separator and scheme != "hf":
        return _object_store(scheme, text, options)
    name = _HUB_ID.fullmatch(text)
    if text.startswith(_LOCAL_STARTS) or (name is not None and name["id"].endswith(_LOCAL_ENDS)):
        raise NotFound(f"{text} does not exist", "check the path")
    if name is None:
        raise NotFound(f"{text!r} is neither a file nor a folder here", _ACCEPTED)
    return _taken(_hub(name["id"], name["revision"] or options.revision, options), options, name["path"])


def hub_name(text: str) -> tuple[str, str | None] | None:
    """Return id and revision of a Hub target, or None for text that names no Hub model."""
    name = _HUB_ID.fullmatch(text)
    return (name["id"], name["revision"]) if name and not name["id"].endswith(_LOCAL_ENDS) else None


def _taken(repository: Repository, options: SourceOptions, path: str | None = None) -> Snapshot:
    """Take a repository; an adapter together with its base."""

    def base(identity: str, revision: str | None) -> Snapshot:
        # The base of a local adapter is looked for in the cache only: what is local is audited without network.
        own = replace(options, variant=None, offline=options.offline or repository.source != "hub")
        return take(_hub(identity, revision, own), own)

    return with_base(take(repository, options, path), base)


def _hub(identity: str, revision: str | None, options: SourceOptions) -> Repository:
    # Imported here: the Hub's library costs a local audit a tenth of a second that it need not pay.
    from huggingface_hub import constants  # noqa: PLC0415

    if options.offline or constants.HF_HUB_OFFLINE:
        return cached(options.cache_dir or Path(constants.HF_HUB_CACHE), identity, revision)
    from auditor.sources.hub import HubRepository  # noqa: PLC0415

    return HubRepository(identity, revision, options)


def _object_store(scheme: str, text: str, options: SourceOptions) -> Snapshot:
    from auditor.sources.object_store import DRIVERS, ObjectStore  # noqa: PLC0415 - only who names a URL needs it

    if scheme not in DRIVERS:
        raise NotFound(f"{text}: no object store is addressed by {scheme}://", f"{_ACCEPTED}; schemes are {', '.join(DRIVERS)}")
    url, colon, inner = text.rpartition(":")
    url, path = (text, None) if not colon or inner.startswith("//") else (url, inner)
    store = ObjectStore(url)
    if store.lone is None or store.lone.endswith((".safetensors", ".gguf")):
        return _taken(store, options, path or store.lone)
    (data,) = store.read([Range(store.lone, 0, saved.SIZE_LIMIT)])
    if isinstance(data, TargetError):
        raise data
    if store.lone.endswith(saved.SUFFIXES):
        return saved.parse(data, store.id)
    if store.lone.endswith(".json"):
        return lone.document(store.lone, data, url, store.source)
    raise TargetError(f"{text} is no kind of file that describes a model", _ACCEPTED)


def is_there(path: Path) -> bool:
    """Return whether a path exists; False for what cannot even be a path."""
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long, or without permission to look
        return False


def _local(path: Path, text: str, options: SourceOptions) -> Snapshot:
    if path.is_dir():
        return _folder(path, text, options)
    if not path.is_file():
        raise NotFound(f"{text} is neither a file nor a folder", _ACCEPTED)
    name = path.name
    if name.endswith(saved.SUFFIXES):
        return saved.load(path)
    if name.endswith((".safetensors", ".gguf")):
        only = _with_shards(path)
        return _taken(Folder(path.parent, text, source=name.rpartition(".")[2], files=only), options, name)
    if name.endswith(".json"):
        return lone.read_document(path, text)
    if is_gguf(path):
        return _taken(Blob(path, text), options)
    raise TargetError(f"{text} is no kind of file that describes a model", _ACCEPTED)


def _folder(path: Path, text: str, options: SourceOptions, inner: str | None = None) -> Snapshot:
    return _taken(cache_folder(path.absolute()) or Folder(path, text.rstrip("/") or text), options, inner)


def _with_shards(path: Path) -> list[str]:
    """Return the file's name and, of a shard, the names of the other shards beside it."""
    name = weight_name(path.name)
    if name is None or name.shards is None:
        return [path.name]
    names = (shard_path(path.name, number) for number in range(1, min(name.shards, SHARDS_LIMIT) + 1))
    return sorted({path.name, *(other for other in names if (path.parent / other).is_file())})

"""Docker Compose files: services whose image or command is a serving engine's.

Shape: the Compose specification, with devices under ``deploy.resources.reservations`` or ``gpus``. Variables come from ``.env``
beside the file, and from the files that ``env_file`` names.
"""

import re
from pathlib import Path

from auditor.fleet.discover.documents import MAX_BYTES, Block, whole
from auditor.fleet.discover.entry import entry, owner_of
from auditor.fleet.discover.flags import expanded, served
from auditor.fleet.discover.found import DiscoverOptions, Found
from auditor.fleet.discover.hardware import built_for

_NVIDIA = "nvidia.com/gpu"
_VARIABLE = re.compile(r"""^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=[ \t]*("[^"\n]*"|'[^'\n]*'|[^\s#]*)""", re.MULTILINE)


def services(document: Block, label: str, options: DiscoverOptions) -> Found:
    """Return the models that the services of a Compose file serve; ``label`` is its path, or a word for text from elsewhere."""
    parts = []
    folder = Path(label).parent
    given = _variables(folder / ".env")
    for name, service in document.block("services").items():
        if not isinstance(service, Block):
            continue
        environment = _environment(service, folder, given)
        # The file's own variables are filled in before the container's.
        image = expanded(service.text("image") or "", given | environment)
        command = [_filled(word, given) for key in ("entrypoint", "command") for word in _command(service.at(key))]
        found = served(image, command, environment)
        if found is None:
            continue
        count, resource = _devices(service)
        line = document.block("services").lines.get(name, service.line)
        replicas = service.number("deploy", "replicas")
        made = entry(
            found,
            f"{label}:{line}",
            options,
            name=name,
            owner=owner_of(service),
            replicas=replicas if replicas is not None else service.number("scale"),
            count=count,
            resource=resource or built_for(image),
        )
        parts.append(made)
    return Found.all_of(parts)


def _filled(text: str, given: dict[str, str]) -> str:
    """Return ``text`` as Compose hands it on: two dollars are one, for the shell inside."""
    return "$".join(expanded(part, given) for part in text.split("$$"))


def _environment(service: Block, folder: Path, given: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    files = service.at("env_file")
    for item in files if isinstance(files, list) else [files]:
        path = item.text("path") if isinstance(item, Block) else item
        found |= _variables(folder / path) if isinstance(path, str) else {}
    stated = service.at("environment")
    if isinstance(stated, Block):
        pairs = [(name, value) for name, value in stated.items() if isinstance(value, str)]
    else:
        pairs = [(name, value) for text in service.texts("environment") for name, equals, value in [text.partition("=")] if equals]
    return found | {name: expanded(value, given) for name, value in pairs}


def _variables(path: Path) -> dict[str, str]:
    """Return the variables of a file of them; nothing for one that is not there."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(MAX_BYTES)
    except OSError:
        return {}
    return {name: value.strip("\"'") for name, value in _VARIABLE.findall(text)}


def _command(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _devices(service: Block) -> tuple[int | None, str]:
    """Return how many GPUs a service has, where that is a number, and whose they are."""
    for device in service.blocks("deploy", "resources", "reservations", "devices"):
        identities = device.texts("device_ids")
        resource = "amd.com/gpu" if device.text("driver") == "amd" else _NVIDIA
        return (len(identities) if identities else whole(device.text("count"))), resource
    gpus = service.at("gpus")
    if gpus is not None:
        return (whole(gpus) if isinstance(gpus, str) else None), _NVIDIA
    if any(path.startswith("/dev/kfd") for path in service.texts("devices")):
        return None, "amd.com/gpu"
    return None, _NVIDIA if service.text("runtime") == "nvidia" else ""

"""Docker Compose files: services whose image or command is a serving engine's.

Shape: the Compose specification, with devices under ``deploy.resources.reservations`` or ``gpus``.
"""

from auditor.fleet.discover.documents import Block, whole
from auditor.fleet.discover.entry import entry, owner_of
from auditor.fleet.discover.flags import expanded, served
from auditor.fleet.discover.found import DiscoverOptions, Found

_NVIDIA = "nvidia.com/gpu"


def services(document: Block, label: str, options: DiscoverOptions) -> Found:
    """Return the models that the services of a Compose file serve."""
    parts = []
    for name, service in document.block("services").items():
        if not isinstance(service, Block):
            continue
        environment = _environment(service)
        image = expanded(service.text("image") or "", environment)
        found = served(image, [*_command(service.at("entrypoint")), *_command(service.at("command"))], environment)
        if found is None:
            continue
        count, resource = _devices(service)
        line = document.block("services").lines.get(name, service.line)
        made = entry(
            found,
            f"{label}:{line}",
            options,
            name=name,
            owner=owner_of(service),
            replicas=service.number("deploy", "replicas") or service.number("scale"),
            count=count,
            resource=resource,
        )
        parts.append(made)
    return Found.all_of(parts)


def _environment(service: Block) -> dict[str, str]:
    given = service.at("environment")
    if isinstance(given, Block):
        pairs = [(name, value) for name, value in given.items() if isinstance(value, str)]
    else:
        pairs = [(name, value) for text in service.texts("environment") for name, equals, value in [text.partition("=")] if equals]
    return {name: expanded(value, {}) for name, value in pairs}


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
    return None, _NVIDIA if service.text("runtime") == "nvidia" else ""

"""``auditor.fleet.yaml``: read with every mistake at its line, written so that people can edit it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from auditor.catalog.document import Document
from auditor.catalog.strict_yaml import parse
from auditor.catalog.validate import check
from auditor.errors import CatalogError, WorkloadError
from auditor.fleet.model import Fleet, FleetModel
from auditor.workload_file import fields

NAMES = ("auditor.fleet.yaml", "auditor.fleet.yml")
SCHEMA = "auditor/fleet-file/1"


def is_fleet_file(path: Path) -> bool:
    """Return whether a path is named as a fleet file is."""
    return path.name in NAMES or path.name.endswith((".fleet.yaml", ".fleet.yml"))


def read_fleet(path: Path) -> Fleet:
    """Return the fleet of a file. Raises WorkloadError, whose message begins with file, line and column."""
    try:
        document = parse(path.read_bytes(), str(path))
        check(document, "fleet-file")
    except OSError as error:
        raise WorkloadError(f"{path} cannot be read: {error.strerror or error}", "check the path") from None
    except CatalogError as error:
        raise WorkloadError(error.message, error.hint) from None
    value = document.value
    models = tuple(_model(document, raw, at, path) for at, raw in enumerate(value["models"]))
    defaults = fields(document, value.get("defaults", {}), ("defaults",))
    return Fleet(models=models, on=tuple(value.get("on", ())), defaults=defaults, prices=value.get("prices", {}))


def _model(document: Document, raw: dict[str, Any], at: int, path: Path) -> FleetModel:
    place = document.where(("models", at)).rsplit(":", 1)[0]
    return FleetModel(
        target=_resolved(raw["model"], path),
        name=raw.get("name", ""),
        owner=raw.get("owner", ""),
        found=raw.get("found", place),
        workload=fields(document, raw.get("workload", {}), ("models", at, "workload")),
        serving=raw.get("serving", {}),
        replicas=raw.get("replicas", 1),
        line=int(place.rpartition(":")[2]),
    )


def _resolved(target: str, path: Path) -> str:
    """Return a path that is written relative to the fleet file as one that can be opened from here."""
    beside = path.parent / target
    return str(beside) if target.startswith(("./", "../")) or beside.exists() else target


def write_fleet(models: Sequence[FleetModel], source: str) -> str:
    """Return the text of a fleet file for ``models``; ``source`` says in its head where they were found."""
    import yaml  # noqa: PLC0415 - only when a fleet file is written

    head = [
        "# Models of a fleet. Correct what is wrong, add owners, volumes (workload: tokens_per_day) and what you pay",
        "# (prices: {h100: 2.10}, USD per device-hour), then run",
        "#   auditor fleet scan auditor.fleet.yaml --store fleet.duckdb",
        f"# Found in {' '.join(source.split())}.",
    ]
    body = {"schema": SCHEMA, "models": [_plain(model) for model in models]}
    text: str = yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=120)
    return "\n".join(head) + "\n" + text


def _plain(model: FleetModel) -> dict[str, Any]:
    raw: dict[str, Any] = {"model": model.target}
    for name in ("name", "owner", "found"):
        if getattr(model, name):
            raw[name] = getattr(model, name)
    if model.replicas != 1:
        raw["replicas"] = model.replicas
    for name in ("workload", "serving"):
        if getattr(model, name):
            raw[name] = dict(getattr(model, name))
    return raw

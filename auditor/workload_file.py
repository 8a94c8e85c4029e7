"""Workloads as people write them: YAML (or JSON) whose keys are those of the options, with underscores."""

from collections.abc import Mapping
from pathlib import Path as File
from typing import Any, get_args, get_type_hints

from auditor.catalog.document import Document
from auditor.catalog.strict_yaml import parse
from auditor.catalog.vocabulary import Path, did_you_mean
from auditor.errors import CatalogError, WorkloadError
from auditor.workload import Workload


def read(path: File) -> dict[str, Any]:
    """Return the fields that the file ``path`` gives. Raises WorkloadError for anything that is no workload."""
    try:
        document = parse(path.read_bytes(), str(path))
    except OSError as error:
        raise WorkloadError(f"{path} cannot be read: {error.strerror or error}", "check --workload") from None
    except CatalogError as error:
        raise WorkloadError(error.message, error.hint) from None
    if not isinstance(document.value, dict):
        raise WorkloadError(f"{path} holds no mapping", "write one field per line, such as `context: 8192`")
    return fields(document, document.value, ())


def fields(document: Document, values: dict[str, Any], at: Path) -> dict[str, Any]:
    """Return the workload fields of a mapping at ``at`` of a document. Raises WorkloadError with file, line and column."""
    kinds = {name: _kinds(hint) for name, hint in get_type_hints(Workload).items()}
    for name, value in values.items():
        where = document.where((*at, name), key=True)
        if name not in kinds:
            hint = did_you_mean(name, kinds) or f"choose from {', '.join(kinds)}"
            raise WorkloadError(f"{where}: {name!r} is no field of a workload", hint)
        if type(value) not in kinds[name]:
            raise WorkloadError(f"{where}: {name} is {value!r}", f"give a value of type {kinds[name][-1].__name__}")
    return dict(values)


def plain_fields(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the workload fields of a mapping that knows no lines, such as a table of TOML. Raises WorkloadError, naming ``where``."""
    return fields(Document(where, dict(values)), dict(values), ())


def _kinds(hint: Any) -> tuple[type, ...]:
    kinds = tuple(kind for kind in get_args(hint) or (hint,) if kind is not type(None))
    return (int, *kinds) if float in kinds else kinds

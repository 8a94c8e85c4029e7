"""From the names of changed files to the models that they belong to: one audit per model, however many of its files changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from auditor.weights.names import index_name, weight_name

#: Documents that say what a model is. The hook's manifest has a pattern for the same names.
DOCUMENTS = {
    "config.json",
    "model_index.json",
    "adapter_config.json",
    "generation_config.json",
    "hf_quant_config.json",
    "quantize_config.json",
    "params.json",
    "modules.json",
}
FLEET_FILES = (".fleet.yaml", ".fleet.yml")
SNAPSHOT = ".snapshot.json.gz"
#: Documents at the root of a model that has others below it: a pipeline's components, a sentence encoder's modules.
_ROOTS = ("model_index.json", "modules.json")
#: What a file called config.json says when it is a model's: thousands of programs have a file of that name.
_MARKS = (b'"model_type"', b'"architectures"', b'"_class_name"', b'"peft_type"', b'"_diffusers_version"', b'"quant_method"')
_READ = 1 << 20


@dataclass(frozen=True, slots=True)
class Changed:
    """What changed files come to."""

    models: tuple[str, ...]
    """Targets, as ``auditor audit`` takes them, each once."""
    fleets: tuple[str, ...] = ()
    """Fleet files, whose models are each asked about with a workload of their own."""


def is_model_file(name: str) -> bool:
    """Return whether a file of that name can be part of a model."""
    base = name.rpartition("/")[2]
    return (
        base in DOCUMENTS
        or base.endswith(SNAPSHOT)
        or base.endswith(FLEET_FILES)
        or index_name(base) is not None
        or weight_name(base) is not None
    )


def changed_models(files: Iterable[Path]) -> Changed:
    """Return the models that the files belong to, in their order. Files that are part of none are passed over.

    A deleted file counts for the model that it was part of, if there still is one.
    """
    models: dict[str, None] = {}
    fleets: dict[str, None] = {}
    for file in files:
        if not is_model_file(file.name):
            continue
        if file.name.endswith(FLEET_FILES):
            if file.is_file():
                fleets.setdefault(str(file))
        elif (target := _target(file)) is not None:
            models.setdefault(target)
    return Changed(tuple(models), tuple(fleets))


def _target(file: Path) -> str | None:
    """Return the model that a file belongs to; None where it is part of none."""
    if file.name.endswith(SNAPSHOT):
        return str(file) if file.is_file() else None
    if file.suffix == ".gguf":  # a folder may hold several quantizations, each a model of its own
        return str(_first_shard(file)) if file.is_file() else None
    folder = _root(file.parent)
    return str(folder) if _holds_model(folder) else None


def _first_shard(file: Path) -> Path:
    name = weight_name(file.name)
    if name is None or name.shard is None:
        return file
    first = file.with_name(file.name.replace(f"-{name.shard:05d}-of-", "-00001-of-"))
    return first if first.is_file() else file


def _root(folder: Path) -> Path:
    """Return the folder of the model that ``folder`` is a part of: itself, or the one above it that says so."""
    above = folder.parent
    return above if above != folder and any((above / name).is_file() for name in _ROOTS) else folder


def _holds_model(folder: Path) -> bool:
    for name in sorted(DOCUMENTS - {"modules.json"}):
        if _is_marked(folder / name):
            return True
    try:
        return any(weight_name(item.name) is not None and item.is_file() for item in folder.iterdir())
    except OSError:
        return False


def _is_marked(document: Path) -> bool:
    try:
        with document.open("rb") as file:
            start = file.read(_READ)
    except OSError:
        return False
    return any(mark in start for mark in _MARKS)

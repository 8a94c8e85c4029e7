"""Make the snapshots of real models that tests, rules and the README audit: configs as published, no weights.

    python tools/make_fixture.py --configs DIR [NAME…]     (DIR/ORG__NAME/config.json; every fixture when no name is given)

A recipe in ``tools/fixtures.yaml`` says where the tensor table comes from:

``table: NAME``   rows of ``tools/tables/NAME.tsv`` (name pattern, type, shape), as a published checkpoint has them
``build: true``   the class that ``architectures[0]`` names, built by transformers on the meta device, its tensors named as
                  ``save_pretrained`` does; ``rename``, ``float32`` and ``drop`` correct what a published checkpoint does
                  otherwise, and a table adds to it
``components:``   the same for each component of a pipeline, built by transformers or diffusers

Every snapshot says in ``origin`` how its table was made. ``expect`` holds published totals; a mismatch is an error.
Needs PyTorch, transformers and (for pipelines) diffusers only where something is built.
"""

import argparse
import json
import math
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))

from auditor.snapshot import FileEntry, Snapshot, Tensor, WeightFile, WeightSet  # noqa: E402
from auditor.sources.saved import load, save  # noqa: E402

#: safetensors type -> (PyTorch spelling, bits)
TYPES = {
    "BF16": ("bfloat16", 16),
    "F16": ("float16", 16),
    "F32": ("float32", 32),
    "I32": ("int32", 32),
    "I64": ("int64", 64),
    "I8": ("int8", 8),
    "U8": ("uint8", 8),
    "F8_E4M3": ("float8_e4m3fn", 8),
    "F8_E8M0": ("float8_e8m0fnu", 8),
}
BITS = dict(TYPES.values())
SPELLING = {name: short for short, (name, _) in TYPES.items()}
SHARD_BYTES = 5 * 10**9  # what save_pretrained used while these models were published


@dataclass(frozen=True)
class Recipe:
    """One entry of ``fixtures.yaml``."""

    name: str
    model: str
    origin: str
    build: bool = False
    table: str = ""
    """Rows of a table, instead of what the class builds or beside it."""
    dtypes: tuple[tuple[str, str], ...] = ()
    """Type of built tensors by component, where the config does not say it."""
    float32: tuple[str, ...] = ()
    """Patterns of tensors that the checkpoint keeps in float32."""
    drop: tuple[str, ...] = ()
    """Patterns of tensors that the class builds and the checkpoint leaves out."""
    rename: tuple[tuple[str, str], ...] = ()
    """Patterns and replacements, for names that newer library releases changed."""
    config: dict[str, Any] | None = None
    """The config itself, where no published file is at hand; ``origin`` says so."""
    components: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    """Other files of the repository, by name: they are listed without a size."""
    expect: dict[str, int] | None = None


def expand(pattern: str) -> Iterator[str]:
    """Yield the names that a pattern stands for: ``{0-3}`` and ``{2-8:2}`` are ranges, ``{3,7}`` a list."""
    match = re.search(r"\{([^}]*)\}", pattern)
    if match is None:
        yield pattern
        return
    values: list[int] = []
    for part in match[1].split(","):
        bounds = re.fullmatch(r"(\d+)-(\d+)(?::(\d+))?", part)
        values += range(int(bounds[1]), int(bounds[2]) + 1, int(bounds[3] or 1)) if bounds else [int(part)]
    for value in values:
        yield from expand(pattern[: match.start()] + str(value) + pattern[match.end() :])


def tensor(name: str, dtype: str, shape: tuple[int, ...]) -> Tensor:
    """Return a tensor of a plain type with the bytes that its shape takes."""
    return Tensor(name, dtype, shape, math.prod(shape) * BITS[dtype] // 8)


def from_table(name: str) -> list[Tensor]:
    """Return the tensors of ``tools/tables/NAME.tsv`` in the order in which a checkpoint stores them."""
    tensors = []
    for line in (HERE / "tables" / f"{name}.tsv").read_text().splitlines():
        pattern, dtype, shape = line.split("\t")
        size = tuple(int(part) for part in shape.split("x"))
        tensors += [tensor(full, TYPES[dtype][0], size) for full in expand(pattern)]
    return sorted(tensors, key=lambda row: natural(row.name))


def natural(name: str) -> tuple[tuple[int, int | str], ...]:
    """Sort key that puts layer 10 after layer 9."""
    return tuple((0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", name))


def built(config: dict[str, Any], recipe: Recipe, component: str) -> list[Tensor]:
    """Return the tensors that ``save_pretrained`` would write for this config. Raises AttributeError for an unknown class."""
    from reference import meta_state  # noqa: PLC0415  (PyTorch is needed only here)

    nested = config.get("text_config") or {}
    stated = dict(recipe.dtypes).get(component) or config.get("torch_dtype") or config.get("dtype") or nested.get("dtype") or "float32"
    tensors = []
    for class_name, shape in meta_state(config).items():
        name = class_name
        for pattern, replacement in recipe.rename:
            name = re.sub(pattern, replacement, name)
        if any(re.search(pattern, name) for pattern in recipe.drop):
            continue
        dtype = "float32" if any(re.search(pattern, name) for pattern in recipe.float32) else stated
        tensors.append(tensor(name, dtype, shape))
    return tensors


def header_bytes(tensors: list[Tensor]) -> int:
    """Return the bytes that the safetensors header of a file with these tensors takes, its length included."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for row in tensors:
        header[row.name] = {"dtype": SPELLING[row.dtype], "shape": list(row.shape), "data_offsets": [offset, offset + row.nbytes]}
        offset += row.nbytes
    length = len(json.dumps(header, separators=(",", ":")))
    return 8 + (length + 7) // 8 * 8


def shard(tensors: list[Tensor], stem: str, weight_map: dict[str, str] | None) -> tuple[WeightFile, ...]:
    """Distribute tensors over files: as the published index does, else by the five-gigabyte rule in their order."""
    groups: dict[str, list[Tensor]] = {}
    if weight_map is not None:
        for row in tensors:
            groups.setdefault(weight_map[row.name], []).append(row)
    else:
        shards: list[list[Tensor]] = [[]]
        filled = 0
        for row in tensors:
            if filled and filled + row.nbytes > SHARD_BYTES:
                shards.append([])
                filled = 0
            shards[-1].append(row)
            filled += row.nbytes
        count = len(shards)
        names = [f"{stem}.safetensors"] if count == 1 else [f"{stem}-{n:05d}-of-{count:05d}.safetensors" for n in range(1, count + 1)]
        groups = dict(zip(names, shards, strict=True))
    return tuple(
        WeightFile(path, header_bytes(rows) + sum(row.nbytes for row in rows), tuple(rows)) for path, rows in sorted(groups.items())
    )


def published_index(folder: Path, stem: str) -> dict[str, Any] | None:
    """Return the published index of these weights, where we have it."""
    path = folder / f"{stem}.safetensors.index.json"
    return json.loads(path.read_text()) if path.exists() else None


def weight_set(component: str, folder: Path, stem: str, tensors: list[Tensor]) -> WeightSet:
    """Return the files of one component with the published or computed index total."""
    index = published_index(folder, stem)
    weight_map = index["weight_map"] if index else None
    if weight_map is not None and set(weight_map) != {row.name for row in tensors}:
        absent = sorted(set(weight_map) - {row.name for row in tensors})[:5]
        extra = sorted({row.name for row in tensors} - set(weight_map))[:5]
        sys.exit(f"{folder}: the table differs from the published index: not in the table {absent}, not in the index {extra}")
    files = shard(tensors, stem, weight_map)
    if component:
        files = tuple(WeightFile(f"{component}/{file.path}", file.size, file.tensors) for file in files)
    total = index["metadata"]["total_size"] if index else sum(row.nbytes for row in tensors) if len(files) > 1 else None
    return WeightSet(component, "safetensors", "", files, total)


def snapshot_of(recipe: Recipe, folder: Path) -> Snapshot:
    """Make the snapshot that a recipe describes from the configs in ``folder``."""
    paths = sorted(folder.rglob("*.json")) if recipe.config is None else []
    documents = {str(path.relative_to(folder)): json.loads(path.read_text()) for path in paths} or {"config.json": recipe.config}
    documents = {path: document for path, document in documents.items() if ".index." not in path and ".full" not in path}
    sets = []
    for component in recipe.components or ("",):
        home = folder / component
        config = documents[f"{component}/config.json" if component else "config.json"]
        tensors = built(config, recipe, component) if recipe.build else []
        tensors += from_table(recipe.table) if recipe.table else []
        diffusers_class = "_class_name" in config
        sets.append(weight_set(component, home, "diffusion_pytorch_model" if diffusers_class else "model", tensors))
    entries = [FileEntry(path, len(json.dumps(document, indent=2))) for path, document in documents.items()]
    entries += [FileEntry(file.path, file.size) for group in sets for file in group.files]
    entries += [
        FileEntry(re.sub(r"-\d+-of-\d+\.safetensors$", ".safetensors.index.json", group.files[0].path), None)
        for group in sets
        if len(group.files) > 1
    ]
    entries += [FileEntry(path, None) for path in recipe.files]
    return Snapshot(
        id=recipe.model,
        revision=None,
        source="snapshot",
        files=tuple(sorted(entries, key=lambda entry: entry.path)),
        documents=documents,
        weights=tuple(sets),
        origin=recipe.origin,
    )


def check(recipe: Recipe, snapshot: Snapshot) -> str:
    """Return a line of totals; exit when one differs from what was published."""
    rows = [row for group in snapshot.weights for file in group.files for row in file.tensors or ()]
    totals = {"bytes": sum(row.nbytes for row in rows), "elements": sum(math.prod(row.shape) for row in rows), "tensors": len(rows)}
    for key, published in (recipe.expect or {}).items():
        if totals[key] != published:
            sys.exit(f"{recipe.name}: {key} is {totals[key]}, published {published}, difference {totals[key] - published}")
    return ", ".join(f"{key} {value}{' (as published)' if key in (recipe.expect or {}) else ''}" for key, value in totals.items())


def read_recipes() -> list[Recipe]:
    """Return the recipes of ``fixtures.yaml``; an unknown key is a TypeError."""
    entries = yaml.safe_load((HERE / "fixtures.yaml").read_text())
    recipes = []
    for name, entry in entries.items():
        values = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
        for key in ("rename", "dtypes"):
            values[key] = tuple(values.get(key, {}).items())
        recipes.append(Recipe(name=name, **values))
    return recipes


def main() -> None:
    """Make the fixtures that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configs", type=Path, required=True, help="folder of ORG__NAME folders with published JSON files")
    parser.add_argument("names", nargs="*", help="fixtures to make (all)")
    options = parser.parse_args()
    for recipe in read_recipes():
        if options.names and recipe.name not in options.names:
            continue
        snapshot = snapshot_of(recipe, options.configs / recipe.model.replace("/", "__"))
        path = ROOT / "fixtures" / f"{recipe.name}.snapshot.json.gz"
        save(snapshot, path)
        load(path)
        print(f"{recipe.name}: {check(recipe, snapshot)}; {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()

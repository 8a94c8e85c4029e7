"""Count the parameters of every config that transformers or diffusers can build, on the meta device.

    python tools/make_reference_counts.py --configs DIR      (needs PyTorch, transformers, diffusers)

Writes ``tests/data/reference_counts.json`` (counts by ORG/NAME or ORG/NAME/component, and why a config was not built) and
``tests/data/configs.json.gz`` (the configs themselves, long lists of unquantized modules cut), so that the tests need no PyTorch.
"""

import argparse
import gzip
import json
from pathlib import Path
from typing import Any

import torch
import transformers
from reference import NotBuilt, build, counts, read_json

DATA = Path(__file__).parent.parent / "tests" / "data"


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configs", type=Path, required=True, help="folder of ORG__NAME folders with published JSON files")
    folder = parser.parse_args().configs
    transformers.logging.set_verbosity_error()
    configs, built, missing = {}, {}, {}
    for path in sorted(folder.rglob("config.json")):
        name = str(path.parent.relative_to(folder)).replace("__", "/", 1)
        config = read_json(path)
        configs[name] = trimmed(config)
        try:
            built[name] = counts(build(config))
            print(name, built[name]["total"], flush=True)
        except NotBuilt as error:
            missing[name] = str(error)
            print(name, "not built:", error, flush=True)
    write(built, missing)
    text = json.dumps(configs, sort_keys=True, separators=(",", ":")).encode()
    (DATA / "configs.json.gz").write_bytes(gzip.compress(text, compresslevel=9, mtime=0))


def trimmed(value: Any) -> Any:
    """Return a config without lists of module names longer than 20, which only a quantizer reads."""
    if isinstance(value, dict):
        return {key: trimmed(item) for key, item in value.items()}
    if isinstance(value, list) and len(value) > 20 and all(isinstance(item, str) and "." in item for item in value):
        return value[:20]
    return value


def write(built: dict[str, dict[str, int]], missing: dict[str, str]) -> None:
    """Write the counts, one model per line, with the versions that made them."""
    import diffusers  # noqa: PLC0415  (slow to import)

    versions = {"transformers": transformers.__version__, "diffusers": diffusers.__version__, "torch": torch.__version__}
    document = {"versions": versions, "counts": built, "not_built": missing}
    text = json.dumps(document, indent=1, sort_keys=True)
    (DATA / "reference_counts.json").write_text(text + "\n")


if __name__ == "__main__":
    main()

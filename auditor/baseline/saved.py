"""A measured baseline as a file, for later audits."""

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from auditor.baseline.model import Baseline
from auditor.baseline.results import read_results
from auditor.errors import Malformed

SCHEMA = "auditor/baseline/1"


def dump(baseline: Baseline) -> str:
    """Return the baseline as the JSON text of its file."""
    return json.dumps({"schema": SCHEMA, **asdict(baseline), "tokens_per_joule": baseline.tokens_per_joule}, indent=2) + "\n"


def load(path: Path, *, watts: float | None = None) -> Baseline:
    """Return the baseline of a file that ``dump`` wrote, or of a benchmark tool's result file.

    Raises NotFound or Malformed with the file's name.
    """
    try:
        document = json.loads(path.read_bytes()) if path.is_file() and path.stat().st_size < 65536 else None
    except (OSError, ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        return read_results(path, watts=watts)
    return _checked(path, document)


def _checked(path: Path, document: dict[str, Any]) -> Baseline:
    values: dict[str, Any] = {}
    for field in fields(Baseline):
        value = document.get(field.name)
        wanted = str if field.type is str or field.type == "str | None" or field.name in {"source", "tool", "model"} else (int, float)
        required = field.name in {"source", "tool", "output_tokens_per_s", "seconds"}
        wrong = value is None if required else False
        if wrong or (value is not None and (isinstance(value, bool) or not isinstance(value, wanted))):
            raise Malformed(f"{path}: {field.name} is {value!r}", "measure the baseline anew with `auditor baseline`")
        values[field.name] = value
    if not values["output_tokens_per_s"] > 0:
        raise Malformed(
            f"{path}: output_tokens_per_s is {values['output_tokens_per_s']}", "measure the baseline anew with `auditor baseline`"
        )
    return Baseline(**values)

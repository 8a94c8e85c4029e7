"""Options into a search for models: what the catalogue calls accelerators, and what each source gives."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from auditor.cli.auditing import open_catalog
from auditor.errors import AuditorError
from auditor.fleet.discover import DiscoverOptions, Found, discover, discover_text
from auditor.fleet.discover.documents import MAX_BYTES
from auditor.fleet.model import FleetModel
from auditor.sources.options import SourceOptions

_STDIN = "-"


def search(sources: Sequence[str], *, server_token: str | None, token: str | None, offline: bool) -> Found:
    """Return the models of all sources, each once; a source that fails is a problem, and the others are searched."""
    catalog = open_catalog(None)
    options = DiscoverOptions(
        source=SourceOptions(token=token, offline=offline),
        accelerators={name: chip.id for chip in catalog.accelerators.values() for name in (chip.id, *chip.aliases)},
        instances={price.instance: (price.accelerator, price.devices) for price in catalog.prices},
        server_token=server_token,
    )
    found = Found.all_of(_one(text, options) for text in sources)
    kept = {(model.target, model.name, model.found): model for model in found.models}
    return Found(tuple(kept.values()), found.problems, found.notes)


def openable(models: Sequence[FleetModel], output: Path | None) -> list[FleetModel]:
    """Return the models with paths that can be opened from where the fleet file will lie."""
    if output is None or output.resolve().parent == Path.cwd():
        return list(models)
    return [replace(model, target=str(Path(model.target).absolute())) if Path(model.target).exists() else model for model in models]


def _one(text: str, options: DiscoverOptions) -> Found:
    try:
        if text == _STDIN:
            return discover_text(sys.stdin.buffer.read(MAX_BYTES + 1), "stdin", options)
        return discover(text, options)
    except AuditorError as error:
        return Found(problems=(str(error),))

"""``auditor audit --changed-since``: models whose files changed, each beside what it was."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from auditor.cli.auditing import workload
from auditor.cli.flags import Load, Screen, Source
from auditor.cli.reading import Reader
from auditor.errors import TargetError
from auditor.facts import Facts
from auditor.gate.base import Base
from auditor.gate.changed import changed_models
from auditor.gate.regressions import regressions
from auditor.inspection import inspect_snapshot
from auditor.inspection.model import Inspection
from auditor.results import Audit
from auditor.sources import SourceOptions


def audited_since(
    revision: str, targets: Sequence[str], source: Source, load: Load, screen: Screen, ask: Callable[[Sequence[Inspection]], Audit]
) -> Audit:
    """Return the audit of every model that changed since ``revision``, below ``targets`` where any are given.

    ``ask`` audits inspections. Raises ConfigError where git cannot answer.
    """
    places = [Path(target).resolve() for target in targets] or [Path.cwd()]
    base = Base(places[0] if places[0].is_dir() else places[0].parent, revision)
    files = [file for file in base.changed() if not targets or any(file.is_relative_to(place) for place in places)]
    models = [_from_here(model) for model in changed_models(files).models]
    screen.terminal.note(f"{len(models)} {'model' if len(models) == 1 else 'models'} changed since {base.commit[:12]}")
    kv_dtype = workload(load).kv_dtype
    reader = Reader(source, screen.terminal, kv_dtype=kv_dtype, places=True, debug=screen.traceback)
    now = ask([reader.inspection(model) for model in models])
    before = ask([_as_it_was(base, model, source, kv_dtype) for model in models])
    compared = (
        replace(new, regressions=regressions(old, new) if old.inspection.facts else ())
        for old, new in zip(before.models, now.models, strict=True)
    )
    return replace(now, models=tuple(compared))


def _from_here(model: str) -> str:
    """Return a path as one would type it here: reports name models by it."""
    path, here = Path(model), Path.cwd().resolve()
    return str(path.relative_to(here)) if path.is_relative_to(here) else model


def _as_it_was(base: Base, model: str, source: Source, kv_dtype: str | None) -> Inspection:
    """Return the model at the base; one without facts where it was not there, or could not be read then either."""
    try:
        snapshot = base.snapshot(model, SourceOptions(offline=True, variant=source.variant))
    except TargetError:
        snapshot = None
    return inspect_snapshot(snapshot, kv_dtype) if snapshot else Inspection(id=model, revision=None, source="", facts=Facts())

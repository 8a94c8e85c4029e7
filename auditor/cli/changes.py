"""``auditor audit --changed-since``: models whose files changed, each beside what it was."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from auditor.cli.auditing import joined, workload
from auditor.cli.flags import Against, Load, Screen, Source, Team
from auditor.cli.fleet_targets import Asked, asked_of_files, jobs
from auditor.cli.reading import Reader
from auditor.errors import TargetError
from auditor.facts import Facts
from auditor.gate.base import Base
from auditor.gate.regressions import regressions
from auditor.inspection import inspect_snapshot
from auditor.inspection.model import Inspection
from auditor.results import Audit
from auditor.sources import SourceOptions

#: Audits inspections against targets, under a workload.
Ask = Callable[[Sequence[Inspection], Against, Load], Audit]


def audited_since(
    revision: str, targets: Sequence[str], source: Source, against: Against, load: Load, team: Team, screen: Screen, ask: Ask
) -> Audit:
    """Return the audit of every model that changed since ``revision``, below ``targets`` where any are given.

    Raises ConfigError where git cannot answer, WorkloadError for a fleet file that makes no sense.
    """
    places = [Path(target).resolve() for target in targets] or [Path.cwd()]
    base = Base(places[0] if places[0].is_dir() else places[0].parent, revision)
    files = [file for file in base.changed() if not targets or any(file.is_relative_to(place) for place in places)]
    wanted, _ = asked_of_files(files, against, load)
    screen.terminal.note(f"{len(wanted)} {'model' if len(wanted) == 1 else 'models'} changed since {base.commit[:12]}")
    for gone in base.gone(files):
        screen.terminal.note(f"{_from_here(gone)} is gone")
    parts = [_compared(job, base, source, screen, ask) for job in jobs(wanted)]
    return joined(parts, against, team) if parts else ask((), against, load)


def _compared(job: Sequence[Asked], base: Base, source: Source, screen: Screen, ask: Ask) -> Audit:
    """Return the audit of models that share their terms, each with what became worse under these."""
    against, load = job[0].against, job[0].load
    kv_dtype = workload(load).kv_dtype
    reader = Reader(source, screen.terminal, kv_dtype=kv_dtype, places=True, debug=screen.traceback)
    now = ask([replace(reader.inspection(_from_here(one.target)), entry=one.entry) for one in job], against, load)
    before = ask([_as_it_was(base, one.target, source, kv_dtype) for one in job], against, load)
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
    return inspect_snapshot(snapshot, kv_dtype, places=True) if snapshot else Inspection(id=model, revision=None, source="", facts=Facts())

"""Audits of saved snapshots by name: what rule tests look at."""

from functools import cache
from pathlib import Path

from auditor.auditing import AuditOptions, audit_model
from auditor.catalog import Catalog
from auditor.catalog.model import Target
from auditor.errors import NotFound
from auditor.inspection import inspect_snapshot
from auditor.inspection.model import Inspection
from auditor.rules.testing import Look, Looker
from auditor.sources import saved
from auditor.workload import Workload

SUFFIX = ".snapshot.json.gz"
#: A date for prices to age by. No rule reads a price, so that any day will do.
_ANY_DAY = "2026-01-01"


def fixture_looker(folder: Path, catalog: Catalog) -> Looker:
    """Return what audits the snapshots of ``folder`` by their file names without ``.snapshot.json.gz``.

    The looker raises NotFound for a name that is not there.
    """

    @cache
    def inspection(name: str) -> Inspection:
        path = folder / f"{name}{SUFFIX}"
        if not path.is_file():
            raise NotFound(f"{path} is not there", f"model: names a file of {folder.name}/ without {SUFFIX}")
        return inspect_snapshot(saved.load(path))

    @cache
    def look(name: str, target: str, workload: Workload) -> Look:
        here = next(one for one in catalog.targets if one.id == target)
        audited = audit_model(inspection(name), catalog, (here,), workload, AuditOptions(), today=_ANY_DAY)
        return Look(audited.rows[0].facts, audited.rows[0].verdict)

    def looker(name: str, target: Target, workload: Workload) -> Look:
        return look(name, target.id, workload)

    return looker

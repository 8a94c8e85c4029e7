"""The two calls that most programs need: ``inspect`` and ``audit``, with everything else by default."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import auditor
from auditor import economics
from auditor.auditing import AuditOptions
from auditor.auditing import audit as run
from auditor.catalog import Catalog, load_catalog
from auditor.errors import WorkloadError
from auditor.inspection import inspect_snapshot
from auditor.inspection.model import Inspection
from auditor.policy.model import Policy
from auditor.policy.run import outcomes
from auditor.report.audit_json import document
from auditor.results import Audit
from auditor.sizing.model import Constraints
from auditor.sources import SourceOptions, open_target
from auditor.workload import Workload


def inspect(
    target: str | Path,
    *,
    revision: str | None = None,
    token: str | None = None,
    offline: bool = False,
    variant: str | None = None,
    kv_dtype: str | None = None,
) -> Inspection:
    """Return what a model's files say: facts with their basis, and the layer census. Nothing is loaded or run.

    ``target`` is whatever ``auditor audit`` takes. Raises TargetError for a model that cannot be read at all; what is
    wrong with some of its files is in ``Inspection.errors``. Raises WorkloadError for a cache type that does not exist.
    """
    options = SourceOptions(revision=revision, token=token, offline=offline, variant=variant)
    return inspect_snapshot(open_target(str(target), options), kv_dtype)


def audit(
    models: Inspection | Iterable[Inspection],
    *,
    today: str,
    on: Sequence[str] = (),
    workload: Workload | Mapping[str, Any] | None = None,
    catalog: Catalog | None = None,
    prices: Mapping[str, float] | None = None,
    devices: int | None = None,
    tensor_parallel: int | None = None,
    policies: Sequence[Policy] = (),
) -> Audit:
    """Return one row per model and target, and what ``policies`` say of each model.

    ``today`` is an ISO date that prices and sources age by. ``on`` names targets as ``--on`` does; all of them for none.
    ``prices`` are USD per device-hour by accelerator id, in place of published ones. Raises WorkloadError for a target
    or a workload that makes no sense, CatalogError where the shipped rules do not load.
    """
    found = (models,) if isinstance(models, Inspection) else tuple(models)
    known = catalog or load_catalog()
    asked = workload if isinstance(workload, Workload) else _workload(workload or {})
    options = AuditOptions(
        constraints=Constraints(devices=devices, tensor_parallel=tensor_parallel),
        money=economics.Money(prices={known.accelerator(name).id: usd for name, usd in (prices or {}).items()}),
    )
    result = run(found, known, known.find_targets(on), asked, options, version=auditor.__version__, today=today)
    if not policies:
        return result
    judged = (replace(model, policy=outcomes(model.inspection, policies, known, asked, options, today=today)) for model in result.models)
    return replace(result, models=tuple(judged))


def _workload(fields: Mapping[str, Any]) -> Workload:
    try:
        return Workload(**fields)
    except TypeError as error:
        raise WorkloadError(f"no such field of a workload: {error}", "see auditor.Workload") from None


def to_json(report: Audit) -> dict[str, Any]:
    """Return an audit as plain JSON values: the document that ``auditor audit -f json`` prints."""
    return document(report)

"""Audits which accelerators a model runs on, on how many devices, how fast, at what price, and what a migration would take.

>>> import auditor
>>> inspection = auditor.inspect("meta-llama/Llama-3.1-8B-Instruct")  # doctest: +SKIP
>>> report = auditor.audit([inspection], on=["h100", "trn2"], today="2026-11-22")  # doctest: +SKIP

Everything named in ``__all__`` keeps its name and meaning; it is imported when it is first used, so that importing
this package costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from auditor.catalog import Catalog, Target, load_catalog
    from auditor.errors import (
        AuditorError,
        CatalogError,
        ConfigError,
        ReportError,
        TargetError,
        WorkloadError,
    )
    from auditor.facts import CATALOGUE, Basis, Facts, Known, Unknown
    from auditor.inspection.model import Inspection
    from auditor.library import audit, inspect, to_json
    from auditor.outcomes import PolicyOutcome
    from auditor.policy.model import Policy
    from auditor.policy.read import read_policy
    from auditor.results import Audit, Cost, Effort, ModelAudit, TargetAudit, WorkItem
    from auditor.rules.model import Finding
    from auditor.sizing.model import Placement, Throughput
    from auditor.workload import Workload

__all__ = [
    "CATALOGUE",
    "Audit",
    "AuditorError",
    "Basis",
    "Catalog",
    "CatalogError",
    "ConfigError",
    "Cost",
    "Effort",
    "Facts",
    "Finding",
    "Inspection",
    "Known",
    "ModelAudit",
    "Placement",
    "Policy",
    "PolicyOutcome",
    "ReportError",
    "Target",
    "TargetAudit",
    "TargetError",
    "Throughput",
    "Unknown",
    "WorkItem",
    "Workload",
    "WorkloadError",
    "__version__",
    "audit",
    "inspect",
    "load_catalog",
    "read_policy",
    "to_json",
]

_HOMES = {
    "auditor.catalog": ("Catalog", "Target", "load_catalog"),
    "auditor.errors": ("AuditorError", "CatalogError", "ConfigError", "ReportError", "TargetError", "WorkloadError"),
    "auditor.facts": ("CATALOGUE", "Basis", "Facts", "Known", "Unknown"),
    "auditor.inspection.model": ("Inspection",),
    "auditor.library": ("audit", "inspect", "to_json"),
    "auditor.outcomes": ("PolicyOutcome",),
    "auditor.policy.model": ("Policy",),
    "auditor.policy.read": ("read_policy",),
    "auditor.results": ("Audit", "Cost", "Effort", "ModelAudit", "TargetAudit", "WorkItem"),
    "auditor.rules.model": ("Finding",),
    "auditor.sizing.model": ("Placement", "Throughput"),
    "auditor.workload": ("Workload",),
}

__version__: str


def __getattr__(name: str) -> Any:
    if name == "__version__":
        # Reading the installed version costs 60 ms, more than everything else that `auditor --help` does: only when asked.
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

        try:
            return version("auditor")
        except PackageNotFoundError:  # a plain checkout on the path, never installed
            return "0+checkout"
    for home, names in _HOMES.items():
        if name in names:
            from importlib import import_module  # noqa: PLC0415

            return getattr(import_module(home), name)
    message = f"module 'auditor' has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted(__all__)

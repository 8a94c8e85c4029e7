"""Options into an audit: the catalogue, the workload and the limits that the command line asked for."""

from collections.abc import Sequence

import auditor
from auditor.audit import AuditOptions
from auditor.audit import audit as run_audit
from auditor.catalog import load_catalog
from auditor.cli import workload_file
from auditor.cli.flags import Against, Load, Money
from auditor.errors import WorkloadError
from auditor.inspection.model import Inspection
from auditor.results import Audit
from auditor.sizing.model import Constraints
from auditor.workload import Workload


def workload(load: Load) -> Workload:
    """Return the workload of file and options; an option beats the file. Raises WorkloadError."""
    given = workload_file.read(load.workload) if load.workload else {}
    names = load.fields().keys() - {"workload"}
    given |= {name: value for name in sorted(names) if (value := getattr(load, name)) is not None}
    return Workload(**given)


def prices(given: Sequence[str]) -> dict[str, float]:
    """Return USD per device-hour by accelerator out of ``ACCELERATOR=USD``. Raises WorkloadError."""
    found = {}
    for text in given:
        name, sign, amount = text.partition("=")
        try:
            found[name] = float(amount)
        except ValueError:
            sign = ""
        if not sign or not name or not 0 < found[name] < 1e6:
            raise WorkloadError(f"--price {text} is no price", "write ACCELERATOR=USD per device-hour, such as h100-sxm=2.50")
    return found


def audited(inspections: Sequence[Inspection], against: Against, load: Load, money: Money, today: str) -> Audit:
    """Return the audit that the options ask for. Raises CatalogError for rules that do not load, WorkloadError for options."""
    asked = workload(load)
    catalog = load_catalog(against.rules or ())
    targets = catalog.find_targets(against.on or ())
    options = AuditOptions(
        constraints=Constraints(devices=against.devices, tensor_parallel=against.tensor_parallel, memory_fraction=against.memory_fraction),
    )
    return run_audit(inspections, catalog, targets, asked, options, version=auditor.__version__, today=today)

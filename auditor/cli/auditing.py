"""Options into an audit: the catalogue, the workload and the limits that the command line asked for."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import auditor
from auditor import workload_file
from auditor.auditing import AuditOptions, plans
from auditor.auditing import audit as run_audit
from auditor.baseline import load as load_baseline
from auditor.catalog import Accelerator, Catalog, load_catalog
from auditor.cli.flags import Against, Config, Demands, Load, Money, Team
from auditor.economics import Money as Terms
from auditor.effort import EffortOptions
from auditor.errors import WorkloadError
from auditor.gate.ignoring import ignoring
from auditor.inspection.model import Inspection
from auditor.policy.model import Policy
from auditor.policy.run import outcomes, read_policies
from auditor.results import Audit, ModelAudit
from auditor.sizing.model import Constraints
from auditor.waivers import Waiver
from auditor.workload import Workload


def open_catalog(rules: Sequence[Path] | None) -> Catalog:
    """Return the shipped catalogue with the user's rules added. What was read is kept in the user's cache folder."""
    return load_catalog(rules or (), cache=cache_folder())


def rule_packs(against: Against, team: Team) -> tuple[Path, ...]:
    """Return the files and folders to add to the shipped rules: packs, and the team's own effort figures."""
    return (*(against.rules or ()), *([team.effort] if team.effort else ()))


def cache_folder() -> Path:
    """Return where what was read of rules/ may be kept."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "auditor"


def audited(
    inspections: Sequence[Inspection],
    against: Against,
    load: Load,
    money: Money,
    team: Team,
    today: str,
    config: Config,
    demanded: Sequence[Policy] = (),
    draft: Inspection | None = None,
) -> Audit:
    """Return the audit that the options ask for, checked against policies, with findings that the settings ignore marked as such.

    ``draft`` is a draft model that is served beside each of them.

    Raises CatalogError for rules that do not load, WorkloadError for options, ConfigError for settings.
    """
    asked = workload(load)
    ignores = ignored(config, today)
    catalog = open_catalog(rule_packs(against, team))
    targets = catalog.find_targets(against.on or ())
    options = replace(
        audit_options(money, team, catalog),
        constraints=Constraints(devices=against.devices, tensor_parallel=against.tensor_parallel, memory_fraction=against.memory_fraction),
        draft=draft,
        alternatives=against.alternatives,
    )
    result = run_audit(inspections, catalog, targets, asked, options, version=auditor.__version__, today=today)
    if demanded:
        models = (
            replace(model, policy=outcomes(model.inspection, demanded, catalog, asked, options, ignores=ignores, today=today))
            for model in result.models
        )
        result = replace(result, models=tuple(models))
    return ignoring(result, ignores, catalog)


def joined(parts: Sequence[Audit], against: Against, team: Team) -> Audit:
    """Return several audits of one day as one."""
    if len(parts) == 1:
        return parts[0]
    models = tuple(model for part in parts for model in part.models)
    return replace(parts[0], models=models, plans=plans(models, open_catalog(rule_packs(against, team))))


def checked(
    inspections: Sequence[Inspection],
    against: Against,
    load: Load,
    money: Money,
    team: Team,
    today: str,
    config: Config,
    demanded: Sequence[Policy],
) -> Audit:
    """Return what policies say of models, as an audit without rows. Raises CatalogError, WorkloadError and ConfigError."""
    asked, ignores = workload(load), ignored(config, today)
    catalog = open_catalog(rule_packs(against, team))
    options = audit_options(money, team, catalog)
    models = (
        ModelAudit(one, asked, {}, (), outcomes(one, demanded, catalog, asked, options, ignores=ignores, today=today))
        for one in inspections
    )
    return Audit(auditor.__version__, catalog.digest, today, tuple(models))


def policies(demands: Demands, config: Config, today: str) -> tuple[Policy, ...]:
    """Return the policies that options or settings name. Raises CatalogError, and ConfigError for what has expired."""
    ignored(config, today)
    return read_policies(demands.policy or (), today)


def audit_options(money: Money, team: Team, catalog: Catalog) -> AuditOptions:
    """Return the options of an audit that are about money and people."""
    return AuditOptions(
        effort=EffortOptions(experience=team.experience, ai_assist=team.ai_assist, regulated=team.regulated),
        money=terms(money, catalog),
        baseline=load_baseline(money.baseline) if money.baseline else None,
    )


def terms(money: Money, catalog: Catalog) -> Terms:
    """Return how prices are chosen and what people cost. Raises WorkloadError."""
    return Terms(
        prices=prices(money.price or (), catalog),
        term=money.price_term,
        weekly_rate=money.weekly_rate,
        people=money.people,
        horizon_months=money.horizon_months,
    )


def ignored(config: Config, today: str) -> tuple[Waiver, ...]:
    """Return the findings that the settings ignore. Raises ConfigError where one of them has expired."""
    if config.found is None:
        return ()
    config.found.check_day(today)
    return config.found.ignores


def workload(load: Load) -> Workload:
    """Return the workload of settings, file and options; each beats those before it. Raises WorkloadError."""
    return Workload(**{**load.configured, **asked_workload(load)})


def asked_workload(load: Load) -> dict[str, Any]:
    """Return the fields that workload file and options give. Raises WorkloadError."""
    given = workload_file.read(load.workload) if load.workload else {}
    names = load.fields().keys() - {"workload"}
    return {**given, **{name: value for name in sorted(names) if (value := getattr(load, name)) is not None}}


def prices(given: Sequence[str], catalog: Catalog) -> dict[str, float]:
    """Return USD per device-hour by accelerator id out of ``ACCELERATOR=USD``. Raises WorkloadError."""
    found: dict[str, float] = {}
    for text in given:
        name, _, amount = text.partition("=")
        try:
            usd = float(amount)
        except ValueError:
            usd = 0.0
        if not 0 < usd < 1e6:
            raise WorkloadError(f"--price {text} is no price", "write ACCELERATOR=USD per device-hour, such as h100=2.50")
        found |= {chip.id: usd for chip in chips(name.strip(), catalog)}
    return found


def chips(name: str, catalog: Catalog) -> list[Accelerator]:
    """Return the accelerators that an id, an alias or a family names. Raises WorkloadError for a name of none."""
    found = [chip for chip in catalog.accelerators.values() if name.lower() in (chip.id, chip.family, *chip.aliases)]
    return found or [catalog.accelerator(name)]

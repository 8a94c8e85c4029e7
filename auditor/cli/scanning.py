"""Options into a scan: everything that is the same for all models of a fleet."""

import auditor
from auditor.auditing import AuditOptions
from auditor.cli.auditing import asked_workload, cache_folder, open_catalog, rule_packs, terms
from auditor.cli.flags import Against, Load, Money, Source, Team
from auditor.cli.fleet_targets import money_of, targets_of
from auditor.effort import EffortOptions
from auditor.fleet.model import Fleet
from auditor.fleet.one import Context, ScanRules
from auditor.sizing.model import Constraints
from auditor.sources.options import SourceOptions


def fleet_context(
    fleet: Fleet, against: Against, load: Load, money: Money, team: Team, source: Source, today: str, *, fast: bool
) -> Context:
    """Return what every model is audited with; an option beats the workload file, which beats the fleet file's defaults.

    Settings come last. Raises CatalogError for rules that do not load, WorkloadError for options.
    """
    packs = rule_packs(against, team)
    catalog = open_catalog(packs)
    rules = ScanRules(
        targets=tuple(targets_of(against, fleet.on) or ()),
        defaults={**load.configured, **fleet.defaults, **asked_workload(load)},
        options=AuditOptions(
            constraints=Constraints(
                devices=against.devices, tensor_parallel=against.tensor_parallel, memory_fraction=against.memory_fraction
            ),
            effort=EffortOptions(experience=team.experience, ai_assist=team.ai_assist, regulated=team.regulated),
            money=terms(money_of(money, fleet.prices), catalog),
        ),
        source=SourceOptions(revision=source.revision, token=source.token, offline=source.offline, variant=source.variant, fast=fast),
        today=today,
        version=auditor.__version__,
        packs=packs,
        cache=cache_folder(),
    )
    return Context(rules, catalog, catalog.find_targets(rules.targets))

"""Fleet files as targets: each of their models with the workload that the file states; options still go first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from auditor.cli.flags import Against, Load, Money
from auditor.gate.changed import FLEET_FILES, changed_models
from auditor.inspection.model import Origin


@dataclass(frozen=True, slots=True)
class Asked:
    """One model, and what it is to be audited against."""

    target: str
    against: Against
    load: Load
    entry: Origin | None = None
    """The line of the fleet file that names it."""
    prices: Mapping[str, float] = field(default_factory=dict)
    """What the fleet file says that the team pays."""

    @property
    def terms(self) -> tuple[list[str] | None, dict[str, object], Mapping[str, float]]:
        """What models must have in common to be audited together."""
        return self.against.on, dict(self.load.configured), self.prices


def has_fleet(targets: Sequence[str]) -> bool:
    """Return whether one of the targets is a fleet file."""
    return any(text.endswith((".yaml", ".yml")) and Path(text).is_file() for text in targets)


def asked(targets: Sequence[str], against: Against, load: Load) -> list[Asked]:
    """Return the models of all targets, in order. Raises WorkloadError for a fleet file that makes no sense."""
    found: list[Asked] = []
    for text in targets:
        if not text.endswith(FLEET_FILES):
            found.append(Asked(text, against, load))
            continue
        from auditor.fleet.file import read_fleet  # noqa: PLC0415  # the validator of schemas: only where there is such a file

        fleet = read_fleet(Path(text))
        aims = Against(**{**vars(against), "on": targets_of(against, fleet.on)})
        for model in fleet.models:
            stated = {**load.configured, **fleet.defaults, **model.workload}
            own = Load(**{**vars(load), "configured": stated})
            found.append(Asked(model.target, aims, own, Origin(text, line=model.line), fleet.prices))
    return found


def asked_of_files(files: Iterable[Path], against: Against, load: Load) -> tuple[list[Asked], int]:
    """Return the models that changed files belong to, each once, and how many models of fleet files among them do not lie here.

    A model that a changed fleet file names is asked about with the workload that stands there. Raises WorkloadError.
    """
    changed = changed_models(files)
    listed = asked(changed.fleets, against, load)
    here = [one for one in listed if Path(one.target).exists()]
    models = {Path(one.target).resolve(): one for one in asked(changed.models, against, load)}
    models |= {Path(one.target).resolve(): one for one in here}
    return list(models.values()), len(listed) - len(here)


def targets_of(against: Against, listed: Sequence[str]) -> list[str] | None:
    """Return the targets that hold for a fleet file which lists some: an option goes before them, the settings come after."""
    asked_for = None if "on" in against.settled else against.on
    return asked_for or list(listed) or against.on


def money_of(money: Money, listed: Mapping[str, float]) -> Money:
    """Return the terms that hold for a fleet file with prices: an option goes before them, the settings come after."""
    own = [f"{name}={usd}" for name, usd in listed.items()]
    asked_for = money.price or []
    return Money(**{**vars(money), "price": [*asked_for, *own] if "price" in money.settled else [*own, *asked_for]})


def jobs(models: Sequence[Asked]) -> list[list[Asked]]:
    """Return the models with neighbours of the same terms together."""
    return [list(some) for _, some in groupby(models, key=lambda one: one.terms)]

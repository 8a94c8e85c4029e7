"""Fleet files as targets: each of their models with the workload that the file states; options still go first."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from auditor.cli.flags import Against, Load

Job = tuple[list[str], Against, Load]


def has_fleet(targets: Sequence[str]) -> bool:
    """Return whether one of the targets is a fleet file."""
    return any(text.endswith((".yaml", ".yml")) and Path(text).is_file() for text in targets)


def jobs(targets: Sequence[str], against: Against, load: Load) -> list[Job]:
    """Return the models of all targets in order, neighbours with one workload together. Raises WorkloadError."""
    from auditor.fleet.file import is_fleet_file, read_fleet  # noqa: PLC0415  # only where there is such a file

    single: list[tuple[str, Against, Load]] = []
    for text in targets:
        if not is_fleet_file(Path(text)):
            single.append((text, against, load))
            continue
        fleet = read_fleet(Path(text))
        aims = Against(**{**vars(against), "on": against.on or list(fleet.on) or None})
        for model in fleet.models:
            stated = {**load.configured, **fleet.defaults, **model.workload}
            single.append((model.target, aims, Load(**{**vars(load), "configured": stated})))
    grouped = groupby(single, key=lambda one: (one[1].on, dict(one[2].configured)))
    return [([one[0] for one in some], some[0][1], some[0][2]) for _, group in grouped if (some := list(group))]

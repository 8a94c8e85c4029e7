"""Migration plans of a scanned fleet: which models share their work is asked of the store, the order is made of those groups."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from auditor.catalog.effort import EffortModel
from auditor.fleet.store import Store
from auditor.planning import Group, Plan, Work, plan, work
from auditor.results import WorkItem
from auditor.sizing.model import Range


@dataclass(frozen=True, slots=True)
class Named:
    """An entry of a scan: which model it is, and what the plan calls it."""

    identity: str
    name: str


def plans(store: Store, scan: int, entries: Mapping[int, Named], targets: Sequence[str], effort: EffortModel) -> dict[str, Plan]:
    """Return the plan of every one of ``targets`` that at least one model can move to; ``entries`` are those of the scan by position.

    A model that is served several times moves once, with the largest work that any of its workloads asks for.
    """
    rows = store.query(
        """select a.accelerator || '/' || a.stack target, a.work_key, max(a.weeks_likely) largest,
                  list(e.position order by e.position) positions
           from entries e join audits a using (audit_key)
           where e.scan = ? and a.weeks_likely > 0 and a.accelerator || '/' || a.stack in (select unnest(?))
           group by 1, 2 order by largest desc, 1, 2""",
        [scan, list(targets)],
    )
    works = _works(store, effort)
    first: dict[str, int] = {}
    same = {at: first.setdefault(entry.identity, at) for at, entry in sorted(entries.items())}
    groups: dict[str, list[Group]] = {}
    moved: dict[str, set[int]] = {}
    for row in rows:
        target = row["target"]
        taken = moved.setdefault(target, set())
        here = [at for at in dict.fromkeys(same[at] for at in row["positions"]) if at not in taken]
        taken.update(here)
        if here:
            groups.setdefault(target, []).append(Group(tuple(entries[at].name for at in here), *works[row["work_key"]]))
    return {target: plan(effort, found) for target, found in groups.items()}


def _works(store: Store, effort: EffortModel) -> dict[str, tuple[str, str, Work]]:
    """Return architecture, shape and work by key. Works that differ in their shapes alone have their items in common."""
    made: dict[str, Work] = {}
    found = {}
    for row in store.query("select * from works"):
        text = row["items"]
        if text not in made:
            made[text] = work(effort, [_item(item) for item in json.loads(text)])
        found[row["work_key"]] = row["architecture_key"], row["shape_key"], made[text]
    return found


def _item(raw: dict[str, Any]) -> WorkItem:
    return WorkItem(raw["item"], raw["name"], raw["scope"], raw["scope_key"], Range(*raw["weeks"]), raw["grade"], ())

"""What a reader sees first: rows in groups, the best of a family, and the findings that decided each row."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from auditor.results import TargetAudit
from auditor.rules.model import Finding

#: More rows than this in one report are folded: the best of each family, and of those the best few of a vendor's stack.
ROWS_ON_A_SCREEN = 12
_FAMILIES_OF_A_VENDOR = 3
_OUT_OF_REACH = ("captive", "unreleased")


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one kind, best first. ``folded`` counts rows left out for a better one of the same family."""

    key: str
    title: str
    rows: tuple[TargetAudit, ...]
    folded: int = 0


@dataclass(frozen=True, slots=True)
class Reason:
    """One finding, and every row that it decided."""

    finding: Finding
    rows: tuple[TargetAudit, ...]


_TITLES = {
    "native": "Runs as is",
    "config-change": "Needs a configuration change",
    "needs-port": "Needs a port",
    "unknown": "Cannot be told yet",
    "blocked": "Blocked",
    "out-of-reach": "Cannot be had",
}


def group_of(row: TargetAudit) -> str:
    """Return the key of the group that ``row`` belongs to."""
    return "out-of-reach" if row.availability in _OUT_OF_REACH else row.verdict


def groups(rows: Sequence[TargetAudit], *, everything: bool) -> list[Group]:
    """Return the rows in groups, from what runs to what cannot be had, the cheapest first in each."""
    fold = not everything and len(rows) > ROWS_ON_A_SCREEN
    result = []
    for key, title in _TITLES.items():
        mine = sorted((row for row in rows if group_of(row) == key), key=_merit)
        shown = best_of_families(mine) if fold and key not in {"blocked", "out-of-reach"} else mine
        if mine:
            result.append(Group(key, title, tuple(shown), len(mine) - len(shown)))
    return result


def best_of_families(rows: Iterable[TargetAudit]) -> list[TargetAudit]:
    """Return the first row of each accelerator family and stack, at most three for one vendor and stack."""
    families: set[tuple[str, str]] = set()
    shown: Counter[tuple[str, str]] = Counter()
    best = []
    for row in rows:
        chip, stack = row.target.accelerator, row.target.stack
        if (chip.family, stack.id) in families or shown[chip.vendor, stack.id] == _FAMILIES_OF_A_VENDOR:
            continue
        families.add((chip.family, stack.id))
        shown[chip.vendor, stack.id] += 1
        best.append(row)
    return best


def _merit(row: TargetAudit) -> tuple[float, float, int, str]:
    price = row.cost.usd_per_million_tokens
    return (
        price.likely if price else float("inf"),
        row.cost.usd_per_hour if row.cost.usd_per_hour is not None else float("inf"),
        row.placement.devices if row.placement else 1 << 30,
        row.target.id,
    )


def deciding(row: TargetAudit) -> list[Finding]:
    """Return the findings that made the row's verdict; of a native row, those whose claim is not a firm one."""
    worst = row.at_least if row.verdict == "unknown" else row.verdict
    return [f for f in row.findings if f.verdict == worst and (worst != "native" or f.confidence == "low")]


def telling(row: TargetAudit) -> list[Finding]:
    """Return every finding but firm claims that the target serves the model."""
    return [f for f in row.findings if f.verdict != "native" or f.confidence == "low"]


def reasons(rows: Iterable[TargetAudit], *, everything: bool = False) -> list[Reason]:
    """Return the deciding (or all telling) findings, the same rule with the same words once, in the rows' order."""
    seen: dict[tuple[str, str], tuple[Finding, list[TargetAudit]]] = {}
    for row in rows:
        for finding in telling(row) if everything else deciding(row):
            seen.setdefault((finding.rule, finding.message), (finding, []))[1].append(row)
    return [Reason(finding, tuple(found)) for finding, found in seen.values()]


def names(rows: Iterable[TargetAudit]) -> str:
    """Return targets by stack: ``h100-sxm, h200-sxm with vllm-cuda; trainium2 with neuron-vllm``."""
    stacks: dict[str, list[str]] = {}
    for row in rows:
        stacks.setdefault(row.target.stack.id, []).append(row.target.accelerator.id)
    return "; ".join(f"{', '.join(dict.fromkeys(chips))} with {stack}" for stack, chips in stacks.items())


def briefly(row: TargetAudit) -> str:
    """Return the same as ``why``, without what is this one target's."""
    found = deciding(row)
    return found[0].title if found and found[0].title else why(row)


def why(row: TargetAudit) -> str:
    """Return the one sentence that explains a row on which nothing runs."""
    accelerator = row.target.accelerator
    if row.availability in _OUT_OF_REACH:
        return accelerator.availability_note or f"{row.availability}: not for sale or rent"
    if row.no_placement and not any(f.verdict == "blocked" for f in row.findings):
        return row.no_placement.reason
    found = deciding(row)
    return found[0].message if found else "no reason recorded"


def open_questions(row: TargetAudit) -> str:
    """Return what would settle an unknown verdict; empty for a known one."""
    if row.verdict != "unknown":
        return ""
    names = row.settled_by or (row.no_placement.settled_by if row.no_placement else ())
    start = f"at least {row.at_least}; " if row.at_least and row.at_least != "native" else ""
    if names:
        return f"{start}settled by {', '.join(names)}"
    return f"{start}{row.no_placement.reason}" if row.no_placement else f"{start}no support list names it"

"""What a reader sees first: rows in groups, the best of a family, and the findings that decided each row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from auditor.report.words import listed
from auditor.results import TargetAudit
from auditor.rules.model import Finding

#: More rows than this in one report are folded to the best of each accelerator family.
ROWS_ON_A_SCREEN = 12
#: Groups that advice is about: what is blocked or cannot be had needs none.
ADVISED = ("native", "config-change", "needs-port")
#: How the ids of rules begin that say what to do with a row.
_DECISION = "decision-"
_OUT_OF_REACH = ("captive", "unreleased")


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one kind, best first."""

    key: str
    title: str
    rows: tuple[TargetAudit, ...]


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


def groups(rows: Sequence[TargetAudit], today: str) -> list[Group]:
    """Return the rows in groups, from what runs to what cannot be had, the cheapest first in each.

    ``today`` is the stack in use: among equals its row goes first.
    """
    result = []
    for key, title in _TITLES.items():
        mine = sorted((row for row in rows if group_of(row) == key), key=lambda row: _merit(row, today))
        if mine:
            result.append(Group(key, title, tuple(mine)))
    return result


def folded(rows: Sequence[TargetAudit], today: str) -> list[TargetAudit]:
    """Return the best row of each accelerator family: the best verdict, then the stack in use, then the lowest price.

    A report that fits a screen is returned as it is.
    """
    if len(rows) <= ROWS_ON_A_SCREEN:
        return list(rows)
    best: dict[str, TargetAudit] = {}
    for row in best_first(rows, today):
        # What cannot be had takes no line of its own, so that every one of it can be named.
        chip = row.target.accelerator
        best.setdefault(chip.id if group_of(row) == "out-of-reach" else chip.family, row)
    return list(best.values())


def best_first(rows: Sequence[TargetAudit], today: str) -> list[TargetAudit]:
    """Return the rows by verdict, then the stack in use, then the price."""
    order = list(_TITLES)
    return sorted(rows, key=lambda row: (order.index(group_of(row)), row.target.stack.id != today, _merit(row, today)))


def _merit(row: TargetAudit, today: str) -> tuple[float, float, int, float, bool, str]:
    price = row.cost.usd_per_million_tokens
    return (
        price.likely if price else float("inf"),
        row.cost.usd_per_hour if row.cost.usd_per_hour is not None else float("inf"),
        row.placement.devices if row.placement else 1 << 30,
        row.effort.weeks.likely if row.effort.weeks else float("inf"),
        row.target.stack.id != today,
        row.target.id,
    )


def deciding(row: TargetAudit) -> list[Finding]:
    """Return the findings that made the row's verdict; of a native row, those whose claim is not a firm one."""
    worst = row.at_least if row.verdict == "unknown" else row.verdict
    return [f for f in row.findings if f.verdict == worst and (worst != "native" or f.confidence == "low")]


def telling(row: TargetAudit) -> list[Finding]:
    """Return every finding but firm claims that the target serves the model, and advice."""
    return [f for f in row.findings if (f.verdict != "native" or f.confidence == "low") and not f.rule.startswith(_DECISION)]


def notes(row: TargetAudit) -> list[Finding]:
    """Return the findings that are worth knowing and change no verdict."""
    return [finding for finding in telling(row) if finding.verdict == "note"]


def reasons(rows: Iterable[TargetAudit], *, everything: bool = False) -> list[Reason]:
    """Return the deciding (or all telling) findings, the same rule with the same words once, in the rows' order."""
    seen: dict[tuple[str, str], tuple[Finding, list[TargetAudit]]] = {}
    for row in rows:
        for finding in telling(row) if everything else deciding(row):
            seen.setdefault((finding.rule, finding.message), (finding, []))[1].append(row)
    return [Reason(finding, tuple(found)) for finding, found in seen.values()]


def advice(rows: Iterable[TargetAudit]) -> list[Reason]:
    """Return what the rules of ``rules/decisions`` advise, each once, about chips that can be had."""
    seen: dict[str, tuple[Finding, list[TargetAudit]]] = {}
    for row in rows:
        for finding in row.findings:
            if finding.rule.startswith(_DECISION) and group_of(row) in ADVISED:
                seen.setdefault(finding.rule, (finding, []))[1].append(row)
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


def open_questions(row: TargetAudit, *, briefly: bool = False) -> str:
    """Return what would settle an unknown verdict; empty for a known one."""
    if row.verdict != "unknown":
        return ""
    asked = row.settled_by or (row.no_placement.settled_by if row.no_placement else ())
    start = f"at least {row.at_least}; " if row.at_least and row.at_least != "native" else ""
    if asked:
        return f"{start}settled by {listed(asked, 2 if briefly else len(asked))}"
    return f"{start}{row.no_placement.reason}" if row.no_placement else f"{start}no support list names it"


def rented(row: TargetAudit) -> tuple[int, str]:
    """Return how many of what is rented: machines, or devices where those are sold one by one; 0 where it is not known."""
    place = row.placement
    if place is None or not place.instance:
        return 0, ""
    offers = row.target.accelerator.instances
    one_by_one = any(one.sold_per_device for one in offers if (one.provider, one.name) == (place.provider, place.instance))
    return (place.billed_devices if one_by_one else place.instances), place.instance

"""What became worse between two audits of one model, and which facts it is down to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.facts import CATALOGUE, Facts, Known
from auditor.inspection.model import Inspection
from auditor.outcomes import Regression
from auditor.results import ModelAudit, TargetAudit
from auditor.rules.verdict import ORDER
from auditor.units import human_bytes

#: A verdict that is no longer known is worse than a good one, and no worse than a port.
_RANK = {**{verdict: rank * 2 for rank, verdict in enumerate(ORDER)}, "unknown": 3}
_NOT_THE_MODEL = ("stack.", "accelerator.", "fit.", "row.", "audit.")
_OF_SIZE = ("weights.bytes", "kv_cache.bytes", "quant.method")


@dataclass(frozen=True, slots=True)
class _Cause:
    """The facts that differ, and how, in words."""

    facts: tuple[str, ...]
    words: str


def regressions(before: ModelAudit, now: ModelAudit) -> tuple[Regression, ...]:
    """Return what is worse ``now``: verdicts, more devices under the same verdict, and rules of policies no longer met."""
    earlier = {row.target.id: row for row in before.rows}
    chips = [row.target.accelerator.id for row in now.rows]
    found: list[Regression] = []
    for row in now.rows:
        if row.target.id in earlier:
            called = _called(row, alone=chips.count(row.target.accelerator.id) == 1)
            found += _of_row(earlier[row.target.id], row, called, _Compared(before.inspection, now.inspection))
    met = {(one.policy, one.rule) for one in before.policy if one.state in {"met", "not-applicable"}}
    for outcome in now.policy:
        if outcome.state == "violated" and (outcome.policy, outcome.rule) in met:
            cause = _Compared(before.inspection, now.inspection).cause(before.inspection.facts, now.inspection.facts, outcome.evidence)
            words = cause.words or outcome.message
            found.append(Regression("policy", outcome.rule, outcome.rule, "met", "violated", words, cause.facts))
    return tuple(found)


def _called(row: TargetAudit, *, alone: bool) -> str:
    """Return what people call a row: the accelerator without its vendor, and the stack where the accelerator has others."""
    chip = row.target.accelerator
    vendor, _, rest = chip.name.partition(" ")
    name = rest if rest and vendor.lower() == chip.vendor.lower() else chip.name
    return name if alone else f"{name} with {row.target.stack.name}"


def _of_row(before: TargetAudit, now: TargetAudit, called: str, compared: "_Compared") -> Iterator[Regression]:
    if _RANK[now.verdict] > _RANK[before.verdict]:
        worst = now.at_least if now.verdict == "unknown" else now.verdict
        deciding = [finding for finding in now.findings if finding.verdict == worst]
        reads = [name for finding in deciding for name in finding.evidence]
        cause = compared.cause(before.facts, now.facts, [*reads, *now.settled_by])
        words = cause.words or next((one.message for one in deciding), now.no_placement.reason if now.no_placement else "")
        yield Regression("verdict", now.target.id, called, before.verdict, now.verdict, words, cause.facts)
    elif before.placement and now.placement and now.placement.devices > before.placement.devices:
        cause = compared.cause(before.facts, now.facts, _OF_SIZE)
        devices = str(before.placement.devices), str(now.placement.devices)
        yield Regression("devices", now.target.id, called, *devices, cause.words, cause.facts)


@dataclass(frozen=True, slots=True)
class _Compared:
    """The two states of a model, and where their facts stand in its files."""

    before: Inspection
    now: Inspection

    def cause(self, before: Facts, now: Facts, names: Iterable[str]) -> _Cause:
        """Return which of the facts differ, and how: ``quant_method became gptq``.

        What the model's own files say comes alone where it differs: what the stack makes of it follows from that.
        """
        pairs = {name: (_shown(before, name), _shown(now, name)) for name in dict.fromkeys(names)}
        differing = [name for name, (old, new) in pairs.items() if old != new and not name.endswith("_note")]
        own = [name for name in differing if not name.startswith(_NOT_THE_MODEL)]
        known = [name for name in own if isinstance(now.get(name), Known)]
        telling = tuple(known or own or differing)
        return _Cause(telling, "; ".join(f"{self._key(name)} became {_change(*pairs[name])}" for name in telling))

    def _key(self, name: str) -> str:
        """Return the key that states a fact, as it stands in the file; the fact's own name where it follows from several."""
        origins = (self.now.origins.get(name), self.before.origins.get(name))
        return next((one.keys[-1] for one in origins if one is not None and one.stated), name)


def _change(before: str, now: str) -> str:
    return now if before == "none" else f"{now} (was {before})"


def _shown(facts: Facts, name: str) -> str:
    fact = facts.get(name)
    if fact is None:
        return "none"
    if not isinstance(fact, Known):
        return "unknown"
    if isinstance(fact.value, tuple):
        return ", ".join(map(str, fact.value))
    spec = CATALOGUE.get(name)
    return human_bytes(fact.value) if isinstance(fact.value, int | float) and spec and spec.unit == "bytes" else str(fact.value)

"""What became worse between two audits of one model, and which facts it is down to."""

from collections.abc import Iterator

from auditor.facts import Facts, Known
from auditor.outcomes import Regression
from auditor.results import ModelAudit, TargetAudit
from auditor.rules.verdict import ORDER

#: A verdict that is no longer known is worse than a good one, and no worse than a port.
_RANK = {**{verdict: rank * 2 for rank, verdict in enumerate(ORDER)}, "unknown": 3}
_NOT_THE_MODEL = ("stack.", "accelerator.", "fit.", "row.", "audit.")


def regressions(before: ModelAudit, now: ModelAudit) -> tuple[Regression, ...]:
    """Return what is worse ``now``: verdicts, more devices under the same verdict, and rules of policies no longer met."""
    earlier = {row.target.id: row for row in before.rows}
    found = [one for row in now.rows if row.target.id in earlier for one in _of_row(earlier[row.target.id], row)]
    met = {(one.policy, one.rule) for one in before.policy if one.state in {"met", "not-applicable"}}
    for outcome in now.policy:
        if outcome.state == "violated" and (outcome.policy, outcome.rule) in met:
            cause = _changes(before.inspection.facts, now.inspection.facts, tuple(outcome.evidence))
            found.append(Regression("policy", outcome.rule, "met", "violated", cause or outcome.message))
    return tuple(found)


def _of_row(before: TargetAudit, now: TargetAudit) -> Iterator[Regression]:
    if _RANK[now.verdict] > _RANK[before.verdict]:
        worst = now.at_least if now.verdict == "unknown" else now.verdict
        deciding = [finding for finding in now.findings if finding.verdict == worst]
        reads = tuple(name for finding in deciding for name in finding.evidence) + now.settled_by
        cause = _changes(before.facts, now.facts, reads)
        if not cause:
            cause = next((finding.message for finding in deciding), now.no_placement.reason if now.no_placement else "")
        yield Regression("verdict", now.target.id, before.verdict, now.verdict, cause)
    elif before.placement and now.placement and now.placement.devices > before.placement.devices:
        cause = _changes(before.facts, now.facts, ("weights.bytes", "kv_cache.bytes", "quant.method"))
        yield Regression("devices", now.target.id, str(before.placement.devices), str(now.placement.devices), cause)


def _changes(before: Facts, now: Facts, names: tuple[str, ...]) -> str:
    """Return which of the facts differ, and how: ``quant.method: none became gptq``.

    What the model's own files say comes alone where it differs: what the stack makes of it follows from that.
    """
    differing = {
        name: f"{name}: {_shown(before, name)} became {_shown(now, name)}"
        for name in dict.fromkeys(names)
        if _shown(before, name) != _shown(now, name) and not name.endswith("_note")
    }
    own = {name: text for name, text in differing.items() if not name.startswith(_NOT_THE_MODEL)}
    known = [text for name, text in own.items() if isinstance(now.get(name), Known)]
    return "; ".join(known or own.values() or differing.values())


def _shown(facts: Facts, name: str) -> str:
    fact = facts.get(name)
    if fact is None:
        return "none"
    if not isinstance(fact, Known):
        return "unknown"
    return ", ".join(map(str, fact.value)) if isinstance(fact.value, tuple) else str(fact.value)

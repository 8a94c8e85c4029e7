"""The verdict of a model on a target: the worst that fired, unless something undecided might be worse still."""

from dataclasses import dataclass

from auditor.rules.evaluate import Evaluation

#: From best to worst. ``note`` and ``unknown`` findings have no place in the order.
ORDER = ("native", "config-change", "needs-port", "blocked")
UNKNOWN = "unknown"
_RANK = {verdict: rank for rank, verdict in enumerate(ORDER)}
#: Verdicts that claim the stack serves the architecture, which must rest on an entry of its support list.
_NEEDS_EVIDENCE = ("native", "config-change")
_NO_EVIDENCE = "an entry of the stack's support list"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict; for ``unknown`` what it is at least, and what would settle it."""

    verdict: str
    at_least: str | None = None
    settled_by: tuple[str, ...] = ()


def combine(evaluation: Evaluation) -> Verdict:
    """Return the verdict of a whole evaluation.

    Without a finding of verdict ``native`` there is no positive evidence, and neither ``native`` nor ``config-change``.
    """
    fired = [finding.verdict for finding in evaluation.findings if finding.verdict in _RANK]
    worst = max(fired, key=_RANK.__getitem__, default=None)
    rank = _RANK[worst] if worst else 0
    worse = [part for part in evaluation.undecided if _RANK.get(part.verdict, -1) > rank]
    missing = "native" not in fired and (worst is None or worst in _NEEDS_EVIDENCE)
    if worst is not None and not worse and not missing:
        return Verdict(worst)
    settled = [name for part in worse for name in part.settled_by]
    if missing:
        settled += [name for part in evaluation.undecided if part.verdict == "native" for name in part.settled_by]
    return Verdict(UNKNOWN, worst, tuple(dict.fromkeys(settled)) or (_NO_EVIDENCE,))

"""A primary and a fallback on another vendor's stack that both hold the model as it is."""

from collections.abc import Sequence
from dataclasses import dataclass

from auditor.results import TargetAudit


@dataclass(frozen=True, slots=True)
class DualStack:
    """Two targets of different vendors and stacks; either can take over from the other."""

    primary: TargetAudit
    fallback: TargetAudit


def dual_stack(rows: Sequence[TargetAudit]) -> DualStack | None:
    """Return the cheapest open target that serves the model natively, and the cheapest of another vendor and stack.

    Cheapest is by the likely price per million tokens, then by the hour; a target without a price comes last. None where
    fewer than two such targets exist.
    """
    fit = sorted((row for row in rows if _serves(row)), key=_price)
    if not fit:
        return None
    primary = fit[0]
    chip, stack = primary.target.accelerator, primary.target.stack
    others = (row for row in fit if row.target.accelerator.vendor != chip.vendor and row.target.stack.id != stack.id)
    fallback = next(others, None)
    return DualStack(primary, fallback) if fallback else None


def _serves(row: TargetAudit) -> bool:
    evidence = [finding.confidence for finding in row.findings if finding.verdict == "native"]
    firm = any(confidence != "low" for confidence in evidence)
    return row.verdict == "native" and row.availability == "open" and row.placement is not None and firm


def _price(row: TargetAudit) -> tuple[float, float, str]:
    per_token, hourly = row.cost.usd_per_million_tokens, row.cost.usd_per_hour
    return per_token.likely if per_token else float("inf"), hourly if hourly is not None else float("inf"), row.target.id

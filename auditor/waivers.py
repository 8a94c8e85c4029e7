"""Exceptions with a reason and an end: findings that somebody decided to live with, for a while.

They stand in a configuration (``ignore``) and in a policy (``exceptions``), and look the same in both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

KEYS = {
    "rule": "Id of the rule.",
    "model": "Model, or a pattern such as org/*; every model where it is left out.",
    "reason": "Why this is accepted.",
    "until": "Last day on which it holds, YYYY-MM-DD.",
}
REQUIRED = ("rule", "reason", "until")


class WaiverError(ValueError):
    """An exception that makes no sense; ``key`` is the member at fault, empty for the whole."""

    def __init__(self, key: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.key = key
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Waiver:
    """One exception: a rule, the models that it is waived for, why, and until when."""

    rule: str
    model: str
    """A pattern of shell wildcards."""
    reason: str
    until: str
    """ISO date of the last day on which it holds."""
    where: str = ""
    """File (and line) where it stands, for people."""

    def covers(self, rule: str, *names: str) -> bool:
        """Return whether the rule is waived for a model that goes by any of ``names``."""
        return rule == self.rule and any(fnmatchcase(name, self.model) for name in names)

    def expired(self, today: str) -> bool:
        """Return whether its last day lies before ``today``, an ISO date."""
        return self.until < today


def parse_waiver(raw: Mapping[str, Any], where: str) -> Waiver:
    """Return the exception that a mapping states. Raises WaiverError."""
    for key in raw:
        if key not in KEYS:
            raise WaiverError(key, f"'{key}' is not known here", f"known: {', '.join(KEYS)}")
    for key in REQUIRED:
        if key not in raw:
            raise WaiverError("", f"'{key}' is missing", "an exception says which rule, why, and until when")
    for key in ("rule", "model", "reason"):
        if key in raw and (not isinstance(raw[key], str) or not raw[key].strip()):
            raise WaiverError(key, f"{key} is {raw[key]!r}", "write some text")
    return Waiver(raw["rule"], raw.get("model", "*"), raw["reason"].strip(), _day(raw["until"]), where)


def _day(raw: object) -> str:
    try:
        return (raw if type(raw) is date else date.fromisoformat(str(raw))).isoformat()
    except ValueError:
        raise WaiverError("until", f"until is {raw!r}", "write a day as YYYY-MM-DD") from None


def waived(waivers: Sequence[Waiver], rule: str, today: str, *names: str) -> Waiver | None:
    """Return the exception that holds today for the rule and a model that goes by any of ``names``."""
    return next((one for one in waivers if not one.expired(today) and one.covers(rule, *names)), None)

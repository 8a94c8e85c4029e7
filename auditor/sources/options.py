"""What a user can say about where a model comes from."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """Options that every source understands or ignores. The command line fills them, from options and environment."""

    revision: str | None = None
    """Branch, tag or commit; a revision in the target itself (``org/name@rev``) goes first."""
    token: str | None = None
    """Access token of the Hub; None lets the Hub's library look for the one that the user logged in with."""
    offline: bool = False
    """Ask no network: the Hub's cache answers, or nothing does."""
    variant: str | None = None
    fast: bool = False
    """Leave weight headers unread: totals from the index and from file sizes."""
    cache_dir: Path | None = None
    """The Hub's cache; None means where the Hub's library keeps it."""
    endpoint: str | None = None
    """Address of the Hub; None means the library's own setting."""

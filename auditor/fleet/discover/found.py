"""What a search gives, and what it is told beforehand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from auditor.fleet.model import FleetModel
from auditor.sources.options import SourceOptions

#: Models of one source beyond which a search stops, and says so.
MODELS_LIMIT = 100_000


@dataclass(frozen=True, slots=True)
class Found:
    """What one source held."""

    models: tuple[FleetModel, ...] = ()
    problems: tuple[str, ...] = ()
    """One line for each item that could not be read; the others were."""
    notes: tuple[str, ...] = ()
    """What the reader should know of a model, such as that it lies where it cannot be opened from here."""

    @classmethod
    def all_of(cls, parts: "Iterable[Found]") -> Self:
        """Return several finds as one."""
        kept = list(parts)
        return cls(
            tuple(model for part in kept for model in part.models),
            tuple(line for part in kept for line in part.problems),
            tuple(line for part in kept for line in part.notes),
        )


@dataclass(frozen=True, slots=True)
class DiscoverOptions:
    """What a search may use. The command line fills it."""

    source: SourceOptions = field(default_factory=SourceOptions)
    accelerators: Mapping[str, str] = field(default_factory=dict)
    """Id of an accelerator by each of its names."""
    instances: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """Accelerator and devices of a machine, by the name under which a cloud rents it."""
    server_token: str | None = None
    """What servers and registries are shown; the Hub's token goes to the Hub alone."""
    pause: float = 1.0
    """Seconds before a request that failed is sent again; each further wait is twice as long."""

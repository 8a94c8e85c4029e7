"""Numbers that a parameter law needs from a config, with one way to say that they are missing."""

from dataclasses import dataclass, fields
from typing import Any

from auditor.inspection.config import ModelConfig

Flag = bool | str
"""A fixed answer, or the config key that gives it."""


class Missing(Exception):
    """A law needs something that the config does not say: the count is unknown, for this reason."""


def need(config: ModelConfig, *keys: str) -> int:
    """Return a positive integer. Raises Missing."""
    value = config.positive(*keys) if isinstance(config.get(*keys), int | float) else None
    if value is None:
        raise Missing(f"the config does not state {config.prefix}{keys[0]}")
    return value


def given(value: int | None, name: str) -> int:
    """Return ``value``. Raises Missing when it is None."""
    if value is None:
        raise Missing(f"the config does not say what {name} is")
    return value


def number(config: ModelConfig, *keys: str, default: int = 0) -> int:
    """Return an integer, or ``default`` where it is absent or null."""
    value = config.get(*keys)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return default
    return int(value)


def yes(config: ModelConfig, flag: Flag) -> bool:
    """Return the answer of a flag; a key that is absent says no."""
    return config.get(flag) is True if isinstance(flag, str) else flag


def child(config: ModelConfig, *keys: str) -> ModelConfig:
    """Return the first nested config among ``keys``. Raises Missing."""
    for key in keys:
        part = config.part(key)
        if part is not None:
            return part
    raise Missing(f"the config has no {config.prefix}{keys[0]}")


def numbers(value: Any) -> list[int]:
    """Return a list of integers; empty for anything else."""
    if isinstance(value, list | tuple) and all(isinstance(item, int) and not isinstance(item, bool) for item in value):
        return list(value)
    return []


def linear(inputs: int, outputs: int, *, bias: bool = False) -> int:
    """Return the parameters of a matrix with an optional bias."""
    return inputs * outputs + (outputs if bias else 0)


@dataclass(slots=True)
class Parts:
    """Parameters by role, as they are added up."""

    embedding: int = 0
    head: int = 0
    experts: int = 0
    towers: int = 0
    body: int = 0
    mtp: int | None = 0
    """None where the law does not cover the MTP layers that the config announces."""
    tied: bool = False
    """Whether the head multiplies by the embedding."""

    @property
    def total(self) -> int:
        """All parts but MTP layers."""
        return self.embedding + self.head + self.experts + self.towers + self.body

    def add(self, other: "Parts") -> None:
        """Add another model's parts to these."""
        for field in fields(self):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            if isinstance(mine, int) and not isinstance(mine, bool):
                setattr(self, field.name, mine + (theirs or 0))

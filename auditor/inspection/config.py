"""A typed view over a model's own config: raw value first, then the class default, each with its basis.

A value of the wrong type or out of range is recorded once as a problem (one line naming file and key) and reads as missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auditor.facts import Basis
from auditor.inspection.architectures import family_of
from auditor.inspection.defaults import ClassDefaults, defaults_for

_ABSENT = object()
#: No size, width or count of a model comes near it; what does is a slip, and would only cost time and memory.
LARGEST = 2**40


@dataclass(frozen=True, slots=True)
class Problem:
    """A config value that cannot be used."""

    path: str
    key: str
    line: str


class ModelConfig:
    """One config (or a nested part of one) with the defaults of the class that reads it.

    ``path`` is the document it came from, ``prefix`` the dotted keys that lead to a nested part; both only serve messages.
    ``problems`` is shared by all parts of one document.
    """

    __slots__ = ("_defaults", "model_type", "path", "prefix", "problems", "raw")

    def __init__(
        self,
        raw: Mapping[str, Any],
        *,
        model_type: str | None = None,
        path: str = "config.json",
        prefix: str = "",
        problems: list[Problem] | None = None,
        defaults: ClassDefaults | None = None,
    ) -> None:
        self.raw = raw
        stated = raw.get("model_type")
        self.model_type = model_type or (stated if isinstance(stated, str) else "")
        self.path = path
        self.prefix = prefix
        self.problems = problems if problems is not None else []
        found = defaults if defaults is not None else defaults_for(self.model_type)
        extra = family_of(self.model_type).defaults
        self._defaults = (found or ClassDefaults()).overridden(extra) if extra else found

    @property
    def has_class(self) -> bool:
        """Whether a transformers class of this model type, and so its defaults, are known."""
        return self._defaults is not None

    @property
    def has_rope(self) -> bool:
        """Whether the class has rotary positions."""
        return self._defaults is not None and self._defaults.rope

    def find(self, *names: str) -> tuple[Any, Basis | None]:
        """Return the first value among ``names``: stated values first, then the class default; (None, None) when there is neither.

        A stated null counts as stated: the class does not get to fill it in.
        """
        raw = self.raw
        defaults = self._defaults
        stated_null = False
        for name in names:
            value = raw.get(name, _ABSENT)
            if value is _ABSENT and defaults is not None:
                value = raw.get(defaults.alias_of.get(name, ""), _ABSENT)
            if value is None:
                stated_null = True
            elif value is not _ABSENT:
                return value, Basis.CONFIG
        if stated_null or defaults is None:
            return None, None
        for name in names:
            value = defaults.get(name)
            if value is not None:
                return value, Basis.CLASS_DEFAULT
        return None, None

    @property
    def alias_of(self) -> Mapping[str, str]:
        """The class's own names by the standard ones."""
        return self._defaults.alias_of if self._defaults is not None else {}

    def default(self, name: str) -> Any:
        """Return the class's default of ``name``, whatever the file states."""
        return self._defaults.get(name) if self._defaults is not None else None

    def states(self, *names: str) -> bool:
        """Return whether the file itself gives one of ``names`` a value other than null."""
        return any(self.raw.get(name) is not None for name in names)

    def basis(self, *names: str) -> Basis | None:
        """Return where the value of ``find`` comes from."""
        return self.find(*names)[1]

    def get(self, *names: str) -> Any:
        """Return the value as it stands, whatever its type."""
        return self.find(*names)[0]

    def integer(self, *names: str, minimum: int = 0, maximum: int = LARGEST) -> int | None:
        """Return an integer between ``minimum`` and ``maximum``; a wrong one is recorded as a problem and reads as None."""
        value = self.find(*names)[0]
        if value is None:
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= maximum:
            wanted = "a positive integer" if minimum == 1 else f"an integer of at least {minimum}"
            if isinstance(value, int) and value > maximum:
                wanted = f"an integer of at most {maximum:,}"
            self._complain(names, value, wanted)
            return None
        return value

    def positive(self, *names: str, maximum: int = LARGEST) -> int | None:
        """Return an integer of at least 1."""
        return self.integer(*names, minimum=1, maximum=maximum)

    def number(self, *names: str) -> float | None:
        """Return a number."""
        value = self.find(*names)[0]
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._complain(names, value, "a number")
            return None
        return float(value)

    def flag(self, *names: str) -> bool | None:
        """Return a boolean."""
        value = self.find(*names)[0]
        if value is None or isinstance(value, bool):
            return value
        if value in (0, 1):
            return bool(value)
        self._complain(names, value, "true or false")
        return None

    def text(self, *names: str) -> str | None:
        """Return a string."""
        value = self.find(*names)[0]
        if value is None or isinstance(value, str):
            return value
        self._complain(names, value, "a string")
        return None

    def items(self, *names: str) -> tuple[Any, ...] | None:
        """Return a list as a tuple."""
        value = self.find(*names)[0]
        if value is None:
            return None
        if isinstance(value, list | tuple):
            return tuple(value)
        self._complain(names, value, "a list")
        return None

    def table(self, *names: str) -> Mapping[str, Any] | None:
        """Return a JSON object."""
        value = self.find(*names)[0]
        if value is None:
            return None
        if isinstance(value, Mapping):
            return value
        self._complain(names, value, "an object")
        return None

    def part(self, name: str) -> "ModelConfig | None":
        """Return a nested config with the defaults of its own class; None when neither file nor class has one.

        A part that the file leaves out altogether, where the class demands one, is all defaults.
        """
        value = self.raw.get(name)
        spec = self._defaults.parts.get(name) if self._defaults is not None else None
        left_out = value is None
        if value is None:
            if spec is None or spec.optional:
                return None
            value = {}
        if not isinstance(value, Mapping):
            self._complain((name,), value, "an object")
            return None
        stated = value.get("model_type")
        model_type = stated if isinstance(stated, str) else ""
        if spec is not None and (spec.fixed or defaults_for(model_type) is None):
            model_type = spec.type
        defaults = defaults_for(model_type)
        # What the outer class prefers it gives to a part that the file leaves out; one that is there gets its own class's defaults.
        if left_out and spec is not None and defaults is not None:
            defaults = defaults.overridden(spec.values)
        return ModelConfig(
            value,
            model_type=model_type,
            path=self.path,
            prefix=f"{self.prefix}{name}.",
            problems=self.problems,
            defaults=defaults,
        )

    def parts(self) -> tuple[str, ...]:
        """Return the keys of all nested configs, those of the class first."""
        own = tuple(self._defaults.parts) if self._defaults is not None else ()
        return own + tuple(
            key for key, value in self.raw.items() if key.endswith("_config") and isinstance(value, Mapping) and key not in own
        )

    def pattern(self, name: str, count: int) -> tuple[str, ...] | None:
        """Return the kinds of layers that the class makes up for ``name`` when the config gives none."""
        found = self._defaults.patterns.get(name) if self._defaults is not None else None
        return found.expand(count) if found is not None else None

    def has_pattern(self, name: str) -> bool:
        """Return whether the class makes up kinds of layers under ``name``."""
        return self._defaults is not None and name in self._defaults.patterns

    @property
    def auto(self) -> frozenset[str]:
        """Auto classes that know the model type."""
        return self._defaults.auto if self._defaults is not None else frozenset()

    def _complain(self, names: tuple[str, ...], value: object, wanted: str) -> None:
        key = next((name for name in names if self.raw.get(name) is not None), names[0])
        shown = repr(value) if len(repr(value)) <= 40 else f"a {type(value).__name__}"
        line = f"{self.path}: {self.prefix}{key} is {shown}, not {wanted}; correct the value as the model's publisher states it"
        if all(problem.key != f"{self.prefix}{key}" for problem in self.problems):
            self.problems.append(Problem(self.path, f"{self.prefix}{key}", line))

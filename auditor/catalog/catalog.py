"""The catalogue as loaded, and how people name targets in it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from auditor.catalog.effort import EffortModel
from auditor.catalog.model import Accelerator, Price, Rule, Stack, StackFamily, Target
from auditor.catalog.releases import at_release
from auditor.catalog.vocabulary import did_you_mean
from auditor.errors import WorkloadError

_RENTABLE = "rentable"


@dataclass(frozen=True)
class Catalog:
    """Everything that rules/ holds, checked."""

    accelerators: Mapping[str, Accelerator]
    stacks: Mapping[str, Stack]
    """Each stack as such; ``Target.stack`` is the stack as it is on that accelerator."""
    families: Mapping[str, StackFamily]
    prices: tuple[Price, ...]
    rules: tuple[Rule, ...]
    effort: EffortModel
    digest: str
    """SHA-256 of all content, rule packs and the effort model included."""

    @cached_property
    def targets(self) -> tuple[Target, ...]:
        """Every accelerator with every stack that lists its id or family, in the order of accelerators, then stacks."""
        return tuple(
            Target(chip, family.on(chip))
            for chip in self.accelerators.values()
            for family in self.families.values()
            if chip.id in family.stack.accelerators or chip.family in family.stack.accelerators
        )

    def accelerator(self, name: str) -> Accelerator:
        """Return the accelerator of that id or alias. Raises WorkloadError with a suggestion."""
        folded = name.lower()
        for chip in self.accelerators.values():
            if folded == chip.id or folded in chip.aliases:
                return chip
        known = [word for chip in self.accelerators.values() for word in (chip.id, *chip.aliases)]
        raise WorkloadError(f"no accelerator is called '{name}'", did_you_mean(folded, known) or "`auditor accelerators list` shows them")

    def rule(self, rule_id: str) -> Rule:
        """Return the rule of that id. Raises WorkloadError with a suggestion."""
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        suggestion = did_you_mean(rule_id, [rule.id for rule in self.rules]) or "`auditor rules list` shows them"
        raise WorkloadError(f"no rule is called '{rule_id}'", suggestion)

    def find_targets(self, names: Sequence[str]) -> tuple[Target, ...]:
        """Return the targets that ``names`` select, each once, in catalogue order; all of them for no names.

        A name is an accelerator's id, alias or family, ``ACCELERATOR/STACK``, ``vendor:NAME``, ``stack:NAME`` (a stack's id,
        alias or family), or ``rentable``. ``@RELEASE`` behind a stack divides memory as that release did. Raises
        WorkloadError for a name that selects nothing, with a suggestion.
        """
        if not names:
            return self.targets
        chosen = {target.id: target for name in names for target in self._released(name)}
        order = {target.id: place for place, target in enumerate(self.targets)}
        return tuple(sorted(chosen.values(), key=lambda target: (order[target.id.partition("@")[0]], target.stack.release)))

    def _released(self, name: str) -> tuple[Target, ...]:
        plain, at, release = name.strip().partition("@")
        found = self._named(plain)
        if at and len({target.stack.id for target in found}) > 1:
            raise WorkloadError(f"'{name}' names a release and no stack", f"write {plain}/{found[0].stack.id}@{release}")
        return tuple(Target(target.accelerator, at_release(target.stack, release)) for target in found) if at else found

    def _named(self, name: str) -> tuple[Target, ...]:
        folded = name.strip().lower()
        if folded == _RENTABLE:
            return tuple(target for target in self.targets if target.accelerator.availability in ("open", "limited"))
        if folded.startswith("vendor:"):
            vendor = folded.removeprefix("vendor:")
            return self._some(name, (t for t in self.targets if t.accelerator.vendor == vendor), vendor, self._vendors(), "vendor")
        if folded.startswith("stack:"):
            stack = folded.removeprefix("stack:")
            return self._some(name, (t for t in self.targets if stack in _words_of(t.stack)), stack, self._stack_words(), "stack")
        chip, slash, stack = folded.partition("/")
        on_chip = self._some(
            name,
            (t for t in self.targets if chip in (t.accelerator.id, t.accelerator.family, *t.accelerator.aliases)),
            chip,
            self._chip_words(),
            "accelerator",
        )
        if not slash:
            return on_chip
        known = sorted({word for target in on_chip for word in _words_of(target.stack)})
        return self._some(name, (t for t in on_chip if stack in _words_of(t.stack)), stack, known, f"stack on {chip}")

    def _some(self, name: str, targets: Iterable[Target], word: str, known: Iterable[str], kind: str) -> tuple[Target, ...]:
        """Return the targets, or raise where there is none."""
        found = tuple(targets)
        if found:
            return found
        if word in self.accelerators and kind == "accelerator":
            raise WorkloadError(f"no stack in the catalogue serves on {word}", "add one under rules/stacks/, or choose another accelerator")
        choices = list(known)
        hint = did_you_mean(word, choices) or (
            f"known: {', '.join(choices)}" if len(choices) <= 12 else "`auditor accelerators list` shows them"
        )
        of_what = "" if word == name.lower() else f" (in '{name}')"
        raise WorkloadError(f"no {kind} is called '{word}'{of_what}", hint)

    def _vendors(self) -> list[str]:
        return sorted({chip.vendor for chip in self.accelerators.values()})

    def _stack_words(self) -> list[str]:
        return sorted({word for stack in self.stacks.values() for word in _words_of(stack)})

    def _chip_words(self) -> list[str]:
        chips = self.accelerators.values()
        return [word for chip in chips for word in (chip.id, *chip.aliases, chip.family)] + [_RENTABLE]


def _words_of(stack: Stack) -> tuple[str, ...]:
    return (stack.id, *stack.aliases, stack.family)

"""A pickle followed symbolically: names stay names, calls stay notes of what would be called. Nothing is imported or run."""

import pickletools
from dataclasses import dataclass
from typing import Any

#: Some 25 steps make a tensor; this many take seconds.
STEPS_LIMIT = 5_000_000
_TEXT_LIMIT = 200


@dataclass(frozen=True, slots=True, eq=False)
class Name:
    """Something that would be imported."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module[:_TEXT_LIMIT]}.{self.name[:_TEXT_LIMIT]}"


@dataclass(slots=True, eq=False)
class Call:
    """A call that would be made."""

    function: Any
    arguments: Any
    state: Any = None
    """What the object that the call returns would be given afterwards: a module's parameters, among others."""


@dataclass(frozen=True, slots=True, eq=False)
class Persistent:
    """A reference to a storage in the archive."""

    reference: Any


_MARK = object()
_OTHER = object()
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY = {"EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "EMPTY_DICT": dict, "EMPTY_SET": set}


class UnfollowableError(Exception):
    """A pickle that makes no sense, or more steps than any checkpoint."""


def follow(data: bytes) -> tuple[Any, list[Name]]:
    """Return what the pickle ``data`` would build, and the names that it would import. Raises UnfollowableError.

    What it would build is made of dictionaries, lists, tuples, numbers, strings, and of ``Name``, ``Call`` and ``Persistent``.
    Containers may hold each other and themselves: walk each one once.
    """
    machine = _Machine()
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
            if count > STEPS_LIMIT:
                raise UnfollowableError
            machine.step(opcode.name, argument)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, RecursionError, OverflowError, MemoryError):
        raise UnfollowableError from None
    return machine.result, machine.imports


class _Machine:
    """Follows opcodes without doing what they say; lists and dictionaries are the only values that it builds."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.imports: list[Name] = []
        self.result: Any = None

    def step(self, code: str, argument: Any) -> None:  # noqa: PLR0915 - one case for each opcode
        """Follow one opcode."""
        stack = self.stack
        if code in _CONSTANTS:
            stack.append(_CONSTANTS[code])
        elif code in _EMPTY:
            stack.append(_EMPTY[code]())
        elif code == "MARK":
            stack.append(_MARK)
        elif code in {"BINPUT", "LONG_BINPUT", "PUT"}:
            self.memo[int(argument)] = stack[-1]
        elif code == "MEMOIZE":
            self.memo[len(self.memo)] = stack[-1]
        elif code in {"BINGET", "LONG_BINGET", "GET"}:
            stack.append(self.memo[int(argument)])
        elif code in {"TUPLE1", "TUPLE2", "TUPLE3"}:
            count = int(code[-1])
            stack[-count:] = [tuple(stack[-count:])]
        elif code == "TUPLE":
            items = self._to_mark()
            stack.append(tuple(items))
        elif code in {"LIST", "FROZENSET"}:
            items = self._to_mark()
            stack.append(items)
        elif code == "DICT":
            items = self._to_mark()
            stack.append({})
            self._set(items)
        elif code == "SETITEMS":
            self._set(self._to_mark())
        elif code == "SETITEM":
            self._set([stack.pop(-2), stack.pop()])
        elif code in {"APPENDS", "ADDITEMS"}:
            items = self._to_mark()
            if isinstance(stack[-1], list):
                stack[-1].extend(items)
        elif code == "APPEND":
            item = stack.pop()
            if isinstance(stack[-1], list):
                stack[-1].append(item)
        elif code == "GLOBAL":
            module, _, name = argument.partition(" ")
            self._import(module, name)
        elif code == "STACK_GLOBAL":
            name, module = stack.pop(), stack.pop()
            # Never the text of a container: one that holds another many times over is short to send and endless to print.
            self._import(module if isinstance(module, str) else "?", name if isinstance(name, str) else "?")
        elif code in {"REDUCE", "NEWOBJ"}:
            arguments, function = stack.pop(), stack.pop()
            stack.append(self._call(function, arguments))
        elif code == "NEWOBJ_EX":
            stack.pop()
            arguments, function = stack.pop(), stack.pop()
            stack.append(self._call(function, arguments))
        elif code == "INST":
            arguments = tuple(self._to_mark())
            module, _, name = argument.partition(" ")
            self._import(module, name)
            stack.append(self._call(stack.pop(), arguments))
        elif code == "OBJ":
            function, *rest = self._to_mark()
            stack.append(self._call(function, tuple(rest)))
        elif code == "BUILD":
            state = stack.pop()
            if isinstance(stack[-1], Call):
                stack[-1].state = state
        elif code == "BINPERSID":
            stack.append(Persistent(stack.pop()))
        elif code == "POP":
            stack.pop()
        elif code == "POP_MARK":
            self._to_mark()
        elif code == "DUP":
            stack.append(stack[-1])
        elif code == "STOP":
            self.result = stack.pop()
        elif code in {"EXT1", "EXT2", "EXT4", "PERSID", "NEXT_BUFFER", "READONLY_BUFFER"}:
            stack.append(_OTHER)
        elif code not in {"PROTO", "FRAME"}:  # what is left pushes its argument: numbers, strings, bytes
            stack.append(argument)

    def _import(self, module: str, name: str) -> None:
        found = Name(module, name)
        self.imports.append(found)
        self.stack.append(found)

    def _call(self, function: Any, arguments: Any) -> Any:
        # An OrderedDict is filled by later steps, as a dictionary is.
        return {} if isinstance(function, Name) and str(function) == "collections.OrderedDict" else Call(function, arguments)

    def _to_mark(self) -> list[Any]:
        """Take everything above the last mark off the stack, and the mark with it."""
        at = len(self.stack) - 1
        while self.stack[at] is not _MARK:
            at -= 1
            if at < 0:
                raise IndexError
        items = self.stack[at + 1 :]
        del self.stack[at:]
        return items

    def _set(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, dict):
            for key, value in zip(items[::2], items[1::2], strict=True):
                if isinstance(key, str | int):
                    target[key] = value

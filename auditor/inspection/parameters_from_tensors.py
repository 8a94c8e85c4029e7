"""Parameters and bytes by role, out of a tensor table.

All layers and experts of a kind are one group (same name but for numbers, same type and shape), so that a table of 100,000 tensors costs
a few hundred decisions and one pass over the names.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from auditor.inspection.anatomy import Anatomy
from auditor.inspection.parameters_packing import Siblings, Stored, unpacked
from auditor.inspection.parameters_roles import Role, keys_of, marked_mtp_prefixes, mtp_prefixes, pattern_of, role_of
from auditor.snapshot import Tensor, WeightSet


@dataclass(frozen=True, slots=True)
class Group:
    """Tensors whose names differ in numbers only, of one type and shape."""

    pattern: str
    """Name of the first, with ``#`` for layer and expert numbers."""
    dtype: str
    shape: tuple[int, ...]
    role: Role
    count: int
    nbytes: int
    """Bytes of all of them."""
    parameters: int
    """Logical parameters of all of them."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What the tensors of one component add up to. ``tied`` heads stored twice are in the bytes and once in the parameters."""

    groups: tuple[Group, ...] = ()
    tensors: int = 0
    repeated: tuple[str, ...] = ()
    """Names that stand in more than one file; counted once."""
    tied_copies: tuple[Group, ...] = ()
    """Groups that repeat the token embedding."""
    bytes_by_dtype: dict[str, int] = field(default_factory=dict)

    def nbytes(self, *roles: Role) -> int:
        """Return the bytes of some roles; of all when none is given."""
        return sum(group.nbytes for group in self.groups if not roles or group.role in roles)

    def parameters(self, *roles: Role) -> int:
        """Return the logical parameters of some roles, a tied copy left out; of all roles when none is given."""
        copies = set(map(id, self.tied_copies))
        return sum(group.parameters for group in self.groups if (not roles or group.role in roles) and id(group) not in copies)

    @property
    def total(self) -> int:
        """Logical parameters without MTP layers and buffers."""
        return self.parameters(Role.EMBEDDING, Role.HEAD, Role.EXPERT, Role.TOWER, Role.BODY)


def tally(weights: WeightSet, anatomy: Anatomy | None, bits: float | None = None, group_size: int | None = None) -> Tally | None:
    """Return what the tensors of ``weights`` add up to; None when a file's table is missing.

    ``bits`` and ``group_size`` are those of the quantization config: they decide only where names and shapes do not.
    """
    tables = [file.tensors for file in weights.files]
    if not tables or any(table is None for table in tables):
        return None
    tensors, repeated = _distinct([tensor for table in tables for tensor in table or ()])
    multimodal = anatomy is not None and bool(anatomy.towers)
    model_type = anatomy.model_type if anatomy is not None else ""
    names = [tensor.name for tensor in tensors]
    prefixes = mtp_prefixes(len(anatomy.layers), anatomy.mtp_layers) if anatomy is not None and anatomy.mtp_layers else ()
    prefixes += marked_mtp_prefixes(names)
    # A model may have 100,000 tensors of a few dozen kinds: each kind is looked at once.
    numbered = [name.startswith(prefixes) for name in names] if prefixes else [False] * len(names)
    kinds = [
        (key, tensor.dtype, tensor.shape, tensor.nbytes, mtp) for key, tensor, mtp in zip(keys_of(names), tensors, numbered, strict=True)
    ]
    first = dict(zip(reversed(kinds), reversed(names), strict=True))
    counts = Counter(kinds)
    siblings = Siblings()
    for kind in counts:
        siblings.add(pattern_of(first[kind]), Stored(kind[1], kind[2]))
    groups = []
    by_dtype: dict[str, int] = {}
    for kind, count in counts.items():
        _, dtype, shape, size, numbered_mtp = kind
        nbytes = size * count
        pattern = pattern_of(first[kind])
        named = role_of(pattern, model_type, multimodal=multimodal)
        role = Role.MTP if numbered_mtp else named
        each = 0 if named is Role.BUFFER else unpacked(pattern, Stored(dtype, shape), siblings, bits, group_size)
        groups.append(Group(pattern, dtype, shape, role, count, nbytes, each * count))
        by_dtype[dtype] = by_dtype.get(dtype, 0) + nbytes
    return Tally(tuple(groups), len(tensors), repeated, _tied_copies(groups, anatomy), by_dtype)


def _distinct(tensors: list[Tensor]) -> tuple[list[Tensor], tuple[str, ...]]:
    """Return the tensors, of each name the first, and the names that stand more than once."""
    first = {tensor.name: tensor for tensor in reversed(tensors)}
    if len(first) == len(tensors):
        return tensors, ()
    counts = Counter(tensor.name for tensor in tensors)
    return [first[name] for name in counts], tuple(name for name, count in counts.items() for _ in range(count - 1))


def _tied_copies(groups: Iterable[Group], anatomy: Anatomy | None) -> tuple[Group, ...]:
    """Return the groups that store the token embedding again: a tied head, an encoder's copy of the shared embedding."""
    matrices = [group for group in groups if group.role in {Role.EMBEDDING, Role.HEAD} and group.parameters]
    embeddings = [group for group in matrices if group.role is Role.EMBEDDING]
    if not embeddings:
        return ()
    first = next((group for group in embeddings if group.pattern.endswith("shared.weight")), embeddings[0])
    copies = []
    for group in matrices:
        if group is first or group.parameters != first.parameters:
            continue
        shared = first.pattern.endswith("shared.weight") and group.role is Role.EMBEDDING
        tied = anatomy is not None and anatomy.tied is True
        if shared or tied:
            copies.append(group)
    return tuple(copies)

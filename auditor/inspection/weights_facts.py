"""``weights.*``, ``params.*`` and ``quant.*``: what is stored, how many parameters that is, and in which precision.

The one face of weights and parameters towards ``inspect_snapshot``. A tensor table wins over the config; the config is counted by
its family's law where there is no table; what neither gives is unknown with its reason.
"""

from collections.abc import Mapping

from auditor.facts import Basis, Known, Unknown
from auditor.inspection.anatomy import Anatomy
from auditor.inspection.parameters import ADAPTER, Count, count_config, count_tensors, parameter_facts
from auditor.inspection.parameters_from_tensors import Tally, tally
from auditor.inspection.parameters_roles import Role
from auditor.inspection.precision import precision_facts, read_quantization
from auditor.inspection.precision_contradictions import Contradiction, contradictions
from auditor.snapshot import Snapshot
from auditor.units import DTYPE_BITS, canonical_dtype

Fact = Known | Unknown
_SETTLES = ("weight headers", "model.safetensors.index.json")


def facts_of_weights(snapshot: Snapshot, anatomy: Anatomy | None) -> tuple[dict[str, Fact], list[Contradiction]]:
    """Return ``weights.*``, ``params.*`` and ``quant.*`` of a model, and what its files contradict each other in.

    ``anatomy`` is None where no config is.
    """
    tallies = _tallies(snapshot, anatomy)
    complete = bool(snapshot.weights) and len(tallies) == len(snapshot.weights)
    facts = precision_facts(snapshot, tallies if complete else {})
    method = facts["quant.method"].value if isinstance(facts["quant.method"], Known) else ""
    adapter = "adapter_config.json" in snapshot.documents and anatomy is None
    count = ADAPTER if adapter else count_tensors(tallies, anatomy) if complete else count_config(anatomy)
    facts |= parameter_facts(count, anatomy)
    facts |= _stored(tallies) if complete else _unread(snapshot, anatomy, count, str(method))
    if snapshot.weights:
        facts["weights.files"] = Known(sum(len(group.files) for group in snapshot.weights), Basis.HEADER if complete else Basis.FILE_SIZE)
    return facts, contradictions(snapshot, anatomy, tallies, str(method))


def _tallies(snapshot: Snapshot, anatomy: Anatomy | None) -> dict[str, Tally]:
    found = read_quantization(snapshot)
    bits, group_size = (found[0].bits, found[0].group_size) if found else (None, None)
    components = dict(anatomy.components) if anatomy is not None else {}
    tallies = {}
    for group in snapshot.weights:
        part = components.get(group.component, None if components else anatomy)
        result = tally(group, part, bits, group_size)
        if result is not None:
            tallies[group.component] = result
    return tallies


def _stored(tallies: Mapping[str, Tally]) -> dict[str, Fact]:
    """Return the ``weights.*`` facts of complete tensor tables."""

    def nbytes(*roles: Role) -> int:
        return sum(one.nbytes(*roles) for one in tallies.values())

    by_dtype: dict[str, int] = {}
    for one in tallies.values():
        for dtype, size in one.bytes_by_dtype.items():
            by_dtype[dtype] = by_dtype.get(dtype, 0) + size
    dtypes = tuple(sorted(by_dtype, key=lambda dtype: (-by_dtype[dtype], dtype)))
    copies = sum(group.nbytes for one in tallies.values() for group in one.tied_copies)
    total, mtp = nbytes(), nbytes(Role.MTP)
    values: dict[str, int | tuple[str, ...]] = {
        "weights.bytes": total,
        "weights.loaded_bytes": total - mtp - copies,
        "weights.tensors": sum(one.tensors for one in tallies.values()),
        "weights.dtypes": dtypes,
        "weights.embedding_bytes": nbytes(Role.EMBEDDING, Role.HEAD) - copies,
    }
    for name, role in (("routed_expert", Role.EXPERT), ("mtp", Role.MTP), ("tower", Role.TOWER)):
        if nbytes(role):
            values[f"weights.{name}_bytes"] = nbytes(role)
    facts: dict[str, Fact] = {name: Known(value, Basis.HEADER) for name, value in values.items()}
    if dtypes:
        facts["weights.dtype"] = Known(dtypes[0], Basis.HEADER)
    parameters = sum(one.total + one.parameters(Role.MTP) for one in tallies.values())
    if parameters:
        facts["weights.bits_per_parameter"] = Known(round(total * 8 / parameters, 4), Basis.HEADER)
    return facts


def _unread(snapshot: Snapshot, anatomy: Anatomy | None, count: Count, method: str) -> dict[str, Fact]:
    """Return the ``weights.*`` facts without a complete tensor table: from the index, from file sizes, or from a law and a type."""
    stated = canonical_dtype(anatomy.dtype) if anatomy is not None and anatomy.dtype else None
    facts: dict[str, Fact] = {}
    sized = _sized(snapshot)
    if sized is not None:
        total, basis = sized
        facts["weights.bytes"] = Known(total, basis)
        facts["weights.loaded_bytes"] = Known(total, basis)
    elif snapshot.weights:
        missing = next((file for group in snapshot.weights for file in group.files if file.tensors is None), None)
        reason = f"{missing.path}: {missing.why}" if missing is not None and missing.why else "weight files of unknown size and content"
        facts["weights.bytes"] = facts["weights.loaded_bytes"] = Unknown(reason, _SETTLES)
    elif count.total is not None and stated is not None and method == "none":
        width = DTYPE_BITS[stated] // 8
        facts["weights.loaded_bytes"] = Known(count.total * width, Basis.DERIVED)
        facts["weights.bytes"] = (
            Known((count.total + count.mtp) * width, Basis.DERIVED)
            if count.mtp is not None
            else Unknown("the law of this family does not cover its MTP layers", _SETTLES)
        )
    else:
        reason = _why_not(count, stated, method)
        facts["weights.bytes"] = facts["weights.loaded_bytes"] = Unknown(reason, _SETTLES)
    if stated is not None and method == "none":
        facts["weights.dtype"] = Known(stated, Basis.CONFIG)
    else:
        facts["weights.dtype"] = Unknown("no weight header was read", _SETTLES)
    return facts


def _why_not(count: Count, stated: str | None, method: str) -> str:
    if method != "none":
        return f"a config alone does not give the bytes of {method or 'unknown'} weights"
    if count.total is None:
        return count.reason
    return "no weight header was read and the config states no type" if stated is None else "no weight header was read"


def _sized(snapshot: Snapshot) -> tuple[int, Basis] | None:
    """Return the bytes that indices or, failing them, file sizes give; None where some component has neither."""
    total, basis = 0, Basis.INDEX
    for group in snapshot.weights:
        sizes = [file.size for file in group.files if file.size is not None]
        if group.index_total:
            total += group.index_total
        elif group.files and len(sizes) == len(group.files):
            total += sum(sizes)
            basis = Basis.FILE_SIZE
        else:
            return None
    return (total, basis) if snapshot.weights else None

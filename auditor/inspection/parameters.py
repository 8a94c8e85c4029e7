"""``params.*``: a count by role, from tensor tables or from a family's law, and the facts it gives."""

from collections.abc import Mapping
from dataclasses import dataclass

from auditor.facts import Basis, Known, Unknown
from auditor.inspection.anatomy import Anatomy
from auditor.inspection.parameters_from_config import count_parts
from auditor.inspection.parameters_from_tensors import Tally
from auditor.inspection.parameters_keys import Missing, Parts
from auditor.inspection.parameters_roles import Role

Fact = Known | Unknown
_SETTLES = ("weight headers",)


@dataclass(frozen=True, slots=True)
class Count:
    """Logical parameters by role. ``None`` is unknown, for ``reason``."""

    total: int | None = None
    """Without MTP layers."""
    embedding: int | None = None
    """Token embedding and untied head."""
    looked_up: int | None = None
    """What a decode step looks up rather than multiplies: the token embedding, unless the head shares it."""
    routed_experts: int | None = None
    mtp: int | None = None
    towers: int | None = None
    components: tuple[tuple[str, int], ...] = ()
    basis: Basis = Basis.HEADER
    reason: str = ""


#: What is known of an adapter's parameters: its own are no model's.
ADAPTER = Count(reason="an adapter without its base model: name the base to count them together", basis=Basis.HEADER)


def count_tensors(tallies: Mapping[str, Tally], anatomy: Anatomy | None) -> Count:
    """Return the count of complete tensor tables, by component."""

    def parameters(*roles: Role) -> int:
        return sum(one.parameters(*roles) for one in tallies.values())

    head = parameters(Role.HEAD)
    copies = any(group.role is Role.HEAD for one in tallies.values() for group in one.tied_copies)
    tied = (anatomy is not None and anatomy.tied is True) or (copies and not head)
    return Count(
        total=sum(one.total for one in tallies.values()),
        embedding=parameters(Role.EMBEDDING, Role.HEAD),
        looked_up=0 if tied else parameters(Role.EMBEDDING),
        routed_experts=parameters(Role.EXPERT),
        mtp=parameters(Role.MTP),
        towers=parameters(Role.TOWER),
        components=tuple((name, one.total) for name, one in tallies.items() if name),
        basis=Basis.HEADER,
    )


def count_config(anatomy: Anatomy | None) -> Count:
    """Return the count that the law of the family gives for a config; unknown where a law or a figure is missing."""
    if anatomy is None:
        return Count(reason="no config and no tensor table", basis=Basis.DERIVED)
    parts, components = Parts(), []
    try:
        if anatomy.components:
            for name, part in anatomy.components:
                counted = count_parts(part)
                components.append((name, counted.total))
                parts.add(counted)
        else:
            parts = count_parts(anatomy)
    except Missing as missing:
        return Count(reason=str(missing), basis=Basis.DERIVED)
    return Count(
        total=parts.total,
        embedding=parts.embedding + parts.head,
        looked_up=0 if parts.tied else parts.embedding,
        routed_experts=parts.experts,
        mtp=parts.mtp,
        towers=parts.towers,
        components=tuple(components),
        basis=Basis.DERIVED,
    )


def parameter_facts(count: Count, anatomy: Anatomy | None) -> dict[str, Fact]:
    """Return the ``params.*`` facts of a count. What does not apply (experts of a dense model) is absent."""
    experts = anatomy.experts if anatomy is not None else None
    total = count.total
    if total is None:
        unknown = Unknown(count.reason, _SETTLES)
        facts: dict[str, Fact] = dict.fromkeys(("params.total", "params.active", "params.embedding"), unknown)
        if experts is not None:
            facts["params.routed_experts"] = unknown
        if anatomy is not None and anatomy.mtp_layers:
            facts["params.mtp"] = unknown
        return facts

    def known(value: int) -> Known:
        return Known(value, count.basis)

    facts = {"params.total": known(total)}
    if count.embedding:
        facts["params.embedding"] = known(count.embedding)
    routed = count.routed_experts or 0
    idle = 0
    if routed:
        facts["params.routed_experts"] = known(routed)
        if experts is not None and experts.count:
            idle = routed * (experts.count - experts.per_token) // experts.count
            facts["params.active"] = known(total - idle)
        else:
            facts["params.active"] = Unknown("the config does not say how many experts a token uses", ("config.json",))
    else:
        facts["params.active"] = known(total)
    if "params.active" in facts and isinstance(facts["params.active"], Known) and count.looked_up is not None and not count.components:
        facts["params.decode"] = known(total - idle - count.looked_up - (count.towers or 0))
    if count.mtp or (anatomy is not None and anatomy.mtp_layers):
        facts["params.mtp"] = (
            known(count.mtp) if count.mtp is not None else Unknown("the law of this family does not cover its MTP layers", _SETTLES)
        )
    if count.towers:
        facts["params.towers"] = known(count.towers)
    if count.components:
        facts["params.components"] = Known(tuple(f"{name}={value}" for name, value in count.components), count.basis)
    return facts

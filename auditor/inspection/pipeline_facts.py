"""Facts of a diffusion pipeline: its class and task, its components, and the denoiser's figures."""

from auditor.facts import Basis, Known, Unknown
from auditor.inspection.anatomy import Anatomy
from auditor.inspection.pipelines import component_layers

Fact = Known | Unknown


def pipeline_facts(anatomy: Anatomy) -> dict[str, Fact]:
    """Return the ``arch.*`` and ``attention.*`` facts of a pipeline or of a lone diffusers network."""
    facts: dict[str, Fact] = {
        "arch.class": Known(anatomy.arch_class, Basis.DERIVED),
        "arch.task": Known(anatomy.task, Basis.DERIVED),
        "arch.known": Known(anatomy.known, Basis.DERIVED),
        "arch.model_type": Known(anatomy.model_type, Basis.CONFIG)
        if anatomy.model_type
        else Unknown("neither an index nor a component names its class", ("model_index.json",)),
    }
    classes = tuple(part.model_type for _, part in anatomy.components if part.model_type) or (
        (anatomy.model_type,) if anatomy.model_type else ()
    )
    if classes:
        facts["arch.architectures"] = Known(classes, Basis.CONFIG)
    if anatomy.components:
        facts["model.components"] = Known(tuple(name for name, _ in anatomy.components), Basis.CONFIG)
    values = {
        "arch.layers": component_layers(anatomy) if anatomy.heads is not None else None,
        "arch.hidden_size": anatomy.hidden_size,
        "attention.heads": anatomy.heads,
        "attention.kv_heads": anatomy.kv_heads,
        "attention.head_dim": anatomy.head_dim,
    }
    facts |= {name: Known(value, Basis.CONFIG) for name, value in values.items() if value}
    if anatomy.heads is not None:
        facts["attention.kind"] = Known("mha", Basis.DERIVED)
    return facts

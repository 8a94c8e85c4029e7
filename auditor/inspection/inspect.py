"""The whole inspection on one page: documents -> anatomy -> facts."""

from dataclasses import replace

from auditor.errors import WorkloadError
from auditor.facts import Basis, Facts, Known, Unknown
from auditor.inspection.anatomy import Anatomy
from auditor.inspection.arch_facts import architecture_facts
from auditor.inspection.census import attention_facts, cache_facts, cache_type, known_cache_dtype, take_census
from auditor.inspection.gguf import gguf_config
from auditor.inspection.header_facts import header_facts
from auditor.inspection.model import Inspection, LayerGroup, Origin
from auditor.inspection.origins import origins
from auditor.inspection.pipeline_facts import pipeline_facts
from auditor.inspection.pipelines import read_component, read_pipeline, reads_as_pipeline
from auditor.inspection.precision_contradictions import Contradiction
from auditor.inspection.read import read_anatomy
from auditor.inspection.repository import repository_facts
from auditor.inspection.weights_facts import facts_of_weights
from auditor.snapshot import Snapshot

Fact = Known | Unknown

_FROM_CONFIG = (
    "arch.class",
    "arch.task",
    "arch.model_type",
    "arch.layers",
    "arch.hidden_size",
    "arch.vocab_size",
    "arch.max_context",
    "attention.kind",
    "attention.heads",
    "attention.kv_heads",
    "attention.head_dim",
    "kv_cache.bytes_per_token",
)
"""Facts that only a config gives: unknown, not absent, where there is none."""


def inspect_snapshot(snapshot: Snapshot, kv_dtype: str | None = None, *, places: bool = False) -> Inspection:
    """Return the facts and the layer census of a snapshot; ``kv_dtype`` is the cache type that the user asks for.

    With ``places``, also where each fact stands in the files: few reports want to know, and it takes as long as the rest.

    Raises WorkloadError for a cache type that does not exist. What is wrong with the model's files is in ``errors``, what could
    not be had is an unknown fact; neither raises.
    """
    asked = None
    if kv_dtype is not None:
        asked = known_cache_dtype(kv_dtype)
        if asked is None:
            raise WorkloadError(f"{kv_dtype!r} is no cache type", "use one such as bfloat16, float8_e4m3fn or q8_0")
    anatomy = anatomy_of(snapshot)
    facts: dict[str, Fact] = repository_facts(snapshot)
    weights, disputed, broken = _weights(snapshot, anatomy)
    facts |= weights
    if disputed:
        facts["repo.contradictions"] = Known(tuple(one.sentence for one in disputed), Basis.HEADER)
    census: tuple[LayerGroup, ...] = ()
    if anatomy is None:
        facts |= header_facts(snapshot)
        unknown = Unknown(_why_none(snapshot), ("config.json",))
        facts |= {name: unknown for name in _FROM_CONFIG if name not in facts}
    elif anatomy.components or anatomy.arch_class == "diffusion":
        facts |= pipeline_facts(anatomy)
    else:
        facts |= architecture_facts(anatomy)
        cache = cache_type(anatomy, asked, _text(facts, "quant.kv_scheme"), _text(facts, "weights.dtype"))
        census = take_census(anatomy, cache)
        facts |= attention_facts(anatomy, census) | cache_facts(anatomy, census, cache)
    return Inspection(
        id=snapshot.id,
        revision=snapshot.revision,
        source=snapshot.source,
        facts=Facts(facts),
        layers=census,
        errors=_errors(snapshot, anatomy) + broken,
        notes=_notes(snapshot, anatomy),
        origins={**origins(snapshot, anatomy, facts, [one.about for one in disputed]), **_of_errors(snapshot, anatomy)} if places else {},
    )


def anatomy_of(snapshot: Snapshot) -> Anatomy | None:
    """Return the anatomy that the snapshot's documents describe; None when none of them describes a model."""
    if reads_as_pipeline(snapshot):
        return read_pipeline(snapshot)
    packed = gguf_config(snapshot)
    config = snapshot.documents.get("config.json")
    if packed is not None and (config is None or any(group.format == "gguf" for group in snapshot.weights)):
        config, path = packed
        return replace(read_anatomy(config, path=path, snapshot=snapshot), model_type=config["general.architecture"])
    if config is None and isinstance(snapshot.documents.get("params.json"), dict):
        return read_anatomy(snapshot.documents["params.json"], path="params.json", snapshot=snapshot)
    if isinstance(config, dict):
        if "_class_name" in config and "model_type" not in config:
            return read_component(config, "config.json")
        return read_anatomy(config, snapshot=snapshot)
    return None


def _weights(snapshot: Snapshot, anatomy: Anatomy | None) -> tuple[dict[str, Fact], list[Contradiction], tuple[str, ...]]:
    """Return the facts of weights and parameters, what the files contradict each other in, and what could not be counted.

    Laws of parameters read dozens of keys of somebody else's JSON. A value of a kind that no publisher would write ends here, as
    one line and unknown facts, and not the audit of the other models.
    """
    try:
        return *facts_of_weights(snapshot, anatomy), ()
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        path = anatomy.config.path if anatomy is not None else snapshot.id
        line = f"{path}: a value is of a kind that cannot be counted with ({error}); correct it as the model's publisher states it"
        return dict.fromkeys(("params.total", "params.active", "weights.bytes", "quant.method"), Unknown(line, (path,))), [], (line,)


def _why_none(snapshot: Snapshot) -> str:
    if "adapter_config.json" in snapshot.documents:
        return "an adapter without its base model: the base's config says what it is"
    return "there is no config.json"


def _text(facts: dict[str, Fact], name: str) -> str | None:
    fact = facts.get(name)
    return fact.value if isinstance(fact, Known) and isinstance(fact.value, str) else None


def _errors(snapshot: Snapshot, anatomy: Anatomy | None) -> tuple[str, ...]:
    fatal = [problem.message for problem in snapshot.problems if problem.fatal]
    wrong = [problem.line for part in _all(anatomy) for problem in part.config.problems]
    return tuple(dict.fromkeys([*fatal, *wrong]))


def _of_errors(snapshot: Snapshot, anatomy: Anatomy | None) -> dict[str, Origin]:
    """Return where the errors that are about one place stand, by sentence."""
    places = {problem.message: Origin(problem.path) for problem in snapshot.problems if problem.fatal and problem.path}
    wrong = (problem for part in _all(anatomy) for problem in part.config.problems)
    return places | {problem.line: Origin(problem.path, tuple(problem.key.split("."))) for problem in wrong}


def _notes(snapshot: Snapshot, anatomy: Anatomy | None) -> tuple[str, ...]:
    notes = [problem.message for problem in snapshot.problems if not problem.fatal]
    notes += [note for part in _all(anatomy) for note in part.notes]
    return tuple(dict.fromkeys(notes))


def _all(anatomy: Anatomy | None) -> tuple[Anatomy, ...]:
    return () if anatomy is None else (anatomy, *(part for _, part in anatomy.components))

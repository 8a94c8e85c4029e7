"""What a target's support lists say of one model: the ``accelerator.*`` and ``stack.*`` facts."""

import re
from collections.abc import Iterator, Mapping

from auditor.catalog.model import Accelerator, ArchitectureSupport, FormatSupport, Stack, Target
from auditor.facts import QUANT_METHODS, Basis, Facts, Known, Unknown, Value

#: Statuses of a format that mean: the published files load.
LOADS = ("native", "validated", "listed", "fallback")
_Fact = Known | Unknown
_NOT_STATED = Unknown("no source says")
#: What publishers append to a model's name for a format: the architecture is the same without it.
_FORMAT_SUFFIX = re.compile(
    r"([-_.](fp8|fp16|bf16|fp4|nvfp4|mxfp4|mxfp8|awq|gptq|gguf|bnb|exl[23]|hqq|int[2-8]|[2-8]bit|w\d+a\d+|q\d_\w+|dynamic|static|hf))+$"
)


def stack_facts(target: Target, facts: Facts) -> Facts:
    """Return the ``accelerator.*`` and ``stack.*`` facts of ``target`` for the model that ``facts`` describe."""
    return Facts(dict([*_accelerator_facts(target.accelerator), *_stack_facts(target.stack), *_model_on_stack(target, facts)]))


def _known(value: Value) -> Known:
    return Known(value, Basis.CATALOG)


def _or_unknown(value: Value | None) -> _Fact:
    return _NOT_STATED if value is None else _known(value)


def _accelerator_facts(chip: Accelerator) -> Iterator[tuple[str, _Fact]]:
    yield "accelerator.id", _known(chip.id)
    yield "accelerator.name", _known(chip.name)
    yield "accelerator.vendor", _known(chip.vendor)
    yield "accelerator.family", _known(chip.family)
    yield "accelerator.memory_bytes", _or_unknown(None if chip.memory_bytes.value is None else int(chip.memory_bytes.value))
    yield "accelerator.native_dtypes", _known(chip.native_dtypes)
    yield "accelerator.availability", _known(chip.availability)
    yield "accelerator.training", _or_unknown(chip.training)
    yield "accelerator.excluded_classes", _known(chip.excluded_classes)
    yield "accelerator.excluded_layers", _known(chip.excluded_layers)
    yield "accelerator.kernel_language", _or_unknown(chip.kernel_language)
    if chip.vendor == "nvidia":
        yield "accelerator.compute_capability", _or_unknown(chip.compute_capability)


def _stack_facts(stack: Stack) -> Iterator[tuple[str, _Fact]]:
    yield "stack.id", _known(stack.id)
    yield "stack.name", _known(stack.name)
    yield "stack.family", _known(stack.family)
    yield "stack.version", _known(stack.version)
    yield "stack.maturity", _known(stack.maturity)
    yield "stack.hosted", _known(stack.hosted)
    yield "stack.architectures_complete", _known(stack.architectures_complete)
    yield "stack.features", _known(stack.features)
    yield "stack.unsupported_features", _known(stack.unsupported_features)
    if stack.end_of_life:
        yield "stack.end_of_life", _known(stack.end_of_life)
    for name, limit in stack.limits.items():
        yield f"stack.{name}", _known(limit)


def _model_on_stack(target: Target, facts: Facts) -> Iterator[tuple[str, _Fact]]:
    stack, chip = target.stack, target.accelerator
    yield "stack.quantization", _known(loading_methods(stack, chip))
    if stack.hosted:
        hosted = _is_hosted(stack, facts)
        yield "stack.hosted_model", _or_unknown(hosted)
    architecture = architecture_support(stack, chip, facts)
    if isinstance(architecture, ArchitectureSupport):
        yield "stack.architecture_status", _known(architecture.status)
        if architecture.note:
            yield "stack.architecture_note", _known(architecture.note)
    else:
        yield from ((f"stack.architecture_{part}", architecture) for part in ("status", "note"))
    weights = format_support(stack, chip, facts)
    if isinstance(weights, FormatSupport):
        yield "stack.format_status", _known(weights.status)
        yield "stack.format_holds", _known(weights.holds)
        if weights.note:
            yield "stack.format_note", _known(weights.note)
        if weights.work:
            yield "stack.format_work", _known(weights.work)
    else:
        yield from ((f"stack.format_{part}", weights) for part in ("status", "holds", "note", "work"))


def loading_methods(stack: Stack, chip: Accelerator) -> tuple[str, ...]:
    """Return the quantization methods whose published files load on the chip, ``none`` included."""
    loads = {row.method for row in stack.formats if row.status in LOADS and _on_chip(row.accelerators, chip)}
    return tuple(method for method in QUANT_METHODS if method in loads)


def architecture_support(stack: Stack, chip: Accelerator, facts: Facts) -> ArchitectureSupport | Unknown:
    """Return the row of the support list that is about the model; one made up for ``absent`` or ``unlisted`` where none is.

    The most specific row wins: one that names the model, then its class, then its model_type, then ``*``; among equals one
    for this chip before one for all, then the first. A ``validated`` row that names models makes other models ``listed``.
    """
    classes, model_type = facts.value("arch.architectures"), facts.text("arch.model_type")
    names = tuple(str(name) for name in classes) if isinstance(classes, tuple) else ()
    if not names and model_type is None:
        return Unknown("the model states neither a class nor a model_type", ("arch.architectures",))
    best, best_rank = None, (-1, -1, -1)
    model, task = _plain_name(facts.text("model.id") or ""), facts.text("arch.task")
    for row in stack.architectures:
        if row.architecture == "*":
            exactness = 0
        elif row.model_type:
            exactness = 1 if row.model_type == model_type else -1
        else:
            exactness = 2 if row.architecture in names else -1
        if exactness < 0 or not _on_chip(row.accelerators, chip) or (row.tasks and task not in row.tasks):
            continue
        named = bool(row.models) and model in {_plain_name(name) for name in row.models}
        if row.architecture == "*" and row.models and not named:
            continue
        rank = (int(named), exactness, len(row.accelerators) > 0)
        if rank > best_rank:
            best, best_rank = (row if named or not row.models else _for_other_models(row)), rank
    if best is not None:
        return best
    if stack.hosted and _is_hosted(stack, facts):
        return ArchitectureSupport(
            names[0] if names else "", "listed", note="the service offers this model", sources=stack.architecture_sources
        )
    status = "absent" if stack.architectures_complete else "unlisted"
    return ArchitectureSupport(names[0] if names else "", status, sources=stack.architecture_sources)


def _for_other_models(row: ArchitectureSupport) -> ArchitectureSupport:
    """Return what a row that names models says of a model of the same class that it does not name."""
    if row.status != "validated":
        return row
    return ArchitectureSupport(
        row.architecture,
        "listed",
        row.models,
        row.accelerators,
        row.model_type,
        row.tasks,
        row.note,
        row.port_tier,
        row.sources,
        row.confidence,
    )


def format_support(stack: Stack, chip: Accelerator, facts: Facts) -> FormatSupport | Unknown:
    """Return the row about the model's weight format, most specific first; one made up where none is.

    Unknown where the row depends on a fact that could not be had.
    """
    method = facts.get("quant.method")
    if not isinstance(method, Known):
        return Unknown("the weight format is not known", ("quant.method",))
    rows = [row for row in stack.formats if row.method == method.value and _on_chip(row.accelerators, chip)]
    for row in sorted(rows, key=_specificity, reverse=True):
        matches = _matches(row, facts)
        if matches is True:
            return row
        if isinstance(matches, str):
            return Unknown(f"it depends on {matches}, which is not known", (matches,))
    status = "absent" if stack.formats_complete else "unlisted"
    return FormatSupport(str(method.value), status, sources=stack.format_sources)


def _specificity(row: FormatSupport) -> int:
    return sum(1 for part in (row.accelerators, row.bits, row.weight_formats, row.activation_schemes, row.dtypes) if part)


def _matches(row: FormatSupport, facts: Facts) -> bool | str:
    """Return whether the row's narrowing facts hold, or the name of the first one that is not known."""
    narrowed: Mapping[str, tuple[object, ...]] = {
        "quant.bits": row.bits,
        "quant.weight_format": row.weight_formats,
        "quant.activation_scheme": row.activation_schemes,
        "weights.dtype": row.dtypes,
    }
    unknown = ""
    for name, values in narrowed.items():
        if not values:
            continue
        fact = facts.get(name)
        if isinstance(fact, Unknown):
            unknown = unknown or name
        elif fact is None or fact.value not in values:
            return False
    return unknown or True


def _is_hosted(stack: Stack, facts: Facts) -> bool | None:
    model = facts.text("model.id")
    return None if model is None else _plain_name(model) in {_plain_name(name) for name in stack.hosted_models}


def _on_chip(names: tuple[str, ...], chip: Accelerator) -> bool:
    return not names or chip.id in names or chip.family in names


def _plain_name(model: str) -> str:
    """Return a model's name without organisation, folder, revision and format: what vendors' lists are compared by."""
    name = model.rstrip("/").rsplit("/", 1)[-1].partition("@")[0].lower()
    return _FORMAT_SUFFIX.sub("", name)

"""Builds the JSON Schemas of the catalogue's files: accelerators, stacks, prices, sources."""

from dataclasses import fields
from typing import get_type_hints

from auditor.catalog.model import MemoryModel, ParallelismRules
from auditor.catalog.schema_parts import (
    SOURCE_DEFS,
    Schema,
    array,
    catalogue_document,
    document,
    figure,
    flag,
    obj,
    one_of,
    ref,
    text,
    word,
)
from auditor.catalog.vocabulary import CONVERSIONS, FEATURES, FORMAT_STATUSES, LIMITS, PEAK_DTYPES, TERMS
from auditor.facts import ARCH_CLASSES, AVAILABILITIES, CATALOGUE, QUANT_METHODS, SUPPORT_STATUSES, TASKS, FactSpec
from auditor.units import DTYPE_BITS

_DEFAULT = obj(
    {"sources": ref("citations"), "confidence": ref("confidence")}, description="Laid under every figure that does not say otherwise."
)
_NOTES = array(text(), "Contradictions and which side was taken; anything a reader must know.")


def accelerator_schema() -> Schema:
    """Return the schema of ``rules/accelerators/<id>.yaml``."""
    properties: Schema = {
        "accelerator": word("Id of the accelerator; the file bears the same name."),
        "extends": word("Accelerator whose fields this one takes over."),
        "abstract": flag("Only there to be extended."),
        "name": text("Name as its vendor writes it."),
        "vendor": word("Vendor, in lower case."),
        "family": word("Family that shares software support."),
        "generation": text(),
        "aliases": array(word(), "Other names that people type."),
        "default": _DEFAULT,
        "availability": obj(
            {
                "status": one_of(AVAILABILITIES),
                "note": text(),
                "as_of": ref("date"),
                "sources": ref("citations"),
                "confidence": ref("confidence"),
            },
            ("status",),
            "Who can get it.",
            {"if": {"properties": {"status": {"enum": ["limited", "captive", "unreleased"]}}}, "then": {"required": ["note"]}},
        ),
        "memory": {**figure("memory"), "description": "Capacity as the vendor states it, in the vendor's unit."},
        "planning_memory": {**figure("bytes"), "description": "What a fit check plans with, before any stack's fraction."},
        "memory_type": text(),
        "bandwidth": {**figure("bandwidth"), "description": "Memory bandwidth, GB/s."},
        "peaks": {
            "type": "object",
            "description": "Dense peak by type: TFLOPS, TOPS for integers.",
            "propertyNames": {"enum": list(PEAK_DTYPES)},
            "additionalProperties": figure("peak"),
        },
        "native_dtypes": array({"enum": list(PEAK_DTYPES)}, "Types its matrix units multiply."),
        "power": {**figure("power"), "description": "Board power, W."},
        "interconnect": {**figure("bandwidth"), "description": "Scale-up bandwidth of one device, one direction, GB/s."},
        "interconnect_name": text(),
        "scale_up_devices": {"type": ["integer", "null"], "minimum": 1, "description": "Largest domain of the scale-up fabric."},
        "partition": obj(
            {
                "name": text(),
                "per_device": {"type": "integer", "minimum": 1},
                "memory": {**figure("bytes"), "description": "Memory that one rank can address."},
            },
            ("name", "per_device", "memory"),
            "How a device presents itself to software.",
        ),
        "instances": {
            "type": "array",
            "description": "Machine types one can rent.",
            "items": obj(
                {
                    "provider": word(),
                    "name": text(),
                    "devices": {"type": "integer", "minimum": 1},
                    "sold_per_device": flag("True where devices are rented one by one."),
                    "sources": ref("citations"),
                },
                ("provider", "name", "devices"),
            ),
        },
        "training": {"type": ["boolean", "null"], "description": "Whether it trains as well."},
        "compute_capability": {"type": ["number", "null"], "minimum": 1, "description": "CUDA compute capability."},
        "kernel_language": {"type": ["boolean", "null"], "description": "Whether customers can write kernels for it."},
        "fixed_function": obj(
            {
                "excluded_classes": array(one_of(ARCH_CLASSES)),
                "excluded_layers": array(word()),
                "note": text(),
                "sources": ref("citations"),
                "confidence": ref("confidence"),
            },
            ("note",),
            "What is fixed in silicon.",
        ),
        "notes": _NOTES,
        "sources": ref("sources"),
    }
    return catalogue_document("accelerator.schema.json", "An accelerator, as published", obj(properties, ("accelerator",)))


def prices_schema() -> Schema:
    """Return the schema of ``rules/prices/<provider>.yaml``."""
    row: Schema = {
        "provider": word(),
        "instance": text(),
        "accelerator": word("Id of the accelerator."),
        "devices": {"type": "integer", "minimum": 1},
        "usd_per_hour": {"type": "number", "exclusiveMinimum": 0},
        "term": one_of(TERMS),
        "market": text("Marketplace or price list, where a provider has several."),
        "region": {"type": ["string", "null"]},
        "as_of": ref("date"),
        "confidence": ref("confidence"),
        "sources": ref("citations"),
        "note": text(),
    }
    body = obj(
        {
            "prices": {"type": "array", "items": obj(row)},
            "default": obj(row, description="Laid under every price that does not say otherwise."),
            "sources": ref("sources"),
        },
        ("prices",),
    )
    return document("prices.schema.json", "Dated prices", body, SOURCE_DEFS)


def _limit(spec: FactSpec) -> Schema:
    match spec.type:
        case "integer":
            value: Schema = {"type": "integer", "minimum": 1}
        case "strings":
            value = array(one_of(spec.values) if spec.values else text())
        case _:
            message = f"{spec.name}: a limit is an integer or a list of words"
            raise TypeError(message)
    return {
        "description": spec.meaning,
        "if": {"type": "object"},
        "then": obj({"value": value, "sources": ref("citations"), "confidence": ref("confidence"), "note": text()}, ("value",)),
        "else": value,
    }


#: Fields of a stack's ``memory`` and ``parallelism`` that are words with a closed list.
_WORD_FIELDS = {"fraction_of": ("total", "free-after-weights"), "windowed": ("window", "full", "grouped")}


def yaml_name(field: str) -> str:
    """Return how a file writes a field of MemoryModel or ParallelismRules: a unit stands in the figure, not in its name."""
    return field.removesuffix("_bytes")


def figure_kind(field: str) -> str:
    """Return which units the figure of such a field may have."""
    return "bytes" if field.endswith("_bytes") else "plain"


def _section(shape: type, description: str) -> Schema:
    """Return the schema of the part of a stack's file that fills the dataclass ``shape``."""
    hints = get_type_hints(shape)
    properties: Schema = {}
    for spec in fields(shape):
        name, hint = yaml_name(spec.name), hints[spec.name]
        if spec.name in _WORD_FIELDS:
            properties[name] = one_of(_WORD_FIELDS[spec.name])
        elif hint is bool:
            properties[name] = flag()
        elif hint == tuple[int, ...]:
            properties[name] = array({"type": "integer", "minimum": 1}, minimum=1)
        else:
            properties[name] = figure(figure_kind(spec.name))
    section = obj({**properties, "sources": ref("citations"), "note": text()}, description=description)
    return {**section, "type": ["object", "null"]}


def _overridable() -> Schema:
    return {
        "version": text("Version that the file describes."),
        "maturity": one_of(CATALOGUE["stack.maturity"].values),
        "maturity_multiplier": word("Key into the effort model's multipliers."),
        "memory": _section(MemoryModel, "How the stack divides a device's memory; null where nobody outside places a model."),
        "parallelism": _section(ParallelismRules, "Which layouts the stack accepts."),
        "efficiency": {
            "type": "object",
            "description": "Calibrated shares of the published peaks, and seconds.",
            "propertyNames": {"pattern": "^[a-z][a-z0-9_]*$"},
            "additionalProperties": figure("plain"),
        },
        "features": obj(
            {
                "supported": array(one_of(FEATURES)),
                "unsupported": array(one_of(FEATURES)),
                "sources": ref("citations"),
                "note": text(),
            },
            description="Serving features. One that is in neither list is unknown.",
        ),
        "limits": obj({name: _limit(CATALOGUE[f"stack.{name}"]) for name in LIMITS}, description="What it cannot take."),
        "launch": text("Template of the launch command."),
        "notes": _NOTES,
    }


def stack_schema() -> Schema:
    """Return the schema of ``rules/stacks/<id>/stack.yaml``."""
    complete = flag("Whether absence from the list means absence from the stack.")
    named = {"note": text(), "sources": ref("citations"), "confidence": ref("confidence")}
    architecture_row = obj(
        {
            "classes": array(text("Class name of the config, or * for a generic path."), minimum=1),
            "model_types": array(text("model_type of the config, or the GGUF architecture."), minimum=1),
            "status": one_of(SUPPORT_STATUSES),
            "models": array(text("Hub id that the vendor names."), minimum=1),
            "accelerators": array(word("Accelerator id or family."), minimum=1),
            "task": array(one_of(TASKS), minimum=1),
            "port_tier": text("Tier of the effort model where part of the port is done."),
            **named,
        },
        ("status",),
        more={"if": {"required": ["model_types"]}, "else": {"required": ["classes"]}},
    )
    format_row = obj(
        {
            "methods": array(one_of(QUANT_METHODS), minimum=1),
            "status": one_of(FORMAT_STATUSES),
            "accelerators": array(word("Accelerator id or family."), minimum=1),
            "bits": array({"type": "number", "exclusiveMinimum": 0}, "quant.bits", 1),
            "weight_formats": array(text(), "quant.weight_format", 1),
            "activation_schemes": array(one_of(("static", "dynamic")), "quant.activation_scheme", 1),
            "dtypes": array({"enum": sorted(DTYPE_BITS)}, "weights.dtype", 1),
            "holds": {"enum": ["as-stored", *sorted(DTYPE_BITS)], "description": "What the device holds the weights in."},
            "work": one_of(CONVERSIONS, "What a conversion takes."),
            **named,
        },
        ("methods", "status"),
        more={"if": {"properties": {"status": {"const": "convert"}}}, "then": {"required": ["work"]}},
    )
    properties: Schema = {
        "stack": word("Id of the stack; its folder bears the same name."),
        "extends": word("Stack whose fields this one takes over."),
        "abstract": flag("Only there to be extended."),
        "name": text(),
        "family": one_of(CATALOGUE["stack.family"].values, "Whose effort figures apply."),
        "aliases": array(word(), "Other names that people type."),
        "end_of_life": ref("date"),
        "accelerators": array(word(), "Accelerator ids or families it runs on."),
        "hosted": flag("Whether it is a service rather than software one runs."),
        "hosted_models": array(text(), "Hub ids that the service offers."),
        "default": _DEFAULT,
        "architectures": obj(
            {
                "complete": complete,
                "rows": {"type": "array", "items": architecture_row},
                "like": obj(
                    {
                        "stack": word("Stack whose validated and listed classes count here too."),
                        "status": one_of(SUPPORT_STATUSES),
                        **named,
                    },
                    ("stack", "status"),
                    description="Takes over another stack's list, after this stack's own rows.",
                ),
                **named,
            },
            ("complete", "rows"),
        ),
        "formats": obj(
            {"complete": complete, "rows": {"type": "array", "items": format_row}, **named},
            ("complete", "rows"),
        ),
        **_overridable(),
        "by_accelerator": {
            "type": "object",
            "description": "What differs on one accelerator or family.",
            "additionalProperties": obj(_overridable()),
        },
        "releases": {
            "type": "array",
            "description": "How earlier releases divided memory, newest first; each is laid over those before it.",
            "items": obj(
                {
                    "before": {"type": "string", "pattern": r"^\d+(\.\d+)*$", "description": "First release that no longer does it."},
                    "memory": _section(MemoryModel, "Fields that differ."),
                    "note": text(),
                },
                ("before", "memory"),
            ),
        },
        "sources": ref("sources"),
    }
    return catalogue_document("stack.schema.json", "A serving stack", obj(properties, ("stack",)))


def sources_schema() -> Schema:
    """Return the schema of a file that holds only shared sources."""
    return document("sources.schema.json", "Shared sources", obj({"sources": ref("sources")}, ("sources",)), SOURCE_DEFS)

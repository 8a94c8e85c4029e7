"""The JSON Schemas of what auditor writes: ``inspection`` and ``audit``.

Objects are left open: a later version may add members, and a reader that validates with this one must not stumble.
"""

from collections.abc import Callable

from auditor.facts import AFTER_AUDIT, AVAILABILITIES, CATALOGUE, VERDICTS, Basis, FactSpec
from auditor.inspection.model import LayerKind

Schema = dict[str, object]
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_FINDING_VERDICTS = ("native", "note", "config-change", "needs-port", "blocked", "unknown")
_TYPES: dict[str, Schema] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "strings": {"type": "array", "items": {"type": "string"}},
    "integers": {"type": "array", "items": {"type": "integer"}},
}


def _obj(properties: Schema, description: str = "", *, optional: tuple[str, ...] = (), null: bool = False) -> Schema:
    schema: Schema = {
        "type": ["object", "null"] if null else "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
    }
    return {**schema, "description": description} if description else schema


def _list(items: Schema, description: str = "") -> Schema:
    return {"type": "array", "items": items, **({"description": description} if description else {})}


def _text(description: str = "", *, null: bool = False) -> Schema:
    return {"type": ["string", "null"] if null else "string", **({"description": description} if description else {})}


def _number(description: str = "", *, null: bool = False, minimum: float | None = 0) -> Schema:
    schema: Schema = {"type": ["number", "null"] if null else "number"}
    if minimum is not None:
        schema["minimum"] = minimum
    return {**schema, "description": description} if description else schema


def _integer(description: str = "", minimum: int | None = 0) -> Schema:
    schema: Schema = {"type": "integer", **({} if minimum is None else {"minimum": minimum})}
    return {**schema, "description": description} if description else schema


def _one_of(values: tuple[str, ...], description: str = "", *, null: bool = False) -> Schema:
    return {"enum": [*values, None] if null else list(values), **({"description": description} if description else {})}


def _flag(description: str = "") -> Schema:
    return {"type": "boolean", **({"description": description} if description else {})}


def _range(description: str, *, null: bool = False) -> Schema:
    return _obj({"low": _number(), "likely": _number(), "high": _number()}, description, null=null)


def _fact(spec: FactSpec) -> Schema:
    schema = dict(_TYPES[spec.type])
    if spec.values and spec.type == "string":
        schema["enum"] = list(spec.values)
    return {**schema, "description": f"{spec.meaning}{f' Unit: {spec.unit}.' if spec.unit else ''}"}


def _model() -> Schema:
    layers = _obj(
        {
            "kind": _one_of(tuple(kind.value for kind in LayerKind), "How such a layer remembers the sequence."),
            "count": _integer("Layers of this kind."),
            "bytes_per_token": _number("Cache growth per token of one sequence, all these layers, unsharded."),
            "bytes_per_sequence": _number("Fixed state of one sequence, all these layers."),
            "window": {"type": ["integer", "null"], "description": "Tokens after which the cache stops growing."},
            "detail": _text("Kind of recurrence, or whatever else sets the group apart."),
        }
    )
    return {
        "id": _text("Name of the model as given."),
        "revision": _text("Commit or tag, where the source has one.", null=True),
        "source": _text("Kind of source that the files came from; empty when nothing could be read."),
        "facts": {
            "type": "object",
            "description": "Known facts by name. A fact that does not apply is neither here nor in unknown.",
            "properties": {name: _fact(spec) for name, spec in CATALOGUE.items() if not name.startswith(AFTER_AUDIT)},
        },
        "basis": {
            "type": "object",
            "description": "Where each known fact came from.",
            "additionalProperties": _one_of(tuple(basis.value for basis in Basis)),
        },
        "unknown": {
            "type": "object",
            "description": "Facts that apply and could not be had, with the reason.",
            "additionalProperties": _text(),
        },
        "layers": _list(layers, "The layer census, the basis of every cache figure."),
        "notes": _list(_text(), "What was chosen among variants, what totals differ."),
        "errors": _list(_text(), "Not empty means that the model could not be inspected whole."),
    }


_SOURCE = _obj({"title": _text(), "ref": _text("URL, or owner/repo:path@commit."), "as_of": _text("ISO date."), "where": _text()})


def _placement() -> Schema:
    memory: Schema = {
        name: _integer(minimum=None if name == "usable" else 0)
        for name in ("weights", "kv_cache", "activations", "runtime", "total", "usable")
    }
    return _obj(
        {
            "devices": _integer("Devices that hold the model.", 1),
            "instance": _text("Machine type; empty where none is known."),
            "provider": _text(),
            "instances": _integer("Machines rented.", 0),
            "billed_devices": _integer("Devices paid for: whole machines, unless sold one by one."),
            "borderline": _flag("Within five percent of a limit."),
            "borderline_knob": _text("What to turn then."),
            "launch": _text("Command that starts the server."),
            "tensor_parallel": _integer("In ranks.", 1),
            "pipeline_parallel": _integer("Stages.", 1),
            "expert_parallel": _integer(minimum=1),
            "data_parallel": _integer("Shares that sequences are divided into: copies, and groups that share experts.", 1),
            "weights_dtype": _text("as-stored, or the type that the target holds weights in."),
            "memory_per_device_bytes": _obj(memory, "Of the fullest rank."),
            "max_concurrency": _integer("Sequences that fit at the workload's context."),
            "max_context_tokens": _integer("Context that fits at the workload's concurrency."),
            "cache_per_sequence_bytes": _obj(
                {
                    "logical": _integer("What the model needs, whole model."),
                    "reserved": _integer("What the engine sets aside on one rank."),
                    "reserved_fixed": _integer("Part of it that does not grow with the context."),
                    "reserved_per_token": _number("Its growth per token beyond every window."),
                },
                "Cache of one sequence at the workload's context; null for a model that keeps none.",
                null=True,
            ),
            "notes": _list(_text()),
        },
        "The smallest layout that fits, or the one that was asked for; null where there is none.",
        null=True,
    )


def _throughput() -> Schema:
    return _obj(
        {
            "output_tokens_per_s": _range("Generated tokens per second of the whole placement at the workload's mix, prefill included."),
            "decode_tokens_per_s": _range("The same without prefill."),
            "prefill_tokens_per_s": _range("Prompt tokens per second."),
            "decode_tokens_per_s_per_sequence": _range("What one reader sees."),
            "ttft_s": _range("Seconds to the first token."),
            "tokens_per_joule": _range("Generated tokens per joule of the accelerators.", null=True),
            "basis": _one_of(("estimate", "measured")),
        },
        null=True,
    )


def _cost() -> Schema:
    price = _obj(
        {
            "provider": _text(),
            "instance": _text(),
            "devices": _integer(minimum=1),
            "usd_per_hour": _number(),
            "term": _text(),
            "region": _text(null=True),
            "as_of": _text(),
            "confidence": _text(),
            "stale": _flag("More than 90 days old."),
            "sources": _list(_SOURCE),
        },
        "The published price that was taken; null for a price of the user's own, or none.",
        null=True,
    )
    return _obj(
        {
            "usd_per_hour": _number("Of all devices paid for.", null=True),
            "usd_per_million_tokens": _range("Per million generated tokens.", null=True),
            "usd_per_million_total_tokens": _range("Per million tokens, prompts counted too.", null=True),
            "price": price,
            "reason": _text("Why a figure is null, or what to know of the price."),
            "break_even_months": _range("Months after which the move has paid for itself.", null=True),
            "break_even_reason": _text("Why there are none; never is one."),
            "payback": _payback(),
        }
    )


def _payback() -> Schema:
    swing = _obj(
        {
            "input": _text("What is moved."),
            "half_less": _number("Break-even in months at half less; null for never.", null=True),
            "half_more": _number("Break-even in months at half more; null for never.", null=True),
        }
    )
    return _obj(
        {
            "migration_usd": _number("Weeks at the weekly rate."),
            "monthly_saving_usd": _number(minimum=None, description="At the workload's volume, upkeep left out."),
            "upkeep_usd_per_month": _number("Keeping a second stack; judgement."),
            "exit_usd": _number("Leaving the target again; judgement."),
            "horizon_months": _number("Months that the answer is about."),
            "break_even_months": _number("Null for never.", null=True),
            "break_even_with_upkeep_months": _number("The same with upkeep paid; null for never.", null=True),
            "net_usd": _number("Gained over the horizon, upkeep and exit paid.", minimum=None),
            "stops_paying_below": _number("Baseline price per million tokens below which the move is not paid back in time."),
            "sensitivity_months": _list(swing),
            "drivers": _list(_text("An input that moves the break-even most.")),
        },
        "The answer over the horizon; null without volume, weekly rate or prices.",
        null=True,
    )


def _plan() -> Schema:
    weeks: Schema = {name: _number() for name in ("low", "likely", "high", "expected")}
    weeks["interval80"] = _list(_number())
    order = _obj({"model": _text("Id of a model."), "expected_weeks": _number("Weeks that it adds.")})
    summary = "Moving several models, shared work once."
    return _obj({"target": _text("accelerator/stack"), "effort_weeks": _obj(weeks), "order": _list(order)}, summary)


def _measured() -> Schema:
    return _obj(
        {
            "source": _text("File or address."),
            "tool": _text("What measured it."),
            "model": _text("Model as the server names it.", null=True),
            "output_tokens_per_s": _number("Generated tokens of the whole server."),
            "prompt_tokens_per_s": _number("Prompt tokens of the whole server.", null=True),
            "seconds": _number("Length of the measurement."),
            "requests": _number("Requests that finished.", null=True),
            "concurrency": _number("Requests at once, on average.", null=True),
            "input_tokens": _number("Per request, on average.", null=True),
            "output_tokens": _number("Per request, on average.", null=True),
            "ttft_s": _number("Time to first token.", null=True),
            "cache_use": _number("Share of the cache in use.", null=True),
            "watts": _number("Power, as given.", null=True),
        },
        "What was measured of the server in use; null where the baseline is an estimate.",
        null=True,
    )


def _row() -> Schema:
    weeks = _obj(
        {
            "low": _number(),
            "likely": _number(),
            "high": _number(),
            "expected": _number(null=True),
            "interval80": {"type": ["array", "null"], "items": _number(minimum=None), "minItems": 2, "maxItems": 2},
        },
        "Engineer-weeks; null with a reason where no number would be honest.",
        null=True,
    )
    work = _obj(
        {
            "item": _text(),
            "name": _text(),
            "scope": _one_of(("team_stack", "serving_env", "arch_stack", "kernel_stack", "model"), "How often it is paid."),
            "scope_key": _text("What it is paid once for."),
            "weeks": _range("Weeks of this item."),
            "grade": _text("Letters of evidence."),
            "rules": _list(_text(), "What asked for it."),
        }
    )
    finding = _obj(
        {
            "rule": _text(),
            "title": _text("What the rule is about."),
            "verdict": _one_of(_FINDING_VERDICTS),
            "confidence": _one_of(("high", "medium", "low"), "How sure the claim is, never how bad it is."),
            "message": _text(),
            "evidence": {"type": "object", "description": "The facts that the rule read; null where unknown."},
            "remediation": _text(),
            "work": _list(_text(), "Work items that it asks for."),
            "sources": _list(_SOURCE),
            "ignored": _waiver("The exception by which it does not count; null for none."),
        },
        optional=("ignored",),
    )
    undecided = _obj({"rule": _text(), "verdict": _one_of(_FINDING_VERDICTS), "settled_by": _list(_text())})
    alternative = _obj(
        {
            "name": _text("cheapest, or the type that the weights are held in."),
            "changes_model": _flag("Whether other weights than the published ones are served."),
            "note": _text("What to know of it, or why there is no placement."),
            "placement": _placement(),
            "throughput": _throughput(),
            "usd_per_hour": _number(null=True),
            "usd_per_million_tokens": _range("Per generated token.", null=True),
        }
    )
    copies = _obj(
        {
            "tokens_per_s": _number("Generated tokens per second that all of them reach."),
            "low": _integer("Copies, where each is as fast as it may be.", 1),
            "likely": _integer("Copies.", 1),
            "high": _integer("Copies, where each is as slow as it may be.", 1),
            "devices": _integer("Devices of the likely number.", 1),
            "usd_per_hour": _number("Of the likely number.", null=True),
        },
        "Placements side by side that reach the rate asked for; null where none was.",
        null=True,
    )
    return _obj(
        {
            "accelerator": _text(),
            "stack": _text(),
            "release": _text("Release whose division of memory was asked for; null for the present one.", null=True),
            "verdict": _one_of(VERDICTS),
            "availability": _one_of(AVAILABILITIES),
            "at_least": _one_of(VERDICTS, "The least that an unknown verdict can turn out to be.", null=True),
            "settled_by": _list(_text(), "What would settle an unknown verdict."),
            "placement": _placement(),
            "no_placement": _obj({"reason": _text(), "known": _flag()}, "Why there is no placement.", null=True),
            "throughput": _throughput(),
            "cost": _cost(),
            "effort_weeks": weeks,
            "effort_reason": _text(),
            "effort_grade": _text("Lowest grade of evidence that weighs."),
            "work": _list(work),
            "findings": _list(finding, "Rules that fired."),
            "undecided": _list(undecided, "Rules that could not be decided."),
            "alternatives": {
                **_list(alternative, "Other ways to serve it; null where they were not asked for."),
                "type": ["array", "null"],
            },
            "copies": copies,
        },
        optional=("alternatives", "copies"),
    )


def _waiver(description: str) -> Schema:
    return _obj({"reason": _text(), "until": _text("Last day on which it holds.")}, description, null=True)


def policy_outcome() -> Schema:
    """Return the schema of what one rule of a policy says of one model."""
    return _obj(
        {
            "policy": _text("Name of the policy."),
            "rule": _text(),
            "title": _text("What the rule is about."),
            "level": _one_of(("error", "warning"), "A warning never changes an exit code."),
            "state": _one_of(("met", "violated", "undecided", "excused", "not-applicable")),
            "message": _text("What is so; empty where the rule is met or does not apply."),
            "remediation": _text(),
            "evidence": {"type": "object", "description": "The facts that the rule read; null where unknown."},
            "targets": _list(_text(), "Targets that decided it, of a rule about targets."),
            "settled_by": _list(_text(), "What would decide an undecided one."),
            "exception": _waiver("The exception that excuses it; null for none."),
        }
    )


def _regressions() -> Schema:
    one = _obj(
        {
            "kind": _one_of(("verdict", "devices", "policy")),
            "subject": _text("The target, or the rule of a policy."),
            "before": _text(),
            "now": _text(),
            "cause": _text("The facts that changed, by the keys that state them, or what is so now."),
            "facts": _list(_text(), "Names of the facts that changed."),
            "sentence": _text("The whole in words: was native on Trainium2, now config-change: quant_method became gptq."),
        }
    )
    return {
        "type": ["array", "null"],
        "items": one,
        "description": "What became worse since the revision that was compared with; null where nothing was compared.",
    }


def inspection_schema() -> Schema:
    """Return the schema of ``auditor inspect -f json``."""
    return _document("inspection", "What the files of models say.", {"models": _list(_obj(_model()))})


def audit_schema() -> Schema:
    """Return the schema of ``auditor audit -f json``."""
    model = _obj(
        {
            **_model(),
            "workload": {"type": "object", "description": "The workload, every default filled in."},
            "workload_basis": {"type": "object", "additionalProperties": _text(), "description": "user, or assumed, by field."},
            "targets": _list(_row(), "One row per target."),
            "dual_stack": _obj(
                {"primary": _text("accelerator/stack"), "fallback": _text("accelerator/stack")},
                "Two vendors' stacks that both serve the model as it is; null where there are none.",
                null=True,
            ),
            "policy": _list(policy_outcome(), "What the policies say that the run was checked against."),
            "regressions": _regressions(),
        },
        optional=("policy", "regressions"),
    )
    members: Schema = {
        "rules_digest": _text("Digest of all rules and figures."),
        "date": _text("Day that prices and sources were judged by."),
        "baseline": _measured(),
        "plans": _list(_plan()),
        "models": _list(model),
    }
    return _document("audit", "Models against accelerators.", members)


def _document(name: str, description: str, members: Schema) -> Schema:
    head: Schema = {"schema": {"const": f"auditor/{name}/1"}, "auditor": _text("Version of auditor.")}
    return {
        "$schema": _DRAFT,
        "$id": f"auditor/{name}/1",
        "title": f"auditor {name}",
        **_obj({**head, **members}, description),
    }


#: The schemas that are generated from this module, by name.
GENERATED: dict[str, Callable[[], Schema]] = {"audit": audit_schema, "inspection": inspection_schema}

"""Builds the JSON Schemas of rules and rule tests from the fact catalogue.

A condition is one object with a property per fact and at most one property, so an editor completes fact names and a
misspelt fact is an error at its own line. Operand types are chosen by ``if``/``then``/``else``, never ``oneOf``.
"""

from collections.abc import Callable, Mapping
from typing import get_type_hints

from auditor.catalog.condition_parser import OPERATORS, comparable, kind_of, values_of
from auditor.catalog.schema import accelerator_schema, prices_schema, sources_schema, stack_schema
from auditor.catalog.schema_parts import SOURCE_DEFS, Schema, array, document, flag, obj, one_of, ref, text, word
from auditor.facts import AFTER_AUDIT, AVAILABILITIES, CATALOGUE, FactSpec, FactType
from auditor.workload import Workload

RULE_VERDICTS = ("native", "note", "config-change", "needs-port", "blocked", "unknown")
WORSE = ("config-change", "needs-port", "blocked")
EXPECTATIONS = ("fires", "quiet", "unknown")
_KINDS: tuple[FactType, ...] = ("string", "integer", "number", "boolean", "strings", "integers")


#: Facts that a rule may read.
RULE_FACTS = {name: spec for name, spec in CATALOGUE.items() if not name.startswith(AFTER_AUDIT)}


def _facts_of(facts: Mapping[str, FactSpec], *kinds: str) -> list[str]:
    return [name for name, spec in facts.items() if kind_of(spec) in kinds]


def _operand_kinds() -> set[tuple[str, ...]]:
    """Return every set of kinds that some operator takes a fact of."""
    return {comparable(kind, operator) for kind, operators in OPERATORS.items() for operator in operators if comparable(kind, operator)}


def _scalar(spec: FactSpec) -> Schema:
    """Return the schema of one value (of one element, for a list fact)."""
    if values := values_of(spec):
        return {"enum": list(values)}
    plain = {"string": "string", "strings": "string", "integer": "integer", "integers": "integer", "number": "number", "boolean": "boolean"}
    return {"type": plain[spec.type]}


def _or_fact(value: Schema, spec: FactSpec, operator: str) -> Schema:
    """Return the operand of an operator: a value, or a fact of a kind that it can be compared with."""
    kinds = comparable(kind_of(spec), operator)
    facts = ref(f"{'Or'.join(kinds)}Fact")
    return {"if": {"type": "object"}, "then": obj({"fact": facts}, ("fact",)), "else": value}


def _operators(spec: FactSpec) -> Schema:
    """Return the operators that make sense for a fact, each with its operand."""
    scalar = _scalar(spec)
    several = array(scalar, minimum=1)
    a_list = kind_of(spec) in ("strings", "integers")
    one_or_several: Schema = {"if": {"type": "array"}, "then": several, "else": scalar}
    text_operand: Schema = {"type": "string", "minLength": 1}
    operands: dict[str, Schema] = {
        **{name: _or_fact(array(scalar) if a_list else scalar, spec, name) for name in ("eq", "ne")},
        **{name: _or_fact(scalar, spec, name) for name in ("gt", "ge", "lt", "le")},
        "in": _or_fact(several, spec, "in"),
        "contains": _or_fact(one_or_several, spec, "contains") if a_list else text_operand,
        "matches": {**text_operand, "format": "regex"},
        "known": flag(),
    }
    return obj({name: operands[name] for name in OPERATORS[kind_of(spec)]}, more={"minProperties": 1})


def _predicate(spec: FactSpec) -> Schema:
    """Return what may follow a fact's name: a value, a list of values, or operators."""
    if kind_of(spec) in ("strings", "integers"):
        return _operators(spec)
    scalar = _scalar(spec)
    several: Schema = {"if": {"type": "array"}, "then": array(scalar, minimum=1), "else": scalar}
    plain = several if "in" in OPERATORS[kind_of(spec)] else scalar
    return {"if": {"type": "object"}, "then": _operators(spec), "else": plain}


def _described(spec: FactSpec) -> Schema:
    """Return the predicate of one fact: its own where its values are listed, else that of its type."""
    unit = f" [{spec.unit}]" if spec.unit else ""
    predicate = _predicate(spec) if values_of(spec) else ref(f"{spec.type}Predicate")
    return {"description": f"{spec.meaning}{unit}", **predicate}


def _condition(facts: Mapping[str, FactSpec]) -> Schema:
    properties: Schema = {
        "all": {"type": "array", "minItems": 1, "items": ref("condition"), "description": "Every one of these."},
        "any": {"type": "array", "minItems": 1, "items": ref("condition"), "description": "At least one of these."},
        "not": {**ref("condition"), "description": "The opposite of this."},
        "always": {"const": True, "description": "Fires on every target that the rule applies to."},
        **{name: _described(spec) for name, spec in facts.items()},
    }
    return obj(properties, (), "One fact, or one of all, any, not.", {"minProperties": 1, "maxProperties": 1})


def condition_defs(facts: Mapping[str, FactSpec]) -> Schema:
    """Return the definitions of conditions over ``facts``, to be referred to as ``condition``."""
    return {
        "condition": _condition(facts),
        **{f"{kind}Predicate": _predicate(FactSpec("", kind, "", "")) for kind in _KINDS},
        **{f"{'Or'.join(kinds)}Fact": {"enum": _facts_of(facts, *kinds)} for kinds in sorted(_operand_kinds())},
    }


def _applies_to() -> Schema:
    return obj(
        {
            "stack": array(word("Stack id."), minimum=1),
            "stack_family": array(one_of(CATALOGUE["stack.family"].values), minimum=1),
            "accelerator": array(word("Accelerator id."), minimum=1),
            "family": array(word("Accelerator family."), minimum=1),
            "vendor": array(word("Vendor of the accelerator."), minimum=1),
            "availability": array(one_of(AVAILABILITIES), minimum=1),
        },
        description="Targets it is about: every key given must match, any value of a key will do.",
    )


def rules_schema() -> Schema:
    """Return the schema of a rule file."""
    shared: Schema = {
        "verdict": one_of(
            RULE_VERDICTS,
            "native: positive evidence. note: says something, changes nothing. unknown: cannot be told; give at_worst.",
        ),
        "confidence": ref("confidence"),
        "work": array(word("Case of a work item."), "Work items it triggers."),
        "sources": ref("citations"),
    }
    rule = obj(
        {
            "id": {
                "type": "string",
                "pattern": "^[a-z0-9]+(-[a-z0-9]+)+$",
                "description": "Words joined by hyphens; stable, never reused.",
            },
            "title": text("One line for lists."),
            "applies_to": ref("applies_to"),
            "replaces": word("Rule that this one of a pack takes the place of."),
            "when": ref("condition"),
            **shared,
            "at_worst": one_of(WORSE, "How bad it may turn out, for verdict unknown."),
            "settled_by": array(text(), "What would settle it, for verdict unknown.", 1),
            "message": text("What is so, with {facts} filled in."),
            "remediation": text("What a person can do about it."),
        },
        ("id", "when", "message", "remediation"),
        more={"if": {"properties": {"verdict": {"const": "unknown"}}, "required": ["verdict"]}, "then": {"required": ["at_worst"]}},
    )
    body = obj(
        {
            "rules": {"type": "array", "items": rule},
            "applies_to": ref("applies_to"),
            "default": obj(shared, description="Laid under every rule that does not say otherwise."),
            "sources": ref("sources"),
        },
        ("rules",),
    )
    defs: Schema = {
        **SOURCE_DEFS,
        "applies_to": _applies_to(),
        **condition_defs(RULE_FACTS),
    }
    return document("rules.schema.json", "Rules", body, defs)


def _fact_value(spec: FactSpec) -> Schema:
    scalar = _scalar(spec)
    value = array(scalar) if spec.type in ("strings", "integers") else scalar
    return {"description": spec.meaning, "if": {"type": "null"}, "else": value}


def workload_value(hint: object) -> Schema:
    """Return the schema of one field of a workload by its type."""
    if hint is bool:
        return flag()
    if hint in (int, int | None):
        return {"type": "integer", "minimum": 1}
    return {"type": "number", "exclusiveMinimum": 0} if hint in (float, float | None) else text()


def rule_tests_schema() -> Schema:
    """Return the schema of a file of rule tests."""
    workload = obj({name: workload_value(hint) for name, hint in get_type_hints(Workload).items()})
    case = obj(
        {
            "rule": word("Id of the rule."),
            "verdict": one_of(("native", *WORSE, "unknown"), "Whole verdict of the model on the target, instead of a rule."),
            "model": text("Fixture: a file of fixtures/ without .snapshot.json.gz."),
            "on": text("Target: accelerator/stack."),
            "workload": workload,
            "facts": obj({name: _fact_value(spec) for name, spec in RULE_FACTS.items()}, description="Facts by name; null is unknown."),
            "absent": array({"enum": list(RULE_FACTS)}, "Facts that do not apply."),
            "expect": one_of(EXPECTATIONS),
            "message": text("Part of the message."),
            "because": text("Why this case is here."),
        },
        more={"if": {"required": ["verdict"]}, "then": {"required": ["model", "on"]}, "else": {"required": ["rule", "expect"]}},
    )
    body = obj({"cases": {"type": "array", "minItems": 1, "items": case}}, ("cases",))
    return document("rule-tests.schema.json", "Tests of rules", body, {})


#: Every generated schema by name.
GENERATED: dict[str, Callable[[], Schema]] = {
    "accelerator": accelerator_schema,
    "prices": prices_schema,
    "rule-tests": rule_tests_schema,
    "rules": rules_schema,
    "sources": sources_schema,
    "stack": stack_schema,
}

"""Engineer-weeks of a migration: work items, summed over unique scope keys.

Each item has low / likely / high weeks (l, m, h). Expected ``e = (l + 4m + h) / 6`` and ``sigma = (h - l) / 6`` are the
usual three-point (PERT) forms. Totals: ``L, M, H, E`` are plain sums; the 80 % interval is ``E -/+ 1.28 S`` with
``S^2 = (1 - rho) * sum(sigma^2) + rho * (sum sigma)^2``, because items of one migration share team and stack.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from auditor.catalog.effort import EffortModel, Weeks, WorkItemSpec
from auditor.catalog.model import Stack
from auditor.facts import Facts
from auditor.results import Effort, WorkItem
from auditor.rules.model import Finding
from auditor.sizing.model import Placement, Range

#: 80 % of a normal distribution lies within this many standard deviations.
_Z80 = 1.28
#: Devices up to which a placement counts as one group; more of them in one instance are a full node.
_GROUP_DEVICES = 8
_GRADE_ORDER = "SDOWJ"
_GRADE_WORDS = {
    "S": "published total",
    "D": "documentation",
    "O": "observed pull requests",
    "W": "weak sources",
    "J": "mostly judgement",
}


@dataclass(frozen=True, slots=True)
class EffortOptions:
    """What is known of the team. Maturity multipliers are off by default: the anchor already contains them."""

    experience: str = "some"
    ai_assist: bool = False
    regulated: bool = False
    maturity: bool = False


def estimate(
    model: EffortModel,
    stack: Stack,
    facts: Facts,
    placement: Placement | None,
    findings: Sequence[Finding],
    options: EffortOptions = EffortOptions(),
    *,
    current_stack: str = "vllm-cuda",
    latency_target: bool = True,
) -> Effort:
    """Return the weeks that moving one model to ``stack`` takes, as the first model of the team there.

    ``findings`` are the rules that fired; their ``work`` names the triggered items. Raises KeyError when a finding
    names an item that the effort model does not have (the catalogue checks that on load).
    """
    if not model.items["toolchain"].weeks_for(stack.family):
        return no_effort(f"no effort figures exist for {stack.name}")
    triggers: dict[str, list[str]] = {spec.id: ["always"] for spec in model.items.values() if spec.always}
    for finding in findings:
        for work in finding.work:
            item = port_tier(facts) if work == "port" else work
            triggers.setdefault(item, []).append(finding.rule)
    _keep_highest_port(model, triggers)
    if any(item.startswith("port-") and item != "port-encoder" for item in triggers):
        triggers["accuracy-after-port"] = ["after a port"]
    if facts.flag("workload.multimodal_input"):
        triggers["accuracy-multimodal"] = ["workload.multimodal_input"]
    if not current_stack.startswith("vllm") and current_stack != stack.id:
        triggers["leaving-non-vllm"] = ["workload.current_stack"]
    items = tuple(
        _work_item(spec, model, stack, facts, placement, options, tuple(triggers[spec.id]), latency_target=latency_target)
        for spec in model.items.values()
        if spec.id in triggers
    )
    return total(items, model.rho)


def no_effort(reason: str) -> Effort:
    """Return an effort without weeks: no number would be honest."""
    return Effort(weeks=None, expected=None, interval80=None, items=(), grade="", reason=reason)


def already_there(stack: Stack) -> Effort:
    """Return the effort of staying where the model is served today."""
    zero = Range(0.0, 0.0, 0.0)
    return Effort(weeks=zero, expected=0.0, interval80=(0.0, 0.0), items=(), grade="", reason=f"served by {stack.name} here today")


def upkeep(model: EffortModel, stack: Stack) -> float:
    """Return the likely engineer-weeks per month of keeping ``stack`` beside the one in use; 0 where no figure exists."""
    return model.upkeep.get(stack.family, (0.0, 0.0, 0.0))[1]


def way_back(model: EffortModel) -> float:
    """Return the likely engineer-weeks of leaving a target again: what every model pays to move onto a CUDA stack."""
    spent = (spec.weeks_for("cuda") for spec in model.items.values() if spec.always and spec.scope == "model")
    return math.fsum(weeks[1] for weeks in spent if weeks)


def total(items: Iterable[WorkItem], rho: float) -> Effort:
    """Sum items over unique scope keys, by the formula at the head of this module."""
    return total_of_many(((item, 1) for item in {(item.item, item.scope_key): item for item in items}.values()), rho)


def total_of_many(items: Iterable[tuple[WorkItem, int]], rho: float) -> Effort:
    """Sum items, each as many times as is said beside it; what shares a scope key is left out beforehand."""
    counted = tuple(items)
    low, likely, high = (math.fsum(getattr(item.weeks, part) * count for item, count in counted) for part in ("low", "likely", "high"))
    expected = math.fsum(expected_weeks(item.weeks) * count for item, count in counted)
    sigmas = [((item.weeks.high - item.weeks.low) / 6, count) for item, count in counted]
    squares, plain = math.fsum(sigma * sigma * count for sigma, count in sigmas), math.fsum(sigma * count for sigma, count in sigmas)
    spread = math.sqrt((1 - rho) * squares + rho * plain**2)
    interval = (max(0.0, expected - _Z80 * spread), expected + _Z80 * spread)
    return Effort(
        weeks=Range(low, likely, high),
        expected=expected,
        interval80=interval,
        items=tuple(item for item, _ in counted),
        grade=_grade(counted, expected),
    )


_TIERS: tuple[tuple[str, Callable[[Facts], bool]], ...] = (
    ("port-recurrent", lambda facts: facts.text("arch.class") in {"ssm", "hybrid"} or bool(facts.value("attention.recurrent_kinds"))),
    ("port-diffusion", lambda facts: facts.text("arch.class") == "diffusion"),
    (
        "port-latent-attention",
        lambda facts: (
            facts.text("attention.kind") == "mla" or facts.flag("attention.sparse") or (facts.number("params.total") or 0) > 500e9
        ),
    ),
    ("port-moe", lambda facts: (facts.number("moe.experts") or 0) > 0),
    ("port-vision-language", lambda facts: facts.text("arch.class") == "multimodal"),
    ("port-encoder-decoder", lambda facts: facts.text("arch.task") in {"seq2seq-lm", "speech-to-text", "text-to-speech"}),
    (
        "port-encoder",
        lambda facts: (
            facts.text("arch.task") in {"encoder", "embedding", "reranker", "image-encoder", "audio-encoder"}
            and facts.text("attention.kind") is not None
            and not facts.number("kv_cache.bytes_per_token")
        ),
    ),
)


def port_tier(facts: Facts) -> str:
    """Return the highest tier of port work that the model's facts ask for; tiers are never added up."""
    return next((tier for tier, applies in _TIERS if applies(facts)), "port-dense")


def architecture_key(facts: Facts) -> str:
    """Return what makes two models one architecture for a port: the class, and the traits that change the work."""
    classes = facts.value("arch.architectures")
    name = str(classes[0]) if isinstance(classes, tuple) and classes else facts.text("arch.model_type") or "unknown"
    traits = [
        trait
        for trait, present in (
            ("qkv-bias", facts.flag("attention.qkv_bias")),
            ("window", (facts.number("attention.sliding_layers") or 0) > 0),
            ("sinks", facts.flag("attention.sinks")),
            ("latent", facts.text("attention.kind") == "mla"),
            ("top-k>8", (facts.number("moe.experts_per_token") or 0) > 8),
            ("head>128", (facts.number("attention.head_dim") or 0) > 128),
        )
        if present
    ]
    return f"{name}[{','.join(traits)}]" if traits else name


def shape_key(facts: Facts) -> str:
    """Return what makes two models the same shapes, so that one is a fine-tune of the other as far as work goes."""
    names = ("arch.layers", "arch.hidden_size", "attention.heads", "attention.kv_heads", "arch.vocab_size", "moe.experts", "params.total")
    return "/".join(str(facts.value(name)) for name in names)


def _keep_highest_port(model: EffortModel, triggers: dict[str, list[str]]) -> None:
    """Drop all ports but the largest: a port of the whole architecture contains the smaller ones."""
    ports = [item for item in triggers if item.startswith("port-")]
    if len(ports) > 1:
        largest = max(ports, key=lambda item: model.items[item].weeks["*"][1])
        for item in ports:
            if item != largest:
                triggers[largest].extend(triggers.pop(item))


def _work_item(
    spec: WorkItemSpec,
    model: EffortModel,
    stack: Stack,
    facts: Facts,
    placement: Placement | None,
    options: EffortOptions,
    triggers: tuple[str, ...],
    *,
    latency_target: bool,
) -> WorkItem:
    weeks: Weeks = spec.weeks_for(stack.family) or (0.0, 0.0, 0.0)
    if spec.batch_only and not latency_target:
        weeks = min(weeks, spec.batch_only)
    levels = {
        "experience": options.experience,
        "scale": _scale(placement),
        "maturity": stack.maturity_multiplier if options.maturity else "baseline",
        "ai_assist": "on" if options.ai_assist else "off",
        "regulated": "yes" if options.regulated else "no",
    }
    factor = math.prod(model.multipliers[name][levels[name]] for name in spec.multipliers)
    keys = {
        "team_stack": stack.id,
        "serving_env": stack.id,
        "arch_stack": f"{architecture_key(facts)} on {stack.id}",
        "kernel_stack": f"{_kernel_key(facts)} on {stack.id}",
        "model": f"{facts.text('model.id')} on {stack.id}",
    }
    low, likely, high = (value * factor for value in weeks)
    return WorkItem(spec.id, spec.name, spec.scope, keys[spec.scope], Range(low, likely, high), spec.grade, triggers)


def _scale(placement: Placement | None) -> str:
    if placement is None or placement.devices <= _GROUP_DEVICES:
        return "group"
    return "node" if placement.instances <= 1 else "multi-node"


def _kernel_key(facts: Facts) -> str:
    kinds = facts.value("attention.recurrent_kinds")
    if isinstance(kinds, tuple) and kinds:
        return "+".join(str(kind) for kind in kinds)
    kernels = facts.value("repo.custom_kernels")
    if isinstance(kernels, tuple) and kernels:
        return "+".join(str(kernel) for kernel in kernels)
    return facts.text("attention.kind") or "attention"


def expected_weeks(weeks: Range) -> float:
    """Return the mean of a three-point estimate."""
    return (weeks.low + 4 * weeks.likely + weeks.high) / 6


def _grade(items: Iterable[tuple[WorkItem, int]], expected: float) -> str:
    """Return the weakest kind of evidence that carries more than a fifth of the expected weeks."""
    shares: dict[str, float] = {}
    for item, count in items:
        letter = max(item.grade, key=_GRADE_ORDER.index)
        shares[letter] = shares.get(letter, 0.0) + expected_weeks(item.weeks) * count
    heavy = [letter for letter, share in shares.items() if expected and share > expected / 5]
    return _GRADE_WORDS[max(heavy, key=_GRADE_ORDER.index)] if heavy else ""

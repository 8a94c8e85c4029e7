"""The effort model gives the worked totals of its method, from facts and never from names."""

import pytest

from auditor.catalog import load_catalog
from auditor.catalog.effort import EffortModel
from auditor.catalog.model import Stack
from auditor.effort import EffortOptions, estimate, port_tier, total
from auditor.facts import Basis, Facts, Known, Value
from auditor.planning import alone, plan
from auditor.results import Effort
from auditor.rules.model import Finding
from auditor.sizing.model import Memory, Placement


@pytest.fixture(scope="module")
def model() -> EffortModel:
    return load_catalog().effort


def _stack(family: str, name: str | None = None) -> Stack:
    return Stack(
        id=name or f"{family}-stack",
        name=family,
        family=family,
        version="1",
        maturity="stable",
        maturity_multiplier="baseline",
        accelerators=(),
        architectures_complete=True,
        architectures=(),
        formats=(),
        memory=None,
        parallelism=None,
        efficiency={},
        features=(),
        unsupported_features=(),
        limits={},
        launch="",
    )


def _facts(name: str, architecture: str, **more: Value) -> Facts:
    values: dict[str, Value] = {
        "model.id": name,
        "arch.class": "dense-transformer",
        "arch.task": "causal-lm",
        "arch.architectures": (architecture,),
    }
    values.update({key.replace("__", "."): value for key, value in more.items()})
    return Facts({key: Known(value, Basis.CONFIG) for key, value in values.items()})


LLAMA_70B = _facts("llama-70b", "LlamaForCausalLM", arch__layers=80)
LLAMA_8B = _facts("llama-8b", "LlamaForCausalLM", arch__layers=32)


def _finding(*work: str) -> Finding:
    return Finding("some-rule", "needs-port", "high", "", {}, "", work, ())


def _full_node(devices: int = 16) -> Placement:
    memory = Memory(0, 0, 0, 0, 0, 0)
    return Placement(devices, "x", "y", 1, devices, devices, 1, 1, 1, memory, 1, 1, False, "", "as-stored", "")


def _row(effort: Effort) -> tuple[float, float, float]:
    assert effort.weeks is not None
    return (effort.weeks.low, effort.weeks.likely, effort.weeks.high)


CASES = {
    "dense to Neuron": (_stack("neuron"), LLAMA_70B, (), None, (2.0, 3.5, 6.0), 3.7, (3.0, 4.3)),
    "dense AWQ without a port to Neuron": (
        _stack("neuron"),
        _facts("q", "Qwen2ForCausalLM"),
        (_finding("port", "requantize"),),
        None,
        (3.1, 6.2, 11.7),
        6.6,
        (5.2, 8.0),
    ),
    "MoE to Neuron": (
        _stack("neuron"),
        _facts("m", "M", arch__class="moe-transformer", moe__experts=128),
        (_finding("port"),),
        None,
        (3.8, 7.1, 13.2),
        7.6,
        (6.0, 9.2),
    ),
    "latent attention on a full node": (
        _stack("neuron"),
        _facts("d", "D", arch__class="moe-transformer", moe__experts=256, attention__kind="mla"),
        (_finding("port", "rescale", "checkpoint-dequantize-large"), _finding("sharding-rule-failure")),
        _full_node(),
        (5.7, 10.9, 20.5),
        11.6,
        (9.1, 14.1),
    ),
    "Mamba hybrid with its scan kernel": (
        _stack("neuron"),
        _facts("g", "G", arch__class="hybrid"),
        (_finding("port", "kernel-attention-or-scan"),),
        None,
        (7.3, 15.1, 31.2),
        16.5,
        (12.3, 20.6),
    ),
    "hybrid from an open pull request": (
        _stack("neuron"),
        _facts("q35", "Q", arch__class="hybrid"),
        (_finding("port-listed", "sharding-rule-failure"),),
        None,
        (2.8, 5.2, 10.2),
        5.6,
        (4.5, 6.8),
    ),
    "diffusion pipeline": (
        _stack("neuron"),
        _facts("f", "F", arch__class="diffusion"),
        (_finding("port"),),
        None,
        (4.3, 8.1, 15.2),
        8.7,
        (6.8, 10.5),
    ),
    "encoder through an exporter": (
        _stack("neuron"),
        _facts("b", "B", arch__task="encoder", attention__kind="mha"),
        (_finding("port"),),
        None,
        (2.2, 4.1, 7.2),
        4.3,
        (3.5, 5.1),
    ),
    "dense to TPU": (_stack("tpu_vllm"), LLAMA_70B, (), None, (2.0, 3.5, 6.0), 3.7, (3.0, 4.3)),
    "dense to TPU by a fallback": (_stack("tpu_vllm"), LLAMA_70B, (_finding("port-listed"),), None, (2.5, 4.6, 8.7), 4.9, (3.9, 5.9)),
    "hybrid to TPU": (
        _stack("tpu_vllm"),
        _facts("n", "N", arch__class="hybrid"),
        (_finding("port"),),
        None,
        (5.3, 10.1, 19.2),
        10.8,
        (8.3, 13.3),
    ),
    "dense to MaxText": (_stack("jax"), LLAMA_8B, (_finding("checkpoint-conversion"),), None, (2.7, 5.2, 9.6), 5.5, (4.4, 6.6)),
    "dense to ROCm": (_stack("rocm"), LLAMA_70B, (), None, (0.75, 1.55, 3.2), 1.7, (1.3, 2.1)),
    "dense to Gaudi": (_stack("gaudi"), LLAMA_70B, (), None, (1.45, 2.7, 5.2), 2.9, (2.3, 3.5)),
    "catalogue model to a hosted ASIC": (_stack("hosted_asic"), LLAMA_70B, (), None, (0.5, 1.1, 2.4), 1.2, (0.9, 1.5)),
    "one CUDA generation to the next": (_stack("cuda"), LLAMA_70B, (), None, (0.35, 0.8, 1.5), 0.8, (0.6, 1.0)),
}


@pytest.mark.parametrize("case", CASES, ids=lambda name: name.replace(" ", "-"))
def test_worked_examples(model: EffortModel, case: str) -> None:
    stack, facts, findings, placement, weeks, expected, interval = CASES[case]
    effort = estimate(model, stack, facts, placement, findings)
    assert _row(effort) == pytest.approx(weeks, abs=0.051)
    assert effort.expected == pytest.approx(expected, abs=0.06)
    assert effort.interval80 == pytest.approx(interval, abs=0.06)


def test_experience_moves_the_weeks(model: EffortModel) -> None:
    new = estimate(model, _stack("neuron"), LLAMA_70B, None, (), EffortOptions(experience="new"))
    migrated = estimate(model, _stack("neuron"), LLAMA_70B, None, (), EffortOptions(experience="migrated"))
    assert _row(new) == pytest.approx((2.2, 4.0, 6.8), abs=0.051)
    assert _row(migrated) == pytest.approx((1.8, 3.0, 5.2), abs=0.051)


def test_an_inventory_pays_shared_work_once(model: EffortModel) -> None:
    neuron = _stack("neuron")
    singles = {
        "llama-70b": (LLAMA_70B, ()),
        "gpt-oss": (_facts("gpt-oss", "GptOssForCausalLM"), ()),
        "llama-8b": (LLAMA_8B, ()),
        "qwen-awq": (_facts("qwen-awq", "Qwen2ForCausalLM"), (_finding("port", "requantize"),)),
    }
    efforts = {name: (facts, estimate(model, neuron, facts, None, findings)) for name, (facts, findings) in singles.items()}
    shared = plan(model, [alone(model, name, facts, effort) for name, (facts, effort) in efforts.items()])
    assert _row(shared.total) == pytest.approx((5.9, 11.4, 20.7), abs=0.051)
    assert sum(_row(effort)[1] for _, effort in efforts.values()) == pytest.approx(16.7, abs=0.051)
    marginal = {step.models: _row(total(step.items, model.rho)) for step in shared.steps}
    assert min(marginal.values()) == pytest.approx((0.7, 1.3, 2.2), abs=0.051), "the second Llama costs least"


def test_a_fine_tune_costs_less_than_its_sibling(model: EffortModel) -> None:
    neuron = _stack("neuron")
    tuned = _facts("llama-70b-tuned", "LlamaForCausalLM", arch__layers=80)
    efforts = {str(facts.text("model.id")): (facts, estimate(model, neuron, facts, None, ())) for facts in (LLAMA_70B, tuned)}
    pair = [alone(model, name, facts, effort) for name, (facts, effort) in efforts.items()]
    second = plan(model, pair).steps[1]
    assert _row(total(second.items, model.rho)) == pytest.approx((0.6, 1.0, 1.6), abs=0.051)


def test_order_of_difficulty() -> None:
    dense = LLAMA_8B
    moe = _facts("m", "M", moe__experts=8)
    latent = _facts("l", "L", moe__experts=8, attention__kind="mla")
    hybrid = _facts("h", "H", moe__experts=8, attention__kind="mla", arch__class="hybrid")
    assert [port_tier(facts) for facts in (dense, moe, latent, hybrid)] == [
        "port-dense",
        "port-moe",
        "port-latent-attention",
        "port-recurrent",
    ]


def test_the_largest_port_contains_the_smaller_ones(model: EffortModel) -> None:
    effort = estimate(model, _stack("neuron"), LLAMA_70B, None, (_finding("port"), _finding("port-listed")))
    assert [item.item for item in effort.items if item.item.startswith("port-")] == ["port-dense"]


def test_a_stack_without_figures_has_no_weeks(model: EffortModel) -> None:
    effort = estimate(model, _stack("captive"), LLAMA_70B, None, ())
    assert effort.weeks is None
    assert "no effort figures" in effort.reason

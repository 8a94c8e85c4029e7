"""What a workload adds to the model: adapters, and what drafts for it."""

from dataclasses import replace

import pytest

from auditor.facts import Basis, Facts, Known
from auditor.inspection.model import Inspection
from auditor.sizing import NoPlacement, Placement, place
from auditor.sizing.extras import lora_bytes
from auditor.sizing.model import Layout
from auditor.sizing.shape import Shape, read_shape
from tests.support.hands import experts, full, latent, model, target, workload


def shape(inspection: Inspection) -> Shape:
    found = read_shape(inspection)
    assert isinstance(found, Shape)
    return found


def placed(inspection: Inspection, load: object = None, draft: Inspection | None = None) -> Placement:
    found = place(inspection, target(), load or workload(), draft=draft)  # type: ignore[arg-type]
    assert isinstance(found, Placement), found
    return found


def test_an_adapter_of_every_projection_has_as_many_parameters_as_peft_prints() -> None:
    # Llama 3.1 8B, rank 16, all linear layers: "trainable params: 41,943,040".
    assert lora_bytes(shape(model()), Layout(1), 1, 16) == 41_943_040 * 2
    assert lora_bytes(shape(model()), Layout(1), 4, 32) == 8 * lora_bytes(shape(model()), Layout(1), 1, 16)


def test_tensor_parallelism_divides_half_of_an_adapter() -> None:
    whole, half = (lora_bytes(shape(model()), Layout(degree), 1, 16) for degree in (1, 2))
    assert whole / 2 < half < whole


def test_every_expert_has_a_slot() -> None:
    one = lora_bytes(shape(experts()), Layout(1), 1, 8)
    routed = 48 * 128 * 3 * (2048 + 768) * 8 * 2
    assert routed < one < 1.1 * routed
    assert lora_bytes(shape(experts()), Layout(8, expert=8), 1, 8) < one / 7


def test_adapters_take_memory_from_the_cache() -> None:
    with_adapters = placed(model(), replace(workload(), lora_adapters=8, lora_rank=64))
    added = with_adapters.memory.weights - placed(model()).memory.weights
    assert added == 8 * 4 * 41_943_040 * 2
    assert with_adapters.max_concurrency < placed(model()).max_concurrency
    # LoRA without figures is one adapter of rank 16, as engines set aside.
    assert placed(model(), replace(workload(), lora=True)).memory.weights - placed(model()).memory.weights == 41_943_040 * 2


def test_a_draft_model_brings_weights_and_cache() -> None:
    small = model((full(16, kv_heads=8, head_dim=64),), params__total=1_235_814_400, weights__bytes=2_471_628_800, arch__layers=16)
    alone, both = placed(model()), placed(model(), draft=small)
    assert both.memory.weights - alone.memory.weights == pytest.approx(2_471_628_800, rel=0.02)
    assert both.cache
    assert alone.cache
    assert both.cache.reserved - alone.cache.reserved == 8192 * 16 * 2 * 8 * 64 * 2
    assert any("drafts" in note for note in both.notes)


def test_its_own_prediction_layers_draft_where_no_model_is_named() -> None:
    load = replace(workload(), speculative=True)
    facts = {"arch.mtp_layers": 1, "weights.mtp_bytes": 1_000_000_000, "attention.kind": "mla"}
    predicting = model((latent(32),))
    predicting = replace(predicting, facts=predicting.facts.merged({name: Known(value, Basis.CONFIG) for name, value in facts.items()}))
    found, without = placed(predicting, load), placed(predicting)
    assert found.memory.weights - without.memory.weights == 1_000_000_000
    assert found.cache
    assert without.cache
    assert found.cache.reserved == without.cache.reserved * 33 // 32
    assert "no draft model is named" in placed(model(), load).notes[0]


def test_what_is_not_known_of_a_draft_is_said() -> None:
    unread = replace(model(), id="draft", facts=Facts({}))
    found = place(model(), target(), workload(), draft=unread)
    assert isinstance(found, NoPlacement)
    assert not found.known
    assert found.reason.startswith("the draft model draft: ")

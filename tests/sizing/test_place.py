"""Placement: the smallest that holds the workload, the one asked for, and why there is none."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.catalog.model import FormatSupport, Instance, Target
from auditor.facts import Basis, Facts, Known, Unknown
from auditor.inspection.model import Inspection
from auditor.sizing import Constraints, NoPlacement, Placement, place
from auditor.units import GIB
from auditor.workload import Workload
from tests.support.hands import GB, accelerator, experts, figure, full, latent, model, neuron, price, stack, state, target, window, workload


def placed(inspection: Inspection, on: Target | None = None, load: Workload | None = None, **constraints: object) -> Placement:
    answer = place(inspection, on or target(), load or workload(), (price(3),), Constraints(**constraints))  # type: ignore[arg-type]
    assert isinstance(answer, Placement), answer
    return answer


def refused(inspection: Inspection, on: Target | None = None, load: Workload | None = None, **constraints: object) -> NoPlacement:
    answer = place(inspection, on or target(), load or workload(), (), Constraints(**constraints))  # type: ignore[arg-type]
    assert isinstance(answer, NoPlacement), answer
    return answer


def memory(**changes: object) -> Target:
    engine = stack()
    assert engine.memory
    return target(engine=replace(engine, memory=replace(engine.memory, **changes)))  # type: ignore[arg-type]


def rules(**changes: object) -> Target:
    engine = stack()
    assert engine.parallelism
    return target(engine=replace(engine, parallelism=replace(engine.parallelism, **changes)))  # type: ignore[arg-type]


def big() -> Inspection:
    """70 B in 16 bit: 141 GB, 80 layers, 64 heads over 8."""
    return model(
        (full(80),),
        weights__bytes=141_107_412_992,
        params__total=70_553_706_496,
        arch__layers=80,
        arch__hidden_size=8192,
        arch__intermediate_size=28672,
        attention__heads=64,
        weights__embedding_bytes=2 * 128256 * 8192 * 2,
    )


def test_a_small_model_takes_one_device_of_a_machine_with_one() -> None:
    found = placed(model())
    assert (found.devices, found.instance, found.instances, found.billed_devices) == (1, "one", 1, 1)


def test_memory_adds_up_on_paper() -> None:
    found = placed(model())
    assert found.memory.weights == 16_060_522_496 + 131_072 * 128 * 2
    assert found.memory.kv_cache == 16 * 8192 * 131_072
    assert found.memory.runtime == GB
    assert found.memory.usable == 72 * GB
    assert found.memory.total == found.memory.weights + found.memory.kv_cache + found.memory.activations + GB
    left = found.memory.usable - found.memory.weights - found.memory.activations - found.memory.runtime
    assert found.max_concurrency == left // (8192 * 131_072)
    assert found.max_context_tokens == left // (16 * 131_072) // 16 * 16


def test_a_large_model_takes_a_whole_host_and_pays_for_it() -> None:
    found = placed(big())
    assert (found.devices, found.tensor_parallel, found.instance, found.billed_devices) == (4, 4, "eight", 8)


def test_devices_sold_one_by_one_are_billed_one_by_one() -> None:
    chip = accelerator(instances=(Instance("cloud", "host", 8, sold_per_device=True),))
    assert placed(big(), target(chip)).billed_devices == 4


def test_of_equal_devices_the_cheaper_machine_is_taken() -> None:
    chip = accelerator(instances=(Instance("dear", "eight", 8), Instance("cloud", "eight", 8)))
    answer = place(big(), target(chip), workload(), (price(20, "eight", 8), replace(price(30, "eight", 8), provider="dear")))
    assert isinstance(answer, Placement)
    assert answer.provider == "cloud"


def test_beyond_the_domain_layers_go_into_stages() -> None:
    huge = model((full(120),), weights__bytes=1_200 * GB, arch__layers=120)
    found = placed(huge)
    assert (found.tensor_parallel, found.pipeline_parallel, found.instances) == (8, 3, 3)


def test_a_stack_without_stages_refuses() -> None:
    huge = model((full(120),), weights__bytes=1_200 * GB, arch__layers=120)
    assert "weights and activations need" in refused(huge, rules(pipeline_parallel=False)).reason


@pytest.mark.parametrize(("heads", "kv_heads", "degrees"), [(32, 8, {1, 2, 4, 8}), (28, 4, {1, 2, 4}), (40, 10, {1, 2}), (14, 2, {1, 2})])
def test_degrees_divide_heads(heads: int, kv_heads: int, degrees: set[int]) -> None:
    odd = model((full(32, kv_heads),), attention__heads=heads, attention__kv_heads=kv_heads)
    tried = {
        degree
        for degree in (1, 2, 4, 8)
        if isinstance(place(odd, target(), workload(), (), Constraints(tensor_parallel=degree)), Placement)
    }
    assert tried == degrees


def test_even_heads_per_rank_where_the_kernel_wants_them() -> None:
    assert "do not divide" in refused(model(attention__heads=24), rules(heads_per_rank_even=True), tensor_parallel=8).reason
    alone = place(model(attention__heads=8), rules(heads_per_rank_even=True), workload(), (), Constraints(tensor_parallel=8))
    assert isinstance(alone, Placement), "one head is no odd number of heads"


def test_a_latent_needs_no_key_value_heads() -> None:
    assert placed(model((latent(32),), attention__kind="mla", attention__kv_heads=1), tensor_parallel=8).tensor_parallel == 8


def test_ranks_are_parts_of_devices_and_do_not_pool() -> None:
    found = placed(model(), neuron())
    assert (found.devices, found.tensor_parallel) == (1, 4)
    assert found.memory.usable == int(0.9 * 24 * GB)
    assert placed(big(), neuron()).devices == 3 or placed(big(), neuron()).devices == 4


def test_a_ceiling_of_weights_per_rank_is_kept() -> None:
    assert placed(model(), rules(weights_per_rank_bytes=5 * GB)).tensor_parallel == 4


def test_narrow_slices_of_experts_are_kept_whole() -> None:
    found = placed(experts(), rules(expert_slice_multiple=128), tensor_parallel=4)
    assert found.expert_parallel == 4
    assert placed(experts(), tensor_parallel=4).expert_parallel == 1


def test_the_cache_is_capped_where_the_stack_caps_it() -> None:
    capped = placed(model(), memory(kv_cap_fraction=0.3))
    assert capped.max_concurrency == int(0.3 * 72 * GB) // (8192 * 131_072)


def test_a_fraction_of_what_is_free_leaves_room_beside_the_weights() -> None:
    found = placed(model(), memory(fraction_of="free-after-weights"))
    fixed = found.memory.weights + found.memory.activations + found.memory.runtime
    assert found.memory.usable == fixed + int(0.9 * (80 * GB - fixed))


def test_a_share_of_what_is_left_is_kept_for_graphs() -> None:
    # Gaudi 2, 94.62 GiB, an 8 B model: half of what is free, four tenths of that for graphs, 23.75 GiB for the cache.
    chip = accelerator(memory_bytes=figure(int(94.62 * GIB)))
    engine = stack()
    assert engine.memory
    gaudi = replace(engine.memory, fraction=0.5, fraction_of="free-after-weights", kv_cap_fraction=0.6, runtime_bytes=0, block_tokens=128)
    found = placed(model(), target(chip, replace(engine, memory=gaudi)), workload(8192, 1))
    assert found.max_concurrency * found.cache.reserved / GIB == pytest.approx(23.75, rel=0.05)  # type: ignore[union-attr]


def test_a_stated_fraction_replaces_the_stack_s() -> None:
    assert placed(model(), memory_fraction=0.5).memory.usable == 40 * GB


def test_given_devices_are_used_all() -> None:
    assert placed(model(), devices=8).tensor_parallel == 8
    assert placed(model(attention__heads=28, attention__kv_heads=4), devices=8).data_parallel == 2
    found = placed(model(), devices=8, tensor_parallel=2)
    assert (found.tensor_parallel, found.pipeline_parallel, found.data_parallel) == (2, 1, 4)
    found = placed(big(), devices=8, tensor_parallel=2)
    assert (found.tensor_parallel, found.pipeline_parallel, found.data_parallel) == (2, 4, 1)


def test_given_devices_are_laid_out_for_the_most_tokens() -> None:
    slow = target(engine=stack(efficiency=dict(stack().efficiency) | {"collective_s": 1e-5}))
    assert placed(model(), slow, workload(1024, 1), devices=8).tensor_parallel == 8
    assert placed(model(), slow, workload(1024, 400), devices=8).data_parallel > 1


def test_given_devices_have_a_layout_even_where_no_machine_joins_them() -> None:
    chip = accelerator(instances=(Instance("cloud", "one", 1),), scale_up_devices=1)
    assert placed(model(), target(chip), devices=2, tensor_parallel=1).devices == 2


def test_what_was_asked_for_and_does_not_fit_says_what_would() -> None:
    answer = refused(model(), load=workload(131_072, 16), devices=1)
    assert answer.known
    assert "3 sequences of 131072 tokens fit" in answer.reason


def test_the_step_is_tuned_before_another_device_is_taken() -> None:
    found = placed(model(), memory(activation_tokens=8192, step_sequences=20_000, bytes_per_logit=40))
    assert found.devices == 1
    assert "only with a step of 2048 tokens and 16 sequences" in found.notes[0]


def test_states_alone_set_no_limit_to_the_context() -> None:
    found = placed(model((state(64, 1_000_000),), attention__kind="none", attention__heads=None, attention__kv_heads=None))
    assert "does not grow" in found.notes[0]
    assert found.max_context_tokens == 131_072


def test_state_slots_run_out_before_bytes() -> None:
    # A grouped engine refuses a batch larger than its pool has blocks for states.
    hybrid = model((full(8), state(24, 100_000_000)))
    found = placed(hybrid, memory(step_sequences=256), workload(1024, 4))
    assert "only with a step of" in found.notes[0]
    assert not placed(hybrid, memory(step_sequences=16), workload(1024, 4)).notes


def test_close_to_the_limit_is_borderline_and_names_a_knob() -> None:
    load = workload(8192, 50)
    found = placed(model(), load=load)
    assert found.borderline
    assert found.borderline_knob
    assert not placed(model()).borderline


def test_a_window_needs_less_than_the_context() -> None:
    assert placed(model((window(32, 4096),))).max_concurrency > placed(model()).max_concurrency


@pytest.mark.parametrize("name", ["weights.bytes", "arch.layers", "arch.hidden_size", "kv_cache.bytes_per_token"])
def test_a_missing_fact_is_unknown_and_says_what_settles_it(name: str) -> None:
    whole = model(params__total=None)
    facts = {key: fact for key, fact in whole.facts.items() if key != name} | {name: Unknown("no such file", ("config.json",))}
    answer = refused(replace(whole, facts=Facts(facts)))
    assert not answer.known
    assert answer.settled_by == ("config.json",)


def test_a_format_that_depends_on_a_missing_fact_is_unknown_only_where_it_matters() -> None:
    rows = (FormatSupport("gptq", "native", bits=(4.0,)), FormatSupport("gptq", "convert", holds="bfloat16"))
    vague = model(quant__method="gptq")
    vague = replace(vague, facts=vague.facts.merged({"quant.bits": Unknown("no config")}))
    assert refused(vague, target(engine=stack(formats=rows))).settled_by == ("quant.bits",)
    assert placed(vague, target(engine=stack(formats=rows[:1])))


def test_an_unpublished_memory_is_unknown() -> None:
    answer = refused(model(), target(accelerator(memory_bytes=figure(None))))
    assert not answer.known
    assert answer.settled_by == ("accelerator.memory_bytes",)


def test_nobody_places_models_on_a_captive_chip() -> None:
    answer = refused(model(), target(engine=stack(memory=None)))
    assert not answer.known


def test_a_chip_that_nobody_rents_out_still_has_a_layout() -> None:
    found = placed(model(), target(accelerator(instances=())))
    assert (found.instance, found.devices, found.billed_devices) == ("", 1, 1)


def test_encoders_keep_no_cache() -> None:
    found = placed(model((), arch__task="embedding"), load=Workload(context=512, concurrency=32, input_tokens=512))
    assert found.memory.kv_cache == 0
    assert found.cache is None
    assert found.max_concurrency > 32


def test_a_pipeline_is_placed_by_its_components_and_pixels() -> None:
    facts = {"arch.task": Known("text-to-image", Basis.CONFIG), "weights.bytes": Known(24 * GB, Basis.HEADER)}
    pipeline = Inspection("image", None, "test", Facts(facts))
    small = placed(pipeline, load=Workload(concurrency=1, image_size=512, steps=28))
    large = placed(pipeline, load=Workload(concurrency=1, image_size=2048, steps=28))
    assert small.devices == 1
    assert large.memory.activations > 8 * small.memory.activations


def test_the_launch_command_leaves_out_what_stands_at_its_default() -> None:
    assert placed(model()).launch == "serve model --max-model-len 8192"
    assert placed(big()).launch == "serve model --tensor-parallel-size 4 --max-model-len 8192"


@given(st.integers(1, 64), st.integers(9, 17))
def test_what_is_placed_fits_and_more_does_not(concurrency: int, exponent: int) -> None:
    load = workload(2**exponent, concurrency)
    answer = place(model(), target(), load)
    assert isinstance(answer, Placement)
    assert answer.memory.headroom >= 0
    assert answer.max_concurrency >= concurrency
    assert answer.max_context_tokens >= 2**exponent
    if answer.layout.replicas > 1:
        return  # stages of one copy may hold more than copies do, and wait for each other
    beyond = place(
        model(), target(), workload(2**exponent, answer.max_concurrency + answer.devices), (), Constraints(devices=answer.devices)
    )
    assert isinstance(beyond, NoPlacement) or beyond.notes


def test_why_nothing_is_placed_names_the_one_that_withholds() -> None:
    open_chip = target(engine=replace(stack(), memory=None))
    assert "publishes no memory model" in refused(model(), on=open_chip).reason
    captive = replace(open_chip, accelerator=replace(open_chip.accelerator, availability="captive"))
    assert "nobody outside its owner" in refused(model(), on=captive).reason
    hosted = replace(open_chip, stack=replace(open_chip.stack, hosted=True))
    assert "served by its operator only" in refused(model(), on=hosted).reason

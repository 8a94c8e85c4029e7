"""Data-parallel attention, and copies: what serves more sequences than one server's cache holds."""

from dataclasses import replace

import pytest

from auditor.catalog.model import ParallelismRules, Target
from auditor.facts import Basis, Known
from auditor.inspection.model import Inspection
from auditor.sizing import Constraints, Placement, estimate, place
from auditor.workload import Workload
from tests.support.hands import experts, full, latent, model, stack, target, workload

RULES = ParallelismRules((1, 2, 4, 8), pipeline_parallel=True, expert_parallel=True, attention_group_limit=8)
LAUNCH = "serve {model}[ -tp {tensor_parallel}][ -dp {data_parallel}][ --ep{expert_parallel?}]"


def grouping() -> Target:
    return target(engine=stack(parallelism=RULES, launch=LAUNCH))


def mixture() -> Inspection:
    """Experts with a latent cache, which tensor parallelism keeps on every rank."""
    found = replace(experts(), layers=(latent(48),))
    return replace(found, facts=found.facts.merged({"attention.kind": Known("mla", Basis.CONFIG)}))


def placed(inspection: Inspection, on: Target, load: Workload, **constraints: int) -> Placement:
    found = place(inspection, on, load, (), Constraints(**constraints))
    assert isinstance(found, Placement), found
    return found


def test_groups_divide_a_cache_that_ranks_would_repeat() -> None:
    load = workload(8192, 200)
    grouped = placed(mixture(), grouping(), load, devices=4)
    assert (grouped.layout.groups, grouped.data_parallel, grouped.expert_parallel, grouped.devices) == (4, 4, 4, 4)
    # Each rank has all attention and a quarter of the experts and of the sequences.
    one = placed(mixture(), target(), workload(8192, 1), devices=1)
    experts_bytes = 57_982_058_496
    assert grouped.memory.weights == pytest.approx(one.memory.weights - experts_bytes * 3 / 4, rel=1e-3)
    assert grouped.memory.kv_cache == 50 * one.memory.kv_cache
    assert grouped.launch == "serve model -dp 4 --ep"


def test_no_groups_where_heads_divide_the_cache_or_the_stack_has_none() -> None:
    assert placed(experts(), grouping(), workload(), devices=2).layout.groups == 1
    assert placed(mixture(), target(), workload(), devices=4).layout.groups == 1


def test_sequences_that_share_experts_read_them_once() -> None:
    on, load = grouping(), workload(8192, 64)
    grouped = placed(mixture(), on, load, devices=4)
    copies = replace(grouped, layout=replace(grouped.layout, groups=1, expert=1, replicas=4, tensor=1))
    shared, apart = (estimate(mixture(), on, load, one) for one in (grouped, copies))
    assert shared
    assert apart
    assert shared.decode_tokens_per_s.likely > 1.5 * apart.decode_tokens_per_s.likely


def test_more_sequences_than_one_server_holds_take_copies() -> None:
    on = target(engine=stack(parallelism=ParallelismRules((1, 2), pipeline_parallel=False, expert_parallel=True)))
    one = placed(model(), on, workload(8192, 1), devices=2, tensor_parallel=2)
    found = placed(model(), on, workload(8192, 2000))
    copies = -(-2000 // one.max_concurrency)
    assert (found.layout.tensor, found.layout.replicas, found.devices) == (2, copies, 2 * copies)
    assert found.max_concurrency >= 2000
    assert found.cache
    assert found.memory.kv_cache == -(-2000 // copies) * found.cache.reserved


def test_copies_of_a_model_with_experts_are_servers_of_their_own() -> None:
    found = placed(experts(), target(engine=stack(launch=LAUNCH)), workload(8192, 300), devices=8, tensor_parallel=2)
    assert found.layout.replicas == 4
    assert found.launch == "serve model -tp 2"
    assert "4 copies" in found.notes[-1]
    dense = placed(model((full(32),)), target(engine=stack(launch=LAUNCH)), workload(8192, 40), devices=2, tensor_parallel=1)
    assert dense.launch == "serve model -dp 2"

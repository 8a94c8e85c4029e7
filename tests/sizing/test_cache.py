"""Cache: the law of each layer kind, and what an engine's manager reserves, against figures that engines logged."""

from dataclasses import replace

import pytest

from auditor.catalog.model import MemoryModel
from auditor.inspection.model import LayerGroup, LayerKind
from auditor.sizing import cache
from auditor.sizing.model import Layout
from auditor.units import GIB
from tests.support.hands import full, latent, state, window

GROUPED = MemoryModel(fraction=0.9, fraction_of="total", runtime_bytes=0, activation_tokens=2048, block_tokens=16, windowed="grouped")


def reserved(groups: tuple[LayerGroup, ...], context: int, memory: MemoryModel = GROUPED, tensor: int = 1) -> int:
    return cache.reserved_bytes(cache.on_rank(groups, Layout(tensor), memory), context, memory, memory.activation_tokens)


def test_full_attention_is_charged_per_token_in_whole_blocks() -> None:
    assert reserved((full(32),), 16) == 16 * 131_072
    assert reserved((full(32),), 17) == 32 * 131_072


def test_heads_divide_then_replicate() -> None:
    one = reserved((full(32),), 1024)
    assert [one / reserved((full(32),), 1024, tensor=degree) for degree in (2, 8, 16)] == [2, 8, 8]


def test_a_latent_replicates_on_every_rank() -> None:
    assert reserved((latent(61),), 1024, tensor=8) == reserved((latent(61),), 1024) == 1024 * 61 * 576 * 2


def test_pipeline_stages_divide_layers() -> None:
    layers = cache.on_rank((full(27),), Layout(1, pipeline=2), GROUPED)
    assert layers[0].count == 14


def test_logical_bytes_stop_at_the_window() -> None:
    groups = (full(10), window(50, 1024))
    assert cache.logical_bytes(groups, 8192) == 4096 * (10 * 8192 + 50 * 1024)


def test_windows_may_be_charged_in_full() -> None:
    old = replace(GROUPED, windowed="full")
    assert reserved((full(18), window(18, 128)), 4096, old) == reserved((full(36),), 4096, old)


def test_head_width_is_padded_where_the_stack_pads() -> None:
    assert reserved((full(1, head_dim=64),), 16, replace(GROUPED, head_dim_multiple=128)) == reserved((full(1, head_dim=128),), 16)


@pytest.mark.parametrize(
    ("groups", "tensor", "context", "available_gib", "logged", "memory"),
    [
        # RedHatAI gemma-3-27b-it-FP8-dynamic, vLLM 0.13.0rc2, two cards: 14.58 GiB, 28,900 tokens, 8.04x
        ((full(10, 16), window(52, 1024, 16)), 2, 28_900, 14.58, 8.04, GROUPED),
        # Qwen3.6-35B-A3B NVFP4 with fp8 cache, vLLM 0.24.0, one card: 6.01 GiB, 131,072 tokens, 4.35x
        ((full(10, 2, 256, 1), state(30, 2_146_304)), 1, 131_072, 6.01, 4.35, replace(GROUPED, state_blocks=2)),
        # Qwen3.8-27B-FP8 with fp8 cache, vLLM, two cards: 4.99 GiB, 131,072 tokens, 2.31x; attention blocks of 1,568 tokens
        ((full(16, 4, 256, 1), state(48, 2 * 1_603_584)), 2, 131_072, 4.99, 2.31, replace(GROUPED, state_blocks=2)),
        # Falcon-H1-3B, vLLM 0.12.0: 5.28 GiB, 2,048 tokens, 41.5x; attention and Mamba side by side in every layer
        ((full(32, 2), state(32, 2_124_800)), 1, 2048, 5.28, 41.5, GROUPED),
        # Llama-3.1-8B, vLLM 0.13.0rc2, two cards: 22.92 GiB, 65,536 tokens, 5.73x
        ((full(32),), 2, 65_536, 22.92, 5.73, GROUPED),
    ],
)
def test_concurrency_is_what_the_engine_logged(
    groups: tuple[LayerGroup, ...], tensor: int, context: int, available_gib: float, logged: float, memory: MemoryModel
) -> None:
    assert available_gib * GIB / reserved(groups, context, memory, tensor) == pytest.approx(logged, rel=0.02)


def test_slope_and_fixed_part_are_told_apart() -> None:
    groups = (full(10), window(50, 1024))
    layers = cache.on_rank(groups, Layout(1), GROUPED)
    described = cache.describe(groups, layers, 32_768, GROUPED, 2048)
    more = cache.describe(groups, layers, 65_536, GROUPED, 2048)
    assert described.reserved_per_token == 10 * 4096
    assert more.reserved - described.reserved == 32_768 * 10 * 4096
    assert described.reserved_fixed == more.reserved_fixed > 50 * 1024 * 4096


def test_largest_context_is_the_last_that_fits() -> None:
    layers = cache.on_rank((full(32),), Layout(1), GROUPED)
    available = 4 * 10_000 * 131_072
    found = cache.largest_context(layers, available, 4, GROUPED, 2048, 131_072)
    assert found == 10_000
    assert 4 * cache.reserved_bytes(layers, found + 16, GROUPED, 2048) > available


def test_cross_attention_keeps_its_whole_source() -> None:
    group = LayerGroup(LayerKind.CROSS, 32, bytes_per_token=4.0, window=1500, kv_heads=20, key_dim=64, value_dim=64)
    assert cache.logical_bytes([group], 448) == 4.0 * 1500

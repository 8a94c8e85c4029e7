"""What rules/stacks must hold to be trusted: lists that do not contradict themselves, moves that cost what was worked out by hand."""

from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from auditor.auditing import AuditOptions, audit_model
from auditor.catalog import Catalog, load_catalog
from auditor.inspection import Inspection, inspect_snapshot
from auditor.results import TargetAudit
from auditor.snapshot import Snapshot
from auditor.sources.saved import load
from auditor.workload import Workload
from tools import make_docs_stacks

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"

#: Stacks that must be there, with what nobody may forget about each.
WANTED = """
    vllm-cuda sglang-cuda tensorrt-llm dynamo llama-cpp vllm-rocm vllm-gaudi optimum-habana neuron-vllm neuron-sglang neuron-nxdi
    neuron-optimum neuron-torchneuron tpu-vllm maxtext maxdiffusion groq-hosted cerebras-hosted jalapeno-internal sohu-sdk maia-sdk
    mtia-internal vllm-ascend
"""

#: Verdict and weeks (low / likely / high) of moves whose items were added up by hand from rules/effort.
WORKED = [
    ("llama-3.3-70b-instruct", "trainium2/neuron-vllm", "native", (2.0, 3.5, 6.0)),
    ("llama-3.1-8b-instruct", "trainium3/neuron-vllm", "native", (2.0, 3.5, 6.0)),
    ("qwen3-32b", "trainium2/neuron-vllm", "native", (2.0, 3.5, 6.0)),
    # Code on a branch: the smaller port, and validation after it.
    ("qwen3-30b-a3b", "trainium2/neuron-vllm", "needs-port", (2.5, 4.6, 8.7)),
    # A dense decoder that the plugin has no class for.
    ("mistral-7b-v0.1", "trainium2/neuron-vllm", "needs-port", (2.8, 5.6, 10.2)),
    # A state-space hybrid: the largest port and a scan kernel.
    ("nemotron-h-56b", "trainium2/neuron-vllm", "needs-port", (7.3, 15.1, 31.2)),
    ("stable-diffusion-3.5-large", "trainium2/neuron-vllm", "needs-port", (4.3, 8.1, 15.2)),
    # Routed experts, a latent, rewritten FP8 and a layout that breaks a rule, on more than a node's worth of ranks.
    ("kimi-k2", "trainium3/neuron-vllm", "needs-port", (5.66, 10.88, 20.46)),
    ("mixtral-8x7b", "trainium2/neuron-vllm", "needs-port", (3.8, 7.1, 13.2)),
    ("qwen3.5-35b-a3b", "trainium2/neuron-vllm", "needs-port", (2.8, 5.2, 10.2)),
    ("bge-large-en-v1.5", "inferentia2/neuron-optimum", "config-change", (2.0, 3.5, 6.0)),
    ("llama-3.3-70b-instruct", "tpu-v6e/tpu-vllm", "native", (2.0, 3.5, 6.0)),
    # Through torchax: a class that is untested there.
    ("mistral-7b-v0.1", "tpu-v7/tpu-vllm", "native", (2.5, 4.6, 8.7)),
    # Mamba2 waits for an open pull request, whose scan need not be written again.
    ("nemotron-h-56b", "tpu-v7/tpu-vllm", "needs-port", (5.3, 10.1, 19.2)),
    ("llama-3.1-8b-instruct", "tpu-v7/maxtext", "config-change", (2.7, 5.2, 9.6)),
    ("llama-3.3-70b-instruct", "mi300x/vllm-rocm", "native", (0.75, 1.55, 3.2)),
    ("llama-3.3-70b-instruct", "gaudi3/vllm-gaudi", "native", (1.45, 2.7, 5.2)),
    ("gpt-oss-120b", "groq-lpu/groq-hosted", "native", (0.5, 1.1, 2.4)),
    ("gpt-oss-120b", "wse-3/cerebras-hosted", "native", (0.5, 1.1, 2.4)),
    ("llama-3.1-8b-instruct", "b200/vllm-cuda", "native", (0.35, 0.8, 1.5)),
]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


@cache
def inspected(name: str) -> Inspection:
    return inspect_snapshot(load(FIXTURES / f"{name}.snapshot.json.gz"))


def audited(catalog: Catalog, model: str, on: str) -> TargetAudit:
    """Audit a fixture on one target, for a team that serves it with vLLM on GPUs today."""
    workload = Workload(current_stack="vllm-cuda")
    return audit_model(inspected(model), catalog, catalog.find_targets([on]), workload, AuditOptions(), today="2026-11-22").rows[0]


def test_every_stack_that_serves_models_somewhere_is_there(catalog: Catalog) -> None:
    assert set(WANTED.split()) - set(catalog.stacks) == set()


@pytest.mark.parametrize(("model", "on", "verdict", "weeks"), WORKED, ids=[f"{model} on {on}" for model, on, *_ in WORKED])
def test_moves_cost_what_was_worked_out_by_hand(
    catalog: Catalog, model: str, on: str, verdict: str, weeks: tuple[float, float, float]
) -> None:
    row = audited(catalog, model, on)
    assert row.verdict == verdict
    assert row.effort is not None
    assert row.effort.weeks is not None
    assert (row.effort.weeks.low, row.effort.weeks.likely, row.effort.weeks.high) == pytest.approx(weeks, abs=0.051)


def test_the_harder_the_architecture_the_more_weeks(catalog: Catalog) -> None:
    def likely(model: str, on: str) -> float:
        effort = audited(catalog, model, on).effort
        assert effort is not None
        assert effort.weeks is not None
        return effort.weeks.likely

    here = "trainium3/neuron-vllm"
    dense, moe, latent, hybrid = (
        likely(model, here) for model in ("llama-3.1-8b-instruct", "qwen3-235b-a22b", "deepseek-v3", "nemotron-h-56b")
    )
    assert dense < moe < latent < hybrid
    assert likely("llama-3.1-8b-instruct", "tpu-v7/maxtext") > likely("llama-3.1-8b-instruct", "tpu-v7/tpu-vllm")


@pytest.mark.parametrize("on", ["jalapeno/jalapeno-internal", "maia200/maia-sdk", "mtia-300/mtia-internal"])
def test_captive_chips_have_no_weeks_and_say_why(catalog: Catalog, on: str) -> None:
    row = audited(catalog, "llama-3.1-8b-instruct", on)
    assert (row.verdict, row.availability) == ("unknown", "captive")
    assert row.effort is not None
    assert row.effort.weeks is None
    assert "cannot be had" in row.effort.reason


def test_no_list_says_two_things_of_one_architecture(catalog: Catalog) -> None:
    for stack in catalog.stacks.values():
        rows = [(row.architecture, row.model_type, row.accelerators, row.tasks) for row in stack.architectures if not row.models]
        assert [row for row, times in Counter(rows).items() if times > 1] == [], stack.id


def test_a_list_taken_over_leaves_the_other_stack_s_plugins_out(catalog: Catalog) -> None:
    named = {row.architecture or row.model_type for row in catalog.stacks["tpu-vllm"].architectures}
    assert "FluxPipeline" not in named
    assert "OPTForCausalLM" in named


def test_the_page_about_stacks_is_current() -> None:
    assert make_docs_stacks.TARGET.read_text(encoding="utf-8") == make_docs_stacks.render()


def test_a_finding_on_a_support_list_cites_the_row_that_matched(catalog: Catalog) -> None:
    row = audited(catalog, "qwen3-30b-a3b", "trainium2/neuron-vllm")
    finding = next(finding for finding in row.findings if finding.rule == "architecture-contributed")
    support = next(
        entry.sources
        for entry in catalog.stacks["neuron-vllm"].architectures
        if entry.architecture == "Qwen3MoeForCausalLM" and entry.status == "contributed"
    )
    assert finding.sources[: len(support)] == support
    assert len(finding.sources) > len(support) > 0


def test_heads_that_divide_over_no_degree_that_fits_are_work_and_not_the_end(catalog: Catalog) -> None:
    """Forty heads over eight ranks are five each: a dense model of 70 B that Neuron's even heads keep off larger degrees."""
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": 8192,
        "intermediate_size": 28672,
        "num_hidden_layers": 80,
        "num_attention_heads": 40,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "vocab_size": 128256,
        "max_position_embeddings": 131072,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
    }
    inspection = inspect_snapshot(Snapshot("example/forty-heads", None, "config", (), {"config.json": config}))
    targets = catalog.find_targets(["trainium2/neuron-vllm"])
    row = audit_model(inspection, catalog, targets, Workload(), AuditOptions(), today="2026-11-22").rows[0]
    assert row.facts.value("fit.divisible") is False
    assert [finding.rule for finding in row.findings if finding.rule.startswith("fit-")] == ["fit-not-divisible"]
    assert row.verdict == "config-change"

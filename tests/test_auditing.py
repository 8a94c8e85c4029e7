"""The whole story on real models: plans of several, a measured baseline, a team's own weeks, payback."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.auditing import AuditOptions, audit
from auditor.baseline import Baseline
from auditor.catalog import Catalog, load_catalog
from auditor.dual_stack import dual_stack
from auditor.economics import Money
from auditor.inspection import inspect_snapshot
from auditor.inspection.model import Inspection
from auditor.results import Audit, TargetAudit
from auditor.sources import SourceOptions, open_target
from auditor.workload import Workload

FIXTURES = Path(__file__).parent.parent / "fixtures"
TARGETS = ("h100-sxm/vllm-cuda", "trainium2/neuron-vllm", "tpu-v6e/tpu-vllm")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def _read(name: str) -> Inspection:
    return inspect_snapshot(open_target(str(FIXTURES / f"{name}.snapshot.json.gz"), SourceOptions()))


def _audit(catalog: Catalog, names: tuple[str, ...], workload: Workload | None = None, options: AuditOptions | None = None) -> Audit:
    inspections = [_read(name) for name in names]
    targets = catalog.find_targets(TARGETS)
    return audit(inspections, catalog, targets, workload or Workload(), options or AuditOptions(), version="test", today="2026-11-22")


def _row(result: Audit, target: str) -> TargetAudit:
    return next(row for row in result.models[0].rows if row.target.id == target)


def test_several_models_pay_shared_work_once(catalog: Catalog) -> None:
    result = _audit(catalog, ("llama-3.3-70b-instruct", "llama-3.1-8b-instruct", "gpt-oss-120b"))
    plan = next(plan for plan in result.plans if plan.target == "trainium2/neuron-vllm")
    alone = [row.effort.weeks.likely for model in result.models for row in model.rows if row.target.id == plan.target and row.effort.weeks]
    assert len(alone) == len(plan.order) == 3
    assert plan.weeks.likely < sum(alone)
    # By the method: 3.5 for the first, 1.3 for another Llama, 1.95 for another architecture.
    assert plan.weeks.likely == pytest.approx(6.75, abs=0.01)
    assert _audit(catalog, ("llama-3.1-8b-instruct",)).plans == ()


def test_where_it_is_served_today_nothing_is_moved(catalog: Catalog) -> None:
    row = _row(_audit(catalog, ("qwen3-32b",)), "h100-sxm/vllm-cuda")
    assert row.effort.weeks is not None
    assert row.effort.weeks.high == 0
    assert row.cost.break_even_reason == "nothing to migrate"


def test_a_measured_baseline_scales_the_other_estimates(catalog: Catalog) -> None:
    plain = _audit(catalog, ("qwen3-32b",))
    estimated = _row(plain, "h100-sxm/vllm-cuda").throughput
    assert estimated is not None
    rate = estimated.output_tokens_per_s.likely / 2
    found = Baseline("bench.json", "vllm bench", None, rate, None, 60.0, None, None, None, None, None, None, 700.0)
    measured = _audit(catalog, ("qwen3-32b",), options=AuditOptions(baseline=found))
    here, there = (_row(measured, target).throughput for target in TARGETS[:2])
    before = _row(plain, TARGETS[1]).throughput
    assert here is not None
    assert there is not None
    assert before is not None
    assert (here.basis, there.basis) == ("measured", "estimate")
    assert here.output_tokens_per_s.low == here.output_tokens_per_s.high == rate
    assert here.tokens_per_joule is not None
    assert here.tokens_per_joule.likely == pytest.approx(rate / 700)
    assert there.output_tokens_per_s.likely == pytest.approx(before.output_tokens_per_s.likely / 2)
    assert any("measured over estimated" in line for line in there.terms)


def test_payback_needs_volume_and_rate(catalog: Catalog) -> None:
    names = ("llama-3.3-70b-instruct",)
    money = Money(prices={"trainium2": 0.1}, weekly_rate=5000)
    volume = Workload(tokens_per_day=1e9)
    none = _row(_audit(catalog, names, options=AuditOptions(money=money)), TARGETS[1]).cost
    assert (none.payback, none.break_even_reason) == (None, "no volume given")
    cost = _row(_audit(catalog, names, volume, AuditOptions(money=money)), TARGETS[1]).cost
    assert cost.payback is not None
    assert cost.break_even_months is not None
    assert cost.payback.break_even_months == pytest.approx(cost.break_even_months.likely)
    assert cost.payback.monthly_saving_usd * cost.payback.break_even_months == pytest.approx(3.5 * 5000)
    twice = _row(_audit(catalog, names, volume, AuditOptions(money=replace(money, people=2))), TARGETS[1]).cost
    assert twice.payback is not None
    assert twice.payback.migration_usd == 2 * cost.payback.migration_usd


def test_a_teams_own_weeks_replace_an_item_and_leave_the_rest(tmp_path: Path) -> None:
    own = tmp_path / "ours.yaml"
    own.write_text(
        """effort: ours
items:
  toolchain: {name: Toolchain, scope: team_stack, always: true, grade: O, sources: [neuron-autoport], weeks: {neuron: [1, 1, 1]}}
"""
    )
    row = _row(_audit(load_catalog([own]), ("llama-3.3-70b-instruct",)), TARGETS[1])
    assert row.effort.weeks is not None
    assert row.effort.weeks.likely == pytest.approx(3.5 - 0.5 + 1.0)


def test_captive_chips_have_no_weeks_and_say_why(catalog: Catalog) -> None:
    targets = catalog.find_targets(["jalapeno", "maia200"])
    result = audit([_read("llama-3.1-8b-instruct")], catalog, targets, Workload(), AuditOptions(), version="test", today="2026-11-22")
    for row in result.models[0].rows:
        assert row.availability == "captive"
        assert row.effort.weeks is None
        assert "cannot be had" in row.effort.reason
        assert row.placement is None


def test_a_model_that_cannot_be_read_has_no_rows(catalog: Catalog, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "nobody-knows"}))
    inspection = inspect_snapshot(open_target(str(tmp_path), SourceOptions()))
    result = audit([inspection], catalog, catalog.find_targets(TARGETS), Workload(), AuditOptions(), version="test", today="2026-11-22")
    assert {row.verdict for row in result.models[0].rows} <= {"unknown", "needs-port"}


def test_a_fallback_is_on_another_vendors_stack(catalog: Catalog) -> None:
    pair = dual_stack(_audit(catalog, ("llama-3.1-8b-instruct",)).models[0].rows)
    assert pair is not None
    first, second = pair.primary.target, pair.fallback.target
    assert first.accelerator.vendor != second.accelerator.vendor
    assert first.stack.id != second.stack.id
    assert dual_stack(_audit(catalog, ("stable-diffusion-3.5-large",)).models[0].rows) is None

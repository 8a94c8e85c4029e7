"""What a fleet adds up to: each figure against the rows that it was made of."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from auditor._shipped import SCHEMAS
from auditor.fleet.model import FleetModel
from auditor.fleet.one import Context, ScanRules
from auditor.fleet.scan import scan
from auditor.fleet.store import Store
from auditor.fleet.summary import FleetSummary, summarise
from auditor.report import FLEET_FORMATS, View
from tests.fleet.conftest import write_model

Fleet = Callable[[int], list[FleetModel]]
FIXTURES = Path(__file__).parent.parent.parent / "fixtures"
NAMES = ("llama-3.1-8b-instruct", "bge-large-en-v1.5", "qwen3-30b-a3b", "llama-2-7b-awq")
TARGETS = ("h100-sxm", "h200-sxm/vllm-cuda", "mi300x/vllm-rocm", "trainium2/neuron-vllm", "tpu-v6e", "wse-3", "maia200")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Return a scanned store: four real models, one of them served by two teams, one of a strange kind, and one that is not there."""
    context = ScanRules(targets=TARGETS, today="2026-11-22", version="test").load()
    models = [FleetModel(str(FIXTURES / f"{name}.snapshot.json.gz"), replicas=2) for name in NAMES]
    models.append(FleetModel(models[0].target, name="the other team's", owner="them", workload={"concurrency": 256}))
    folder = tmp_path_factory.mktemp("store")
    models.append(FleetModel(str(write_model(folder / "odd", architectures=["OddForCausalLM"], model_type="odd"))))
    models.append(FleetModel("/gone"))
    with Store(folder / "s.duckdb") as opened:
        scan(models, opened, context)
        yield opened


@pytest.fixture(scope="module")
def summary(store: Store, context: Context) -> FleetSummary:
    return summarise(store, context.catalog.effort)


def test_every_verdict_is_that_of_its_row(store: Store, summary: FleetSummary) -> None:
    rows = store.query("select e.position, a.accelerator || '/' || a.stack aim, a.verdict from entries e join audits a using (audit_key)")
    assert {(model.position, aim, verdict) for model in summary.models for aim, verdict in model.verdicts.items()} == {
        (row["position"], row["aim"], row["verdict"]) for row in rows
    }
    counted = Counter((row["aim"], row["verdict"]) for row in rows)
    assert {(line.target, verdict): n for line in summary.targets for verdict, n in line.verdicts.items()} == counted
    assert summary.models[0].verdicts is summary.models[4].verdicts or summary.models[0].verdicts != summary.models[4].verdicts


def test_models_that_were_not_read_are_lines_too(summary: FleetSummary) -> None:
    assert [bool(model.error) for model in summary.models] == [False] * 6 + [True]
    assert summary.failed == 1
    assert sum(count for _, _, count, _ in summary.classes) == 6


def test_what_is_unknown_and_what_would_settle_it(store: Store, summary: FleetSummary) -> None:
    assert summary.questions
    assert summary.unknown
    unknown = store.query("select settled_by from entries join audits using (audit_key) where verdict = 'unknown'")
    assert dict(summary.questions) == Counter(question for row in unknown for question in row["settled_by"])
    facts = store.query("select i.unknown from entries join inspections i using (target, fingerprint)")
    assert dict(summary.unknown) == Counter(fact for row in facts for fact in row["unknown"])


def test_devices_are_those_of_all_replicas(store: Store, summary: FleetSummary) -> None:
    for line in summary.targets:
        rows = store.query(
            """select coalesce(sum(e.replicas * a.devices), 0) n from entries e join audits a using (audit_key)
               where a.accelerator || '/' || a.stack = ? and a.verdict in ('native', 'config-change')""",
            [line.target],
        )
        assert line.packed.devices == rows[0]["n"]
        assert line.sharing.devices <= line.packed.devices
        assert (line.sharing.usd_per_month or 0) <= (line.packed.usd_per_month or 0)
    h100 = next(line for line in summary.targets if line.target == "h100-sxm/vllm-cuda")
    assert h100.sharing.devices < h100.packed.devices, "two encoders of 335 M parameters need no H100 each"


def test_a_model_that_is_served_twice_moves_once(store: Store, summary: FleetSummary) -> None:
    neuron = next(line for line in summary.targets if line.target == "trainium2/neuron-vllm")
    assert neuron.plan is not None
    movable = store.query(
        """select distinct i.model_id from entries e join audits a using (audit_key) join inspections i using (target, fingerprint)
           where a.stack = 'neuron-vllm' and a.weeks_likely > 0"""
    )
    assert sorted(name for name, _ in neuron.plan.order) == sorted(row["model_id"] for row in movable)
    alone = store.query("select sum(weeks_likely) likely from (select distinct on (work_key) * from audits where stack = 'neuron-vllm')")
    assert neuron.plan.total.weeks is not None
    assert neuron.plan.total.weeks.likely < alone[0]["likely"], "shared work is paid once"


def test_the_best_of_each_family_can_be_had(summary: FleetSummary) -> None:
    best = [line for line in summary.targets if line.best]
    assert {line.availability for line in best} <= {"open", "limited"}
    assert sum(1 for line in best if line.target.startswith(("h100", "h200"))) == 1
    assert not any(line.target.startswith("maia200") for line in best)


def test_a_screen_plans_only_what_it_shows(store: Store, context: Context, summary: FleetSummary) -> None:
    short = summarise(store, context.catalog.effort, every_plan=False)
    assert short.models == summary.models
    assert [line.plan for line in short.targets] == [line.plan if line.best else None for line in summary.targets]


def test_the_json_is_what_its_schema_says(summary: FleetSummary) -> None:
    document = json.loads(FLEET_FORMATS["json"](summary, View()))
    Draft202012Validator(json.loads((SCHEMAS / "fleet-report.schema.json").read_text(encoding="utf-8"))).validate(document)
    assert (document["schema"], len(document["models"])) == ("auditor/fleet/1", 7)
    h100 = next(line for line in document["summary"]["targets"] if line["target"] == "h100-sxm/vllm-cuda")
    assert h100["sharing_devices"]["devices"] < h100["devices"]


def test_the_lines_of_csv(summary: FleetSummary) -> None:
    rows = list(csv.DictReader(io.StringIO(FLEET_FORMATS["csv"](summary, View()))))
    assert len(rows) == 6 * len(summary.targets) + 1
    assert rows[-1]["error"].startswith("/gone")


@pytest.mark.parametrize("kind", ["table", "markdown", "html"])
@pytest.mark.parametrize("every_row", [False, True])
def test_formats_for_people(kind: str, every_row: bool, summary: FleetSummary) -> None:
    text = FLEET_FORMATS[kind](summary, View(every_row=every_row))
    assert "7 models, 1 could not be read" in text
    assert "trainium2/neuron-vllm" in text
    assert ("maia200" in text) is every_row
    assert ("more with --all" in text) is not every_row


def test_names_cannot_break_a_page(tmp_path: Path, context: Context) -> None:
    model = FleetModel(str(write_model(tmp_path / "m")), name="<script>alert(1)</script>|x")
    with Store(tmp_path / "s.duckdb") as opened:
        scan([model], opened, context)
        found = summarise(opened, context.catalog.effort)
    assert "<script" not in FLEET_FORMATS["html"](found, View())
    assert "\\|x" in FLEET_FORMATS["markdown"](found, View())


def test_what_a_fleet_adds_up_to(tmp_path: Path, fleet: Fleet, context: Context) -> None:
    models = [replace(model, replicas=2) for model in fleet(3)]
    with Store(tmp_path / "s.duckdb") as opened:
        scan(models, opened, context)
        found = summarise(opened, context.catalog.effort)
        files = opened.export(tmp_path / "parquet")
    neuron = next(line for line in found.targets if line.target == "trainium2/neuron-vllm")
    assert neuron.verdicts == {"native": 3}
    assert neuron.packed.devices == 6
    assert neuron.plan is not None
    assert neuron.plan.total.weeks is not None
    first, second, third = (weeks for _, weeks in neuron.plan.order)
    assert first > second >= third, "the second model of an architecture costs less"
    assert neuron.plan.total.weeks.likely < 3 * 3.5
    assert all(path.stat().st_size for path in files)

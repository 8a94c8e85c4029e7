"""Scans: what is remembered, what is passed over, and what survives a kill, a full disk and a second scan."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from auditor._shipped import SCHEMAS
from auditor.errors import ReportError
from auditor.fleet.diff import diff
from auditor.fleet.model import FleetModel
from auditor.fleet.one import Context
from auditor.fleet.scan import scan
from auditor.fleet.store import Store
from auditor.fleet.summary import first_fit, summarise
from auditor.report import FLEET_FORMATS, View
from tests.fleet.conftest import write_model

Fleet = Callable[[int], list[FleetModel]]
ROOT = Path(__file__).parent.parent.parent


def content(path: Path) -> list[Any]:
    """Return everything a store holds but the order in which it came."""
    with Store(path, read_only=True) as store:
        return [
            store.query(
                "select * exclude (scan) from entries where scan = (select max(scan) from scans where state = 'done') order by position"
            ),
            store.query("select * from audits order by audit_key, accelerator, stack"),
            store.query("select * from inspections order by target, fingerprint"),
            store.query("select scan, state from scans order by scan"),
        ]


def test_a_second_scan_reads_nothing_that_did_not_change(tmp_path: Path, fleet: Fleet, context: Context) -> None:
    models = fleet(5)
    with Store(tmp_path / "s.duckdb") as store:
        first = scan(models, store, context)
        write_model(Path(models[0].target), num_hidden_layers=99)
        second = scan(models, store, context)
        assert (first.done, first.unchanged, first.failed) == (5, 0, 0)
        assert (second.done, second.unchanged, second.failed) == (5, 4, 0)
        found = diff(store)
    assert found.changed == (models[0].target,)
    assert (found.added, found.removed) == ((), ())


def test_one_broken_model_is_a_row_with_its_reason(tmp_path: Path, fleet: Fleet, context: Context) -> None:
    models = fleet(2)
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text("[1, 2")
    models.insert(1, FleetModel(str(broken)))
    models.append(FleetModel(str(tmp_path / "gone")))
    with Store(tmp_path / "s.duckdb") as store:
        assert scan(models, store, context).failed == 2
        summary = summarise(store, context.catalog.effort)
    assert [bool(model.error) for model in summary.models] == [False, True, False, True]
    assert "config.json" in summary.models[1].error


def test_rules_that_changed_are_applied_to_what_was_read(tmp_path: Path, fleet: Fleet, context: Context) -> None:
    models = fleet(2)
    with Store(tmp_path / "s.duckdb") as store:
        scan(models, store, context)
        for model in models:  # the files are gone: only what was read before can be audited
            Path(model.target, "config.json").touch()
        again = scan(models, store, replace(context, version="another"))
        assert again.failed == 0
        assert again.unchanged == 0
        assert diff(store).verdicts == ()


def test_a_verdict_that_changes_names_its_cause(tmp_path: Path, fleet: Fleet, context: Context) -> None:
    models = fleet(1)
    with Store(tmp_path / "s.duckdb") as store:
        scan(models, store, context)
        write_model(Path(models[0].target), quantization_config={"quant_method": "gptq", "bits": 4, "group_size": 128})
        scan(models, store, context)
        found = diff(store)
    change = next(one for one in found.verdicts if one.target == "trainium2/neuron-vllm")
    assert (change.before, change.after, change.cause) == ("native", "config-change", "model")


def test_a_killed_scan_goes_on_where_it_was(tmp_path: Path, fleet: Fleet, context: Context) -> None:
    """Kill the process at random moments until a run gets through: the store is that of an undisturbed scan."""
    models = fleet(130)
    calm, rough = tmp_path / "calm.duckdb", tmp_path / "rough.duckdb"
    listing = tmp_path / "all.fleet.yaml"
    listing.write_text("models:\n" + "".join(f"  - model: {model.target}\n" for model in models))
    command = [sys.executable, "-m", "auditor", "fleet", "scan", str(listing), "--on", "h100-sxm/vllm-cuda", "--processes", "1", "--store"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    started = time.monotonic()
    subprocess.run([*command, str(calm)], check=True, env=env, capture_output=True)
    length = time.monotonic() - started
    moments = random.Random(7)  # noqa: S311 - reproducible
    for _ in range(2):
        process = subprocess.Popen([*command, str(rough)], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moments.uniform(0.3, 0.95) * length)
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run([*command, str(rough)], check=True, env=env, capture_output=True)
    assert content(rough)[:3] == content(calm)[:3]
    assert content(rough)[3][-1]["state"] == "done"


def test_two_scans_on_one_store(tmp_path: Path, fleet: Fleet) -> None:
    path = tmp_path / "s.duckdb"
    (model,) = fleet(1)
    command = [sys.executable, "-m", "auditor", "fleet", "scan", model.target, "--store", str(path)]
    with Store(path):
        second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert "another scan has this store open" in second.stderr
    assert second.stderr.count("\n") == 1


def test_a_full_disk_leaves_the_store_whole(tmp_path: Path, fleet: Fleet, context: Context) -> None:
    path = tmp_path / "s.duckdb"
    models = fleet(80)
    with Store(path) as store:
        scan(models[:3], store, context)
    before = content(path)
    limit = 128 * 1024

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    listing = tmp_path / "all.fleet.yaml"
    listing.write_text("models:\n" + "".join(f"  - model: {model.target}\n" for model in models))
    command = [sys.executable, "-m", "auditor", "fleet", "scan", str(listing), "--on", "h100-sxm", "--store", str(path)]
    run = subprocess.run(command, cwd=ROOT, preexec_fn=small_files, capture_output=True, text=True, check=False)
    assert run.returncode == 1, run.stderr
    assert run.stderr.count("\n") == 1, run.stderr
    assert content(path)[0] == before[0], "the last complete scan is as it was"
    with Store(path) as store:
        assert scan(models, store, context).failed == 0


def test_a_file_that_is_no_store(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(ReportError, match=r"s\.duckdb"):
        Store(path)
    with pytest.raises(ReportError, match="no such store"):
        Store(tmp_path / "none.duckdb", read_only=True)


def test_large_fleets_use_other_processes(tmp_path: Path, fleet: Fleet, context: Context) -> None:
    models = fleet(300)
    with Store(tmp_path / "one.duckdb") as store:
        scan(models, store, context, processes=1)
    with Store(tmp_path / "two.duckdb") as store:
        scan(models, store, context, processes=2)
    assert content(tmp_path / "one.duckdb") == content(tmp_path / "two.duckdb")


def test_placements_share_machines() -> None:
    assert first_fit([1] * 9, 8) == 2
    assert first_fit([4, 4, 2, 2, 2, 2], 8) == 2
    assert first_fit([5, 5, 3, 3], 8) == 2
    assert first_fit([], 8) == 0


def test_the_report_is_what_its_schema_says(tmp_path: Path, fleet: Fleet, context: Context) -> None:
    models = [*fleet(2), FleetModel(str(tmp_path / "gone"))]
    with Store(tmp_path / "s.duckdb") as store:
        scan(models, store, context)
        document = json.loads(FLEET_FORMATS["json"](summarise(store, context.catalog.effort), View()))
    schema = json.loads((SCHEMAS / "fleet-report.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(document)
    assert [bool(model["error"]) for model in document["models"]] == [False, False, True]


def test_what_a_fleet_adds_up_to(tmp_path: Path, fleet: Fleet, context: Context) -> None:
    models = [replace(model, replicas=2) for model in fleet(3)]
    with Store(tmp_path / "s.duckdb") as store:
        scan(models, store, context)
        summary = summarise(store, context.catalog.effort)
        files = store.export(tmp_path / "parquet")
    neuron = next(line for line in summary.targets if line.target == "trainium2/neuron-vllm")
    assert neuron.verdicts == {"native": 3}
    assert neuron.devices == 6
    assert neuron.weeks is not None
    first, second, third = (weeks for _, weeks in neuron.order)
    assert first > second >= third, "the second model of an architecture costs less"
    assert neuron.weeks.likely < 3 * 3.5
    assert sum(count for _, _, count, _ in summary.classes) == 3
    assert all(path.stat().st_size for path in files)

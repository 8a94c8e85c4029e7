"""Scans: what is remembered, what is passed over, and what survives a kill, a full disk and a second scan."""

import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.errors import ReportError
from auditor.fleet.diff import diff
from auditor.fleet.jobs import Progress
from auditor.fleet.model import FleetModel
from auditor.fleet.one import Context
from auditor.fleet.scan import scan
from auditor.fleet.store import Store
from auditor.fleet.summary import summarise
from auditor.sources import SourceOptions
from tests.fleet.conftest import content, write_model
from tests.support.hub_server import running_hub
from tests.support.model_files import write_llama

Fleet = Callable[[int], list[FleetModel]]
ROOT = Path(__file__).parent.parent.parent


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
        again = scan(models, store, replace(context, rules=replace(context.rules, version="another")))
        assert again.failed == 0
        assert again.unchanged == 0
        assert diff(store).verdicts == ()


def test_a_verdict_that_changes_names_its_causes(tmp_path: Path, fleet: Fleet, context: Context) -> None:
    models = fleet(1)
    gptq = {"quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 128}}
    other = replace(context, rules=replace(context.rules, version="another"))
    with Store(tmp_path / "s.duckdb") as store:
        scan(models, store, context)
        write_model(Path(models[0].target), **gptq)
        scan(models, store, context)
        found = diff(store)
        write_model(Path(models[0].target))
        scan(models, store, other)
        back = diff(store)
        scan([replace(models[0], workload={"context": 10**7})], store, other)
        asked = diff(store)
    aim = "trainium2/neuron-vllm"
    assert [(one.before, one.after, one.causes) for one in found.verdicts if one.target == aim] == [("native", "config-change", ("model",))]
    assert [one.causes for one in back.verdicts if one.target == aim] == [("model", "version")]
    assert {one.causes for one in asked.verdicts} == {("workload",)}


def test_a_model_whose_state_nobody_tells_has_changed_when_its_facts_have(tmp_path: Path, context: Context) -> None:
    folder = write_model(tmp_path / "all" / "m")
    models = [FleetModel(f"{tmp_path / 'all'}:m")]
    with Store(tmp_path / "s.duckdb") as store:
        scan(models, store, context)
        assert scan(models, store, context).unchanged == 0
        assert diff(store).changed == ()
        write_model(folder, num_hidden_layers=3)
        scan(models, store, context)
        assert diff(store).changed == (models[0].target,)
        assert len(store.query("select * from audited")) == 2


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


def test_an_interrupted_scan_of_another_fleet_is_not_taken_up(tmp_path: Path, fleet: Fleet, context: Context) -> None:
    models = fleet(4)

    def stop(_: Progress) -> None:
        raise KeyboardInterrupt

    with Store(tmp_path / "s.duckdb") as store:
        with pytest.raises(KeyboardInterrupt):
            scan(models[:2], store, context, progress=stop)
        store.write([{"scan": 1, "position": 0, "target": models[0].target, "audit_key": "", "error": "", "replicas": 1}], [], {}, [])
        assert scan(models[2:], store, context).done == 2
        targets = [row["target"] for row in store.query("select target from entries where scan = 2 order by position")]
        states = [row["state"] for row in store.query("select state from scans order by scan")]
    assert targets == [model.target for model in models[2:]]
    assert states == ["abandoned", "done"]


def test_how_much_is_read_is_part_of_a_models_state(tmp_path: Path, fleet: Fleet, context: Context) -> None:
    models = fleet(2)
    fast = replace(context, rules=replace(context.rules, source=replace(context.rules.source, fast=True)))
    with Store(tmp_path / "s.duckdb") as store:
        assert scan(models, store, fast).unchanged == 0
        assert scan(models, store, context).unchanged == 0
        assert scan(models, store, context).unchanged == 2


def test_models_of_a_hub_are_known_by_their_commit(tmp_path: Path, context: Context) -> None:
    models = [FleetModel(f"org/m{at}") for at in range(3)]
    with running_hub(tmp_path / "hub") as hub, Store(tmp_path / "s.duckdb") as store:
        for model in models:
            write_llama(hub.root / model.target)
        asked = replace(context, rules=replace(context.rules, source=SourceOptions(endpoint=hub.endpoint)))
        first = scan(models, store, asked)
        read = len(hub.asked)
        hub.forget()
        second = scan(models, store, asked)
        again = len(hub.asked)
    assert (first.failed, first.unchanged, second.unchanged) == (0, 0, 3)
    assert (read, again) == (3 * 5, 3), "listing, config, index and two headers; then the listing alone"

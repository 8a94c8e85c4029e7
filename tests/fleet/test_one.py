"""One model as a pure function of reference and rules, called as a cluster would call it."""

import json
import multiprocessing
from dataclasses import replace
from pathlib import Path

from auditor.fleet.model import FleetModel
from auditor.fleet.one import ScanRules, scan_model
from tests.fleet.conftest import write_model

RULES = ScanRules(targets=("h100-sxm/vllm-cuda", "trainium2/neuron-vllm"), today="2026-11-22", version="test")


def test_any_engine_can_call_it(tmp_path: Path) -> None:
    """References and rules go to other processes and outcomes come back, and are what this process makes of them."""
    models = [FleetModel(str(write_model(tmp_path / f"m{at}", num_hidden_layers=4 + at)), workload={"context": 4096}) for at in range(4)]
    models.append(FleetModel(str(tmp_path / "gone")))
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        elsewhere = pool.starmap(scan_model, [(model, RULES) for model in models])
    assert elsewhere == [scan_model(model, RULES) for model in models]
    assert [len(outcome.rows) for outcome in elsewhere] == [2, 2, 2, 2, 0]
    assert "gone" in elsewhere[-1].error


def test_an_outcome_is_plain_values(tmp_path: Path) -> None:
    outcome = scan_model(FleetModel(str(write_model(tmp_path / "m"))), RULES)
    row = json.loads(json.dumps(outcome.rows))[0]
    assert (row["accelerator"], row["stack"], row["verdict"], row["devices"]) == ("h100-sxm", "vllm-cuda", "native", 1)
    assert 0 < row["device_share"] < 1
    assert json.loads(json.dumps(outcome.inspection))["known"]["arch.layers"] == [16, "config"]


def test_other_rules_are_other_rows(tmp_path: Path) -> None:
    model = FleetModel(str(write_model(tmp_path / "m")))
    first = scan_model(model, RULES)
    other = scan_model(model, replace(RULES, targets=("tpu-v6e/tpu-vllm",)))
    assert [row["accelerator"] for row in other.rows] == ["tpu-v6e"]
    assert scan_model(model, RULES) == first


def test_a_device_is_shared_only_where_the_stack_says_so(tmp_path: Path) -> None:
    rows = scan_model(FleetModel(str(write_model(tmp_path / "m"))), RULES).rows
    assert {row["stack"]: row["device_share"] is None for row in rows} == {"vllm-cuda": False, "neuron-vllm": True}

"""A scan of servers that fail: what passes is waited for, what stays is a row with its reason, and nothing takes for ever."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import close_session, constants

from auditor.errors import Unreachable
from auditor.fleet import one
from auditor.fleet.model import FleetModel
from auditor.fleet.one import Context, outcome
from auditor.fleet.scan import scan
from auditor.fleet.store import Store
from auditor.sources import SourceOptions
from tests.support.hub_server import Hub, running_hub
from tests.support.model_files import write_llama

#: What each model's server does first, by model.
FAULTS: dict[str, list[int | str]] = {
    "limited": [429, 429],
    "reset": ["drop", "drop", "drop"],
    "stalls": ["hang"],
    "faulty": [500, 503, 500],
    "broken": [500] * 200,
    "gone": [],
    "garbage": [],
    "fine": [],
}
READ = {"limited", "reset", "stalls", "faulty", "fine"}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 1)
    with running_hub(tmp_path / "hub") as server:
        for name in FAULTS.keys() - {"gone"}:
            write_llama(server.root / "org" / name)
        (server.root / "org" / "garbage" / "config.json").write_bytes(b"\xff\x00 not json")
        server.behaviour.fail = {f"org/{name}/resolve/": list(answers) for name, answers in FAULTS.items()}
        yield server
    close_session()


def _context(context: Context, **rules: object) -> Context:
    return replace(context, rules=replace(context.rules, **rules), patience=one.Patience())  # type: ignore[arg-type]


def test_a_hub_that_fails_in_every_way(hub: Hub, tmp_path: Path, context: Context) -> None:
    models = [FleetModel(f"org/{name}") for name in FAULTS]
    asked = _context(context, source=SourceOptions(endpoint=hub.endpoint), longest_wait_s=0.01)
    with Store(tmp_path / "s.duckdb") as store:
        state = scan(models, store, asked)
        errors = {row["target"].removeprefix("org/"): row["error"] for row in store.query("select * from entries")}
        assert {name for name, error in errors.items() if not error} == READ
        assert (state.done, state.failed) == (len(FAULTS), len(FAULTS) - len(READ))
        assert "answered 500" in errors["broken"]
        assert "not on the Hub" in errors["gone"]
        assert "config.json" in errors["garbage"]
        hub.behaviour.fail = {}
        again = scan(models, store, asked)
        assert (again.unchanged, again.failed) == (len(READ), 2), "the ones that failed are asked for again"
    assert sum("/api/models/org/gone" in request.path for request in hub.requests) == 2, "what is not there is asked for once a scan"


def test_a_server_that_is_dead_is_not_waited_for_again_and_again(monkeypatch: pytest.MonkeyPatch, context: Context) -> None:
    calls: list[str] = []

    def dead(target: str, _: SourceOptions) -> None:
        calls.append(target)
        raise Unreachable(f"{target}: no answer", "check the network")

    monkeypatch.setattr(one, "open_target", dead)
    asked = _context(context, attempts=3, longest_wait_s=0.0)
    results = [outcome(FleetModel(f"org/m{at}"), asked) for at in range(40)]
    assert all("no answer" in result.error for result in results)
    assert Counter(calls.count(f"org/m{at}") for at in range(40)) == {3: 32, 1: 8}


def test_waits_grow_and_heed_what_the_server_asks_for(monkeypatch: pytest.MonkeyPatch, context: Context) -> None:
    waits: list[float] = []
    asked_for = [0.0, 0.0, 7.0]

    def busy(target: str, _: SourceOptions) -> None:
        raise Unreachable(f"{target}: busy", wait=asked_for[len(waits)] if len(waits) < 3 else 0.0)

    monkeypatch.setattr(one, "open_target", busy)
    monkeypatch.setattr(one.time, "sleep", waits.append)
    outcome(FleetModel("org/m"), _context(context))
    assert waits == [1.0, 2.0, 7.0]
    waits.clear()
    outcome(FleetModel("org/m"), _context(context, longest_wait_s=1.5))
    assert waits == [1.0, 1.5, 1.5]
    waits.clear()
    outcome(FleetModel("org/m"), _context(context, source=SourceOptions(offline=True)))
    assert waits == []

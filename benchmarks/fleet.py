"""Fleets on one machine: local models per second, an unchanged rescan, and reports over a million audit rows.

``AUDITOR_BENCH_MODELS`` sets the number of local models (1,000 by default, 10,000 for the full figure).
"""

import json
import os
import resource
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path

from auditor.fleet.model import FleetModel
from auditor.fleet.one import ScanRules
from auditor.fleet.scan import scan
from auditor.fleet.store import Store
from auditor.fleet.summary import summarise
from auditor.inspection import inspect_snapshot
from auditor.report import FLEET_FORMATS, View
from auditor.sources import SourceOptions, open_target
from benchmarks.hub import FIXTURES, make_repository
from benchmarks.measure import Row

MODELS = int(os.environ.get("AUDITOR_BENCH_MODELS", "1000"))
#: Models of more tensors than this are few in a fleet, and measured by the tensor: the others are by the model.
_COMMON = 2_500
RULES = ScanRules(targets=("h100-sxm/vllm-cuda",), today="2026-11-22", version="benchmark")
#: Audit rows of the large store.
ROWS = 1_000_000
_TARGETS = 100
#: Sets of shapes of each architecture of the large store; the other models are fine-tunes of these.
_SHAPES = 20


def rows() -> list[Row]:
    """Measure and return the table's lines."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        models = local_models(folder / "models", MODELS)
        return [*_inspecting(models), *_large_models(folder / "large"), *_scanning(folder, models), *_querying(folder)]


def local_models(folder: Path, count: int) -> list[FleetModel]:
    """Write models of the fixtures' shapes in turn: headers linked, configs of their own, data that are holes."""
    names = [name for name, tensors in shapes().items() if tensors <= _COMMON]
    for name in names:
        make_repository(folder / name, name, 1)
    found = []
    for at in range(count):
        first, own = folder / names[at % len(names)], folder / f"m{at}"
        own.mkdir()
        os.link(first / "model.safetensors", own / "model.safetensors")
        config = json.loads((first / "config.json").read_text())
        (own / "config.json").write_text(json.dumps({**config, "_name_or_path": f"m{at}"}))
        found.append(FleetModel(str(own)))
    return found


@cache
def shapes() -> dict[str, int]:
    """Return the fixtures that are one model of safetensors, each with its number of tensors."""
    found = {}
    for path in sorted(FIXTURES.glob("*.snapshot.json.gz")):
        snapshot = open_target(str(path), SourceOptions())
        if "config.json" in snapshot.documents:
            found[path.name.removesuffix(".snapshot.json.gz")] = sum(
                len(file.tensors or ()) for group in snapshot.weights for file in group.files
            )
    return found


def inspect_all(targets: Sequence[str]) -> int:
    """Inspect models one after the other; return the growth of memory in bytes."""
    options = SourceOptions()
    inspect_snapshot(open_target(targets[0], options))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for target in targets:
        inspect_snapshot(open_target(target, options))
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024


def _inspecting(models: list[FleetModel]) -> list[Row]:
    targets = [model.target for model in models]
    halves = [targets[::2], targets[1::2]]
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        list(pool.map(inspect_all, [half[:25] for half in halves]))
        started = time.perf_counter()
        grown = max(pool.map(inspect_all, halves)) / 1e6
        rate = len(models) / (time.perf_counter() - started)
    return [
        Row(f"inspect {len(models):,} local models, two processes", f"{rate:.0f} models/s", "≥ 500", rate >= 500),
        Row("memory grown meanwhile", f"{grown:.0f} MB", "flat", grown < 50),
    ]


def _large_models(folder: Path) -> list[Row]:
    names = [name for name, tensors in shapes().items() if tensors > _COMMON]
    for name in names:
        make_repository(folder / name, name, 1)
    count = sum(shapes()[name] for name in names)
    started = time.perf_counter()
    inspect_all([str(folder / name) for name in names])
    rate = count / (time.perf_counter() - started)
    return [Row(f"inspect models of {count / len(names):,.0f} tensors, one process", f"{rate:,.0f} tensors/s", "no goal", met=True)]


def _scanning(folder: Path, models: list[FleetModel]) -> list[Row]:
    with Store(folder / "scan.duckdb") as store:
        context = RULES.load()
        first = scan(models, store, context, processes=2)
        again = scan(models, store, context, processes=2)
    ratio = first.seconds / again.seconds
    return [
        Row(f"scan {len(models):,} local models, one target, two processes", f"{len(models) / first.seconds:.0f} models/s", "", met=True),
        Row("unchanged rescan", f"{len(models) / again.seconds:,.0f} models/s, {ratio:.0f} × faster", "≥ 20 ×", ratio >= 20),
    ]


def _querying(folder: Path) -> list[Row]:
    """Audit the fixtures against a hundred targets, copy the rows until they are a million, and ask for reports."""
    context = RULES.load()
    context = replace(context, targets=context.catalog.targets[:_TARGETS])
    path = folder / "large.duckdb"
    with Store(path) as store:
        names = sorted(FIXTURES.glob("*.snapshot.json.gz"))
        scan([FleetModel(str(name)) for name in names], store, context)
        _multiply(store, len(names), -(-ROWS // (_TARGETS * len(names))))
    result = []
    with Store(path, read_only=True) as store:
        (count,) = store.query("select count(*) n from audits")
        for name, every_plan, kind in (("screen", False, "table"), ("whole page", True, "html"), ("JSON", True, "json")):
            started = time.perf_counter()
            summary = summarise(store, context.catalog.effort, every_plan=every_plan)
            asked = time.perf_counter() - started
            FLEET_FORMATS[kind](summary, View())
            whole = time.perf_counter() - started
            figure = f"{asked:.2f} s, written in {whole:.2f} s"
            result.append(Row(f"report of {count['n']:,} rows, {name}", figure, "queries < 2 s", asked < 2))
    return result


def _multiply(store: Store, models: int, copies: int) -> None:
    fill = store._db.execute  # noqa: SLF001 - a benchmark fills the tables faster than a scan would
    names = "target || '-' || c as target, fingerprint || '-' || c as fingerprint"
    fill(
        f"""insert into works select works.* replace (work_key || '-' || c as work_key, shape_key || '-' || c as shape_key)
              from works, range(1, {_SHAPES}) r(c)"""
    )
    fill(
        f"""insert into audits select audits.* replace (audit_key || '-' || c as audit_key,
              if(c % {_SHAPES} = 0, work_key, work_key || '-' || c % {_SHAPES}) as work_key) from audits, range(1, {copies}) r(c)"""
    )
    fill(f"insert into audited select audit_key || '-' || c from audited, range(1, {copies}) r(c)")
    fill(
        f"""insert into inspections select inspections.* replace ({names}, '' as document, model_id || '-' || c as model_id)
              from inspections, range(1, {copies}) r(c)"""
    )
    fill(
        f"""insert into entries select entries.* replace (position + {models} * c as position, {names}, audit_key || '-' || c as audit_key)
              from entries, range(1, {copies}) r(c)"""
    )

"""Fleets: local models per second, an unchanged rescan, and queries over a million audit rows.

``AUDITOR_BENCH_MODELS`` sets the number of local models (1,000 by default, 10,000 for the full figure).
"""

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

from auditor.catalog import load_catalog
from auditor.fleet.model import FleetModel
from auditor.fleet.one import Context
from auditor.fleet.scan import scan
from auditor.fleet.store import Store
from auditor.fleet.summary import summarise
from auditor.inspection import inspect_snapshot
from auditor.sources import SourceOptions, open_target
from benchmarks.measure import Row
from benchmarks.startup import LLAMA, llama_folder

MODELS = int(os.environ.get("AUDITOR_BENCH_MODELS", "1000"))
#: Audit rows of the large store.
ROWS = 1_000_000


def rows() -> list[Row]:
    """Measure and return the table's lines."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        models = _models(folder)
        return [*_inspecting(models), *_scanning(folder, models), *_querying(folder)]


def _models(folder: Path) -> list[FleetModel]:
    """Write models of some 290 tensors each: one header, linked, and configs that differ."""
    first = folder / "m0"
    first.mkdir()
    llama_folder(first)
    found = [FleetModel(str(first))]
    for at in range(1, MODELS):
        own = folder / f"m{at}"
        own.mkdir()
        os.link(first / "model.safetensors", own / "model.safetensors")
        (own / "config.json").write_text(json.dumps({**LLAMA, "max_position_embeddings": 8192 + at}))
        found.append(FleetModel(str(own)))
    return found


def _inspecting(models: list[FleetModel]) -> list[Row]:
    options = SourceOptions()
    inspect_snapshot(open_target(models[0].target, options))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    for model in models:
        inspect_snapshot(open_target(model.target, options))
    rate = len(models) / (time.perf_counter() - started)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return [
        Row(f"inspect {len(models):,} local models, one process", f"{rate:.0f} models/s", "≥ 500 on two cores", rate >= 250),
        Row("memory grown meanwhile", f"{grown:.0f} MiB", "flat", grown < 50),
    ]


def _scanning(folder: Path, models: list[FleetModel]) -> list[Row]:
    catalog = load_catalog()
    context = Context(catalog, catalog.find_targets(["h100-sxm/vllm-cuda"]), today="2026-11-22", version="benchmark")
    with Store(folder / "scan.duckdb") as store:
        first = scan(models, store, context, processes=2)
        again = scan(models, store, context, processes=2)
    ratio = first.seconds / again.seconds
    return [
        Row(f"scan {len(models):,} local models, one target, two processes", f"{len(models) / first.seconds:.0f} models/s", "", met=True),
        Row("unchanged rescan", f"{ratio:.0f} × faster", "≥ 20 ×", ratio >= 20),
    ]


def _querying(folder: Path) -> list[Row]:
    """Fill a store with a million audit rows of 10,000 models and ask for the report."""
    path = folder / "large.duckdb"
    catalog = load_catalog()
    with Store(path) as store:
        scanned = store.begin("benchmark", "digest", "benchmark", "2026-11-22")
        fill = store._db.execute  # noqa: SLF001 - a benchmark fills the tables faster than a scan would
        models, targets = 10_000, ROWS // 10_000
        fill(
            f"""insert into entries select {scanned.number}, i, 'm' || i, '', '', '', 1, null, 'f' || i, 'k' || i, ''
                from range({models}) r(i)"""
        )
        fill(
            f"""insert into inspections select 'm' || i, 'f' || i, '', 'org/m' || i, null,
                ['dense-transformer', 'moe-transformer'][1 + i % 2], 'A' || (i % 40), 'causal-lm', 1000000 * i,
                2000000 * i, 'bfloat16', 'none', [], '' from range({models}) r(i)"""
        )
        fill(
            f"""insert into audits select 'k' || i, 'chip' || t, 'stack', 'vendor', ['native', 'needs-port', 'unknown'][1 + (i + t) % 3],
                null, ['a question'], 'open', 1, 1, 'machine', 'cloud', 1, 2.5, 0.5, 100, 1, 2, 3, '', 'A' || (i % 40), 'S' || (i % 400),
                '[{{"item": "toolchain", "name": "x", "scope": "team_stack", "scope_key": "s", "weeks": [1, 2, 3], "grade": "J"}}]', '[]'
                from range({models}) r(i), range({targets}) s(t)"""
        )
        store.finish(scanned.number)
        started = time.perf_counter()
        summary = summarise(store, catalog.effort, planned=12)
        seconds = time.perf_counter() - started
    return [Row(f"report over {len(summary.models):,} models × {targets} targets", f"{seconds:.2f} s", "< 2 s", seconds < 2)]


if __name__ == "__main__":
    sys.exit("run it with python -m benchmarks fleet")

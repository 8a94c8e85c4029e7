"""How long the catalogue takes to load, and all its rules to answer for one model."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from auditor.catalog import Catalog, load_catalog
from auditor.catalog.support import stack_facts
from auditor.facts import Facts
from auditor.inspection import inspect_snapshot
from auditor.rules import combine, evaluate
from auditor.sources import saved
from auditor.workload import Workload, resolve, workload_facts
from benchmarks.measure import Row

FIXTURE = Path(__file__).parent.parent / "fixtures" / "deepseek-v3.snapshot.json.gz"
RUNS = 9


def seconds(action: Callable[[], object]) -> float:
    """Return the shortest wall time of an action, after one run to warm up: what else the machine does only ever adds."""
    action()
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def model_facts() -> Facts:
    """Return the facts of a model that many rules have something to say about."""
    inspection = inspect_snapshot(saved.load(FIXTURE))
    workload, _ = resolve(Workload(), inspection.facts)
    return inspection.facts.merged(workload_facts(workload))


def answer(catalog: Catalog, facts: Facts) -> None:
    """Evaluate every rule for the model against every target, support lists looked up on the way."""
    for target in catalog.targets:
        combine(evaluate(catalog.rules, facts.merged(stack_facts(target, facts)), target))


def rows() -> list[Row]:
    """Measure, and say whether the goals are met."""
    catalog, facts = load_catalog(), model_facts()
    with tempfile.TemporaryDirectory() as folder:
        cold = seconds(load_catalog)
        warm = seconds(lambda: load_catalog(cache=Path(folder)))
    rules = seconds(lambda: answer(catalog, facts))
    size = f"{len(catalog.accelerators)} accelerators, {len(catalog.stacks)} stacks, {len(catalog.rules)} rules"
    return [
        Row(f"catalogue from its files ({size})", f"{cold * 1000:.0f} ms", "800 ms", cold <= 0.8),
        Row("catalogue from what was kept", f"{warm * 1000:.0f} ms", "50 ms", warm <= 0.05),
        Row(f"all rules for one model on {len(catalog.targets)} targets", f"{rules * 1000:.0f} ms", "50 ms", rules <= 0.05),
    ]

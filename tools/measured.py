"""Compares what sizing computes with what servers logged: weights per rank, cache, fit outcomes, speed.

``python tools/measured.py`` prints one line per row that is off and a summary per half; ``compare()`` gives the same as
values, for the accuracy page and for the tests. The rows, each with its source, are in ``tests/data/measurements``;
``half`` splits them by a hash of their id.
"""

import csv
import gzip
import json
import math
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from statistics import median
from typing import cast

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from auditor.catalog import Catalog, load_catalog  # noqa: E402 - runs from a checkout too
from auditor.catalog.model import MemoryModel, ParallelismRules, Target  # noqa: E402
from auditor.catalog.releases import at_release  # noqa: E402
from auditor.inspection import Inspection, inspect_snapshot  # noqa: E402
from auditor.sizing import Constraints, NoPlacement, Placement, estimate, place  # noqa: E402
from auditor.sizing.cache import on_rank, reserved_bytes  # noqa: E402
from auditor.sizing.extras import Extras  # noqa: E402
from auditor.sizing.fit import Room, Step, fit  # noqa: E402
from auditor.sizing.layout import rank_memory  # noqa: E402
from auditor.sizing.model import Layout  # noqa: E402
from auditor.sizing.shape import Shape, read_shape  # noqa: E402
from auditor.sizing.weights import Holding, bytes_per_rank, holding  # noqa: E402
from auditor.snapshot import FileEntry, Snapshot  # noqa: E402
from auditor.sources.saved import load  # noqa: E402
from auditor.units import GIB  # noqa: E402
from auditor.workload import Workload  # noqa: E402

DATA = ROOT / "tests" / "data"
MEASUREMENTS = DATA / "measurements"
#: Sequences that a benchmark which queues everything keeps in flight at most.
LARGEST_BATCH = 2048
#: Rows whose accounting an engine did otherwise than the present rule: which, and how.
OLD_ACCOUNTING = ("hybrid_grouped_nominal", "swa_nominal_tokens")
#: The release in the name of an engine, as far as it is numbers.
_RELEASE = re.compile(r"\d+(\.\d+)+(\.x)?")
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure of one row: measured and computed."""

    row: str
    half: str
    what: str
    """``weights``, ``cache``, ``fit`` or ``speed``."""
    group: str
    """Model, or stack for speed."""
    measured: float
    computed: float
    low: float = 0.0
    high: float = 0.0
    note: str = ""

    @property
    def error(self) -> float:
        """Computed over measured, less one."""
        return self.computed / self.measured - 1


@cache
def catalog() -> Catalog:
    """Return the shipped catalogue."""
    return load_catalog()


@cache
def _configs() -> dict[str, dict[str, object]]:
    text = gzip.decompress((DATA / "configs.json.gz").read_bytes())
    found: dict[str, dict[str, object]] = json.loads(text)
    return found


@cache
def model(name: str, kv_dtype: str | None) -> Inspection:
    """Return the inspection of a fixture, or of a published config by its Hub id."""
    fixture = ROOT / "fixtures" / f"{name}.snapshot.json.gz"
    if fixture.is_file():
        return inspect_snapshot(load(fixture), kv_dtype)
    documents = {"config.json": _configs()[name]}
    snapshot = Snapshot(id=name, revision=None, source="config", files=(FileEntry("config.json", None),), documents=documents)
    return inspect_snapshot(snapshot, kv_dtype)


def rows(name: str) -> list[Row]:
    """Return the rows of one file of measurements."""
    with (MEASUREMENTS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def target(name: str) -> Target:
    """Return a target by its id, ``accelerator/stack``."""
    return next(one for one in catalog().targets if one.id == name)


def compare() -> list[Compared]:
    """Return every figure that can be compared."""
    return [*memory(), *fits(), *speeds()]


def memory() -> Iterator[Compared]:
    """Weights per rank, and sequences or tokens in the memory that the log says was left for the cache."""
    reference = target("h100-sxm/vllm-cuda")
    for row in rows("memory"):
        inspection = model(row["model"], row["cache"] or None)
        layout = Layout(int(row["tensor_parallel"] or 1), int(row["pipeline_parallel"]))
        if row["weights_gib"] and row["weights"] not in {"gptq", "other"}:
            held = _held(inspection, reference, row["weights"])
            if held is not None:
                computed = bytes_per_rank(*held, layout, towers_sharded=False) / GIB
                yield Compared(row["id"], row["half"], "weights", row["model"], float(row["weights_gib"]), computed)
        if row["available_gib"]:
            yield from _cache(row, inspection, layout, _engine_of(row, reference))
        if row["target"] and row["available_gib"]:
            yield _budget(row, inspection, layout)


def _budget(row: Row, inspection: Inspection, layout: Layout) -> Compared:
    """Return what is left for the cache on a device, as sizing reckons it and as the log says."""
    where = _as_released(target(row["target"]), row["engine"])
    memory, rules = cast("MemoryModel", where.stack.memory), cast("ParallelismRules", where.stack.parallelism)
    shape, held = cast("tuple[Shape, Holding]", _held(inspection, where, row["weights"]))
    seen = cast("int", rank_memory(where.accelerator)) - memory.driver_bytes
    room = Room(seen, float(row["memory_fraction"]), memory, rules, Extras())
    step = Step(memory.activation_tokens, int(row["step_sequences"] or memory.step_sequences))
    found = fit(shape, held, layout, room, Workload(context=1, concurrency=1), step)
    return Compared(row["id"], row["half"], "budget", row["model"], float(row["available_gib"]), found.available / GIB)


def _engine_of(row: Row, reference: Target) -> MemoryModel:
    """Return the memory model of the row's engine, at the step of its small cards."""
    engine = cast("MemoryModel", _as_released(reference, row["engine"]).stack.memory)
    return replace(engine, activation_tokens=2048)


def _as_released(target_: Target, engine: str) -> Target:
    """Return a target as the release that a row names, where it names one whose history is known."""
    number = _RELEASE.search(engine)
    if not number or not target_.stack.releases:
        return target_
    return Target(target_.accelerator, at_release(target_.stack, number[0].rstrip(".x")))


def _held(inspection: Inspection, reference: Target, weights: str) -> tuple[Shape, Holding] | None:
    shape = read_shape(inspection)
    if isinstance(shape, NoPlacement):
        return None
    held = holding(shape, reference, inspection.facts, weights or None)
    return None if isinstance(held, NoPlacement) else (shape, held)


def _cache(row: Row, inspection: Inspection, layout: Layout, engine: MemoryModel) -> Iterator[Compared]:
    layers = on_rank(inspection.layers, layout, engine)
    available = float(row["available_gib"]) * GIB
    context = int(row["context"] or 0)
    nominal = row["accounting"] in OLD_ACCOUNTING
    if row["concurrency"] and context:
        each = reserved_bytes(layers, context, engine, engine.activation_tokens)
        if each:
            yield Compared(row["id"], row["half"], "cache", row["model"], float(row["concurrency"]), available / each)
    elif row["tokens"] and not nominal and not any(layer.state or layer.window for layer in layers):
        each = sum(layer.count * layer.per_token for layer in layers)
        if each:
            yield Compared(row["id"], row["half"], "cache", row["model"], float(row["tokens"]), available / each)


def fits() -> Iterator[Compared]:
    """Fit outcomes: 1 for fits, 0 for does not; ``note`` tells borderline ones."""
    for row in rows("fit"):
        inspection = model(row["model"], None)
        where = _as_released(target(row["target"]), row["engine"])
        context = int(row["context"]) if row["context"] else min(8192, inspection.facts.integer("arch.max_context") or 8192)
        load_ = Workload(context=context, concurrency=1, input_tokens=context * 3 // 4, output_tokens=max(1, context // 4))
        given = Constraints(
            devices=int(row["devices"]),
            tensor_parallel=int(row["tensor_parallel"]) if row["tensor_parallel"] else None,
            memory_fraction=float(row["memory_fraction"]) if row["memory_fraction"] else None,
            weights_holds=row["weights"] or None,
        )
        answer = place(inspection, where, load_, (), given)
        if isinstance(answer, NoPlacement) and not answer.known:
            continue
        fits_ = isinstance(answer, Placement)
        near = answer.borderline if isinstance(answer, Placement) else "five percent" in answer.reason
        note = ("borderline: " if near else "") + (answer.reason if isinstance(answer, NoPlacement) else "; ".join(answer.notes))
        yield Compared(row["id"], row["half"], "fit", row["model"], float(row["outcome"] == "fits"), float(fits_), note=note)


def speeds() -> Iterator[Compared]:
    """Generated tokens per second of the whole placement."""
    for row in rows("throughput"):
        prepared = speed_case(row)
        if prepared is None:
            continue
        inspection, where, load_, placement = prepared
        speed = estimate(inspection, where, load_, placement)
        if speed is None:
            continue
        output = speed.output_tokens_per_s if row["kind"] == "output" else speed.decode_tokens_per_s
        yield Compared(
            row["id"],
            row["half"],
            "speed",
            row["target"].partition("/")[2],
            float(row["output_tokens_per_s"]),
            output.likely,
            output.low,
            output.high,
            note=f"{row['model']} {row['weights']} {row['input_tokens']}/{row['output_tokens']} batch {load_.concurrency}",
        )


def speed_case(row: Row) -> tuple[Inspection, Target, Workload, Placement] | None:
    """Return what a row of speed is estimated from; all that fits, where a benchmark queues everything."""
    inspection, where = model(row["model"], row["cache"] or None), target(row["target"])
    prompt, output = int(row["input_tokens"]), int(row["output_tokens"])
    asked = int(row["concurrency"]) if row["concurrency"] else 1
    given = Constraints(
        devices=int(row["devices"]),
        tensor_parallel=int(row["tensor_parallel"]) if row["tensor_parallel"] else None,
        weights_holds=row["weights"] or None,
    )
    load_ = Workload(context=prompt + output, concurrency=1, input_tokens=prompt, output_tokens=output)
    placement = place(inspection, where, load_, (), given)
    if isinstance(placement, NoPlacement):
        return None
    most = min(placement.max_concurrency, LARGEST_BATCH * placement.data_parallel)
    return inspection, where, replace(load_, concurrency=min(asked, most) if row["concurrency"] else most), placement


@dataclass(frozen=True, slots=True)
class Summary:
    """How well one kind of figure is met."""

    rows: int
    median_error: float
    within: float
    """Share of rows within the goal of their kind, or inside low..high for speed."""
    spread: float
    """Median high over low, for speed."""


#: Largest error that counts as met, by kind.
GOALS: dict[str, float] = {"weights": 0.03, "cache": 0.05, "budget": 0.05, "fit": 0.0}


def summarize(found: Sequence[Compared]) -> Summary:
    """Return the summary of figures of one kind."""
    met: Callable[[Compared], bool] = {
        "speed": lambda one: one.low <= one.measured <= one.high,
        "fit": lambda one: one.measured == one.computed or one.note.startswith("borderline"),
    }.get(found[0].what, lambda one: abs(one.error) <= GOALS[one.what])
    errors = [abs(one.error) if one.what != "fit" else abs(one.computed - one.measured) for one in found]
    spread = median(one.high / one.low for one in found) if found[0].what == "speed" else math.nan
    return Summary(len(found), median(errors), sum(met(one) for one in found) / len(found), spread)


def main() -> None:
    """Print what is off, then a summary by kind and half."""
    found = compare()
    for one in found:
        if one.what == "fit":
            if one.measured != one.computed:
                print(f"{one.row} fit {one.group}: measured {one.measured:.0f}, computed {one.computed:.0f}; {one.note}")
        elif abs(one.error) > GOALS.get(one.what, 0.3):
            print(f"{one.row} {one.what} {one.group}: measured {one.measured:g}, computed {one.computed:.4g} ({one.error:+.1%}) {one.note}")
    for what in ("weights", "cache", "budget", "fit", "speed"):
        for half in ("calibration", "validation"):
            part = [one for one in found if one.what == what and one.half == half]
            if part:
                total = summarize(part)
                line = f"{what:8} {half:12} {total.rows:4} rows, median error {total.median_error:.1%}, met by {total.within:.0%}"
                print(line + (f", median high/low {total.spread:.2f}" if what == "speed" else ""))


if __name__ == "__main__":
    main()

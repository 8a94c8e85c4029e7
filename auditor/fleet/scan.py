"""Scans a fleet: streaming, a bounded number of models in hand, whole batches written, unchanged models passed over."""

import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, fields, replace
from itertools import islice
from multiprocessing import get_context
from typing import Any, Self

from auditor.catalog import load_catalog
from auditor.fleet.model import FleetModel
from auditor.fleet.one import Context, Outcome, audit_key, kv_dtype, outcome
from auditor.fleet.store import Store
from auditor.sources.fingerprint import fingerprint

#: Models of one batch: what a kill can cost, and what one transaction writes.
BATCH = 64
#: Models read at once in one process: they wait for disks and servers most of the time.
THREADS = 16
#: Models below which starting other processes costs more than it saves.
_WORTH_PROCESSES = 256


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a scan has come."""

    done: int
    unchanged: int
    failed: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Job:
    position: int
    model: FleetModel
    mark: str
    known: dict[str, Any] | None


def scan(
    models: Iterable[FleetModel],
    store: Store,
    context: Context,
    *,
    processes: int = 1,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Audit every model into the store and return the counts. An interrupted scan of the same kind is taken up again.

    One model that cannot be read is one row with its reason. Raises ReportError when the store cannot be written.
    """
    identity = context.identity
    begun = store.begin(identity, context.catalog.digest, context.version, context.today)
    started = time.monotonic()
    state = Progress(len(begun.done), 0, 0, 0.0)
    marks, audited = store.known()
    written = set(audited)
    numbered = ((position, model) for position, model in enumerate(models) if position not in begun.done)
    with _Workers(context, processes) as workers:
        for batch in workers.run(_batches(numbered, begun.number, marks, written, identity, store, context)):
            state = _write(batch, store, begun.number, identity, written, state)
            state = replace(state, seconds=time.monotonic() - started)
            progress(state)
    store.finish(begun.number)
    return state


def _batches(
    numbered: Iterator[tuple[int, FleetModel]],
    number: int,
    marks: dict[str, str],
    written: set[str],
    identity: str,
    store: Store,
    context: Context,
) -> Iterator[tuple[list[_Job], list[_Job]]]:
    """Yield batches as (unchanged, to be audited)."""
    while some := list(islice(numbered, BATCH)):
        with ThreadPoolExecutor(THREADS) as pool:
            found = list(pool.map(lambda pair: fingerprint(pair[1].target, context.source), some))
        same: list[_Job] = []
        fresh: list[_Job] = []
        for (position, model), state in zip(some, found, strict=True):
            # What was read holds the cache in one type: another type is another reading.
            asked = kv_dtype(model, context)
            mark = f"{state}+{asked}" if state and asked else state
            unchanged = mark is not None and marks.get(model.target) == mark
            # Without a mark nothing is known to be unchanged; scan and position keep such audits apart.
            key = mark or f"unmarked:{number}:{position}"
            if unchanged and audit_key(key, model, identity) in written:
                same.append(_Job(position, model, key, None))
            else:
                fresh.append(_Job(position, model, key, store.inspection(model.target, key) if unchanged else None))
        yield same, fresh


def _write(
    batch: tuple[list[_Job], list[tuple[_Job, Outcome]]], store: Store, number: int, identity: str, written: set[str], state: Progress
) -> Progress:
    same, fresh = batch
    entries = [_entry(number, job, audit_key(job.mark, job.model, identity), "") for job in same]
    inspections, audits = [], {}
    for job, result in fresh:
        key = audit_key(job.mark, job.model, identity)
        entries.append(_entry(number, job, key if result.rows else "", result.error))
        if result.inspection is not None:
            document = _compact(result.inspection)
            inspections.append(
                {"target": job.model.target, "fingerprint": job.mark, "document": document, **result.facts, "error": result.error}
            )
        if result.rows and key not in written:
            audits[key] = result.rows
            written.add(key)
    store.write(sorted(entries, key=lambda entry: entry["position"]), inspections, audits)
    failed = sum(1 for _, result in fresh if result.error)
    return Progress(state.done + len(same) + len(fresh), state.unchanged + len(same), state.failed + failed, state.seconds)


def _compact(document: Any) -> str:
    return json.dumps(document, separators=(",", ":"))


def _entry(number: int, job: _Job, key: str, error: str) -> dict[str, Any]:
    model = job.model
    return {
        "scan": number,
        "position": job.position,
        "target": model.target,
        "name": model.name,
        "owner": model.owner,
        "found": model.found,
        "replicas": model.replicas,
        "tokens_per_day": model.workload.get("tokens_per_day"),
        "fingerprint": job.mark,
        "audit_key": key,
        "error": error,
    }


class _Workers:
    """Audits batches: in threads of this process, and for a large fleet in other processes too, in the order given."""

    def __init__(self, context: Context, processes: int) -> None:
        self._context = context
        self._processes = processes
        self._pool: Executor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def run(self, batches: Iterator[tuple[list[_Job], list[_Job]]]) -> Iterator[tuple[list[_Job], list[tuple[_Job, Outcome]]]]:
        """Yield each batch with its outcomes. No more than a few batches are in hand at any time."""
        waiting: deque[tuple[list[_Job], list[_Job], Future[list[Outcome]] | None]] = deque()
        seen = 0
        for same, fresh in batches:
            seen += len(fresh)
            waiting.append((same, fresh, self._submit(fresh, seen)))
            while len(waiting) > 2 * self._processes or (waiting and waiting[0][2] is None):
                yield self._finished(*waiting.popleft())
        while waiting:
            yield self._finished(*waiting.popleft())

    def _submit(self, jobs: list[_Job], seen: int) -> Future[list[Outcome]] | None:
        if not jobs or self._processes < 2 or seen < _WORTH_PROCESSES:
            return None
        if self._pool is None:
            # Spawned, not forked: this process has threads of its own and an open database.
            self._pool = ProcessPoolExecutor(
                self._processes, mp_context=get_context("spawn"), initializer=_start, initargs=(_Recipe.of(self._context),)
            )
        return self._pool.submit(_audit_there, [(job.model, job.known) for job in jobs])

    def _finished(
        self, same: list[_Job], jobs: list[_Job], future: Future[list[Outcome]] | None
    ) -> tuple[list[_Job], list[tuple[_Job, Outcome]]]:
        try:
            results = future.result() if future is not None else audit_batch([(job.model, job.known) for job in jobs], self._context)
        except BrokenProcessPool:
            # A process died, of memory perhaps: this one goes on alone.
            self._processes, self._pool = 1, None
            results = audit_batch([(job.model, job.known) for job in jobs], self._context)
        return same, list(zip(jobs, results, strict=True))


def audit_batch(pairs: Sequence[tuple[FleetModel, dict[str, Any] | None]], context: Context) -> list[Outcome]:
    """Return the outcomes of several models, in order, read at the same time."""
    if len(pairs) < 2:
        return [outcome(model, context, known) for model, known in pairs]
    with ThreadPoolExecutor(min(THREADS, len(pairs))) as pool:
        return list(pool.map(lambda pair: outcome(pair[0], context, pair[1]), pairs))


@dataclass(frozen=True, slots=True)
class _Recipe:
    """What another process makes its context of: compiled rules do not travel, so it loads the catalogue itself."""

    targets: tuple[str, ...]
    rest: dict[str, Any]

    @classmethod
    def of(cls, context: Context) -> Self:
        rest = {field.name: getattr(context, field.name) for field in fields(context) if field.name not in {"catalog", "targets"}}
        return cls(tuple(target.id for target in context.targets), rest)

    def context(self) -> Context:
        catalog = load_catalog(self.rest["packs"], cache=self.rest["cache"])
        return Context(catalog, catalog.find_targets(self.targets), **self.rest)


_here: Context | None = None


def _start(recipe: _Recipe) -> None:
    global _here  # noqa: PLW0603 - a worker process has one context for its whole life
    _here = recipe.context()


def _audit_there(pairs: list[tuple[FleetModel, dict[str, Any] | None]]) -> list[Outcome]:
    assert _here is not None  # noqa: S101 - set by the initializer
    return audit_batch(pairs, _here)

"""Who audits the batches of a scan: threads of this process, and for a large fleet other processes, in the order given."""

import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import Any, Self

from auditor.fleet.jobs import Batch
from auditor.fleet.model import FleetModel
from auditor.fleet.one import Context, ScanOutcome, ScanRules, loaded, outcome

#: Models read at once in one process: they wait for disks and servers most of the time.
THREADS = 16
#: Models below which starting other processes costs more than it saves.
_WORTH_PROCESSES = 256

_Pairs = Sequence[tuple[FleetModel, dict[str, Any] | None]]


class Workers:
    """A pool that is started once there is enough to do."""

    def __init__(self, context: Context, processes: int) -> None:
        self._context = context
        self._processes = processes
        self._pool: Executor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def run(self, batches: Iterator[Batch]) -> Iterator[tuple[Batch, Iterable[ScanOutcome]]]:
        """Yield each batch with the outcomes of its fresh models, which may come one by one. No more than a few batches are in hand."""
        waiting: deque[tuple[Batch, Future[list[ScanOutcome]] | None]] = deque()
        seen = 0
        for batch in batches:
            seen += len(batch.fresh)
            waiting.append((batch, self._submit(batch, seen)))
            while len(waiting) > 2 * self._processes or (waiting and waiting[0][1] is None):
                yield self._finished(*waiting.popleft())
        while waiting:
            yield self._finished(*waiting.popleft())

    def _submit(self, batch: Batch, seen: int) -> Future[list[ScanOutcome]] | None:
        if not batch.fresh or self._processes < 2 or seen < _WORTH_PROCESSES:
            return None
        if self._pool is None:
            # Spawned, not forked: this process has threads of its own and an open database.
            self._pool = ProcessPoolExecutor(self._processes, get_context("spawn"), initializer=_end_with_parent)
        return self._pool.submit(_audit_there, _pairs(batch), self._context.rules)

    def _finished(self, batch: Batch, future: Future[list[ScanOutcome]] | None) -> tuple[Batch, Iterable[ScanOutcome]]:
        try:
            return batch, future.result() if future is not None else audit_batch(_pairs(batch), self._context)
        except BrokenProcessPool:
            # A process died, of memory perhaps: this one goes on alone.
            self._processes, self._pool = 1, None
            return batch, audit_batch(_pairs(batch), self._context)


def _pairs(batch: Batch) -> _Pairs:
    return [(job.model, job.known) for job in batch.fresh]


def audit_batch(pairs: _Pairs, context: Context) -> Iterator[ScanOutcome]:
    """Yield the outcomes of several models, in order, read at the same time."""
    if len(pairs) < 2:
        yield from (outcome(model, context, known) for model, known in pairs)
        return
    with ThreadPoolExecutor(min(THREADS, len(pairs))) as pool:
        yield from pool.map(lambda pair: outcome(pair[0], context, pair[1]), pairs)


def _end_with_parent() -> None:
    """Let this process end when the one that scans is killed: its queue would stay open, and be waited on for ever."""
    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _audit_there(pairs: _Pairs, rules: ScanRules) -> list[ScanOutcome]:
    return list(audit_batch(pairs, loaded(rules)))

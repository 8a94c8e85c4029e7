"""Scans a fleet: streaming, a bounded number of models in hand, unchanged models passed over."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from itertools import islice

from auditor.fleet.jobs import Batch, Job, Progress
from auditor.fleet.model import FleetModel
from auditor.fleet.one import Context, reading
from auditor.fleet.store import Store
from auditor.fleet.workers import THREADS, Workers
from auditor.fleet.writer import Writer
from auditor.sources.fingerprint import fingerprint

#: Models of one batch: what one process is given at a time.
BATCH = 64


def scan(
    models: Sequence[FleetModel],
    store: Store,
    context: Context,
    *,
    processes: int = 1,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Audit every model into the store and return the counts. An interrupted scan of the same fleet and rules is taken up again.

    One model that cannot be read is one row with its reason. Raises ReportError when the store cannot be written.
    """
    rules = context.rules
    begun = store.begin(_identity(models, context.identity), context.catalog.digest, rules.version, rules.today, context.options)
    numbered = ((position, model) for position, model in enumerate(models) if position not in begun.done)
    writer = Writer(store, begun, context)
    with ThreadPoolExecutor(THREADS) as lookers, Workers(context, processes) as workers:
        for batch, outcomes in workers.run(_batches(numbered, writer, context, lookers)):
            for state in writer.add(batch, outcomes):
                progress(state)
    writer.flush()
    store.finish(begun.number)
    return writer.state


def _identity(models: Iterable[FleetModel], rules: str) -> str:
    """Return the mark of a scan: what is scanned, and by which rules."""
    digest = hashlib.sha256(rules.encode())
    for model in models:
        digest.update(repr(model).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:32]


def _batches(numbered: Iterator[tuple[int, FleetModel]], writer: Writer, context: Context, lookers: Executor) -> Iterator[Batch]:
    """Yield batches, what has not changed apart from what is to be audited."""
    source = context.rules.source
    while some := list(islice(numbered, BATCH)):
        # On its first visit a model is read in any case: a Hub need not be asked for its state beforehand.
        states = lookers.map(lambda pair: fingerprint(pair[1].target, source, seen=pair[1].target in writer.marks), some)
        batch = Batch()
        for (position, model), state in zip(some, states, strict=True):
            mark = state and state + reading(model, context.rules)
            if mark is None or writer.marks.get(model.target) != mark:
                batch.fresh.append(Job(position, model, mark))
            elif writer.has(model, mark):
                batch.unchanged.append(Job(position, model, mark))
            else:
                batch.fresh.append(Job(position, model, mark, writer.store.inspection(model.target, mark)))
        yield batch

"""Collects what came of models, and writes it to the store once in a while, each time whole or not at all."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from auditor.fleet.jobs import Batch, Job, Progress
from auditor.fleet.model import FleetModel
from auditor.fleet.one import Context, ScanOutcome, audit_key, facts_mark, reading, work_key
from auditor.fleet.store import Scan, Store
from auditor.sources.fingerprint import mark_of

#: Seconds between two transactions: what a kill can cost. One costs as much for a row as for thousands.
_EVERY = 1.0
#: Rows of audits after which one is due anyway.
_ROWS_IN_HAND = 20_000


class Writer:
    """What a scan has in hand, and what it knows of the store."""

    def __init__(self, store: Store, begun: Scan, context: Context) -> None:
        self.store = store
        self.state = Progress(len(begun.done), len(begun.done))
        # State in which each target was last read, and the keys of all audits.
        self.marks, self._audited = store.known()
        self._number = begun.number
        self._rules = context.rules
        self._identity = context.identity
        self._started = self._written = time.monotonic()
        self._clear()

    def _clear(self) -> None:
        self._entries: list[dict[str, Any]] = []
        self._inspections: list[dict[str, Any]] = []
        self._audits: dict[str, Sequence[Mapping[str, Any]]] = {}
        self._works: dict[str, dict[str, Any]] = {}
        self._rows = 0

    def has(self, model: FleetModel, mark: str) -> bool:
        """Return whether a model in this state was audited by these rules."""
        return audit_key(mark, model, self._identity) in self._audited

    def add(self, batch: Batch, outcomes: Iterable[ScanOutcome]) -> Iterator[Progress]:
        """Take what came of a batch; yield how far the scan is."""
        for job in batch.unchanged:
            self._enter(job, job.mark or "", "")
        yield self._now(done=len(batch.unchanged), unchanged=len(batch.unchanged))
        for job, result in zip(batch.fresh, outcomes, strict=True):
            self._take(job, result)
            yield self._now(done=1, failed=1 if result.error else 0)

    def _now(self, done: int, unchanged: int = 0, failed: int = 0) -> Progress:
        """Count what was taken, and write what is in hand where that is due."""
        now, state = time.monotonic(), self.state
        self.state = replace(
            state,
            done=state.done + done,
            unchanged=state.unchanged + unchanged,
            failed=state.failed + failed,
            seconds=now - self._started,
        )
        if now - self._written >= _EVERY or self._rows >= _ROWS_IN_HAND:
            self.flush()
        return self.state

    def _take(self, job: Job, result: ScanOutcome) -> None:
        mark = job.mark or self._mark_read(job, result)
        key = self._enter(job, mark, result.error, audited=bool(result.rows))
        if result.inspection is not None:
            document = json.dumps(result.inspection, separators=(",", ":"))
            self._inspections.append(
                {"target": job.model.target, "fingerprint": mark, "document": document, **result.facts, "error": result.error}
            )
        if result.rows and key not in self._audited:
            self._audited.add(key)
            self._audits[key] = [self._row(row) for row in result.rows]
            self._rows += len(result.rows)

    def _mark_read(self, job: Job, result: ScanOutcome) -> str:
        """Return the state in which a model was read; nothing where it could not be."""
        read = result.inspection
        if read is None:
            return ""
        state = mark_of(read["source"], read["revision"])
        return state + reading(job.model, self._rules) if state else facts_mark(read)

    def _enter(self, job: Job, mark: str, error: str, *, audited: bool = True) -> str:
        """Note that a model was visited; return the key of its audit, empty where there is none."""
        model = job.model
        key = audit_key(mark, model, self._identity) if audited else ""
        entry = {
            "scan": self._number,
            "position": job.position,
            "target": model.target,
            "name": model.name,
            "owner": model.owner,
            "found": model.found,
            "replicas": model.replicas,
            "workload": dict(model.workload),
            "fingerprint": mark,
            "audit_key": key,
            "error": error,
        }
        self._entries.append(entry)
        return key

    def _row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        if not row["work"]:
            return dict(row)
        key = work_key(row)
        self._works[key] = {
            "work_key": key,
            "architecture_key": row["architecture_key"],
            "shape_key": row["shape_key"],
            "items": row["work"],
        }
        return {**row, "work_key": key}

    def flush(self) -> None:
        """Write what is in hand. Raises ReportError; what was written before stays."""
        if self._entries:
            self.store.write(self._entries, self._inspections, self._audits, list(self._works.values()))
        self._clear()
        self._written = time.monotonic()

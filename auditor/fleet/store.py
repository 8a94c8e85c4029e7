"""The fleet's memory: one DuckDB file, with a versioned schema and every scan that was made.

An audit is kept once under a key made of the model's state, its workload and the rules; a scan only points to audits. So a
model that did not change costs one short row, and history is what earlier scans point to. Each batch is one transaction:
whatever kills a scan, the file holds whole batches and nothing else.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import duckdb

from auditor.errors import ReportError

SCHEMA_VERSION = 2
_TABLES = """
create table meta (name varchar primary key, value varchar);
-- state: running, done, abandoned
create table scans (
  scan integer primary key, identity varchar, rules_digest varchar, version varchar, today varchar, options varchar, state varchar);
-- One row per model of a scan, pointing to what was read of it and to its audit.
create table entries (
  scan integer, position integer, target varchar, name varchar, owner varchar, found varchar, replicas integer, workload json,
  fingerprint varchar, audit_key varchar, error varchar, primary key (scan, position));
-- What was read of a model in one state.
create table inspections (
  target varchar, fingerprint varchar, document varchar, model_id varchar, revision varchar, arch_class varchar, architecture varchar,
  task varchar, params bigint, weights_bytes bigint, dtype varchar, quant_method varchar, unknown varchar[], error varchar,
  primary key (target, fingerprint));
-- One row per audited model and target. device_share: of one device, where several servers may share it; null for whole devices.
create table audits (
  audit_key varchar, accelerator varchar, stack varchar, family varchar, verdict varchar, at_least varchar, settled_by varchar[],
  availability varchar, devices integer, device_share double, billed_devices integer, instance varchar, provider varchar,
  instances integer, usd_per_hour double, usd_per_million double, output_tokens_per_s double, weeks_low double, weeks_likely double,
  weeks_high double, weeks_reason varchar, work_key varchar, findings json);
-- What moving a model takes: most models of a fleet share theirs with others.
create table works (work_key varchar primary key, architecture_key varchar, shape_key varchar, items json);
-- Keys of the audits that are whole.
create table audited (audit_key varchar primary key);
"""
_EXPORTED = ("scans", "entries", "inspections", "audits", "works")


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan of the store."""

    number: int
    done: frozenset[int]
    """Positions that an interrupted run of this scan has left behind it."""


class Store:
    """An open store. One process has it at a time."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open or create the store. Raises ReportError when another scan has it, or when it is no store of ours."""
        self.path = path
        with _explained(path):
            if read_only and not path.is_file():
                raise ReportError(f"{path}: no such store", "`auditor fleet scan … --store FILE` makes one")
            self._db = duckdb.connect(str(path), read_only=read_only)
            self._prepare(read_only=read_only)
        self._columns: dict[str, dict[str, str]] = {}
        for row in self.query("select table_name, column_name, data_type from information_schema.columns order by ordinal_position"):
            self._columns.setdefault(row["table_name"], {})[row["column_name"]] = row["data_type"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; another process may then open it."""
        self._db.close()

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return the rows of a query as mappings."""
        with _explained(self.path):
            cursor = self._db.execute(sql, list(parameters))
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def begin(self, identity: str, rules_digest: str, version: str, today: str, options: str = "") -> Scan:
        """Return a new scan, or the one that was interrupted if it was of the same identity."""
        last = self.query("select scan, identity, state from scans order by scan desc limit 1")
        if last and last[0]["state"] == "running" and last[0]["identity"] == identity:
            number = last[0]["scan"]
            done = self.query("select position from entries where scan = ?", [number])
            return Scan(number, frozenset(row["position"] for row in done))
        with self._transaction():
            if last and last[0]["state"] == "running":
                self._db.execute("update scans set state = 'abandoned' where scan = ?", [last[0]["scan"]])
            number = last[0]["scan"] + 1 if last else 1
            self._db.execute(
                "insert into scans values (?, ?, ?, ?, ?, ?, 'running')", [number, identity, rules_digest, version, today, options]
            )
        return Scan(number, frozenset())

    def finish(self, number: int) -> None:
        """Mark a scan as complete."""
        with self._transaction():
            self._db.execute("update scans set state = 'done' where scan = ?", [number])

    def known(self) -> tuple[dict[str, str], set[str]]:
        """Return the last fingerprint under which each target was read without error, and the keys of all audits."""
        rows = self.query("select target, last(fingerprint order by rowid) fingerprint from inspections where error = '' group by target")
        keys = self.query("select audit_key from audited")
        return {row["target"]: row["fingerprint"] for row in rows}, {row["audit_key"] for row in keys}

    def inspection(self, target: str, fingerprint: str) -> dict[str, Any] | None:
        """Return what was read of a target in a state, as ``encode`` wrote it."""
        found = self.query("select document from inspections where target = ? and fingerprint = ?", [target, fingerprint])
        return json.loads(found[0]["document"]) if found and found[0]["document"] else None

    def write(
        self,
        entries: Sequence[Mapping[str, Any]],
        inspections: Sequence[Mapping[str, Any]],
        audits: Mapping[str, Sequence[Mapping[str, Any]]],
        works: Sequence[Mapping[str, Any]],
    ) -> None:
        """Write one batch, whole or not at all. Raises ReportError when the disk is full; what was there stays."""
        with self._transaction():
            self._insert("inspections", inspections, ignore=True)
            self._insert("works", works, ignore=True)
            self._insert("audits", [{**row, "audit_key": key} for key, found in audits.items() for row in found])
            self._insert("audited", [{"audit_key": key} for key in audits])
            self._insert("entries", entries)

    def export(self, folder: Path) -> list[Path]:
        """Write every table as a Parquet file into ``folder`` and return the files."""
        with _explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
            paths = []
            for table in _EXPORTED:
                path = folder / f"{table}.parquet"
                self._db.execute(f"copy {table} to '{str(path).replace(chr(39), chr(39) * 2)}' (format parquet)")
                paths.append(path)
            return paths

    def _prepare(self, *, read_only: bool) -> None:
        tables = {row["table_name"] for row in self.query("select table_name from information_schema.tables")}
        if not tables and not read_only:
            with self._transaction():
                self._db.execute(_TABLES)
                self._db.execute("insert into meta values ('schema', ?)", [str(SCHEMA_VERSION)])
            return
        if "meta" not in tables:
            raise ReportError(f"{self.path}: a database, but no store of auditor", "name another file")
        version = self.query("select value from meta where name = 'schema'")
        if not version or version[0]["value"] != str(SCHEMA_VERSION):
            raise ReportError(f"{self.path}: made by another version of auditor", "scan into a new file")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _explained(self.path):
            self._db.execute("begin")
            try:
                yield
                self._db.execute("commit")
            except BaseException:
                # A failed commit has ended the transaction already.
                with suppress(duckdb.Error):
                    self._db.execute("rollback")
                raise

    def _insert(self, table: str, rows: Sequence[Mapping[str, Any]], *, ignore: bool = False) -> None:
        """Insert many rows at once: as one JSON text, which the engine reads fastest without a heavy library."""
        if not rows:
            return
        columns = self._columns[table]
        text = json.dumps([{name: row.get(name) for name in columns} for row in rows])
        shape = json.dumps([{name: [kind[:-2]] if kind.endswith("[]") else kind for name, kind in columns.items()}])
        names, values = ", ".join(columns), ", ".join(f"row.{name}" for name in columns)
        verb = "insert or ignore" if ignore else "insert"
        self._db.execute(f"{verb} into {table} ({names}) select {values} from (select unnest(from_json(?, '{shape}')) as row)", [text])  # noqa: S608 - names of this module


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn the engine's errors into one line each."""
    try:
        yield
    except ReportError:
        raise
    except duckdb.IOException as error:
        text = str(error)
        if "lock" in text.lower():
            raise ReportError(f"{path}: another scan has this store open", "wait for it, or name another --store") from None
        if "space" in text or "too large" in text.lower() or "Could not write" in text:
            raise ReportError(
                f"{path}: the disk is full; what was scanned before is intact", "free some space and run the same scan again"
            ) from None
        raise ReportError(f"{path}: cannot be opened ({text.splitlines()[0]})", "is it a store of auditor?") from None
    except duckdb.Error as error:
        raise ReportError(f"{path}: {str(error).splitlines()[0]}", "is it a store of auditor?") from None
    except OSError as error:
        raise ReportError(
            f"{path}: {error.strerror or error}", "free some space, or check its permissions, and run the same scan again"
        ) from None

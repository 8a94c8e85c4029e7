"""Targets into inspections. A model that cannot be read is an inspection with an error: the others go on."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.cli.flags import Against, Load, Screen, Source, unexpected
from auditor.cli.terminal import Terminal
from auditor.errors import Malformed, TargetError, WorkloadError
from auditor.facts import Facts
from auditor.snapshot import Snapshot
from auditor.sources import is_there, open_target
from auditor.sources.options import SourceOptions

if TYPE_CHECKING:
    from auditor.inspection import Inspection


class Reader:
    """Reads models with the options of one run."""

    def __init__(
        self, source: Source, terminal: Terminal, *, kv_dtype: str | None = None, fast: bool = False, places: bool = False, debug: bool
    ) -> None:
        self._options = SourceOptions(
            revision=source.revision, token=source.token, offline=source.offline, variant=source.variant, fast=fast
        )
        self._terminal = terminal
        self._kv_dtype = kv_dtype
        self._places = places
        self._debug = debug

    def inspection(self, target: str, save: Path | None = None) -> "Inspection":
        """Return what the files of ``target`` say, and write its snapshot to ``save``. Its errors go to stderr too."""
        self._terminal.note(f"reading {target}", 2)
        try:
            found = self._read(target, save)
        except TargetError as error:
            found = _unread(target, str(error), error)
        except WorkloadError:  # what was asked is wrong, whatever the model
            raise
        except Exception as error:  # a fault of ours in one model must not cost the reader the others
            if self._debug:
                raise
            found = _unread(target, f"{target}: {unexpected(error)}")
        for sentence in found.errors:
            self._terminal.error(f"auditor: {sentence}" if found.id in sentence else f"auditor: {found.id}: {sentence}")
        for sentence in found.notes:
            self._terminal.note(f"{found.id}: {sentence}", 2)
        return replace(found, target=target)

    def _read(self, target: str, save: Path | None) -> "Inspection":
        snapshot = self._opened(target)
        from auditor.inspection import inspect_snapshot  # noqa: PLC0415  # see _opened

        if save is not None:
            from auditor.sources.saved import save as write  # noqa: PLC0415  # only for --save

            write(snapshot, save)
        return inspect_snapshot(snapshot, self._kv_dtype, places=self._places)

    def _opened(self, target: str) -> Snapshot:
        """Open a target. Of a remote one the answers take their time, in which what reads them is imported."""
        if is_there(Path(target)):
            return open_target(target, self._options)
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  # slow to import, and only here

        pool = ThreadPoolExecutor(1)
        answer = pool.submit(open_target, target, self._options)
        pool.shutdown(wait=False)
        import auditor.inspection  # noqa: F401, PLC0415

        return answer.result()


def draft_of(source: Source, against: Against, load: Load, screen: Screen) -> "Inspection | None":
    """Return what is said of the draft model that an option names. Raises WorkloadError where it cannot be read."""
    if against.draft is None:
        return None
    reader = Reader(source, screen.terminal, kv_dtype=load.kv_dtype or load.configured.get("kv_dtype"), debug=screen.traceback)
    found = reader.inspection(against.draft)
    if found.errors:
        raise WorkloadError(f"the draft model {against.draft} cannot be read", "check --draft")
    return found


def _unread(target: str, sentence: str, error: TargetError | None = None) -> "Inspection":
    from auditor.inspection import Inspection  # noqa: PLC0415
    from auditor.inspection.model import Origin  # noqa: PLC0415

    places = {sentence: Origin(error.path, line=error.line)} if isinstance(error, Malformed) and error.line else {}
    return Inspection(id=target, revision=None, source="", facts=Facts(), errors=(sentence,), origins=places)

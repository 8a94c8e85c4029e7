"""A scan that is killed at any moment goes on where it was: the store is that of a scan that nobody disturbed."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import pytest

from tests.fleet.conftest import content, write_model

ROOT = Path(__file__).parent.parent.parent
MODELS = 60


class Scanner:
    """The other side of ``tests.support.scans``."""

    def __init__(self, listing: Path) -> None:
        command = [sys.executable, "-m", "tests.support.scans", str(listing)]
        self._server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.communicate()

    @contextmanager
    def scanning(self, store: Path) -> Iterator[int]:
        """Scan into a store for as long as it takes; yields the process's id."""
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.write(f"{store}\n")
        self._server.stdin.flush()
        yield int(self._server.stdout.readline())
        self.killed = os.WIFSIGNALED(int(self._server.stdout.readline()))

    def whole(self, store: Path) -> float:
        """Scan to the end; return the seconds that it took."""
        started = time.monotonic()
        with self.scanning(store):
            pass
        assert not self.killed
        return time.monotonic() - started


@pytest.fixture(scope="module")
def listing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a fleet file of folders, of which one in ten cannot be read."""
    folder = tmp_path_factory.mktemp("fleet")
    models = [write_model(folder / f"m{at}", num_hidden_layers=4 + at) for at in range(MODELS)]
    for model in models[::10]:
        (model / "config.json").write_text("[1, 2")
    path = folder / "all.fleet.yaml"
    path.write_text("models:\n" + "".join(f"  - model: {model}\n" for model in models))
    return path


@pytest.mark.parametrize("points", [3, pytest.param(100, marks=pytest.mark.server)])
def test_a_killed_scan_goes_on_where_it_was(points: int, listing: Path, tmp_path: Path) -> None:
    """Kill scans at random moments, each store until a run gets through."""
    moments = random.Random(points)  # noqa: S311 - reproducible
    stores = [tmp_path / "0.duckdb"]
    kills = 0
    with Scanner(listing) as scanner:
        seconds = scanner.whole(tmp_path / "calm.duckdb")
        *calm, _ = content(tmp_path / "calm.duckdb")
        assert len(calm[0]) == MODELS
        while kills < points:
            with scanner.scanning(stores[-1]) as process:
                time.sleep(moments.uniform(0, seconds))
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            kills += scanner.killed
            if not scanner.killed:
                stores.append(tmp_path / f"{len(stores)}.duckdb")
        scanner.whole(stores[-1])
    for store in stores:
        *found, scans = content(store)
        assert found == calm, store
        # A kill after the last write leaves a scan that is done: the next one finds nothing to do.
        assert {row["state"] for row in scans} == {"done"}

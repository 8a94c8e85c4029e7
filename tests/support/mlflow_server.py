"""A real MLflow server for a test, with its registry in SQLite."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

#: Seconds that it may take to start: on a busy machine its imports alone take a minute.
_PATIENCE = 300


@contextmanager
def mlflow_server(folder: Path, *options: str) -> Iterator[str]:
    """Run a server that keeps everything in ``folder``; its address. Skips where MLflow is not installed."""
    if importlib.util.find_spec("mlflow") is None:
        pytest.skip("MLflow is installed by make check")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    store = ("--backend-store-uri", f"sqlite:///{folder}/mlflow.db")
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", *store, *options]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        _wait(f"http://127.0.0.1:{port}", process, folder / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # it has workers of its own, and nothing that is worth keeping
        process.wait(60)


def _wait(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        try:
            with urlopen(f"{address}/health", timeout=2) as answer:  # noqa: S310 - our own server
                if answer.status == 200:
                    return
        except (URLError, OSError):
            assert process.poll() is None, log.read_text()
        time.sleep(0.3)
    pytest.fail(f"the server did not start: {log.read_text()}")

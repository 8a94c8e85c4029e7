"""Whole-process measurements in paired, alternating runs, so that a ratio holds when the machine's speed drifts."""

import os
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command."""

    seconds: float
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the benchmark table."""

    name: str
    figure: str
    goal: str
    met: bool


def run(command: Sequence[str], env: dict[str, str] | None = None) -> Run:
    """Run a command to its end, discard its output, and return wall seconds and peak resident bytes.

    Raises RuntimeError when it fails: a benchmark of a failing command measures nothing.
    """
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, **(env or {})})
    stderr = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {stderr.decode(errors='replace')[-500:]}")
    return Run(seconds, usage.ru_maxrss * 1024)


def pair(ours: Sequence[str], theirs: Sequence[str], runs: int = 9, env: dict[str, str] | None = None) -> tuple[list[Run], list[Run]]:
    """Run two commands in turn, after one warm-up of each."""
    run(ours, env)
    run(theirs, env)
    results: tuple[list[Run], list[Run]] = ([], [])
    for _ in range(runs):
        results[0].append(run(ours, env))
        results[1].append(run(theirs, env))
    return results


def median_seconds(runs: Sequence[Run]) -> float:
    """Return the median wall time."""
    return statistics.median(one.seconds for one in runs)


def median_ratio(ours: Sequence[Run], theirs: Sequence[Run]) -> float:
    """Return the median of the ratios, pair by pair."""
    return statistics.median(a.seconds / b.seconds for a, b in zip(ours, theirs, strict=True))

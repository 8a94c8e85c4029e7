"""Pipes, interrupts and odd places to write to, in real processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LLAMA = str(ROOT / "fixtures" / "llama-3.1-8b-instruct.snapshot.json.gz")
AUDITOR = (sys.executable, "-m", "auditor")


def test_a_reader_that_leaves_early_is_no_error() -> None:
    code = "import sys, subprocess; p = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.PIPE); p.stdout.close(); "
    code += "sys.stderr.buffer.write(p.stderr.read()); sys.exit(p.wait())"
    done = subprocess.run([sys.executable, "-c", code, *AUDITOR, "facts"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_an_interrupt_is_130_and_no_traceback(tmp_path: Path) -> None:
    pipe = tmp_path / "workload.yaml"
    os.mkfifo(pipe)
    started = subprocess.Popen(
        [*AUDITOR, "audit", LLAMA, "--workload", str(pipe)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    writer = os.open(pipe, os.O_WRONLY)  # opens when auditor reads the other end
    time.sleep(0.2)
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=60)
    os.close(writer)
    assert started.returncode == 130
    assert out == ""
    assert "Traceback" not in err


def test_a_report_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "audit.json"
    path.write_text("what was there before")
    done = subprocess.run([*AUDITOR, "audit", LLAMA, "--on", "h1000", "-o", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert path.read_text() == "what was there before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_every_terminal_can_show_the_table(encoding: str) -> None:
    done = subprocess.run(
        [*AUDITOR, "inspect", LLAMA], capture_output=True, check=False, env={**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "60"}
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert "Llama-3.1-8B-Instruct" in done.stdout.decode(encoding)


def test_quiet_says_nothing_and_errors_all_the_same() -> None:
    done = subprocess.run([*AUDITOR, "inspect", LLAMA, "absent/", "-q"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "absent/" in done.stderr
    assert len(done.stderr.splitlines()) == 1

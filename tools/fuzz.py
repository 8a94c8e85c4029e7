"""Fuzz every reader of files: `python tools/fuzz.py [NAME…] --runs 50000`. Needs atheris; prints runs, time and line coverage.

A reader may answer or raise an error that a user can read in one line; anything else is a finding, printed with its input.
"""

import argparse
import gzip
import io
import json
import pickle
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from auditor import bounded_json  # noqa: E402 - the path comes first
from auditor.errors import AuditorError  # noqa: E402
from auditor.snapshot import CodeFile, FileEntry, Problem, Snapshot, Tensor, WeightFile, WeightSet  # noqa: E402
from auditor.sources import card, code, pointers, saved  # noqa: E402
from auditor.weights import gguf, pickle_steps, pytorch, safetensors  # noqa: E402
from auditor.weights.more import NeedMoreError  # noqa: E402
from tests.support.model_files import header  # noqa: E402

DATA = ROOT / "tests" / "weights" / "data"
INPUT_LIMIT = 16_384
SECONDS_LIMIT = 10


@dataclass(frozen=True, slots=True)
class Target:
    """One reader."""

    modules: tuple[ModuleType, ...]
    """Whose lines are counted."""
    read: Callable[[bytes], object]
    seeds: Callable[[], Iterator[bytes]]


def _safetensors() -> Iterator[bytes]:
    for tensors in ({}, {"a": ("BF16", (2, 3)), "b": ("U8", (4,))}, {"x": ("F4", (4,)), "y": ("F32", ())}):
        text, size = header(tensors, {"format": "pt"})
        yield len(text).to_bytes(8, "little") + text + bytes(size)


def _gguf() -> Iterator[bytes]:
    from tests.support.gguf_files import llama, metadata, write_gguf  # noqa: PLC0415 - needs the gguf package

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.gguf"
        write_gguf(path, llama(), members=metadata(), tokens=20)
        yield path.read_bytes()[:INPUT_LIMIT]
        write_gguf(path, {"a": ("F32", (4,))}, members={"llama.block_count": 1})
        yield path.read_bytes()


def _archives() -> Iterator[bytes]:
    return (path.read_bytes() for path in sorted(DATA.iterdir()))


def _pickles() -> Iterator[bytes]:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        yield pickle.dumps({"a": [1, 2.5, (3, None)], "s": {1, 2}, "o": OrderedDict(x=True), "p": Path("x")}, protocol)
    for data in _archives():
        if zipfile.is_zipfile(io.BytesIO(data)):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                yield next(archive.read(name) for name in archive.namelist() if name.endswith("data.pkl"))


def _snapshots() -> Iterator[bytes]:
    file = WeightFile("m.bin", 20, (Tensor("a", "bfloat16", (2, 2), 8),), imports=("os.system",))
    group = WeightSet("", "pytorch", "", (file, WeightFile("n.bin", None, None, "missing")), 16)
    yield saved.dump(
        Snapshot(
            "a/b",
            "r",
            "hub",
            (FileEntry("m.bin", 20, pointer=True),),
            {"config.json": {"a": [1]}},
            (group,),
            (group,),
            (CodeFile("x.py", ("torch",), ("X",), ("k",)),),
            (Problem("x", "y", fatal=True),),
            {"license": "mit"},
        )
    )
    yield gzip.decompress(next(_snapshots_of_fixtures()))


def _snapshots_of_fixtures() -> Iterator[bytes]:
    yield min((path.read_bytes() for path in (ROOT / "fixtures").glob("*.snapshot.json.gz")), key=len)


def _json() -> Iterator[bytes]:
    yield json.dumps({"a": [1, 2.5, None, True, {"b": "é\ud83d\ude00"}], "n": float("nan")}).encode()
    yield b'{"a":' * 50 + b"1" + b"}" * 50


def _read_json(data: bytes) -> None:
    for read in (bounded_json.parse_object, bounded_json.parse_list, partial(bounded_json.parse_any, limit=INPUT_LIMIT, unique_keys=True)):
        try:
            read(data, "x")
        except AuditorError as error:
            _check(error)


TARGETS: dict[str, Target] = {
    "safetensors": Target((safetensors,), lambda data: safetensors.parse(data, "x", len(data)), _safetensors),
    "gguf": Target((gguf,), lambda data: gguf.parse(data, "x", len(data)), _gguf),
    "pickle": Target((pickle_steps, pytorch), lambda data: pytorch.parse_pickle(data, "x"), _pickles),
    "checkpoint": Target((pytorch,), lambda data: pytorch.read_table(io.BytesIO(data), "x"), _archives),
    "snapshot": Target((saved,), lambda data: saved.dump(saved.parse(data, "x")), _snapshots),
    "json": Target((bounded_json,), _read_json, _json),
    "code": Target(
        (code,),
        lambda data: (code.summarise("x.py", data), code.summarise("x.cu", data)),
        lambda: iter((Path(code.__file__).read_bytes(), b"__global__ void k(int a) {}")),
    ),
    "card": Target((card,), card.front_matter, lambda: iter((b"---\nlicense: mit\nbase_model:\n- a/b\ntags: [a, 'b']\n---\n",))),
    "pointer": Target(
        (pointers,),
        pointers.parse_pointer,
        lambda: iter((b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 5\n",)),
    ),
}


def once(target: Target, data: bytes) -> None:
    """Read one input; raise what is a finding."""
    try:
        target.read(data)
    except (NeedMoreError, pytorch.LegacyError):
        pass
    except AuditorError as error:
        _check(error)


def _check(error: AuditorError) -> None:
    """Raise an error that is not one line."""
    if not str(error).isprintable() or len(str(error)) > 1_000:
        raise error


def fuzz(name: str, corpus: Path, runs: int) -> None:
    """Fuzz in this process, which libFuzzer ends."""
    import atheris  # noqa: PLC0415 - only this process needs it

    target = TARGETS[name]
    for module in target.modules:
        for attribute, value in list(vars(module).items()):
            if getattr(value, "__module__", "") == module.__name__ and callable(value) and not isinstance(value, type):
                setattr(module, attribute, atheris.instrument_func(value))
    arguments = [f"-runs={runs}", f"-max_len={INPUT_LIMIT}", f"-timeout={SECONDS_LIMIT}", "-rss_limit_mb=2048", "-verbosity=0", "-seed=1"]
    atheris.Setup([sys.argv[0], *arguments, str(corpus)], lambda data: once(target, data))
    atheris.Fuzz()


def coverage(target: Target, inputs: list[bytes]) -> float:
    """Return the share of the readers' executable lines that the inputs run."""
    files = {module.__file__ for module in target.modules}
    seen: set[tuple[str, int]] = set()

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        if frame.f_code.co_filename not in files:
            return None
        if event == "line":
            seen.add((frame.f_code.co_filename, frame.f_lineno))
        return trace

    threading.settrace(trace)
    sys.settrace(trace)
    try:
        for data in inputs:
            once(target, data)
    finally:
        sys.settrace(None)
    lines = {(str(module.__file__), line) for module in target.modules for line in _function_lines(Path(str(module.__file__)))}
    return len(seen & lines) / len(lines)


def _function_lines(path: Path) -> set[int]:
    """Return the executable lines inside functions: those at module level run once, on import."""
    found: set[int] = set()
    pending = [(compile(path.read_text(), str(path), "exec"), False)]
    while pending:
        block, inside = pending.pop()
        if inside:
            found |= {line for _, _, line in block.co_lines() if line is not None and line != block.co_firstlineno}
        # A class body is no function (it has no fast locals): its methods are.
        pending += [(constant, bool(constant.co_flags & 0x02)) for constant in block.co_consts if isinstance(constant, CodeType)]
    return found


def main() -> int:
    """Fuzz each target in a process of its own and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(TARGETS)}; default: all")
    parser.add_argument("--runs", type=int, default=50_000)
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        fuzz(arguments.names[0], arguments.inside, arguments.runs)
        return 0
    failures = 0
    for name in arguments.names or TARGETS:
        target = TARGETS[name]
        with tempfile.TemporaryDirectory() as folder:
            for number, seed in enumerate(target.seeds()):
                (Path(folder) / f"seed{number}").write_bytes(seed)
            start = time.perf_counter()
            command = [sys.executable, __file__, name, "--runs", str(arguments.runs), "--inside", folder]
            result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
            seconds = time.perf_counter() - start
            inputs = [path.read_bytes() for path in Path(folder).iterdir() if path.name.startswith("seed") or len(path.name) == 40]
            if result.returncode:
                failures += 1
                print(result.stdout[-2_000:], result.stderr[-1_000:])
            print(
                f"{name}: {arguments.runs:,} runs in {seconds:.0f} s, {len(inputs)} inputs kept, {coverage(target, inputs):.0%} of lines"
                + ", FAILED" * bool(result.returncode)
            )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

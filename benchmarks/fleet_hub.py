"""A fleet on a Hub that answers each request after 50 ms: one scan beside hf-mem called in a loop.

``AUDITOR_BENCH_HUB_MODELS`` sets the number of models (1,000 by default). hf-mem reads one model a call, so its loop is measured
over the first of them and multiplied.
"""

import os
import shutil
import tempfile
from pathlib import Path

from benchmarks.hub import BIN, LATENCY_S, make_repository, server
from benchmarks.measure import Row, run

MODELS = int(os.environ.get("AUDITOR_BENCH_HUB_MODELS", "1000"))
#: Fixture and shards of the repositories that all others are links to.
_SHAPES = (("llama-3.1-8b-instruct", 4), ("mistral-7b-v0.1", 3), ("phi-3-mini", 2), ("qwen3-8b-fp8", 2), ("bge-large-en-v1.5", 1))
#: Calls of hf-mem that are timed.
_TIMED = 20


def rows() -> list[Row]:
    """Measure and return the table's lines."""
    peer = shutil.which("hf-mem", path=str(BIN)) or shutil.which("hf-mem")
    if peer is None:
        return [Row("a fleet on a Hub beside hf-mem in a loop", "hf-mem is not installed", "installed", met=False)]
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        ids = _repositories(scratch / "hub", MODELS)
        listing = scratch / "all.fleet.yaml"
        listing.write_text("models:\n" + "".join(f"  - model: {one}\n" for one in ids))
        store = scratch / "fleet.duckdb"
        scan = [str(BIN / "auditor"), "fleet", "scan", str(listing), "--on", "h100-sxm/vllm-cuda", "--store", str(store)]
        with server(scratch) as (hub, environment):
            hub.behaviour.latency_s = LATENCY_S
            loop = sum(run([peer, "--model-id", one, "--json-output", "--experimental"], environment).seconds for one in ids[:_TIMED])
            hub.forget()
            ours = run(scan, environment)
            asked, sent = len(hub.asked), sum(request.sent for request in hub.requests)
            hub.forget()
            again = run(scan, environment)
            asked_again = len(hub.asked)
    theirs = loop / min(_TIMED, len(ids)) * len(ids)
    ratio = theirs / ours.seconds
    what = f"{len(ids):,} Hub models at {LATENCY_S * 1000:.0f} ms a request"
    return [
        Row(f"scan {what}", f"{ours.seconds:.1f} s, hf-mem in a loop {theirs:.0f} s: {ratio:.0f} × faster", "≥ 10 ×", ratio >= 10),
        Row("requests and bytes of a model", f"{asked / len(ids):.1f}, {sent / len(ids):,.0f}", "no goal", met=True),
        Row("peak memory of the scanning process", f"{ours.peak_bytes / 1e6:.0f} MB", "no goal", met=True),
        Row(
            "the scan again, nothing changed", f"{again.seconds:.1f} s, {asked_again / len(ids):.1f} requests a model", "no goal", met=True
        ),
    ]


def _repositories(root: Path, count: int) -> list[str]:
    for fixture, shards in _SHAPES:
        make_repository(root / "base" / fixture, fixture, shards)
    (root / "bench").mkdir()
    ids = []
    for at in range(count):
        fixture, _ = _SHAPES[at % len(_SHAPES)]
        (root / "bench" / f"m{at}").symlink_to(root / "base" / fixture)
        ids.append(f"bench/m{at}")
    return ids

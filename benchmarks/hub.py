"""Reading models from a Hub, beside hf-mem on the same local server: requests, bytes, wall time, peak memory.

hf-mem talks to one fixed https host, so the server also acts as a proxy in front of itself, with a certificate made here.
Requests are counted as the client makes them: the second half of a redirect is not counted for either.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path

from auditor.snapshot import Tensor
from auditor.sources import SourceOptions, open_target
from auditor.weights.safetensors import DTYPES
from benchmarks.measure import Row, median_ratio, median_seconds, pair, run
from tests.support.hub_server import Hub

BIN = Path(sys.executable).parent
FIXTURES = Path(__file__).parent.parent / "fixtures"
_NAMES = {ours: theirs for theirs, ours in DTYPES.items()}
#: Repository, fixture that it is made of, number of shards.
MODELS = (
    ("bench/one-shard", "llama-3.1-8b-instruct", 1),
    ("bench/four-shards", "llama-3.1-8b-instruct", 4),
    ("bench/163-shards", "deepseek-v3", 163),
)
LATENCY_S = 0.05


@dataclass(frozen=True, slots=True)
class Traffic:
    """What one command asked of the server."""

    requests: int
    sent_bytes: int


def make_repository(folder: Path, fixture: str, shards: int) -> None:
    """Write a repository with real headers and bodies that are holes."""
    snapshot = open_target(str(FIXTURES / f"{fixture}.snapshot.json.gz"), SourceOptions())
    tensors = [tensor for group in snapshot.weights for file in group.files for tensor in file.tensors or ()]
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(snapshot.documents["config.json"]))
    length = -(-len(tensors) // shards)
    weight_map = {}
    for number in range(shards):
        name = "model.safetensors" if shards == 1 else f"model-{number + 1:05}-of-{shards:06}.safetensors"
        part = tensors[number * length : (number + 1) * length]
        _write(folder / name, part)
        weight_map |= dict.fromkeys((tensor.name for tensor in part), name)
    if shards > 1:
        total = sum(tensor.nbytes for tensor in tensors)
        (folder / "model.safetensors.index.json").write_text(
            json.dumps({"metadata": {"total_size": total}, "weight_map": weight_map}, indent=2)
        )


def _write(path: Path, tensors: list[Tensor]) -> None:
    header, offset = {}, 0
    for tensor in tensors:
        size = prod(tensor.shape) * tensor.nbytes // max(1, prod(tensor.shape))
        header[tensor.name] = {"dtype": _NAMES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + offset)


@contextmanager
def server(scratch: Path) -> Iterator[tuple[Hub, dict[str, str]]]:
    """Run the Hub; yield it and the environment in which both commands talk to it."""
    certificate, key = scratch / "certificate.pem", scratch / "key.pem"
    name = ("-subj", "/CN=huggingface.co", "-addext", "subjectAltName=DNS:huggingface.co")
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
        *name,
    ]
    subprocess.run(command, check=True, capture_output=True)
    hub = Hub(scratch / "hub", certificate=(certificate, key))
    thread = threading.Thread(target=hub.serve, daemon=True)
    thread.start()
    environment = {
        "HF_ENDPOINT": "https://huggingface.co",
        "HTTPS_PROXY": hub.endpoint,
        "SSL_CERT_FILE": str(certificate),
        "HF_HOME": str(scratch / "home"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    try:
        yield hub, environment
    finally:
        hub.stop()


def traffic(hub: Hub, command: list[str], environment: dict[str, str]) -> Traffic:
    """Run a command once and return what it asked."""
    hub.forget()
    run(command, environment)
    return Traffic(len(hub.asked), sum(request.sent for request in hub.requests))


def rows() -> list[Row]:
    """Measure and return the table's lines."""
    peer = shutil.which("hf-mem", path=str(BIN)) or shutil.which("hf-mem")
    if peer is None:
        return [Row("auditor beside hf-mem on a Hub", "hf-mem is not installed", "installed", met=False)]
    result: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        for model, fixture, shards in MODELS:
            make_repository(scratch / "hub" / model, fixture, shards)
        with server(scratch) as (hub, environment):
            for model, _, _ in MODELS:
                result += _beside(hub, environment, model, peer)
    return result


def _beside(hub: Hub, environment: dict[str, str], model: str, peer: str) -> list[Row]:
    ours, theirs = [str(BIN / "auditor"), "inspect", model, "-f", "json"], [peer, "--model-id", model, "--json-output", "--experimental"]
    mine, its = traffic(hub, ours, environment), traffic(hub, theirs, environment)
    fast = traffic(hub, [*ours, "--fast"], environment)
    result = [
        Row(f"{model}: requests", f"{mine.requests} : {its.requests}", "≤ hf-mem", mine.requests <= its.requests),
        Row(f"{model}: bytes", f"{mine.sent_bytes:,} : {its.sent_bytes:,}", "≤ hf-mem", mine.sent_bytes <= its.sent_bytes),
        Row(f"{model}: requests with --fast", f"{fast.requests}", "≤ 3", fast.requests <= 3),
    ]
    for latency, goal in ((0.0, 2.5), (LATENCY_S, 1.0)):
        hub.behaviour.latency_s = latency
        a, b = pair(ours, theirs, 5, environment)
        ratio = median_ratio(a, b)
        figure = f"{median_seconds(a):.2f} s : {median_seconds(b):.2f} s = {ratio:.2f} ×"
        result.append(Row(f"{model}: wall at {latency * 1000:.0f} ms a request", figure, f"≤ {goal} ×", ratio <= goal))
        if not latency:
            peaks = (max(one.peak_bytes for one in runs) / 1e6 for runs in (a, b))
            result.append(Row(f"{model}: peak memory", " : ".join(f"{peak:.0f} MB" for peak in peaks), "no goal", met=True))
    hub.behaviour.latency_s = 0.0
    return result

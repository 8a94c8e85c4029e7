"""The recipe for MLflow, against a real `mlflow server`: artifacts proxied, the registry in SQLite."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.support.checkouts import CONFIG

pytestmark = [pytest.mark.server, pytest.mark.filterwarnings("default")]
RECIPE = Path(__file__).parents[2] / "docs" / "recipes" / "mlflow_gate.py"
TODAY = "2026-11-22"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytest.importorskip("mlflow")
    folder, port = tmp_path_factory.mktemp("mlflow"), _free_port()
    store = ["--backend-store-uri", f"sqlite:///{folder}/db", "--artifacts-destination", str(folder / "artifacts")]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", *store]
    log = (folder / "log").open("w")
    process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                with urlopen(f"{address}/health", timeout=2) as answer:  # noqa: S310 - our own server
                    assert answer.status == 200
                break
            except (URLError, OSError):
                assert process.poll() is None, (folder / "log").read_text()
                time.sleep(0.5)
        else:
            pytest.fail((folder / "log").read_text())
        yield address
    finally:
        process.terminate()
        process.wait(30)
        log.close()


@pytest.fixture
def recipe(server: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    import mlflow  # noqa: PLC0415 - an extra

    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    mlflow.set_tracking_uri(server)
    spec = spec_from_file_location("mlflow_gate", RECIPE)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def register(folder: Path, name: str) -> str:
    """Log a model's folder as a run's artifacts and return the version that it is registered as."""
    import mlflow  # noqa: PLC0415
    from mlflow import MlflowClient  # noqa: PLC0415
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    client = MlflowClient()
    with mlflow.start_run() as run:
        mlflow.log_artifacts(str(folder), "model")
    with contextlib.suppress(MlflowException):  # there is a version of it already
        client.create_registered_model(name)
    return str(client.create_model_version(name, f"{run.info.artifact_uri}/model", run.info.run_id).version)


def model(folder: Path, weights: str = "model.safetensors", **config: object) -> Path:
    (folder / "hf").mkdir(parents=True)
    (folder / "hf" / "config.json").write_text(json.dumps({**CONFIG, **config}), encoding="utf-8")
    (folder / "hf" / weights).write_bytes(bytes(4096))
    (folder / "MLmodel").write_text("flavors: {}\n", encoding="utf-8")
    return folder


def test_a_good_version_gets_its_alias(recipe: ModuleType, tmp_path: Path) -> None:
    from mlflow import MlflowClient  # noqa: PLC0415

    version = register(model(tmp_path / "m"), "good")
    found = recipe.promote("good", version, "production", ["h100-sxm/vllm-cuda", "trainium2/neuron-vllm"], today=TODAY)
    assert [row.verdict for row in found.rows] == ["native", "native"]
    client = MlflowClient()
    assert str(client.get_model_version_by_alias("good", "production").version) == version
    tags = client.get_model_version("good", version).tags
    assert tags["auditor.gate"] == "passed"
    assert tags["auditor.h100-sxm.vllm-cuda"] == "native"


def test_a_version_that_breaks_the_policy_does_not(recipe: ModuleType, tmp_path: Path) -> None:
    from mlflow import MlflowClient  # noqa: PLC0415

    (tmp_path / "policy.yaml").write_text("policy: p\nrules: [{id: no-pickles, require: {repo.pickle_only: false}}]\n", encoding="utf-8")
    first = register(model(tmp_path / "one"), "stays")
    second = register(model(tmp_path / "two", "pytorch_model.bin"), "stays")
    command = [sys.executable, str(RECIPE), "stays", "VERSION", "--on", "h100-sxm/vllm-cuda", "--policy", str(tmp_path / "policy.yaml")]
    codes = {}
    for version in (first, second):
        command[3] = version
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ})
        codes[version] = done.returncode, done.stdout
    assert codes[first][0] == 0, codes
    assert codes[second][0] == 1, codes
    assert "p/no-pickles: violated" in codes[second][1]
    client = MlflowClient()
    assert str(client.get_model_version_by_alias("stays", "production").version) == first
    assert client.get_model_version("stays", second).tags["auditor.gate"] == "refused"

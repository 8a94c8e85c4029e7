"""The recipe for MLflow, against a real `mlflow server`: artifacts proxied, the registry in SQLite."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.checkouts import CONFIG
from tests.support.mlflow_server import mlflow_server

pytestmark = [pytest.mark.server, pytest.mark.filterwarnings("default")]
RECIPE = Path(__file__).parents[2] / "docs" / "recipes" / "mlflow_gate.py"
TODAY = "2026-11-22"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("mlflow")
    with mlflow_server(folder, "--artifacts-destination", str(folder / "artifacts")) as address:
        yield address


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

"""MLflow's Model Registry: answers in the shape of its REST reference, and a real server."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor.fleet.discover import DiscoverOptions, Found, discover
from tests.fleet.conftest import write_model
from tests.fleet.test_discover_servers import serving
from tests.support.mlflow_server import mlflow_server

OPTIONS = DiscoverOptions(pause=0.0)
API = "/api/2.0/mlflow"
TRANSFORMERS = (
    "flavors:\n  python_function: {loader_module: x}\n  transformers:\n    model_binary: model\n    source_model_name: org/base\n"
)


def found(pages: dict[str, Any]) -> Found:
    with serving(pages) as (address, _):
        return discover(f"mlflow+{address}", OPTIONS)


def _searched(*models: dict[str, Any]) -> dict[str, Any]:
    return {f"{API}/registered-models/search": {"registered_models": list(models)}}


def test_versions_with_an_alias_or_else_the_newest() -> None:
    # mlflow.org, REST API: RegisteredModel, ModelVersion, Get Download URI
    pages = _searched(
        {"name": "chat", "aliases": [{"alias": "champion", "version": "2"}, {"alias": "next", "version": "3"}]},
        {"name": "rank", "latest_versions": [{"version": "9"}, {"version": "10"}]},
        {"name": "empty"},
    )
    pages |= {f"{API}/model-versions/get-download-uri": {"artifact_uri": "s3://b/a"}, "/model-versions/get-artifact": TRANSFORMERS}
    models = found(pages).models
    assert [model.name for model in models] == ["chat@champion", "chat@next", "rank/10"]
    assert {model.target for model in models} == {"s3://b/a/model"}
    assert models[0].serving == {"flavor": "transformers"}


def test_files_behind_the_server_are_said_to_be() -> None:
    pages = _searched({"name": "chat", "latest_versions": [{"version": "1"}]})
    place = {f"{API}/model-versions/get-download-uri": {"artifact_uri": "mlflow-artifacts:/1/x"}}
    made = found({**pages, **place, "/model-versions/get-artifact": TRANSFORMERS})
    assert [model.target for model in made.models] == ["org/base"]
    assert "org/base, which it was made from" in made.notes[0]
    plain = found({**pages, **place})
    assert [model.target for model in plain.models] == ["mlflow-artifacts:/1/x"]
    assert "behind the server" in plain.notes[0]


def test_one_broken_version_does_not_hide_the_others() -> None:
    pages = _searched(
        {"name": "a", "latest_versions": [{"version": "1"}]}, {"name": "b", "aliases": [7], "latest_versions": ["x"]}, {"n": 1}
    )
    result = found({**pages, f"{API}/model-versions/get-download-uri": {"artifact_uri": 7}})
    assert (result.models, len(result.problems)) == ((), 1)
    assert "a version 1 lies nowhere" in result.problems[0]


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Run MLflow's own server; yields its address and the folder where its artifacts lie."""
    folder = tmp_path_factory.mktemp("mlflow")
    with mlflow_server(folder, "--no-serve-artifacts", "--default-artifact-root", f"file://{folder}/artifacts") as address:
        yield address, folder


def _post(address: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(f"{address}{API}/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        result: dict[str, Any] = json.load(answer)
    return result


def _registered(address: str, name: str, flavor: str) -> None:
    """Register a version as MLflow's client does: files among a run's artifacts, with their ``MLmodel``."""
    run = _post(address, "runs/create", {"experiment_id": "0"})["run"]["info"]
    folder = Path(run["artifact_uri"].removeprefix("file://")) / "made"
    write_model(folder / "model" if flavor == "transformers" else folder)
    if flavor == "transformers":
        (folder / "MLmodel").write_text(TRANSFORMERS)
    source = f"{run['artifact_uri']}/made"
    _post(address, "model-versions/create", {"name": name, "source": source, "run_id": run["run_id"]})


@pytest.mark.server
def test_a_real_server(mlflow: tuple[str, Path]) -> None:
    address, _ = mlflow
    for name in ("chat", "plain"):
        _post(address, "registered-models/create", {"name": name})
    _registered(address, "chat", "transformers")
    _registered(address, "chat", "transformers")
    _registered(address, "plain", "")
    _post(address, "registered-models/alias", {"name": "chat", "alias": "champion", "version": "1"})
    result = discover(address.replace("http", "mlflow"), OPTIONS)
    assert result.problems == ()
    assert [(model.name, model.serving) for model in result.models] == [("chat@champion", {"flavor": "transformers"}), ("plain/1", {})]
    assert [(Path(model.target) / "config.json").is_file() for model in result.models] == [True, True]

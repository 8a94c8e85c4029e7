"""``auditor fleet discover``, and the fleet file that it writes as a target of ``auditor audit``."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from auditor.cli.app import app
from auditor.fleet.file import read_fleet
from tests.fleet.conftest import write_model


def run(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(app, [*arguments], input=text)


def pod(model: str) -> str:
    limit = "resources: {limits: {nvidia.com/gpu: '2'}}"
    container = f"{{image: vllm/vllm-openai, args: [--model, {model}, --max-model-len, '4096'], {limit}}}"
    return f"{{apiVersion: v1, kind: Pod, metadata: {{name: chat}}, spec: {{containers: [{container}]}}}}"


def test_what_is_found_is_a_fleet_file(tmp_path: Path) -> None:
    write_model(tmp_path / "models" / "m")
    (tmp_path / "pod.yaml").write_text(pod("org/a"))
    output = tmp_path / "auditor.fleet.yaml"
    result = run("fleet", "discover", str(tmp_path / "models"), str(tmp_path / "pod.yaml"), "-o", str(output))
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"2 models in {output}\n"
    folder, chat = read_fleet(output).models
    assert folder.target == str(tmp_path / "models" / "m")
    assert (chat.target, chat.workload["context"], chat.serving["devices"]) == ("org/a", 4096, 2)


def test_a_source_that_fails_is_a_line_and_the_others_are_searched() -> None:
    result = run("fleet", "discover", "/no/such/folder", "-", "gopher://x", text=pod("org/a"))
    assert result.exit_code == 1
    assert "model: org/a" in result.stdout
    assert "found: stdin:1" in result.stdout
    assert [line.startswith("auditor: ") for line in result.stderr.splitlines()] == [True, True, False]


@pytest.mark.parametrize("sources", [[], ["empty"]])
def test_nothing_found_is_exit_3(tmp_path: Path, sources: list[str]) -> None:
    (tmp_path / "empty").mkdir()
    result = run("fleet", "discover", *(str(tmp_path / name) for name in sources))
    assert (result.exit_code, result.stdout) == (3, "")


def test_paths_open_from_where_the_file_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_model(tmp_path / "models" / "m")
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path)
    assert run("fleet", "discover", "models", "-o", "out/x.fleet.yaml").exit_code == 0
    assert read_fleet(tmp_path / "out" / "x.fleet.yaml").models[0].target == str(tmp_path / "models" / "m")
    assert "model: models/m" in run("fleet", "discover", "models").stdout


def test_an_audit_takes_each_model_with_its_workload(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_model(tmp_path / name)
    path = tmp_path / "auditor.fleet.yaml"
    path.write_text("on: [h100-sxm/vllm-cuda]\ndefaults: {context: 4096}\nmodels: [{model: a}, {model: b, workload: {context: 2048}}]\n")
    models = json.loads(run("audit", str(path), "-f", "json").stdout)["models"]
    assert [(model["workload"]["context"], len(model["targets"])) for model in models] == [(4096, 1), (2048, 1)]
    asked = json.loads(run("audit", str(path), "-f", "json", "--context", "1024").stdout)["models"]
    assert [model["workload"]["context"] for model in asked] == [1024, 1024]
    path.write_text("models: [{model: a, workload: {contex: 1}}]")
    assert run("audit", str(path)).exit_code == 2

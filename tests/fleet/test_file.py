"""Fleet files: read with every mistake at its line, and written so that they read back."""

from pathlib import Path

import pytest

from auditor.errors import WorkloadError
from auditor.fleet.file import read_fleet, write_fleet
from auditor.fleet.model import FleetModel


def _file(folder: Path, text: str) -> Path:
    path = folder / "auditor.fleet.yaml"
    path.write_text(text)
    return path


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    models = (
        FleetModel("org/chat@v2", name="chat", owner="search", found="k8s/chat.yaml:12", workload={"context": 4096, "tokens_per_day": 1e6}),
        FleetModel("org/embed", serving={"engine": "vllm", "devices": 2}, replicas=3),
    )
    read = read_fleet(_file(tmp_path, write_fleet(models, "a test"))).models
    assert [model.target for model in read] == ["org/chat@v2", "org/embed"]
    assert read[0] == models[0]
    assert (read[1].serving, read[1].replicas) == (models[1].serving, 3)


def test_a_path_is_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (model,) = read_fleet(_file(tmp_path, "models: [{model: here}]")).models
    assert model.target == str(tmp_path / "here")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("models: [{model: x, replicsa: 2}]", r":1:21: .*replicsa"),
        ("models:\n  - model: x\n    workload: {contex: 8}", r":3:\d+: 'contex' is no field of a workload; did you mean 'context'"),
        ("models:\n  - {model: x, replicas: 0}", r":2:\d+: "),
        ("defaults: {context: many}\nmodels: []", r":1:\d+: context is 'many'"),
        ("models: 3", r":1:9: "),
        ("prices: {h100: -1}\nmodels: []", r":1:\d+: "),
        ("- x", r":1:1: "),
        ("models: [{model: x}]\nmodels: []", r":2:1: 'models' is given twice"),
    ],
)
def test_a_mistake_is_found_at_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(WorkloadError, match=r"auditor\.fleet\.yaml" + said):
        read_fleet(_file(tmp_path, text))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match="cannot be read"):
        read_fleet(tmp_path / "none.fleet.yaml")

"""A fleet is scanned with the settings of its folder: options, then the environment, the fleet file, the settings, the default."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from auditor.cli.registry import build
from auditor.fleet.store import Store
from tests.support.checkouts import checkout

SETTINGS = (
    'on = ["trn2/neuron-vllm", "h100-sxm/vllm-cuda"]\nweekly-rate = 5000\n[price]\nh100 = 1.25\n[workload]\ncontext = 2048\nlora = true\n'
)


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.chdir(tmp_path)
    Path(".git").mkdir()
    checkout(Path("models/one"))
    Path("auditor.fleet.yaml").write_text("models: [{model: ./models/one}]\n", encoding="utf-8")
    Path("auditor.toml").write_text(SETTINGS, encoding="utf-8")


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(build("fleet"), ["fleet", *arguments])
    assert result.exit_code == code, (result.exit_code, result.stdout, result.stderr)
    return result


def scanned(*arguments: str) -> dict[str, float | None]:
    """Scan, and return USD per hour of each target."""
    Path("s.duckdb").unlink(missing_ok=True)
    run("scan", "auditor.fleet.yaml", "--store", "s.duckdb", *arguments)
    with Store(Path("s.duckdb"), read_only=True) as store:
        rows = store.query("select accelerator, stack, usd_per_hour from audits")
    return {f"{row['accelerator']}/{row['stack']}": row["usd_per_hour"] for row in rows}


def test_the_settings_hold() -> None:
    found = scanned()
    assert set(found) == {"trainium2/neuron-vllm", "h100-sxm/vllm-cuda"}
    assert found["h100-sxm/vllm-cuda"] == 1.25
    assert len(scanned("--no-config")) > 50


def test_what_goes_before_them(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("auditor.fleet.yaml").write_text("on: [h200]\nmodels: [{model: ./models/one}]\n", encoding="utf-8")
    assert {name.partition("/")[0] for name in scanned()} == {"h200-sxm"}, "the fleet file's own targets"
    monkeypatch.setenv("AUDITOR_ON", "b200/vllm-cuda")
    assert set(scanned()) == {"b200/vllm-cuda"}
    assert set(scanned("--on", "mi300x/vllm-rocm")) == {"mi300x/vllm-rocm"}


def test_an_audit_of_a_fleet_file_asks_the_same() -> None:
    Path("auditor.fleet.yaml").write_text(
        "on: [h200/vllm-cuda]\ndefaults: {context: 4096}\nmodels: [{model: ./models/one}]\n", encoding="utf-8"
    )
    result = CliRunner().invoke(build("audit"), ["audit", "auditor.fleet.yaml", "-f", "json"])
    [model] = json.loads(result.stdout)["models"]
    assert [row["accelerator"] for row in model["targets"]] == ["h200-sxm"]
    assert (model["workload"]["context"], model["workload"]["lora"]) == (4096, True)


def test_prices_of_the_fleet_file() -> None:
    """An option goes before what the fleet file says that the team pays, the settings come after."""
    Path("auditor.fleet.yaml").write_text("prices: {h100: 2.5}\nmodels: [{model: ./models/one}]\n", encoding="utf-8")
    assert scanned()["h100-sxm/vllm-cuda"] == 2.5
    assert scanned("--price", "h100=3")["h100-sxm/vllm-cuda"] == 3
    result = CliRunner().invoke(build("audit"), ["audit", "auditor.fleet.yaml", "-f", "json", "--on", "h100-sxm/vllm-cuda"])
    assert json.loads(result.stdout)["models"][0]["targets"][0]["cost"]["usd_per_hour"] == 2.5
    Path("auditor.fleet.yaml").write_text("prices: {h1000: 2.5}\nmodels: [{model: ./models/one}]\n", encoding="utf-8")
    assert "no accelerator is called 'h1000'" in run("scan", "auditor.fleet.yaml", "--store", "s.duckdb", code=2).stderr


def test_mistakes_in_them_stop_the_scan() -> None:
    arguments = ("scan", "auditor.fleet.yaml", "--store", "s.duckdb")
    Path("auditor.toml").write_text('onn = ["h100"]\n', encoding="utf-8")
    assert "unknown key 'onn'; did you mean 'on'?" in run(*arguments, code=2).stderr
    assert "unknown key 'onn'" in run("report", "--store", "s.duckdb", code=2).stderr
    Path("auditor.toml").write_text('[[ignore]]\nrule = "moe"\nreason = "ported soon"\nuntil = 2025-01-31\n', encoding="utf-8")
    assert "ended on 2025-01-31 (ported soon)" in run(*arguments, code=2).stderr
    assert not Path("s.duckdb").exists()

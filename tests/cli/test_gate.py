"""`auditor gate`: what a commit hook runs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from auditor.cli.registry import build
from tests.support.checkouts import checkout

DAY = ("--today", "2026-11-22")


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.chdir(tmp_path)


def gate(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(build("gate"), ["gate", "--offline", *DAY, *arguments])
    assert result.exit_code == code, (result.exit_code, result.stdout, result.stderr)
    return result


def test_without_targets_the_files_speak_for_themselves() -> None:
    checkout(Path("good"))
    checkout(Path("bad"), "pytorch_model.bin")
    assert "Policy: " in gate("good/config.json", "good/model.safetensors").stdout
    text = gate("good/config.json", "bad/pytorch_model.bin", code=14).stdout
    assert "violated: no-pickled-weights" in text
    models = json.loads(gate("bad/config.json", "-f", "json", code=14).stdout)["models"]
    assert [model["id"] for model in models] == ["bad"]


def test_a_model_that_cannot_be_read_fails() -> None:
    checkout(Path("broken"))
    Path("broken/config.json").write_text('{"model_type": ', encoding="utf-8")
    assert "broken" in gate("broken/config.json", code=1).stderr


def test_nothing_that_is_a_model_passes() -> None:
    Path("config.json").write_text("{}", encoding="utf-8")
    assert gate("config.json", "README.md").stdout == ""


def test_with_targets_the_verdicts_count() -> None:
    checkout(Path("models/awq"), quantization_config={"quant_method": "awq", "bits": 4, "group_size": 128}, torch_dtype="float16")
    Path("auditor.toml").write_text('on = ["trainium2/neuron-vllm"]\nfail-on = "config-change"\n', encoding="utf-8")
    Path(".git").mkdir()
    text = gate("models/awq/config.json", code=11).stdout
    assert "trainium2" in text
    document = json.loads(gate("models/awq/config.json", "-f", "json", code=11).stdout)
    assert [row["accelerator"] for row in document["models"][0]["targets"]] == ["trainium2"]


def test_policies_alone_need_no_targets() -> None:
    checkout(Path("one"))
    Path("policy.yaml").write_text("policy: x\nrules: [{id: two, require: {audit.native_vendors: {ge: 50}}}]\n", encoding="utf-8")
    assert "violated: two: audit.native_vendors:" in gate("one/config.json", "--policy", "policy.yaml", code=14).stdout


@pytest.mark.parametrize("extra", [(), ("--on", "h100-sxm/vllm-cuda")], ids=["files", "targets"])
def test_a_hook_imports_neither_transformers_nor_the_hub(extra: tuple[str, ...]) -> None:
    checkout(Path("one"))
    gate("one/config.json", *extra)  # the catalogue is kept from here on
    code = f"import sys; sys.argv = ['auditor', 'gate', '--offline', 'one/config.json', *{extra!r}]\n"
    code += "from auditor.cli import main\ntry: main()\nexcept SystemExit: pass\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(done.stderr.split())
    assert not modules & {"transformers", "huggingface_hub", "jsonschema", "numpy", "torch", "pydantic"}
    if not extra:
        assert not modules & {"auditor.sizing", "auditor.results", "auditor.rules", "auditor.fleet", "tabulate"}

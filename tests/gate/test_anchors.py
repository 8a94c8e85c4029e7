"""Reports point at the line that decided: of the model's own files, or of the fleet file that names it."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from auditor.cli.registry import build
from tests.support.checkouts import CONFIG, checkout

GPTQ = {"quant_method": "gptq", "bits": 4, "group_size": 128}
ON = ("--on", "trainium2/neuron-vllm")


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()


def run(*arguments: str, command: str = "audit") -> str:
    result = CliRunner().invoke(build(command), [command, "--offline", "--today", "2026-11-22", *arguments])
    assert "Traceback" not in result.stderr
    return result.stdout


def sarif(*arguments: str, command: str = "audit") -> dict[str, tuple[str, int]]:
    """Return where each rule's result is shown."""
    log: dict[str, Any] = json.loads(run(*arguments, "-f", "sarif", command=command))
    places = {}
    for result in (result for one in log["runs"] for result in one["results"]):
        place = result["locations"][0]["physicalLocation"]
        places[result["ruleId"]] = (place["artifactLocation"]["uri"], place["region"]["startLine"])
    return places


def line_of(path: str, text: str) -> int:
    return next(number for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1) if text in line)


def test_a_finding_is_shown_at_the_key_that_decided() -> None:
    checkout(Path("models/one"), quantization_config=GPTQ)
    line = line_of("models/one/config.json", '"quant_method"')
    assert line > 1
    [place] = set(sarif("models/one", *ON).values())
    assert place == ("models/one/config.json", line)
    cases = ET.fromstring(run("models/one", *ON, "-f", "junit")).iter("testcase")  # noqa: S314 - our own words
    case = next(one for one in cases if one.get("name") == "format-requantize")
    assert (case.get("file"), case.get("line")) == ("models/one/config.json", str(line))
    [annotation] = run("models/one", *ON, "-f", "github").splitlines()
    assert annotation.startswith(f"::notice file=models/one/config.json,line={line},title=")


def test_paths_are_those_of_the_repository_wherever_it_is_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    checkout(Path("models/one"), quantization_config=GPTQ)
    here = set(sarif("models/one", *ON).values())
    assert set(sarif(str(tmp_path / "models" / "one"), *ON).values()) == here
    monkeypatch.chdir("models")
    assert set(sarif("one", *ON).values()) == here
    monkeypatch.chdir("one")
    assert set(sarif("config.json", *ON).values()) == here


def test_a_nested_config_and_a_key_that_is_further_down() -> None:
    nested = {"model_type": "gemma3", "architectures": ["Gemma3ForConditionalGeneration"]}
    Path("config.json").write_text(
        json.dumps({**nested, "text_config": {**CONFIG, "model_type": "gemma3_text"}}, indent=1), encoding="utf-8"
    )
    places = sarif("config.json", "--on", "h100-sxm/vllm-cuda", "--context", "9000")
    assert places["context-beyond-model"] == ("config.json", line_of("config.json", "max_position_embeddings"))


def test_the_class_is_named_by_its_key() -> None:
    Path("config.json").write_text(
        json.dumps({**CONFIG, "architectures": ["NoSuchForCausalLM"], "model_type": "nosuch"}, indent=1), encoding="utf-8"
    )
    places = sarif("config.json", "--on", "tpu-v6e/tpu-vllm")
    assert places == {"verdict-unknown": ("config.json", line_of("config.json", "architectures"))}


def test_what_weights_say_is_shown_at_their_file() -> None:
    checkout(Path("one"), "pytorch_model.bin")
    places = sarif("one/config.json", command="gate")
    assert places["no-pickled-weights"] == ("one/pytorch_model.bin", 3), "the size of a pointer stands on its third line"


def test_a_file_that_is_no_json_is_shown_at_the_line_of_the_fault() -> None:
    checkout(Path("one"))
    text = Path("one/config.json").read_text(encoding="utf-8").splitlines()
    Path("one/config.json").write_text("\n".join([*text[:3], "<<<<<<< HEAD", *text[3:]]), encoding="utf-8")
    assert sarif("one", *ON) == {"model-not-inspected": ("one/config.json", 4)}
    assert sarif("one/config.json", *ON) == {"model-not-inspected": ("one/config.json", 4)}
    assert "file=one/config.json,line=4," in run("one", *ON, "-f", "github")


def test_a_value_that_cannot_be_used_is_shown_at_its_key() -> None:
    checkout(Path("one"), num_hidden_layers="many")
    assert sarif("one", *ON)["model-not-inspected"] == ("one/config.json", line_of("one/config.json", "num_hidden_layers"))


def test_a_model_of_a_fleet_file_is_shown_at_its_entry_with_the_key_beside_it() -> None:
    checkout(Path("one"), quantization_config=GPTQ)
    Path("auditor.fleet.yaml").write_text(
        "models:\n  - model: org/elsewhere\n  - model: ./one\n    workload: {context: 4096}\n", encoding="utf-8"
    )
    log = json.loads(run("auditor.fleet.yaml", *ON, "-f", "sarif"))
    found = {result["ruleId"]: result for one in log["runs"] for result in one["results"]}
    for rule, line in (("model-not-inspected", 2), ("format-requantize", 3)):
        place = found[rule]["locations"][0]["physicalLocation"]
        assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("auditor.fleet.yaml", line)
    beside = found["format-requantize"]["relatedLocations"][0]
    assert beside["physicalLocation"]["artifactLocation"]["uri"] == "one/config.json"
    assert beside["physicalLocation"]["region"]["startLine"] == line_of("one/config.json", '"quant_method"')
    assert set(sarif("auditor.fleet.yaml", *ON, command="gate").values()) == {("auditor.fleet.yaml", 3)}


def test_a_bare_hub_id_has_a_place_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    assert sarif("org/name@v2", *ON) == {"model-not-inspected": ("org/name/config.json", 1)}


def test_a_saved_snapshot_is_its_own_file() -> None:
    checkout(Path("one"), quantization_config=GPTQ)
    saved = CliRunner().invoke(build("inspect"), ["inspect", "one", "--save", "one.snapshot.json.gz", "-f", "json"])
    assert saved.exit_code == 0, saved.stderr
    assert set(sarif("one.snapshot.json.gz", *ON).values()) == {("one.snapshot.json.gz", 1)}


def test_a_pipeline_is_shown_in_its_denoiser() -> None:
    transformer = {"_class_name": "FluxTransformer2DModel", "num_layers": 19, "num_attention_heads": 24, "attention_head_dim": 128}
    checkout(Path("pipe/transformer"), "diffusion_pytorch_model.safetensors")
    Path("pipe/transformer/config.json").write_text(json.dumps(transformer, indent=1), encoding="utf-8")
    index = {"_class_name": "FluxPipeline", "transformer": ["diffusers", "FluxTransformer2DModel"]}
    Path("pipe/model_index.json").write_text(json.dumps(index, indent=1), encoding="utf-8")
    Path("policy.yaml").write_text(
        "policy: p\nrules:\n  - {id: small, require: {arch.layers: {lt: 10}}}\n  - {id: text, require: {arch.task: causal-lm}}\n",
        encoding="utf-8",
    )
    places = sarif("pipe", "--policy", "policy.yaml", "--on", "h100-sxm/vllm-cuda")
    assert places["small"] == ("pipe/transformer/config.json", line_of("pipe/transformer/config.json", "num_layers"))
    assert places["text"] == ("pipe/model_index.json", line_of("pipe/model_index.json", "_class_name"))

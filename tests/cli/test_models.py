"""The commands about models, over saved snapshots of real ones."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner, Result

from auditor._shipped import SCHEMAS
from auditor.cli.app import app

FIXTURES = Path(__file__).parents[2] / "fixtures"
LLAMA = str(FIXTURES / "llama-3.1-8b-instruct.snapshot.json.gz")
DEEPSEEK = str(FIXTURES / "deepseek-v3.snapshot.json.gz")
AUDIT = Draft202012Validator(json.loads((SCHEMAS / "audit.schema.json").read_text(encoding="utf-8")))
INSPECTION = Draft202012Validator(json.loads((SCHEMAS / "inspection.schema.json").read_text(encoding="utf-8")))
DAY = ("--today", "2026-11-22")


@pytest.fixture(autouse=True)
def _quiet_place(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("HF_TOKEN", raising=False)


def auditor(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments])


def audited(*arguments: str, models: Sequence[str] = (LLAMA,)) -> dict:
    result = auditor("audit", *models, "-f", "json", *DAY, *arguments)
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    AUDIT.validate(document)
    return document


def only_row(*arguments: str) -> dict:
    [model] = audited(*arguments)["models"]
    [row] = model["targets"]
    return row


def test_one_row_per_model_and_target() -> None:
    document = audited("--on", "h100-sxm/vllm-cuda", "--on", "trainium2/neuron-vllm", models=(LLAMA, DEEPSEEK))
    assert [model["id"] for model in document["models"]] == ["meta-llama/Llama-3.1-8B-Instruct", "deepseek-ai/DeepSeek-V3"]
    for model in document["models"]:
        assert [(row["accelerator"], row["stack"]) for row in model["targets"]] == [
            ("h100-sxm", "vllm-cuda"),
            ("trainium2", "neuron-vllm"),
        ]


def test_options_change_the_workload_and_say_so() -> None:
    [model] = audited("--on", "h100-sxm/vllm-cuda", "--context", "16384", "--concurrency", "4")["models"]
    assert model["workload"]["context"] == 16384
    assert model["workload"]["concurrency"] == 4
    assert model["workload_basis"]["context"] == "user"
    assert model["workload_basis"]["input_tokens"] == "assumed"


def test_a_workload_file_and_an_option_over_it(tmp_path: Path) -> None:
    path = tmp_path / "workload.yaml"
    path.write_text("context: 4096\nconcurrency: 2\nlora: true\n")
    [model] = audited("--on", "h100-sxm/vllm-cuda", "--workload", str(path), "--concurrency", "8")["models"]
    assert (model["workload"]["context"], model["workload"]["concurrency"], model["workload"]["lora"]) == (4096, 8, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("contxt: 8192\n", r"workload\.yaml:1:1: 'contxt' is no field of a workload; did you mean 'context'\?"),
        ("context: many\n", r"workload\.yaml:1:1: context is 'many'; give a value of type int"),
        ("lora: 1\n", r"workload\.yaml:1:1: lora is 1; give a value of type bool"),
        ("- context\n", "holds no mapping"),
        ("context: 1\ncontext: 2\n", r"workload\.yaml:2:1: "),
    ],
)
def test_a_wrong_workload_file_is_usage(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "workload.yaml"
    path.write_text(text)
    result = auditor("audit", LLAMA, "--workload", str(path))
    assert result.exit_code == 2
    assert re.search(message, result.stderr), result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_devices_and_degree_are_what_was_asked_for() -> None:
    place = only_row("--on", "h100-sxm/vllm-cuda", "--devices", "4", "--tensor-parallel", "4")["placement"]
    assert (place["devices"], place["tensor_parallel"]) == (4, 4)
    assert only_row("--on", "h100-sxm/vllm-cuda")["placement"]["devices"] == 1


def test_a_smaller_share_of_memory_leaves_room_for_fewer_sequences() -> None:
    most = [
        only_row("--on", "h100-sxm/vllm-cuda", "--memory-fraction", share)["placement"]["max_concurrency"]
        for share in ("0.5", "0.7", "0.9")
    ]
    assert most == sorted(most)
    assert most[0] < most[2]


def test_a_price_of_ones_own_by_alias() -> None:
    cost = only_row("--on", "h100-sxm/vllm-cuda", "--price", "h100=1.25")["cost"]
    assert cost["usd_per_hour"] == 1.25
    assert cost["price"] is None


@pytest.mark.parametrize("price", ["h100", "h100=", "h100=-1", "h100=free", "=2", "hundred=2"])
def test_a_price_that_is_none(price: str) -> None:
    result = auditor("audit", LLAMA, "--on", "h100-sxm", "--price", price)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--kv-dtype", "foo"),
        ("--memory-fraction", "nan"),
        ("--weekly-rate", "inf"),
        ("--horizon-months", "inf"),
        ("--tokens-per-day", "nan"),
        ("--context", "9" * 30),
    ],
)
def test_a_value_that_is_none_is_a_mistake_of_use(option: str, value: str) -> None:
    result = auditor("audit", LLAMA, "--on", "h100-sxm/vllm-cuda", option, value)
    assert result.exit_code == 2
    assert "fault of auditor" not in result.stderr
    assert not result.stdout


def test_a_prompt_longer_than_the_context_is_refused() -> None:
    result = auditor("audit", LLAMA, "--on", "h100-sxm/vllm-cuda", "--context", "100", "--input-tokens", "9000")
    assert result.exit_code == 2
    assert "longer than the context of 100" in result.stderr


def test_break_even_needs_a_volume_and_a_rate() -> None:
    arguments = ("--on", "trainium2/neuron-vllm")
    assert "volume" in only_row(*arguments)["cost"]["break_even_reason"]
    cost = only_row(*arguments, "--tokens-per-day", "5e9", "--weekly-rate", "5000", "--price", "h100=9.0")["cost"]
    assert cost["break_even_months"]["low"] < cost["break_even_months"]["likely"] < cost["break_even_months"]["high"]


@pytest.mark.parametrize(
    ("on", "fail_on", "code"),
    [
        ("h100-sxm/vllm-cuda", "config-change", 0),
        ("tpu-v6e/maxtext", "config-change", 11),
        ("tpu-v6e/maxtext", "needs-port", 0),
        ("tpu-v6e/maxtext", "never", 0),
    ],
)
def test_fail_on(on: str, fail_on: str, code: int) -> None:
    result = auditor("audit", LLAMA, "--on", on, "--fail-on", fail_on, *DAY)
    assert result.exit_code == code
    assert result.stdout.startswith("meta-llama/Llama-3.1-8B-Instruct")


def test_a_model_that_cannot_be_read_stops_no_other_and_beats_fail_on() -> None:
    result = auditor("audit", "absent/folder/", LLAMA, "--on", "tpu-v6e/maxtext", "--fail-on", "config-change", "-f", "json", *DAY)
    assert result.exit_code == 1
    broken, whole = json.loads(result.stdout)["models"]
    assert broken["targets"] == []
    assert "absent/folder" in broken["errors"][0]
    assert len(whole["targets"]) == 1
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["h1000", "h100/vllm-cdua", "vendor:nvida"])
def test_a_target_that_is_none_gets_a_suggestion(name: str) -> None:
    result = auditor("audit", LLAMA, "--on", name)
    assert result.exit_code == 2
    assert "did you mean" in result.stderr


def test_rules_that_do_not_load_stop_the_run(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("rules:\n  - id: my-rule\n    wen: {}\n")
    result = auditor("audit", LLAMA, "--rules", str(tmp_path))
    assert result.exit_code == 1
    assert re.match(r"auditor: \S*mine\.yaml:\d+:\d+: ", result.stderr)
    assert result.stdout == ""


def test_a_rule_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "rules:\n  - id: my-small-models-only\n    title: Too large for us\n    when: {params.total: {gt: 1000000000}}\n"
        "    verdict: blocked\n    confidence: high\n    message: '{params.total} parameters'\n    remediation: Take a smaller model.\n"
        "    sources: [{title: Our policy, url: 'https://example.invalid/policy', as_of: 2026-11-01}]\n"
    )
    row = only_row("--on", "h100-sxm/vllm-cuda", "--rules", str(tmp_path))
    assert row["verdict"] == "blocked"
    assert "my-small-models-only" in [finding["rule"] for finding in row["findings"]]


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.snapshot.json.gz")), ids=lambda path: path.name.partition(".")[0])
def test_every_fixture_audits_against_every_target(path: Path) -> None:
    [model] = audited(models=(str(path),))["models"]
    assert model["errors"] == []
    assert len(model["targets"]) > 100
    verdicts = {row["verdict"] for row in model["targets"]}
    assert "blocked" in verdicts
    assert {"native", "config-change"} & verdicts  # a pipeline is served by a plugin beside the stack


def test_the_same_command_gives_the_same_bytes() -> None:
    first, second = (auditor("audit", LLAMA, DEEPSEEK, "-f", "json", *DAY).stdout for _ in range(2))
    assert first == second


def test_the_report_goes_to_the_file_and_nothing_to_stdout(tmp_path: Path) -> None:
    path = tmp_path / "audit.md"
    result = auditor("audit", LLAMA, "--on", "h100-sxm", "-f", "markdown", "-o", str(path), *DAY)
    assert (result.exit_code, result.stdout) == (0, "")
    assert path.read_text().startswith("# Accelerator audit\n")


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    result = auditor("audit", LLAMA, "--on", "h100-sxm", "-o", str(tmp_path / "absent" / "audit.txt"))
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr


def test_inspect_says_what_the_files_say() -> None:
    result = auditor("inspect", LLAMA, "-f", "json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    INSPECTION.validate(document)
    [model] = document["models"]
    assert model["facts"]["params.total"] == 8_030_261_248
    assert model["basis"]["params.total"] == "header"
    assert model["layers"][0] == {
        "kind": "full",
        "count": 32,
        "bytes_per_token": 131_072,
        "bytes_per_sequence": 0,
        "window": None,
        "detail": model["layers"][0]["detail"],
    }
    assert set(model["facts"]) == set(model["basis"])
    assert not set(model["facts"]) & set(model["unknown"])


def test_a_saved_snapshot_audits_the_same(tmp_path: Path) -> None:
    copy = tmp_path / "copy.snapshot.json.gz"
    assert auditor("inspect", LLAMA, "--save", str(copy), "-q").exit_code == 0
    first, second = (audited("--on", "h100-sxm", models=(path,)) for path in (LLAMA, str(copy)))
    assert first == second


def test_saving_takes_one_model() -> None:
    result = auditor("inspect", LLAMA, DEEPSEEK, "--save", "x.snapshot.json.gz")
    assert result.exit_code == 2


def test_explain_wants_one_accelerator_and_shows_the_sums() -> None:
    assert auditor("explain", LLAMA).exit_code == 2
    result = auditor("explain", LLAMA, "--on", "h100-sxm/vllm-cuda", *DAY)
    assert result.exit_code == 0
    for words in ("The model", "The placement", "The speed", "The price", "per million generated tokens", "The verdict: native"):
        assert words in result.stdout
    ticket = auditor("explain", LLAMA, "--on", "h100-sxm/vllm-cuda", "-f", "markdown", *DAY)
    assert ticket.stdout.startswith("# meta-llama/Llama-3.1-8B-Instruct")


@pytest.mark.parametrize("form", ["table", "markdown", "json"])
def test_compare_sets_two_models_side_by_side(form: str) -> None:
    result = auditor("compare", LLAMA, DEEPSEEK, "--on", "h100-sxm/vllm-cuda", "-f", form, *DAY)
    assert result.exit_code == 0
    assert "DeepSeek-V3" in result.stdout
    assert "Llama-3.1-8B-Instruct" in result.stdout


def test_a_fault_of_ours_is_one_line_and_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr("auditor.inspection.inspect_snapshot", fails)
    result = auditor("audit", LLAMA, "--on", "h100-sxm")
    assert result.exit_code == 1
    assert "unexpected KeyError" in result.stderr
    assert "--traceback" in result.stderr
    assert "Traceback" not in result.stderr
    assert isinstance(auditor("audit", LLAMA, "--on", "h100-sxm", "--traceback").exception, KeyError)

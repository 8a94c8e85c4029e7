"""What teams demand of models, as the page about policies writes it: judged over real models, met and violated."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.auditing import AuditOptions
from auditor.catalog import load_catalog
from auditor.inspection import Inspection, inspect_snapshot
from auditor.outcomes import PolicyOutcome
from auditor.policy.files import default_policy
from auditor.policy.model import Policy
from auditor.policy.read import parse_policy
from auditor.policy.run import outcomes
from auditor.sources import SourceOptions, open_target
from auditor.workload import Workload
from tests.support.checkouts import checkout

ROOT = Path(__file__).parents[2]
TODAY = "2026-11-22"
CATALOG = load_catalog()


def page() -> Policy:
    text = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    [example] = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return parse_policy(example.encode(), "policies.md")


def fixture(name: str) -> Inspection:
    return inspect_snapshot(open_target(str(ROOT / "fixtures" / f"{name}.snapshot.json.gz"), SourceOptions()))


def judged(model: Inspection, policy: Policy) -> dict[str, PolicyOutcome]:
    return {one.rule: one for one in outcomes(model, [policy], CATALOG, Workload(), AuditOptions(), today=TODAY)}


def test_the_six_demands_stand_on_the_page_in_their_words() -> None:
    assert {
        "At most config-change on two vendors",
        "Fits one H100 at 8k x 16",
        "No pickle-only weights",
        "No custom code",
        "Stored dtype is what the config says",
        "Under $0.50 per million tokens",
    } <= {rule.title for rule in page().rules}


def test_a_small_plain_model_meets_them_all() -> None:
    found = judged(fixture("llama-3.1-8b-instruct"), page())
    assert {rule: one.state for rule, one in found.items() if one.state != "met"} == {}


def test_a_large_one_does_not() -> None:
    found = judged(fixture("deepseek-v3"), page())
    states = {rule: one.state for rule, one in found.items()}
    assert states["fits-one-h100"] == "violated"
    assert states["cheap-enough"] == "violated"
    assert states["no-custom-code"] == "violated"
    assert states["dtype-as-stated"] == "not-applicable", "it is quantized"
    assert states["two-vendors"] == "met"
    assert re.search(r"comes to \$\d", found["cheap-enough"].message)
    assert "NVIDIA H100" in found["fits-one-h100"].message


def test_what_a_checkout_gets_wrong(tmp_path: Path) -> None:
    def state(rule: str, folder: Path) -> str:
        return judged(inspect_snapshot(open_target(str(folder), SourceOptions())), page())[rule].state

    assert state("no-pickle-only", checkout(tmp_path / "a", "pytorch_model.bin")) == "violated"
    assert state("no-pickle-only", checkout(tmp_path / "b")) == "met"
    assert state("no-custom-code", checkout(tmp_path / "c", auto_map={"AutoModel": "m.M"})) == "violated"
    assert state("two-vendors", checkout(tmp_path / "d", architectures=["NoSuchModel"], model_type="nosuch")) == "violated"


def test_a_stored_type_that_is_another() -> None:
    real = open_target(str(ROOT / "fixtures" / "llama-3.1-8b-instruct.snapshot.json.gz"), SourceOptions())
    config = {**real.documents["config.json"], "torch_dtype": "float16"}
    other = inspect_snapshot(replace(real, documents={**real.documents, "config.json": config}))
    found = judged(other, page())["dtype-as-stated"]
    assert (found.state, found.message) == ("violated", "the weights are bfloat16, the config says float16")


def test_a_model_that_runs_nowhere_is_not_cheap(tmp_path: Path) -> None:
    huge = checkout(tmp_path, size=10**15)
    found = judged(inspect_snapshot(open_target(str(huge), SourceOptions())), page())
    assert found["cheap-enough"].state != "met"
    assert found["fits-one-h100"].state == "violated"


@pytest.mark.parametrize(
    "name", ["llama-3.1-8b-instruct", "qwen3-8b-fp8", "gpt-oss-20b", "stable-diffusion-3.5-large", "whisper-large-v3-turbo"]
)
def test_the_policy_to_start_from_holds_of_published_models(name: str) -> None:
    wrong = {one.rule for one in judged(fixture(name), default_policy()).values() if one.state == "violated" and one.level == "error"}
    assert wrong == set()

"""What rules say of models: of hand-made rows, where every figure is known, and of real ones."""

from pathlib import Path

import pytest

from auditor.auditing import AuditOptions, audit_model
from auditor.catalog import load_catalog
from auditor.errors import ConfigError
from auditor.facts import Known, Unknown
from auditor.inspection import inspect_snapshot
from auditor.inspection.model import Inspection
from auditor.outcomes import PolicyOutcome
from auditor.policy.evaluate import judge
from auditor.policy.facts import audit_facts, row_facts
from auditor.policy.files import default_policy, judge_files, of_files
from auditor.policy.model import Policy
from auditor.policy.read import parse_policy
from auditor.policy.run import outcomes, read_policies
from auditor.sources import SourceOptions, open_target
from auditor.waivers import Waiver
from auditor.workload import Workload
from tests.support.audits import FACTS, rows
from tests.support.checkouts import checkout

ROOT = Path(__file__).parents[2]
TODAY = "2026-11-22"
CATALOG = load_catalog()


def policy(rules: str, rest: str = "") -> Policy:
    return parse_policy(f"policy: ours\n{rest}\nrules:\n{rules}".encode(), "policy.yaml")


def inspection(name: str) -> Inspection:
    return inspect_snapshot(open_target(str(ROOT / "fixtures" / f"{name}.snapshot.json.gz"), SourceOptions()))


def of_model(name: str, demanded: Policy) -> dict[str, PolicyOutcome]:
    found = outcomes(inspection(name), [demanded], CATALOG, Workload(), AuditOptions(), today=TODAY)
    return {one.rule: one for one in found}


def test_all_rows_together() -> None:
    facts = audit_facts(rows())
    value = {name: fact.value for name, fact in facts.items() if isinstance(fact, Known)}
    assert value["audit.native_vendors"] == 1, "every hand-made chip is of one vendor"
    assert value["audit.native_on"] == ("h100-sxm", "h200")
    assert value["audit.at_most_config_change_on"] == ("h100-sxm", "h200", "trainium2")
    assert value["audit.fits_one_of"] == ("h100-sxm", "h200")
    assert "maia-200" not in value["audit.fits_on"], "what cannot be had is no place to run on"
    assert value["audit.lowest_usd_per_hour"] == 6.88
    assert value["audit.lowest_usd_per_million_tokens"] == pytest.approx(6.88 / (1500 * 3600 / 1e6))


def test_a_model_that_runs_nowhere_has_no_lowest_price() -> None:
    facts = audit_facts([row for row in rows() if row.verdict == "blocked"])
    assert "audit.lowest_usd_per_hour" not in facts
    assert facts["audit.native_on"] == Known((), facts["audit.native_on"].basis)  # type: ignore[union-attr]


def test_one_row() -> None:
    native, unknown, blocked = (next(row for row in rows() if row.verdict == verdict) for verdict in ("native", "unknown", "blocked"))
    facts = row_facts(native)
    assert facts.value("row.verdict") == "native"
    assert facts.number("row.output_tokens_per_s") == 1500
    assert facts.number("row.effort_weeks") == 0
    assert isinstance(row_facts(unknown)["row.verdict"], Unknown)
    assert isinstance(row_facts(blocked)["row.effort_weeks"], Unknown)


@pytest.mark.parametrize(
    ("rule", "state"),
    [
        ("{id: a, require: {repo.custom_code: false}}", "met"),
        ("{id: a, require: {arch.layers: {gt: 40}}}", "violated"),
        ("{id: a, when: {arch.layers: {gt: 40}}, require: {arch.layers: 1}}", "not-applicable"),
        ("{id: a, require: {repo.license: apache-2.0}}", "undecided"),
        ("{id: a, when: {repo.license: apache-2.0}, require: {arch.layers: 1}}", "undecided"),
        ("{id: a, when: {repo.license: apache-2.0}, require: {arch.layers: 32}}", "met"),
    ],
)
def test_three_valued(rule: str, state: str) -> None:
    [outcome] = judge_files(policy(f"- {rule}"), FACTS, "org/model", TODAY)
    assert outcome.state == state
    if state == "undecided":
        assert outcome.settled_by == ("repo.license",)


def test_exceptions_hold_until_their_day() -> None:
    def judged(model: str, today: str) -> PolicyOutcome:
        exceptions = "exceptions: [{rule: a, model: 'org/*', reason: reviewed, until: 2026-12-01}]"
        return judge_files(policy("- {id: a, require: {arch.layers: 1}}", exceptions), FACTS, model, today)[0]

    assert judged("org/model", "2026-12-01").state == "excused"
    assert judged("org/model", "2026-12-01").waiver.reason == "reviewed"  # type: ignore[union-attr]
    assert judged("org/model", "2026-12-02").state == "violated"
    assert judged("other/model", "2026-12-01").state == "violated"


def test_an_expired_exception_stops_the_check(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(
        "policy: ours\nrules: [{id: a, require: {arch.layers: 1}}]\nexceptions:\n"
        "  - {rule: a, reason: until the port, until: 2026-11-21}\n",
        encoding="utf-8",
    )
    assert len(read_policies([path], "2026-11-21")) == 1
    with pytest.raises(ConfigError, match=r"policy.yaml:4: the exception to a for \* ended on 2026-11-21 \(until the port\)"):
        read_policies([path], TODAY)


def test_settings_excuse_a_policy_too() -> None:
    ignore = Waiver("a", "*", "for now", "2026-12-31")
    [outcome] = of_files(
        Inspection("org/model", None, "folder", FACTS), [policy("- {id: a, require: {arch.layers: 1}}")], [ignore], today=TODAY
    )
    assert (outcome.state, outcome.waiver) == ("excused", ignore)


DEMANDS = policy("""\
- {id: two-vendors, require: {audit.vendors_at_most_config_change: {ge: 2}}}
- {id: fits-one-h100, on: [h100-sxm/vllm-cuda], require: {fit.devices: {le: 1}}}
- {id: fits-one-h100-too, require: {audit.fits_one_of: {contains: h100-sxm}}}
- {id: no-pickles, require: {repo.pickle_only: false}}
- {id: cheap, require: {audit.lowest_usd_per_million_tokens: {lt: 0.5}}}
- {id: on-trainium, on: [trn2], rows: any, require: {row.verdict: [native, config-change]}}
""")


def test_real_models_by_what_teams_ask_for() -> None:
    small = of_model("llama-3.1-8b-instruct", DEMANDS)
    assert {name: one.state for name, one in small.items()} == dict.fromkeys(small, "met")
    large = of_model("deepseek-v3", DEMANDS)
    assert large["fits-one-h100"].state == large["fits-one-h100-too"].state == "violated"
    assert large["fits-one-h100"].targets == ("h100-sxm/vllm-cuda",)
    assert large["cheap"].evidence["audit.lowest_usd_per_million_tokens"] > 0.5  # type: ignore[operator]


def test_a_policy_brings_its_own_workload() -> None:
    rule = "- {id: fits, on: [h100-sxm/vllm-cuda], require: {fit.devices: {le: 1}}}"
    assert of_model("llama-3.1-8b-instruct", policy(rule))["fits"].state == "met"
    assert of_model("llama-3.1-8b-instruct", policy(rule, "workload: {context: 131072, concurrency: 64}"))["fits"].state == "violated"


def test_the_shipped_policy_on_every_fixture() -> None:
    for path in (ROOT / "fixtures").glob("*.snapshot.json.gz"):
        name = path.name.removesuffix(".snapshot.json.gz")
        states = {one.rule: one.state for one in of_files(inspection(name), [default_policy()], today=TODAY)}
        assert states["no-pickled-weights"] == "met", name
        assert (states["no-custom-code"] == "violated") is inspection(name).facts.flag("repo.custom_code"), name


def test_the_shipped_policy_on_a_model_that_is_wrong(tmp_path: Path) -> None:
    folder = checkout(tmp_path, "pytorch_model.bin", auto_map={"AutoConfig": "configuration.Config"})
    found = of_files(inspect_snapshot(open_target(str(folder), SourceOptions())), [default_policy()], today=TODAY)
    assert {one.rule for one in found if one.state == "violated"} == {"no-pickled-weights", "no-custom-code"}


def test_rows_of_an_audit_are_judged_where_the_rule_says() -> None:
    both = policy("- {id: a, on: [h100-sxm/vllm-cuda, trainium2/neuron-vllm], require: {fit.devices: {le: 1}}}")
    model = audit_model(
        inspection("llama-3.3-70b-instruct"), CATALOG, CATALOG.find_targets(both.targets), Workload(), AuditOptions(), today=TODAY
    )
    [outcome] = judge(both, model, CATALOG, TODAY)
    assert outcome.state == "violated"
    assert "h100-sxm/vllm-cuda" in outcome.targets

"""Policy files: what they may say, and what a mistake reads like."""

import pytest

from auditor.errors import AuditorError
from auditor.policy.files import default_policy
from auditor.policy.model import Scope
from auditor.policy.read import parse_policy


def parse(rules: str, rest: str = "") -> object:
    return parse_policy(f"policy: ours\nrules:\n{rules}\n{rest}".encode(), "policy.yaml")


@pytest.mark.parametrize(
    ("rule", "scope"),
    [
        ("- {id: a, require: {repo.pickle_only: false}}", Scope.FILES),
        ("- {id: a, when: {workload.lora: true}, require: {arch.task: causal-lm}}", Scope.AUDIT),
        ("- {id: a, require: {audit.native_vendors: {ge: 2}}}", Scope.AUDIT),
        ("- {id: a, require: {kv_cache.bytes: {lt: 1000}}}", Scope.AUDIT),
        ("- {id: a, on: [h100], require: {fit.devices: 1}}", Scope.ROWS),
    ],
)
def test_a_rule_needs_no_more_than_it_reads(rule: str, scope: Scope) -> None:
    assert parse(rule).scope is scope  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("rules", "rest", "sentence"),
    [
        ("- {id: a, require: {repo.pickles: true}}", "", "policy.yaml:3:21: no fact is called 'repo.pickles'"),
        ("- {id: a, require: {fit.devices: 1}}", "", "fit.devices differs from target to target; say which rows"),
        ("- {id: a, require: {audit.native_vendors: 'two'}}", "", "audit.native_vendors is a whole number of vendors, 'two' is not"),
        ("- {id: a}", "", "'require' is missing"),
        ("- {id: a, require: {arch.layers: 1}, level: fatal}", "", "'fatal' is not one of error, warning"),
        (
            "- {id: a, require: {arch.layers: 1}, message: '{arch.layer}'}",
            "",
            "no fact is called 'arch.layer'; did you mean 'arch.layers'?",
        ),
        ("- {id: a, require: {arch.layers: 1}}\n- {id: a, require: {arch.layers: 2}}", "", "rule 'a' is there already, at policy.yaml:3"),
        ("- {id: a, require: {arch.layers: 1}}", "workload: {contxt: 1}", "'contxt' is not known here; did you mean 'context'?"),
        ("- {id: a, require: {arch.layers: 1}}", "exceptions: [{rule: a, reason: x}]", "'until' is missing"),
        ("- {id: a, require: {arch.layers: 1}}", "exceptions: [{rule: b, reason: x, until: 2027-01-01}]", "the policy has no rule 'b'"),
    ],
)
def test_a_mistake_is_said_at_its_place(rules: str, rest: str, sentence: str) -> None:
    with pytest.raises(AuditorError) as error:
        parse(rules, rest)
    assert str(error.value).startswith("policy.yaml:")
    assert sentence in str(error.value)


def test_the_shipped_policy_loads() -> None:
    policy = default_policy()
    assert {rule.scope for rule in policy.rules} == {Scope.FILES, Scope.AUDIT}
    assert all(rule.message and rule.remediation and rule.title for rule in policy.rules)

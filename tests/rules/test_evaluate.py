"""Rules against facts: findings carry their evidence, the undecided what would decide them, and verdicts combine."""

import pytest

from auditor.catalog import Catalog
from auditor.facts import Basis, Facts, Known, Unknown, Value
from auditor.rules import Evaluation, Finding, Undecided, combine, evaluate
from auditor.rules.verdict import Verdict
from tests.support.catalogue import load

RULES = """\
default: {sources: [paper], confidence: high}
rules:
  - id: listed-here
    when: {stack.architecture_status: listed}
    verdict: native
    message: "{arch.model_type} is listed"
    remediation: Serve it.
  - id: wide-heads
    when: {all: [{attention.head_dim: {gt: 128}}, {repo.custom_code: true}]}
    verdict: blocked
    confidence: low
    work: [requantize]
    message: "heads of {attention.head_dim} in {params.total:count} parameters"
    remediation: "Cut {attention.head_dim} in half."
  - id: elsewhere-only
    applies_to: {availability: [captive]}
    when: {always: true}
    verdict: blocked
    message: never here
    remediation: None.
  - id: nobody-knows
    when: {attention.kind: none}
    verdict: unknown
    at_worst: needs-port
    settled_by: [a trial]
    message: nobody knows
    remediation: Try it.
"""


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return load(tmp_path_factory.mktemp("catalogue"), rules=RULES)


def run(catalog: Catalog, **values: Value | None) -> Evaluation:
    facts = Facts(
        {name.replace("__", "."): Unknown("not had") if value is None else Known(value, Basis.CONFIG) for name, value in values.items()}
    )
    return evaluate(catalog.rules, facts, catalog.targets[0])


def test_a_rule_that_fires_shows_what_it_read(catalog: Catalog) -> None:
    found = run(catalog, attention__head_dim=256, repo__custom_code=True, params__total=None)
    assert found.undecided == ()
    (finding,) = found.findings
    assert (finding.rule, finding.verdict, finding.confidence, finding.work) == ("wide-heads", "blocked", "low", ("requantize",))
    assert finding.message == "heads of 256 in unknown parameters"
    assert finding.remediation == "Cut 256 in half."
    assert finding.evidence == {"attention.head_dim": 256, "repo.custom_code": True, "params.total": None}
    assert finding.sources[0].title == "A paper"


def test_an_undecided_rule_says_what_would_decide_it(catalog: Catalog) -> None:
    found = run(catalog, attention__head_dim=256, repo__custom_code=None)
    assert found.findings == ()
    assert found.undecided == (Undecided("wide-heads", "blocked", ("repo.custom_code",)),)
    assert run(catalog, attention__head_dim=64, repo__custom_code=None) == Evaluation((), ()), "false whatever the code is"


def test_a_rule_about_other_targets_says_nothing(catalog: Catalog) -> None:
    assert "elsewhere-only" not in {finding.rule for finding in run(catalog).findings}


def test_a_rule_of_verdict_unknown_fires_and_leaves_the_matter_open(catalog: Catalog) -> None:
    found = run(catalog, attention__kind="none", stack__architecture_status="listed")
    assert [finding.verdict for finding in found.findings] == ["native", "unknown"]
    assert found.undecided == (Undecided("nobody-knows", "needs-port", ("a trial",)),)
    assert combine(found) == Verdict("unknown", "native", ("a trial",))
    undecided = run(catalog, attention__kind=None, stack__architecture_status="listed")
    assert undecided.undecided == (Undecided("nobody-knows", "needs-port", ("attention.kind",)),)


def fired(*verdicts: str) -> tuple[Finding, ...]:
    return tuple(Finding(f"rule-{at}", verdict, "high", "", {}, "", (), ()) for at, verdict in enumerate(verdicts))


def left_open(**verdicts: str) -> tuple[Undecided, ...]:
    return tuple(Undecided(f"open-{fact}", verdict.replace("_", "-"), (fact,)) for fact, verdict in verdicts.items())


NO_LIST = ("an entry of the stack's support list",)


@pytest.mark.parametrize(
    ("findings", "undecided", "verdict"),
    [
        (("native",), {}, Verdict("native")),
        (("native", "config-change"), {}, Verdict("config-change")),
        (("config-change", "needs-port", "native"), {}, Verdict("needs-port")),
        (("blocked", "native", "needs-port"), {}, Verdict("blocked")),
        (("native", "note", "unknown"), {}, Verdict("native")),
        # No rule fired is not native, and a conversion claims that the stack serves the rest.
        ((), {}, Verdict("unknown", None, NO_LIST)),
        (("note",), {}, Verdict("unknown", None, NO_LIST)),
        (("config-change",), {}, Verdict("unknown", "config-change", NO_LIST)),
        (("needs-port",), {}, Verdict("needs-port")),
        (("blocked",), {}, Verdict("blocked")),
        ((), {"a": "native"}, Verdict("unknown", None, ("a",))),
        # Something undecided counts only where it could make things worse.
        (("native",), {"a": "config_change"}, Verdict("unknown", "native", ("a",))),
        (("native", "needs-port"), {"a": "config_change"}, Verdict("needs-port")),
        (("native", "needs-port"), {"a": "needs_port"}, Verdict("needs-port")),
        (("native", "needs-port"), {"a": "blocked", "b": "config_change"}, Verdict("unknown", "needs-port", ("a",))),
        (("blocked",), {"a": "blocked"}, Verdict("blocked")),
        (("native",), {"a": "native", "b": "note"}, Verdict("native")),
        ((), {"a": "blocked", "b": "native"}, Verdict("unknown", None, ("a", "b"))),
    ],
)
def test_the_verdict_is_the_worst_unless_it_might_be_worse_still(
    findings: tuple[str, ...], undecided: dict[str, str], verdict: Verdict
) -> None:
    assert combine(Evaluation(fired(*findings), left_open(**undecided))) == verdict

from dataclasses import replace

import pytest

from auditor.cli import exits
from auditor.results import Audit
from tests.support.audits import audit, row, rows


def of(*verdicts: str) -> Audit:
    whole = audit()
    model = replace(whole.models[0], rows=tuple(row(rows()[0].target, verdict) for verdict in verdicts))
    return replace(whole, models=(model,))


@pytest.mark.parametrize(
    ("verdicts", "fail_on", "code"),
    [
        (("blocked",), "never", 0),
        (("native",), "config-change", 0),
        (("native", "config-change"), "config-change", 11),
        (("config-change",), "needs-port", 0),
        (("config-change", "needs-port"), "config-change", 12),
        (("blocked", "native"), "config-change", 13),
        (("needs-port",), "blocked", 0),
        (("unknown",), "config-change", 0),
    ],
)
def test_the_worst_verdict_at_or_above_the_threshold(verdicts: tuple[str, ...], fail_on: str, code: int) -> None:
    assert exits.of_audit(of(*verdicts), fail_on, strict=False) == code


def test_unknown_counts_only_under_strict() -> None:
    assert exits.of_audit(of("unknown", "native"), "needs-port", strict=True) == 12
    assert exits.of_audit(of("unknown", "blocked"), "needs-port", strict=True) == 13
    assert exits.of_audit(of("unknown"), "never", strict=True) == 0


def test_a_model_that_could_not_be_read_beats_every_verdict() -> None:
    whole = audit()
    assert exits.of_audit(whole, "config-change", strict=False) == 1
    assert exits.of_audit(whole, "never", strict=False) == 1

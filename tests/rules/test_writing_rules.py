"""The examples of docs/writing-rules.md load as one pack, and their tests pass."""

import re
from datetime import date
from pathlib import Path

import pytest

from auditor._shipped import ROOT
from auditor.catalog import load_catalog
from auditor.fixtures import fixture_looker
from auditor.rules.check import check_rules
from auditor.rules.testing import load_cases, run_cases
from tests.support.catalogue import write

PAGE = ROOT / "docs" / "writing-rules.md"
_EXAMPLE = re.compile(r"```yaml\n# (\S+)\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("pack")
    examples = _EXAMPLE.findall(PAGE.read_text(encoding="utf-8"))
    assert len(examples) == PAGE.read_text(encoding="utf-8").count("```yaml\n")
    for name, text in examples:
        write(folder / name, text)
    return folder


def test_the_examples_load_beside_what_is_shipped(pack: Path) -> None:
    catalog = load_catalog([pack])
    assert [target.id for target in catalog.find_targets(["ec1"])] == ["example-chip/example-server"]
    assert len([price for price in catalog.prices if price.accelerator == "example-chip"]) == 2
    assert not catalog.rule("example-wide-heads").shipped


def test_the_tests_of_the_examples_pass(pack: Path) -> None:
    catalog, cases = load_catalog([pack]), load_cases([pack])
    outcomes = run_cases(cases, catalog, fixture_looker(ROOT / "fixtures", catalog))
    assert [(outcome.case.name, outcome.reason) for outcome in outcomes if not outcome.passed] == []
    assert len(outcomes) >= 6


def test_the_check_has_nothing_to_say_of_them_but_what_the_page_leaves_out(pack: Path) -> None:
    about = [problem.message for problem in check_rules([pack], today=date(2026, 11, 22)) if "example" in problem.message]
    assert about == []

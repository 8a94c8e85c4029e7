"""The shipped rules: each is tested beside where it stands, on a real model too, and none names a model."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor._shipped import ROOT, RULES
from auditor.catalog import Catalog, load_catalog
from auditor.catalog.strict_yaml import parse
from auditor.fixtures import fixture_looker
from auditor.rules.testing import Case, Looker, load_cases, run_cases, untested

FIXTURES = ROOT / "fixtures"
CASES = load_cases()


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


@pytest.fixture(scope="module")
def looker(catalog: Catalog) -> Looker:
    return fixture_looker(FIXTURES, catalog)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.place} {case.name}")
def test_a_rule_does_what_its_test_says(case: Case, catalog: Catalog, looker: Looker) -> None:
    (outcome,) = run_cases([case], catalog, looker)
    assert outcome.passed, outcome.reason


def test_every_rule_fires_stays_quiet_and_meets_a_real_model(catalog: Catalog) -> None:
    assert untested(catalog.rules, CASES) == []


def test_a_file_bears_the_name_of_what_it_holds() -> None:
    for path in RULES.glob("accelerators/*.yaml"):
        assert parse(path.read_bytes(), path.name).value["accelerator"] == path.stem
    for path in RULES.glob("stacks/*/stack.yaml"):
        assert parse(path.read_bytes(), path.name).value["stack"] == path.parent.name


def model_names(catalog: Catalog) -> set[str]:
    """Return the ids of every model that a support list names, and their bare names where a size sets them apart from a family."""
    named = {name for stack in catalog.stacks.values() for row in stack.architectures for name in row.models}
    named |= {name for stack in catalog.stacks.values() for name in stack.hosted_models}
    bare = {name.rsplit("/", 1)[-1] for name in named}
    return {name.lower() for name in (*named, *bare) if "/" in name or re.search(r"-\d+(\.\d+)?b\b", name, re.IGNORECASE)}


def test_no_rule_and_no_line_of_code_names_a_model(catalog: Catalog) -> None:
    names = model_names(catalog)
    assert names, "support lists name models; if they do not, this test looks at nothing"
    wanted = re.compile("|".join(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])" for name in sorted(names, key=len, reverse=True)))
    rules = [path for path in RULES.rglob("*.yaml") if _holds_rules(path)]
    stated = [*_strings_of_code(), *((f"{path.name}:{at}", line.split(" #")[0]) for path in rules for at, line in _lines(path))]
    assert len(stated) > 1000
    for place, text in stated:
        assert not (found := wanted.search(text.lower())), f"{place} names {found[0]}"


def _strings_of_code() -> Iterator[tuple[str, str]]:
    """Yield every string that code works with: docstrings may speak of models, code may not know them."""
    for path in (ROOT / "auditor").rglob("*.py"):
        if "_data" in path.parts:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        spoken = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in spoken:
                yield f"{path.name}:{node.lineno}", node.value


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    yield from enumerate(path.read_text(encoding="utf-8").splitlines(), 1)


def _holds_rules(path: Path) -> bool:
    return not path.name.endswith(".test.yaml") and "rules" in parse(path.read_bytes(), path.name).value

"""What the rules as a whole must hold: no dead end for the reader, no claim without evidence, and a page that is current."""

import pytest

from auditor.catalog import Catalog, load_catalog
from tools import make_docs_rules


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def test_no_condition_reads_the_name_of_the_model(catalog: Catalog) -> None:
    assert [rule.id for rule in catalog.rules if "model.id" in rule.when.reads()] == []


def test_every_rule_says_what_to_do(catalog: Catalog) -> None:
    for rule in catalog.rules:
        assert len(rule.remediation.text) > len("see the docs"), rule.id
        assert rule.title, rule.id
        assert rule.sources, rule.id


def test_native_is_said_of_support_lists_and_catalogues_alone(catalog: Catalog) -> None:
    evidence = {"stack.architecture_status", "stack.hosted_model"}
    assert [rule.id for rule in catalog.rules if rule.verdict == "native" and not evidence & set(rule.when.reads())] == []


def test_notes_ask_for_no_port(catalog: Catalog) -> None:
    ports = {
        rule.id: [item for item in rule.work if item == "port" or (item.startswith("port-") and item != "port-listed")]
        for rule in catalog.rules
    }
    assert {name: work for name, work in ports.items() if work and catalog.rule(name).verdict != "needs-port"} == {}


def test_the_page_about_rules_is_current() -> None:
    assert make_docs_rules.TARGET.read_text(encoding="utf-8") == make_docs_rules.render()

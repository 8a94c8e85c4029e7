"""The commands about rules, accelerators, facts and schemas."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from auditor._shipped import SCHEMAS
from auditor.cli.app import app
from auditor.facts import CATALOGUE


@pytest.fixture(autouse=True)
def _quiet_place(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("COLUMNS", "100")


def auditor(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments])


def test_every_accelerator_is_listed_and_has_a_sheet() -> None:
    listed = json.loads(auditor("accelerators", "list", "-f", "json").stdout)
    assert {"h100-sxm", "trainium2", "tpu-v6e", "maia200"} <= {one["id"] for one in listed}
    assert auditor("accelerators", "list").stdout.count("\n") == len(listed) + 1


@pytest.mark.parametrize("name", ["h100-sxm", "h100", "trn2", "TRN2"])
def test_a_sheet_by_id_alias_or_family(name: str) -> None:
    result = auditor("accelerators", "show", name)
    assert result.exit_code == 0
    assert "memory" in result.stdout
    assert "sources\n  [1] " in result.stdout


def test_a_sheet_cites_only_sources_that_it_lists() -> None:
    text = auditor("accelerators", "show", "h100-sxm").stdout
    figures, sources = text.split("\nsources\n")
    cited = {int(word.strip("[],")) for word in figures.split() if word.strip("[],").isdecimal() and ("[" in word or "]" in word)}
    listed = {int(line.split("]")[0].strip(" [")) for line in sources.splitlines() if line.startswith("  [")}
    assert cited == listed


def test_no_such_accelerator() -> None:
    result = auditor("accelerators", "show", "h1000")
    assert result.exit_code == 2
    assert "did you mean" in result.stderr


def test_facts_are_the_catalogue() -> None:
    assert [fact["name"] for fact in json.loads(auditor("facts", "-f", "json").stdout)] == list(CATALOGUE)
    text = auditor("facts").stdout
    assert all(f"{name}  (" in text for name in CATALOGUE)


def test_schemas_are_printed_as_they_are() -> None:
    names = auditor("schema").stdout.split()
    assert names == sorted(path.name.removesuffix(".schema.json") for path in SCHEMAS.glob("*.schema.json"))
    for name in names:
        assert auditor("schema", name).stdout == (SCHEMAS / f"{name}.schema.json").read_text()
    wrong = auditor("schema", "rule")
    assert wrong.exit_code == 2
    assert "did you mean rules" in wrong.stderr


def test_rules_are_listed_for_a_target() -> None:
    everything = json.loads(auditor("rules", "list", "-f", "json").stdout)
    about = json.loads(auditor("rules", "list", "--on", "tpu-v6e/maxtext", "-f", "json").stdout)
    assert 0 < len(about) < len(everything)


def test_a_rule_is_shown_as_it_stands_with_its_tests() -> None:
    result = auditor("rules", "show", "fit-impossible")
    assert result.exit_code == 0
    assert "  when:" in result.stdout
    assert "id: fit-borderline" not in result.stdout
    assert "test: fires for " in result.stdout
    assert auditor("rules", "show", "fit-impossibel").exit_code == 2


def test_a_new_rule_loads_and_its_tests_pass(tmp_path: Path) -> None:
    made = auditor("rules", "new", "my-long-latent", "--to", str(tmp_path))
    assert made.exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my-long-latent.test.yaml", "my-long-latent.yaml"]
    assert auditor("rules", "check", str(tmp_path)).exit_code == 0
    tested = auditor("rules", "test", str(tmp_path), "-k", "my-long-latent")
    assert tested.exit_code == 0, tested.stdout
    assert re.fullmatch(r"(\d+) of \1 cases passed\n", tested.stdout)
    assert auditor("rules", "new", "my-long-latent", "--to", str(tmp_path)).exit_code == 1


def test_a_case_that_fails_fails_the_run(tmp_path: Path) -> None:
    auditor("rules", "new", "my-long-latent", "--to", str(tmp_path))
    cases = tmp_path / "my-long-latent.test.yaml"
    cases.write_text(cases.read_text().replace("expect: fires", "expect: quiet"))
    result = auditor("rules", "test", str(tmp_path), "-k", "my-long-latent")
    assert result.exit_code == 1
    assert "fires, expected quiet" in result.stdout
    assert "cases passed" in result.stdout


def test_no_case_is_nothing_to_test() -> None:
    assert auditor("rules", "test", "-k", "no-such-rule").exit_code == 3


def test_checking_reports_old_sources() -> None:
    result = auditor("rules", "check", "--stale-after", "180d", "--today", "2030-01-01")
    assert "warning" in result.stdout
    assert auditor("rules", "check", "--stale-after", "soon").exit_code == 2

"""A program of somebody else's, checked with mypy --strict against the installed package: its types are complete."""

import subprocess
import sys
from pathlib import Path

import pytest

import auditor

CONSUMER = """
from pathlib import Path

import auditor


def gate(folder: Path, policy: Path) -> dict[str, str]:
    inspection: auditor.Inspection = auditor.inspect(folder, offline=True)
    fact: auditor.Known | auditor.Unknown = inspection.facts["weights.bytes"]
    if isinstance(fact, auditor.Known):
        basis: auditor.Basis = fact.basis
        print(basis.value)
    total: int | None = inspection.facts.integer("params.total")
    catalog: auditor.Catalog = auditor.load_catalog()
    demanded: auditor.Policy = auditor.read_policy(policy)
    workload = auditor.Workload(context=8192, concurrency=16)
    try:
        report: auditor.Audit = auditor.audit(
            [inspection], on=["h100"], workload=workload, catalog=catalog, policies=[demanded], prices={"h100": 2.5}, today="2026-11-28"
        )
    except (auditor.TargetError, auditor.WorkloadError, auditor.CatalogError) as error:
        problem: auditor.AuditorError = error
        print(problem.hint, total)
        raise
    model: auditor.ModelAudit = report.models[0]
    found: dict[str, str] = {}
    for row in model.rows:
        placement: auditor.Placement | None = row.placement
        speed: auditor.Throughput | None = row.throughput
        cost: auditor.Cost = row.cost
        effort: auditor.Effort = row.effort
        target: auditor.Target = row.target
        items: tuple[auditor.WorkItem, ...] = effort.items
        findings: tuple[auditor.Finding, ...] = row.findings
        print(placement, speed, cost.usd_per_hour, items, [finding.rule for finding in findings])
        found[target.id] = row.verdict
    outcomes: tuple[auditor.PolicyOutcome, ...] = model.policy
    print([outcome.state for outcome in outcomes], auditor.to_json(report)["schema"], auditor.__version__, len(auditor.CATALOGUE))
    return found
"""


def checked(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    (folder / "consumer.py").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(folder.parent / "mypy"), "consumer.py"]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


@pytest.mark.server  # mypy reads the whole package anew
def test_a_strict_program_finds_every_type(tmp_path: Path) -> None:
    found = checked(tmp_path, CONSUMER)
    assert found.returncode == 0, found.stdout
    wrong = checked(tmp_path, CONSUMER.replace("total: int | None", "total: str"))
    assert "Incompatible types in assignment" in wrong.stdout, "the types are the package's own, not Any"


def test_the_program_uses_every_public_name_that_has_a_type() -> None:
    unused = {name for name in auditor.__all__ if f"auditor.{name}" not in CONSUMER}
    assert unused <= {"ConfigError", "ReportError", "Facts", "TargetAudit"}


def test_the_types_are_shipped() -> None:
    assert Path(auditor.__file__).with_name("py.typed").is_file()

"""The names that other programs rely on: complete, sorted, typed, and free until they are used."""

import ast
import subprocess
import sys
from inspect import signature
from pathlib import Path

import pytest

import auditor

ROOT = Path(__file__).parents[1]
LLAMA = ROOT / "fixtures" / "llama-3.1-8b-instruct.snapshot.json.gz"


#: Names that other programs rely on, and the parameters of the two calls. More may come; none goes without a new major version.
STABLE = [
    "CATALOGUE",
    "Audit",
    "AuditorError",
    "Basis",
    "Catalog",
    "CatalogError",
    "ConfigError",
    "Cost",
    "Effort",
    "Facts",
    "Finding",
    "Inspection",
    "Known",
    "ModelAudit",
    "Placement",
    "Policy",
    "PolicyOutcome",
    "ReportError",
    "Target",
    "TargetAudit",
    "TargetError",
    "Throughput",
    "Unknown",
    "WorkItem",
    "Workload",
    "WorkloadError",
    "__version__",
    "audit",
    "inspect",
    "load_catalog",
    "read_policy",
    "to_json",
]
PARAMETERS = {
    "inspect": "target revision token offline variant kv_dtype",
    "audit": "models today on workload catalog prices devices tensor_parallel policies",
}


def test_no_name_and_no_parameter_goes() -> None:
    assert set(STABLE) <= set(auditor.__all__)
    for name, parameters in PARAMETERS.items():
        found = signature(getattr(auditor, name)).parameters
        assert list(found)[: len(parameters.split())] == parameters.split()
        assert all(one.kind is one.KEYWORD_ONLY for one in list(found.values())[1:])


def test_the_page_about_the_library_explains_every_name() -> None:
    page = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    assert [name for name in auditor.__all__ if f"`{name}" not in page] == []


@pytest.mark.parametrize("name", auditor.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(auditor, name) is not None
    assert name in dir(auditor)


def test_the_list_is_sorted_and_says_everything() -> None:
    ordered = [name for name in auditor.__all__ if name != "__version__"]
    assert ordered == sorted(ordered, key=lambda name: (not name.isupper(), name[0].islower(), name))
    declared = set()
    for node in ast.walk(ast.parse((ROOT / "auditor" / "__init__.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            declared |= {alias.name for part in node.body if isinstance(part, ast.ImportFrom) for alias in part.names}
    assert declared | {"__version__"} >= set(auditor.__all__) >= declared


def test_a_name_that_is_none_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = auditor.nonsense


def test_importing_costs_nothing() -> None:
    code = "import sys; import auditor; print(*sorted(name for name in sys.modules if name.startswith('auditor.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == ""


def test_the_calls_stay_calls_whatever_is_imported() -> None:
    code = "import auditor.auditing, auditor.inspection, auditor.cli; assert callable(auditor.audit) and callable(auditor.inspect)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_inspect_and_audit() -> None:
    inspection = auditor.inspect(LLAMA)
    assert inspection.facts.integer("params.total") == 8_030_261_248
    report = auditor.audit(inspection, on=["h100-sxm/vllm-cuda"], workload={"context": 4096}, prices={"h100": 1.5}, today="2026-11-22")
    [row] = report.models[0].rows
    assert (row.verdict, row.cost.usd_per_hour) == ("native", 1.5)
    assert report.models[0].workload.context == 4096
    assert auditor.to_json(report)["schema"] == "auditor/audit/1"


def test_policies(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("policy: p\nrules: [{id: vendors, require: {audit.native_vendors: {ge: 2}}}]\n", encoding="utf-8")
    policy = auditor.read_policy(tmp_path / "policy.yaml")
    report = auditor.audit([auditor.inspect(LLAMA)], on=["h100"], policies=[policy], today="2026-11-22")
    assert [outcome.state for outcome in report.models[0].policy] == ["met"]


def test_mistakes_are_errors_of_ours(tmp_path: Path) -> None:
    with pytest.raises(auditor.TargetError):
        auditor.inspect(tmp_path / "nothing")
    with pytest.raises(auditor.WorkloadError):
        auditor.audit([], on=["h1000"], today="2026-11-22")
    with pytest.raises(auditor.WorkloadError, match="no such field"):
        auditor.audit([], workload={"contxt": 1}, today="2026-11-22")

"""A layer imports only from layers before it."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "auditor"

#: Lowest first. A module belongs to the longest name that begins its path.
LAYERS = (
    ("errors", "units", "_shipped", "bounded_json", "positions", "waivers"),
    ("configuration",),
    ("facts", "snapshot"),
    ("outcomes",),
    ("weights",),
    ("sources",),
    ("inspection",),
    ("endpoint", "baseline"),
    ("workload",),
    ("catalog",),
    ("sizing", "workload_file"),
    ("payback",),
    ("rules",),
    ("results",),
    ("effort", "economics", "dual_stack"),
    ("alternatives", "planning"),
    ("auditing",),
    ("policy",),
    ("fixtures",),
    ("fleet",),
    ("gate",),
    ("report",),
    ("library",),
    ("cli", "__main__"),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}


def _modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "_data" not in path.parts)


def _layer(parts: tuple[str, ...]) -> str | None:
    return parts[0].removesuffix(".py") if parts and parts[0] != "__init__.py" else None


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    here = _layer(path.relative_to(PACKAGE).parts)
    if here is None:
        return
    assert here in RANK, f"{here} has no layer: say in {Path(__file__).name} where it belongs"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            names = [node.module or ""] if node.module != "auditor" else [f"auditor.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] != "auditor" or len(parts) < 2 or parts[1] not in RANK:
                continue
            there = parts[1]
            assert RANK[there] <= RANK[here], f"{here} imports {name}, which comes later"


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_command_line_talks_to_the_world(path: Path) -> None:
    if path.relative_to(PACKAGE).parts[0] in {"cli", "__main__.py"}:
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"print", "input", "exit", "quit"}, f"{path.name}:{node.lineno} calls {node.func.id}()"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            dotted = f"{node.value.id}.{node.attr}"
            assert dotted not in {"os.environ", "os.getenv", "sys.exit", "date.today", "datetime.now"}, (
                f"{path.name}:{node.lineno} uses {dotted}"
            )


def test_typer_is_imported_by_the_command_line_alone() -> None:
    for path in _modules():
        if path.relative_to(PACKAGE).parts[0] != "cli":
            text = path.read_text(encoding="utf-8")
            assert "import typer" not in text, path
            assert "import click" not in text, path

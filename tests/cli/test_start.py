"""Starting is quick because little is imported; tests count imports rather than milliseconds."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from auditor.cli.registry import COMMANDS, GROUPS

HEAVY = {"transformers", "huggingface_hub", "jsonschema", "tabulate", "yaml", "safetensors", "numpy", "torch"}


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "auditor", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "80", **environment},
    )


def imported_by(*arguments: str) -> set[str]:
    code = f"import sys; sys.argv = ['auditor', *{arguments!r}]\nfrom auditor.cli import main\ntry: main()\nexcept SystemExit: pass\n"
    code += "print('\\n'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_help_imports_the_command_line_alone() -> None:
    modules = imported_by("--help")
    assert not modules & (HEAVY | {"pydantic", "importlib.metadata"})  # Typer itself brings them in with any real command
    ours = {name for name in modules if name.startswith("auditor")}
    assert {name.split(".")[1] for name in ours if "." in name} <= {"cli", "report", "errors"}


@pytest.mark.parametrize("command", ["audit", "inspect", "explain", "compare", "facts", "schema"])
def test_every_command_has_help_with_no_heavy_import(command: str) -> None:
    assert not imported_by(command, "--help") & HEAVY


def test_inspecting_a_folder_imports_neither_transformers_nor_the_hub(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(
        '{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 2, '
        '"num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 128256, '
        '"max_position_embeddings": 8192, "torch_dtype": "bfloat16", "tie_word_embeddings": false}'
    )
    modules = imported_by("inspect", str(tmp_path))
    assert not modules & {"transformers", "huggingface_hub", "jsonschema", "tabulate", "yaml", "numpy", "torch", "pydantic"}
    assert not modules & {"auditor.catalog.model", "auditor.sizing", "auditor.rules", "auditor.results"}


def test_a_command_line_that_makes_no_sense_is_usage() -> None:
    assert run("audit", "model", "--format", "tabel").returncode == 2
    done = run("audit", "model", "--format", "tabel")
    assert "did you mean 'table'?" in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_to_audit() -> None:
    done = run("audit")
    assert done.returncode == 3
    assert done.stdout == ""
    assert "nothing to audit" in done.stderr


@pytest.mark.parametrize(("place", "summary"), [*COMMANDS.values(), *(one for _, commands in GROUPS.values() for one in commands.values())])
def test_the_line_of_help_is_the_first_of_the_command_itself(place: str, summary: str) -> None:
    module, _, function = place.partition(":")
    doc = getattr(importlib.import_module(f"auditor.cli.{module}"), function).__doc__
    assert summary == doc.strip().splitlines()[0]


def test_a_misspelt_command_gets_a_suggestion() -> None:
    done = run("audti")
    assert done.returncode == 2
    assert "audit" in done.stderr


def test_the_module_and_the_version() -> None:
    done = run("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("auditor ")

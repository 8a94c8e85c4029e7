"""Every way of installing finds rules/ and schemas/: the wheel, the sdist and a checkout."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def _build(kind: str, source: Path, into: Path) -> Path:
    """Build with the project's own backend, in this environment: no network, no isolation."""
    code = f"import sys; from hatchling.build import build_{kind} as build; print(build(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, str(into)], cwd=source, check=True, capture_output=True)
    return next(into.glob("*.whl" if kind == "wheel" else "*.tar.gz"))


def _runs_from(package_root: Path, elsewhere: Path) -> None:
    """Run a command that needs both folders, from a folder that has neither, against the package found in ``package_root``."""
    env = {**os.environ, "PYTHONPATH": str(package_root)}
    where = "import auditor; print(auditor.__file__)"
    found = subprocess.run([sys.executable, "-c", where], cwd=elsewhere, env=env, check=True, capture_output=True, text=True)
    assert found.stdout.strip().startswith(str(package_root)), "another copy of the package was imported"
    command = [sys.executable, "-m", "auditor", "accelerators", "show", "h100-sxm"]
    shown = subprocess.run(command, cwd=elsewhere, env=env, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    assert "H100" in shown.stdout
    command = [sys.executable, "-m", "auditor", "rules", "test", "-k", "fit-impossible"]
    tested = subprocess.run(command, cwd=elsewhere, env=env, capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stdout


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("elsewhere")


def test_the_wheel_carries_its_data(tmp_path: Path, elsewhere: Path) -> None:
    wheel = _build("wheel", ROOT, tmp_path)
    unpacked = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    assert (unpacked / "auditor" / "_data" / "schemas" / "rules.schema.json").is_file()
    assert (unpacked / "auditor" / "py.typed").is_file()
    _runs_from(unpacked, elsewhere)


def test_the_sdist_builds_the_same_wheel(tmp_path: Path, elsewhere: Path) -> None:
    sdist = _build("sdist", ROOT, tmp_path)
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    source = next((tmp_path / "source").iterdir())
    assert (source / "tests" / Path(__file__).name).is_file(), "the sdist can test itself"
    wheel = _build("wheel", source, tmp_path)
    unpacked = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    _runs_from(unpacked, elsewhere)


def test_a_checkout_runs_as_it_is(elsewhere: Path) -> None:
    _runs_from(ROOT, elsewhere)

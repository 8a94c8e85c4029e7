"""The table of class defaults is what the pinned transformers gives, and is all that inspecting needs."""

import json
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from auditor.inspection import defaults
from auditor.inspection.config import ModelConfig
from auditor.inspection.defaults import defaults_for, known_types, transformers_version

ROOT = Path(__file__).parent.parent.parent


def _installed() -> str:
    try:
        return version("transformers")
    except PackageNotFoundError:
        return ""


@pytest.mark.skipif(_installed() != transformers_version(), reason="the table was made from another transformers")
def test_the_table_is_current() -> None:
    """Ten seconds: every config class is imported and built at several sizes."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "make_class_defaults.py"), "--check"],
        check=False,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_one_class_stands_on_one_line() -> None:
    text = (ROOT / "auditor" / "inspection" / "class_defaults.json").read_text(encoding="utf-8")
    table = json.loads(text)
    assert set(table["classes"]) == set(known_types())
    assert len(text.splitlines()) == len(table["classes"]) + 2


def test_inspecting_imports_no_transformers() -> None:
    code = (
        "import sys; from auditor.inspection.read import read_anatomy;"
        "read_anatomy({'model_type': 'gemma3'}); read_anatomy({'model_type': 'nobody-knows'});"
        "sys.exit('transformers' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0


def test_patterns_expand_to_any_length() -> None:
    gemma = defaults_for("gemma3_text")
    assert gemma is not None
    kinds = gemma.patterns["layer_types"].expand(13)
    assert kinds is not None
    assert [i for i, kind in enumerate(kinds) if kind == "full_attention"] == [5, 11]


def test_a_pattern_may_force_the_last_layer_or_count_from_the_end() -> None:
    forced, from_end = defaults_for("gemma4_text"), defaults_for("muse_glimmer_text")
    assert forced is not None
    assert from_end is not None
    assert (forced.patterns["layer_types"].expand(7) or ())[-1] == "full_attention"
    assert (from_end.patterns["layer_types"].expand(6) or ())[1::4] == ("full_attention", "full_attention")


def test_a_stated_null_is_not_filled_in() -> None:
    assert ModelConfig({"model_type": "mistral"}).get("sliding_window") == 4096
    assert ModelConfig({"model_type": "mistral", "sliding_window": None}).get("sliding_window") is None


def test_a_nested_part_takes_the_defaults_of_its_class_and_its_outer_class() -> None:
    text, vision = ModelConfig({"model_type": "llava"}).part("text_config"), ModelConfig({"model_type": "llava"}).part("vision_config")
    assert text is not None
    assert vision is not None
    assert text.model_type == "llama"
    assert vision.get("image_size") == 336


def test_a_younger_transformers_settles_a_type_that_the_table_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"class": "TomorrowConfig", "defaults": {"num_hidden_layers": 7}}
    monkeypatch.setattr(defaults, "_installed_is_newer", lambda: True)
    monkeypatch.setattr("auditor.inspection.config_classes.entries", lambda types: dict.fromkeys(types, row))
    monkeypatch.setattr(defaults, "_NEWER", {})
    defaults_for.cache_clear()
    try:
        assert ModelConfig({"model_type": "tomorrow"}).get("num_hidden_layers") == 7
    finally:
        defaults_for.cache_clear()


def test_whatever_goes_wrong_in_the_library_leaves_the_type_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_types: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(defaults, "_installed_is_newer", lambda: True)
    monkeypatch.setattr("auditor.inspection.config_classes.entries", fails)
    defaults_for.cache_clear()
    try:
        assert defaults_for("tomorrow") is None
    finally:
        defaults_for.cache_clear()

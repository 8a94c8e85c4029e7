"""Laws of parameters against counts that transformers and diffusers gave on the meta device (tools/make_reference_counts.py)."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from auditor.inspection.parameters_from_config import count_parts
from auditor.inspection.parameters_keys import Missing, Parts
from auditor.inspection.pipelines import read_component
from auditor.inspection.read import read_anatomy

DATA = Path(__file__).parent.parent / "data"
REFERENCE: dict[str, dict[str, int]] = json.loads((DATA / "reference_counts.json").read_text())["counts"]
CONFIGS: dict[str, dict[str, Any]] = json.loads(gzip.decompress((DATA / "configs.json.gz").read_bytes()))
TRANSFORMERS = [name for name in REFERENCE if "_class_name" not in CONFIGS[name]]


def counted(config: Mapping[str, Any]) -> Parts | None:
    raw = dict(config)
    anatomy = read_component(raw, "config.json") if "_class_name" in raw else read_anatomy(raw)
    try:
        return count_parts(anatomy)
    except Missing:
        return None


@pytest.mark.parametrize("name", sorted(REFERENCE))
def test_a_count_is_exact_or_unknown(name: str) -> None:
    parts = counted(CONFIGS[name])
    if parts is None:
        return
    reference = REFERENCE[name]
    assert parts.total == reference["total"]
    assert parts.experts == reference.get("routed_experts", 0)
    if "embedding" in reference:
        assert parts.embedding + parts.head == reference["embedding"]


def test_most_configs_that_transformers_builds_are_counted() -> None:
    known = [name for name in TRANSFORMERS if counted(CONFIGS[name]) is not None]
    assert len(known) / len(TRANSFORMERS) >= 0.97


PUBLISHED = [line.split("\t") for line in (DATA / "published_totals.tsv").read_text().splitlines() if not line.startswith("#")]


@pytest.mark.parametrize(("name", "total"), PUBLISHED)
def test_laws_give_the_published_total(name: str, total: str) -> None:
    parts = counted(CONFIGS[name])
    assert parts is not None
    assert parts.mtp is not None
    assert parts.total + parts.mtp == int(total)


VARIANTS: dict[str, dict[str, Any]] = json.loads(gzip.decompress((DATA / "reference_variants.json.gz").read_bytes()))["variants"]


@pytest.mark.parametrize("name", sorted(VARIANTS))
def test_every_flag_of_a_class_is_taught_or_unknown(name: str) -> None:
    parts = counted(VARIANTS[name]["config"])
    reference = VARIANTS[name]["counts"]
    if parts is not None:
        assert (parts.total, parts.experts) == (reference["total"], reference.get("routed_experts", 0))


def test_most_variants_are_counted() -> None:
    known = [name for name, variant in VARIANTS.items() if counted(variant["config"]) is not None]
    assert len(known) / len(VARIANTS) >= 0.85


def test_a_misread_width_would_be_noticed() -> None:
    config = CONFIGS["meta-llama/Llama-3.1-8B-Instruct"]
    parts = counted({**config, "intermediate_size": config["intermediate_size"] + 1})
    assert parts is not None
    assert parts.total == REFERENCE["meta-llama/Llama-3.1-8B-Instruct"]["total"] + 3 * 4096 * 32


def test_an_untaught_type_is_unknown_with_its_reason() -> None:
    anatomy = read_anatomy({"model_type": "never-heard-of", "hidden_size": 64, "num_hidden_layers": 2, "vocab_size": 10})
    with pytest.raises(Missing, match="never-heard-of"):
        count_parts(anatomy)

"""Figures come out in one unit with their sources, extends lays fields over fields, and what is kept is what was read."""

import json
from pathlib import Path

import pytest

from auditor.catalog import load_catalog
from auditor.catalog.kept import pack, unpack
from auditor.catalog.model import AppliesTo, Source
from auditor.errors import CatalogError
from tests.support.catalogue import CHIP, EFFORT, RULES, STACK, load, write, write_catalogue

PAPER = Source("A paper", "https://example.com/paper", "2026-10-01")


def test_figures_keep_the_vendors_unit_or_reach_the_common_one(tmp_path: Path) -> None:
    chip = (
        CHIP.replace("memory: {value: 80, unit: GB}\npl", "memory: {value: 80, unit: GiB}\npl")
        .replace("bandwidth: 3000", "bandwidth: {value: 3.5, unit: TB/s, note: measured}")
        .replace("bfloat16: 1000", "bfloat16: {value: 1.2, unit: PFLOPS, sources: [code], confidence: low}")
    )
    loaded = load(tmp_path, chip=chip).accelerators["chip"]
    assert (loaded.memory.value, loaded.memory.unit) == (80, "GiB")
    assert (loaded.memory_bytes.value, loaded.memory_bytes.unit) == (80_000_000_000, "bytes")
    assert (loaded.bandwidth.value, loaded.bandwidth.unit, loaded.bandwidth.note) == (3500, "GB/s", "measured")
    peak = loaded.peaks["bfloat16"]
    assert (peak.value, peak.unit, peak.confidence) == (1200, "TFLOPS", "low")
    assert peak.sources == (Source("Some code", "owner/repo:path@abc", "2026-09"),)
    assert loaded.peaks["int8"].unit == "TOPS"
    assert loaded.power.sources == (PAPER,), "the file's default"


def test_what_nobody_states_is_none_with_the_reason(tmp_path: Path) -> None:
    chip = CHIP.replace("power: 700", "power: {value: null, note: not published}")
    loaded = load(tmp_path, chip=chip).accelerators["chip"]
    assert (loaded.power.value, loaded.power.note, loaded.power.sources) == (None, "not published", ())
    assert (loaded.interconnect.value, loaded.interconnect.note) == (None, "not stated")
    assert loaded.training is None


def test_a_citation_may_say_where_or_bring_its_own_source(tmp_path: Path) -> None:
    chip = CHIP.replace(
        "power: 700",
        'power: {value: 700, sources: [{id: paper, where: table 2}, {title: T, url: "https://t", as_of: 2026-01}], confidence: high}',
    )
    assert load(tmp_path, chip=chip).accelerators["chip"].power.sources == (
        Source("A paper", "https://example.com/paper", "2026-10-01", "table 2"),
        Source("T", "https://t", "2026-01"),
    )


def test_extends_lays_fields_over_fields(tmp_path: Path) -> None:
    root = write_catalogue(tmp_path)
    write(
        root / "accelerators/big.yaml",
        "accelerator: big\nextends: chip\nname: Big\npeaks: {bfloat16: 3000}\nplanning_memory: {value: 96, unit: GB}\n",
    )
    write(root / "accelerators/shape.yaml", "accelerator: shape\nabstract: true\n")
    catalog = load_catalog(root=root)
    big = catalog.accelerators["big"]
    assert (big.name, big.vendor, big.aliases) == ("Big", "maker", ()), "aliases are the parent's own"
    assert big.peaks["bfloat16"].value == 3000
    assert big.peaks["bfloat16"].sources == (PAPER,), "and so is the default under figures"
    assert big.peaks["int8"].value == 2000
    assert "shape" not in catalog.accelerators


def test_a_stack_differs_where_its_file_says_so(tmp_path: Path) -> None:
    stack = STACK + (
        "memory: {fraction: 0.9, fraction_of: total, runtime: {value: 1, unit: GiB}, activation_tokens: 8192, block_tokens: 16}\n"
        "parallelism: {tensor_parallel: [1, 2], pipeline_parallel: false, expert_parallel: true, weights_per_rank: {value: 20, unit: GB}}\n"
        "efficiency: {bandwidth_likely: 0.7}\n"
        "limits: {max_head_dim: 128, position_unsupported: [alibi]}\n"
        "by_accelerator:\n"
        "  chip: {memory: {fraction: 0.8}, limits: {max_head_dim: 256}}\n"
    )
    catalog = load(tmp_path, stack=stack)
    general, here = catalog.stacks["serve"], catalog.targets[0].stack
    assert general.memory is not None
    assert here.memory is not None
    assert (general.memory.fraction, here.memory.fraction) == (0.9, 0.8)
    assert here.memory.runtime_bytes == 1 << 30
    assert here.parallelism is not None
    assert here.parallelism.weights_per_rank_bytes == 20_000_000_000
    assert (general.limits["max_head_dim"], here.limits["max_head_dim"]) == (128, 256)
    assert here.limits["position_unsupported"] == ("alibi",)
    assert here.efficiency == {"bandwidth_likely": 0.7}
    assert here.figures["memory.fraction"].value == 0.8
    assert here.figures["limits.max_head_dim"].sources == (PAPER,)


def test_a_rule_is_about_the_targets_that_file_and_rule_both_allow(tmp_path: Path) -> None:
    rules = "applies_to: {family: [chips]}\n" + RULES
    served, gptq = load(tmp_path, rules=rules).rules
    assert served.applies_to == (AppliesTo(family=("chips",)),)
    assert gptq.applies_to == (AppliesTo(family=("chips",)), AppliesTo(stack=("serve",)))
    assert (gptq.file, gptq.line) == ("rules/common/all.yaml", 9)


def test_the_digest_is_of_content_alone(tmp_path: Path) -> None:
    one, other = load(tmp_path / "here"), load(tmp_path / "there")
    assert one.digest == other.digest
    assert load(tmp_path / "there", rules=RULES + "# a remark\n").digest != one.digest
    pack = write(tmp_path / "pack/mine.yaml", "prices: []\n")
    assert load(tmp_path / "here", pack).digest != one.digest


def test_rule_tests_count_for_nothing(tmp_path: Path) -> None:
    before = load(tmp_path).digest
    write(tmp_path / "rules/common/all.test.yaml", "not: even: yaml")
    assert load(tmp_path).digest == before


def test_what_is_kept_is_what_was_read(tmp_path: Path) -> None:
    for catalog in (load(tmp_path), load_catalog()):
        again = unpack(json.loads(json.dumps(pack(catalog))))
        assert again == catalog
        assert [target.id for target in again.targets] == [target.id for target in catalog.targets]


def test_a_second_load_reads_no_yaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, cache = write_catalogue(tmp_path), tmp_path / "cache"
    first = load_catalog(root=root, cache=cache)
    monkeypatch.setattr("auditor.catalog.read.read_catalog", lambda *_: pytest.fail("read anew"))
    assert load_catalog(root=root, cache=cache) == first


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"layout": []}', "nested", "cut", "swapped"])
def test_a_damaged_cache_is_read_anew(tmp_path: Path, damage: str) -> None:
    root, cache = write_catalogue(tmp_path), tmp_path / "cache"
    first = load_catalog(root=root, cache=cache)
    (kept,) = cache.iterdir()
    text = kept.read_text()
    data = json.loads(text)
    data["objects"][-1] = data["objects"][0]
    kept.write_text({"nested": "[" * 100_000, "cut": text[:-40], "swapped": json.dumps(data)}.get(damage, damage))
    assert load_catalog(root=root, cache=cache) == first
    assert json.loads(kept.read_text()) == json.loads(text), "and is whole again"


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    root = write_catalogue(tmp_path)
    in_the_way = write(tmp_path / "file", "")
    assert load_catalog(root=root, cache=in_the_way / "cache").accelerators


def test_few_catalogues_are_kept(tmp_path: Path) -> None:
    for at in range(12):
        load_catalog(root=write_catalogue(tmp_path, rules=f"{RULES}# {at}\n"), cache=tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 8


def test_a_pack_may_bring_its_own_weeks_once(tmp_path: Path) -> None:
    mine = write(tmp_path / "pack/effort.yaml", EFFORT.replace("rho: 0.5", "rho: 0.1"))
    assert load(tmp_path, mine).effort.rho == 0.1
    theirs = write(tmp_path / "other/effort.yaml", EFFORT)
    with pytest.raises(CatalogError, match="two packs bring effort figures; keep one of the two files"):
        load(tmp_path, mine, theirs)

"""The claims of docs/claims.md: each is what the catalogue says, or something that it says otherwise.

The number of a test is the number of its row. Rows that are neither a figure nor a property of the catalogue (who makes the wafer,
what a market spends) have no test; ``WITHOUT_TEST`` names them.
"""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from auditor.auditing import AuditOptions, audit_model
from auditor.catalog import Accelerator, Catalog, Price, load_catalog
from auditor.economics import usd_per_million
from auditor.inspection import Inspection, inspect_snapshot
from auditor.results import TargetAudit
from auditor.sizing import Placement, place
from auditor.sizing.model import Constraints, NoPlacement
from auditor.sources.saved import load
from auditor.workload import Workload, resolve

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_TEST = {17, 18, 19, 20, 21, 23, 24, 25, 32, 43}

_CLAIMS: dict[int, Callable[[], None]] = {}


def claim(number: int) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Register the check of one row."""

    def register(check: Callable[[], None]) -> Callable[[], None]:
        assert number not in _CLAIMS, number
        _CLAIMS[number] = check
        return check

    return register


@cache
def catalog() -> Catalog:
    return load_catalog()


def chip(name: str) -> Accelerator:
    return catalog().accelerators[name]


def prices(accelerator: str, **fields: object) -> list[Price]:
    rows = (price for price in catalog().prices if price.accelerator == accelerator)
    return [price for price in rows if all(getattr(price, name) == value for name, value in fields.items())]


def stacks(name: str) -> set[str]:
    return {target.stack.family for target in catalog().targets if target.accelerator.id == name}


@cache
def model(name: str) -> Inspection:
    return inspect_snapshot(load(ROOT / "fixtures" / f"{name}.snapshot.json.gz"))


def placed(name: str, on: str, *, fixed: Constraints | None = None, **workload: int) -> Placement | NoPlacement:
    inspection = model(name)
    resolved, _ = resolve(Workload(**workload), inspection.facts)  # type: ignore[arg-type]
    (target,) = catalog().find_targets([f"{on}/vllm-cuda"])
    return place(inspection, target, resolved, catalog().prices, fixed)


def devices(name: str, on: str, *, fixed: Constraints | None = None, **workload: int) -> int:
    placement = placed(name, on, fixed=fixed, **workload)
    assert isinstance(placement, Placement), placement
    return placement.devices


def audited(name: str, on: str) -> TargetAudit:
    (row,) = audit_model(model(name), catalog(), catalog().find_targets([on]), Workload(), AuditOptions(), today="2026-11-22").rows
    return row


@claim(1)
def _() -> None:
    assert chip("jalapeno").availability == "captive"
    assert chip("jalapeno").instances == ()


@claim(2)
def _() -> None:
    assert chip("trainium3").availability == "open"
    assert {machine.provider for machine in chip("trainium3").instances} == {"aws"}
    assert stacks("trainium3") == {"neuron"}
    assert prices("trainium3") == []


@claim(3)
def _() -> None:
    assert {machine.provider for machine in chip("tpu-v7").instances} == {"gcp"}
    assert {"jax", "tpu_vllm"} <= stacks("tpu-v7")


@claim(4)
def _() -> None:
    assert chip("maia200").availability == "captive"
    assert any("21 memory stacks" in note for note in chip("maia200").notes)


@claim(5)
def _() -> None:
    assert "January 2026" in chip("maia200").availability_note
    assert any("Maia 200" in note for note in chip("maia100").notes)


@claim(6)
def _() -> None:
    generations = [accelerator for accelerator in catalog().accelerators.values() if accelerator.family == "mtia"]
    assert len(generations) == 6
    assert {accelerator.availability for accelerator in generations} == {"captive"}


@claim(7)
def _() -> None:
    assert {name: chip(name).training for name in ("mtia-300", "mtia-400", "mtia-450", "mtia-500")} == {
        "mtia-300": True,
        "mtia-400": True,
        "mtia-450": False,
        "mtia-500": False,
    }


@claim(8)
def _() -> None:
    assert chip("groq-3-lpu").availability == "limited"
    assert [target.stack.id for target in catalog().targets if target.accelerator.id == "groq-3-lpu"] == ["dynamo"]


@claim(9)
def _() -> None:
    assert chip("sohu").availability == "unreleased"
    assert [target.stack.maturity for target in catalog().targets if target.accelerator.id == "sohu"] == ["closed"]


@claim(10)
def _() -> None:
    rented = ["inferentia2", "trainium1", "trainium2", "trainium3", "tpu-v4", "tpu-v5e", "tpu-v5p", "tpu-v6e", "tpu-v7"]
    assert {chip(name).availability for name in rented} == {"open"}
    assert [name for name in rented if not chip(name).training] == ["inferentia2"]


@claim(11)
def _() -> None:
    for name in ("trainium1", "trainium2", "inferentia2", "tpu-v4", "tpu-v5e", "tpu-v5p", "tpu-v6e", "tpu-v7"):
        assert prices(name), name
    assert prices("trainium2", instance="trn2.3xlarge", devices=1)


@claim(12)
def _() -> None:
    assert stacks("trainium2") == stacks("trainium3") == {"neuron"}


@claim(13)
def _() -> None:
    assert chip("jalapeno").excluded_classes == ()
    assert chip("jalapeno").fixed_function_confidence == "low"


@claim(14)
def _() -> None:
    assert "ssm" in chip("sohu").excluded_classes
    assert not {"moe-transformer", "diffusion", "multimodal"} & set(chip("sohu").excluded_classes)


@claim(15)
def _() -> None:
    assert (chip("jalapeno").memory.value, chip("jalapeno").memory.unit) == (6 * 36, "GiB")
    assert chip("jalapeno").memory_bytes.value == 216 * 2**30


@claim(16)
def _() -> None:
    assert chip("jalapeno").power.value == chip("h100-sxm").power.value == 700


@claim(22)
def _() -> None:
    saved_gw = 10 - 10 / 1.4
    assert saved_gw == pytest.approx(2.86, abs=0.005)


@claim(26)
def _() -> None:
    assert (chip("h100-sxm").bandwidth.value, chip("h100-sxm").power.value) == (3350, 700)


@claim(27)
def _() -> None:
    assert (chip("h200-sxm").memory.value, chip("h200-sxm").bandwidth.value) == (141, 4800)
    assert (chip("h200-sxm").memory_bytes.value or 0) / 2**30 == pytest.approx(140.4, abs=0.01)


@claim(28)
def _() -> None:
    planned = chip("b200").memory_bytes.value or 0
    assert (chip("b200").memory.value, chip("b200").bandwidth.value) == (180, 8000)
    assert planned / 10**9 == pytest.approx(192.3, abs=0.05)
    assert planned / 2**30 == pytest.approx(179.06, abs=0.01)


@claim(29)
def _() -> None:
    stated = {
        ("h100-sxm", "on-demand"): 3.92,
        ("h100-sxm", "spot"): 2.91,
        ("h200-sxm", "on-demand"): 3.70,
        ("h200-sxm", "spot"): 3.31,
        ("b200", "spot"): 5.34,
    }
    found = {
        (price.accelerator, price.term): price.usd_per_hour
        for price in catalog().prices
        if price.provider == "spheron" and price.as_of == "2026-06-29"
    }
    assert found == stated


@claim(30)
def _() -> None:
    asked = {
        day: [prices(name, provider="spheron", term="on-demand", as_of=day)[0].usd_per_hour for name in ("h100-sxm", "h200-sxm")]
        for day in ("2026-06-03", "2026-06-29")
    }
    assert asked == {"2026-06-03": [5.07, 5.55], "2026-06-29": [3.92, 3.70]}


@claim(31)
def _() -> None:
    assert usd_per_million(3.92, 1000) == pytest.approx(3.92 / (1000 * 3600 / 10**6)) == pytest.approx(1.09, abs=0.005)


@claim(33)
def _() -> None:
    assert (model("gpt-oss-20b").facts.number("weights.bytes") or 0) / 10**9 == pytest.approx(13.8, abs=0.1)
    assert devices("gpt-oss-20b", "h100-sxm") == 1


@claim(34)
def _() -> None:
    assert (model("gpt-oss-120b").facts.number("weights.bytes") or 0) / 10**9 == pytest.approx(65.2, abs=0.1)
    assert devices("gpt-oss-120b", "h100-sxm", concurrency=8, context=8192) == 1


@claim(35)
def _() -> None:
    both = [placed("gpt-oss-120b", on, concurrency=8, context=8192) for on in ("h100-sxm", "h200-sxm")]
    assert [placement.devices for placement in both if isinstance(placement, Placement)] == [1, 1]
    usable = [placement.memory.usable for placement in both if isinstance(placement, Placement)]
    assert usable[1] - usable[0] == pytest.approx(60e9, rel=0.01)
    assert devices("gpt-oss-120b", "h100-sxm", concurrency=32, context=8192) > devices(
        "gpt-oss-120b", "h200-sxm", concurrency=32, context=8192
    )


@claim(36)
def _() -> None:
    assert model("qwen3-32b").facts.number("weights.bytes") == pytest.approx(65.5e9, rel=0.001)
    assert devices("qwen3-32b", "h100-sxm", concurrency=1, context=32768) == 1
    assert devices("qwen3-32b", "h100-sxm", concurrency=4, context=8192) == 1
    assert devices("qwen3-32b", "h100-sxm", concurrency=16, context=8192) == 2


@claim(37)
def _() -> None:
    fp8 = Constraints(weights_holds="float8_e4m3fn")
    assert isinstance(placed("llama-3.3-70b-instruct", "h100-sxm", fixed=Constraints(devices=1), concurrency=1, context=2048), NoPlacement)
    assert devices("llama-3.3-70b-instruct", "h100-sxm", fixed=fp8, concurrency=5, context=2048) == 1
    assert devices("llama-3.3-70b-instruct", "h100-sxm", fixed=fp8, concurrency=32, context=2048) == 2
    assert devices("llama-3.3-70b-instruct", "h100-sxm", concurrency=16, context=8192) == 4


@claim(38)
def _() -> None:
    step_s = 70e9 / ((chip("h100-sxm").bandwidth.value or 0) * 10**9)
    assert step_s == pytest.approx(0.0209, abs=0.00005)
    assert 32 / step_s == pytest.approx(1531, abs=1)
    assert 32 / (step_s / 2) == pytest.approx(3063, abs=1)


@claim(39)
def _() -> None:
    assert 284e9 / ((chip("h100-sxm").memory_bytes.value or 0) * 0.92) == pytest.approx(3.6, abs=0.05)


@claim(40)
def _() -> None:
    facts = model("deepseek-v3").facts
    assert facts.number("params.total") == pytest.approx(671e9, rel=0.001)
    assert facts.number("params.active") == pytest.approx(37e9, rel=0.02)


@claim(41)
def _() -> None:
    facts = model("qwen3-235b-a22b").facts
    assert facts.number("params.total") == pytest.approx(235e9, rel=0.005)
    assert facts.number("params.active") == pytest.approx(22e9, rel=0.02)


@claim(42)
def _() -> None:
    for name in ("gpt-oss-20b", "gpt-oss-120b"):
        assert {audited(name, f"{on}/vllm-cuda").verdict for on in ("h100-sxm", "h200-sxm", "b200")} == {"native"}


@claim(44)
def _() -> None:
    listed = audited("llama-3.1-8b-instruct", "trainium2/neuron-vllm").effort
    assert listed is not None
    assert listed.weeks is not None
    assert (listed.weeks.low, listed.weeks.likely, listed.weeks.high) == pytest.approx((2.0, 3.5, 6.0))
    ported = audited("qwen3-30b-a3b", "trainium2/neuron-vllm").effort
    assert ported is not None
    assert ported.weeks is not None
    assert ported.weeks.likely > listed.weeks.likely


@pytest.mark.parametrize("number", sorted(_CLAIMS))
def test_claim(number: int) -> None:
    _CLAIMS[number]()


def test_every_row_of_the_page_is_checked_or_known_to_be_no_matter_of_the_catalogue() -> None:
    page = (ROOT / "docs" / "claims.md").read_text(encoding="utf-8")
    rows = [int(number) for number in re.findall(r"^\| (\d+) \|", page, flags=re.MULTILINE)]
    assert rows == list(range(1, len(rows) + 1))
    assert set(_CLAIMS) | WITHOUT_TEST == set(rows)
    assert not set(_CLAIMS) & WITHOUT_TEST

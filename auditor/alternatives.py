"""Other ways to serve a model on the same target: the cheapest layout, other types of the weights, more copies."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil, inf

from auditor import economics
from auditor.catalog import Catalog
from auditor.catalog.model import Accelerator, Target
from auditor.inspection.model import Inspection
from auditor.results import Alternative, Copies
from auditor.sizing import Constraints, Placement, estimate, place
from auditor.sizing.model import Throughput
from auditor.workload import Workload

#: Devices tried for the cheapest layout: the smallest placement's, doubled as often as this.
_DOUBLINGS = 4
_CHANGE = "a change of the model: take a published checkpoint of that type or requantize, and check its answers"


@dataclass(frozen=True, slots=True)
class Question:
    """What alternatives are looked for: one model on one target, and how it is paid for."""

    inspection: Inspection
    target: Target
    workload: Workload
    catalog: Catalog
    money: economics.Money
    constraints: Constraints
    today: str
    draft: Inspection | None = None

    def answer(self, name: str, constraints: Constraints, note: str = "", *, changes_model: bool = False) -> Alternative:
        """Return what the target does under other constraints."""
        prices = self.catalog.prices
        placed = place(self.inspection, self.target, self.workload, prices, constraints, self.money.term, self.draft)
        if not isinstance(placed, Placement):
            return Alternative(name, changes_model, None, placed.reason, None, None, None)
        speed = estimate(self.inspection, self.target, self.workload, placed)
        paid = economics.running(self.target, placed, speed, prices, self.money, self.workload, today=self.today)
        return Alternative(name, changes_model, placed, note, speed, paid.usd_per_hour, paid.usd_per_million_tokens)


def alternatives(question: Question, smallest: Placement | None) -> tuple[Alternative, ...]:
    """Return the cheapest layout per generated token, where that is not the smallest, and one answer for each other type."""
    return (*_cheapest(question, smallest), *_precisions(question, smallest))


def _cheapest(question: Question, smallest: Placement | None) -> Iterator[Alternative]:
    asked = question.constraints
    if smallest is None or asked.devices or asked.tensor_parallel:
        return
    first = question.answer("smallest", asked)
    counts = {smallest.billed_devices, *(smallest.devices << shift for shift in range(1, _DOUBLINGS))} - {smallest.devices}
    others = [question.answer("cheapest", replace(asked, devices=count), "lowest price per token") for count in sorted(counts)]
    best = min((first, *others), key=_price)
    if best is not first and _price(best) < inf:
        yield best


def _price(found: Alternative) -> float:
    return found.usd_per_million_tokens.likely if found.usd_per_million_tokens else inf


def _precisions(question: Question, smallest: Placement | None) -> Iterator[Alternative]:
    published = _published(question, smallest)
    for dtype in precisions(question.target.accelerator):
        if dtype != published:
            yield question.answer(dtype, replace(question.constraints, weights_holds=dtype), _CHANGE, changes_model=True)


def _published(question: Question, smallest: Placement | None) -> str:
    """Return the type that the published weights are held in: one quantized to it counts as that."""
    facts = question.inspection.facts
    held = smallest.weights_dtype if smallest else "as-stored"
    if held != "as-stored":
        return held
    return str(facts.value("quant.weight_format") or facts.text("weights.dtype") or facts.text("arch.dtype") or "")


def precisions(accelerator: Accelerator) -> tuple[str, str, str]:
    """Return the 16-, 8- and 4-bit types that weights are held in on an accelerator: floating where it multiplies them."""
    native = accelerator.native_dtypes
    eight = "float8_e4m3fn" if "float8_e4m3fn" in native else "int8"
    four = "float4_e2m1" if "float4_e2m1" in native else "int4"
    return "bfloat16", eight, four


def copies(wanted: float | None, placement: Placement | None, speed: Throughput | None, usd_per_hour: float | None) -> Copies | None:
    """Return how many placements reach ``wanted`` generated tokens per second; None where nothing is asked or no speed is known."""
    if wanted is None or placement is None or speed is None:
        return None
    rates = speed.output_tokens_per_s
    low, likely, high = (max(1, ceil(wanted / rate)) for rate in (rates.high, rates.likely, rates.low))
    return Copies(wanted, low, likely, high, likely * placement.devices, None if usd_per_hour is None else likely * usd_per_hour)

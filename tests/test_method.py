"""The worked example of docs/method.md, line by line: whoever changes a formula rewrites the page with it."""

from pathlib import Path

from auditor.economics import Money, break_even, running
from auditor.results import Effort
from auditor.sizing import Placement, estimate, place
from auditor.sizing.model import Range
from auditor.units import GB
from auditor.workload import Workload
from tests.support.hands import model, price, target

PAGE = (Path(__file__).parent.parent / "docs" / "method.md").read_text(encoding="utf-8")


def lines() -> list[str]:
    load = Workload(context=8192, concurrency=16, input_tokens=6144, output_tokens=2048, tokens_per_day=1e9)
    found = place(model(), target(), load, (price(3.0),))
    assert isinstance(found, Placement)
    speed = estimate(model(), target(), load, found)
    assert speed
    memory, output = found.memory, speed.output_tokens_per_s
    here = running(target(), found, speed, (price(3.0),), Money(), load, today="2026-11-22")
    assert here.usd_per_million_tokens
    weeks = Effort(Range(2, 3.5, 6), 3.5, None, (), "J")
    today = running(target(), found, speed, (price(6.0),), Money(), load, today="2026-11-22")
    months, _ = break_even(here, today, weeks, load, Money(weekly_rate=5000))
    assert months
    return [
        f"weights     {memory.weights / GB:.2f} GB",
        f"cache       {memory.kv_cache / GB:.2f} GB",
        f"activations {memory.activations / GB:.2f} GB",
        f"runtime     {memory.runtime / GB:.2f} GB",
        f"total       {memory.total / GB:.2f} GB of {memory.usable / GB:.2f} GB",
        f"largest concurrency {found.max_concurrency}, largest context {found.max_context_tokens:,}",
        f"decode step {1e3 / speed.decode_tokens_per_s_per_sequence.likely:.2f} ms",
        f"prompt {6144e3 / speed.prefill_tokens_per_s.likely:.1f} ms",
        f"generated {output.likely:.0f} tokens/s, between {output.low:.0f} and {output.high:.0f}",
        f"{here.usd_per_million_tokens.likely:.2f} $ per million generated tokens",
        f"break-even after {months.likely:.2f} months",
    ]


def test_the_worked_example_is_what_the_program_computes() -> None:
    missing = [line for line in lines() if line not in PAGE]
    assert not missing

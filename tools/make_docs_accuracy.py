"""Write docs/accuracy.md: how far what sizing computes is from what was measured.

    python tools/make_docs_accuracy.py [--check]

With --check nothing is written; the exit code says whether the file is current.
"""

import argparse
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools import fact_shares  # noqa: E402 - runs from a checkout too
from tools.measured import Compared, Summary, compare, summarize  # noqa: E402 - runs from a checkout too

TARGET = ROOT / "docs" / "accuracy.md"
HALVES = ("calibration", "validation")
KINDS = {
    "weights": "weights per rank",
    "cache": "cache in stated memory",
    "budget": "memory left for the cache",
    "fit": "fit outcomes",
    "speed": "generated tokens/s",
}
GOALS = {"weights": "within 3 %", "cache": "within 5 %", "budget": "within 5 %", "fit": "right, or borderline", "speed": "inside low..high"}

INTRODUCTION = """\
<!-- Written by tools/make_docs_accuracy.py from tests/data/measurements. Do not edit. -->
# Accuracy

What sizing computes is compared with what servers logged and benchmarks published. The rows are split by a hash of their
id into a calibration and a validation half. Rows and sources are in `tests/data/measurements`; `python tools/measured.py`
prints every row that is off.

The efficiencies of TensorRT-LLM were fitted on the calibration half alone, so its validation half is a test. The other
stacks have too few rows for that: theirs were chosen with all rows in view, and their halves say how well they describe,
not how well they predict. The accounting of the cache, the padding of MXFP4 experts and the replication of vision towers
are rules, found in engines' sources and logs of both halves.

Error is computed over measured, less one. *Spread* is the median of high over low.

"""
SPEED = """\

## Speed, by stack

`likely` against the published rate. Most rows are one vendor's own throughput tables with everything queued, so they say
most about large batches; the rows of vLLM on CUDA are short client runs, whose start and end the steady state has not.
"""
OFF = """\

## What is off

Rows whose speed is outside the range, whose bytes miss their goal, or whose outcome is another.
"""
REMARKS = """\

## What is known to be missing

- FP8 checkpoints whose config cuts the list of unquantized modules short are estimated too small from the config alone;
  with the weight files' headers they are exact.
- Graphs of releases before 0.21 come on top of the budget, and quantization while loading passes through 16 bit; neither is
  modelled: two fit outcomes.
- Rows of servers with a draft model were left out: their drafts are not published.
- Pairs of rows that differ only in the board (B200 and GB200 with the same chip) are up to 1.7 apart; no figure of the
  catalogue explains that.
- Stacks without a row here carry efficiencies by judgement, marked so in their files, or none: they show no speed.
"""


FACTS = """
## Facts, from configs alone

Published configs read without any weight file: to how many a fact applies, for how many it is known (the others say why it
is not), and how many of those that transformers' classes were built for on the meta device agree to the parameter. With
headers the counts are those of the files.

"""


def main() -> int:
    """Write the page, or say whether it is current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    text = page(compare())
    if check:
        return 0 if TARGET.is_file() and TARGET.read_text(encoding="utf-8") == text else 1
    TARGET.write_text(text, encoding="utf-8", newline="\n")
    return 0


def page(found: Sequence[Compared]) -> str:
    """Return the whole page."""
    facts = _table(("fact", "applies to", "known", "right, of those counted"), fact_shares.rows())
    parts = [INTRODUCTION, *_totals(found), SPEED, *_by_group(found), OFF, *_off(found), REMARKS, FACTS, facts]
    return "".join(parts)


def _totals(found: Sequence[Compared]) -> Iterator[str]:
    yield _table(("", "half", "rows", "median error", "goal", "met", "spread"), _total_rows(found))


def _total_rows(found: Sequence[Compared]) -> Iterator[tuple[str, ...]]:
    for what, name in KINDS.items():
        for half in HALVES:
            rows = [one for one in found if one.what == what and one.half == half]
            if rows:
                total = summarize(rows)
                error = "" if what == "fit" else f"{total.median_error:.1%}"
                yield name, half, str(total.rows), error, GOALS[what], f"{total.within:.0%}", _spread(total)


def _by_group(found: Sequence[Compared]) -> Iterator[str]:
    speeds = [one for one in found if one.what == "speed"]
    groups: tuple[tuple[str, Callable[[Compared], str]], ...] = (
        ("stack", lambda one: one.group),
        ("model", lambda one: one.note.split()[0]),
    )
    for title, key in groups:
        rows = []
        for name in sorted({key(one) for one in speeds}):
            for half in HALVES:
                part = [one for one in speeds if key(one) == name and one.half == half]
                if part:
                    total = summarize(part)
                    rows.append((name, half, str(total.rows), f"{total.median_error:.1%}", f"{total.within:.0%}", _spread(total)))
        yield "\n" + _table((title, "half", "rows", "median error", "inside", "spread"), rows)


def _off(found: Sequence[Compared]) -> Iterator[str]:
    rows = []
    for one in found:
        if summarize([one]).within == 1:
            continue
        measured, computed = (("no", "yes")[int(value)] if one.what == "fit" else f"{value:,.4g}" for value in (one.measured, one.computed))
        rows.append((one.row, KINDS[one.what], one.note if one.what == "speed" else one.group, measured, computed))
    yield "\n" + _table(("row", "figure", "case", "measured", "computed"), rows)


def _spread(total: Summary) -> str:
    return "" if math.isnan(total.spread) else f"{total.spread:.2f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


if __name__ == "__main__":
    sys.exit(main())

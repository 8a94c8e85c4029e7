"""Pages that are no audit: explanations, comparisons, datasheets, the fact catalogue."""

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from auditor.facts import CATALOGUE
from auditor.report import View, accelerators, fact_list
from auditor.report.comparison import COMPARISONS
from auditor.report.explain import EXPLANATIONS
from auditor.results import Audit
from tests.support.audits import audit, rows

Check = Callable[[str, str], None]
CHIPS = [row.target.accelerator for row in rows()]
STACKS = [row.target.stack for row in rows()]


def explained() -> Audit:
    whole = audit()
    return replace(whole, models=(replace(whole.models[0], rows=whole.models[0].rows[2:5]),))


def pair() -> Audit:
    whole = audit()
    other = replace(whole.models[0], inspection=replace(whole.models[0].inspection, id="org/other"), rows=whole.models[0].rows[1:])
    return replace(whole, models=(whole.models[0], other))


@pytest.mark.parametrize("name", EXPLANATIONS)
def test_explanation(name: str, expected: Check) -> None:
    expected(EXPLANATIONS[name](explained(), View()), f"explain.{name}.txt")


def test_an_explanation_cites_every_source_that_it_lists() -> None:
    story = EXPLANATIONS["text"](explained(), View(width=400))
    for part in story.split("\nSources\n")[:-1]:
        cited = {int(number) for group in re.findall(r" \[([\d, ]+)\]$", part, re.MULTILINE) for number in group.split(",")}
        assert cited == set(range(1, max(cited) + 1))


def test_what_runs_best_is_explained_first() -> None:
    backwards = replace(explained().models[0], rows=explained().models[0].rows[::-1])
    shuffled = replace(explained(), models=(backwards,))
    assert [EXPLANATIONS["text"](one, View()) for one in (explained(), shuffled)] == [EXPLANATIONS["text"](explained(), View())] * 2


def test_the_price_in_an_explanation_adds_up() -> None:
    story = EXPLANATIONS["text"](explained(), View(width=400))
    sums = re.findall(r"likely: ([\d.]+) / \(([\d.,k]+) tokens/s x 3600 / 1,000,000\) = ([\d.]+)", story)
    assert sums
    for hourly, rate, each in sums:
        tokens = float(rate.replace(",", "").removesuffix("k")) * (1000 if rate.endswith("k") else 1)
        assert float(hourly) / (tokens * 3600 / 1e6) == pytest.approx(float(each), rel=0.01)


@pytest.mark.parametrize("name", COMPARISONS)
def test_comparison(name: str, expected: Check) -> None:
    expected(COMPARISONS[name](pair(), View()), f"compare.{name}.txt")


@pytest.mark.parametrize("width", [80, 160])
def test_list_of_accelerators(width: int) -> None:
    text = accelerators.list_table(CHIPS, STACKS, View(width=width))
    assert text.count("\n") == len(CHIPS) + 1
    assert max(len(line) for line in text.splitlines()) <= width


def test_datasheet(expected: Check) -> None:
    price = rows()[0].cost.price
    assert price is not None
    expected(accelerators.sheets_table(CHIPS[:1], STACKS, [price], View()), "accelerator.txt")
    [sheet] = json.loads(accelerators.sheets_json(CHIPS[:1], STACKS, [price]))
    assert sheet["memory"]["sources"][0]["as_of"] == "2026-11-01"


def test_the_fact_catalogue_is_listed_in_its_order() -> None:
    names = list(CATALOGUE)
    assert [fact["name"] for fact in json.loads(fact_list.render_json(CATALOGUE))] == names
    text = fact_list.render_table(CATALOGUE, View())
    assert [line.split("  (")[0] for line in text.splitlines() if not line.startswith(" ")] == names

"""Every format, over audits with every kind of row."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from auditor.catalog.model import Instance
from auditor.report import FORMATS, INSPECTION_FORMATS, View
from tests.support.audits import INSPECTION, audit, rows

Check = Callable[[str, str], None]


@pytest.mark.parametrize("name", FORMATS)
def test_format(name: str, expected: Check) -> None:
    expected(FORMATS[name](audit(), View()), f"audit.{name}.txt")


@pytest.mark.parametrize("width", [100, 200])
def test_a_wider_table_says_more(width: int, expected: Check) -> None:
    expected(FORMATS["table"](audit(), View(width=width)), f"audit.table.{width}.txt")


@pytest.mark.parametrize("name", INSPECTION_FORMATS)
def test_inspection_format(name: str, expected: Check) -> None:
    expected(INSPECTION_FORMATS[name]([INSPECTION], View()), f"inspection.{name}.txt")


@pytest.mark.parametrize("name", FORMATS)
def test_formats_of_an_empty_audit(name: str) -> None:
    assert isinstance(FORMATS[name](replace(audit(), models=()), View()), str)


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_audit_gives_the_same_bytes(name: str) -> None:
    assert FORMATS[name](audit(), View()) == FORMATS[name](audit(), View())


@pytest.mark.parametrize("width", [80, 100, 132, 160, 200])
def test_tables_stay_within_the_terminal(width: int) -> None:
    text = FORMATS["table"](audit(), View(width=width))
    assert max(len(line) for line in text.splitlines()) <= width


def test_colour_adds_codes_and_nothing_else() -> None:
    plain, painted = (FORMATS["table"](audit(), View(width=200, color=color)) for color in (False, True))
    assert "\x1b[" not in plain
    assert "\x1b[32m" in painted
    stripped = painted
    for code in range(40):
        stripped = stripped.replace(f"\x1b[{code}m", "")
    assert " ".join(stripped.split()) == " ".join(plain.split())  # codes may move where a line is wrapped


def test_a_long_report_shows_the_best_of_each_family() -> None:
    one = audit()
    many = rows()[:2] * 8
    model = replace(one.models[0], rows=many)
    folded = FORMATS["table"](replace(one, models=(model,)), View())
    whole = FORMATS["table"](replace(one, models=(model,)), View(every_row=True))
    assert folded.count("h100-sxm/vllm-cuda") == 1
    assert "h200/vllm-cuda" not in folded
    assert "15 more rows, of the same accelerator families, with --all" in folded
    assert whole.count("h100-sxm/vllm-cuda") == 8


def test_a_family_stands_where_its_best_stack_is() -> None:
    one = audit()
    good, bad = rows()[2], rows()[3]
    worse = replace(bad, target=replace(bad.target, accelerator=good.target.accelerator))
    model = replace(one.models[0], rows=(worse, good) * 7)
    text = FORMATS["table"](replace(one, models=(model,)), View())
    assert "trainium2/neuron-vllm" in text
    assert "maxtext" not in text


def test_devices_that_are_sold_one_by_one_are_counted_one_by_one() -> None:
    one = audit()
    row = rows()[2]
    shop = replace(row.target.accelerator, instances=(Instance("cloud", "trn2.48xlarge", 16, sold_per_device=True),))
    model = replace(one.models[0], rows=(replace(row, target=replace(row.target, accelerator=shop)),))
    assert "4x trn2.48xlarge" in FORMATS["table"](replace(one, models=(model,)), View())
    assert "4x" not in FORMATS["table"](replace(one, models=(replace(model, rows=(row,)),)), View())

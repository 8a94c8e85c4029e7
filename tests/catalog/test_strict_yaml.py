"""YAML is read without surprises, and every fault has its place."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.catalog.document import MAX_BYTES
from auditor.catalog.strict_yaml import MAX_DEPTH, parse
from auditor.errors import CatalogError


def read(text: str) -> Any:
    return parse(text.encode(), "f.yaml").value


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-01", "2026-11-01"),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("Off", "Off"),
        ("12:30:00", "12:30:00"),
        ("010", "010"),
        ("0x1f", "0x1f"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        ("1e999", "1e999"),
        ("=", "="),
        ("<<", "<<"),
        ("'5'", "5"),
        ('"true"', "true"),
        ("5", 5),
        ("-3", -3),
        ("0", 0),
        ("3.10", 3.1),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_a_plain_scalar_means_what_it_looks_like(written: str, meant: object) -> None:
    value = read(f"key: {written}\n")["key"]
    assert value == meant
    assert type(value) is type(meant)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: 'a' is given twice (first on line 1); keep one of them"),
        ("x:\n  - a: 1\n    a: 2\n", "f.yaml:3:5: 'a' is given twice (first on line 2); keep one of them"),
        ("a: &x 1\nb: *x\n", "f.yaml:1:4: anchor &x is not allowed; write the value out, or use extends"),
        ("b: *x\n", "f.yaml:1:4: alias *x is not allowed; write the value out, or use extends"),
        ("a: !!int '5'\n", "f.yaml:1:4: tag tag:yaml.org,2002:int is not allowed; drop it; quote the value to make it text"),
        ("a: !!python/object:os.system x\n", "f.yaml:1:4: tag"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document begins here; keep one document per file"),
        ("? [a]\n: 1\n", "f.yaml:1:3: a key must be a single word"),
        ("a: b: c\n", "f.yaml:1:5: mapping values are not allowed in this context"),
        ("[1, 2\n", "f.yaml:2:1: did not find expected ',' or ']'"),
        ("\ta: 1\n", "f.yaml:1:1: found character that cannot start any token"),
        ("", "f.yaml:1:1: the file is empty"),
        ("# only a comment\n", "f.yaml:1:1: the file is empty"),
    ],
)
def test_a_fault_is_named_with_its_place(text: str, message: str) -> None:
    with pytest.raises(CatalogError) as caught:
        read(text)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text_are_refused() -> None:
    for text in (b"\xff\xfe\x00", b"a: \xc3\x28", b"a: \x01"):
        with pytest.raises(CatalogError, match="save it as UTF-8 text"):
            parse(text, "f.yaml")


def test_a_bomb_costs_nothing() -> None:
    billion_laughs = "a: &a [x, x]\n" + "".join(f"{chr(98 + at)}: &{chr(98 + at)} [*{chr(97 + at)}, *{chr(97 + at)}]\n" for at in range(20))
    bombs = {
        "anchor": billion_laughs,
        f"deeper than {MAX_DEPTH}": "[" * 500_000,
        f"nested deeper than {MAX_DEPTH}": "".join(" " * at + "a:\n" for at in range(2000)),
        f"more than {MAX_BYTES}": "x" * (MAX_BYTES + 1),
    }
    for message, text in bombs.items():
        started = time.process_time()
        with pytest.raises(CatalogError, match=message):
            read(text)
        assert time.process_time() - started < 2


def test_every_value_knows_its_line() -> None:
    document = parse(b"a: 1\nb:\n  - x\n  - {c: 2,\n     d: 3}\n", "f.yaml")
    assert document.where(("a",)) == "f.yaml:1:4"
    assert document.where(("a",), key=True) == "f.yaml:1:1"
    assert document.where(("b", 0)) == "f.yaml:3:5"
    assert document.where(("b", 1, "d")) == "f.yaml:5:9"
    assert document.where(("b", 1, "d"), key=True) == "f.yaml:5:6"
    assert document.where(("b", 1, "missing", "deeper")) == "f.yaml:4:5", "the nearest part that is in the file"
    assert document.where(("nothing",)) == "f.yaml:1:1"


@given(st.text(max_size=200))
def test_any_text_gives_a_value_or_one_line(text: str) -> None:
    try:
        parse(text.encode("utf-8", "surrogatepass"), "f.yaml")
    except CatalogError as error:
        said = str(error)
    else:
        return
    assert said.startswith("f.yaml:")
    assert "\n" not in said

"""Lines of keys: those that a parser would have seen, and less, never an error, of what is no JSON."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.positions import SIZE_LIMIT, key_lines, text_line

CONFIG = b"""{
  "a": 1, "b":
    {"a": [1, {"a": 2}, "}"], "c\\u0064": "x\\"y",
     "d": null},

  "e": "line\\nfeed"
}
"""


def test_each_key_has_its_own_line() -> None:
    wanted = {("a",), ("b",), ("b", "a"), ("b", "cd"), ("b", "d"), ("e",), ("b", "missing"), ("d",)}
    assert key_lines(CONFIG, wanted) == {("a",): 2, ("b",): 2, ("b", "a"): 3, ("b", "cd"): 3, ("b", "d"): 4, ("e",): 6}


def test_windows_lines_and_a_byte_order_mark() -> None:
    assert key_lines(b"\xef\xbb\xbf" + CONFIG.replace(b"\n", b"\r\n"), {("b", "d")}) == {("b", "d"): 4}


def test_of_a_key_that_stands_twice_the_last_counts() -> None:
    assert key_lines(b'{"a": 1,\n"a": 2}', {("a",)}) == {("a",): 2}


@pytest.mark.parametrize(
    "text", [b"", b"\x00\xff", b"{]}:", b'"a": 1', b'{"a', b'{"a": 1}}}', b'["a": 1]', b'{"\\ud8" : 1}', b"[" * 10_000]
)
def test_what_is_no_json_is_no_error(text: bytes) -> None:
    key_lines(text, {("a",)})


@pytest.mark.parametrize("text", [b'{"' + b'\\"' * 2_000_000, b'{"a":' * 1_000_000, b'"' * 4_000_001, b" " * (SIZE_LIMIT + 1)])
def test_hostile_texts_take_no_time(text: bytes) -> None:
    start = time.process_time()
    assert key_lines(text, {("b",)}) == {}
    assert time.process_time() - start < 20


KEYS = st.text(st.characters(codec="utf-8"), max_size=5)
DOCUMENTS = st.recursive(
    st.none() | st.integers() | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
)


def paths(document: object, above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    if not isinstance(document, dict):
        return set()
    return {one for key, inner in document.items() for one in {(*above, key)} | paths(inner, (*above, key))}


@given(st.dictionaries(KEYS, DOCUMENTS, max_size=4), st.sampled_from([None, 1]))
def test_every_key_that_a_parser_sees_is_found_on_a_line_that_holds_it(document: dict[str, object], indent: int | None) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    found = key_lines(text.encode(), paths(document))
    assert set(found) == paths(document)
    lines = text.split("\n")
    assert all(json.dumps(keys[-1], ensure_ascii=False) in lines[line - 1] for keys, line in found.items())


def test_lines_of_other_texts() -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"
    assert text_line(pointer, "size") == 3
    assert text_line(b"---\nlicense: mit\n---\n", "license") == 2
    assert text_line(b"unlicensed: x\n", "license") is None

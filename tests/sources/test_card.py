"""Front matter of model cards: the plain members, whatever else a card holds."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from auditor.sources.card import KEYS, LIMIT, front_matter, kept


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("---\nlicense: apache-2.0\n---\n", {"license": "apache-2.0"}),
        ("---\r\nlicense: mit\r\n---\r\n", {"license": "mit"}),
        ("---\nlicense: 'other' \nlicense_name: llama3.1\n---\n", {"license": "other", "license_name": "llama3.1"}),
        ("---\nlicense: mit # a comment\n---\n", {"license": "mit"}),
        ("---\nbase_model:\n- a/b\n- c/d\nlicense: mit\n---\n", {"base_model": ["a/b", "c/d"], "license": "mit"}),
        ("---\nbase_model:\n  - a/b\n---\n", {"base_model": ["a/b"]}),
        ('---\nbase_model: ["a/b", c/d]\n---\n', {"base_model": ["a/b", "c/d"]}),
        ("---\nbase_model: a/b\n---\n", {"base_model": "a/b"}),
        (
            "---\nlanguage:\n- en\n- de\npipeline_tag: text-generation\nlibrary_name: transformers\n---\n",
            {"pipeline_tag": "text-generation", "library_name": "transformers"},
        ),
        ("---\nmodel-index:\n- name: x\n  results:\n  - task:\n      license: no\nlicense: mit\n---\n", {"license": "mit"}),
        ("---\nlicense:\n---\n", {}),
        ("---\nlicense: mit\n", {}),
        ("# no front matter\nlicense: mit\n", {}),
        ("", {}),
    ],
)
def test_what_is_read(text: str, members: dict[str, Any]) -> None:
    assert front_matter(text.encode()) == members


words = st.from_regex(r"[a-z][a-z0-9./-]{0,12}", fullmatch=True).filter(
    lambda word: word not in {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
)
cards = st.dictionaries(st.sampled_from([*KEYS, "tags", "language"]), words | st.lists(words, min_size=1, max_size=3))


@given(cards)
def test_plain_members_are_read_as_yaml_reads_them(card: dict[str, Any]) -> None:
    text = f"---\n{yaml.safe_dump(card, default_flow_style=False)}---\n"
    assert front_matter(text.encode()) == kept(card)


@given(st.binary(max_size=200))
def test_any_bytes_give_short_members(data: bytes) -> None:
    members = front_matter(b"---\n" + data + b"\n---\n")
    assert set(members) <= set(KEYS)
    assert all(len(str(value)) < 5_000 for value in members.values())


def test_an_endless_card_is_cut() -> None:
    text = "---\nlicense: mit\n" + "tags:\n" + "- x\n" * LIMIT + "---\n"
    assert front_matter(text.encode()) == {}
    assert kept({"license": "x" * 10_000, "base_model": ["y"] * 1_000, "pipeline_tag": {"a": 1}}) == {
        "license": "x" * 256,
        "base_model": ["y"] * 16,
    }

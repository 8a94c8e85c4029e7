"""Launch commands from templates."""

import pytest

from auditor.sizing.launch import command

TEMPLATE = "serve {model}[ -tp {tensor_parallel}][ --ep {expert_parallel} --dp {data_parallel}] --len {context}"


@pytest.mark.parametrize(
    ("tensor", "expert", "expected"),
    [("1", "1", "serve M --len 8"), ("4", "1", "serve M -tp 4 --len 8"), ("4", "4", "serve M -tp 4 --ep 4 --dp 1 --len 8")],
)
def test_optional_parts_are_left_out_at_their_defaults(tensor: str, expert: str, expected: str) -> None:
    values = {"model": "M", "tensor_parallel": tensor, "expert_parallel": expert, "data_parallel": "1", "context": "8"}
    assert command(TEMPLATE, values, {"tensor_parallel": "1", "expert_parallel": "1", "data_parallel": "1"}) == expected


def test_a_question_mark_decides_and_prints_nothing() -> None:
    template = "serve[ --expert{expert_parallel?}]"
    assert command(template, {"expert_parallel": "8"}, {"expert_parallel": "1"}) == "serve --expert"
    assert command(template, {"expert_parallel": "1"}, {"expert_parallel": "1"}) == "serve"


def test_an_unknown_placeholder_is_a_mistake_in_the_template() -> None:
    with pytest.raises(KeyError):
        command("serve {modle}", {"model": "M"}, {})


def test_brackets_without_placeholders_stay() -> None:
    assert command("serve [a]", {}, {}) == "serve [a]"

"""Messages take facts in, and a slip in a placeholder is found before anything is audited."""

import pytest

from auditor.catalog.message import MessageError, parse_message
from auditor.facts import Basis, Known, Unknown

FACTS = {
    "weights.bytes": Known(16_060_522_496, Basis.HEADER),
    "params.total": Known(8_030_261_248, Basis.DERIVED),
    "attention.kind": Known("gqa", Basis.CONFIG),
    "weights.dtypes": Known(("bfloat16", "int8"), Basis.HEADER),
    "weights.bits_per_parameter": Known(4.25, Basis.DERIVED),
    "repo.custom_code": Known(value=True, basis=Basis.CONFIG),
    "quant.method": Unknown("no config"),
}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain", "plain"),
        ("{attention.kind} attention", "gqa attention"),
        ("{weights.bytes}", "16,060,522,496"),
        ("{weights.bytes:GiB}", "15.0 GiB"),
        ("{weights.bytes:GB}", "16.1 GB"),
        ("{weights.bytes:bytes}", "15.0 GiB"),
        ("{params.total:count}", "8.03 B"),
        ("{params.total:int}", "8,030,261,248"),
        ("{weights.bits_per_parameter}", "4.25"),
        ("{weights.bits_per_parameter:.1f}", "4.2"),
        ("{weights.dtypes}", "bfloat16, int8"),
        ("{weights.dtypes:list}", "bfloat16, int8"),
        ("{repo.custom_code}", "true"),
        ("{quant.method}", "unknown"),
        ("{moe.experts}", "none"),
        ("{{{attention.kind}}}", "{gqa}"),
        ("{attention.kind}{attention.kind}", "gqagqa"),
    ],
)
def test_facts_take_their_places(text: str, filled: str) -> None:
    assert parse_message(text).fill(FACTS) == filled


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("{attenton.kind}", "no fact is called 'attenton.kind'", "did you mean 'attention.kind'?"),
        ("{attention.kind:GiB}", "attention.kind cannot be shown as 'GiB'", "write {attention.kind}"),
        ("{arch.layers:GiB}", "arch.layers cannot be shown as 'GiB'", "use one of int, count, percent, .1f"),
        ("{weights.bytes:Gib}", "weights.bytes cannot be shown as 'Gib'", "use one of int, GiB, GB, bytes, .1f"),
        ("a { b", "a lone { at character 3", "double it to print it"),
        ("a } b", "a lone } at character 3", "double it to print it"),
        ("{attention.kind.__class__}", "no fact is called 'attention.kind.__class__'", "did you mean 'attention.kind'?"),
        ("{attention.kind[0]}", "a lone { at character 1", "double it to print it"),
        ("{0}", "no fact is called '0'", ""),
    ],
)
def test_a_slip_is_refused(text: str, message: str, hint: str) -> None:
    with pytest.raises(MessageError) as caught:
        parse_message(text)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_a_message_says_which_facts_it_reads() -> None:
    assert parse_message("{weights.bytes:GB} of {weights.bytes} {{x}} {attention.kind}").reads() == ("weights.bytes", "attention.kind")

"""Every mistake a contributor can make is one line with file, line, column and a way out; the catalogue does not load."""

import os
from pathlib import Path

import pytest

from auditor.errors import CatalogError
from tests.support.catalogue import CHIP, EFFORT, PRICES, RULES, SOURCES, STACK, load, write, write_catalogue

RULE = """\
rules:
  - id: some-rule
    when:
      all:
        - attention.kind: mla
        - {when}
    verdict: blocked
    confidence: high
    message: "{message}"
    remediation: Do this.
    sources: [paper]
"""


def said(tmp_path: Path, *packs: Path, **changed: str) -> str:
    with pytest.raises(CatalogError) as caught:
        load(tmp_path, *packs, **changed)
    text = str(caught.value)
    assert "\n" not in text
    return text.removeprefix("rules/")


def test_the_untouched_catalogue_loads(tmp_path: Path) -> None:
    catalog = load(tmp_path)
    assert [target.id for target in catalog.targets] == ["chip/serve"]
    assert [rule.id for rule in catalog.rules] == ["served-here", "gptq-here"]


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("attenton.kind: mla", "6:11: no fact is called 'attenton.kind'; did you mean 'attention.kind'?"),
        ("any: [{moe.experts: {gt: 1}}, {attenton.kind: mla}]", "6:42: no fact is called 'attenton.kind'; did you mean"),
        ("attention.kind: mlaa", "6:27: attention.kind is never 'mlaa'; did you mean 'mla'?"),
        ("arch.model_type: {gt: 3}", "6:29: 'gt' does not apply to arch.model_type, which is text; use one of eq, ne, in,"),
        ("arch.layers: {gt: 60.5}", "6:29: arch.layers is a whole number of layers, 60.5 is not"),
        ("weights.bytes: {gt: {fact: accelerator.memory_bytes, times: 0.9}}", "6:31: an operand is a value or {fact: NAME}"),
        ("arch.layers: 5, moe.experts: 3", "6:38: mapping values are not allowed in this context"),
        ("'arch.layers > 5'", "6:11: a condition is one fact, or one of all, any, not, always; not 'arch.layers > 5'"),
        ("arch.layers", "6:11: a condition is one fact"),
        ("{arch.layers: 5, moe.experts: 3}", "6:11: a condition is one fact, or one of all, any, not, always; not 2 of them"),
        ("[[[[[[]]]]]]", "6:11: a condition is one fact"),
        ("arch.model_type: {matches: '('}", "6:38: not a regular expression"),
    ],
)
def test_a_condition_that_makes_no_sense(tmp_path: Path, when: str, message: str) -> None:
    assert said(tmp_path, rules=RULE.replace("{when}", when).replace("{message}", "x")).startswith(f"common/all.yaml:{message}")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("{attention.kid} there", "9:14: no fact is called 'attention.kid'; did you mean 'attention.kind'?"),
        ("{attention.kind:GiB}", "9:14: attention.kind cannot be shown as 'GiB'; write {attention.kind}"),
        ("{x.__class__.__mro__}", "9:14: no fact is called 'x.__class__.__mro__'"),
    ],
)
def test_a_message_that_names_no_fact(tmp_path: Path, message: str, expected: str) -> None:
    text = RULE.replace("{when}", "moe.experts: 8").replace("{message}", message)
    assert said(tmp_path, rules=text) == f"common/all.yaml:{expected}"


@pytest.mark.parametrize(
    ("name", "text", "old", "new", "message"),
    [
        ("rules", RULES, "verdict: native\n", "verdict: nativ\n", "common/all.yaml:5:14: 'nativ' is not one of native, note"),
        ("rules", RULES, "verdict: native\n", "verdict: blocked\n    verdict: native\n", "6:5: 'verdict' is given twice (first on line 5)"),
        ("rules", RULES, "    verdict: native\n", "", "common/all.yaml:3:5: rule 'served-here' has no verdict; add verdict: here or"),
        ("rules", RULES, "verdict: native\n", "verdict: unknown\n", "common/all.yaml:3:5: 'at_worst' is missing"),
        ("rules", RULES, "remediation: Serve it.", "remedy: Serve it.", "common/all.yaml:3:5: 'remediation' is missing"),
        ("rules", RULES, "id: served-here", "id: Served Here", "common/all.yaml:3:9: 'Served Here' does not look right; Words joined by"),
        ("rules", RULES, "id: gptq-here", "id: served-here", "8:9: rule 'served-here' is there already, at rules/common/all.yaml:3; ids"),
        ("rules", RULES, "sources: [paper]", "sources: [papper]", "1:21: no source is called 'papper'; did you mean 'paper'?"),
        (
            "rules",
            RULES,
            "default: {sources: [paper], confidence: high}\n",
            "default: {confidence: high}\n",
            "3:5: rule 'served-here' has no source",
        ),
        ("rules", RULES, "stack: [serve]", "stack: [server]", "common/all.yaml:9:26: no stack is called 'server'; did you mean 'serve'?"),
        ("rules", RULES, "stack: [serve]", "stak: [serve]", "common/all.yaml:9:18: 'stak' is not known here; did you mean 'stack'?"),
        ("rules", RULES, "stack: [serve]", "vendor: [make]", "common/all.yaml:9:27: no vendor is called 'make'; did you mean 'maker'?"),
        (
            "rules",
            RULES,
            "work: [requantize]",
            "work: [requantise]",
            "12:12: no work item is called 'requantise'; did you mean 'requantize'?",
        ),
        ("rules", RULES, "default: {", "default: {work: [x-y], ", "1:18: no work item is called 'x-y'"),
        ("rules", RULES, "rules:", "rule:", "common/all.yaml:1:1: this is no file of the catalogue"),
        ("chip", CHIP, "name: Chip", "naem: Chip", "accelerators/chip.yaml:2:1: 'naem' is not known here; did you mean 'name'?"),
        ("chip", CHIP, "name: Chip\n", "", "accelerators/chip.yaml:1:14: chip has no name; add name: here or to what it extends"),
        (
            "chip",
            CHIP,
            "value: 80, unit: GB}\nplan",
            "value: 80, unit: Gb}\nplan",
            "8:27: 'Gb' is not one of GB, GiB, MB, MiB, TB, TiB; did you mean",
        ),
        (
            "chip",
            CHIP,
            "memory: {value: 80, unit: GB}\npl",
            "memory: {value: -80, unit: GB}\npl",
            "8:17: -80 is impossible; it is at least 0",
        ),
        (
            "chip",
            CHIP,
            "memory: {value: 80, unit: GB}\npl",
            "memory: 80\npl",
            "accelerators/chip.yaml:8:9: this figure has no unit; one of GB, GiB",
        ),
        (
            "chip",
            CHIP,
            "planning_memory: {value: 80, unit: GB}",
            "planning_memory: {value: 80, unit: bytes}",
            "9:18: 80 bytes to plan with are 1e-09",
        ),
        ("chip", CHIP, "bandwidth: 3000", "bandwidth: fast", "accelerators/chip.yaml:10:12: 'fast' is not a number or a map"),
        ("chip", CHIP, "bandwidth: 3000", "bandwidth: {value: null}", "accelerators/chip.yaml:10:12: 'note' is missing"),
        ("chip", CHIP, "bfloat16: 1000", "bfloat: 1000", "accelerators/chip.yaml:11:9: 'bfloat' is not one of"),
        ("chip", CHIP, "bfloat16: 1000", "bfloat16: {value: 1, unit: TOPS}", "11:36: bfloat16 does not run at TOPS; write TFLOPS"),
        ("chip", CHIP, "int8: 2000", "int8: {value: 2, unit: PFLOPS}", "11:48: int8 does not run at PFLOPS; write TOPS"),
        (
            "chip",
            CHIP,
            "status: open",
            "status: oepn",
            "accelerators/chip.yaml:7:24: 'oepn' is not one of open, limited, captive, unreleased; did",
        ),
        ("chip", CHIP, "status: open", "status: captive", "accelerators/chip.yaml:7:15: 'note' is missing"),
        ("chip", CHIP, "devices: 8", "devices: 0", "accelerators/chip.yaml:15:45: 0 is impossible; it is at least 1"),
        ("chip", CHIP, "default: {sources: [paper], confidence: high}", "default: {confidence: high}", "8:9: this figure has no source"),
        (
            "chip",
            CHIP,
            "default: {sources: [paper], confidence: high}",
            "default: {sources: [paper]}",
            "8:9: this figure has no confidence",
        ),
        ("chip", CHIP, "name: Chip", "extends: chip", "2:10: extends goes round in a circle: chip extends chip"),
        ("chip", CHIP, "name: Chip", "extends: chop", "accelerators/chip.yaml:2:10: no accelerator is called 'chop'; did you mean 'chip'?"),
        ("chip", CHIP, "aliases: [chippy]", "aliases: [chips]", "5:11: 'chips' is taken already (a family's name); people could not tell"),
        (
            "stack",
            STACK,
            "accelerators: [chips]",
            "accelerators: [chops]",
            "8:16: no accelerator or family is called 'chops'; did you mean 'chips'?",
        ),
        ("stack", STACK, "status: validated", "status: valid", "13:45: 'valid' is not one of validated, listed"),
        ("stack", STACK, ", work: requantize", "", "stacks/serve/stack.yaml:18:7: 'work' is missing"),
        ("stack", STACK, "classes: [LlamaForCausalLM], ", "", "stacks/serve/stack.yaml:13:7: 'classes' is missing"),
        ("stack", STACK, "methods: [gptq]", "methods: [gtpq]", "18:18: 'gtpq' is not one of none, gptq"),
        ("stack", STACK, 'version: "1.0"', "version: 1.0", "stacks/serve/stack.yaml:4:10: 1.0 is not text"),
        ("stack", STACK, "family: neuron", "family: nueron", "3:9: 'nueron' is not one of cuda, neuron"),
        ("sources", SOURCES, ", as_of: 2026-10-01", "", "sources.yaml:2:10: 'as_of' is missing"),
        ("sources", SOURCES, "as_of: 2026-10-01", "as_of: last week", "sources.yaml:2:68: 'last week' does not look right; YYYY-MM-DD"),
        ("sources", SOURCES, "as_of: 2026-10-01", "as_of: 2026-13-01", "sources.yaml:2:68: '2026-13-01' does not look right"),
        ("sources", SOURCES, 'url: "https://example.com/paper", ', "", "sources.yaml:2:10: 'url' is missing"),
        (
            "prices",
            PRICES,
            "accelerator: chip",
            "accelerator: chup",
            "prices/cloud.yaml:3:36: no accelerator is called 'chup'; did you mean 'chip'?",
        ),
        ("prices", PRICES, "usd_per_hour: 20", "usd_per_hour: 0", "prices/cloud.yaml:3:68: 0 is impossible; it is more than 0"),
        ("prices", PRICES, ", usd_per_hour: 20", "", "prices/cloud.yaml:3:5: this price has no usd_per_hour; add usd_per_hour: here or"),
        ("prices", PRICES, "as_of: 2026-11-01, ", "", "prices/cloud.yaml:3:5: this price has no as_of"),
        ("effort", EFFORT, "sources: [paper]", "sources: [papers]", "effort/effort.yaml:4:72: no source is called 'papers'"),
    ],
)
def test_a_slip_in_a_file(tmp_path: Path, name: str, text: str, old: str, new: str, message: str) -> None:
    assert old in text
    assert message in said(tmp_path, **{name: text.replace(old, new, 1)})


def test_a_repeated_price(tmp_path: Path) -> None:
    row = PRICES.splitlines()[-1]
    assert said(tmp_path, prices=f"{PRICES}{row}\n") == (
        "prices/cloud.yaml:4:5: this price is given twice (first at rules/prices/cloud.yaml:3:5); keep one of them"
    )


def test_extends_in_a_circle(tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    write(pack / "a.yaml", "accelerator: a\nextends: b\n")
    write(pack / "b.yaml", "accelerator: b\nextends: c\n")
    write(pack / "c.yaml", "accelerator: c\nextends: a\n")
    assert said(tmp_path, pack) == (
        f"{pack}/c.yaml:2:10: extends goes round in a circle: a extends b extends c extends a; let one of them stand on its own"
    )


def test_extends_without_end(tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    for at in range(30):
        write(pack / f"x{at:02}.yaml", f"accelerator: x{at}\nextends: x{at + 1}\n")
    assert "extends is more than 16 deep" in said(tmp_path, pack)


def test_ids_are_unique_over_packs(tmp_path: Path) -> None:
    pack = write(tmp_path / "mine.yaml", CHIP.replace("aliases: [chippy]", "aliases: []"))
    assert said(tmp_path, pack) == (
        f"{pack}:1:14: accelerator 'chip' is there already, at rules/accelerators/chip.yaml:1:14; "
        "give it an id of its own; `extends:` takes over the other's fields"
    )
    pack = write(tmp_path / "mine.yaml", RULES.replace("gptq-here", "gptq-there"))
    assert said(tmp_path, pack) == (
        f"{pack}:3:9: rule 'served-here' is there already, at rules/common/all.yaml:3; say `replaces:` to put a rule of yours in its place"
    )
    pack = write(tmp_path / "mine.yaml", SOURCES.replace("code:", "more:"))
    assert said(tmp_path, pack).startswith(f"{pack}:2:3: source 'paper' is there already, at rules/sources.yaml:2:3")


CONTRARY = """\
rules:
  - id: mine-gptq
    when: {quant.method: gptq}
    verdict: blocked
    confidence: high
    message: no gptq at all
    remediation: Do not.
    sources: [paper]
"""


def test_a_pack_that_contradicts_a_shipped_rule(tmp_path: Path) -> None:
    pack = write(tmp_path / "mine.yaml", CONTRARY)
    assert said(tmp_path, pack) == (
        f"{pack}:2:5: 'mine-gptq' says blocked where the shipped rule 'gptq-here' says config-change on the same condition; "
        "say `replaces: gptq-here` if yours is to hold"
    )


def test_a_pack_may_replace_a_rule_when_it_says_so(tmp_path: Path) -> None:
    pack = write(tmp_path / "mine.yaml", CONTRARY.replace("    when:", "    replaces: gptq-here\n    when:"))
    catalog = load(tmp_path, pack)
    assert [(rule.id, rule.shipped) for rule in catalog.rules] == [("served-here", True), ("mine-gptq", False)]
    pack = write(tmp_path / "mine.yaml", CONTRARY.replace("    when:", "    replaces: gptq-hear\n    when:"))
    assert said(tmp_path, pack) == f"{pack}:3:15: no rule is called 'gptq-hear'; did you mean 'gptq-here'?"


def test_packs_that_are_not_there_or_not_packs(tmp_path: Path) -> None:
    assert (
        said(tmp_path, tmp_path / "nothing") == f"{tmp_path}/nothing: no such file or folder; give --rules a rule file or a folder of them"
    )
    (tmp_path / "empty").mkdir()
    assert "holds no .yaml file" in said(tmp_path, tmp_path / "empty")
    listing = write(tmp_path / "list.yaml", "- 1\n- 2\n")
    assert said(tmp_path, listing).startswith(f"{listing}:1:1: this is no file of the catalogue; begin it with one of accelerator:")
    huge = write(tmp_path / "huge.yaml", "x" * (5 << 20))
    assert "more than" in said(tmp_path, huge)


def test_a_pipe_among_the_files_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    os.mkfifo(tmp_path / "pack/x.yaml")
    assert said(tmp_path, tmp_path / "pack") == f"{tmp_path}/pack/x.yaml: not a regular file; take it out of the folder"


def test_only_a_service_offers_models(tmp_path: Path) -> None:
    stack = STACK + "hosted_models: [org/model]\n"
    assert said(tmp_path, stack=stack) == "stacks/serve/stack.yaml:19:16: serve offers models and is not hosted; add hosted: true"


def test_a_feature_cannot_be_had_and_lacked(tmp_path: Path) -> None:
    stack = STACK + "features: {supported: [lora], unsupported: [lora], sources: [paper]}\n"
    assert said(tmp_path, stack=stack) == "stacks/serve/stack.yaml:19:11: 'lora' is both supported and unsupported; keep one of them"


def test_a_memory_section_with_a_gap(tmp_path: Path) -> None:
    stack = STACK + "memory: {fraction: 0.9, fraction_of: total, runtime: {value: 1, unit: GiB}, activation_tokens: 8192}\n"
    assert said(tmp_path, stack=stack) == "stacks/serve/stack.yaml:19:9: 'block_tokens' is missing; add it to memory:"


def test_loading_stops_even_when_only_one_file_of_many_is_broken(tmp_path: Path) -> None:
    root = write_catalogue(tmp_path)
    for at in range(20):
        write(root / "accelerators" / f"x{at}.yaml", f"accelerator: x{at}\nextends: chip\n")
    write(root / "accelerators" / "y.yaml", "accelerator: y\nextends: chip\npower: lots\n")
    with pytest.raises(CatalogError, match=r"rules/accelerators/y.yaml:3:8: 'lots' is not a number or a map"):
        load(tmp_path)

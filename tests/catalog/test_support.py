"""Support lists become facts: the most specific row wins, and what no list says is not guessed."""

from dataclasses import replace

import pytest

from auditor.catalog.model import ArchitectureSupport, FormatSupport, Stack, Target
from auditor.catalog.support import architecture_support, format_support, loading_methods, stack_facts
from auditor.facts import Basis, Facts, Known, Unknown, Value
from tests.support.hands import accelerator, stack

CHIP = accelerator(id="chip-2", family="chips")


def model(**values: Value | None) -> Facts:
    return Facts(
        {name.replace("__", "."): Unknown("not had") if value is None else Known(value, Basis.CONFIG) for name, value in values.items()}
    )


def listing(*rows: ArchitectureSupport, complete: bool = True, **changes: object) -> Stack:
    return replace(stack(), architectures=rows, architectures_complete=complete, **changes)  # type: ignore[arg-type]


def status(here: Stack, **facts: Value | None) -> str:
    found = architecture_support(here, CHIP, model(**facts))
    return "unknown" if isinstance(found, Unknown) else found.status


LLAMA = {"arch__architectures": ("LlamaForCausalLM",), "arch__model_type": "llama", "arch__task": "causal-lm", "model__id": "org/Llama-8B"}


def test_a_class_is_found_by_its_name() -> None:
    assert status(listing(ArchitectureSupport("LlamaForCausalLM", "listed")), **LLAMA) == "listed"


@pytest.mark.parametrize(("complete", "expected"), [(True, "absent"), (False, "unlisted")])
def test_absence_means_something_only_on_a_complete_list(complete: bool, expected: str) -> None:
    assert status(listing(ArchitectureSupport("OtherForCausalLM", "listed"), complete=complete), **LLAMA) == expected


def test_the_most_specific_row_wins() -> None:
    generic = ArchitectureSupport("*", "fallback")
    by_type = ArchitectureSupport("", "contributed", model_type="llama")
    by_class = ArchitectureSupport("LlamaForCausalLM", "listed")
    on_chip = ArchitectureSupport("LlamaForCausalLM", "blocked", accelerators=("chip-2",))
    on_family = ArchitectureSupport("LlamaForCausalLM", "contributed", accelerators=("chips",))
    elsewhere = ArchitectureSupport("LlamaForCausalLM", "unavailable", accelerators=("chip-3",))
    named = ArchitectureSupport("LlamaForCausalLM", "validated", models=("Org/llama-8b",))
    assert status(listing(generic), **LLAMA) == "fallback"
    assert status(listing(generic, by_type), **LLAMA) == "contributed"
    assert status(listing(by_type, by_class, generic), **LLAMA) == "listed"
    assert status(listing(by_class, elsewhere), **LLAMA) == "listed"
    assert status(listing(by_class, on_chip), **LLAMA) == "blocked"
    assert status(listing(by_class, on_family), **LLAMA) == "contributed"
    assert status(listing(by_class, on_chip, named), **LLAMA) == "validated"
    assert status(listing(by_class, replace(by_class, status="blocked")), **LLAMA) == "listed", "the first of equals"


def test_a_validated_row_that_names_models_lists_the_others() -> None:
    row = ArchitectureSupport("LlamaForCausalLM", "validated", models=("org/Llama-8B",), note="tested")
    assert status(listing(row), **LLAMA) == "validated"
    assert status(listing(row), **{**LLAMA, "model__id": "org/Llama-70B"}) == "listed"
    assert status(listing(row), **{**LLAMA, "model__id": None}) == "listed"
    contributed = replace(row, status="contributed")
    assert status(listing(contributed), **{**LLAMA, "model__id": "org/Llama-70B"}) == "contributed"


@pytest.mark.parametrize(
    "name", ["org/Llama-8B", "other/llama-8b@main", "/data/models/Llama-8B/", "x/Llama-8B-FP8", "Llama-8B-AWQ-INT4", "Llama-8B-GGUF"]
)
def test_a_model_is_known_by_name_whatever_its_folder_and_format(name: str) -> None:
    row = ArchitectureSupport("LlamaForCausalLM", "validated", models=("org/Llama-8B",))
    assert status(listing(row), **{**LLAMA, "model__id": name}) == "validated"


def test_a_generic_row_that_names_models_is_about_no_others() -> None:
    row = ArchitectureSupport("*", "listed", models=("org/Llama-8B",))
    assert status(listing(row), **LLAMA) == "listed"
    assert status(listing(row), **{**LLAMA, "model__id": "org/Else"}) == "absent"


def test_a_row_may_be_about_one_task() -> None:
    row = ArchitectureSupport("LlamaForCausalLM", "listed", tasks=("embedding",))
    assert status(listing(row), **LLAMA) == "absent"
    assert status(listing(row), **{**LLAMA, "arch__task": "embedding"}) == "listed"


def test_a_model_that_says_nothing_of_itself_is_unknown() -> None:
    assert status(listing(ArchitectureSupport("*", "fallback"))) == "unknown"
    assert status(listing(), arch__architectures=None) == "unknown"


def test_a_service_lists_what_it_offers() -> None:
    here = listing(hosted=True, hosted_models=("org/Llama-8B",))
    assert status(here, **LLAMA) == "listed"
    assert status(here, **{**LLAMA, "model__id": "org/Else"}) == "absent"
    facts = stack_facts(Target(CHIP, here), model(**LLAMA))
    assert facts.value("stack.hosted_model") is True
    assert isinstance(stack_facts(Target(CHIP, here), Facts())["stack.hosted_model"], Unknown)


def form(*rows: FormatSupport, complete: bool = True, **facts: Value | None) -> str:
    found = format_support(replace(stack(), formats=rows, formats_complete=complete), CHIP, model(**facts))
    return f"unknown: {found.reason}" if isinstance(found, Unknown) else found.status


def test_a_format_is_found_by_method_and_chip() -> None:
    rows = (FormatSupport("fp8", "native"), FormatSupport("fp8", "fallback", accelerators=("chip-2",)), FormatSupport("awq", "listed"))
    assert form(*rows, quant__method="fp8") == "fallback"
    assert form(*rows, quant__method="awq") == "listed"
    assert form(*rows, quant__method="gptq") == "absent"
    assert form(*rows, quant__method="gptq", complete=False) == "unlisted"
    assert form(*rows, quant__method=None).startswith("unknown")
    assert form(*rows).startswith("unknown")


def test_a_row_may_be_narrowed_by_what_is_stored() -> None:
    rows = (FormatSupport("gptq", "convert"), FormatSupport("gptq", "native", bits=(4.0,)))
    assert form(*rows, quant__method="gptq", quant__bits=4) == "native"
    assert form(*rows, quant__method="gptq", quant__bits=3) == "convert"
    assert form(*rows, quant__method="gptq", quant__bits=None) == "unknown: it depends on quant.bits, which is not known"
    dynamic = FormatSupport("fp8", "convert", activation_schemes=("dynamic",))
    assert form(dynamic, FormatSupport("fp8", "native"), quant__method="fp8") == "native", "a scheme that does not apply is not dynamic"
    assert form(dynamic, FormatSupport("fp8", "native"), quant__method="fp8", quant__activation_scheme="dynamic") == "convert"
    half = FormatSupport("none", "fallback", dtypes=("float16",))
    assert form(half, FormatSupport("none", "native"), quant__method="none", weights__dtype="float16") == "fallback"


def test_what_depends_on_an_unknown_row_is_unknown_too() -> None:
    facts = stack_facts(Target(CHIP, stack()), Facts())
    for name in ("architecture_status", "architecture_note", "format_status", "format_note", "format_work", "format_holds"):
        assert isinstance(facts[f"stack.{name}"], Unknown), name


def test_the_facts_of_a_target() -> None:
    here = listing(
        ArchitectureSupport("LlamaForCausalLM", "validated", note="tested"),
        limits={"max_head_dim": 128},
        formats=(FormatSupport("none", "native"), FormatSupport("awq", "convert", work="requantize"), FormatSupport("fp8", "fallback")),
    )
    facts = stack_facts(Target(CHIP, here), model(**LLAMA, quant__method="awq"))
    values = {name: fact.value for name, fact in facts.items() if isinstance(fact, Known)}
    assert values["accelerator.id"] == "chip-2"
    assert values["stack.max_head_dim"] == 128
    assert values["stack.architecture_note"] == "tested"
    assert values["stack.format_status"] == "convert"
    assert values["stack.format_work"] == "requantize"
    assert values["stack.quantization"] == ("none", "fp8") == loading_methods(here, CHIP)
    assert "accelerator.compute_capability" not in facts, "a fact of NVIDIA GPUs alone"
    assert "stack.hosted_model" not in facts
    unstated = stack_facts(Target(replace(CHIP, training=None, vendor="nvidia"), here), model(**LLAMA))
    assert isinstance(unstated["accelerator.training"], Unknown)
    assert isinstance(unstated["accelerator.compute_capability"], Unknown)

"""Write docs/facts.md: every fact with its type, unit, values and meaning, and the rules that read it.

    python -m tools.make_docs_facts [--check]

With --check nothing is written; the exit code says whether the file is current.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from auditor.catalog import load_catalog
from auditor.catalog.condition_parser import values_of
from auditor.catalog.model import Rule
from auditor.facts import CATALOGUE, FactSpec
from tools.page import write

TARGET = Path(__file__).resolve().parent.parent / "docs" / "facts.md"

INTRODUCTION = """\
<!-- Written by tools/make_docs_facts.py from auditor/facts.py and rules/. Do not edit. -->
# Facts

What a report, a rule or a policy may speak of. A fact is known, with its basis; or *unknown*, with the reason and what would settle
it; or it does not apply to the model, and then it is absent: a comparison with it is false. `auditor facts` prints this list.
"""

GROUPS = {
    "model": "The model and its files",
    "arch": "Architecture",
    "attention": "Attention",
    "moe": "Experts",
    "params": "Parameters",
    "weights": "Weights",
    "quant": "Quantization",
    "kv_cache": "Cache",
    "state": "Recurrent state",
    "repo": "Repository",
    "workload": "Workload",
    "accelerator": "Accelerator",
    "stack": "Stack",
    "fit": "Fit, from sizing",
    "audit": "All rows of an audit, for policies",
    "row": "One row of an audit, for policies",
}


def main() -> int:
    """Write the page, or say whether it is current."""
    return write(TARGET, render(), "make_docs_facts")


def render() -> str:
    """Return the page."""
    return "\n".join([INTRODUCTION, *_sections(load_catalog().rules)])


def _sections(rules: Iterable[Rule]) -> Iterator[str]:
    readers: dict[str, list[str]] = {}
    for rule in rules:
        for name in rule.when.reads():
            readers.setdefault(name, []).append(rule.id)
    groups: dict[str, list[FactSpec]] = {prefix: [] for prefix in GROUPS}
    for spec in CATALOGUE.values():
        groups[spec.name.partition(".")[0]].append(spec)
    for prefix, specs in groups.items():
        yield f"## {GROUPS[prefix]}\n"
        yield "| fact | type | meaning | rules that read it |\n| --- | --- | --- | --- |"
        yield from (_row(spec, readers.get(spec.name, [])) for spec in specs)
        yield ""


def _row(spec: FactSpec, rules: list[str]) -> str:
    kind = f"{spec.type}, {spec.unit}" if spec.unit else spec.type
    values = f" One of {', '.join(f'`{value}`' for value in values_of(spec))}." if values_of(spec) else ""
    links = ", ".join(f"[{rule}](rules.md#{rule})" for rule in rules)
    return f"| `{spec.name}` | {kind} | {spec.meaning}{values} | {links} |"


if __name__ == "__main__":
    sys.exit(main())

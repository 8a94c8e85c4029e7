"""Write docs/stacks.md: what the catalogue says of every serving stack, with its sources.

    python -m tools.make_docs_stacks [--check]

With --check nothing is written; the exit code says whether the file is current.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from auditor.catalog import load_catalog
from auditor.catalog.catalog import Catalog
from auditor.catalog.model import ArchitectureSupport, FormatSupport, Stack, StackFamily
from auditor.units import GIB
from tools.page import Citations, write

TARGET = Path(__file__).resolve().parent.parent / "docs" / "stacks.md"

INTRODUCTION = """\
<!-- Written by tools/make_docs_stacks.py from rules/stacks/. Do not edit. -->
# Stacks

What each serving stack supports and demands, as `rules/stacks/` has it. Numbers in brackets are [sources](#sources).

| status | of an architecture | verdict that follows |
| --- | --- | --- |
| validated | its vendor names the model, or all models of the class, among those tested | `native`, high confidence |
| listed | it has a class for it, and shows no test | `native`, medium confidence, and a few days to try it |
| fallback | a generic path, a plugin or an older release runs it | `native`, low confidence, or `config-change` |
| contributed | code exists on a branch, in an open pull request or in a folder of contributions | `needs-port`, the smaller port |
| absent | a complete list does not name it | `needs-port` |
| unlisted | a list that is not complete does not name it | `unknown` |
| blocked | the stack refuses it on the chip | `blocked` |
| unavailable | nobody outside can place a model there | no verdict; an availability |

Of a format: `native`; `validated` and `listed` as above; `fallback` loads without native speed (and may be held in another type); `convert`
asks for a conversion, named beside it; `unlisted` is unknown.
"""

#: Architectures named in a table before the rest is only counted: the registry of vLLM has three hundred.
SHOWN = 400


def main() -> int:
    """Write the page, or say whether it is current."""
    return write(TARGET, render(), "make_docs_stacks")


def render() -> str:
    """Return the whole page."""
    catalog = load_catalog()
    cited = Citations()
    parts = [INTRODUCTION, *_overview(catalog)]
    for family in catalog.families.values():
        parts += ["", *_datasheet(family, catalog, cited)]
    return "\n".join([*parts, "", *cited.list()]) + "\n"


def _overview(catalog: Catalog) -> Iterator[str]:
    titles = ["stack", "name", "state", "chips", "architectures", "list"]
    yield "| " + " | ".join(titles) + " |"
    yield "|" + " --- |" * len(titles)
    for stack in catalog.stacks.values():
        names = {row.architecture or row.model_type for row in stack.architectures}
        cells = [
            f"[{stack.id}](#{stack.id})",
            stack.name,
            stack.maturity,
            ", ".join(stack.accelerators),
            str(len(names)) if names != {"*"} else "–",
            "complete" if stack.architectures_complete else "not complete",
        ]
        yield "| " + " | ".join(cells) + " |"


def _datasheet(family: StackFamily, catalog: Catalog, cited: Citations) -> Iterator[str]:
    stack = family.stack
    yield f"## {stack.id}"
    yield ""
    also = f" Also called {', '.join(stack.aliases)}." if stack.aliases else ""
    ends = f" Support ends on {stack.end_of_life}." if stack.end_of_life else ""
    yield f"{stack.name}, version {stack.version}. **{stack.maturity}**.{ends}{also}"
    yield ""
    chips = [target.accelerator.id for target in catalog.targets if target.stack.id == stack.id]
    yield f"Runs on: {', '.join(chips)}."
    for name, variant in family.variants.items():
        yield ""
        yield f"On {name}: {_differences(stack, variant)}."
    yield ""
    yield from _architectures(stack, cited)
    yield from _formats(stack, cited)
    yield from _memory(stack, cited)
    yield from _rest(stack, cited)


def _differences(stack: Stack, variant: Stack) -> str:
    said = []
    if variant.maturity != stack.maturity:
        said.append(variant.maturity)
    if variant.version != stack.version:
        said.append(f"version {variant.version}")
    said += [note.rstrip(".") for note in variant.notes if note not in stack.notes]
    said += [
        f"another {part}"
        for part in ("memory", "parallelism", "efficiency", "limits", "features")
        if getattr(variant, part) != getattr(stack, part)
    ]
    return "; ".join(said) or "as elsewhere"


def _architectures(stack: Stack, cited: Citations) -> Iterator[str]:
    complete = "complete: what it does not name is absent" if stack.architectures_complete else "not complete"
    yield f"### Architectures of {stack.id}"
    yield ""
    yield f"The list is {complete}. {cited(stack.architecture_sources)}".rstrip()
    if stack.hosted:
        yield f"It is a service, which offers: {', '.join(stack.hosted_models) or 'nothing we read of'}."
    yield ""
    groups: dict[tuple[object, ...], list[ArchitectureSupport]] = {}
    for row in stack.architectures:
        groups.setdefault((row.status, row.models, row.accelerators, row.tasks, row.note, row.sources), []).append(row)
    if not groups:
        return
    yield "| status | architectures | models | chips | note | from |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for rows in groups.values():
        first = rows[0]
        names = [row.architecture or row.model_type for row in rows]
        shown = ", ".join("any" if name == "*" else name for name in names[:SHOWN])
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        tasks = f" ({', '.join(first.tasks)})" if first.tasks else ""
        cells = [
            first.status,
            shown + more + tasks,
            ", ".join(first.models),
            ", ".join(first.accelerators) or "all",
            first.note,
            cited(first.sources),
        ]
        yield "| " + " | ".join(cells) + " |"
    yield ""


def _formats(stack: Stack, cited: Citations) -> Iterator[str]:
    if not stack.formats:
        return
    yield f"### Formats of {stack.id}"
    yield ""
    yield "| status | quantization | only where | chips | held as | work | note | from |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    groups: dict[tuple[object, ...], list[FormatSupport]] = {}
    for row in stack.formats:
        narrowed = (row.bits, row.weight_formats, row.activation_schemes, row.dtypes)
        groups.setdefault((row.status, row.accelerators, row.holds, row.work, row.note, row.sources, narrowed), []).append(row)
    for rows in groups.values():
        first = rows[0]
        where = [str(value) for part in (first.bits, first.weight_formats, first.activation_schemes, first.dtypes) for value in part]
        cells = [
            first.status,
            ", ".join(row.method for row in rows),
            ", ".join(where),
            ", ".join(first.accelerators) or "all",
            "" if first.holds == "as-stored" else first.holds,
            first.work,
            first.note,
            cited(first.sources),
        ]
        yield "| " + " | ".join(cells) + " |"
    yield ""


def _memory(stack: Stack, cited: Citations) -> Iterator[str]:
    if stack.memory is None or stack.parallelism is None:
        yield "Placements are not computed: no memory model is published."
        yield ""
        return
    yield f"### Memory and layouts of {stack.id}"
    yield ""
    yield "| figure | value | confidence | from | note |"
    yield "| --- | --- | --- | --- | --- |"
    for name, figure in stack.figures.items():
        if figure.value is None:
            shown = "–"
        elif figure.unit == "bytes":
            shown = f"{figure.value / GIB:,.2f} GiB"
        else:
            shown = f"{figure.value:,g}{f' {figure.unit}' if figure.unit else ''}"
        yield f"| {name} | {shown} | {figure.confidence} | {cited(figure.sources)} | {figure.note} |"
    layout = stack.parallelism
    demands = [
        text
        for holds, text in (
            (layout.heads_divisible, "heads divide by the degree"),
            (layout.heads_per_rank_even, "an even number of heads on each rank"),
            (layout.kv_heads_replicate, "key/value heads are replicated beyond their number"),
            (layout.intermediate_divisible, "the feed-forward width divides by the degree"),
            (layout.pipeline_parallel, "pipeline parallelism"),
            (layout.expert_parallel, "expert parallelism"),
            (layout.multi_node, "several nodes"),
        )
        if holds
    ]
    yield ""
    degrees = ", ".join(str(degree) for degree in layout.tensor_parallel)
    yield f"Tensor-parallel degrees tried: {degrees} ranks. {'; '.join(demands).capitalize()}. {cited(stack.parallelism_sources)}".rstrip()
    yield ""


def _rest(stack: Stack, cited: Citations) -> Iterator[str]:
    if stack.features or stack.unsupported_features:
        lacking = f" It lacks: {', '.join(stack.unsupported_features)}." if stack.unsupported_features else ""
        yield f"Features: {', '.join(stack.features) or 'none named'}.{lacking} {cited(stack.feature_sources)}".rstrip()
        yield ""
    for name, limit in stack.limits.items():
        shown = ", ".join(str(part) for part in limit) if isinstance(limit, tuple) else f"{limit:,}"
        yield f"- `stack.{name}`: {shown}"
    if stack.limits:
        yield ""
    if stack.launch:
        yield f"    {stack.launch}"
        yield ""
    for note in stack.notes:
        yield f"- {note}"
    if stack.notes:
        yield ""


if __name__ == "__main__":
    sys.exit(main())

"""The whole arithmetic of an audit's rows, for a terminal or a ticket."""

import textwrap
from collections.abc import Callable, Iterator

from auditor.report import View, heading
from auditor.report.audit_markdown import escape
from auditor.report.story import Chapter, steps
from auditor.report.style import paint
from auditor.results import Audit


def text(audit: Audit, view: View) -> str:
    """Return the explanation for a terminal."""
    lines: list[str] = []
    for title, chapters in _stories(audit):
        lines += [paint(title, "strong", color=view.color), ""]
        for chapter in chapters:
            lines.append(paint(chapter.title, "strong", color=view.color))
            for step in chapter.steps:
                lines += _wrap(f"{step.name}: {step.value}" if step.value else step.name, view, "  ")
                lines += _wrap(step.how, view, "      ") if step.how else []
                for source in step.sources:
                    lines += _wrap(
                        f"[{source.as_of}] {source.title}{', ' + source.where if source.where else ''}: {source.ref}", view, "      "
                    )
            lines.append("")
    return "\n".join(lines)


def markdown(audit: Audit, view: View) -> str:  # noqa: ARG001  # every format has one signature
    """Return the explanation as Markdown, for a ticket."""
    lines: list[str] = []
    for title, chapters in _stories(audit):
        lines += [f"# {escape(title)}", ""]
        for chapter in chapters:
            lines += [f"## {escape(chapter.title)}", ""]
            for step in chapter.steps:
                lines.append(f"- {escape(step.name)}{': **' + escape(step.value) + '**' if step.value else ''}")
                lines += [f"  - {escape(step.how)}"] if step.how else []
                lines += [f"  - {escape(s.title)}{', ' + escape(s.where) if s.where else ''}, {s.as_of}: <{s.ref}>" for s in step.sources]
            lines.append("")
    return "\n".join(lines)


#: Ways to print an explanation.
EXPLANATIONS: dict[str, Callable[[Audit, View], str]] = {"text": text, "markdown": markdown}


def _wrap(line: str, view: View, indent: str) -> list[str]:
    return textwrap.wrap(
        line, view.width, initial_indent=indent, subsequent_indent=f"{indent}  ", break_long_words=False, break_on_hyphens=False
    )


def _stories(audit: Audit) -> Iterator[tuple[str, list[Chapter]]]:
    for model in audit.models:
        for row in model.rows:
            chip, stack = row.target.accelerator, row.target.stack
            yield f"{heading.name(model.inspection)} on {chip.name} with {stack.name} {stack.version}".rstrip(), steps(model, row)

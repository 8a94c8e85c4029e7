"""The whole arithmetic of an audit's rows, for a terminal or a ticket."""

import textwrap
from collections.abc import Callable, Iterator

from auditor.report import View, heading
from auditor.report.arrange import best_first
from auditor.report.audit_markdown import escape, source_line
from auditor.report.citations import Citations
from auditor.report.story import Chapter, steps
from auditor.report.style import paint
from auditor.results import Audit


def text(audit: Audit, view: View) -> str:
    """Return the explanation for a terminal: sources by number, listed at its end."""
    lines: list[str] = []
    for title, chapters in _stories(audit):
        citations = Citations()
        lines += [paint(title, "strong", color=view.color), ""]
        for chapter in chapters:
            lines.append(paint(chapter.title, "strong", color=view.color))
            for step in chapter.steps:
                said = f"{step.name}: {step.value}" if step.value else step.name
                lines += _wrap(f"{said}{citations.cite(step.sources)}", view, "  ")
                for line in step.how.splitlines():
                    lines += _wrap(line, view, "      ")
            lines.append("")
        lines += [paint("Sources", "strong", color=view.color), *citations.lines(view), ""]
    return "\n".join(lines)


def markdown(audit: Audit, view: View) -> str:  # noqa: ARG001  # every format has one signature
    """Return the explanation as Markdown, for a ticket."""
    lines: list[str] = []
    for title, chapters in _stories(audit):
        citations = Citations()
        lines += [f"# {escape(title)}", ""]
        for chapter in chapters:
            lines += [f"## {escape(chapter.title)}", ""]
            for step in chapter.steps:
                value = f": **{escape(step.value)}**" if step.value else ""
                lines.append(f"- {escape(step.name)}{value}{escape(citations.cite(step.sources))}")
                lines += [f"  - {escape(line)}" for line in step.how.splitlines()]
            lines.append("")
        lines += ["## Sources", "", *(f"{number}. {source_line(source)}" for number, source in enumerate(citations.sources, 1)), ""]
    return "\n".join(lines)


#: Ways to print an explanation.
EXPLANATIONS: dict[str, Callable[[Audit, View], str]] = {"text": text, "markdown": markdown}


def _wrap(line: str, view: View, indent: str) -> list[str]:
    return textwrap.wrap(
        line, view.width, initial_indent=indent, subsequent_indent=f"{indent}  ", break_long_words=False, break_on_hyphens=False
    )


def _stories(audit: Audit) -> Iterator[tuple[str, list[Chapter]]]:
    for model in audit.models:
        for row in best_first(model.rows, model.workload.current_stack):
            chip, stack = row.target.accelerator, row.target.stack
            yield f"{heading.name(model.inspection)} on {chip.name} with {stack.name} {stack.version}".rstrip(), steps(model, row)

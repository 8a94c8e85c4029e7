"""The commands about rules: list, show, check, test, new."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from auditor.cli import exits
from auditor.cli.flags import ListOut, Screen, command
from auditor.cli.showing import Rules, view
from auditor.errors import ReportError, WorkloadError

RuleId = Annotated[str, typer.Argument(metavar="ID", help="Id of a rule.")]
Packs = Annotated[
    list[Path] | None, typer.Argument(metavar="DIR...", help="Rules of your own, beside the shipped ones.", show_default=False)
]


@command
def list_rules(
    *,
    on: Annotated[
        list[str] | None, typer.Option(metavar="ACCELERATOR[/STACK]", help="Only rules about this one. Repeatable.", show_default=False)
    ] = None,
    rules: Rules = None,
    out: ListOut,
    screen: Screen,
) -> None:
    """List every rule."""
    from auditor.cli.auditing import open_catalog  # noqa: PLC0415  # reads all of rules/
    from auditor.report import rule_list  # noqa: PLC0415

    catalog = open_catalog(rules)
    targets = catalog.find_targets(on) if on else ()
    chosen = [rule for rule in catalog.rules if not on or any(rule.covers(target) for target in targets)]
    text = rule_list.list_json(chosen) if out.format == "json" else rule_list.list_table(chosen, view(out.output, screen))
    screen.terminal.report(text, out.output)


@command
def show_rule(rule: RuleId, *, rules: Rules = None, out: ListOut, screen: Screen) -> None:
    """Show one rule with its sources and tests."""
    from auditor._shipped import ROOT, RULES  # noqa: PLC0415
    from auditor.cli.auditing import open_catalog  # noqa: PLC0415  # reads all of rules/
    from auditor.report import rule_list  # noqa: PLC0415
    from auditor.rules.testing import load_cases  # noqa: PLC0415

    found = open_catalog(rules).rule(rule)
    cases = [case for case in load_cases((RULES, *(rules or ()))) if case.rule == rule]
    if out.format == "json":
        text = rule_list.rule_json(found, cases)
    else:
        path = ROOT / found.file if found.shipped else Path(found.file)
        text = rule_list.rule_table(found, _as_it_stands(path, found.line), cases, view(out.output, screen))
    screen.terminal.report(text, out.output)


def _as_it_stands(path: Path, line: int) -> str:
    """Return the lines of the list item that begins on ``line``: up to the next line that is indented no deeper."""
    lines = path.read_text(encoding="utf-8").splitlines()[line - 1 :]
    depth = len(lines[0]) - len(lines[0].lstrip())
    end = next((i for i, text in enumerate(lines[1:], 1) if text.strip() and len(text) - len(text.lstrip()) <= depth), len(lines))
    return "\n".join(lines[:end])


@command
def check_rules(
    packs: Packs = None,
    *,
    stale_after: Annotated[
        str | None, typer.Option(metavar="DAYSd", help="Report sources older than this, such as 180d.", show_default=False)
    ] = None,
    today: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", hidden=True)] = None,
    screen: Screen,
) -> None:
    """Check the rule files.

    Everything that can be found wrong without a model: what does not load, rules that can never fire, sources that
    nobody cites or that are old, rules without tests. Warnings leave the exit code at 0.
    """
    from auditor.rules.check import check_rules as check  # noqa: PLC0415  # reads all of rules/

    day = date.fromisoformat(today) if today else date.today()  # noqa: DTZ011  # the reader's own day
    problems = check(packs or (), today=day, stale_after=_days(stale_after))
    errors = sum(problem.level == "error" for problem in problems)
    lines = [f"{problem.level}: {problem.message}" for problem in problems]
    lines.append(f"{errors} errors, {len(problems) - errors} warnings")
    screen.terminal.report("".join(f"{line}\n" for line in lines), None)
    raise typer.Exit(exits.INCOMPLETE if errors else exits.OK)


def _days(text: str | None) -> int | None:
    if text is None:
        return None
    number = text.removesuffix("d")
    if not number.isdecimal():
        raise WorkloadError(f"--stale-after {text} is no number of days", "write it as 180d")
    return int(number)


@command
def run_tests(
    packs: Packs = None,
    *,
    only: Annotated[
        str | None, typer.Option("-k", metavar="TEXT", help="Only cases of rules with this in their id.", show_default=False)
    ] = None,
    own: Annotated[bool, typer.Option("--own", help="Only the tests of your own folders, not the shipped ones.")] = False,
    fixtures: Annotated[Path | None, typer.Option(metavar="DIR", help="Snapshots that cases name as models.", show_default=False)] = None,
    out: ListOut,
    screen: Screen,
) -> None:
    """Run the tests that stand beside the rules."""
    from auditor._shipped import ROOT, RULES  # noqa: PLC0415
    from auditor.cli.auditing import open_catalog  # noqa: PLC0415  # reads all of rules/
    from auditor.fixtures import fixture_looker  # noqa: PLC0415
    from auditor.report import rule_list  # noqa: PLC0415
    from auditor.rules.testing import load_cases, run_cases  # noqa: PLC0415

    catalog = open_catalog(packs)
    folders = (*(packs or ()),) if own else (RULES, *(packs or ()))
    cases = [case for case in load_cases(folders) if only is None or only in (case.rule or "")]
    if not cases and own and only is None:
        screen.terminal.note("the rules load; no tests stand beside them")
        return
    if not cases:
        screen.terminal.error(f"auditor: no case is about {only!r}")
        raise typer.Exit(exits.NOTHING)
    outcomes = run_cases(cases, catalog, fixture_looker(fixtures or ROOT / "fixtures", catalog))
    screen.terminal.report(rule_list.outcomes_json(outcomes) if out.format == "json" else rule_list.outcomes_table(outcomes), out.output)
    raise typer.Exit(exits.OK if all(one.passed for one in outcomes) else exits.INCOMPLETE)


@command
def new_rule(
    rule: RuleId,
    *,
    folder: Annotated[Path, typer.Option("--to", metavar="DIR", help="Folder to write to.")] = Path(),
    stack: Annotated[str | None, typer.Option(help="The stack that the rule is about.", show_default=False)] = None,
    today: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", hidden=True)] = None,
    screen: Screen,
) -> None:
    """Write the starting files of a new rule and its tests."""
    from auditor.cli.auditing import open_catalog  # noqa: PLC0415  # reads all of rules/
    from auditor.rules.template import new_rule as template  # noqa: PLC0415

    day = today or date.today().isoformat()  # noqa: DTZ011  # the reader's own day
    files = template(rule, open_catalog(None), stack=stack, today=day)
    for name in files:
        if (folder / name).exists():
            raise ReportError(f"{folder / name} is there already", "choose another id or another --to")
    for name, text in files.items():
        screen.terminal.report(text, folder / name)
        screen.terminal.note(f"wrote {folder / name}")

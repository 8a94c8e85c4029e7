"""Options, each declared once, in groups that commands take whole.

A command lists a group as a parameter (``source: Source``); ``command`` gives Typer the group's fields as options and
the command the filled group. It is also the one place where an error becomes a line on stderr and an exit code.
"""

import copy
import functools
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from auditor.cli import exits
from auditor.cli.terminal import Terminal
from auditor.errors import AuditorError, ConfigError, WorkloadError
from auditor.report import FORMATS, INSPECTION_FORMATS

if TYPE_CHECKING:
    from auditor.configuration import Configuration

PRICE_TERMS = ("on-demand", "spot", "reserved-1y", "reserved-3y", "capacity-block")
EXPERIENCE = ("new", "some", "migrated")


class Group:
    """Options that belong together: annotated fields, each with its default.

    No dataclass, which takes 2 ms per group to make: `--help` is to be quick.
    """

    settled: frozenset[str] = frozenset()
    """Options whose value a settings file gave; no option."""

    def __init__(self, **values: Any) -> None:
        vars(self).update(values)

    @classmethod
    def fields(cls) -> dict[str, Any]:
        """Return the annotation of each option; what has no details is none."""
        return {name: annotation for name, annotation in cls.__annotations__.items() if hasattr(annotation, "__metadata__")}


def one_of(*names: str) -> Callable[[str], str]:
    """Return a check that an option's value is one of ``names``, with a suggestion for a near miss."""

    def check(value: str) -> str:
        if value not in names:
            import difflib  # noqa: PLC0415  # only for a mistake

            near = difflib.get_close_matches(value, names, 1)
            meant = f"did you mean {near[0]!r}? " if near else ""
            raise typer.BadParameter(f"{value!r} is none of these; {meant}choose from {', '.join(names)}")
        return value

    return check


def finite(value: float | None) -> float | None:
    """Check an option's number: neither infinite nor none at all, which pass every range."""
    if value is not None and not -1e15 <= value <= 1e15:
        raise typer.BadParameter(f"{value} is no number to reckon with")
    return value


def _format(*names: str) -> Any:
    return typer.Option("--format", "-f", metavar="|".join(names), callback=one_of(*names), help="Format of the report.")


Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the report here.", show_default=False)]
Targets = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="TARGET...",
        help="A folder, a config.json, a .gguf or .safetensors file, a Hub id org/name[@revision], an object-store URL, "
        "or a saved snapshot.",
        show_default=False,
    ),
]
OneTarget = Annotated[str, typer.Argument(metavar="TARGET", help="A model, in any form that `auditor audit` takes.")]


class Screen(Group):
    """How much is said, and how."""

    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing on stderr but errors.")] = False
    verbose: Annotated[int, typer.Option("--verbose", "-v", count=True, help="Say more on stderr.", show_default=False)] = 0
    color: Annotated[
        str, typer.Option(metavar="auto|always|never", callback=one_of("auto", "always", "never"), help="Colour the table.")
    ] = "auto"
    traceback: Annotated[bool, typer.Option("--traceback", help="On an unexpected error show the traceback.")] = False

    @property
    def terminal(self) -> Terminal:
        """The streams, at the verbosity asked for."""
        return Terminal(0 if self.quiet else 1 + self.verbose)


class Source(Group):
    """Where a model comes from."""

    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit of a Hub model.", show_default=False)] = None
    token: Annotated[str | None, typer.Option(help="Hub access token.", envvar="HF_TOKEN", show_default=False, show_envvar=True)] = None
    offline: Annotated[bool, typer.Option("--offline", help="Read what is on this machine; never ask the network.")] = False
    variant: Annotated[str | None, typer.Option(help="Variant of the weights, such as fp16 or Q4_K_M.", show_default=False)] = None


class Config(Group):
    """Where settings come from: a file, unless the command line or the environment (AUDITOR_<OPTION>) say otherwise."""

    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Read settings from this file alone, not from one found.", show_default=False)
    ] = None
    no_config: Annotated[bool, typer.Option("--no-config", help="Read no settings file.")] = False

    found: "Configuration | None" = None
    """What was read; no option."""


class Demands(Group):
    """What models are held to."""

    policy: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Check against this policy too. Repeatable.", show_default=False)
    ] = None


class Load(Group):
    """What the model is asked to do. None leaves the default of the model's kind."""

    workload: Annotated[Path | None, typer.Option(metavar="FILE", help="Workload file; options override it.", show_default=False)] = None
    context: Annotated[int | None, typer.Option(min=1, help="Tokens per sequence that memory is sized for.", show_default=False)] = None
    concurrency: Annotated[int | None, typer.Option(min=1, help="Sequences served at once.", show_default=False)] = None
    input_tokens: Annotated[int | None, typer.Option(min=1, help="Prompt tokens of a request.", show_default=False)] = None
    output_tokens: Annotated[int | None, typer.Option(min=1, help="Generated tokens of a request.", show_default=False)] = None
    kv_dtype: Annotated[str | None, typer.Option(help="Type of the cache, such as bfloat16 or fp8.", show_default=False)] = None
    tokens_per_day: Annotated[
        float | None, typer.Option(min=0, callback=finite, help="Generated tokens per day; break-even needs it.", show_default=False)
    ] = None

    tokens_per_s: Annotated[
        float | None,
        typer.Option(min=0, callback=finite, help="Generated tokens per second to reach, with copies where needed.", show_default=False),
    ] = None
    lora_adapters: Annotated[int | None, typer.Option(min=1, help="LoRA adapters loaded at once.", show_default=False)] = None
    lora_rank: Annotated[int | None, typer.Option(min=1, help="Largest rank of a LoRA adapter.", show_default=False)] = None

    configured: Mapping[str, Any] = MappingProxyType({})
    """Fields of the workload that a settings file gives; no option."""


class Team(Group):
    """Who does the work."""

    experience: Annotated[
        str, typer.Option(metavar="|".join(EXPERIENCE), callback=one_of(*EXPERIENCE), help="The team's experience with the new stack.")
    ] = "some"
    ai_assist: Annotated[bool, typer.Option("--ai-assist", help="Count ports as written with the help of coding agents.")] = False
    regulated: Annotated[bool, typer.Option("--regulated", help="Count accuracy checks as a regulated business does them.")] = False
    effort: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Your own weeks of each work item, in place of the shipped ones.", show_default=False),
    ] = None


class Money(Group):
    """Prices and people."""

    price: Annotated[
        list[str] | None,
        typer.Option(metavar="ACCELERATOR=USD", help="Your price per device-hour. Repeatable.", show_default=False),
    ] = None
    price_term: Annotated[
        str, typer.Option(metavar="TERM", callback=one_of(*PRICE_TERMS), help=f"Which published price: {', '.join(PRICE_TERMS)}.")
    ] = "on-demand"
    weekly_rate: Annotated[
        float | None, typer.Option(min=0, callback=finite, help="Cost of one engineer-week, USD.", show_default=False)
    ] = None
    people: Annotated[int, typer.Option(min=1, help="Engineers paid for each week of effort.")] = 1
    horizon_months: Annotated[float, typer.Option(min=1, callback=finite, help="Months within which a migration is to pay for itself.")] = (
        24.0
    )
    baseline: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What `auditor baseline` measured, or a benchmark's result file.", show_default=False),
    ] = None


class Against(Group):
    """Which accelerators, and which layout on them."""

    on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ACCELERATOR[/STACK[@RELEASE]]",
            help="Audit against this one only; @RELEASE divides memory as that release of the stack did. Repeatable.",
            show_default=False,
        ),
    ] = None
    rules: Annotated[
        list[Path] | None, typer.Option(metavar="DIR", help="Rules to add to the shipped ones. Repeatable.", show_default=False)
    ] = None
    devices: Annotated[int | None, typer.Option(min=1, help="Exactly this many devices.", show_default=False)] = None
    tensor_parallel: Annotated[int | None, typer.Option(min=1, help="Exactly this tensor-parallel degree.", show_default=False)] = None
    memory_fraction: Annotated[
        float | None, typer.Option(min=0.05, max=1.0, callback=finite, help="Share of device memory to plan with.", show_default=False)
    ] = None
    draft: Annotated[
        str | None, typer.Option(metavar="TARGET", help="Draft model that is served beside the model.", show_default=False)
    ] = None
    alternatives: Annotated[
        bool, typer.Option("--alternatives", help="Look for the cheapest layout and other types of the weights too (JSON).")
    ] = False


class Out(Group):
    """Where an audit's report goes, and in which format."""

    format: Annotated[str, _format(*FORMATS)] = "table"
    output: Output = None
    everything: Annotated[bool, typer.Option("--all", help="Show every row and finding, however long the table.")] = False


class InspectionOut(Group):
    """Where an inspection goes, and in which format."""

    format: Annotated[str, _format(*INSPECTION_FORMATS)] = "table"
    output: Output = None


class ExplanationOut(Group):
    """Where an explanation goes, and in which format."""

    format: Annotated[str, _format("text", "markdown")] = "text"
    output: Output = None


class ComparisonOut(Group):
    """Where a comparison goes, and in which format."""

    format: Annotated[str, _format("table", "markdown", "json")] = "table"
    output: Output = None


class ListOut(Group):
    """Where a listing goes, and in which format."""

    format: Annotated[str, _format("table", "json")] = "table"
    output: Output = None


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Return ``function`` as Typer wants it: groups spread into options, errors turned into a line and an exit code."""
    parameters: list[inspect.Parameter] = []
    groups: dict[str, type[Group]] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        kind = parameter.annotation
        if isinstance(kind, type) and issubclass(kind, Group):
            groups[name] = kind
            parameters += [_option(kind, field) for field in kind.fields()]
        else:
            parameters.append(parameter.replace(annotation=_with_environment(name, kind)))
    if Config in groups.values():
        # Only its context knows which options were given.
        parameters.append(inspect.Parameter("typer_context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context))

    @functools.wraps(function)
    def run(**given: Any) -> None:
        traceback = given.get("traceback", False)
        context = given.pop("typer_context", None)
        filled = {name: group(**{field: given.pop(field) for field in group.fields()}) for name, group in groups.items()}
        try:
            for group in filled.values():
                if isinstance(group, Config):
                    from auditor.cli.configuring import configure  # noqa: PLC0415  # it knows these groups

                    configure(context, group, filled, given)
            function(**given, **filled)
        except AuditorError as error:
            Terminal.error(f"auditor: {error}")
            raise typer.Exit(exits.USAGE if isinstance(error, WorkloadError | ConfigError) else exits.INCOMPLETE) from None
        except typer.Exit:
            raise
        except Exception as error:
            if traceback:
                raise
            _fault(error)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what Typer reads
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _option(group: type[Group], field: str) -> inspect.Parameter:
    annotation = _with_environment(field, group.fields()[field])
    return inspect.Parameter(field, inspect.Parameter.KEYWORD_ONLY, default=getattr(group, field), annotation=annotation)


def _with_environment(name: str, annotation: Any) -> Any:
    """Return the annotation of an option with the variable that gives it too: AUDITOR_ and its name."""
    detail = next(iter(getattr(annotation, "__metadata__", ())), None)
    if not isinstance(detail, typer.models.OptionInfo) or detail.envvar or detail.hidden:
        return annotation
    option = copy.copy(detail)
    option.envvar = f"AUDITOR_{_long_name(name, option).replace('-', '_').upper()}"
    option.show_envvar = False
    return Annotated[annotation.__origin__, option]


def _long_name(name: str, option: typer.models.OptionInfo) -> str:
    """Return what the option is called on the command line, without its dashes."""
    declared = (option.default, *(option.param_decls or ()))  # of an annotation, Typer takes the first name for a default
    return next((text.removeprefix("--") for text in declared if isinstance(text, str) and text.startswith("--")), name)


def unexpected(error: Exception) -> str:
    """Return the sentence for an error that nobody foresaw."""
    return f"unexpected {type(error).__name__}: {error}; this is a fault of auditor: report it with the output of --traceback"


def _fault(error: Exception) -> NoReturn:
    Terminal.error(f"auditor: {unexpected(error)}")
    raise typer.Exit(exits.INCOMPLETE) from None

"""The command that measures what a server does today."""

import time
from pathlib import Path
from typing import Annotated

import typer

from auditor.cli.flags import Screen, command


@command
def baseline(
    source: Annotated[str, typer.Argument(metavar="FILE|URL", help="A benchmark's result file, or the address of a live server.")],
    *,
    seconds: Annotated[float, typer.Option(min=1, max=86400, help="How long a live server is watched.")] = 60.0,
    watts: Annotated[float | None, typer.Option(min=0.001, help="Power of its devices, for tokens per joule.", show_default=False)] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write the baseline here, for `audit --baseline`.", show_default=False),
    ] = None,
    screen: Screen,
) -> None:
    """Measure a baseline: tokens per second at the real mix of requests.

    Reads results of vllm bench serve, SGLang's bench_serving and GuideLLM, or samples the /metrics of vLLM, SGLang or TGI.
    """
    from auditor.baseline import dump, load, sample  # noqa: PLC0415
    from auditor.endpoint import Endpoint  # noqa: PLC0415

    terminal = screen.terminal
    if source.startswith(("http://", "https://")):
        terminal.note(f"watching {source} for {seconds:.0f} s", 1)
        found = sample(Endpoint(source.removesuffix("/metrics")), seconds, clock=time.monotonic, sleep=time.sleep, watts=watts)
    else:
        found = load(Path(source), watts=watts)
    terminal.report(dump(found), output)

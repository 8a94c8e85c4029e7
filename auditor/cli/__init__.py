"""The command line: the only place that knows Typer, exit codes, the environment, the clock and the terminal."""


def main() -> None:
    """Run the command that the process was started with."""
    from auditor.cli.app import app  # noqa: PLC0415  # importing a helper of this package should not import Typer

    app()

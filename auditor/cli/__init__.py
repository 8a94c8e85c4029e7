"""The command line: the only place that knows Typer, exit codes, the environment, the clock and the terminal."""


def main() -> None:
    """Run the command that the process was started with."""
    import os  # noqa: PLC0415  # importing a helper of this package should cost nothing
    import sys  # noqa: PLC0415

    from auditor.cli.registry import build  # noqa: PLC0415

    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    completing = any(name.endswith("AUDITOR_COMPLETE") for name in os.environ)  # the shell asks for everything
    build(None if completing else words[0] if words else "")()

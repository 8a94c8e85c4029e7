"""What is written where: the report to stdout or a file, everything else to stderr."""

import contextlib
import os
import re
import sys
from pathlib import Path

from auditor.errors import ReportError

#: Characters that do something to a terminal; of escape sequences our own, which set a colour, may stay.
_CONTROL = re.compile("\x1b(?!\\[[0-9]{1,2}m)|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]")


class Terminal:
    """The two streams of one run, and how much is said on the second."""

    def __init__(self, verbosity: int = 1) -> None:
        self.verbosity = verbosity
        """0 quiet, 1 as usual, 2 and more for detail."""

    def note(self, text: str, level: int = 1) -> None:
        """Write one line to stderr, if that much was asked for."""
        if self.verbosity >= level:
            self.error(text)

    @staticmethod
    def error(text: str) -> None:
        """Write one line to stderr, always."""
        with contextlib.suppress(OSError, ValueError):  # nobody listens on stderr: the exit code still speaks
            sys.stderr.write(harmless(" ".join(text.splitlines())) + "\n")

    @staticmethod
    def report(text: str, output: Path | None) -> None:
        """Write a report whole: to ``output``, or to stdout. Raises ReportError when the file cannot be written."""
        if output is not None:
            _write_file(text, output)
            return
        encoding = sys.stdout.encoding or "utf-8"
        try:
            sys.stdout.write(harmless(text).encode(encoding, errors="replace").decode(encoding))
            sys.stdout.flush()
        except BrokenPipeError:
            # The reader has seen enough. Without this, the interpreter complains once more when it closes stdout.
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def harmless(text: str) -> str:
    """Return ``text`` without what a model's own words could do to a terminal."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def _write_file(text: str, output: Path) -> None:
    path = output.resolve()  # a link keeps pointing where it points
    try:
        if path.exists() and not path.is_file():  # a pipe or a device is written to, never replaced
            path.write_text(text, encoding="utf-8", errors="replace", newline="\n")
            return
        beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            beside.write_text(text, encoding="utf-8", errors="replace", newline="\n")
            if path.exists():
                beside.chmod(path.stat().st_mode & 0o777)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise ReportError(f"{output} cannot be written: {error.strerror or error}", "choose another --output") from None


def wants_color(choice: str, output: Path | None) -> bool:
    """Return whether to colour: ``--color`` beats NO_COLOR, which beats FORCE_COLOR, which beats what stdout is."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if output is not None:
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def width(output: Path | None) -> int:
    """Return the columns of the terminal, or 80 where there is none (COLUMNS overrides)."""
    import shutil  # noqa: PLC0415  # only where a table is drawn

    if output is not None and not os.environ.get("COLUMNS"):
        return 80
    return max(shutil.get_terminal_size((80, 24)).columns, 40)

"""What the generated pages share: numbered sources, and a main that writes a page or says whether it is current."""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

from auditor.catalog.model import Source


def write(target: Path, text: str, tool: str) -> int:
    """Write ``text`` to ``target``, or with ``--check`` only say whether it is current; return the exit code."""
    parser = argparse.ArgumentParser(description=f"Write {target.name}.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the page is not current")
    if parser.parse_args().check:
        current = target.is_file() and target.read_text(encoding="utf-8") == text
        print(f"{target.name} is {'current' if current else f'out of date: run python -m tools.{tool}'}")
        return 0 if current else 1
    target.write_text(text, encoding="utf-8", newline="\n")
    return 0


class Citations:
    """Numbers the sources in the order in which a page cites them."""

    def __init__(self) -> None:
        self._numbers: dict[Source, int] = {}

    def __call__(self, sources: Iterable[Source]) -> str:
        """Return the numbers of ``sources``, as ``[3, 17]``, or nothing where there are none."""
        numbers = [str(self._numbers.setdefault(source, len(self._numbers) + 1)) for source in sources]
        return f"[{', '.join(numbers)}]" if numbers else ""

    def list(self) -> Iterator[str]:
        """Return the section that says what the numbers stand for."""
        yield "## Sources"
        yield ""
        for source, number in self._numbers.items():
            place = f"<{source.ref}>" if source.ref.startswith("http") else f"`{source.ref}`"
            where = f", {source.where}" if source.where else ""
            yield f"{number}. {source.title}{where}. {place} ({source.as_of})"

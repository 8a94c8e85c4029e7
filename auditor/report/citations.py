"""Sources by number: what a page cites once and lists at its end."""

import textwrap
from collections.abc import Iterator, Sequence

from auditor.catalog.model import Source
from auditor.report import View


class Citations:
    """Numbers sources in the order in which they are cited."""

    def __init__(self) -> None:
        self._numbers: dict[Source, int] = {}

    def cite(self, sources: Sequence[Source]) -> str:
        """Return `` [1, 2]``; empty where there is no source."""
        numbers = [str(self._numbers.setdefault(source, len(self._numbers) + 1)) for source in sources]
        return f" [{', '.join(numbers)}]" if numbers else ""

    @property
    def sources(self) -> list[Source]:
        """The sources that were cited, in order."""
        return list(self._numbers)

    def lines(self, view: View) -> Iterator[str]:
        """Yield the list of sources for a terminal."""
        for source, number in self._numbers.items():
            where = f", {source.where}" if source.where else ""
            yield from textwrap.wrap(
                f"[{number}] {source.title}{where} ({source.as_of}): {source.ref}",
                view.width,
                initial_indent="  ",
                subsequent_indent="      ",
                break_long_words=False,
                break_on_hyphens=False,
            )

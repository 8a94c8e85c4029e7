"""Colour on a terminal: which word gets which, in one place."""

_CODES = {
    "native": "32",
    "config-change": "36",
    "needs-port": "33",
    "note": "2",
    "blocked": "31",
    "unknown": "35",
    "out-of-reach": "31",
    "strong": "1",
    "faint": "2",
}


def paint(text: str, kind: str, *, color: bool) -> str:
    """Return ``text`` in the colour of ``kind`` (a verdict, ``strong`` or ``faint``), or as it is."""
    return f"\x1b[{_CODES[kind]}m{text}\x1b[0m" if color and text else text

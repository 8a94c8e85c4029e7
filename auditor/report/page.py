"""The frame of a page that needs nothing else: no script, no font, no image from elsewhere."""

from html import escape
from pathlib import Path

_STYLE = Path(__file__).with_name("page.css")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(title: str, body: str, foot: str) -> str:
    """Return a whole page around ``body``, which is HTML; ``title`` and ``foot`` are text."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{escape(title)}</title>
<style>
{_STYLE.read_text(encoding="utf-8")}</style>
</head>
<body>
<h1>{escape(title)}</h1>
{body}
<p class="faint">{escape(foot)}</p>
</body>
</html>
"""

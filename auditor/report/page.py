"""The frame of a page that needs nothing else: no script, no font, no image from elsewhere."""

from html import escape

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.45 system-ui, sans-serif; }
body { max-width: 78rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
.wide { overflow-x: auto; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8884; vertical-align: top; }
td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
tbody th { padding-top: 1rem; }
.native { color: #1a7f37; } .config-change { color: #0969da; } .needs-port { color: #9a6700; }
.blocked, .out-of-reach { color: #cf222e; } .unknown { color: #8250df; }
@media (prefers-color-scheme: dark) {
  .native { color: #3fb950; } .config-change { color: #58a6ff; } .needs-port { color: #d29922; }
  .blocked, .out-of-reach { color: #ff7b72; } .unknown { color: #bc8cff; }
}
li { margin: .4rem 0; } .faint { opacity: .75; font-size: .85rem; }
"""
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
<style>{_STYLE}</style>
</head>
<body>
<h1>{escape(title)}</h1>
{body}
<p class="faint">{escape(foot)}</p>
</body>
</html>
"""

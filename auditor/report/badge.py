"""An SVG badge: the vendors whose chips serve a model without code being written."""

from xml.sax.saxutils import escape

from auditor.results import Audit
from auditor.rules.verdict import ORDER

_LABEL = "runs on"
_TO_BE_HAD = ("open", "limited")
#: By how many vendors there are: none, one, more.
_COLORS = ("#b3261e", "#9a6700", "#1a7f37")
_CHARACTER = 7
"""Width of one character, in pixels, of an 11 pixel sans-serif: an upper estimate."""
_PADDING = 10


def render(audit: Audit) -> str:
    """Return the badge of the first model of an audit."""
    chips = (row.target.accelerator for row in audit.models[0].rows if row.verdict in ORDER[:2] and row.availability in _TO_BE_HAD)
    vendors = sorted({chip.vendor: chip.name.split()[0] for chip in chips}.values())
    text = ", ".join(vendors) or "no known chip"
    color = _COLORS[min(len(vendors), 2)]
    left, right = (len(part) * _CHARACTER + _PADDING for part in (_LABEL, text))
    label, message = escape(_LABEL), escape(text)
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{label}: {message}">
  <title>{label}: {message}</title>
  <clipPath id="r"><rect width="{left + right}" height="20" rx="3"/></clipPath>
  <g clip-path="url(#r)"><rect width="{left}" height="20" fill="#555"/><rect x="{left}" width="{right}" height="20" fill="{color}"/></g>
  <g fill="#fff" text-anchor="middle" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11">
    <text x="{left / 2:g}" y="14">{label}</text>
    <text x="{left + right / 2:g}" y="14">{message}</text>
  </g>
</svg>
"""

"""The picture: the ratio of each row as a bar, on a logarithmic scale; light and dark."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from math import log2
from typing import Final
from xml.sax.saxutils import escape

from .measuring import Row

# In pixels.
_LABEL: Final = 470
_DOUBLING: Final = 70
_LINE: Final = 20
_RIGHT: Final = 70
# The ratios at both ends of the scale.
_LEAST, _MOST = 1 / 8, 8

_STYLE: Final = """
  svg { color-scheme: light dark; font: 12px system-ui, sans-serif; }
  text { fill: #1f2328; }
  .group { font-weight: 600; }
  .slower { fill: #bc4c00; }
  .faster { fill: #1a7f37; }
  line { stroke: #8c959f; }
  .even { stroke: #1f2328; stroke-width: 1.5; }
  .page { fill: #ffffff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .slower { fill: #db6d28; }
    .faster { fill: #3fb950; }
    line { stroke: #484f58; }
    .even { stroke: #e6edf3; }
    .page { fill: #0d1117; }
  }
"""


def svg(rows: Sequence[Row]) -> str:
    """Return the picture as SVG: each row's bar begins at 1, where both sides take the same."""
    lines = list(_lines(rows))
    height = _LINE * (len(lines) + 2)
    width = _LABEL + _DOUBLING * round(log2(_MOST / _LEAST)) + _RIGHT
    body = "\n".join(line.replace("{y}", str(_LINE * (n + 1))) for n, line in enumerate(lines))
    scale = "\n".join(_scale(height))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' width="{width}" height="{height}" role="img" aria-label="Ours by the peer\'s">\n'
        f"<style>{_STYLE}</style>\n"
        f'<rect class="page" width="{width}" height="{height}"/>\n{scale}\n{body}\n</svg>\n'
    )


def _x(ratio: float) -> float:
    """Return where a ratio is on the scale."""
    return _LABEL + _DOUBLING * log2(min(max(ratio, _LEAST), _MOST) / _LEAST)


def _scale(height: int) -> Iterator[str]:
    for power in range(-3, 4):
        x = _x(2.0**power)
        name = f"{2**power}" if power >= 0 else f"1/{2**-power}"
        kind = ' class="even"' if power == 0 else ""
        bottom = height - _LINE
        yield f'<line{kind} x1="{x:.0f}" x2="{x:.0f}" y1="8" y2="{bottom}"/>'
        yield f'<text x="{x:.0f}" y="{height - 6}" text-anchor="middle">{name}</text>'


def _lines(rows: Sequence[Row]) -> Iterator[str]:
    """Yield each line of the picture; `{y}` is where it stands."""
    for group, members in groupby(rows, lambda row: row.group):
        yield f'<text class="group" x="8" y="{{y}}">{escape(group)}</text>'
        for row in members:
            begin, end = sorted((_x(1.0), _x(row.ratio)))
            kind = "slower" if row.ratio > 1 else "faster"
            # The bar ends with the scale.
            beyond = "" if _LEAST <= row.ratio <= _MOST else " …"
            yield (
                f'<text x="16" y="{{y}}">{escape(row.title)}</text>'
                f'<rect class="{kind}" x="{begin:.1f}" y="{{y}}" transform="translate(0 -10)"'
                f' width="{end - begin:.1f}" height="12"/>'
                f'<text x="{max(end, _x(1.0)) + 4:.1f}" y="{{y}}">{row.ratio:.2f}{beyond}</text>'
            )

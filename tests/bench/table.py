"""The table: as text on the terminal, and as Markdown in docs/benchmarks.md."""

from collections.abc import Iterator, Sequence
from itertools import groupby
import platform
from typing import Final

from homeassistant.const import __version__

from .measuring import Figures, Row

HEADINGS: Final = ("", "ours", "peer's", "ratio", "counted")


def shown(figures: Figures, unit: str) -> str:
    """Return figures for people: the median and the quartiles."""
    fitting = (scale for scale in _SCALES[unit] if figures.median >= scale[0])
    factor, name = next(fitting, _SCALES[unit][-1])
    one, low, high = (_number(value / factor) for value in _values(figures))
    return f"{one} {name}".rstrip() if low == high else f"{one} {name} ({low} to {high})"


_SCALES: Final = {
    "s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")),
    "B": ((1e6, "MB"), (1e3, "kB"), (1.0, "B")),
    "n": ((1.0, ""),),
}


def _values(figures: Figures) -> tuple[float, float, float]:
    return figures.median, figures.low, figures.high


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def cells(row: Row) -> tuple[str, ...]:
    """Return what the columns of a row have."""
    ours, peers = shown(row.ours, row.unit), shown(row.peers, row.unit)
    return row.title, ours, peers, f"{row.ratio:.2f}", row.counted


def text(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of the table for a terminal."""
    table = [cells(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(HEADINGS, *table, strict=True)]
    for group, members in groupby(rows, lambda row: row.group):
        yield f"\n{group}"
        for columns in (HEADINGS, *map(cells, members)):
            padded = (cell.ljust(width) for cell, width in zip(columns, widths, strict=True))
            yield f"  {'  '.join(padded)}".rstrip()


def markdown(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of what the script writes into docs/benchmarks.md."""
    yield machine()
    for group, members in groupby(rows, lambda row: row.group):
        yield f"\n| {group} | ours | peer's | ratio | counted |\n|---|---|---|---|---|"
        for row in members:
            yield f"| {' | '.join(cells(row))} |"


def machine() -> str:
    """Return where it was measured, and with which versions."""
    return (
        f"Home Assistant {__version__}, Python {platform.python_version()},"
        f" {_processor()}; medians, with the quartiles in parentheses."
    )


def _processor() -> str:
    """Return the name of the processor, as Linux tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 - no file of ours
            names = [line.partition(":")[2].strip() for line in file if "model name" in line]
    except OSError:
        names = []
    return f"{len(names)} of {names[0]}" if names else platform.machine()

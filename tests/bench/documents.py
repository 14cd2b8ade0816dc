"""What of the documentation the benchmarks write: the table, and the picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from .measuring import Row
from .picture import svg
from .table import markdown

BEGIN: Final = "<!-- script/bench writes from here -->"
END: Final = "<!-- to here -->"
PICTURE: Final = "images/benchmarks.svg"


def write(docs: Path, rows: Sequence[Row]) -> None:
    """Renew the table and the picture.

    Args:
        docs: The folder of the documentation.
        rows: What was measured.
    """
    (docs / PICTURE).write_text(svg(rows), encoding="utf-8")
    page = docs / "benchmarks.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    table = "\n".join(markdown(rows))
    page.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")

"""What a user has to do, as the browser tests count it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from .measuring import Row

WORK: Final = "A user's work, in the browser"

_E2E: Final = Path(__file__).parents[2] / "script" / "e2e"


async def measure_work(version: Sequence[str]) -> AsyncIterator[Row]:
    """Yield the rows of the browser tests.

    Args:
        version: The arguments by which script/e2e takes the same Home Assistant.

    Raises:
        RuntimeError: They fail; the text has what they said.
    """
    with TemporaryDirectory() as folder:
        file = Path(folder, "work")
        arguments = *version, "-q", "-n", "0", "-k", "test_work", "--work", str(file)
        process = await asyncio.create_subprocess_exec(
            _E2E, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output, _ = await process.communicate()
        if process.returncode:
            raise RuntimeError(output.decode(errors="replace"))
        for row in rows_of(await asyncio.to_thread(file.read_text)):
            yield row


def rows_of(text: str) -> list[Row]:
    """Return the rows for what the browser tests have written: a line for each journey."""
    rows = []
    for title, ours, peers in map(json.loads, text.splitlines()):
        *done, logins = zip(ours, peers, strict=True)
        for what, (one, other) in zip(("dialogs", "clicks", "fields"), done, strict=True):
            counted = f"logins: {logins[0]} and {logins[1]}" if what == "dialogs" else ""
            rows.append(Row.of(WORK, f"{title}: {what}", [one], [other], unit="n", counted=counted))
    return rows

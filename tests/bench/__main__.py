"""Runs the benchmarks; `script/bench` is the command."""

from argparse import ArgumentParser
import asyncio
from collections.abc import Sequence
from itertools import chain
import logging
from pathlib import Path
from typing import Final

# Home Assistant's test plugin needs it.
import tests.newer_home_assistant  # noqa: F401

from .documents import write
from .measuring import Row
from .processes import measure_processes
from .rows import QUICK, WHOLE, Effort, measure
from .table import machine, text
from .work import measure_work

ROOT: Final = Path(__file__).parents[2]


async def _measured(effort: Effort, version: Sequence[str]) -> list[Row]:
    rows: list[Row] = []
    sources = [measure(effort), measure_processes(effort)]
    if effort is WHOLE:
        sources.append(measure_work(version))
    for source in sources:
        async for row in source:
            print(f"{row.ratio:6.2f}  {row.group}: {row.title}", flush=True)  # noqa: T201
            rows.append(row)
    return rows


def main() -> None:
    """Measure, and print the table."""
    parser = ArgumentParser(prog="script/bench", description="Ours beside the peer's.")
    parser.add_argument(
        "--quick", action="store_true", help="less of everything, in less than a minute"
    )
    parser.add_argument("--write", action="store_true", help="renew docs/benchmarks.md")
    parser.add_argument("--ha", help="the version of Home Assistant, which script/bench has taken")
    arguments = parser.parse_args()
    if arguments.quick and arguments.write:
        parser.error("--quick measures too little to write")
    version = ("--ha", arguments.ha) if arguments.ha else ()
    # What Home Assistant says of custom integrations is known.
    logging.disable()
    rows = asyncio.run(_measured(QUICK if arguments.quick else WHOLE, version))
    print("\n".join(chain([f"\n{machine()}"], text(rows))))  # noqa: T201
    if arguments.write:
        write(ROOT / "docs", rows)


main()

"""What is measured of whole processes: an import, and the start of a Home Assistant."""

import asyncio
from collections.abc import AsyncIterator
import os
from pathlib import Path
import sys
from tempfile import TemporaryDirectory
from typing import Final

from custom_components.developer_credentials.const import DOMAIN, PEER
from demo.home_assistant import HomeAssistant, free_port

from .measuring import Row
from .rows import QUICK, Effort

IMPORT: Final = "Import, beyond what Home Assistant has loaded"
START: Final = "Start of a whole Home Assistant"

# What every Home Assistant has loaded, whatever is installed.
_LOADED: Final = (
    "from homeassistant.components import"
    " auth, config, frontend, http, repairs, system_health, websocket_api"
)
_IMPORT: Final = """
from time import process_time
import homeassistant.bootstrap
{loaded}
import homeassistant.helpers.config_entry_oauth2_flow
import homeassistant.helpers.discovery_flow
import homeassistant.helpers.collection
began = process_time()
import {module}
print(process_time() - began)
"""
_WHOLE: Final = """
import asyncio
from time import process_time
from homeassistant.bootstrap import async_setup_hass
from homeassistant.runner import RuntimeConfig

async def main():
    hass = await async_setup_hass(RuntimeConfig({folder!r}, skip_pip=True))
    await hass.async_start()
    await hass.async_block_till_done()
    print(process_time(), flush=True)
    await hass.async_stop(force=True)

asyncio.run(main())
"""


async def measure_processes(effort: Effort) -> AsyncIterator[Row]:
    """Yield the rows of whole processes."""
    rounds = 3 if effort is QUICK else 5
    taken: tuple[list[float], list[float]] = ([], [])
    modules = f"custom_components.{DOMAIN}", f"homeassistant.components.{PEER}"
    for _ in range(rounds):
        for module, values in zip(modules, taken, strict=True):
            values.append(await _run(_IMPORT.format(loaded=_LOADED, module=module)))
    yield Row.of("import", IMPORT, "of the component", *taken)
    if effort is QUICK:
        return
    with TemporaryDirectory() as without, TemporaryDirectory() as with_us:
        for folder, yaml in ((without, ""), (with_us, f"{DOMAIN}:\n")):
            HomeAssistant(Path(folder), free_port(), "http://127.0.0.1:9", yaml)
        for component in (Path(without) / "custom_components").iterdir():
            component.unlink()
        taken = ([], [])
        for _ in range(rounds + 1):
            for folder, values in zip((with_us, without), taken, strict=True):
                values.append(await _run(_WHOLE.format(folder=folder)))
        # The first one writes what it compiles.
        yield Row.of("start", START, "with us, beside the same without", taken[0][1:], taken[1][1:])


async def _run(program: str) -> float:
    """Return the number that a program prints last."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONPATH": "."},
    )
    output, _ = await process.communicate()
    return float(output.split()[-1])

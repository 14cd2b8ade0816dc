"""What is measured of whole processes: an import, and the start of a Home Assistant."""

import asyncio
from collections.abc import AsyncIterator
import os
from pathlib import Path
import sys
from tempfile import TemporaryDirectory
from typing import Final

from homeassistant.loader import (
    BASE_PRELOAD_PLATFORMS,
    PACKAGE_BUILTIN,
    PACKAGE_CUSTOM_COMPONENTS,
)

from custom_components import developer_credentials
from custom_components.developer_credentials.const import DOMAIN, PEER
from demo.home_assistant import HomeAssistant, free_port

from .measuring import Row
from .rows import QUICK, Effort

IMPORT: Final = "Import, beyond what Home Assistant has loaded"
START: Final = "Start of a whole Home Assistant"

_YAML: Final = f"""
{DOMAIN}:
  - domain: demo_cloud
    client_id: app
    client_secret: secret
"""

# What every Home Assistant has loaded, whatever is installed.
_LOADED: Final = (
    "from homeassistant.components import"
    " auth, config, diagnostics, frontend, http, repairs, system_health, websocket_api"
)
# What Home Assistant imports together with the component, in the same thread.
_PLATFORMS: Final = f"from {PACKAGE_CUSTOM_COMPONENTS}.{DOMAIN} import " + ", ".join(
    sorted(
        {one.stem for one in Path(developer_credentials.__path__[0]).glob("*.py")}
        & set(BASE_PRELOAD_PLATFORMS)
    )
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
{platforms}
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
    rounds = 1 if effort is QUICK else 5
    with TemporaryDirectory() as compiled:
        yield await _importing(compiled, rounds)
        if effort is not QUICK:
            yield await _starting(compiled, rounds)


async def _importing(compiled: str, rounds: int) -> Row:
    taken: tuple[list[float], list[float]] = ([], [])
    modules = (
        (f"{PACKAGE_CUSTOM_COMPONENTS}.{DOMAIN}", _PLATFORMS),
        (f"{PACKAGE_BUILTIN}.{PEER}", ""),
    )
    for _ in range(rounds + 1):
        for (module, platforms), values in zip(modules, taken, strict=True):
            program = _IMPORT.format(loaded=_LOADED, module=module, platforms=platforms)
            values.append(await _run(program, compiled))
    # The first one writes what it compiles.
    return Row.of(IMPORT, "of the component, with its platforms", taken[0][1:], taken[1][1:])


async def _starting(compiled: str, rounds: int) -> Row:
    taken: tuple[list[float], list[float]] = ([], [])
    with TemporaryDirectory() as without, TemporaryDirectory() as with_us:
        for folder, yaml in ((without, ""), (with_us, _YAML)):
            HomeAssistant(Path(folder), free_port(), "http://127.0.0.1:9", yaml)
        (Path(without) / "custom_components" / DOMAIN).unlink()
        for _ in range(rounds + 1):
            for folder, values in zip((with_us, without), taken, strict=True):
                values.append(await _run(_WHOLE.format(folder=folder), compiled))
    # The first one writes what it compiles.
    return Row.of(
        START, "with us and a credential, beside the same without", *(of[1:] for of in taken)
    )


async def _run(program: str, compiled: str) -> float:
    """Return the number that a program prints last.

    Args:
        program: The program.
        compiled: Where compiled modules are kept, as any installed Home Assistant keeps them.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
        env=os.environ
        | {
            "PYTHONPATH": ".",
            "PYTHONPYCACHEPREFIX": compiled,
            # Where it is set, each process would compile everything anew.
            "PYTHONDONTWRITEBYTECODE": "",
        },
    )
    output, _ = await process.communicate()
    return float(output.split()[-1])

"""Lets Home Assistant's test plugin run on a version that is newer than its own; a pytest plugin.

It comes before the others: Home Assistant takes the place of httpx, which some of them import.
"""

from homeassistant.components import logger
from homeassistant.components.logger import helpers

# Until 2026.10 it stood there.
vars(logger).setdefault(
    "_clear_logger_overwrites",
    helpers._clear_logger_overwrites,  # noqa: SLF001
)

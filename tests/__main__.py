"""Runs pytest, also on a Home Assistant that is newer than the one of its test plugin.

Home Assistant comes first: it takes the place of httpx, which plugins of pytest import.
"""

from homeassistant.components import logger
from homeassistant.components.logger import helpers
import pytest

# The plugin imports it from where it stood until 2026.10.
vars(logger).setdefault(
    "_clear_logger_overwrites",
    helpers._clear_logger_overwrites,  # noqa: SLF001
)

raise SystemExit(pytest.console_main())

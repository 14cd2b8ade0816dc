"""Diagnostics of Demo Cloud."""

from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import (
    async_redact_data,  # pyright: ignore[reportUnknownVariableType] - it returns a bare dict
)
from homeassistant.core import HomeAssistant

from .coordinator import DemoCloudConfigEntry


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: DemoCloudConfigEntry
) -> dict[str, Any]:
    """Return the account and the entry; the token stays out."""
    return {
        "account": asdict(entry.runtime_data.data),
        "entry": async_redact_data(dict(entry.data), {"token"}),
    }

"""Demo Cloud's own tests, as its developer would write them: with public names only."""

import re
from typing import Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant

from custom_components.developer_credentials.testing import async_expire_token

DOMAIN: Final = "demo_cloud"

API: Final = re.compile(r"/api/account$")
ACCOUNT: Final = {"id": "demo", "name": "Demo account", "requests": 1}


async def reload_expired(hass: HomeAssistant, entry: ConfigEntry) -> ConfigEntryState:
    """Reload the account, whose token has expired meanwhile; return the state of its entry."""
    async_expire_token(hass, entry)
    await hass.config_entries.async_reload(entry.entry_id)
    return entry.state

"""Plain Cloud: our platform beneath a config flow that is Home Assistant's own.

It has no entities: what its account reads is of no use but to see whether its token serves.
"""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import (
    OAuth2Session,
    async_get_config_entry_implementation,
)

from .const import ACCOUNT_URL


async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Set up an account. What is raised is for Home Assistant, which knows what it means."""
    implementation = await async_get_config_entry_implementation(hass, entry)
    session = OAuth2Session(hass, entry, implementation)
    (await session.async_request("get", ACCOUNT_URL)).raise_for_status()
    return True


async def async_unload_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Unload an account."""
    return True

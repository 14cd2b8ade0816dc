"""An integration that works with Developer Credentials, and without: a release between two."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers.config_entry_oauth2_flow import (
    ImplementationUnavailableError,
    OAuth2Session,
    async_get_config_entry_implementation,
)


async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry[OAuth2Session]) -> bool:
    """Set up an account, whoever keeps its credential."""
    try:
        implementation = await async_get_config_entry_implementation(hass, entry)
    except ImplementationUnavailableError as err:
        raise ConfigEntryNotReady("The credential is not available now") from err
    entry.runtime_data = OAuth2Session(hass, entry, implementation)
    await entry.runtime_data.async_ensure_token_valid()
    return True


async def async_unload_entry(hass: HomeAssistant, entry: ConfigEntry[OAuth2Session]) -> bool:
    """Unload an account."""
    return True

"""Acme: an account whose login is kept alive."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers.config_entry_oauth2_flow import (
    ImplementationUnavailableError,
    OAuth2Session,
    async_get_config_entry_implementation,
)

from custom_components.developer_credentials import async_revoke_token

type AcmeConfigEntry = ConfigEntry[OAuth2Session]


async def async_setup_entry(hass: HomeAssistant, entry: AcmeConfigEntry) -> bool:
    """Set up an account."""
    try:
        implementation = await async_get_config_entry_implementation(hass, entry)
    except ImplementationUnavailableError as err:
        raise ConfigEntryNotReady("The credential is not available now") from err
    entry.runtime_data = OAuth2Session(hass, entry, implementation)
    await entry.runtime_data.async_ensure_token_valid()
    return True


async def async_unload_entry(hass: HomeAssistant, entry: AcmeConfigEntry) -> bool:
    """Unload an account."""
    return True


async def async_remove_entry(hass: HomeAssistant, entry: AcmeConfigEntry) -> None:
    """Let Acme forget the login of a removed account."""
    await async_revoke_token(hass, entry)

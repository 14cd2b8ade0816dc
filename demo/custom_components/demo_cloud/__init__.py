"""Demo Cloud: an integration as its developer would write it on Developer Credentials."""

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers.config_entry_oauth2_flow import (
    ImplementationUnavailableError,
    OAuth2Session,
    async_get_config_entry_implementation,
)

from custom_components.developer_credentials import async_revoke_token

from .api import DemoCloudClient
from .const import DOMAIN
from .coordinator import DemoCloudConfigEntry, DemoCloudCoordinator

PLATFORMS = [Platform.SENSOR]


async def async_setup_entry(hass: HomeAssistant, entry: DemoCloudConfigEntry) -> bool:
    """Set up an account."""
    try:
        implementation = await async_get_config_entry_implementation(hass, entry)
    except ImplementationUnavailableError as err:
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN, translation_key="implementation_unavailable"
        ) from err
    session = OAuth2Session(hass, entry, implementation)
    coordinator = DemoCloudCoordinator(hass, entry, DemoCloudClient(session))
    await coordinator.async_config_entry_first_refresh()
    entry.runtime_data = coordinator
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: DemoCloudConfigEntry) -> bool:
    """Unload an account."""
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(hass: HomeAssistant, entry: DemoCloudConfigEntry) -> None:
    """Let Demo Cloud forget the login of a removed account."""
    await async_revoke_token(hass, entry)

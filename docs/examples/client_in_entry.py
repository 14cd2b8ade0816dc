"""The migration of an integration whose config entries have held a client each."""

from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_CLIENT_ID, CONF_CLIENT_SECRET
from homeassistant.core import HomeAssistant

from custom_components.developer_credentials import (
    DeveloperCredential,
    async_import_developer_credential,
)

DOMAIN: Final = "acme"


async def async_migrate_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Hand the client of an entry over to Developer Credentials; nobody has to log in again."""
    if entry.version == 1:
        data = dict(entry.data)
        client = DeveloperCredential(
            data.pop(CONF_CLIENT_ID), data.pop(CONF_CLIENT_SECRET), name=entry.title
        )
        # Another one for each entry; where two have one client, they get one credential.
        auth_domain = f"{DOMAIN}_{entry.entry_id.lower()}"
        data["auth_implementation"] = await async_import_developer_credential(
            hass, DOMAIN, client, auth_domain, from_yaml=False
        )
        hass.config_entries.async_update_entry(entry, data=data, version=2)
    return True

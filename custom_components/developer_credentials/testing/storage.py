"""What is stored when a test begins: a credential, and a token that has expired."""

from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.loader import async_get_integration

from ..credentials.store import (
    CONF_AUTH_DOMAIN,
    async_add_subentry,
    async_get_or_create_entry,
    async_new_subentry,
)
from ..oauth2.client import DeveloperCredential

CREDENTIAL: Final = DeveloperCredential("client-id", "client-secret")
"""The client that a `MockAuthorizationServer` knows from the start."""


async def async_add_credential(
    hass: HomeAssistant, domain: str, credential: DeveloperCredential = CREDENTIAL
) -> str:
    """Store a credential as if the user had entered it, and set up Developer Credentials.

    Args:
        hass: Home Assistant.
        domain: The integration that it is for.
        credential: The credential.

    Returns:
        The `auth_implementation` of the config entries that use it.

    Raises:
        AbortFlow: The integration has a credential of this client already.
    """
    entry = await async_get_or_create_entry(hass)
    integration = await async_get_integration(hass, domain)
    subentry = async_add_subentry(hass, entry, async_new_subentry(hass, integration, credential))
    auth_domain: str = subentry.data[CONF_AUTH_DOMAIN]
    return auth_domain


@callback
def async_expire_token(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Let the access token of an integration's entry be expired: it is refreshed when needed."""
    token = {**entry.data["token"], "expires_at": 0}
    hass.config_entries.async_update_entry(entry, data={**entry.data, "token": token})

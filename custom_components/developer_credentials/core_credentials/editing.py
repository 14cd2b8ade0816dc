"""Application credentials are edited in place, which Home Assistant itself does not offer."""

from dataclasses import replace
from typing import Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import LocalOAuth2Implementation
from homeassistant.loader import async_get_integration

from ..const import LOGGER, PEER
from ..credentials.store import async_start_reauth
from ..oauth2.client import DeveloperCredential
from ..oauth2.server import AuthorizationServer
from ..platform import async_get_integrations
from .collection import (
    ApplicationCredential,
    async_get_application_credential_users,
    async_get_application_credentials,
    async_replace_application_credential,
)

_RELOADED: Final = {
    ConfigEntryState.LOADED,
    ConfigEntryState.SETUP_ERROR,
    ConfigEntryState.SETUP_RETRY,
}


async def async_get_editable_application_credentials(
    hass: HomeAssistant,
) -> dict[str, ApplicationCredential]:
    """Return those that are in force: not those of integrations that moved to our platform."""
    moved = {
        domain
        for domain, integration in (await async_get_integrations(hass)).items()
        if not integration.platforms_exists((PEER,))
    }
    return {
        item_id: one
        for item_id, one in async_get_application_credentials(hass).items()
        if one.domain not in moved
    }


async def async_get_application_credential_server(
    hass: HomeAssistant, domain: str, credential: DeveloperCredential
) -> AuthorizationServer | None:
    """Return the server that an integration declares there, None where that cannot be told."""
    try:
        from homeassistant.components.application_credentials import (  # noqa: PLC0415 - it may go
            ClientCredential,
        )

        integration = await async_get_integration(hass, domain)
        platform = await integration.async_get_platform(PEER)
        if not hasattr(platform, "async_get_auth_implementation"):
            server = await platform.async_get_authorization_server(hass)
            return AuthorizationServer(server.authorize_url, server.token_url)
        implementation = await platform.async_get_auth_implementation(
            hass, domain, ClientCredential(credential.client_id, credential.client_secret)
        )
    except Exception as err:  # noqa: BLE001 - whatever it is, the credential stays unverified
        LOGGER.debug("The server of %s is not known: %s", domain, type(err).__name__)
        return None
    if not isinstance(implementation, LocalOAuth2Implementation):
        return None
    try:
        return AuthorizationServer(implementation.authorize_url, implementation.token_url)
    except ValueError:
        return None


async def async_update_application_credential(
    hass: HomeAssistant,
    application_credential: ApplicationCredential,
    credential: DeveloperCredential,
) -> bool:
    """Change an application credential in place; return False where it is gone.

    Its id and the key that entries refer to stay. The entries that use it are reloaded, since they
    hold the old secret; with another client id they log in again.

    Args:
        hass: Home Assistant.
        application_credential: The one to change.
        credential: What it shall be.
    """
    item_id = application_credential.item_id
    if (before := await async_replace_application_credential(hass, item_id, credential)) is None:
        return False
    if replace(before.credential, name=credential.name) == credential:
        return True
    for user in async_get_application_credential_users(hass, application_credential):
        if credential.client_id != before.credential.client_id:
            async_start_reauth(hass, user)
        elif user.state in _RELOADED:
            hass.config_entries.async_schedule_reload(user.entry_id)
    return True

"""Application credentials are edited in place, which Home Assistant itself does not offer."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, PEER
from ..credentials.store import async_start_reauth
from ..oauth2.client import DeveloperCredential
from ..platform import async_get_integrations
from .collection import (
    ApplicationCredential,
    async_get_application_credentials,
    async_replace_application_credential,
)
from .users import async_get_application_credential_users

# Says of an entry that a new secret has reached it, so that it need not be reloaded.
DATA_HAS_NEW_SECRET: HassKey[Callable[[ConfigEntry], bool]] = HassKey(f"{DOMAIN}_has_new_secret")

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


async def async_update_application_credential(
    hass: HomeAssistant,
    application_credential: ApplicationCredential,
    credential: DeveloperCredential,
) -> bool:
    """Change an application credential in place; return False where it is gone.

    Its id and the key that entries refer to stay. The entries that use it are reloaded where they
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
    has_new_secret = hass.data.get(DATA_HAS_NEW_SECRET, lambda _: False)
    for user in async_get_application_credential_users(hass, application_credential):
        if credential.client_id != before.credential.client_id:
            async_start_reauth(hass, user)
        elif user.state in _RELOADED and not has_new_secret(user):
            hass.config_entries.async_schedule_reload(user.entry_id)
    return True

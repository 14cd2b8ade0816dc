"""The tokens in integrations' config entries: kept when nobody waits, revoked with their entry."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.config_entry_oauth2_flow import async_get_config_entry_implementation
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from ..const import LOGGER
from ..oauth2.backoff import async_forget
from ..oauth2.implementation import AuthImplementation
from ..oauth2.revocation import async_revoke
from .store import Key, async_get_users_of


@callback
def async_watch(hass: HomeAssistant) -> None:
    """Have a server asked again at once for the token of an entry that is reloaded.

    Whoever reloads one wants it tried now; whoever removes one, no more. Home Assistant's own
    attempts to set up an entry do not unload it.
    """

    @callback
    def entry_changed(change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.state is ConfigEntryState.NOT_LOADED or change is ConfigEntryChange.REMOVED:
            token = entry.data.get("token")
            if isinstance(token, Mapping) and isinstance(token.get("refresh_token"), str):
                async_forget(hass, token["refresh_token"])

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, entry_changed)


@callback
def async_keep_token(
    hass: HomeAssistant, key: Key, token: dict[str, Any], new: dict[str, Any]
) -> None:
    """Store a refreshed token in the entry that has the old one.

    Args:
        hass: Home Assistant.
        key: The credential by which it was refreshed.
        token: The token as it was.
        new: The token as it is now.
    """
    for entry in async_get_users_of(hass, *key):
        if entry.data.get("token") == token:
            hass.config_entries.async_update_entry(entry, data={**entry.data, "token": new})


async def async_revoke_token(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Revoke the tokens of an integration's entry; for its `async_remove_entry`.

    The refresh token is revoked, and with it, at most servers, the access tokens that came of it;
    where there is none, the access token is (RFC 7009, section 2.1). Nothing is raised: a failure
    is logged, and never keeps an entry from being removed. A server without a `revocation_url` is
    not asked.

    Args:
        hass: Home Assistant.
        entry: The integration's config entry.
    """
    try:
        implementation = await async_get_config_entry_implementation(hass, entry)
        if not isinstance(implementation, AuthImplementation):
            return
        answer = await async_revoke(implementation, entry.data["token"])
    except Exception as err:  # noqa: BLE001 - whatever it is, the entry shall go
        LOGGER.warning(
            "The token of %s (%s) is not revoked: %s", entry.title, entry.domain, type(err).__name__
        )
        return
    if answer and answer.kind:
        LOGGER.warning(
            "%s did not revoke the token of %s: %s %s",
            entry.domain,
            entry.title,
            answer.status,
            answer.error,
        )

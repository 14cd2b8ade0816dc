"""Revocation: a removed entry takes its tokens with it (RFC 7009)."""

from dataclasses import replace
from http import HTTPStatus

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import async_get_config_entry_implementation

from ..const import LOGGER
from .implementation import AuthImplementation


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
        if (url := implementation.authorization_server.revocation_url) is None:
            return
        token = entry.data["token"]
        hint = "refresh_token" if token.get("refresh_token") else "access_token"
        endpoint = replace(implementation.token_endpoint, url=url)
        answer = await endpoint.async_post({"token": token[hint], "token_type_hint": hint})
    except Exception as err:  # noqa: BLE001 - whatever it is, the entry shall go
        LOGGER.warning(
            "The token of %s (%s) is not revoked: %s", entry.title, entry.domain, type(err).__name__
        )
        return
    if answer.error or not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        LOGGER.warning(
            "%s did not revoke the token of %s: %s %s",
            entry.domain,
            entry.title,
            answer.status,
            answer.error,
        )

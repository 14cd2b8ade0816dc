"""The redirect URI: which ones this Home Assistant has, and which one a login takes.

The callback of this instance takes the answer of the server whether or not My Home Assistant is
loaded; only the registered URI has to be the one that is sent (RFC 6749, section 3.1.2.3).
"""

from enum import StrEnum

from aiohttp import hdrs
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import http
from homeassistant.helpers.config_entry_oauth2_flow import (
    AUTH_CALLBACK_PATH,
    HEADER_FRONTEND_BASE,
    MY_AUTH_CALLBACK_PATH,
)
from homeassistant.helpers.network import get_url


class RedirectUri(StrEnum):
    """Which redirect URI the login comes back to (RFC 6749, section 3.1.2)."""

    DEFAULT = "default"
    """What Home Assistant takes: My Home Assistant where it is loaded, else this instance."""
    OWN = "own"
    """This instance itself, at the address by which the user has opened it."""
    MY = "my"
    """My Home Assistant, which leads the browser on to the instance that it knows."""


@callback
def async_get_redirect_uri(hass: HomeAssistant, choice: RedirectUri) -> str:
    """Return the redirect URI of a choice.

    Raises:
        NoURLAvailableError: It is this instance's own, and Home Assistant knows no address of it.
    """
    if choice is RedirectUri.MY or (
        choice is RedirectUri.DEFAULT and "my" in hass.config.components
    ):
        return MY_AUTH_CALLBACK_PATH
    # The frontend says at which address the user has opened it; in repairs the browser does.
    headers = request.headers if (request := http.current_request.get()) else {}
    base = headers.get(HEADER_FRONTEND_BASE) or headers.get(hdrs.ORIGIN, "").removesuffix("null")
    return f"{base or get_url(hass, prefer_external=True)}{AUTH_CALLBACK_PATH}"


@callback
def async_get_redirect_uris(hass: HomeAssistant) -> dict[RedirectUri, str]:
    """Return the redirect URIs that a user can choose from.

    Raises:
        NoURLAvailableError: Home Assistant knows no address of this instance.
    """
    return {
        choice: async_get_redirect_uri(hass, choice)
        for choice in RedirectUri
        if choice is not RedirectUri.MY or "my" in hass.config.components
    }

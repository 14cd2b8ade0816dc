"""The redirect URI: which ones this Home Assistant has, and which one a login takes.

The callback of this instance takes the answer of the server whether or not My Home Assistant is
loaded; only the registered URI has to be the one that is sent (RFC 6749, section 3.1.2.3).

The address of this instance is the one by which the user has opened it, as the frontend tells it in
flows of integrations. Elsewhere it is the request's own, where Home Assistant knows that as one of
its addresses; else a configured one. Nothing that any page could send makes one.
"""

from contextlib import suppress
from enum import StrEnum
from typing import Final

from aiohttp import hdrs
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import http
from homeassistant.helpers.config_entry_oauth2_flow import (
    AUTH_CALLBACK_PATH,
    HEADER_FRONTEND_BASE,
    MY_AUTH_CALLBACK_PATH,
)
from homeassistant.helpers.network import NoURLAvailableError, get_url


class RedirectUri(StrEnum):
    """Which redirect URI the login comes back to (RFC 6749, section 3.1.2)."""

    DEFAULT = "default"
    """What Home Assistant takes: My Home Assistant where it is loaded, else this instance."""
    OWN = "own"
    """This instance itself, at the address by which the user has opened it."""
    MY = "my"
    """My Home Assistant, which leads the browser on to the instance that it knows."""


# The choice of a redirect URI that was registered when Home Assistant was opened elsewhere.
REGISTERED: Final = "registered"


@callback
def async_get_redirect_uri(hass: HomeAssistant, choice: RedirectUri) -> str:
    """Return the redirect URI of a choice.

    Raises:
        NoURLAvailableError: It is this instance's own, and Home Assistant knows no address of it.
    """
    if _is_my(hass, choice):
        return MY_AUTH_CALLBACK_PATH
    return f"{_async_get_address(hass)}{AUTH_CALLBACK_PATH}"


@callback
def async_is_redirect_uri_told(hass: HomeAssistant, choice: RedirectUri) -> bool:
    """Return whether a login will have the redirect URI of a choice, as far as can be told.

    Else it is made of an address of Home Assistant by which the user may never open it: a tool that
    sends WebSocket commands, for one, does not tell any. A browser does, by its `Origin`.
    """
    if _is_my(hass, choice):
        return True
    if (request := http.current_request.get()) is None:
        return False
    with suppress(NoURLAvailableError):
        return _async_get_address(hass) in {
            request.headers.get(HEADER_FRONTEND_BASE),
            request.headers.get(hdrs.ORIGIN),
        }
    return False


def _is_my(hass: HomeAssistant, choice: RedirectUri) -> bool:
    return choice is RedirectUri.MY or (
        choice is RedirectUri.DEFAULT and "my" in hass.config.components
    )


@callback
def _async_get_address(hass: HomeAssistant) -> str:
    """Return the address by which the user has opened Home Assistant, as far as that is known.

    Raises:
        NoURLAvailableError: Home Assistant knows no address of its own.
    """
    if (request := http.current_request.get()) and (
        base := request.headers.get(HEADER_FRONTEND_BASE)
    ):
        return base
    with suppress(NoURLAvailableError):
        return get_url(hass, require_current_request=True, prefer_external=True)
    return get_url(hass, prefer_external=True)


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


@callback
def async_get_choices(
    hass: HomeAssistant, stored: RedirectUri | None = None, registered_uri: str = ""
) -> dict[str, str]:
    """Return the redirect URIs to choose from, each once, the one to recommend first.

    They are called by their `RedirectUri`; the one that is registered, where that is another than
    the choice stands for now, by `REGISTERED`. There are none where Home Assistant knows no address
    of its own.

    Args:
        hass: Home Assistant.
        stored: What was chosen before; None for nothing yet.
        registered_uri: The redirect URI as it was then; empty where that is not known.
    """
    choices: dict[str, str] = {}
    if stored and async_is_elsewhere(hass, stored, registered_uri):
        choices[REGISTERED] = registered_uri
    elif stored and registered_uri:
        # By which address the user comes is the same, or not told.
        choices[stored] = registered_uri
    elif stored:
        choices |= _async_known(hass, stored)
    offered = RedirectUri if "my" in hass.config.components else (RedirectUri.DEFAULT,)
    for choice in offered:
        for known, uri in _async_known(hass, choice).items():
            if known not in choices and uri not in choices.values():
                choices[known] = uri
    return choices


@callback
def _async_known(hass: HomeAssistant, choice: RedirectUri) -> dict[str, str]:
    with suppress(NoURLAvailableError):
        return {choice: async_get_redirect_uri(hass, choice)}
    return {}


@callback
def async_is_elsewhere(hass: HomeAssistant, choice: RedirectUri, registered_uri: str) -> bool:
    """Return whether a login would now have another redirect URI than the one that is registered.

    Where neither is known, it is not. That of My Home Assistant does not depend on the address.
    """
    return (
        registered_uri not in {"", MY_AUTH_CALLBACK_PATH}
        and async_is_redirect_uri_told(hass, choice)
        and async_get_redirect_uri(hass, choice) != registered_uri
    )

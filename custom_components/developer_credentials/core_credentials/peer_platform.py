"""An integration's `application_credentials.py`, as it is asked here.

What it gives for a credential is remembered: which server, and what its implementation calls
itself, which entries have as their `auth_implementation`. Some integrations name their server only
where they ask for their implementations themselves, by a context variable: they are asked there.
"""

import asyncio
from contextvars import ContextVar
from functools import lru_cache
from types import ModuleType
from typing import Final, NamedTuple

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.config_entry_oauth2_flow import LocalOAuth2Implementation
from homeassistant.loader import async_get_integration
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, LOGGER, PEER
from ..oauth2.client import DeveloperCredential
from ..oauth2.server import AuthorizationServer
from .collection import async_get_application_credentials
from .options import async_get_options

# Seconds that a platform may take.
TIMEOUT: Final = 10.0


class Given(NamedTuple):
    """What a platform gives for a credential.

    Attributes:
        server: The server.
        client_secret: The secret that is sent; empty where the integration sends none.
        auth_domain: What the implementation calls itself; None for the name that it was given.
    """

    server: AuthorizationServer
    client_secret: str
    auth_domain: str | None


# By integration and client id: what was given last.
_DATA_GIVEN: HassKey[dict[tuple[str, str], Given]] = HassKey(f"{DOMAIN}_peer_platforms")


@callback
def async_get_given(hass: HomeAssistant, domain: str, client_id: str) -> Given | None:
    """Return what a platform gave last for a client; None where that is not known."""
    return hass.data.get(_DATA_GIVEN, {}).get((domain, client_id))


async def async_ask_platform(
    hass: HomeAssistant, domain: str, credential: DeveloperCredential
) -> Given | None:
    """Return what a platform gives for a credential; None where that cannot be told; never raises.

    Where it does not tell now, it is what it gave before. Where it has a client of its own, that is
    not this credential's, and nothing is told.

    Args:
        hass: Home Assistant.
        domain: The integration.
        credential: The credential.
    """
    key = domain, credential.client_id
    try:
        async with asyncio.timeout(TIMEOUT):
            given = await _async_ask(hass, domain, credential)
    except Exception as err:  # noqa: BLE001 - whatever it is, the credential stays unverified
        LOGGER.debug("The server of %s is not known: %s", domain, type(err).__name__)
        before = hass.data.get(_DATA_GIVEN, {}).get(key)
        # The secret is this one, if any is sent.
        return before and before._replace(
            client_secret=before.client_secret and credential.client_secret
        )
    if given:
        hass.data.setdefault(_DATA_GIVEN, {})[key] = given
    return given


async def _async_ask(
    hass: HomeAssistant, domain: str, credential: DeveloperCredential
) -> Given | None:
    from homeassistant.components.application_credentials import (  # noqa: PLC0415 - it may go
        ClientCredential,
    )

    integration = await async_get_integration(hass, domain)
    platform = await integration.async_get_platform(PEER)
    if not hasattr(platform, "async_get_auth_implementation"):
        declared = await platform.async_get_authorization_server(hass)
        server = AuthorizationServer(declared.authorize_url, declared.token_url)
        return Given(server, credential.client_secret, None)
    # What it calls itself where it does not use this one.
    name = f"{DOMAIN}_{domain}"
    implementation = await platform.async_get_auth_implementation(
        hass, name, ClientCredential(credential.client_id, credential.client_secret)
    )
    if (
        not isinstance(implementation, LocalOAuth2Implementation)
        or implementation.client_id != credential.client_id
    ):
        return None
    return Given(
        AuthorizationServer(implementation.authorize_url, implementation.token_url),
        implementation.client_secret or "",
        None if implementation.domain == name else implementation.domain,
    )


async def async_learn_in_context(hass: HomeAssistant, domain: str) -> None:
    """Learn what a platform gives in the context of who asks now, if it has one; never raises.

    To be called where Home Assistant asks for the implementations of an integration. Other
    platforms are not asked more often than without us, and none where the user does not want
    application credentials to be looked after.

    Args:
        hass: Home Assistant.
        domain: The integration.
    """
    try:
        integration = await async_get_integration(hass, domain)
        if (platform := integration.get_platform_cached(PEER)) is None:
            if not integration.platforms_exists((PEER,)):
                return
            platform = await integration.async_get_platform(PEER)
    except Exception as err:  # noqa: BLE001 - whose fault it is, the peer says
        LOGGER.debug("No platform of %s: %s", domain, type(err).__name__)
        return
    if _asks_context(platform) and async_get_options(hass).look_after:
        for one in async_get_application_credentials(hass).values():
            if one.domain == domain:
                await async_ask_platform(hass, domain, one.credential)


@lru_cache
def _asks_context(platform: ModuleType) -> bool:
    """Return whether a platform has context variables, which say who asks."""
    return any(isinstance(value, ContextVar) for value in vars(platform).values())

"""The HTTP session of all requests to authorization servers."""

from typing import Final

from aiohttp import ClientSession, DummyCookieJar
from homeassistant.const import EVENT_HOMEASSISTANT_CLOSE
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_create_clientsession
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN

DATA_SESSION: Final[HassKey[ClientSession]] = HassKey(f"{DOMAIN}_http_session")


@callback
def async_get_session(hass: HomeAssistant) -> ClientSession:
    """Return the session, made when it is first needed and closed with Home Assistant.

    It keeps no cookies: what one client was told goes with no other client's request. Connections
    are Home Assistant's.
    """
    if (session := hass.data.get(DATA_SESSION)) is None:
        # Home Assistant's own cleanup would close it with the entry that is being set up.
        session = async_create_clientsession(hass, auto_cleanup=False, cookie_jar=DummyCookieJar())
        hass.data[DATA_SESSION] = session

        @callback
        def close(_: Event) -> None:
            hass.data.pop(DATA_SESSION).detach()

        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_CLOSE, close)
    return session

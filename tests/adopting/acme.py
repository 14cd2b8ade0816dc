"""An integration on application credentials that knows nothing of us, as the tests have it."""

from typing import Any

from aiohttp import web
from homeassistant.components import application_credentials
from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import (
    LocalOAuth2Implementation,
    async_get_implementations,
)
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.developer_credentials.core_credentials.collection import (
    async_get_application_credentials,
)
from custom_components.developer_credentials.core_credentials.editing import (
    async_update_application_credential,
)
from custom_components.developer_credentials.core_credentials.options import (
    ADOPT_ALL,
    CONF_ADOPT,
)
from custom_components.developer_credentials.credentials.store import async_get_or_create_entry
from custom_components.developer_credentials.oauth2.client import DeveloperCredential
from custom_components.developer_credentials.watching.memory import async_note_accepted
from tests.common import SENTINEL
from tests.recording_server import TOKEN, Recorded, RecordingServer, Respond, answer

AUTH_DOMAIN = "acme_client_id"
NEW_SECRET = f"{SENTINEL}-new"

SERVER = """
from homeassistant.components.application_credentials import AuthorizationServer

async def async_get_authorization_server(hass):
    return AuthorizationServer("{url}/authorize", "{url}/token")
"""

# The class is `Implementation`, which a test has written before.
OWN_CLASS = """
from homeassistant.components.application_credentials import AuthImplementation, AuthorizationServer
from homeassistant.helpers.config_entry_oauth2_flow import (
    AbstractOAuth2Implementation, LocalOAuth2Implementation, LocalOAuth2ImplementationWithPkce,
)

{cls}

async def async_get_auth_implementation(hass, auth_domain, credential):
    return {make}
"""
MAKE = (
    'Implementation(hass, auth_domain, credential, AuthorizationServer("{url}/a", "{url}/token"))'
)

INIT = """
from homeassistant.helpers.config_entry_oauth2_flow import (
    OAuth2Session, async_get_config_entry_implementation,
)

async def async_setup_entry(hass, entry):
    hass.data.setdefault("set_up", []).append(entry.entry_id)
    implementation = await async_get_config_entry_implementation(hass, entry)
    entry.runtime_data = session = OAuth2Session(hass, entry, implementation)
    await session.async_ensure_token_valid()
    return True

async def async_unload_entry(hass, entry):
    return True
"""

CONFIG_FLOW = """
import logging
from homeassistant.helpers.config_entry_oauth2_flow import AbstractOAuth2FlowHandler

class Flow(AbstractOAuth2FlowHandler, domain="acme"):
    DOMAIN = "acme"
    logger = logging.getLogger(__name__)

    async def async_step_reauth(self, entry_data):
        return self.async_show_form(step_id="reauth")
"""


def own_class(server: RecordingServer, cls: str, make: str = MAKE) -> str:
    """Return the platform of an integration that has a class of its own."""
    return OWN_CLASS.format(cls=cls, make=make.format(url=server.url))


async def adopt(hass: HomeAssistant, choice: str = ADOPT_ALL) -> None:
    """Set up our entry with an option."""
    entry = await async_get_or_create_entry(hass)
    hass.config_entries.async_update_entry(entry, options={CONF_ADOPT: choice})
    await hass.async_block_till_done()


async def add_item(hass: HomeAssistant, client_id: str = "client-id") -> None:
    """Add an application credential in Home Assistant's own way."""
    item = {"domain": "acme", "client_id": client_id, "client_secret": SENTINEL, "name": "My app"}
    await hass.data[application_credentials.DATA_COMPONENT].async_create_item(item)
    await hass.async_block_till_done(wait_background_tasks=True)


async def get_implementation(hass: HomeAssistant) -> LocalOAuth2Implementation:
    """Return a new implementation of the one application credential, as a flow gets it."""
    (implementation,) = (await async_get_implementations(hass, "acme")).values()
    assert isinstance(implementation, LocalOAuth2Implementation)
    return implementation


async def add_entry(
    hass: HomeAssistant, auth_domain: str = AUTH_DOMAIN, expires_at: float = 0
) -> MockConfigEntry:
    """Set up an entry of the integration, whose token has expired."""
    data = {"auth_implementation": auth_domain, "token": token(expires_at)}
    entry = MockConfigEntry(domain="acme", title="Home", data=data)
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


def token(expires_at: float = 0) -> dict[str, Any]:
    """Return a token as an entry keeps it."""
    return {
        **TOKEN,
        "access_token": f"{SENTINEL}-old",
        "refresh_token": f"{SENTINEL}-refresh",
        "expires_at": expires_at,
    }


def expire(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Have the token of an entry expire."""
    data = {**entry.data, "token": {**entry.data["token"], "expires_at": 0}}
    hass.config_entries.async_update_entry(entry, data=data)


def accept(hass: HomeAssistant) -> None:
    """Let the client have been accepted once."""
    async_note_accepted(hass, "acme", "client-id")


async def change_secret(hass: HomeAssistant, *, waits: bool = True) -> None:
    """Enter another secret, as our form does; wait for what comes of it."""
    one = async_get_application_credentials(hass)[AUTH_DOMAIN]
    new = DeveloperCredential("client-id", NEW_SECRET, "My app")
    assert await async_update_application_credential(hass, one, new)
    if waits:
        await hass.async_block_till_done()


def refuse(error: str = "invalid_client", status: int = 401, words: str = "The words") -> Respond:
    """Return what answers token requests with an error, and has a login page."""

    async def respond(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return web.Response()
        return await answer({"error": error, "error_description": words}, status)(request)

    return respond


def refreshes(server: RecordingServer) -> list[Recorded]:
    """Return the requests to refresh a token."""
    return [one for one in server.requests if one.body.get("grant_type") == "refresh_token"]


def reauths(hass: HomeAssistant) -> list[str]:
    """Return the entries that are asked to log in again."""
    return [
        flow["context"]["entry_id"]
        for flow in hass.config_entries.flow.async_progress_by_handler("acme")
        if flow["context"]["source"] == SOURCE_REAUTH
    ]

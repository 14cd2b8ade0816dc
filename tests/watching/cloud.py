"""An integration on application credentials whose entries refresh a token, and its server."""

import asyncio
from base64 import b64decode
from typing import Any, Final

from aiohttp import web
from homeassistant.components import application_credentials
from homeassistant.components.application_credentials import (
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry
from homeassistant.core import DOMAIN as HOMEASSISTANT_DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.developer_credentials.core_credentials.collection import (
    ApplicationCredential,
    async_get_application_credentials,
)
from custom_components.developer_credentials.credentials.store import async_get_or_create_entry
from tests.common import SENTINEL, issue_ids
from tests.conftest import Install, PassTime
from tests.recording_server import TOKEN, RecordingServer, answer

SECRET: Final = f"{SENTINEL}-right"
WRONG: Final = f"{SENTINEL}-wrong"

INIT: Final = """
from homeassistant.exceptions import ConfigEntryError
from homeassistant.helpers.config_entry_oauth2_flow import (
    OAuth2Session,
    async_get_config_entry_implementation,
)

async def async_setup_entry(hass, entry):
    session = OAuth2Session(hass, entry, await async_get_config_entry_implementation(hass, entry))
    entry.runtime_data = session
    if entry.data.get("fails"):
        try:
            await session.implementation.async_refresh_token(session.token)
        except Exception as err:
            raise ConfigEntryError("plain error") from err
    elif not entry.data.get("lazy"):
        await session.async_ensure_token_valid()
    return True

async def async_unload_entry(hass, entry):
    return True
"""

FLOW: Final = """
import logging
from homeassistant.helpers.config_entry_oauth2_flow import AbstractOAuth2FlowHandler

class Flow(AbstractOAuth2FlowHandler, domain="{domain}"):
    DOMAIN = "{domain}"
    logger = logging.getLogger(__name__)

    async def async_step_reauth(self, entry_data):
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input=None):
        return self.async_show_form(step_id="reauth_confirm")
"""

# As SmartThings and Withings do, it calls its implementations by its own domain.
OWN_NAME: Final = """
from homeassistant.helpers.config_entry_oauth2_flow import LocalOAuth2Implementation

async def async_get_auth_implementation(hass, auth_domain, credential):
    return LocalOAuth2Implementation(
        hass, "{domain}", credential.client_id, credential.client_secret,
        "{url}/authorize", "{url}/token",
    )
"""

# As MCP does, it tells its server only in the context of its own requests.
CONTEXT: Final = """
from contextvars import ContextVar
from homeassistant.components.application_credentials import AuthorizationServer

context = ContextVar("context")

async def async_get_authorization_server(hass):
    return AuthorizationServer(context.get() + "/authorize", context.get() + "/token")
"""


class Cloud:
    """The server, as the tests of this room want it.

    Attributes:
        server: What it is asked.
        secrets: The right secret of each client.
        grant: What it answers to an accepted client.
        is_down: Whether it answers nothing.
        is_silent: Whether it does not answer when it is asked about a client.
        basic: Whether clients authenticate in the header only.
        go_on: Answers wait for it.
    """

    def __init__(self, hass: HomeAssistant, server: RecordingServer, install: Install) -> None:
        """Know one client."""
        self.hass = hass
        self.server = server
        self.install_files = install
        self.secrets = {"id": SECRET}
        self.grant: dict[str, Any] = TOKEN
        self.is_down = False
        self.is_silent = False
        self.basic = False
        self.go_on = asyncio.Event()
        self.go_on.set()
        server.respond = self._respond

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        await self.go_on.wait()
        body = await request.post()
        if self.is_down or (self.is_silent and body["grant_type"] == "authorization_code"):
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        client = str(body.get("client_id")), str(body.get("client_secret"))
        scheme, _, coded = request.headers.get("Authorization", "").partition(" ")
        if scheme == "Basic":
            client_id, _, secret = b64decode(coded).decode().partition(":")
            client = client_id, secret
        elif self.basic:
            return await answer({"error": "invalid_client"}, 401)(request)
        if self.secrets.get(client[0]) != client[1]:
            description = "words of the server"
            error = {"error": "invalid_client", "error_description": description}
            return await answer(error, 401)(request)
        if body["grant_type"] == "refresh_token":
            return await answer(self.grant, 400 if "error" in self.grant else 200)(request)
        return await answer({"error": "invalid_grant"}, 400)(request)

    def install(self, domain: str = "acme", platform: str | None = None) -> None:
        """Install an integration that has this server."""
        declared = (
            "from homeassistant.components.application_credentials import AuthorizationServer\n"
            "async def async_get_authorization_server(hass):\n"
            '    return AuthorizationServer("{url}/authorize", "{url}/token")\n'
        )
        text = (platform or declared).replace("{url}", self.server.url)
        self.install_files(
            domain,
            application_credentials=text.replace("{domain}", domain),
            __init__=INIT,
            config_flow=FLOW.replace("{domain}", domain),
        )

    @property
    def codes(self) -> list[str]:
        """The clients that were asked about, by a code that nobody issued."""
        return [
            one.body.get("client_id", "basic")
            for one in self.server.requests
            if one.body.get("grant_type") == "authorization_code"
        ]

    @property
    def refreshes(self) -> int:
        """How often a token was refreshed."""
        return len(self.server.requests) - len(self.codes)


async def settle(hass: HomeAssistant) -> None:
    """Wait for all that is being done."""
    await hass.async_block_till_done(wait_background_tasks=True)


async def nap() -> None:
    """Have everything go on that does not wait for the server."""
    await asyncio.sleep(0.1)


async def elapse(hass: HomeAssistant, pass_time: PassTime, seconds: float) -> None:
    """Let time pass, and wait for what is done then."""
    pass_time(seconds)
    await nap()
    await settle(hass)


async def look_after(hass: HomeAssistant) -> ConfigEntry:
    """Set up our entry."""
    entry = await async_get_or_create_entry(hass)
    await settle(hass)
    return entry


async def enter(
    hass: HomeAssistant,
    secret: str = SECRET,
    client_id: str = "id",
    domain: str = "acme",
    name: str | None = None,
) -> ApplicationCredential:
    """Enter an application credential in Home Assistant's own dialog."""
    collection = hass.data[application_credentials.DATA_COMPONENT]
    item = {"domain": domain, "client_id": client_id, "client_secret": secret}
    item = await collection.async_create_item(item | ({"name": name} if name else {}))
    await settle(hass)
    return async_get_application_credentials(hass)[item["id"]]


async def import_one(
    hass: HomeAssistant, secret: str = SECRET, auth_domain: str = "acme", client_id: str = "id"
) -> ApplicationCredential:
    """Import an application credential, as integrations do."""
    credential = ClientCredential(client_id, secret, "user@example.com")
    await async_import_client_credential(hass, "acme", credential, auth_domain)
    await settle(hass)
    return async_get_application_credentials(hass)[f"acme_{client_id}"]


async def rotate(hass: HomeAssistant, secret: str = SECRET, item_id: str = "acme_id") -> None:
    """Change the stored secret without anybody noticing, as if it were rotated at the server."""
    collection = hass.data[application_credentials.DATA_COMPONENT]
    collection.data[item_id] = {**collection.data[item_id], "client_secret": secret}


async def add_entry(
    hass: HomeAssistant,
    name: str = "acme_id",
    domain: str = "acme",
    *,
    entry_id: str | None = None,
    **data: object,
) -> MockConfigEntry:
    """Add an entry of the integration whose token has expired, and set it up."""
    token = {"access_token": f"{SENTINEL}-a", "refresh_token": f"{SENTINEL}-r", "expires_at": 0}
    entry = MockConfigEntry(
        domain=domain,
        title="Account",
        data={"auth_implementation": name, "token": token, **data},
        entry_id=entry_id,
    )
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)
    return entry


def logins(hass: HomeAssistant) -> list[str]:
    """Return the entries that are asked for a login."""
    return [
        flow["context"]["entry_id"]
        for flow in hass.config_entries.flow.async_progress()
        if flow["context"]["source"] == SOURCE_REAUTH
    ]


def login_issues(hass: HomeAssistant) -> list[str]:
    """Return Home Assistant's issues about logins."""
    return [
        issue_id
        for domain, issue_id in ir.async_get(hass).issues
        if domain == HOMEASSISTANT_DOMAIN and issue_id.startswith("config_entry_reauth")
    ]


def repairs(hass: HomeAssistant) -> list[str]:
    """Return the issues about rejected application credentials."""
    return [one for one in issue_ids(hass) if one.startswith("application_credential_rejected_")]

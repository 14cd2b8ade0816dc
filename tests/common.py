"""What several test modules share."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
import time
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from homeassistant.config_entries import (
    SOURCE_USER,
    ConfigEntry,
    ConfigFlowResult,
    ConfigSubentry,
    SubentryFlowResult,
)
from homeassistant.const import CONF_DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, section
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
import voluptuous as vol

from custom_components.developer_credentials import DeveloperCredential
from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.credentials.store import (
    SUBENTRY_TYPE,
    async_get_by_key,
)
from custom_components.developer_credentials.oauth2.redirect_uri import RedirectUri
from custom_components.developer_credentials.testing import async_add_credential
from demo.browser import log_in

# Part of every secret that a test uses; no log may have it.
SENTINEL = "sentinel-3f9c"

# Home Assistant's, by the fixture current_request_with_host.
REDIRECT_URI = "https://example.com/auth/external/callback"

# A developer_credentials.py as small as it gets.
PLATFORM = """
from custom_components.developer_credentials import AuthorizationServer

async def async_get_authorization_server(hass):
    return AuthorizationServer("https://cloud.example/authorize", "https://cloud.example/token")
"""

# The same, with a server that is not there.
OFFLINE_PLATFORM = PLATFORM.replace("https://cloud.example", "http://127.0.0.1:9")

# The config_flow.py of an integration that has entries log in again.
CONFIG_FLOW = """
import logging
from custom_components.developer_credentials import DeveloperCredentialsFlowHandler

class Flow(DeveloperCredentialsFlowHandler, domain="acme"):
    DOMAIN = "acme"
    logger = logging.getLogger(__name__)

    async def async_step_reauth(self, entry_data):
        return self.async_show_form(step_id="reauth")
"""


async def add_credential(
    hass: HomeAssistant,
    domain: str,
    client_id: str = "client-id",
    client_secret: str = SENTINEL,
    name: str | None = None,
    redirect_uri: RedirectUri = RedirectUri.DEFAULT,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> ConfigSubentry:
    """Store a credential, and return its subentry."""
    credential = DeveloperCredential(
        client_id, client_secret, name, redirect_uri=redirect_uri, variables=variables
    )
    auth_domain = await async_add_credential(hass, domain, credential)
    await hass.async_block_till_done()
    subentry = async_get_by_key(hass, (domain, auth_domain))
    assert subentry is not None
    return subentry


async def begin_adding(hass: HomeAssistant, domain: str = "demo_cloud") -> ConfigFlowResult:
    """Go to the form of a new credential, as from "Add integration"; set this one up before."""
    flow = hass.config_entries.flow
    step = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    if step["step_id"] == "set_up":
        step = await flow.async_configure(step["flow_id"], {})
        await hass.async_block_till_done()
    if step["type"] is FlowResultType.MENU:
        step = await flow.async_configure(step["flow_id"], {"next_step_id": "integration"})
    return await flow.async_configure(step["flow_id"], {CONF_DOMAIN: domain})


async def begin_adding_in_list(
    hass: HomeAssistant, domain: str = "demo_cloud"
) -> SubentryFlowResult:
    """Go to the form of a new credential, as from "Add credential" of the entry."""
    flow = hass.config_entries.subentries
    handler = (entry_of(hass).entry_id, SUBENTRY_TYPE)
    step = await flow.async_init(handler, context={"source": SOURCE_USER})
    return await flow.async_configure(step["flow_id"], {CONF_DOMAIN: domain})


def entry_of(hass: HomeAssistant) -> ConfigEntry:
    """Return the one config entry of this integration."""
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    return entry


def stored(hass: HomeAssistant) -> list[dict[str, Any]]:
    """Return the data of all credentials, oldest first."""
    return [dict(subentry.data) for subentry in entry_of(hass).subentries.values()]


def suggested(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return what each field of a form shows, those of its sections among the others."""
    values: dict[str, Any] = {}

    def read(schema: vol.Schema) -> None:
        for key, field in schema.schema.items():
            if isinstance(field, section):
                read(field.schema)
            else:
                values[str(key)] = (key.description or {}).get("suggested_value")

    read(step["data_schema"])
    return values


def collapsed(step: Mapping[str, Any]) -> bool:
    """Return whether the section of a form is closed."""
    return bool(step["data_schema"].schema["more"].options["collapsed"])


async def log_in_and_return(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, step: ConfigFlowResult
) -> ConfigFlowResult:
    """Log in at the server, follow its redirect to Home Assistant; return what comes of it."""
    assert step["type"] is FlowResultType.EXTERNAL_STEP
    redirect = urlsplit(await log_in(step["url"], "demo", "demo"))
    browser = await hass_client_no_auth()
    response = await browser.get(f"{redirect.path}?{redirect.query}")
    assert response.status == HTTPStatus.OK
    result = await hass.config_entries.flow.async_configure(step["flow_id"])
    await hass.async_block_till_done()
    return result


async def begin_repair(hass_client: ClientSessionGenerator, issue_id: str) -> dict[str, Any]:
    """Begin to repair an issue, as the frontend does, and return the first step."""
    client = await hass_client()
    data = {"handler": DOMAIN, "issue_id": issue_id}
    response = await client.post("/api/repairs/issues/fix", json=data)
    assert response.status == HTTPStatus.OK, await response.text()
    step: dict[str, Any] = await response.json()
    return step


async def continue_repair(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    step: dict[str, Any],
    user_input: dict[str, Any],
) -> dict[str, Any]:
    """Submit a step of a repair, and return the next one."""
    client = await hass_client()
    response = await client.post(f"/api/repairs/issues/fix/{step['flow_id']}", json=user_input)
    assert response.status == HTTPStatus.OK, await response.text()
    next_step: dict[str, Any] = await response.json()
    await hass.async_block_till_done()
    return next_step


def full_width(text: str) -> str:
    """Return a text in the full-width forms of its characters, which look much the same."""
    return "".join(chr(ord(char) + 0xFEE0) for char in text)


def issue_ids(hass: HomeAssistant) -> list[str]:
    """Return the ids of this integration's issues."""
    return sorted(issue_id for domain, issue_id in ir.async_get(hass).issues if domain == DOMAIN)


def seconds_of(work: Callable[[], object]) -> float:
    """Return the seconds of the processor that some work takes, at its quickest of five times.

    Other processes take turns on the same processor, and the first time may compile something.
    """

    def once() -> float:
        started = time.thread_time()
        work()
        return time.thread_time() - started

    return min(once() for _ in range(5))

"""What several test modules share."""

from http import HTTPStatus
from urllib.parse import urlsplit

from homeassistant.config_entries import SOURCE_USER, ConfigEntry, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.developer_credentials.const import DOMAIN
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


async def add_credential(
    hass: HomeAssistant,
    domain: str,
    client_id: str = "client-id",
    client_secret: str = SENTINEL,
    name: str | None = None,
) -> ConfigFlowResult:
    """Add a credential by the config flow, as a person does; return the flow's last step."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    if result["step_id"] == "user":
        result = await hass.config_entries.flow.async_configure(
            result["flow_id"], {"domain": domain}
        )
    user_input = {"client_id": client_id, "client_secret": client_secret}
    if name is not None:
        user_input["name"] = name
    result = await hass.config_entries.flow.async_configure(result["flow_id"], user_input)
    await hass.async_block_till_done()
    return result


def entry_of(hass: HomeAssistant) -> ConfigEntry:
    """Return the one config entry of this integration."""
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    return entry


def stored(hass: HomeAssistant) -> list[dict[str, str | None]]:
    """Return the data of all credentials, oldest first."""
    return [dict(subentry.data) for subentry in entry_of(hass).subentries.values()]


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

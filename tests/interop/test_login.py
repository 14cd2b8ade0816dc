"""The whole conversation with a certified server."""

from collections.abc import Iterator

from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from tests.common import REDIRECT_URI, SENTINEL, add_credential, log_in_and_return
from tests.conftest import Install

from .peer import OidcProvider

pytestmark = [
    pytest.mark.interop,
    pytest.mark.usefixtures("setup", "current_request_with_host"),
]

SECRET = f"{SENTINEL}%&+='\"\\ ;:"

PLATFORM = """
from custom_components.developer_credentials import AuthorizationServer

async def async_get_authorization_server(hass):
    return AuthorizationServer("{url}/auth", "{url}/token")
"""

CONFIG_FLOW = """
import logging
from homeassistant.helpers.config_entry_oauth2_flow import AbstractOAuth2FlowHandler

class Flow(AbstractOAuth2FlowHandler, domain="acme"):
    DOMAIN = "acme"

    @property
    def logger(self):
        return logging.getLogger(__name__)

    @property
    def extra_authorize_data(self):
        return {"scope": "account"}
"""

INIT = """
from homeassistant.helpers.config_entry_oauth2_flow import (
    OAuth2Session, async_get_config_entry_implementation
)

async def async_setup_entry(hass, entry):
    implementation = await async_get_config_entry_implementation(hass, entry)
    entry.runtime_data = OAuth2Session(hass, entry, implementation)
    return True
"""


@pytest.fixture
def provider(socket_enabled: None, install: Install) -> Iterator[OidcProvider]:
    """Run oidc-provider with one client, and install an integration for it."""
    client = {
        "client_id": "app",
        "client_secret": SECRET,
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "client_secret_post",
    }
    with OidcProvider([client], access_token_lifetime=5) as provider:
        platform = PLATFORM.format(url=provider.url)
        install("acme", platform, config_flow=CONFIG_FLOW, __init__=INIT)
        yield provider


async def test_login_and_refresh(
    hass: HomeAssistant,
    provider: OidcProvider,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """A login gives a working entry, whose tokens rotate."""
    await add_credential(hass, "acme", "app", SECRET, "My app")
    flow = hass.config_entries.flow
    step = await flow.async_init("acme", context={"source": SOURCE_USER})
    result = await log_in_and_return(hass, hass_client_no_auth, step)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    assert entry.title == "My app"
    assert entry.data["auth_implementation"] == "acme_app"
    tokens = [entry.data["token"]]
    for _ in range(2):
        await entry.runtime_data.async_ensure_token_valid()
        tokens.append(entry.data["token"])
    for name in ("access_token", "refresh_token"):
        assert len({token[name] for token in tokens}) == len(tokens)


async def test_wrong_secret(
    hass: HomeAssistant,
    provider: OidcProvider,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """A client that the server does not accept ends the flow; it is not the login that failed."""
    await add_credential(hass, "acme", "app", f"{SECRET}-wrong")
    flow = hass.config_entries.flow
    step = await flow.async_init("acme", context={"source": SOURCE_USER})
    result = await log_in_and_return(hass, hass_client_no_auth, step)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "oauth_failed"

"""The whole conversation with a certified server."""

from collections.abc import Iterator

from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.developer_credentials import DeveloperCredential, async_revoke_token
from custom_components.developer_credentials.oauth2.errors import InvalidGrantError
from custom_components.developer_credentials.oauth2.verification import Outcome, async_verify
from custom_components.developer_credentials.platform import async_get_platform
from tests.common import REDIRECT_URI, SENTINEL, add_credential, entry_of, log_in_and_return
from tests.conftest import Install

from .peer import OidcProvider

pytestmark = [
    pytest.mark.interop,
    pytest.mark.usefixtures("setup", "current_request_with_host"),
]

SECRET = f"{SENTINEL}%&+='\"\\ ;:"

DECLARED = """
from custom_components.developer_credentials import AuthorizationServer

async def async_get_authorization_server(hass):
    return AuthorizationServer(
        "{url}/auth",
        "{url}/token",
        scopes=["account"],
        pkce={pkce},
        token_endpoint_auth_method="{method}",
        revocation_url="{url}/token/revocation",
    )
"""

DISCOVERED = """
from custom_components.developer_credentials import async_discover_authorization_server

async def async_get_authorization_server(hass):
    return await async_discover_authorization_server(hass, "{url}", scopes=["account"])
"""

# Platform, PKCE, and how the client is registered, which is how it authenticates.
SERVERS = {
    "post": (DECLARED, False, "client_secret_post"),
    "basic and PKCE": (DECLARED, True, "client_secret_basic"),
    "public": (DECLARED, None, "none"),
    "discovered": (DISCOVERED, None, "client_secret_basic"),
    "discovered, public": (DISCOVERED, None, "none"),
}

CONFIG_FLOW = """
import logging
from homeassistant.helpers.config_entry_oauth2_flow import AbstractOAuth2FlowHandler

class Flow(AbstractOAuth2FlowHandler, domain="acme"):
    DOMAIN = "acme"

    @property
    def logger(self):
        return logging.getLogger(__name__)
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


@pytest.fixture(params=SERVERS.values(), ids=list(SERVERS))
def secret(
    request: pytest.FixtureRequest, hass: HomeAssistant, socket_enabled: None, install: Install
) -> Iterator[str]:
    """Run oidc-provider with one client, install an integration for it; return the secret."""
    platform, pkce, method = request.param
    client: dict[str, str | list[str]] = {
        "client_id": "app",
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": method,
    }
    secret = "" if method == "none" else SECRET
    if secret:
        client["client_secret"] = secret
    with OidcProvider([client], access_token_lifetime=5) as provider:
        platform = platform.format(url=provider.url, pkce=pkce, method=method)
        install("acme", platform, config_flow=CONFIG_FLOW, __init__=INIT)
        yield secret


async def test_login_refresh_and_revocation(
    hass: HomeAssistant, secret: str, hass_client_no_auth: ClientSessionGenerator
) -> None:
    """A login gives a working entry, whose tokens rotate, until they are revoked."""
    await add_credential(hass, "acme", "app", secret, "My app")
    flow = hass.config_entries.flow
    step = await flow.async_init("acme", context={"source": SOURCE_USER})
    result = await log_in_and_return(hass, hass_client_no_auth, step)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    assert entry.title == "My app"
    assert entry.data["auth_implementation"] == "acme_app"
    tokens = [entry.data["token"]]
    assert tokens[0]["scope"] == "account"
    for _ in range(2):
        await entry.runtime_data.async_ensure_token_valid()
        tokens.append(entry.data["token"])
    for name in ("access_token", "refresh_token"):
        assert len({token[name] for token in tokens}) == len(tokens)
    await async_revoke_token(hass, entry)
    with pytest.raises(InvalidGrantError):
        await entry.runtime_data.async_ensure_token_valid()


async def test_wrong_client(
    hass: HomeAssistant, secret: str, hass_client_no_auth: ClientSessionGenerator
) -> None:
    """A client that the server does not accept ends the flow; it is not the login that failed."""
    subentry = await add_credential(hass, "acme", "app", secret)
    flow = hass.config_entries.flow
    step = await flow.async_init("acme", context={"source": SOURCE_USER})
    # The login page knows the client id; so that only the token endpoint rejects the client, it
    # becomes a wrong one while the user logs in.
    wrong = {"client_secret": f"{secret}-wrong"} if secret else {"client_id": "other"}
    hass.config_entries.async_update_subentry(
        entry_of(hass), subentry, data={**subentry.data, **wrong}
    )
    await hass.async_block_till_done()
    result = await log_in_and_return(hass, hass_client_no_auth, step)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "oauth_failed"


async def test_verification(hass: HomeAssistant, secret: str) -> None:
    """The client is known; with another secret, or another id, it is not."""
    platform = await async_get_platform(hass, "acme")
    assert platform is not None
    server = await platform.async_get_authorization_server(hass)
    right = DeveloperCredential("app", secret)
    wrong = DeveloperCredential("other", secret)
    for credential, outcome in ((right, Outcome.ACCEPTED), (wrong, Outcome.REJECTED)):
        found = await async_verify(hass, server, credential, REDIRECT_URI)
        assert found.outcome is outcome
        assert found.credential == credential

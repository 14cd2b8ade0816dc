"""The whole conversation: Home Assistant's OAuth2 flow, this integration, and a real server."""

from importlib import import_module
from unittest.mock import patch

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_USER,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.developer_credentials.const import DOMAIN
from demo.authorization_server import DemoAuthorizationServer
from tests.common import (
    REDIRECT_URI,
    SENTINEL,
    add_credential,
    entry_of,
    log_in_and_return,
)

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host")

SENSOR = "sensor.demo_account_requests"

SECRETS = {
    "plain": SENTINEL,
    "special": f"{SENTINEL}%&+='\"\\ ;:/?#",
    "percent": f"%41{SENTINEL}%2B",
    "unicode": f"ü日本{SENTINEL}😀",
    "long": SENTINEL + "x" * (4096 - len(SENTINEL)),
}


@pytest.fixture
def client(demo_cloud: DemoAuthorizationServer) -> None:
    """Register the client of the tests at Demo Cloud."""
    demo_cloud.add_client("client-id", client_secret=SENTINEL, redirect_uris=(REDIRECT_URI,))


async def _begin(hass: HomeAssistant) -> ConfigFlowResult:
    return await hass.config_entries.flow.async_init("demo_cloud", context={"source": SOURCE_USER})


def _account(hass: HomeAssistant) -> ConfigEntry:
    (entry,) = hass.config_entries.async_entries("demo_cloud")
    return entry


@pytest.mark.parametrize("secret", SECRETS.values(), ids=list(SECRETS))
async def test_login(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
    secret: str,
) -> None:
    """With one credential the flow goes straight to the server, and ends in a working entry."""
    demo_cloud.add_client("client-id", client_secret=secret, redirect_uris=(REDIRECT_URI,))
    await add_credential(hass, "demo_cloud", client_secret=secret)
    result = await log_in_and_return(hass, hass_client_no_auth, await _begin(hass))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = _account(hass)
    assert entry.state is ConfigEntryState.LOADED
    assert entry.data["auth_implementation"] == "demo_cloud_client_id"
    assert int(hass.states.get(SENSOR).state) > 0  # type: ignore[union-attr]

    # RFC 6749, sections 4.1.3 and 6; RFC 7636, section 4.5.
    by_code, by_refresh_token, *_ = [request.form for request in demo_cloud.token_requests]
    assert by_code.pop("code")
    assert 43 <= len(by_code.pop("code_verifier")) <= 128
    assert by_code == {
        "grant_type": "authorization_code",
        "redirect_uri": REDIRECT_URI,
        "client_id": "client-id",
        "client_secret": secret,
    }
    assert by_refresh_token.pop("refresh_token")
    assert by_refresh_token == {
        "grant_type": "refresh_token",
        "client_id": "client-id",
        "client_secret": secret,
    }


async def test_pick(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
    client: None,
) -> None:
    """With several credentials the user picks one by its name, and the entry keeps which."""
    await add_credential(hass, "demo_cloud", "other", name="First")
    await add_credential(hass, "demo_cloud", name="Second")
    step = await _begin(hass)
    assert step["step_id"] == "pick_implementation"
    assert step["data_schema"] is not None
    (choices,) = step["data_schema"].schema.values()
    assert choices.container == {
        "demo_cloud_other": "First",
        "demo_cloud_client_id": "Second",
    }
    step = await hass.config_entries.flow.async_configure(
        step["flow_id"], {"implementation": "demo_cloud_client_id"}
    )
    await log_in_and_return(hass, hass_client_no_auth, step)
    assert _account(hass).data["auth_implementation"] == "demo_cloud_client_id"


async def test_credential_from_yaml(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, client: None
) -> None:
    """The entry of a credential from YAML has the integration's domain as its implementation."""
    hass.config.components.remove(DOMAIN)
    item = {"domain": "demo_cloud", "client_id": "client-id", "client_secret": SENTINEL}
    assert await async_setup_component(hass, DOMAIN, {DOMAIN: [item]})
    await log_in_and_return(hass, hass_client_no_auth, await _begin(hass))
    assert _account(hass).data["auth_implementation"] == "demo_cloud"


async def test_refresh_and_reload(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
    client: None,
) -> None:
    """An expired token is refreshed, with rotation, and the entry outlives reloads of both."""
    await add_credential(hass, "demo_cloud")
    await log_in_and_return(hass, hass_client_no_auth, await _begin(hass))
    entry = _account(hass)
    tokens = [entry.data["token"]]
    for reloaded in (entry, entry_of(hass), entry):
        demo_cloud.expire_access_tokens()
        assert await hass.config_entries.async_reload(reloaded.entry_id)
        await entry.runtime_data.async_refresh()
        assert entry.runtime_data.last_update_success
        tokens.append(entry.data["token"])
    assert len({token["refresh_token"] for token in tokens}) == len(tokens)
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_reauth(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
    client: None,
) -> None:
    """Where the server has forgotten the refresh token, the user logs in again."""
    await add_credential(hass, "demo_cloud")
    await log_in_and_return(hass, hass_client_no_auth, await _begin(hass))
    demo_cloud.revoke_refresh_tokens()
    await _account(hass).runtime_data.async_refresh()
    await hass.async_block_till_done()
    (flow,) = hass.config_entries.flow.async_progress_by_handler("demo_cloud")
    assert flow["context"]["source"] == SOURCE_REAUTH
    step = await hass.config_entries.flow.async_configure(flow["flow_id"], {})
    result = await log_in_and_return(hass, hass_client_no_auth, step)
    assert result["reason"] == "reauth_successful"
    assert _account(hass).state is ConfigEntryState.LOADED


async def test_another_account(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
    client: None,
) -> None:
    """Demo Cloud's flow keeps accounts apart: a reauth is for the same one."""
    await add_credential(hass, "demo_cloud")
    await log_in_and_return(hass, hass_client_no_auth, await _begin(hass))
    entry = _account(hass)
    hass.config_entries.async_update_entry(entry, unique_id="somebody else")
    entry.async_start_reauth(hass)
    await hass.async_block_till_done()
    (flow,) = hass.config_entries.flow.async_progress_by_handler("demo_cloud")
    step = await hass.config_entries.flow.async_configure(flow["flow_id"], {})
    result = await log_in_and_return(hass, hass_client_no_auth, step)
    assert result["reason"] == "wrong_account"


async def test_api_does_not_answer(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, client: None
) -> None:
    """Demo Cloud's flow says so where its API does not answer."""
    await add_credential(hass, "demo_cloud")
    step = await _begin(hass)
    with patch("custom_components.demo_cloud.api.ACCOUNT_URL", "http://127.0.0.1:9/"):
        result = await log_in_and_return(hass, hass_client_no_auth, step)
    assert result["reason"] == "account_unavailable"


async def test_diagnostics(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, client: None
) -> None:
    """The diagnostics of Demo Cloud have the account, and no token."""
    await add_credential(hass, "demo_cloud")
    await log_in_and_return(hass, hass_client_no_auth, await _begin(hass))
    entry = _account(hass)
    diagnostics = import_module("custom_components.demo_cloud.diagnostics")
    data = await diagnostics.async_get_config_entry_diagnostics(hass, entry)
    assert data["account"]["name"] == "Demo account"
    assert data["entry"] == {
        "auth_implementation": "demo_cloud_client_id",
        "token": "**REDACTED**",
    }


async def test_unload_leaves_nothing(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, client: None
) -> None:
    """Unloading and removing both entries leaves no credential, no flow and no state."""
    await add_credential(hass, "demo_cloud")
    await log_in_and_return(hass, hass_client_no_auth, await _begin(hass))
    for entry in (_account(hass), entry_of(hass)):
        await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.config_entries.async_entries() == []
    assert hass.config_entries.flow.async_progress() == []
    assert hass.states.async_all() == []

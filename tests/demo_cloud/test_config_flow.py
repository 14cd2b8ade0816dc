"""Tests of the dialogs: adding an account, and logging in again."""

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from pytest_homeassistant_custom_component.test_util.aiohttp import AiohttpClientMocker

from custom_components.developer_credentials import DeveloperCredential
from custom_components.developer_credentials.testing import (
    CREDENTIAL,
    MockAuthorizationServer,
    async_add_credential,
    async_log_in,
    async_log_in_again,
    async_reconfigure,
)

from . import ACCOUNT, API, DOMAIN, reload_expired

SECRET = {"client_secret": CREDENTIAL.client_secret}


async def test_log_in(hass: HomeAssistant, server: MockAuthorizationServer) -> None:
    """With a credential, the login makes the entry of the account."""
    auth_implementation = await async_add_credential(hass, DOMAIN)
    result = await async_log_in(hass, DOMAIN)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    assert (entry.title, entry.unique_id) == ("Demo account", "demo")
    assert entry.data["auth_implementation"] == auth_implementation
    assert entry.state is ConfigEntryState.LOADED
    assert server.authorization_requests[0]["scope"] == "account"


async def test_second_credential(hass: HomeAssistant, server: MockAuthorizationServer) -> None:
    """Where there are several credentials, the user picks one of them."""
    await async_add_credential(hass, DOMAIN)
    server.clients["second"] = ""
    second = await async_add_credential(hass, DOMAIN, DeveloperCredential("second"))
    result = await async_log_in(hass, DOMAIN, {"implementation": second})
    assert result["result"].data["auth_implementation"] == second
    assert server.token_requests[0]["client_id"] == "second"


async def test_without_a_credential(hass: HomeAssistant) -> None:
    """The dialog asks for the credential, and goes on with the login."""
    result = await async_log_in(hass, DOMAIN)
    assert result["type"] is FlowResultType.FORM
    result = await async_log_in(hass, DOMAIN, {"client_id": CREDENTIAL.client_id, **SECRET})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_secret_is_corrected(hass: HomeAssistant, server: MockAuthorizationServer) -> None:
    """A secret that the server rejects during the login is corrected in the same dialog."""
    await async_add_credential(hass, DOMAIN)
    server.clients[CREDENTIAL.client_id] = "rotated"
    result = await async_log_in(hass, DOMAIN)
    assert result["errors"] == {"base": "rejected"}
    result = await async_log_in(hass, DOMAIN, {"client_secret": "rotated"})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_same_account(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """An account is added once."""
    result = await async_log_in(hass, DOMAIN)
    assert result["reason"] == "already_configured"


async def test_api_is_away(hass: HomeAssistant, api: AiohttpClientMocker) -> None:
    """Where the API does not answer, the dialog says so."""
    api.clear_requests()
    api.get(API, status=503)
    await async_add_credential(hass, DOMAIN)
    result = await async_log_in(hass, DOMAIN)
    assert result["reason"] == "account_unavailable"


async def test_refused_grant(
    hass: HomeAssistant, server: MockAuthorizationServer, entry: ConfigEntry
) -> None:
    """Where the server has forgotten the login, the user logs in again."""
    server.refuse_grants()
    await reload_expired(hass, entry)
    result = await async_log_in_again(hass, entry)
    assert result["reason"] == "reauth_successful"
    assert entry.state is ConfigEntryState.LOADED


async def test_another_account(
    hass: HomeAssistant, api: AiohttpClientMocker, entry: ConfigEntry
) -> None:
    """Whoever logs in again has to be the same."""
    api.clear_requests()
    api.get(API, json={**ACCOUNT, "id": "another"})
    entry.async_start_reauth(hass)
    result = await async_log_in_again(hass, entry)
    assert result["reason"] == "wrong_account"
    assert entry.unique_id == "demo"


async def test_client_id_is_corrected(
    hass: HomeAssistant, server: MockAuthorizationServer, entry: ConfigEntry
) -> None:
    """With another client, which is entered from the account, the user logs in again."""
    server.clients["new"] = CREDENTIAL.client_secret
    answers = {"next_step_id": "reconfigure_edit", "client_id": "new"}
    result = await async_reconfigure(hass, entry, answers)
    assert result["reason"] == "reauth_successful"
    assert server.token_requests[-1]["client_id"] == "new"
    assert entry.state is ConfigEntryState.LOADED


async def test_secret_is_corrected_from_the_account(
    hass: HomeAssistant, server: MockAuthorizationServer, entry: ConfigEntry
) -> None:
    """A secret that was rotated is entered from the account, whose login stays."""
    token = entry.data["token"]
    server.clients[CREDENTIAL.client_id] = "rotated"
    answers = {"next_step_id": "reconfigure_edit", "client_secret": "rotated"}
    result = await async_reconfigure(hass, entry, answers)
    assert result["reason"] == "credential_saved"
    assert entry.data["token"] == token
    assert await reload_expired(hass, entry) is ConfigEntryState.LOADED


async def test_log_in_again_from_the_account(
    hass: HomeAssistant, api: AiohttpClientMocker, entry: ConfigEntry
) -> None:
    """The user renews the login, as the same one."""
    token = entry.data["token"]
    answers = {"next_step_id": "reconfigure_log_in"}
    result = await async_reconfigure(hass, entry, answers)
    assert result["reason"] == "reauth_successful"
    assert entry.data["token"] != token
    api.clear_requests()
    api.get(API, json={**ACCOUNT, "id": "another"})
    result = await async_reconfigure(hass, entry, answers)
    assert result["reason"] == "wrong_account"


async def test_second_account(
    hass: HomeAssistant, api: AiohttpClientMocker, entry: ConfigEntry
) -> None:
    """Another account is added beside the first one."""
    api.clear_requests()
    api.get(API, json={**ACCOUNT, "id": "another", "name": "Another"})
    result = await async_log_in(hass, DOMAIN)
    assert result["result"].title == "Another"
    assert len(hass.config_entries.async_entries(DOMAIN)) == 2

"""Tests of an account's entry: its token, and what becomes of it."""

from http import HTTPStatus

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from pytest_homeassistant_custom_component.test_util.aiohttp import AiohttpClientMocker

from custom_components.developer_credentials.testing import (
    CREDENTIAL,
    MockAuthorizationServer,
    async_log_in_again,
    async_repair,
)

from . import API, DOMAIN, reload_expired


async def test_refresh(
    hass: HomeAssistant,
    server: MockAuthorizationServer,
    api: AiohttpClientMocker,
    entry: ConfigEntry,
) -> None:
    """An expired token is refreshed, and the API gets the new one."""
    before = entry.data["token"]
    await reload_expired(hass, entry)
    token = entry.data["token"]
    assert server.token_requests[-1]["refresh_token"] == before["refresh_token"]
    assert token["refresh_token"] != before["refresh_token"]
    *_, headers = api.mock_calls[-1]
    assert headers["authorization"] == f"Bearer {token['access_token']}"


async def test_rejected_client(
    hass: HomeAssistant, server: MockAuthorizationServer, entry: ConfigEntry
) -> None:
    """A secret that was rotated is a repair; with the new one the account is back."""
    server.clients[CREDENTIAL.client_id] = "rotated"
    assert await reload_expired(hass, entry) is ConfigEntryState.SETUP_RETRY
    result = await async_repair(hass, DOMAIN, {"client_secret": "rotated"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.state is ConfigEntryState.LOADED


async def test_server_is_away(
    hass: HomeAssistant, server: MockAuthorizationServer, entry: ConfigEntry
) -> None:
    """While the server is away, the entry waits for it."""
    server.away = True
    assert await reload_expired(hass, entry) is ConfigEntryState.SETUP_RETRY
    server.away = False
    assert await reload_expired(hass, entry) is ConfigEntryState.LOADED


async def test_token_is_revoked(
    hass: HomeAssistant, api: AiohttpClientMocker, entry: ConfigEntry
) -> None:
    """Where the API does not know the token any more, the user logs in again."""
    api.clear_requests()
    api.get(API, status=HTTPStatus.UNAUTHORIZED)
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    result = await async_log_in_again(hass, entry)
    assert result["reason"] == "account_unavailable"


async def test_remove(
    hass: HomeAssistant, server: MockAuthorizationServer, entry: ConfigEntry
) -> None:
    """The login ends with the entry."""
    token = entry.data["token"]
    await hass.config_entries.async_remove(entry.entry_id)
    assert server.revoked_tokens == [token["refresh_token"]]

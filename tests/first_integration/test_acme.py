"""Tests of Acme: an account, and what becomes of its login."""

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from custom_components.developer_credentials.testing import (
    CREDENTIAL,
    MockAuthorizationServer,
    async_expire_token,
    async_log_in,
    async_log_in_again,
    async_reconfigure,
    async_repair,
)


async def _reload_expired(hass: HomeAssistant, entry: ConfigEntry) -> ConfigEntryState:
    """Reload the account, whose token has expired meanwhile; return the state of its entry."""
    async_expire_token(hass, entry)
    await hass.config_entries.async_reload(entry.entry_id)
    return entry.state


async def test_from_nothing(hass: HomeAssistant) -> None:
    """Without a credential, the dialog asks for one, and goes on to the login."""
    answers = {"client_id": CREDENTIAL.client_id, "client_secret": CREDENTIAL.client_secret}
    result = await async_log_in(hass, "acme", answers)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_rotated_secret(
    hass: HomeAssistant, server: MockAuthorizationServer, entry: ConfigEntry
) -> None:
    """A secret that was rotated is a repair; with the new one the account is back."""
    server.clients[CREDENTIAL.client_id] = "rotated"
    assert await _reload_expired(hass, entry) is ConfigEntryState.SETUP_RETRY
    await async_repair(hass, "acme", {"client_secret": "rotated"})
    assert entry.state is ConfigEntryState.LOADED


async def test_another_account(
    hass: HomeAssistant, server: MockAuthorizationServer, entry: ConfigEntry
) -> None:
    """Who logs in again has to be the same."""
    server.claims["sub"] = "somebody else"
    entry.async_start_reauth(hass)
    assert (await async_log_in_again(hass, entry))["reason"] == "wrong_account"


async def test_reconfigure(
    hass: HomeAssistant, server: MockAuthorizationServer, entry: ConfigEntry
) -> None:
    """The secret is corrected from the menu of the account, whose login stays."""
    server.clients[CREDENTIAL.client_id] = "rotated"
    answers = {"next_step_id": "reconfigure_edit", "client_secret": "rotated"}
    assert (await async_reconfigure(hass, entry, answers))["reason"] == "credential_saved"
    assert await _reload_expired(hass, entry) is ConfigEntryState.LOADED

"""Fixtures of Acme's tests."""

from collections.abc import AsyncIterator

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
import pytest

from custom_components.developer_credentials.testing import (
    MockAuthorizationServer,
    async_add_credential,
    async_log_in,
)


@pytest.fixture(autouse=True)
def custom_integrations(enable_custom_integrations: None) -> None:
    """Let Home Assistant find the custom integrations."""


@pytest.fixture(autouse=True)
async def server(
    hass: HomeAssistant, socket_enabled: None
) -> AsyncIterator[MockAuthorizationServer]:
    """Run an authorization server in the place of Acme's."""
    async with MockAuthorizationServer(hass) as server:
        yield server


@pytest.fixture
async def entry(hass: HomeAssistant) -> ConfigEntry:
    """Log in with a credential that is there."""
    await async_add_credential(hass, "acme")
    return (await async_log_in(hass, "acme"))["result"]

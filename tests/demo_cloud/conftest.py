"""Fixtures of Demo Cloud's tests."""

from collections.abc import AsyncIterator

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.test_util.aiohttp import AiohttpClientMocker

from custom_components.developer_credentials.testing import (
    MockAuthorizationServer,
    async_add_credential,
    async_log_in,
)

from . import ACCOUNT, API, DOMAIN


@pytest.fixture(autouse=True)
def custom_integrations(enable_custom_integrations: None) -> None:
    """Let Home Assistant find the custom integrations."""


@pytest.fixture(autouse=True)
async def server(
    hass: HomeAssistant, socket_enabled: None
) -> AsyncIterator[MockAuthorizationServer]:
    """Run an authorization server in the place of Demo Cloud's."""
    async with MockAuthorizationServer(hass) as server:
        yield server


@pytest.fixture
async def entry(hass: HomeAssistant) -> ConfigEntry:
    """Log in with a credential that is there."""
    await async_add_credential(hass, DOMAIN)
    return (await async_log_in(hass, DOMAIN))["result"]


@pytest.fixture(autouse=True)
def api(aioclient_mock: AiohttpClientMocker) -> AiohttpClientMocker:
    """Let Demo Cloud's API have the account."""
    aioclient_mock.get(API, json=ACCOUNT)
    return aioclient_mock

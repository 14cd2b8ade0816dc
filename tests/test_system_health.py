"""Tests of the system health."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import (
    ImplementationUnavailableError,
    async_get_implementations,
)
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import get_system_health_info

from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.oauth2.errors import InvalidClientError
from tests.common import OFFLINE_PLATFORM, add_credential
from tests.conftest import Install
from tests.recording_server import RecordingServer, answer

pytestmark = pytest.mark.usefixtures("setup")


async def _info(hass: HomeAssistant) -> dict[str, object]:
    """Return the system health, with the checks done."""
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()
    info: dict[str, object] = await get_system_health_info(hass, DOMAIN)
    for key, value in info.items():
        if hasattr(value, "__await__"):
            info[key] = await value
    return info


async def test_nothing(hass: HomeAssistant) -> None:
    """Without credentials there is nothing to reach."""
    assert await _info(hass) == {
        "credentials": 0,
        "integrations": 1,
        "rejected_credentials": 0,
        "broken_platforms": 0,
    }


async def test_servers(hass: HomeAssistant, install: Install, server: RecordingServer) -> None:
    """Each host of a token endpoint is asked once, whatever the platforms are like."""
    there = OFFLINE_PLATFORM.replace("http://127.0.0.1:9", server.url)
    install("first", there)
    install("second", there)
    install("offline", OFFLINE_PLATFORM)
    install("broken", "raise RuntimeError")
    for domain in ("first", "second", "offline", "broken"):
        await add_credential(hass, domain)
    await add_credential(hass, "first", "another")
    with pytest.raises(ImplementationUnavailableError):
        await async_get_implementations(hass, "broken")
    assert await _info(hass) == {
        "credentials": 5,
        "integrations": 5,
        "rejected_credentials": 0,
        "broken_platforms": 1,
        "Broken": {"type": "failed", "error": "unknown"},
        server.url.removeprefix("http://"): "ok",
        "127.0.0.1:9": {"type": "failed", "error": "unreachable"},
    }
    assert [(request.method, request.path) for request in server.requests] == [("GET", "/")]


async def test_slow_platform(
    hass: HomeAssistant, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A platform that takes its time costs only its own line."""
    slow = "import asyncio\nasync def async_get_authorization_server(hass): await asyncio.sleep(9)"
    install("slow", slow)
    await add_credential(hass, "slow")
    monkeypatch.setattr(f"custom_components.{DOMAIN}.system_health.TIMEOUT", 0.1)
    info = await _info(hass)
    assert info["Slow"] == {"type": "failed", "error": "unknown"}
    assert info["credentials"] == 1


async def test_rejected(hass: HomeAssistant, install: Install, server: RecordingServer) -> None:
    """Rejected credentials are counted."""
    install("acme", OFFLINE_PLATFORM.replace("http://127.0.0.1:9", server.url))
    await add_credential(hass, "acme")
    (implementation,) = (await async_get_implementations(hass, "acme")).values()
    server.respond = answer({"error": "invalid_client"}, 401)
    with pytest.raises(InvalidClientError):
        await implementation.async_refresh_token({"refresh_token": "refresh"})
    assert (await _info(hass))["rejected_credentials"] == 1

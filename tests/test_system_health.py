"""Tests of the system health."""

from homeassistant.components.application_credentials import DATA_COMPONENT
from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import (
    ImplementationUnavailableError,
    async_get_implementations,
)
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import get_system_health_info

from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.core_credentials.collection import (
    async_get_application_credentials,
)
from custom_components.developer_credentials.core_credentials.options import CONF_LOOK_AFTER
from custom_components.developer_credentials.credentials.store import async_get_or_create_entry
from custom_components.developer_credentials.oauth2.errors import InvalidClientError
from custom_components.developer_credentials.watching.rejection import async_report
from tests.adopting.acme import adopt
from tests.common import OFFLINE_PLATFORM, SENTINEL, add_credential
from tests.conftest import Install
from tests.core_credentials.peer import SERVER
from tests.recording_server import RecordingServer, answer

OFFLINE = SERVER.format(url="http://127.0.0.1:9")

# A platform with a client of its own.
ODD = """
from homeassistant.helpers.config_entry_oauth2_flow import LocalOAuth2Implementation

async def async_get_auth_implementation(hass, auth_domain, credential):
    return LocalOAuth2Implementation(hass, auth_domain, "own", "", "http://127.0.0.1:9/a", "b")
"""

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
        "watched_application_credentials": 0,
        "rejected_application_credentials": 0,
        "adopted_application_credentials": 0,
        "not_adopted": "-",
        "private_api_unknown": "-",
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
        "watched_application_credentials": 0,
        "rejected_application_credentials": 0,
        "adopted_application_credentials": 0,
        "not_adopted": "-",
        "private_api_unknown": "-",
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


@pytest.mark.usefixtures("socket_enabled")
async def test_application_credentials(hass: HomeAssistant, install: Install) -> None:
    """Those of Home Assistant are counted while they are looked after, and which are rejected."""
    assert await async_setup_component(hass, "application_credentials", {})
    install("peer", application_credentials=SERVER.format(url="http://127.0.0.1:9"))
    entry = await async_get_or_create_entry(hass)
    for client_id in ("first", "second"):
        item = {"domain": "peer", "client_id": client_id, "client_secret": SENTINEL}
        await hass.data[DATA_COMPONENT].async_create_item(item)
    await hass.async_block_till_done()
    first, _ = async_get_application_credentials(hass).values()
    async_report(hass, first, "invalid_client")
    info = await _info(hass)
    assert info["watched_application_credentials"] == 2
    assert info["rejected_application_credentials"] == 1
    hass.config_entries.async_update_entry(entry, options={CONF_LOOK_AFTER: False})
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    info = await _info(hass)
    assert info["watched_application_credentials"] == 0
    hass.data["application_credentials"] = None
    assert async_get_application_credentials(hass) == {}
    assert (await _info(hass))["private_api_unknown"] == "collection of application credentials"


@pytest.mark.usefixtures("socket_enabled")
async def test_adoptions(hass: HomeAssistant, install: Install) -> None:
    """What was adopted is counted; what could not be is named, with the reason."""
    assert await async_setup_component(hass, "application_credentials", {})
    await adopt(hass)
    for domain, platform in (("acme", OFFLINE), ("odd", f"{OFFLINE}{ODD}")):
        install(domain, application_credentials=platform)
        for client_id in ("first", "second"):
            item = {"domain": domain, "client_id": client_id, "client_secret": SENTINEL}
            await hass.data[DATA_COMPONENT].async_create_item(item)
        await async_get_implementations(hass, domain)
    info = await _info(hass)
    assert info["adopted_application_credentials"] == 2
    assert info["not_adopted"] == "odd (other_client)"

"""Tests of revocation (RFC 7009)."""

import logging

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.developer_credentials import async_revoke_token
from custom_components.developer_credentials.const import LOGGER
from tests.common import SENTINEL, add_credential
from tests.conftest import Install
from tests.recording_server import RecordingServer, answer

pytestmark = pytest.mark.usefixtures("setup")

PLATFORM = """
from custom_components.developer_credentials import AuthorizationServer

async def async_get_authorization_server(hass):
    return AuthorizationServer(
        "{url}/authorize", "{url}/token", token_endpoint_auth_method="{method}", revocation_url={to}
    )
"""

OWN = """
from homeassistant.helpers.config_entry_oauth2_flow import LocalOAuth2Implementation

async def async_get_auth_implementation(hass, auth_domain, credential):
    return LocalOAuth2Implementation(
        hass, auth_domain, "id", "", "{url}/authorize", "{url}/token"
    )
"""

REFRESH_TOKEN = f"{SENTINEL}-refresh"
ACCESS_TOKEN = f"{SENTINEL}-access"


@pytest.fixture
async def entry(hass: HomeAssistant) -> MockConfigEntry:
    """Add an entry of the integration, which has a token."""
    entry = MockConfigEntry(
        domain="acme",
        title="My account",
        data={
            "auth_implementation": "acme_client_id",
            "token": {"access_token": ACCESS_TOKEN, "refresh_token": REFRESH_TOKEN},
        },
    )
    entry.add_to_hass(hass)
    return entry


def _warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.message
        for record in caplog.records
        if record.name == LOGGER.name and record.levelno == logging.WARNING
    ]


@pytest.fixture
def declare(server: RecordingServer, install: Install) -> None:
    """Install the integration, with a revocation endpoint that says that it is done."""
    server.respond = answer("")
    to = f'"{server.url}/revoke"'
    install("acme", PLATFORM.format(url=server.url, method="client_secret_post", to=to))


async def test_refresh_token(
    hass: HomeAssistant,
    server: RecordingServer,
    declare: None,
    entry: ConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The refresh token is revoked, by the client that it belongs to (RFC 7009, section 2.1)."""
    await add_credential(hass, "acme")
    await async_revoke_token(hass, entry)
    (request,) = server.requests
    assert (request.path, request.authorization) == ("/revoke", None)
    assert request.body == {
        "token": REFRESH_TOKEN,
        "token_type_hint": "refresh_token",
        "client_id": "client-id",
        "client_secret": SENTINEL,
    }
    assert _warnings(caplog) == []


async def test_access_token(
    hass: HomeAssistant, server: RecordingServer, declare: None, entry: ConfigEntry
) -> None:
    """Without a refresh token, the access token is revoked."""
    await add_credential(hass, "acme")
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "token": {"access_token": ACCESS_TOKEN}}
    )
    await async_revoke_token(hass, entry)
    (request,) = server.requests
    assert request.body["token"] == ACCESS_TOKEN
    assert request.body["token_type_hint"] == "access_token"


async def test_basic(
    hass: HomeAssistant, server: RecordingServer, install: Install, entry: ConfigEntry
) -> None:
    """The client authenticates as it does at the token endpoint."""
    to = f'"{server.url}/revoke"'
    install("acme", PLATFORM.format(url=server.url, method="client_secret_basic", to=to))
    await add_credential(hass, "acme")
    await async_revoke_token(hass, entry)
    (request,) = server.requests
    assert request.body.keys() == {"token", "token_type_hint"}
    assert request.authorization is not None


@pytest.mark.parametrize("platform", [PLATFORM, OWN], ids=["no endpoint", "own implementation"])
async def test_nobody_to_ask(
    hass: HomeAssistant,
    server: RecordingServer,
    install: Install,
    entry: ConfigEntry,
    caplog: pytest.LogCaptureFixture,
    platform: str,
) -> None:
    """A server that is not declared to revoke is not asked."""
    install("acme", platform.format(url=server.url, method="client_secret_post", to=None))
    await add_credential(hass, "acme")
    await async_revoke_token(hass, entry)
    assert server.requests == []
    assert _warnings(caplog) == []

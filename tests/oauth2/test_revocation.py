"""Tests of revocation (RFC 7009)."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.developer_credentials import (
    AuthImplementation,
    AuthorizationServer,
    DeveloperCredential,
)
from custom_components.developer_credentials.oauth2.client import ClientAuthMethod
from custom_components.developer_credentials.oauth2.errors import UnavailableError
from custom_components.developer_credentials.oauth2.revocation import async_revoke
from tests.common import SENTINEL
from tests.recording_server import RecordingServer, answer

REFRESH_TOKEN = f"{SENTINEL}-refresh"
ACCESS_TOKEN = f"{SENTINEL}-access"
TOKEN: dict[str, Any] = {"access_token": ACCESS_TOKEN, "refresh_token": REFRESH_TOKEN}


def _implementation(
    hass: HomeAssistant,
    url: str,
    method: ClientAuthMethod = "client_secret_post",
    path: str | None = "/revoke",
) -> AuthImplementation:
    declared = AuthorizationServer(
        f"{url}/authorize",
        f"{url}/token",
        token_endpoint_auth_method=method,
        revocation_url=f"{url}{path}" if path else None,
    )
    return AuthImplementation(hass, "acme", DeveloperCredential("client-id", SENTINEL), declared)


async def test_refresh_token(hass: HomeAssistant, server: RecordingServer) -> None:
    """The refresh token is revoked, by the client that it belongs to (RFC 7009, section 2.1)."""
    server.respond = answer("")
    answered = await async_revoke(_implementation(hass, server.url), TOKEN)
    assert answered
    assert answered.kind is None
    (request,) = server.requests
    assert (request.path, request.authorization) == ("/revoke", None)
    assert request.body == {
        "token": REFRESH_TOKEN,
        "token_type_hint": "refresh_token",
        "client_id": "client-id",
        "client_secret": SENTINEL,
    }


@pytest.mark.parametrize("refresh_token", [{}, {"refresh_token": None}, {"refresh_token": ""}])
async def test_access_token(
    hass: HomeAssistant, server: RecordingServer, refresh_token: dict[str, Any]
) -> None:
    """Without a refresh token, the access token is revoked."""
    token = {"access_token": ACCESS_TOKEN, **refresh_token}
    await async_revoke(_implementation(hass, server.url), token)
    (request,) = server.requests
    assert request.body["token"] == ACCESS_TOKEN
    assert request.body["token_type_hint"] == "access_token"


async def test_basic(hass: HomeAssistant, server: RecordingServer) -> None:
    """The client authenticates as it does at the token endpoint."""
    await async_revoke(_implementation(hass, server.url, "client_secret_basic"), TOKEN)
    (request,) = server.requests
    assert request.body.keys() == {"token", "token_type_hint"}
    assert request.authorization is not None


async def test_no_endpoint(hass: HomeAssistant, server: RecordingServer) -> None:
    """A server that is not declared to revoke is not asked."""
    assert await async_revoke(_implementation(hass, server.url, path=None), TOKEN) is None
    assert server.requests == []


async def test_nobody_answers(
    hass: HomeAssistant, socket_enabled: None, unused_tcp_port: int
) -> None:
    """A server that is not there is told by an exception, as for any request."""
    implementation = _implementation(hass, f"http://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(UnavailableError):
        await async_revoke(implementation, TOKEN)

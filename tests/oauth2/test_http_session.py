"""Tests of the HTTP session, over real HTTP."""

from aiohttp import ThreadedResolver, web
from homeassistant.config_entries import current_entry
from homeassistant.const import EVENT_HOMEASSISTANT_CLOSE
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.developer_credentials import (
    AuthImplementation,
    DeveloperCredential,
    async_discover_authorization_server,
)
from custom_components.developer_credentials.oauth2.http_session import async_get_session
from custom_components.developer_credentials.oauth2.revocation import async_revoke
from custom_components.developer_credentials.oauth2.verification import async_verify
from tests.common import REDIRECT_URI, SENTINEL
from tests.recording_server import TOKEN, RecordingServer, answer


class _Resolver(ThreadedResolver):
    """Resolves names as the machine does."""

    real_close = ThreadedResolver.close


async def test_no_cookies(
    hass: HomeAssistant, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What any endpoint sets as a cookie, no request has: of this client or of another."""

    async def respond(request: web.Request) -> web.StreamResponse:
        body: object = TOKEN
        if request.path.startswith("/.well-known"):
            body = {
                "issuer": server.url,
                "authorization_endpoint": f"{server.url}/authorize",
                "token_endpoint": server.token_url,
            }
        elif request.method == "POST" and "redirect_uri" in await request.text():
            body = {"error": "invalid_grant"}
        response = await answer(body)(request)
        response.headers["Set-Cookie"] = "session=of-somebody; Path=/"
        return response

    server.respond = respond
    # No jar keeps the cookies of an address, so that a name has to be resolved.
    resolver = "homeassistant.helpers.aiohttp_client._async_make_resolver"
    monkeypatch.setattr(resolver, lambda _: _Resolver())
    server.url = server.url.replace("127.0.0.1", "localhost")
    # Nor is one sent that an integration was given.
    async with async_get_clientsession(hass).get(server.url):
        server.requests.clear()
    for client_id in ("one", "two"):
        declared = await async_discover_authorization_server(
            hass, server.url, revocation_url=f"{server.url}/revoke"
        )
        credential = DeveloperCredential(client_id, SENTINEL)
        await async_verify(hass, declared, credential, REDIRECT_URI)
        implementation = AuthImplementation(hass, "acme", credential, declared)
        token = await implementation.async_refresh_token({"refresh_token": f"{SENTINEL}-refresh"})
        await async_revoke(implementation, token)
        hass.data.pop("developer_credentials_metadata")
    paths = [request.path for request in server.requests]
    assert (
        paths
        == [
            "/.well-known/oauth-authorization-server",
            "/token",
            "/authorize",
            "/token",
            "/revoke",
        ]
        * 2
    )
    assert [request for request in server.requests if "Cookie" in request.headers] == []


async def test_made_once(hass: HomeAssistant) -> None:
    """There is one session, which is not the one that all integrations share."""
    session = async_get_session(hass)
    assert async_get_session(hass) is session
    assert session is not async_get_clientsession(hass)


async def test_outlives_the_entry_that_needed_it_first(hass: HomeAssistant) -> None:
    """It is open until Home Assistant closes, whichever entry was being set up."""
    entry = MockConfigEntry(domain="acme")
    entry.add_to_hass(hass)
    token = current_entry.set(entry)
    session = async_get_session(hass)
    current_entry.reset(token)
    await entry._async_process_on_unload(hass)  # noqa: SLF001 - what unloading it does
    assert not session.closed
    hass.bus.async_fire(EVENT_HOMEASSISTANT_CLOSE)
    await hass.async_block_till_done()
    assert session.closed

"""Tests of what the credential form is filled in for."""

from dataclasses import replace

from aiohttp import web
from homeassistant.core import HomeAssistant
from homeassistant.loader import async_get_integration
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.developer_credentials import DeveloperCredential
from custom_components.developer_credentials.flows.credential_subject import OwnCredential
from custom_components.developer_credentials.oauth2.verification import Outcome
from tests.common import PLATFORM, SENTINEL, add_credential, entry_of
from tests.conftest import Install
from tests.recording_server import RecordingServer, answer


@pytest.mark.parametrize(
    ("client_id", "is_new", "is_used", "attempts"),
    [
        ("client-id", False, True, 1),
        ("client-id", False, False, 2),
        ("another-id", False, True, 2),
        ("client-id", True, False, 2),
    ],
)
@pytest.mark.usefixtures("setup", "current_request_with_host")
async def test_accepted_before(
    hass: HomeAssistant,
    server: RecordingServer,
    install: Install,
    client_id: str,
    attempts: int,
    *,
    is_new: bool,
    is_used: bool,
) -> None:
    """A client whose credential is in use was accepted: a wrong secret costs one attempt.

    Of a new credential, and one whose client id changes, nothing is known.
    """
    install("acme", PLATFORM.replace("https://cloud.example", server.url))
    subentry = None if is_new else await add_credential(hass, "acme")
    if is_used:
        data = {"auth_implementation": "acme_client_id"}
        MockConfigEntry(domain="acme", data=data).add_to_hass(hass)
    server.respond = answer({"error": "invalid_client"}, 401)
    subject = OwnCredential(hass, await async_get_integration(hass, "acme"), subentry)
    found = await subject.async_verify(DeveloperCredential(client_id, f"{SENTINEL}-new"))
    assert found.outcome is Outcome.REJECTED
    assert len(server.requests) == attempts


@pytest.mark.parametrize(
    ("secret", "accepts", "asked", "method"),
    [
        (f"{SENTINEL}-new", "post", ["post"], None),
        (f"{SENTINEL}-new", "basic", ["post", "basic"], "client_secret_basic"),
        (f"{SENTINEL}-new", "none", ["post", "basic"], "client_secret_basic"),
        (f"{SENTINEL}-new", "silent", ["post"], "client_secret_basic"),
        (SENTINEL, "basic", ["basic"], "client_secret_basic"),
    ],
)
@pytest.mark.usefixtures("setup", "current_request_with_host")
async def test_changed_secret(
    hass: HomeAssistant,
    server: RecordingServer,
    install: Install,
    secret: str,
    accepts: str,
    asked: list[str],
    method: str | None,
) -> None:
    """A changed secret is tried by the declared method first; what was found stays otherwise."""
    install("acme", PLATFORM.replace("https://cloud.example", server.url))
    subentry = await add_credential(hass, "acme")
    data = {**subentry.data, "token_endpoint_auth_method": "client_secret_basic"}
    hass.config_entries.async_update_subentry(entry_of(hass), subentry, data=data)
    user = MockConfigEntry(domain="acme", data={"auth_implementation": "acme_client_id"})
    user.add_to_hass(hass)
    methods: list[str] = []

    async def respond(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return web.Response()
        methods.append("basic" if "Authorization" in request.headers else "post")
        if accepts == "silent":
            return web.Response(status=503)
        error = "invalid_grant" if methods[-1] == accepts else "invalid_client"
        return web.json_response({"error": error}, status=400)

    server.respond = respond
    subject = OwnCredential(hass, await async_get_integration(hass, "acme"), subentry)
    stored = subject.stored
    assert stored
    found = await subject.async_verify(replace(stored, client_secret=secret))
    assert methods == asked
    assert found.credential.token_endpoint_auth_method == method

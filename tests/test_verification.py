"""Tests of verification: against Demo Cloud, and against servers with other habits."""

import asyncio
import time

from aiohttp import web
from homeassistant.core import HomeAssistant
import pytest

from custom_components.developer_credentials import (
    AuthorizationServer,
    DeveloperCredential,
    verification,
)
from custom_components.developer_credentials.models import ClientAuthMethod
from custom_components.developer_credentials.verification import (
    Outcome,
    Verification,
    async_verify,
)
from demo.authorization_server import DemoAuthorizationServer
from tests.common import REDIRECT_URI, SENTINEL
from tests.test_token_endpoint import Server, answer, server  # noqa: F401 - a fixture

ACCEPTED = Outcome.ACCEPTED
REJECTED = Outcome.REJECTED
INCONCLUSIVE = Outcome.INCONCLUSIVE
REDIRECT_URI_REJECTED = Outcome.REDIRECT_URI_REJECTED


async def _verify(
    hass: HomeAssistant, url: str, client_id: str = "id", secret: str = SENTINEL
) -> Verification:
    declared = AuthorizationServer(f"{url}/authorize", f"{url}/token")
    return await async_verify(hass, declared, DeveloperCredential(client_id, secret), REDIRECT_URI)


@pytest.mark.parametrize(
    ("client_id", "secret", "redirect_uri", "registered", "outcome", "method"),
    [
        ("id", SENTINEL, REDIRECT_URI, None, ACCEPTED, "client_secret_post"),
        ("id", SENTINEL, REDIRECT_URI, "client_secret_post", ACCEPTED, "client_secret_post"),
        ("id", SENTINEL, REDIRECT_URI, "client_secret_basic", ACCEPTED, "client_secret_basic"),
        ("id", f"{SENTINEL}-wrong", REDIRECT_URI, None, REJECTED, None),
        ("other", SENTINEL, REDIRECT_URI, None, REJECTED, None),
        ("id", "", REDIRECT_URI, None, REJECTED, None),
        (
            "id",
            SENTINEL,
            "https://other.example",
            "client_secret_basic",
            REDIRECT_URI_REJECTED,
            "client_secret_basic",
        ),
    ],
    ids=["any", "post", "basic", "wrong secret", "wrong id", "no secret", "redirect URI"],
)
async def test_demo_cloud(
    hass: HomeAssistant,
    demo_cloud: DemoAuthorizationServer,
    client_id: str,
    secret: str,
    redirect_uri: str,
    registered: str | None,
    outcome: Outcome,
    method: ClientAuthMethod | None,
) -> None:
    """What Demo Cloud knows is accepted; of what it does not, it is said which."""
    demo_cloud.add_client(
        "id",
        client_secret=SENTINEL,
        redirect_uris=(redirect_uri,),
        token_endpoint_auth_method=registered,
    )
    result = await _verify(hass, demo_cloud.url, client_id, secret)
    assert (result.outcome, result.auth_method) == (outcome, method)
    if outcome is REJECTED:
        assert result.detail.startswith("invalid_client")
    codes = {request.form["code"] for request in demo_cloud.token_requests}
    assert len(codes) == len(demo_cloud.token_requests)


async def test_public_client(hass: HomeAssistant, demo_cloud: DemoAuthorizationServer) -> None:
    """A public client is asked about once, without a secret."""
    demo_cloud.add_client("id", redirect_uris=(REDIRECT_URI,), token_endpoint_auth_method="none")
    result = await _verify(hass, demo_cloud.url, secret="")
    assert result.outcome is ACCEPTED
    assert [request.auth_method for request in demo_cloud.token_requests] == ["none"]


@pytest.mark.parametrize(
    ("post", "basic", "outcome", "method"),
    [
        ("invalid_code", "", ACCEPTED, "client_secret_post"),
        ("bad_verification_code", "", ACCEPTED, "client_secret_post"),
        ("redirect_uri_mismatch", "", REDIRECT_URI_REJECTED, "client_secret_post"),
        ("unauthorized_client", "invalid_code", ACCEPTED, "client_secret_basic"),
        ("incorrect_client_credentials", "invalid_request", REJECTED, None),
        ("invalid_client", "invalid_client", REJECTED, None),
        ("invalid_request", "", INCONCLUSIVE, None),
        ("", "", INCONCLUSIVE, None),
    ],
)
async def test_habits(
    hass: HomeAssistant,
    socket_enabled: None,
    server: Server,  # noqa: F811
    post: str,
    basic: str,
    outcome: Outcome,
    method: ClientAuthMethod | None,
) -> None:
    """It is judged by the code, whatever the status; the other way is tried before "rejected"."""

    async def respond(request: web.Request) -> web.StreamResponse:
        code = basic if "Authorization" in request.headers else post
        status = 200 if code and request.method == "POST" else 404
        return await answer({"error": code} if code else {}, status)(request)

    server.respond = respond
    result = await _verify(hass, server.url.removesuffix("/token"))
    assert (result.outcome, result.auth_method) == (outcome, method)


async def test_login_page_refuses(
    hass: HomeAssistant,
    socket_enabled: None,
    server: Server,  # noqa: F811
) -> None:
    """Where the token endpoint says nothing clear, the login page still may."""
    server.respond = answer({"error": "invalid_request"}, 400)
    result = await _verify(hass, server.url.removesuffix("/token"))
    assert (result.outcome, result.auth_method) == (REDIRECT_URI_REJECTED, None)


async def test_words_without_secret(
    hass: HomeAssistant,
    socket_enabled: None,
    server: Server,  # noqa: F811
) -> None:
    """What the server says is told without the secret that it repeats."""
    server.respond = answer({"error": "invalid_client", "error_description": f"not {SENTINEL}"})
    result = await _verify(hass, server.url.removesuffix("/token"))
    assert result.detail == "invalid_client: not **REDACTED**"


async def test_nobody_answers(
    hass: HomeAssistant, socket_enabled: None, unused_tcp_port: int
) -> None:
    """Without an answer nothing is known."""
    result = await _verify(hass, f"http://127.0.0.1:{unused_tcp_port}")
    assert result == Verification(INCONCLUSIVE)


@pytest.mark.parametrize("slow", ["POST", "GET"])
async def test_slow(
    hass: HomeAssistant,
    socket_enabled: None,
    server: Server,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    slow: str,
) -> None:
    """It takes no longer than it may."""

    async def respond(request: web.Request) -> web.StreamResponse:
        if request.method == slow:
            await asyncio.sleep(5)
        return await answer({"error": "invalid_grant"}, 400)(request)

    server.respond = respond
    monkeypatch.setattr(verification, "TIMEOUT", 0.3)
    started = time.monotonic()
    result = await _verify(hass, server.url.removesuffix("/token"))
    assert time.monotonic() - started < 2
    assert result.outcome is (INCONCLUSIVE if slow == "POST" else ACCEPTED)


async def test_login_page_is_gone(
    hass: HomeAssistant,
    socket_enabled: None,
    server: Server,  # noqa: F811
    unused_tcp_port: int,
) -> None:
    """A login page that cannot be reached says nothing against the client."""
    server.respond = answer({"error": "invalid_grant"}, 400)
    declared = AuthorizationServer(f"http://127.0.0.1:{unused_tcp_port}/authorize", server.url)
    credential = DeveloperCredential("id", SENTINEL)
    result = await async_verify(hass, declared, credential, REDIRECT_URI)
    assert result.outcome is ACCEPTED

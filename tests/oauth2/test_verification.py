"""Tests of verification: against Demo Cloud, and against servers with other habits."""

import asyncio
import time
from typing import Final, Unpack

from aiohttp import web
from homeassistant.core import HomeAssistant
import pytest

from custom_components.developer_credentials import AuthorizationServer, DeveloperCredential
from custom_components.developer_credentials.oauth2 import verification
from custom_components.developer_credentials.oauth2.client import ClientAuthMethod
from custom_components.developer_credentials.oauth2.pkce import code_challenge_of
from custom_components.developer_credentials.oauth2.server import ServerFields
from custom_components.developer_credentials.oauth2.verification import (
    Outcome,
    Verification,
    async_verify,
)
from demo.authorization_server import DemoAuthorizationServer
from tests.common import REDIRECT_URI, SENTINEL
from tests.recording_server import RecordingServer, answer

POST: Final = "client_secret_post"
BASIC: Final = "client_secret_basic"
ACCEPTED = Outcome.ACCEPTED
REJECTED = Outcome.REJECTED
INCONCLUSIVE = Outcome.INCONCLUSIVE
REDIRECT_URI_REJECTED = Outcome.REDIRECT_URI_REJECTED


async def _verify(
    hass: HomeAssistant,
    url: str,
    client_id: str = "id",
    secret: str = SENTINEL,
    method: ClientAuthMethod | None = None,
    **fields: Unpack[ServerFields],
) -> Verification:
    fields.setdefault("authorize_url", f"{url}/authorize")
    fields.setdefault("token_url", f"{url}/token")
    credential = DeveloperCredential(client_id, secret, token_endpoint_auth_method=method)
    return await async_verify(hass, AuthorizationServer(**fields), credential, REDIRECT_URI)


@pytest.mark.parametrize(
    ("client_id", "secret", "redirect_uri", "registered", "outcome", "method"),
    [
        ("id", SENTINEL, REDIRECT_URI, None, ACCEPTED, None),
        ("id", SENTINEL, REDIRECT_URI, "client_secret_post", ACCEPTED, None),
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
    assert result.outcome is outcome
    assert result.credential.token_endpoint_auth_method == method
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
    ("declared", "method", "accepted", "asked", "kept"),
    [
        (BASIC, None, {BASIC}, [BASIC], None),
        (BASIC, POST, {BASIC}, [POST, BASIC], None),
        (BASIC, None, {POST}, [BASIC, POST], POST),
        (POST, BASIC, {BASIC, POST}, [BASIC], BASIC),
        ("none", None, {"none"}, ["none"], None),
        ("none", None, {POST}, ["none", POST], POST),
        ("none", None, {BASIC}, ["none", POST, BASIC], BASIC),
        ("none", POST, {"none"}, [POST, "none"], None),
        (POST, None, {"none"}, [POST, BASIC, "none"], "none"),
        (POST, None, set(), [POST, BASIC, "none"], None),
    ],
)
async def test_declared_method(
    hass: HomeAssistant,
    server: RecordingServer,
    declared: ClientAuthMethod,
    method: ClientAuthMethod | None,
    accepted: set[str],
    asked: list[str],
    kept: str | None,
) -> None:
    """What is kept, then what is declared, comes first; only another way than declared is kept."""
    seen = []

    async def respond(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return web.Response()
        body = await request.post()
        basic = BASIC if "Authorization" in request.headers else "none"
        seen.append(POST if "client_secret" in body else basic)
        code = "invalid_grant" if seen[-1] in accepted else "invalid_client"
        return await answer({"error": code}, 400)(request)

    server.respond = respond
    result = await _verify(hass, server.url, method=method, token_endpoint_auth_method=declared)
    assert seen == asked
    assert result.outcome is (ACCEPTED if seen[-1] in accepted else REJECTED)
    assert result.credential.token_endpoint_auth_method == kept


async def test_asks_as_a_login_does(hass: HomeAssistant, server: RecordingServer) -> None:
    """The requests have the scopes, the parameters and the challenge that a login has."""
    query: dict[str, str] = {}

    async def respond(request: web.Request) -> web.StreamResponse:
        query.update(request.query)
        return await answer({"error": "invalid_grant"}, 404)(request)

    server.respond = respond
    await _verify(
        hass,
        server.url,
        scopes=["a", "b"],
        pkce=True,
        authorize_params={"audience": "api"},
        token_params={"type": "jwt"},
    )
    token_request = server.requests[0].body
    assert token_request["type"] == "jwt"
    challenge = code_challenge_of(token_request["code_verifier"])
    assert query.items() >= {"scope": "a b", "audience": "api", **challenge}.items()


@pytest.mark.parametrize(
    ("post", "basic", "outcome", "method"),
    [
        ("invalid_code", "", ACCEPTED, None),
        ("bad_verification_code", "", ACCEPTED, None),
        ("redirect_uri_mismatch", "", REDIRECT_URI_REJECTED, None),
        ("unauthorized_client", "invalid_code", ACCEPTED, "client_secret_basic"),
        ("incorrect_client_credentials", "invalid_request", REJECTED, None),
        ("invalid_client", "invalid_client", REJECTED, None),
        ("unauthorized_client", "redirect_uri_mismatch", REDIRECT_URI_REJECTED, BASIC),
        ("invalid_request", "", INCONCLUSIVE, None),
        ("", "", INCONCLUSIVE, None),
    ],
)
async def test_habits(
    hass: HomeAssistant,
    server: RecordingServer,
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
    result = await _verify(hass, server.url)
    assert result.outcome is outcome
    assert result.credential.token_endpoint_auth_method == method


async def test_login_page_refuses(
    hass: HomeAssistant,
    server: RecordingServer,
) -> None:
    """Where the token endpoint says nothing clear, the login page still may."""
    server.respond = answer({"error": "invalid_request"}, 400)
    result = await _verify(hass, server.url)
    assert result.outcome is REDIRECT_URI_REJECTED


async def test_login_page_redirects(hass: HomeAssistant, server: RecordingServer) -> None:
    """Where the login page leads to is not looked at."""

    async def respond(request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            return await answer({"error": "invalid_grant"}, 400)(request)
        elsewhere = request.path == "/elsewhere"
        return await answer("", 400 if elsewhere else 302, Location="/elsewhere")(request)

    server.respond = respond
    assert (await _verify(hass, server.url)).outcome is ACCEPTED
    assert [request.path for request in server.requests] == ["/token", "/authorize"]


async def test_rejected_public_client(hass: HomeAssistant, server: RecordingServer) -> None:
    """A client without a secret has no other way to authenticate; it is asked about once."""
    server.respond = answer({"error": "invalid_client"}, 401)
    assert (await _verify(hass, server.url, secret="")).outcome is REJECTED
    assert len(server.requests) == 1


async def test_words_without_secret(
    hass: HomeAssistant,
    server: RecordingServer,
) -> None:
    """What the server says is told without the secret that it repeats."""
    server.respond = answer({"error": "invalid_client", "error_description": f"not {SENTINEL}"})
    result = await _verify(hass, server.url)
    assert result.detail == "invalid_client: not **REDACTED**"


async def test_nobody_answers(
    hass: HomeAssistant, socket_enabled: None, unused_tcp_port: int
) -> None:
    """Without an answer nothing is known."""
    result = await _verify(hass, f"http://127.0.0.1:{unused_tcp_port}")
    assert result == Verification(INCONCLUSIVE, "", DeveloperCredential("id", SENTINEL))


@pytest.mark.parametrize("slow", ["POST", "GET"])
async def test_slow(
    hass: HomeAssistant,
    server: RecordingServer,
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
    result = await _verify(hass, server.url)
    assert time.monotonic() - started < 2
    assert result.outcome is (INCONCLUSIVE if slow == "POST" else ACCEPTED)


async def test_login_page_is_gone(
    hass: HomeAssistant,
    server: RecordingServer,
    unused_tcp_port: int,
) -> None:
    """A login page that cannot be reached says nothing against the client."""
    server.respond = answer({"error": "invalid_grant"}, 400)
    declared = AuthorizationServer(
        f"http://127.0.0.1:{unused_tcp_port}/authorize", server.token_url
    )
    credential = DeveloperCredential("id", SENTINEL)
    result = await async_verify(hass, declared, credential, REDIRECT_URI)
    assert result.outcome is ACCEPTED

"""Tests of verification: against Demo Cloud, and against servers with other habits."""

import asyncio
import time
from typing import Final, Unpack

from aiohttp import hdrs, web
from homeassistant.core import HomeAssistant
import pytest

from custom_components.developer_credentials import AuthorizationServer, DeveloperCredential
from custom_components.developer_credentials.oauth2 import verification
from custom_components.developer_credentials.oauth2.client import ClientAuthMethod
from custom_components.developer_credentials.oauth2.error_codes import error_class
from custom_components.developer_credentials.oauth2.errors import (
    InvalidResponseError,
    UnavailableError,
)
from custom_components.developer_credentials.oauth2.pkce import code_challenge_of
from custom_components.developer_credentials.oauth2.server import ServerFields
from custom_components.developer_credentials.oauth2.verification import (
    Outcome,
    Verification,
    async_verify,
    async_verify_at_token_endpoint,
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
        (POST, None, {"none"}, [POST, BASIC], None),
        (BASIC, None, {"none"}, [BASIC, POST], None),
        (POST, "none", {"none"}, [POST, BASIC], None),
        (POST, "none", {POST}, [POST], None),
        (BASIC, "none", {POST}, [BASIC, POST], POST),
        (POST, None, set(), [POST, BASIC], None),
        ("none", None, set(), ["none", POST, BASIC], None),
        ("none", BASIC, set(), [BASIC, "none", POST], BASIC),
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
    """What is kept, then what is declared, comes first; only another way than declared is kept.

    A server that does not ask for the secret proves nothing of it, unless that is declared.
    """
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


@pytest.mark.parametrize(
    ("declared", "method", "code", "asked"),
    [
        (POST, None, "invalid_client", [POST]),
        (BASIC, None, "invalid_client", [BASIC]),
        (BASIC, BASIC, "invalid_client", [BASIC]),
        (POST, "none", "invalid_client", [POST]),
        # Perhaps it was by the other one that the server had accepted it.
        (POST, BASIC, "invalid_client", [BASIC, POST]),
        # That may be said of the method.
        (POST, None, "unauthorized_client", [POST, BASIC]),
    ],
)
@pytest.mark.parametrize("secret", [SENTINEL, ""])
async def test_accepted_before(
    hass: HomeAssistant,
    server: RecordingServer,
    declared: ClientAuthMethod,
    method: ClientAuthMethod | None,
    code: str,
    asked: list[str],
    secret: str,
) -> None:
    """A wrong secret of a client that was accepted before costs one failed attempt."""
    server.respond = answer({"error": code}, 401)
    found = await async_verify(
        hass,
        AuthorizationServer(
            f"{server.url}/authorize", server.token_url, token_endpoint_auth_method=declared
        ),
        DeveloperCredential("id", secret, token_endpoint_auth_method=method),
        REDIRECT_URI,
        accepted_before=True,
    )
    assert found.outcome is REJECTED
    seen = [BASIC if request.authorization else POST for request in server.requests]
    assert seen == asked if secret else len(seen) == 1


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("invalid_client", REJECTED),
        ("unauthorized_client", REJECTED),
        ("invalid_grant", ACCEPTED),
        ("invalid_code", ACCEPTED),
        ("redirect_uri_mismatch", REDIRECT_URI_REJECTED),
    ],
)
@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 429, 500, 502, 503])
async def test_judged_as_a_refresh_is(
    hass: HomeAssistant, server: RecordingServer, code: str, status: int, outcome: Outcome
) -> None:
    """What a refresh takes for no word of the server's (a redirect, 429, 5xx), proves nothing."""

    async def respond(request: web.Request) -> web.StreamResponse:
        return await answer({"error": code}, status if request.method == "POST" else 200)(request)

    server.respond = respond
    kind = error_class(status, code)
    heard = not issubclass(kind, UnavailableError | InvalidResponseError)
    assert heard is (status in {200, 400, 401, 403, 404})
    assert (await _verify(hass, server.url)).outcome is (outcome if heard else INCONCLUSIVE)


async def test_method_that_proves_nothing_is_given_up(
    hass: HomeAssistant, socket_enabled: None, unused_tcp_port: int
) -> None:
    """A secret that is stored as not to be sent is sent from now on, whatever the server says."""
    result = await _verify(hass, f"http://127.0.0.1:{unused_tcp_port}", method="none")
    assert result == Verification(
        INCONCLUSIVE, "", DeveloperCredential("id", SENTINEL), answered=False
    )


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
    """It is judged by the code, also with 200 or 404; another way is tried before "rejected"."""

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
    assert result == Verification(
        INCONCLUSIVE, "", DeveloperCredential("id", SENTINEL), answered=False
    )


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


@pytest.mark.parametrize("habit", ["silent", "limits rates"])
async def test_other_method_is_not_answered(
    hass: HomeAssistant, server: RecordingServer, habit: str
) -> None:
    """Where the server has not said no to another way to authenticate, the client may be right."""

    async def respond(request: web.Request) -> web.StreamResponse:
        if hdrs.AUTHORIZATION not in request.headers:
            return await answer({"error": "invalid_client"}, 401)(request)
        if habit == "silent":
            assert request.transport is not None
            request.transport.close()
        return await answer({"error": "invalid_client"}, 429)(request)

    server.respond = respond
    result = await _verify(hass, server.url)
    assert result.outcome is INCONCLUSIVE
    assert result.answered == (habit != "silent")


async def test_token_endpoint_only(hass: HomeAssistant, server: RecordingServer) -> None:
    """What no user has asked for leaves the login page alone."""
    server.respond = answer({"error": "invalid_grant"}, 400)
    result = await async_verify_at_token_endpoint(
        hass,
        AuthorizationServer(f"{server.url}/authorize", f"{server.url}/token"),
        DeveloperCredential("id", SENTINEL),
        REDIRECT_URI,
    )
    assert (result.outcome, result.answered) == (ACCEPTED, True)
    assert [one.path for one in server.requests] == ["/token"]

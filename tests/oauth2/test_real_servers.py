"""What real servers answer, over real HTTP: each kind of answer that public reports tell of."""

import asyncio
import base64
import json
import time
from typing import Any, Final, Unpack

from aiohttp import web
from homeassistant.core import HomeAssistant
import pytest

from custom_components.developer_credentials import (
    AuthImplementation,
    AuthorizationServer,
    DeveloperCredential,
)
from custom_components.developer_credentials.oauth2 import token_endpoint
from custom_components.developer_credentials.oauth2.errors import (
    InvalidClientError,
    InvalidGrantError,
    InvalidResponseError,
    RefusedError,
    TokenRequestError,
    UnavailableError,
)
from custom_components.developer_credentials.oauth2.server import ServerFields
from custom_components.developer_credentials.oauth2.verification import (
    Outcome,
    Verification,
    async_verify,
)
from tests.common import REDIRECT_URI, SENTINEL
from tests.recording_server import TOKEN, RecordingServer, Respond, answer

OLD: Final = {"access_token": "old", "refresh_token": f"{SENTINEL}-old", "expires_in": 60}
BASIC: Final = {"WWW-Authenticate": 'Basic realm="x"'}


def _declared(server: RecordingServer, **fields: Unpack[ServerFields]) -> AuthorizationServer:
    fields.setdefault("authorize_url", f"{server.url}/authorize")
    fields.setdefault("token_url", server.token_url)
    return AuthorizationServer(**fields)


def _implementation(
    hass: HomeAssistant, server: RecordingServer, **fields: Unpack[ServerFields]
) -> AuthImplementation:
    declared = _declared(server, **fields)
    return AuthImplementation(hass, "acme", DeveloperCredential("id", SENTINEL), declared)


async def _refresh(
    hass: HomeAssistant, server: RecordingServer, **fields: Unpack[ServerFields]
) -> dict[str, Any]:
    return await _implementation(hass, server, **fields).async_refresh_token(dict(OLD))


ERRORS: Final[dict[str, tuple[Respond, type[TokenRequestError], str, str]]] = {
    "a list of errors": (
        answer({"errors": [{"errorType": "invalid_client", "message": "No."}]}, 401),
        InvalidClientError,
        "invalid_client",
        "No.",
    ),
    "a message that is known": (
        answer({"error": {"message": "Error validating client secret.", "code": 1}}, 400),
        InvalidClientError,
        "Error validating client secret.",
        "",
    ),
    "a message that is not": (
        answer({"error": {"message": "Nothing works.", "type": "OddException"}}, 400),
        RefusedError,
        "OddException",
        "Nothing works.",
    ),
    "an object as error": (
        answer({"error": {"code": "invalid_client", "message": "unknown"}}, 401),
        InvalidClientError,
        "invalid_client",
        "unknown",
    ),
    "status and message": (
        answer({"status": 403, "message": "invalid client secret"}, 403),
        InvalidClientError,
        "invalid client secret",
        "",
    ),
    "a fault": (
        answer(
            {
                "fault": {
                    "faultstring": "Invalid client identifier",
                    "detail": {"errorcode": "oauth.v2.InvalidClientIdentifier"},
                }
            },
            401,
        ),
        InvalidClientError,
        "oauth.v2.InvalidClientIdentifier",
        "Invalid client identifier",
    ),
    "a challenge, and a body": (
        answer({"status": 401, "error": "Unauthorized", "message": "Bad"}, 401, **BASIC),
        InvalidClientError,
        "Unauthorized",
        "Bad",
    ),
    "a challenge alone": (answer("", 401, **BASIC), InvalidClientError, "", ""),
    "a challenge, and garbage": (answer(b"\xff\xfe\x00", 401, **BASIC), InvalidClientError, "", ""),
    "a challenge, and a refused grant": (
        answer({"error": "invalid_grant"}, 401, **BASIC),
        InvalidGrantError,
        "invalid_grant",
        "",
    ),
    "another challenge": (
        answer("", 401, **{"WWW-Authenticate": 'Bearer error="invalid_client"'}),
        InvalidClientError,
        "invalid_client",
        "",
    ),
    "a message in place of the description": (
        answer({"error": "invalid_request", "message": "redirect_uri is missing"}, 400),
        RefusedError,
        "invalid_request",
        "redirect_uri is missing",
    ),
    "code and description": (
        answer({"code": "invalid_request", "description": "why"}, 400),
        RefusedError,
        "invalid_request",
        "why",
    ),
    "plain text": (
        answer("403/ bad auth", 403, "text/plain"),
        UnavailableError,
        "",
        "403/ bad auth",
    ),
    "upper case": (
        answer({"error": "INVALID_CLIENT"}, 401),
        InvalidClientError,
        "INVALID_CLIENT",
        "",
    ),
    "a client that is switched off": (
        answer({"error": "disabled_client"}, 401),
        InvalidClientError,
        "disabled_client",
        "",
    ),
    "an error with a good status": (
        answer({"error": "bad_verification_code"}),
        InvalidGrantError,
        "bad_verification_code",
        "",
    ),
    "a number and a message with a good status": (
        answer({"errcode": 10001, "errmsg": "refresh token invalid"}),
        InvalidGrantError,
        "refresh token invalid",
        "",
    ),
    "a top-level list": (
        answer([{"error": "invalid_grant"}], 400),
        InvalidGrantError,
        "invalid_grant",
        "",
    ),
    "an unknown error about the grant": (
        answer({"error": "grant_is_odd"}, 400),
        RefusedError,
        "grant_is_odd",
        "",
    ),
    "a firewall's page": (
        answer("<h1>Blocked</h1>", 403, "text/html"),
        UnavailableError,
        "",
        "",
    ),
    "a gateway's JSON": (answer({"message": "Forbidden"}, 403), UnavailableError, "", "Forbidden"),
    "timed out": (answer("", 408), UnavailableError, "", ""),
    "a rate limit under another status": (
        answer({"error": "rate_limit_exceeded"}, 403),
        UnavailableError,
        "rate_limit_exceeded",
        "",
    ),
    "Latin-1": (
        answer(
            '{"error": "invalid_client", "error_description": "Client refusé"}'.encode("latin-1"),
            401,
            "application/json; charset=ISO-8859-1",
        ),
        InvalidClientError,
        "invalid_client",
        "Client refusé",
    ),
}


@pytest.mark.parametrize(("respond", "kind", "code", "words"), ERRORS.values(), ids=list(ERRORS))
async def test_error(
    hass: HomeAssistant,
    server: RecordingServer,
    respond: Respond,
    kind: type[TokenRequestError],
    code: str,
    words: str,
) -> None:
    """The error is known for what it is, and the server's words reach whoever asks."""
    server.respond = respond
    with pytest.raises(TokenRequestError) as raised:
        await _refresh(hass, server)
    assert type(raised.value) is kind
    assert (raised.value.error, raised.value.error_description) == (code, words)


@pytest.mark.parametrize("status", [404, 405, 407, 421, 425, 431, 451])
async def test_status_of_somebody_else(
    hass: HomeAssistant, server: RecordingServer, status: int
) -> None:
    """A refusal that need not be the server's own is tried again, whatever it says."""
    server.respond = answer({"error": "odd"}, status)
    with pytest.raises(UnavailableError):
        await _refresh(hass, server)


def _raw(*parts: bytes) -> Respond:
    """Return a response function that writes to the wire, and closes."""

    async def respond(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        for part in parts:
            request.transport.write(part)
            await asyncio.sleep(0.05)
        request.transport.close()
        return web.Response()

    return respond


@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize(
    "rest",
    [
        b'Content-Length: 500\r\n\r\n{"error": "invalid_client"',
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b'Content-Encoding: gzip\r\nContent-Length: 27\r\n\r\n{"error": "invalid_client"}',
    ],
    ids=["closed early", "a broken chunk", "not compressed"],
)
async def test_refusal_that_cannot_be_read(
    hass: HomeAssistant,
    server: RecordingServer,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    rest: bytes,
) -> None:
    """Where the body cannot be read, the status that has arrived decides, as in Home Assistant."""
    monkeypatch.setattr(token_endpoint, "TIMEOUT", 0.5)
    head, _, body = rest.partition(b"\r\n\r\n")
    head = b"HTTP/1.1 %d Nope\r\nConnection: close\r\n%s\r\n\r\n" % (status, head)
    server.respond = _raw(head, body)
    with pytest.raises(RefusedError):
        await _refresh(hass, server)


async def test_good_answer_that_cannot_be_read(
    hass: HomeAssistant, server: RecordingServer
) -> None:
    """A token that does not arrive whole is asked for again."""
    server.respond = _raw(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"access_token": "a"')
    with pytest.raises(UnavailableError):
        await _refresh(hass, server)


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (json.dumps({**TOKEN, "name": "José"}, ensure_ascii=False).encode("latin-1"), "iso-8859-1"),
        (json.dumps({**TOKEN, "name": "José"}, ensure_ascii=False).encode("latin-1"), "utf-8"),
        (json.dumps({**TOKEN, "name": "José"}, ensure_ascii=False).encode("latin-1"), "base64"),
        (json.dumps({**TOKEN, "name": "José"}, ensure_ascii=False).encode("utf-16"), '"utf-16"'),
        (json.dumps(TOKEN).encode("utf-8-sig"), "utf-8"),
        (json.dumps(TOKEN).encode(), "no-such-charset"),
    ],
    ids=["Latin-1", "a stray byte", "no charset of texts", "UTF-16", "byte order mark", "unknown"],
)
async def test_encoding(
    hass: HomeAssistant, server: RecordingServer, content: bytes, content_type: str
) -> None:
    """A token is read in the charset that is named; what nobody needs does not spoil it."""
    headers = {"Content-Type": f"application/json; charset={content_type}"}

    async def respond(request: web.Request) -> web.StreamResponse:
        return web.Response(body=content, headers=headers)

    server.respond = respond
    assert (await _refresh(hass, server))["access_token"] == TOKEN["access_token"]


async def test_form_with_a_list(hass: HomeAssistant, server: RecordingServer) -> None:
    """A form-encoded token may have a list in it."""
    body = "access_token=a&expires_in=60&scope[]=a&scope[]=b"
    server.respond = answer(body, content_type="application/x-www-form-urlencoded")
    assert (await _refresh(hass, server))["access_token"] == "a"


@pytest.mark.parametrize(
    ("lifetime", "declared", "seconds"),
    [
        ({"expires_in": -1}, None, 60),
        ({"expires_in": -1}, 120, 120),
        ({"expires_in": None}, 120, 120),
        ({"expires_in": "soon"}, 120, 120),
        ({"expires_in": "nan"}, None, 60),
        ({"expires_in": True}, None, 60),
        ({"expires_in": "90.5"}, 120, 90),
        ({"expires_in": 10**30}, None, 2**31 - 1),
        ({"expires": 5183999}, None, 5183999),
        ({"expires_at": 0}, 120, 120),
    ],
    ids=str,
)
async def test_lifetime(
    hass: HomeAssistant,
    server: RecordingServer,
    lifetime: dict[str, object],
    declared: int | None,
    seconds: int,
) -> None:
    """A lifetime that says nothing falls back to what is declared, else to the one before."""
    server.respond = answer({"access_token": "a", **lifetime})
    token = await _refresh(hass, server, default_expires_in=declared)
    assert token["expires_in"] == pytest.approx(seconds, abs=30)


async def test_time_of_expiry(hass: HomeAssistant, server: RecordingServer) -> None:
    """A time of expiry tells the lifetime, where nothing else does."""
    server.respond = answer({"access_token": "a", "expires_on": str(int(time.time()) + 1000)})
    token = await _refresh(hass, server, default_expires_in=120)
    assert token["expires_in"] == pytest.approx(1000, abs=30)


async def _login(hass: HomeAssistant, server: RecordingServer) -> dict[str, Any]:
    state = {"flow_id": "flow", "redirect_uri": REDIRECT_URI}
    implementation = _implementation(hass, server)
    return await implementation.async_resolve_external_data({"code": "code", "state": state})


async def test_negative_lifetime_of_a_login(hass: HomeAssistant, server: RecordingServer) -> None:
    """A negative lifetime that nothing else is known of is an hour: the login succeeds."""
    server.respond = answer({"access_token": "a", "expires_in": -1})
    assert (await _login(hass, server))["expires_in"] == 3600
    server.respond = answer({"access_token": "a"})
    with pytest.raises(InvalidResponseError):
        await _login(hass, server)


@pytest.mark.parametrize("value", [True, None, "", 7, ["a"], {"a": "b"}], ids=str)
async def test_refresh_token_that_is_no_text(
    hass: HomeAssistant, server: RecordingServer, value: object
) -> None:
    """A refresh token that is no text never takes the place of a good one."""
    server.respond = answer({**TOKEN, "refresh_token": value})
    assert (await _refresh(hass, server))["refresh_token"] == OLD["refresh_token"]


@pytest.mark.parametrize("value", ["a\nb", "a\x00", "é", "", 7, None, ["a"]], ids=ascii)
async def test_access_token_that_no_header_can_have(
    hass: HomeAssistant, server: RecordingServer, value: object
) -> None:
    """An access token that no request could have is not stored (RFC 6749, appendix A.12)."""
    server.respond = answer({**TOKEN, "access_token": value})
    with pytest.raises(InvalidResponseError):
        await _refresh(hass, server)


async def _verify(
    hass: HomeAssistant,
    server: RecordingServer,
    secret: str = SENTINEL,
    **fields: Unpack[ServerFields],
) -> Verification:
    declared = _declared(server, **fields)
    credential = DeveloperCredential("id", secret)
    return await async_verify(hass, declared, credential, REDIRECT_URI)


@pytest.mark.parametrize(
    "refusal",
    [
        {"error": "invalid_request", "error_description": "Missing authorization header"},
        {"error": "invalid_request", "error_description": "Use HTTP authentication"},
        {"error": "invalid_client"},
    ],
    ids=str,
)
async def test_basic_only(
    hass: HomeAssistant, server: RecordingServer, refusal: dict[str, str]
) -> None:
    """A server that takes basic only, and says so in its own way, accepts the client by basic."""

    async def respond(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return web.Response()
        if "Authorization" not in request.headers:
            return web.json_response(refusal, status=400)
        return web.json_response({"error": "invalid_grant"}, status=400)

    server.respond = respond
    found = await _verify(hass, server)
    assert found.outcome is Outcome.ACCEPTED
    assert found.credential.token_endpoint_auth_method == "client_secret_basic"


async def test_basic_unencoded(hass: HomeAssistant, server: RecordingServer) -> None:
    """A server that compares basic without decoding it is found out; three requests at the most."""
    secret = f"{SENTINEL}/b+c=="

    async def respond(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return web.Response()
        scheme, _, pair = request.headers.get("Authorization", "").partition(" ")
        is_right = scheme == "Basic" and base64.b64decode(pair).decode() == f"id:{secret}"
        error = "invalid_grant" if is_right else "invalid_client"
        return web.json_response({"error": error}, status=400 if is_right else 401)

    server.respond = respond
    found = await _verify(hass, server, secret, token_endpoint_auth_method="client_secret_basic")
    assert found.outcome is Outcome.ACCEPTED
    assert found.credential.token_endpoint_auth_method == "client_secret_basic_unencoded"
    assert len([request for request in server.requests if request.method == "POST"]) == 3


async def test_words_of_the_login_page(hass: HomeAssistant, server: RecordingServer) -> None:
    """What the login page says of a bad request is told."""

    async def respond(request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            return web.Response(status=404)
        body = {"error": "invalid_request", "error_description": "client id is too long"}
        return web.json_response(body, status=400)

    server.respond = respond
    found = await _verify(hass, server)
    assert found.outcome is Outcome.REDIRECT_URI_REJECTED
    assert found.detail == "invalid_request: client id is too long"


async def test_without_login_page(hass: HomeAssistant, server: RecordingServer) -> None:
    """A client of a server without a login page may have no grant to be asked for."""
    declared = AuthorizationServer(None, server.token_url)
    found = await async_verify(hass, declared, DeveloperCredential("id", SENTINEL), REDIRECT_URI)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert server.requests == []

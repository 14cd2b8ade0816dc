"""Tests of the token endpoint, against a real server that misbehaves."""

import asyncio
import base64
from contextlib import suppress
import json
from typing import Any
from urllib.parse import unquote_plus

from aiohttp import web
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import (
    OAuth2TokenRequestReauthError,
    OAuth2TokenRequestTransientError,
)
import pytest

from custom_components.developer_credentials import DeveloperCredential
from custom_components.developer_credentials.oauth2 import token_endpoint
from custom_components.developer_credentials.oauth2.client import ClientAuthMethod
from custom_components.developer_credentials.oauth2.errors import (
    InvalidClientError,
    InvalidGrantError,
    InvalidRedirectUriError,
    InvalidResponseError,
    InvalidScopeError,
    RefusedError,
    TokenRequestError,
    UnavailableError,
)
from custom_components.developer_credentials.oauth2.token_endpoint import TokenEndpoint
from tests.common import SENTINEL
from tests.recording_server import TOKEN, RecordingServer, Respond, answer

CODE = f"{SENTINEL}-code"
GRANT = {"grant_type": "authorization_code", "code": CODE}


def _endpoint(
    hass: HomeAssistant,
    server: RecordingServer,
    secret: str = SENTINEL,
    method: ClientAuthMethod = "client_secret_post",
) -> TokenEndpoint:
    return TokenEndpoint(
        hass, server.token_url, DeveloperCredential("id:ü", secret), method, "acme"
    )


@pytest.mark.parametrize("secret", [SENTINEL, f"{SENTINEL} %&+=:ü", f"{SENTINEL}😀" * 100])
@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic"])
async def test_client_authentication(
    hass: HomeAssistant, server: RecordingServer, method: ClientAuthMethod, secret: str
) -> None:
    """Id and secret arrive as they are, in the body or form-encoded in the header."""
    await _endpoint(hass, server, secret, method).async_request_token(GRANT)
    (request,) = server.requests
    body, header = request.body, request.authorization
    if method == "client_secret_post":
        assert header is None
        assert body == {**GRANT, "client_id": "id:ü", "client_secret": secret}
    else:
        assert body == GRANT
        assert header is not None
        pair = base64.b64decode(header.removeprefix("Basic ")).decode().split(":")
        assert [unquote_plus(part) for part in pair] == ["id:ü", secret]


@pytest.mark.parametrize(
    ("secret", "method"),
    [("", "client_secret_post"), ("", "client_secret_basic"), ("", "none"), (SENTINEL, "none")],
)
async def test_public_client(
    hass: HomeAssistant, server: RecordingServer, secret: str, method: ClientAuthMethod
) -> None:
    """A client without a secret names its id, and sends no secret (RFC 6749, section 3.2.1).

    So does one with a secret, where the server takes none.
    """
    await _endpoint(hass, server, secret, method).async_request_token(GRANT)
    (request,) = server.requests
    assert request.body == {**GRANT, "client_id": "id:ü"}
    assert request.authorization is None


async def _token(endpoint: TokenEndpoint) -> dict[str, Any]:
    return endpoint.checked(await endpoint.async_request_token(GRANT))


LONG = json.dumps(TOKEN).encode().rjust(65_536)


def _error(code: str, status: int = 400, **fields: str) -> Respond:
    return answer({"error": code, **fields}, status)


async def _truncated(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(json.dumps(TOKEN).encode())
    assert request.transport is not None
    request.transport.close()
    return response


async def _endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    # As fast as it is taken, for longer than a test takes.
    with suppress(ConnectionError):
        for _ in range(100_000):
            await response.write(b" " * 65_536)
    return response


async def _compressed(request: web.Request) -> web.StreamResponse:
    response = web.Response(body=b" " * 10_000_000 + json.dumps(TOKEN).encode())
    response.enable_compression(web.ContentCoding.gzip)
    return response


BAD: dict[str, tuple[Respond, type[TokenRequestError]]] = {
    "invalid_client": (_error("invalid_client", 401), InvalidClientError),
    "invalid_client as 400": (_error("invalid_client"), InvalidClientError),
    "invalid_client as 200": (_error("incorrect_client_credentials", 200), InvalidClientError),
    "unauthorized_client": (_error("unauthorized_client", 403), InvalidClientError),
    "invalid_client_id": (_error("invalid_client_id"), InvalidClientError),
    "invalid_client_secret": (_error("invalid_client_secret"), InvalidClientError),
    "invalid_redirect_uri": (_error("invalid_redirect_uri"), InvalidRedirectUriError),
    "one byte too long": (answer(b" " + LONG), InvalidResponseError),
    "endless": (_endless, InvalidResponseError),
    "deleted client": (_error("deleted_client", 401), InvalidClientError),
    "invalid_grant": (_error("invalid_grant"), InvalidGrantError),
    "redirect_uri_mismatch": (_error("redirect_uri_mismatch"), InvalidRedirectUriError),
    "invalid_scope": (_error("invalid_scope"), InvalidScopeError),
    "another code": (_error("unsupported_grant_type"), RefusedError),
    "unknown code as 200": (_error("odd", 200), RefusedError),
    "form-encoded error": (answer("error=invalid_grant", 400, "text/plain"), InvalidGrantError),
    "no code": (answer({}, 400), RefusedError),
    "html error page": (answer("<h1>Forbidden</h1>", 403, "text/html"), UnavailableError),
    "code that is no text": (answer({"error": {"code": 1}}, 400), RefusedError),
    "busy": (answer("", 429), UnavailableError),
    "busy, says invalid_client": (_error("invalid_client", 429), UnavailableError),
    "broken": (answer("<h1>Oops</h1>", 500, "text/html"), UnavailableError),
    "broken, says invalid_grant": (_error("invalid_grant", 503), UnavailableError),
    "empty": (answer(""), InvalidResponseError),
    "html": (answer("<a href='?a=b&c=d'>", content_type="text/html"), InvalidResponseError),
    "list": (answer([TOKEN]), InvalidResponseError),
    "truncated JSON": (answer(json.dumps(TOKEN)[:-5]), InvalidResponseError),
    "not text": (answer(b"\xff\xfe\x00{"), InvalidResponseError),
    "deep": (answer("[" * 60_000), InvalidResponseError),
    "many fields": (answer("&".join(["a=b"] * 100)), InvalidResponseError),
    "no token": (answer({"expires_in": 60}), InvalidResponseError),
    "empty token": (answer(TOKEN | {"access_token": ""}), InvalidResponseError),
    "token that is no text": (answer(TOKEN | {"access_token": 1}), InvalidResponseError),
    "no lifetime": (answer({"access_token": f"{SENTINEL}-token"}), InvalidResponseError),
    "null lifetime": (answer(TOKEN | {"expires_in": None}), InvalidResponseError),
    "error beside a token": (answer(TOKEN | {"error": "invalid_client"}), InvalidClientError),
    "lifetime in words": (answer(TOKEN | {"expires_in": "soon"}), InvalidResponseError),
    "lifetime that is none": (answer(TOKEN | {"expires_in": "nan"}), InvalidResponseError),
    "boolean lifetime": (answer(TOKEN | {"expires_in": True}), InvalidResponseError),
    "truncated transfer": (_truncated, UnavailableError),
    "form-encoded, too long": (
        answer(f"expires_in=60&access_token={'a' * 100_000}", content_type="text/plain"),
        InvalidResponseError,
    ),
    "token, too long": (
        answer({**TOKEN, "scope": "a" * 10_000_000}),
        InvalidResponseError,
    ),
    "html with a query": (
        answer("<a href='/login?a=b&error=timeout&access_token=a'>", content_type="text/html"),
        InvalidResponseError,
    ),
    "redirect with an error": (_error("invalid_grant", 302), InvalidResponseError),
    "temporarily_unavailable": (_error("temporarily_unavailable"), UnavailableError),
    "server_error as 200": (_error("server_error", 200), UnavailableError),
    "10 MB compressed": (_compressed, InvalidResponseError),
    "10 MB": (answer(b" " * 10_000_000 + json.dumps(TOKEN).encode()), InvalidResponseError),
    "redirect": (answer("", 307, Location="/elsewhere"), InvalidResponseError),
    "redirect with a token": (answer(TOKEN, 302, Location="/elsewhere"), InvalidResponseError),
}


@pytest.mark.parametrize(("respond", "kind"), BAD.values(), ids=list(BAD))
async def test_no_token(
    hass: HomeAssistant, server: RecordingServer, respond: Respond, kind: type[TokenRequestError]
) -> None:
    """Whatever is no token is an error that says what to do; nothing sent or issued is in it."""
    server.respond = respond
    with pytest.raises(TokenRequestError) as raised:
        await _token(_endpoint(hass, server, method="client_secret_basic"))
    assert type(raised.value) is kind
    assert len(server.requests) == 1
    assert SENTINEL not in f"{raised.value!r} {raised.value} {vars(raised.value)}"
    assert "Basic" not in repr(raised.value)
    assert raised.value.__context__ is None
    # Integrations judge by the status as well.
    reauth = isinstance(raised.value, OAuth2TokenRequestReauthError)
    assert raised.value.status in (range(400, 429) if reauth else range(500, 600))


@pytest.mark.parametrize(
    "kind", [InvalidClientError, InvalidGrantError, InvalidResponseError, UnavailableError]
)
def test_effect(kind: type[TokenRequestError]) -> None:
    """Of these, only an expired or revoked grant has the user log in again."""
    assert issubclass(kind, OAuth2TokenRequestReauthError) is (kind is InvalidGrantError)
    assert issubclass(kind, OAuth2TokenRequestTransientError) is (kind is not InvalidGrantError)


async def _reset(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def _slow(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(5)
    return web.Response()


async def _trickling(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(100):
        await response.write(b" ")
        await asyncio.sleep(0.05)
    return response


@pytest.mark.parametrize("respond", [_reset, _slow, _trickling])
async def test_no_answer(
    hass: HomeAssistant, server: RecordingServer, monkeypatch: pytest.MonkeyPatch, respond: Respond
) -> None:
    """A connection that is reset, or an answer that takes too long, is tried again later."""
    server.respond = respond
    monkeypatch.setattr(token_endpoint, "TIMEOUT", 0.2)
    with pytest.raises(UnavailableError) as raised:
        await _endpoint(hass, server).async_request_token(GRANT)
    assert SENTINEL not in f"{raised.value!r} {raised.value}"
    assert raised.value.__context__ is None


async def test_nobody_listens(
    hass: HomeAssistant, socket_enabled: None, unused_tcp_port: int
) -> None:
    """A server that is not there is tried again later."""
    endpoint = TokenEndpoint(
        hass,
        f"http://127.0.0.1:{unused_tcp_port}/token",
        DeveloperCredential("id", SENTINEL),
        "client_secret_post",
        "acme",
    )
    with pytest.raises(UnavailableError) as raised:
        await endpoint.async_request_token(GRANT)
    assert raised.value.error_description == "ClientConnectorError"
    # What aiohttp raised may have the request.
    assert raised.value.__context__ is None
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("status", [200, 400, 500])
async def test_query_of_the_endpoint(
    hass: HomeAssistant, server: RecordingServer, status: int
) -> None:
    """The query of the endpoint's address may be a key: it is sent, and told to nobody."""
    url = f"{server.token_url}?key={SENTINEL}-key"
    words = f"{SENTINEL}-key at {url}"
    server.respond = answer({"error": "odd", "error_description": words}, status)
    endpoint = TokenEndpoint(
        hass, url, DeveloperCredential("id", SENTINEL), "client_secret_post", "acme"
    )
    with pytest.raises(TokenRequestError) as raised:
        await endpoint.async_request_token(GRANT)
    assert server.requests[0].raw_path == f"/token?key={SENTINEL}-key"
    assert SENTINEL not in f"{raised.value!r} {raised.value} {vars(raised.value)}"
    assert str(raised.value).endswith(f"url='{server.token_url}'")


async def test_caller_is_cancelled(hass: HomeAssistant, server: RecordingServer) -> None:
    """A time limit of the caller's is the caller's."""
    server.respond = _slow
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await _endpoint(hass, server).async_request_token(GRANT)

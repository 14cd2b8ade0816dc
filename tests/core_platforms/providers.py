"""One local server in place of all providers: their token endpoints, and their APIs."""

import asyncio
import base64
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from http import HTTPStatus
import json
from secrets import token_hex
from types import ModuleType
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import ClientSession, web
from homeassistant.components.application_credentials import AuthorizationServer
from homeassistant.core import HomeAssistant
from google.api_core.exceptions import ServiceUnavailable
import grpc.aio
import httplib2
import httpx
import pytest
import requests
from yarl import URL

from tests.recording_server import Recorded, RecordingServer, answer

LOOPBACK: Final = "127.0.0.1"
AUTHORIZE_PATH: Final = "/oauth/authorize"
TOKEN_PATH: Final = "/oauth/token"
EVENT_STREAM: Final = "text/event-stream"
EVERY_CLIENT: Final = "*"
NO_CONTENT: Final = HTTPStatus.NO_CONTENT
NOT_FOUND: Final = HTTPStatus.NOT_FOUND


# What integrations read of the access token.
_CLAIMS: Final = {
    "client_id": "client-id",
    "customer_id": "customer",
    "exp": 2**33,
    "groups": [],
    "iat": 0,
    "iss": "provider",
    "ou_code": "EU",
    "roles": [],
    "scope": "iam:read amc:api",
    "scopes": [],
    "scp": [],
    "sub": "user",
    "user": {"first_name": "A", "last_name": "User", "custom_attributes": {}, "customer_id": "customer"},
}


class Provider:
    """An authorization server and an API for whichever integration a test sets up.

    Attributes:
        server: The server, with what it was asked.
        rejected: The client secrets that it rejects; with `EVERY_CLIENT`, whatever comes.
        token: What a token response has besides the usual, such as a scope.
        api: What the API answers, by a part of the path; an empty object for what is not there.
        ended: Is set where nobody listens any more.
    """

    def __init__(self, server: RecordingServer) -> None:
        """Take over a server."""
        self.server = server
        self.rejected: set[str] = set()
        self.token: dict[str, Any] = {}
        self.api: dict[str, Any] = {}
        self.ended = asyncio.Event()
        server.respond = self._respond

    @property
    def token_requests(self) -> list[Recorded]:
        """What the token endpoint was asked."""
        return [one for one in self.server.requests if one.path == TOKEN_PATH]

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        if request.path == AUTHORIZE_PATH:
            return web.Response()
        if request.path == TOKEN_PATH:
            return await self._respond_to_grant(request)
        if request.headers.get("Upgrade") == "websocket":
            return await self._listen(request, web.WebSocketResponse())
        if request.headers.get("Accept") == EVENT_STREAM:
            return await self._listen(
                request, web.StreamResponse(headers={"Content-Type": EVENT_STREAM})
            )
        body = next((body for part, body in self.api.items() if part in request.path), {})
        if isinstance(body, HTTPStatus):
            return web.Response(status=body)
        return await answer(body)(request)

    async def _listen(
        self, request: web.Request, response: web.StreamResponse
    ) -> web.StreamResponse:
        """Let an integration wait for events, of which there are none."""
        await response.prepare(request)
        await self.ended.wait()
        return response

    async def _respond_to_grant(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        secret = form.get("client_secret", "")
        if (basic := request.headers.get("Authorization", "")).startswith("Basic "):
            secret = base64.b64decode(basic.removeprefix("Basic ")).decode().partition(":")[2]
        if secret in self.rejected or EVERY_CLIENT in self.rejected:
            error = {"error": "invalid_client", "error_description": "Client secret expired"}
            return await answer(error, 401)(request)
        if form["grant_type"] != "refresh_token":
            return await answer({"error": "invalid_grant"}, 400)(request)
        return await answer(token(expires_in=3600) | self.token)(request)


def token(**others: Any) -> dict[str, Any]:
    """Return the token of an account; not one of those that no log may have.

    Libraries log what they send, at the debug level.
    """
    return {
        "access_token": _access_token(),
        "refresh_token": "refresh-token",
        "token_type": "Bearer",
    } | others


def _access_token() -> str:
    """Return a JWT without a signature: some integrations read who it is for."""
    parts = [{"alg": "none"}, {**_CLAIMS, "jti": token_hex()}]
    encoded = [base64.urlsafe_b64encode(json.dumps(one).encode()).decode() for one in parts]
    return ".".join([one.rstrip("=") for one in encoded] + ["c2lnbmF0dXJl"])


def point_at(monkeypatch: pytest.MonkeyPatch, platform: ModuleType, provider: Provider) -> None:
    """Have an integration's `application_credentials.py` name a provider's endpoints."""
    authorize_url, token_url = (
        f"{provider.server.url}{path}" for path in (AUTHORIZE_PATH, TOKEN_PATH)
    )
    if server := getattr(platform, "async_get_authorization_server", None):

        @wraps(server)
        async def get_server(hass: HomeAssistant) -> AuthorizationServer:
            await server(hass)
            return AuthorizationServer(authorize_url, token_url)

        monkeypatch.setattr(platform, "async_get_authorization_server", get_server)
    if implementation := getattr(platform, "async_get_auth_implementation", None):

        @wraps(implementation)
        async def get_implementation(*args: Any) -> Any:
            made = await implementation(*args)
            if hasattr(made, "token_url"):
                made.authorize_url, made.token_url = authorize_url, token_url
            return made

        monkeypatch.setattr(platform, "async_get_auth_implementation", get_implementation)


@contextmanager
def every_api_at(monkeypatch: pytest.MonkeyPatch, server: RecordingServer) -> Iterator[None]:
    """Send what the HTTP libraries send to any other host to a server, at /HOST/PATH."""

    def local(url: str) -> str:
        parts = urlsplit(url)
        if parts.hostname == LOOPBACK or not parts.hostname:
            return url
        query = f"?{parts.query}" if parts.query else ""
        return f"{server.url}/{parts.hostname}{parts.path}{query}"

    send_aiohttp = ClientSession._request
    send_httpx = httpx.AsyncHTTPTransport.handle_async_request
    send_httplib2 = httplib2.Http.request
    send_requests = requests.adapters.HTTPAdapter.send

    async def aiohttp(self: ClientSession, method: str, url: Any, **kwargs: Any) -> Any:
        url = local(str(self._build_url(url)))
        return await send_aiohttp(self, method, URL(url, encoded=True), **kwargs)

    async def httpx_(self: Any, request: httpx.Request) -> httpx.Response:
        request.url = httpx.URL(local(str(request.url)))
        return await send_httpx(self, request)

    def requests_(self: Any, request: Any, **kwargs: Any) -> Any:
        request.url = local(request.url)
        return send_requests(self, request, **kwargs)

    def httplib2_(self: httplib2.Http, url: str, *args: Any, **kwargs: Any) -> Any:
        return send_httplib2(self, local(url), *args, **kwargs)

    def no_grpc(*args: object, **kwargs: object) -> None:
        raise ServiceUnavailable("There is no gRPC here")

    with monkeypatch.context() as patch:
        patch.setattr(ClientSession, "_request", aiohttp)
        patch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", httpx_)
        patch.setattr(requests.adapters.HTTPAdapter, "send", requests_)
        patch.setattr(httplib2.Http, "request", httplib2_)
        patch.setattr(grpc.aio, "secure_channel", no_grpc)
        yield

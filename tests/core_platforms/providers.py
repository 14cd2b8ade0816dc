"""One local server in place of all providers: their token endpoints, and their APIs."""

import asyncio
import base64
from functools import wraps
from http import HTTPStatus
import json
from secrets import token_hex
from types import ModuleType
from typing import Any, Final

from aiohttp import web
from homeassistant.components.application_credentials import AuthorizationServer
from homeassistant.core import HomeAssistant
import pytest

from tests.recording_server import Recorded, RecordingServer, answer

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
    "user": {
        "first_name": "A",
        "last_name": "User",
        "custom_attributes": {},
        "customer_id": "customer",
    },
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
        response = await self._answer(request)
        if not response.prepared and isinstance(response, web.Response):
            # No connection is kept alive: one would be closed when tests let time pass.
            response.force_close()
        return response

    async def _answer(self, request: web.Request) -> web.StreamResponse:
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
        body: object = next((body for part, body in self.api.items() if part in request.path), {})
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


def token(**others: object) -> dict[str, Any]:
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
        async def get_implementation(*args: object) -> object:
            made = await implementation(*args)
            if hasattr(made, "token_url"):
                made.authorize_url, made.token_url = authorize_url, token_url
            return made

        monkeypatch.setattr(platform, "async_get_auth_implementation", get_implementation)

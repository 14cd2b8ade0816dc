"""An authorization server for tests, which speaks HTTP on loopback (RFC 6749)."""

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from itertools import count
import json
import re
from secrets import token_urlsafe
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, unquote_plus

from aiohttp import (
    ClientHandlerType,
    ClientRequest,
    ClientResponse,
    ClientSession,
    DummyCookieJar,
    hdrs,
    web,
)
from aiohttp.test_utils import TestServer
from homeassistant.core import HomeAssistant
import jwt
from yarl import URL

from ..oauth2.http_session import DATA_SESSION
from .storage import CREDENTIAL


@dataclass(frozen=True, slots=True, kw_only=True)
class _Login:
    """A login: of which client, with which code challenge, for which scopes, and of whom."""

    client_id: str
    code_challenge: str | None
    scopes: list[str]
    claims: Mapping[str, object]


class MockAuthorizationServer:
    """An authorization server on loopback, which listens within the context.

    Within it, all that Developer Credentials sends to authorization servers arrives here, whatever
    URLs the integration declares, which is tested as it is. What the integration sends itself, as
    to an API, does not.

    Whoever logs in gets a code at once (RFC 6749, section 4.1). A code is for the client that asked
    for it, with the verifier of its challenge (RFC 7636); a refresh token serves once, and brings
    the next one. A verification finds the clients that are known. It has metadata (RFC 8414) as
    whatever issuer it is asked for, and a userinfo endpoint (OpenID Connect Core, section 5.3)
    wherever an access token is sent to. A login with the scope `openid` brings an ID token.

    Attributes:
        clients: The client secrets by client id, empty for a public client. A client that is
            removed is rejected; one whose secret is changed is, too, until it sends the new one.
        claims: What it says of whoever logs in from now on (section 5.1); another `sub` is another
            account.
        away: Whether it answers 503, whatever it is asked.
        token_fields: Fields of its tokens, besides its own or in their place.
        metadata: Fields of its metadata, likewise.
        authorization_requests: The parameters of the authorization requests so far, oldest first;
            a verification makes one, too.
        token_requests: The parameters of the token requests so far, likewise.
        revoked_tokens: The tokens that it was asked to revoke (RFC 7009).
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Initialize with `CREDENTIAL` as the one client."""
        self.clients: dict[str, str] = {CREDENTIAL.client_id: CREDENTIAL.client_secret}
        self.claims: dict[str, object] = {"sub": "account", "name": "Account"}
        self.away: bool = False
        self.token_fields: dict[str, object] = {}
        self.metadata: dict[str, object] = {}
        self.authorization_requests: list[dict[str, str]] = []
        self.token_requests: list[dict[str, str]] = []
        self.revoked_tokens: list[str] = []
        self._hass = hass
        self._numbers = count(1)
        # By code, refresh token and access token.
        self._codes: dict[str, _Login] = {}
        self._refresh_tokens: dict[str, _Login] = {}
        self._access_tokens: dict[str, _Login] = {}
        application = web.Application()
        application.router.add_route(hdrs.METH_ANY, "/{path:.*}", self._handle)
        self._server = TestServer(application)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Listen, and have the requests of Developer Credentials sent here."""
        data = self._hass.data
        await self._stack.enter_async_context(self._server)
        session = ClientSession(cookie_jar=DummyCookieJar(), middlewares=[self._reroute])
        await self._stack.enter_async_context(session)
        if before := data.get(DATA_SESSION):
            self._stack.callback(data.__setitem__, DATA_SESSION, before)
        else:
            self._stack.callback(data.pop, DATA_SESSION)
        data[DATA_SESSION] = session
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave Home Assistant as it was, and stop listening."""
        await self._stack.aclose()

    def refuse_grants(self) -> None:
        """Forget all logins: their refresh tokens are refused, as `invalid_grant`."""
        self._refresh_tokens.clear()

    async def _reroute(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Send a request here; its header still says where it would have gone."""
        request.headers["X-Forwarded-Proto"] = request.url.scheme
        request.url = self._server.make_url("/").join(request.url.relative())
        return await handler(request)

    async def _handle(self, request: web.Request) -> web.Response:
        """Answer a request by what it says; its path is what the integration declares."""
        if self.away:
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE)
        if "/.well-known/" in request.path:
            return self._describe(request)
        if request.method == hdrs.METH_GET:
            if hdrs.AUTHORIZATION in request.headers:
                return self._tell_account(request)
            return self._authorize(dict(request.query))
        params = await _params(request)
        if "grant_type" in params:
            self.token_requests.append(params)
        if not self._is_client(request, params):
            return _error("invalid_client", HTTPStatus.UNAUTHORIZED)
        return self._grant(params) if "grant_type" in params else self._revoke(params)

    def _describe(self, request: web.Request) -> web.Response:
        """Return the metadata of the issuer that is asked (RFC 8414, section 2)."""
        path = re.sub(r"/\.well-known/[^/]+", "", request.raw_path)
        issuer = f"{request.headers['X-Forwarded-Proto']}://{request.host}{path}"
        document = {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "revocation_endpoint": f"{issuer}/revoke",
            "userinfo_endpoint": f"{issuer}/userinfo",
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        }
        return web.json_response(document | self.metadata)

    def _authorize(self, params: dict[str, str]) -> web.Response:
        """Let the user log in (RFC 6749, sections 4.1.1 and 4.1.2)."""
        if params.get("client_id") not in self.clients or "redirect_uri" not in params:
            return _error("invalid_request")
        self.authorization_requests.append(params)
        code = token_urlsafe()
        self._codes[code] = _Login(
            client_id=params["client_id"],
            code_challenge=params.get("code_challenge"),
            scopes=params.get("scope", "").split(),
            claims=dict(self.claims),
        )
        answer = {"code": code, "state": params.get("state", "")}
        location = URL(params["redirect_uri"]).update_query(answer)
        return web.Response(status=HTTPStatus.FOUND, headers={hdrs.LOCATION: str(location)})

    def _tell_account(self, request: web.Request) -> web.Response:
        """Return the claims of the user of an access token (OpenID Connect Core, section 5.3.2)."""
        token = request.headers[hdrs.AUTHORIZATION].removeprefix("Bearer ")
        if login := self._access_tokens.get(token):
            return web.json_response(dict(login.claims))
        return _error("invalid_token", HTTPStatus.UNAUTHORIZED)

    def _is_client(self, request: web.Request, params: dict[str, str]) -> bool:
        """Return whether a client authenticates, and have its id among the parameters."""
        scheme, _, value = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme != "Basic":
            return self.clients.get(params.get("client_id", "")) == params.get("client_secret", "")
        client_id, _, secret = b64decode(value).decode().partition(":")
        # Encoded as RFC 6749, section 2.3.1, has it, or not.
        for client in ((client_id, secret), (unquote_plus(client_id), unquote_plus(secret))):
            if self.clients.get(client[0]) == client[1]:
                params["client_id"] = client[0]
                return True
        return False

    def _grant(self, params: dict[str, str]) -> web.Response:
        """Return a token for a grant (RFC 6749, sections 4.1.3 and 6)."""
        if params["grant_type"] == "authorization_code":
            login = self._codes.pop(params.get("code", ""), None)
            challenge = login.code_challenge if login else None
            if challenge and challenge != _challenge_of(params.get("code_verifier", "")):
                login = None
        elif params["grant_type"] == "refresh_token":
            login = self._refresh_tokens.pop(params.get("refresh_token", ""), None)
        else:
            return _error("unsupported_grant_type")
        if login is None or login.client_id != params["client_id"]:
            return _error("invalid_grant")
        number = next(self._numbers)
        token: dict[str, object] = {
            "access_token": f"access-token-{number}",
            "token_type": "Bearer",
            "expires_in": 3600,
            "refresh_token": f"refresh-token-{number}",
        }
        if "openid" in login.scopes:
            # Not signed (RFC 7519, section 6).
            token["id_token"] = jwt.encode(dict(login.claims), "", algorithm="none")
        token |= self.token_fields
        self._access_tokens[str(token["access_token"])] = login
        self._refresh_tokens[str(token["refresh_token"])] = login
        return web.json_response(token)

    def _revoke(self, params: dict[str, str]) -> web.Response:
        """Revoke a token (RFC 7009, section 2)."""
        self.revoked_tokens.append(params.get("token", ""))
        self._refresh_tokens.pop(params.get("token", ""), None)
        return web.Response()


async def _params(request: web.Request) -> dict[str, str]:
    """Return what a request to the token endpoint says, as a form or as JSON."""
    body = await request.text()
    if request.content_type == "application/json":
        return dict(json.loads(body))
    return dict(parse_qsl(body))


def _challenge_of(code_verifier: str) -> str:
    """Return the code challenge of a verifier, S256 (RFC 7636, section 4.2)."""
    return urlsafe_b64encode(sha256(code_verifier.encode()).digest()).decode().rstrip("=")


def _error(error: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> web.Response:
    """Return an error (RFC 6749, section 5.2)."""
    return web.json_response({"error": error}, status=status)

"""A client of Demo Cloud's authorization server, which sends what a test wants."""

import base64
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

import aiohttp

from demo.authorization_server import DemoAuthorizationServer
from demo.browser import log_in

REDIRECT_URI = "http://127.0.0.1:8123/auth/external/callback"
METHODS = ["client_secret_basic", "client_secret_post"]

type Fields = dict[str, str]
type Token = dict[str, str]


def authorize_url(server: DemoAuthorizationServer, **params: str) -> str:
    """Return the URL of an authorization request."""
    query = {
        "response_type": "code",
        "client_id": "app",
        "redirect_uri": REDIRECT_URI,
        "state": "state=&ü",
        **params,
    }
    return f"{server.url}/authorize?{urlencode(query)}"


def query_of(redirect: str) -> Fields:
    """Return the query of a redirect, which leads to the application."""
    assert redirect.startswith(f"{REDIRECT_URI}?")
    return {name: values[0] for name, values in parse_qs(urlsplit(redirect).query).items()}


async def code_for(server: DemoAuthorizationServer, **params: str) -> str:
    """Log in and return the code."""
    return query_of(await log_in(authorize_url(server, **params), "demo", "demo"))["code"]


async def post_token(
    session: aiohttp.ClientSession,
    fields: Fields,
    *,
    method: str = "client_secret_basic",
    client: tuple[str, str] = ("app", "secret"),
    path: str = "/token",
) -> tuple[int, Token]:
    """Send a token request, and return its status and JSON."""
    headers = {}
    fields = dict(fields)
    if method == "client_secret_basic":
        pair = ":".join(quote_plus(part) for part in client)
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        fields["client_id"] = client[0]
        if method == "client_secret_post":
            fields["client_secret"] = client[1]
    async with session.post(path, data=fields, headers=headers) as response:
        if response.status == 401:
            assert response.headers["WWW-Authenticate"].startswith("Basic ")
        return response.status, await response.json()


def code_fields(code: str, **fields: str) -> Fields:
    """Return the fields of a token request for a code."""
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT_URI,
        **fields,
    }


def refresh_fields(token: Token) -> Fields:
    """Return the fields of a token request for a refresh token."""
    return {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}


async def token_for(server: DemoAuthorizationServer, session: aiohttp.ClientSession) -> Token:
    """Log in and return the tokens."""
    status, token = await post_token(session, code_fields(await code_for(server)))
    assert status == 200
    return token


async def account_status(session: aiohttp.ClientSession, token: Token) -> int:
    """Return the status of an API request."""
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    async with session.get("/api/account", headers=headers) as response:
        assert (response.status == 401) == ("WWW-Authenticate" in response.headers)
        return response.status

"""Tests of Demo Cloud's token and revocation endpoints, and its API, over HTTP."""

import asyncio
import base64
import hashlib

import aiohttp
import pytest

from demo.authorization_server import DemoAuthorizationServer

from .oauth_client import (
    METHODS,
    REDIRECT_URI,
    Fields,
    account_status,
    code_fields,
    code_for,
    post_token,
    refresh_fields,
    token_for,
)

VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode()[:43]
S256 = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "a b+c%2Bd%",
        "&=:;,/?#@",
        "'\"`<>\\",
        "ü€😀",
        "\t\n",
        "x" * 4096,
        "%" * 4096,
    ],
    ids=["plain", "plus", "separators", "quotes", "unicode", "white space", "long", "percents"],
)
async def test_client_authentication(
    server: DemoAuthorizationServer, session: aiohttp.ClientSession, method: str, text: str
) -> None:
    """Ids and secrets of any characters serve, sent in either way."""
    client = (f"id{text}", f"secret{text}")
    server.add_client(client[0], client_secret=client[1], redirect_uris=[REDIRECT_URI])
    fields = code_fields(await code_for(server, client_id=client[0], scope="account other"))
    status, token = await post_token(session, fields, method=method, client=client)
    assert status == 200
    assert (token["token_type"], token["scope"]) == ("Bearer", "account other")
    status, again = await post_token(session, refresh_fields(token), method=method, client=client)
    assert status == 200
    assert again["scope"] == token["scope"]
    assert [(it.client_id, it.auth_method) for it in server.token_requests] == 2 * [
        (client[0], method)
    ]
    assert server.token_requests[0].form.items() >= fields.items()


@pytest.mark.parametrize(
    ("client", "registered", "statuses"),
    [
        (("app", "wrong"), None, (401, 401)),
        (("other", "secret"), None, (401, 400)),
        (("app", ""), None, (401, 401)),
        (("app", "secret"), "client_secret_basic", (400, 401)),
        (("app", "secret"), "client_secret_post", (401, 400)),
        (("app", "secret"), "none", (401, 401)),
    ],
)
async def test_client_authentication_fails(
    server: DemoAuthorizationServer,
    session: aiohttp.ClientSession,
    client: tuple[str, str],
    registered: str | None,
    statuses: tuple[int, int],
) -> None:
    """A wrong id, secret or way of sending it is invalid_client, and a made-up code else."""
    server.clients["app"].token_endpoint_auth_method = registered
    for method, expected in zip(METHODS, statuses, strict=True):
        fields = code_fields("made up")
        status, answer = await post_token(session, fields, method=method, client=client)
        assert status == expected
        assert answer["error"] == ("invalid_grant" if method == registered else "invalid_client")


@pytest.mark.parametrize("header", ["Basic", "Basic !", "Basic YQ==", "Basic /w==", "Bearer YTpi"])
async def test_malformed_client_authentication(
    server: DemoAuthorizationServer, session: aiohttp.ClientSession, header: str
) -> None:
    """An Authorization header that makes no sense is invalid_client."""
    async with session.post(
        "/token", data=code_fields("made up"), headers={"Authorization": header}
    ) as response:
        assert response.status == 401
        assert (await response.json())["error"] == "invalid_client"


async def test_made_up_code(
    server: DemoAuthorizationServer, session: aiohttp.ClientSession
) -> None:
    """A made-up code of the right client is invalid_grant."""
    for method in METHODS:
        status, answer = await post_token(session, code_fields("made up"), method=method)
        assert (status, answer["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"redirect_uri": f"{REDIRECT_URI}/other"}, "invalid_grant"),
        ({"code_verifier": VERIFIER}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
async def test_wrong_token_request(
    server: DemoAuthorizationServer, session: aiohttp.ClientSession, fields: Fields, error: str
) -> None:
    """A code serves only with what the authorization request had."""
    request = code_fields(await code_for(server), **fields)
    status, answer = await post_token(session, request)
    assert (status, answer["error"]) == (400, error)


async def test_code_is_bound_to_the_client(
    server: DemoAuthorizationServer, session: aiohttp.ClientSession
) -> None:
    """A code, a refresh token and a revocation are of no use to another client."""
    server.add_client("other", client_secret="secret")
    token = await token_for(server, session)
    other = ("other", "secret")
    fields = code_fields(await code_for(server))
    assert (await post_token(session, fields, client=other))[1]["error"] == "invalid_grant"
    fields = refresh_fields(token)
    assert (await post_token(session, fields, client=other))[1]["error"] == "invalid_grant"
    await post_token(session, {"token": token["refresh_token"]}, client=other, path="/revoke")
    assert (await post_token(session, fields))[0] == 200


async def test_code_serves_once(
    server: DemoAuthorizationServer, session: aiohttp.ClientSession
) -> None:
    """A code serves a single time."""
    fields = code_fields(await code_for(server))
    assert (await post_token(session, fields))[0] == 200
    assert (await post_token(session, fields))[1]["error"] == "invalid_grant"


async def test_code_expires(
    server: DemoAuthorizationServer,
    session: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A code does not serve after its lifetime."""
    monkeypatch.setattr("demo.grants.CODE_LIFETIME", 0)
    fields = code_fields(await code_for(server))
    assert (await post_token(session, fields))[1]["error"] == "invalid_grant"


async def test_refresh_tokens_rotate(
    server: DemoAuthorizationServer, session: aiohttp.ClientSession
) -> None:
    """A refresh gives another refresh token, and ends the one that was used."""
    first = await token_for(server, session)
    status, second = await post_token(session, refresh_fields(first))
    assert status == 200
    assert not {*first.values()} & {second["refresh_token"], second["access_token"]}
    status, answer = await post_token(session, refresh_fields(first))
    assert (status, answer["error"]) == (400, "invalid_grant")
    crossed = {"refresh_token": second["access_token"]}
    assert (await post_token(session, refresh_fields(crossed)))[1]["error"] == "invalid_grant"
    assert (await post_token(session, refresh_fields(second)))[0] == 200
    server.revoke_refresh_tokens()
    assert (await post_token(session, refresh_fields(second)))[1]["error"] == "invalid_grant"


async def test_access_token_expires(socket_enabled: None) -> None:
    """An access token serves for as long as expires_in says, and a refresh gives another."""
    with DemoAuthorizationServer(access_token_lifetime=1) as server:
        server.add_client("app", client_secret="secret", redirect_uris=[REDIRECT_URI])
        async with aiohttp.ClientSession(server.url) as session:
            token = await token_for(server, session)
            assert str(token["expires_in"]) == "1"
            assert await account_status(session, token) == 200
            await asyncio.sleep(1.1)
            assert await account_status(session, token) == 401
            token = (await post_token(session, refresh_fields(token)))[1]
            assert await account_status(session, token) == 200
            server.expire_access_tokens()
            assert await account_status(session, token) == 401


async def test_account(server: DemoAuthorizationServer, session: aiohttp.ClientSession) -> None:
    """The API counts its requests by account, and takes an access token only."""
    token = await token_for(server, session)
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    for requests in (1, 2):
        async with session.get("/api/account", headers=headers) as response:
            assert await response.json() == {
                "id": "demo",
                "name": "Demo account",
                "requests": requests,
            }
    assert await account_status(session, {"access_token": "made up"}) == 401
    assert await account_status(session, {"access_token": token["refresh_token"]}) == 401
    async with session.get("/api/account") as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].lower().startswith("bearer ")


@pytest.mark.parametrize(
    ("which", "refresh_status"), [("access_token", 200), ("refresh_token", 400)]
)
async def test_revocation(
    server: DemoAuthorizationServer,
    session: aiohttp.ClientSession,
    which: str,
    refresh_status: int,
) -> None:
    """To revoke an access token ends it; to revoke a refresh token ends both."""
    token = await token_for(server, session)
    for value in (token[which], "made up"):
        status, _ = await post_token(session, {"token": value}, path="/revoke")
        assert status == 200
    assert await account_status(session, token) == 401
    assert (await post_token(session, refresh_fields(token)))[0] == refresh_status
    status, answer = await post_token(
        session, {"token": token[which]}, client=("app", "wrong"), path="/revoke"
    )
    assert (status, answer["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("method", [*METHODS, "none"])
@pytest.mark.parametrize(
    ("verifier", "error"),
    [
        ({"code_verifier": VERIFIER}, None),
        ({"code_verifier": VERIFIER.upper()}, "invalid_grant"),
        ({"code_verifier": "short"}, "invalid_request"),
        ({}, "invalid_request"),
    ],
)
async def test_pkce(
    server: DemoAuthorizationServer,
    session: aiohttp.ClientSession,
    method: str,
    verifier: Fields,
    error: str | None,
) -> None:
    """A code with an S256 challenge serves only with its verifier, for any client."""
    server.clients["app"].token_endpoint_auth_method = method
    fields = code_fields(await code_for(server, **S256), **verifier)
    status, answer = await post_token(session, fields, method=method)
    assert (status, answer.get("error")) == (200 if error is None else 400, error)
    if error is None:
        assert (await post_token(session, refresh_fields(answer), method=method))[0] == 200


async def test_unavailable(server: DemoAuthorizationServer, session: aiohttp.ClientSession) -> None:
    """Token endpoint and API answer 503 for as long as they are told to."""
    token = await token_for(server, session)
    server.unavailable = True
    async with session.post("/token", data=refresh_fields(token)) as response:
        assert response.status == 503
    assert await account_status(session, token) == 503
    server.unavailable = False
    assert await account_status(session, token) == 200

"""Tests of Demo Cloud's authorization endpoint and metadata, and of the server as such."""

import asyncio
import signal
import socket
import sys
import threading
from urllib.parse import urlsplit

import aiohttp
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata  # type: ignore[import-untyped]
import pytest

from demo.authorization_server import MY_REDIRECT_URI, DemoAuthorizationServer
from demo.browser import LoginError, log_in

from .oauth_client import REDIRECT_URI, Fields, authorize_url, post_token, query_of

CHALLENGE = "c" * 43
S256 = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}


@pytest.mark.parametrize(
    ("method", "params", "error"),
    [
        (None, {"code_challenge": CHALLENGE}, "invalid_request"),
        (None, {**S256, "code_challenge_method": "plain"}, "invalid_request"),
        (None, {"code_challenge_method": "S256"}, "invalid_request"),
        ("none", {}, "invalid_request"),
        (None, {"response_type": "token"}, "unsupported_response_type"),
        (None, {"response_type": "ü"}, "invalid_request"),
    ],
)
async def test_authorization_errors_redirect(
    server: DemoAuthorizationServer, method: str | None, params: Fields, error: str
) -> None:
    """What is wrong with a request of a known application, the application is told."""
    server.clients["app"].token_endpoint_auth_method = method
    query = query_of(await log_in(authorize_url(server, **params), "demo", "demo"))
    assert (query["error"], query["state"]) == (error, "state=&ü")
    assert "code" not in query


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"client_id": "<b>other"}, "No application has this client ID."),
        ({"redirect_uri": f"{REDIRECT_URI}/ü"}, "has not registered this redirect URI."),
        ({"redirect_uri": REDIRECT_URI.upper()}, "has not registered this redirect URI."),
    ],
)
async def test_authorization_errors_that_do_not_redirect(
    server: DemoAuthorizationServer,
    session: aiohttp.ClientSession,
    params: Fields,
    message: str,
) -> None:
    """An unknown client or redirect URI gets a page that says so, and no redirect."""
    url = authorize_url(server, **params)
    for method in ("GET", "POST"):
        async with session.request(method, url, allow_redirects=False) as response:
            page = await response.text()
            assert response.status == 400
            assert "Location" not in response.headers
            assert message in page
            assert "<b>" not in page


@pytest.mark.parametrize(
    ("my_instance", "redirect_uri", "ends_at"),
    [
        ("", MY_REDIRECT_URI, MY_REDIRECT_URI),
        ("http://127.0.0.1:8123", MY_REDIRECT_URI, REDIRECT_URI),
        ("http://127.0.0.1:8123", "http://[::1]/callback", "http://[::1]/callback"),
    ],
)
@pytest.mark.parametrize("action", ["allow", "deny"])
async def test_my_home_assistant(
    server: DemoAuthorizationServer,
    session: aiohttp.ClientSession,
    my_instance: str,
    redirect_uri: str,
    ends_at: str,
    action: str,
) -> None:
    """A login by My Home Assistant goes on to the instance that My would lead to, if one is set."""
    server.my_instance = my_instance
    server.add_client("my", redirect_uris=[redirect_uri])
    url = authorize_url(server, client_id="my", redirect_uri=redirect_uri)
    data = {"username": "demo", "password": "demo", "action": action}
    async with session.post(url, data=data, allow_redirects=False) as response:
        location, _, query = response.headers["Location"].partition("?")
    assert location == ends_at
    assert "state=state%3D%26%C3%BC" in query


async def test_login_page(server: DemoAuthorizationServer, session: aiohttp.ClientSession) -> None:
    """The page says who asks for what; a wrong password gets it again; Deny needs none."""
    server.clients["app"].name = "<script>alert(1)</script>"
    url = authorize_url(server, scope="account other")
    async with session.get(url) as response:
        page = await response.text()
        assert response.headers["Cache-Control"] == "no-store"
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "account, other" in page

    wrong = {"username": "demo", "password": "wrong", "action": "allow"}
    async with session.post(url, data=wrong, allow_redirects=False) as response:
        assert response.status == 403
        assert "The user name or the password is wrong." in await response.text()
    with pytest.raises(LoginError, match=r"403: .* password is wrong"):
        await log_in(url, "nobody", "demo")

    async with session.post(url, data={"action": "deny"}, allow_redirects=False) as response:
        assert response.status == 302
        query = query_of(response.headers["Location"])
    assert (query["error"], query["state"]) == ("access_denied", "state=&ü")

    query = query_of(await log_in(url, "demo", "demo"))
    assert query.keys() == {"code", "state"}
    assert query["state"] == "state=&ü"


async def test_redirect_uri_may_be_left_out(
    server: DemoAuthorizationServer, session: aiohttp.ClientSession
) -> None:
    """A request without a redirect URI goes to the registered one, where there is one."""
    url = f"{server.url}/authorize?response_type=code&client_id=app"
    data = {"username": "demo", "password": "demo", "action": "allow"}
    async with session.post(url, data=data, allow_redirects=False) as response:
        code = query_of(response.headers["Location"])["code"]
    fields = {"grant_type": "authorization_code", "code": code}
    assert (await post_token(session, fields))[0] == 200
    server.clients["app"].redirect_uris += ("http://127.0.0.1/other",)
    async with session.get(url) as response:
        assert response.status == 400


async def test_metadata(server: DemoAuthorizationServer, session: aiohttp.ClientSession) -> None:
    """The metadata is valid by RFC 8414, at both addresses."""
    documents = []
    for name in ("oauth-authorization-server", "openid-configuration"):
        async with session.get(f"/.well-known/{name}") as response:
            documents.append(await response.json())
    assert documents[0] == documents[1]
    AuthorizationServerMetadata(documents[0]).validate()
    assert documents[0]["issuer"] == server.url
    assert documents[0]["token_endpoint"] == f"{server.url}/token"
    assert documents[0]["code_challenge_methods_supported"] == ["S256"]


async def test_silent_connections(socket_enabled: None) -> None:
    """Spare connections of a browser hold up neither requests nor the end."""
    with DemoAuthorizationServer() as server:
        address = ("127.0.0.1", urlsplit(server.url).port)
        spare = [socket.create_connection(address) for _ in range(10)]
        async with (
            asyncio.timeout(2),
            aiohttp.ClientSession(server.url) as session,
            session.get("/console") as response,
        ):
            assert response.status == 200
    for connection in spare:
        with connection:
            assert connection.recv(1) == b""


async def test_nothing_is_left(socket_enabled: None) -> None:
    """After the context the port is free and the thread is gone, also at once."""
    threads = threading.active_count()
    port = 0
    for _ in range(3):
        with DemoAuthorizationServer(port) as server:
            port = urlsplit(server.url).port or 0
            assert threading.active_count() == threads + 1
            with pytest.raises(OSError, match="in use"):
                DemoAuthorizationServer(port).__enter__()
        assert threading.active_count() == threads


def test_unknown_method() -> None:
    """A client cannot be registered for a method that there is not."""
    with pytest.raises(ValueError, match="private_key_jwt"):
        DemoAuthorizationServer().add_client("app", token_endpoint_auth_method="private_key_jwt")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_program(socket_enabled: None, number: signal.Signals) -> None:
    """The program says where it listens, has no application, and ends by a signal."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-m", "demo.authorization_server"),
        *("--port", "0", "--lifetime", "7"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    try:
        async with asyncio.timeout(20):
            url = (await process.stdout.readline()).decode().split()[-1]
            async with aiohttp.ClientSession(url) as session:
                async with session.get("/console/applications") as response:
                    assert await response.json() == {"applications": []}
                process.send_signal(number)
                output = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0
    assert output == (b"", b"")


async def test_program_with_a_taken_port(server: DemoAuthorizationServer) -> None:
    """The program says that its port is taken."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "demo.authorization_server"),
        *("--port", str(urlsplit(server.url).port)),
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(20):
        _, errors = await process.communicate()
    assert process.returncode == 1
    assert b"cannot listen on port" in errors

"""Tests of Demo Cloud's developer console, over HTTP."""

import aiohttp
import pytest

from demo.authorization_server import DemoAuthorizationServer

from .oauth_client import (
    REDIRECT_URI,
    account_status,
    code_fields,
    code_for,
    post_token,
    refresh_fields,
)


async def test_console_for_scripts(
    server: DemoAuthorizationServer, session: aiohttp.ClientSession
) -> None:
    """A script creates an application, which serves; changes, rotates and deletes it."""
    data = {"name": "App", "redirect_uris": [REDIRECT_URI]}
    async with session.post("/console/applications", json=data) as response:
        assert response.status == 201
        created = await response.json()
    assert data.items() <= created.items()
    client_id, secret = created["client_id"], created["client_secret"]
    async with session.get("/console/applications") as response:
        assert created in (await response.json())["applications"]

    code = await code_for(server, client_id=client_id)
    status, token = await post_token(session, code_fields(code), client=(client_id, secret))
    assert status == 200

    one = f"/console/applications/{client_id}"
    patch = {"client_secret": "rotate", "redirect_uris": [f"{REDIRECT_URI}/2", "https://a.test/"]}
    async with session.patch(one, json=patch) as response:
        changed = await response.json()
    assert changed["redirect_uris"] == patch["redirect_uris"]
    assert changed["client_secret"] != secret
    fields = refresh_fields(token)
    answer = await post_token(session, fields, client=(client_id, secret))
    assert answer[1]["error"] == "invalid_client"
    client = (client_id, changed["client_secret"])
    assert (await post_token(session, fields, client=client))[0] == 200

    async with session.delete(one) as response:
        assert response.status == 204
    assert client_id not in server.clients
    assert await account_status(session, token) == 401
    for method in ("DELETE", "PATCH"):
        async with session.request(method, one, json={}) as response:
            assert response.status == 404


@pytest.mark.parametrize(
    ("method", "data"),
    [
        ("POST", []),
        ("POST", {}),
        ("POST", {"name": " ", "redirect_uris": [REDIRECT_URI]}),
        ("POST", {"name": "App", "redirect_uris": []}),
        ("POST", {"name": "App", "redirect_uris": REDIRECT_URI}),
        ("POST", {"name": "App", "redirect_uris": ["/callback"]}),
        ("POST", {"name": "App", "redirect_uris": ["javascript:alert(1)"]}),
        ("POST", {"name": "App", "redirect_uris": [f"{REDIRECT_URI}#"]}),
        ("POST", {"name": "App", "redirect_uris": ["http://[1"]}),
        ("PATCH", {"redirect_uris": ["callback"], "client_secret": "rotate"}),
        ("PATCH", {"client_secret": "chosen"}),
        ("PATCH", {"client_id": "other"}),
    ],
)
async def test_console_refuses(
    server: DemoAuthorizationServer, session: aiohttp.ClientSession, method: str, data: object
) -> None:
    """What is no application changes nothing, and the answer says why."""
    path = "/console/applications" if method == "POST" else "/console/applications/app"
    async with session.request(method, path, json=data) as response:
        assert response.status == 400
        assert (await response.json())["error"]
    assert list(server.clients) == ["app"]
    assert server.clients["app"].client_secret == "secret"


async def test_console_for_people(
    server: DemoAuthorizationServer, session: aiohttp.ClientSession
) -> None:
    """The forms of the page do the same, and markup in a name is shown as text."""

    async def submit(**fields: str) -> tuple[int, str]:
        async with session.post("/console", data=fields) as response:
            return response.status, await response.text()

    async with session.get("/") as response:
        assert response.url.path == "/console"
    name = "<img src=x onerror=alert(1)>"
    uris = f" {REDIRECT_URI} \r\n\r\nhttps://a.test/\r\n"
    status, page = await submit(action="create", name=name, redirect_uris=uris)
    assert status == 200
    client_id = list(server.clients)[-1]
    client = server.clients[client_id]
    assert list(client.redirect_uris) == [REDIRECT_URI, "https://a.test/"]
    for text in (client_id, client.client_secret, REDIRECT_URI, "&lt;img src=x"):
        assert text in page
    assert "<img" not in page

    secret = client.client_secret
    status, page = await submit(action="rotate", client_id=client_id)
    assert client.client_secret != secret
    assert client.client_secret in page
    await submit(action="redirect_uris", client_id=client_id, redirect_uris=REDIRECT_URI)
    assert list(client.redirect_uris) == [REDIRECT_URI]
    status, page = await submit(action="redirect_uris", client_id=client_id, redirect_uris="no")
    assert status == 400
    assert "is no redirect URI" in page
    await submit(action="delete", client_id=client_id)
    assert client_id not in server.clients
    status, page = await submit(action="delete", client_id=client_id)
    assert status == 400
    assert "does not exist" in page


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.test"}, 400),
    ],
)
async def test_console_is_for_its_own_pages(
    server: DemoAuthorizationServer,
    session: aiohttp.ClientSession,
    headers: dict[str, str],
    status: int,
) -> None:
    """A page of somebody else's cannot use the console through the visitor's browser."""
    data = {"action": "delete", "client_id": "app"}
    async with session.post("/console", data=data, headers=headers) as response:
        assert response.status == status
    assert "app" in server.clients
    async with session.post("/console", data=data, headers={"Origin": server.url}) as response:
        assert response.status == 200
    assert "app" not in server.clients

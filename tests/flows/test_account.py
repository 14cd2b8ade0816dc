"""Tests of what servers say of the user: by a JWT, and at the userinfo endpoint."""

from base64 import urlsafe_b64encode
import json
import traceback

from aiohttp import ClientError, ClientResponseError
from homeassistant.core import HomeAssistant
import pytest

from custom_components.developer_credentials import (
    Account,
    account_from_jwt,
    async_account_from_userinfo,
)
from tests.common import SENTINEL
from tests.recording_server import RecordingServer, answer

TOKEN = {"access_token": f"{SENTINEL}-token"}

# What a server says, and the account that it means.
CLAIMS = [
    ({"sub": "1"}, Account("1")),
    ({"sub": 1}, Account("1")),
    ({"sub": "1", "name": "Ann", "email": "ann@a.example"}, Account("1", "Ann")),
    ({"sub": "1", "name": "", "preferred_username": "ann"}, Account("1", "ann")),
    ({"sub": "1", "name": 7, "email": "ann@a.example"}, Account("1", "ann@a.example")),
]
NOBODY = [{}, {"sub": ""}, {"sub": None}, {"sub": True}, {"sub": ["1"]}, {"sub": "\ud83d"}]


def _jwt(claims: object, header: object = None) -> str:
    """Return a JWT of somebody whose key nobody knows here."""
    parts = [header or {"alg": "RS256", "kid": "1"}, claims]
    encoded = [urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJl"])


@pytest.mark.parametrize(("claims", "account"), CLAIMS)
def test_jwt(claims: dict[str, object], account: Account) -> None:
    """Of a JWT, the subject is the account, and the best name that there is its title."""
    # That it has expired, or is for somebody else, is not this one's business.
    assert account_from_jwt(_jwt({**claims, "exp": 1, "nbf": 2**40, "aud": "x"})) == account


@pytest.mark.parametrize(
    "token",
    [
        *map(_jwt, NOBODY),
        _jwt(["1"]),
        _jwt({"sub": "1"}, [1]),
        "",
        SENTINEL,
        f"{SENTINEL}.b.c",
        f"a.{SENTINEL}é.c",
        f"a.b.c.d.{SENTINEL}",
    ],
)
def test_not_a_jwt(token: str) -> None:
    """What says nothing of the user is refused, and not shown."""
    with pytest.raises(ValueError, match=r"no sub|not empty") as error:
        account_from_jwt(token)
    assert SENTINEL not in "".join(traceback.format_exception(error.value))


@pytest.mark.parametrize(("claims", "account"), CLAIMS)
async def test_userinfo(
    hass: HomeAssistant, server: RecordingServer, claims: dict[str, object], account: Account
) -> None:
    """The endpoint is asked with the access token, and says whose it is."""
    server.respond = answer(b"\xef\xbb\xbf" + json.dumps(claims).encode())
    url = f"{server.url}/userinfo?v=2"
    assert await async_account_from_userinfo(hass, TOKEN, url) == account
    (request,) = server.requests
    assert (request.method, request.path) == ("GET", "/userinfo")
    assert request.authorization == f"Bearer {SENTINEL}-token"


@pytest.mark.parametrize("body", [*map(json.dumps, NOBODY), "", "no JSON", "[]", "1" * 100_000])
async def test_userinfo_of_nobody(hass: HomeAssistant, server: RecordingServer, body: str) -> None:
    """An answer that does not say whose the token is is refused."""
    server.respond = answer(body)
    with pytest.raises(ValueError, match=r"no sub|not empty"):
        await async_account_from_userinfo(hass, TOKEN, server.url)


@pytest.mark.parametrize("status", [204, 302, 401, 503])
async def test_refused_userinfo(hass: HomeAssistant, server: RecordingServer, status: int) -> None:
    """Anything but an answer is an error with its status, and without the token."""
    server.respond = answer({}, status, Location="/elsewhere")
    with pytest.raises(ClientResponseError) as error:
        await async_account_from_userinfo(hass, TOKEN, server.url)
    assert error.value.status == status
    assert len(server.requests) == 1
    assert SENTINEL not in repr(error.value) + str(error.value)


async def test_userinfo_without_an_answer(hass: HomeAssistant, socket_enabled: None) -> None:
    """An endpoint that is not there is an error of aiohttp."""
    with pytest.raises(ClientError):
        await async_account_from_userinfo(hass, TOKEN, "http://127.0.0.1:9/userinfo")


@pytest.mark.parametrize("url", ["http://cloud.example/userinfo", "userinfo", ""])
async def test_userinfo_url(hass: HomeAssistant, url: str) -> None:
    """The token goes to no endpoint that cannot be one."""
    with pytest.raises(ValueError, match="userinfo_url"):
        await async_account_from_userinfo(hass, TOKEN, url)


@pytest.mark.parametrize("unique_id", ["", 1, None, "\ud83d"])
def test_account_without_unique_id(unique_id: str) -> None:
    """An account that could not be stored is refused where it is made."""
    with pytest.raises(ValueError, match="unique id"):
        Account(unique_id)

"""Tests of the peer itself: that it logs in, exchanges, refreshes and refuses."""

from collections.abc import Iterator
import subprocess
from unittest.mock import patch
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import pytest

from tests.npm import install

from .peer import HERE, OidcProvider

pytestmark = pytest.mark.interop

REDIRECT_URI = "http://127.0.0.1:8123/auth/external/callback"
CLIENT = {
    "client_id": "app",
    "client_secret": "secret",
    "redirect_uris": [REDIRECT_URI],
    "token_endpoint_auth_method": "client_secret_post",
}


@pytest.fixture
def provider(socket_enabled: None) -> Iterator[OidcProvider]:
    """Run oidc-provider with one client."""
    with OidcProvider([CLIENT], access_token_lifetime=5) as provider:
        yield provider


async def test_code_and_refresh(provider: OidcProvider) -> None:
    """A login gives a code, the code tokens, and the refresh token other ones."""
    query = {
        "response_type": "code",
        "client_id": "app",
        "redirect_uri": REDIRECT_URI,
        "scope": "account",
        "state": "state=&ü",
    }
    redirect = await provider.log_in(f"{provider.url}/auth?{urlencode(query)}")
    assert redirect.startswith(f"{REDIRECT_URI}?")
    answer = parse_qs(urlsplit(redirect).query)
    assert answer["state"] == ["state=&ü"]

    async with aiohttp.ClientSession(provider.url) as session:

        async def token(**fields: str) -> tuple[int, dict[str, str]]:
            data = {"client_id": "app", "client_secret": "secret", **fields}
            async with session.post("/token", data=data) as response:
                return response.status, await response.json()

        exchange = {
            "grant_type": "authorization_code",
            "code": answer["code"][0],
            "redirect_uri": REDIRECT_URI,
        }
        status, refused = await token(**exchange, client_secret="wrong")
        assert (status, refused["error"]) == (401, "invalid_client")
        status, first = await token(**exchange)
        assert status == 200
        assert int(first["expires_in"]) == 5

        refresh = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
        status, second = await token(**refresh)
        assert status == 200
        assert second["access_token"] != first["access_token"]
        assert second["refresh_token"] != first["refresh_token"]
        status, refused = await token(**refresh)
        assert (status, refused["error"]) == (400, "invalid_grant")


def test_is_installed_once() -> None:
    """What is installed is not installed again."""
    install(HERE)
    with patch.object(subprocess, "run") as run:
        install(HERE)
    run.assert_not_called()


def test_says_why_it_did_not_start() -> None:
    """A server that does not start leaves no process, and the error says why."""
    with pytest.raises(RuntimeError, match="redirect_uris"):
        OidcProvider([{"client_id": "app", "client_secret": "secret"}]).__enter__()

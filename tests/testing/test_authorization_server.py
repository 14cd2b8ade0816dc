"""Tests of the authorization server that integrations test with."""

from base64 import b64encode
from collections.abc import AsyncIterator
import json
from typing import Any

from aiohttp import ClientResponseError
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.developer_credentials import (
    Account,
    AuthorizationServer,
    DeveloperCredential,
    account_from_jwt,
    async_account_from_userinfo,
    async_discover_authorization_server,
)
from custom_components.developer_credentials.oauth2.http_session import async_get_session
from custom_components.developer_credentials.oauth2.verification import Outcome, async_verify
from custom_components.developer_credentials.testing import (
    CREDENTIAL,
    MockAuthorizationServer,
    async_add_credential,
    async_log_in,
)
from tests.common import CONFIG_FLOW, PLATFORM, REDIRECT_URI, SENTINEL
from tests.conftest import Install

SERVER = AuthorizationServer("https://login.example/a", "https://api.example/b?c=d", pkce=True)

CLIENT = {"client_id": CREDENTIAL.client_id, "client_secret": CREDENTIAL.client_secret}


@pytest.fixture
async def mock_server(
    hass: HomeAssistant, socket_enabled: None
) -> AsyncIterator[MockAuthorizationServer]:
    """Run the server."""
    async with MockAuthorizationServer(hass) as server:
        yield server


async def _post(hass: HomeAssistant, url: str = SERVER.token_url, **params: str) -> dict[str, Any]:
    async with async_get_session(hass).post(url, data=params) as response:
        body = await response.text()
        return dict(json.loads(body)) if body else {}


async def _code(hass: HomeAssistant, **params: str) -> str:
    """Log in, and return the code."""
    params |= {"client_id": CREDENTIAL.client_id, "redirect_uri": REDIRECT_URI, "state": "s"}
    async with async_get_session(hass).get(
        "https://login.example/", params=params, allow_redirects=False
    ) as response:
        location, _, query = response.headers["Location"].partition("?code=")
    code, _, state = query.partition("&state=")
    assert (location, state) == (REDIRECT_URI, "s")
    return code


@pytest.mark.parametrize(
    ("credential", "outcome"),
    [
        (CREDENTIAL, Outcome.ACCEPTED),
        (DeveloperCredential("public"), Outcome.ACCEPTED),
        (DeveloperCredential("public", "secret"), Outcome.REJECTED),
        (DeveloperCredential("client-id", "other"), Outcome.REJECTED),
        (DeveloperCredential("client-id"), Outcome.REJECTED),
        (DeveloperCredential("other", "client-secret"), Outcome.REJECTED),
    ],
)
async def test_verification(
    hass: HomeAssistant,
    mock_server: MockAuthorizationServer,
    credential: DeveloperCredential,
    outcome: Outcome,
) -> None:
    """A verification is answered: the clients that are known are accepted, others rejected."""
    mock_server.clients["public"] = ""
    verification = await async_verify(hass, SERVER, credential, REDIRECT_URI)
    assert verification.outcome is outcome
    assert mock_server.token_requests[0]["client_id"] == credential.client_id


async def test_verification_while_away(
    hass: HomeAssistant, mock_server: MockAuthorizationServer
) -> None:
    """A server that is away answers nothing else."""
    mock_server.away = True
    verification = await async_verify(hass, SERVER, CREDENTIAL, REDIRECT_URI)
    assert verification.outcome is Outcome.INCONCLUSIVE
    async with async_get_session(hass).post(SERVER.token_url, data=CLIENT) as response:
        assert response.status == 503
    assert mock_server.token_requests == []


@pytest.mark.parametrize("secret", ["plain", "a b+c%2B:ü"])
@pytest.mark.parametrize(
    "method", ["client_secret_post", "client_secret_basic", "client_secret_basic_unencoded"]
)
@pytest.mark.parametrize("token_request_format", ["form", "json"])
async def test_client_authentication(
    hass: HomeAssistant,
    install: Install,
    mock_server: MockAuthorizationServer,
    secret: str,
    method: str,
    token_request_format: str,
) -> None:
    """A client is known by each way to authenticate that can be declared, in a form and in JSON."""
    declared = (
        f"token_endpoint_auth_method={method!r}, token_request_format={token_request_format!r}"
    )
    platform = PLATFORM.replace('token")', f'token", {declared})')
    install("acme", platform, config_flow=CONFIG_FLOW)
    credential = DeveloperCredential("client", f"{SENTINEL}{secret}")
    mock_server.clients = {credential.client_id: credential.client_secret}
    await async_add_credential(hass, "acme", credential)
    result = await async_log_in(hass, "acme")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    (request,) = mock_server.token_requests
    assert request["client_id"] == "client"


async def test_grants(hass: HomeAssistant, mock_server: MockAuthorizationServer) -> None:
    """A code serves once, and so does each refresh token, which brings the next one."""
    code = await _code(hass)
    by_code = {"grant_type": "authorization_code", "code": code, **CLIENT}
    token = await _post(hass, **by_code)
    assert token == {
        "access_token": "access-token-1",
        "token_type": "Bearer",
        "expires_in": 3600,
        "refresh_token": "refresh-token-1",
    }
    assert await _post(hass, **by_code) == {"error": "invalid_grant"}
    refresh = {"grant_type": "refresh_token", **CLIENT}
    again = await _post(hass, refresh_token=token["refresh_token"], **refresh)
    assert again["refresh_token"] == "refresh-token-2"
    used = await _post(hass, refresh_token=token["refresh_token"], **refresh)
    assert used == {"error": "invalid_grant"}
    assert [request["grant_type"] for request in mock_server.token_requests] == [
        *["authorization_code"] * 2,
        *["refresh_token"] * 2,
    ]


async def test_refused_grants(hass: HomeAssistant, mock_server: MockAuthorizationServer) -> None:
    """The logins that the server forgets are refused; those after it are not."""
    for refused in (True, False):
        code = await _code(hass)
        token = await _post(hass, grant_type="authorization_code", code=code, **CLIENT)
        if refused:
            mock_server.refuse_grants()
        answer = await _post(
            hass, grant_type="refresh_token", refresh_token=token["refresh_token"], **CLIENT
        )
        assert (answer == {"error": "invalid_grant"}) is refused


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "invalid_grant"),
        ({"grant_type": "authorization_code"}, "invalid_grant"),
    ],
)
async def test_unknown_grant(
    hass: HomeAssistant, mock_server: MockAuthorizationServer, params: dict[str, str], error: str
) -> None:
    """What is no grant, or has none, is refused for what it is."""
    assert await _post(hass, **params, **CLIENT) == {"error": error}


async def test_grant_of_another_client(
    hass: HomeAssistant, mock_server: MockAuthorizationServer
) -> None:
    """A code is for the client that asked for it, and so is a refresh token."""
    mock_server.clients["other"] = SENTINEL
    other = {"client_id": "other", "client_secret": SENTINEL}
    by_code = {"grant_type": "authorization_code", "code": await _code(hass)}
    assert await _post(hass, **by_code, **other) == {"error": "invalid_grant"}
    by_code["code"] = await _code(hass)
    token = await _post(hass, **by_code, **CLIENT)
    refresh = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
    assert await _post(hass, **refresh, **other) == {"error": "invalid_grant"}


async def test_code_challenge(hass: HomeAssistant, mock_server: MockAuthorizationServer) -> None:
    """A code whose login has a challenge is for whoever has its verifier (RFC 7636, appendix B)."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    for params, refused in (({"code_verifier": verifier}, False), ({}, True)):
        code = await _code(hass, code_challenge=challenge, code_challenge_method="S256")
        answer = await _post(hass, grant_type="authorization_code", code=code, **CLIENT, **params)
        assert (answer == {"error": "invalid_grant"}) is refused


async def test_token_fields(hass: HomeAssistant, mock_server: MockAuthorizationServer) -> None:
    """A test says what tokens have besides, or instead."""
    mock_server.token_fields = {"expires_in": 5, "user_id": "7"}
    token = await _post(hass, grant_type="authorization_code", code=await _code(hass), **CLIENT)
    assert (token["expires_in"], token["user_id"]) == (5, "7")


async def test_accounts(hass: HomeAssistant, mock_server: MockAuthorizationServer) -> None:
    """A test says who logs in; that is told of the tokens of that login, and of no other token."""
    tokens = []
    for subject in ("one", "two"):
        mock_server.claims = {"sub": subject}
        code = await _code(hass, scope="openid profile")
        tokens.append(await _post(hass, grant_type="authorization_code", code=code, **CLIENT))
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens[0]["refresh_token"]}
    tokens[0] = await _post(hass, **refresh, **CLIENT)
    for token, subject in zip(tokens, ("one", "two"), strict=True):
        assert account_from_jwt(token["id_token"]) == Account(subject)
        url = "https://api.example/userinfo"
        assert await async_account_from_userinfo(hass, token, url) == Account(subject)
    with pytest.raises(ClientResponseError) as error:
        await async_account_from_userinfo(hass, {"access_token": "other"}, url)
    assert error.value.status == 401


async def test_revocation(hass: HomeAssistant, mock_server: MockAuthorizationServer) -> None:
    """A token that is revoked brings no other one."""
    token = await _post(hass, grant_type="authorization_code", code=await _code(hass), **CLIENT)
    refresh_token = token["refresh_token"]
    assert await _post(hass, "https://api.example/revoke", token=refresh_token, **CLIENT) == {}
    assert mock_server.revoked_tokens == [refresh_token]
    answer = await _post(hass, grant_type="refresh_token", refresh_token=refresh_token, **CLIENT)
    assert answer == {"error": "invalid_grant"}


@pytest.mark.parametrize(
    "issuer", ["https://cloud.example", "https://cloud.example:8443/realms/home"]
)
async def test_metadata(
    hass: HomeAssistant, mock_server: MockAuthorizationServer, issuer: str
) -> None:
    """Any issuer describes itself, under the rules for public ones."""
    server = await async_discover_authorization_server(hass, issuer, scopes=["account"])
    assert server == AuthorizationServer(
        f"{issuer}/authorize",
        f"{issuer}/token",
        revocation_url=f"{issuer}/revoke",
        pkce=True,
        scopes=["account"],
    )


async def test_metadata_of_a_test(
    hass: HomeAssistant, mock_server: MockAuthorizationServer
) -> None:
    """A test says what metadata have besides, or instead."""
    issuer = "https://cloud.example/"
    device = "https://cloud.example/device"
    mock_server.metadata = {"issuer": issuer, "device_authorization_endpoint": device}
    server = await async_discover_authorization_server(hass, issuer)
    assert server.device_authorization_url == device


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"client_id": CREDENTIAL.client_id},
        {"client_id": "other", "redirect_uri": REDIRECT_URI},
    ],
)
async def test_bad_authorization_request(
    hass: HomeAssistant, mock_server: MockAuthorizationServer, params: dict[str, str]
) -> None:
    """Without a redirect URI, or a client that is known, the login page redirects nowhere."""
    async with async_get_session(hass).get("https://login.example", params=params) as response:
        assert response.status == 400
    assert mock_server.authorization_requests == []


async def test_basic_without_a_client(
    hass: HomeAssistant, mock_server: MockAuthorizationServer
) -> None:
    """Another client in the Authorization header is rejected, whatever the parameters say."""
    headers = {"Authorization": f"Basic {b64encode(b'client-id:other').decode()}"}
    async with async_get_session(hass).post(
        SERVER.token_url, data={"grant_type": "refresh_token", **CLIENT}, headers=headers
    ) as response:
        assert response.status == 401


@pytest.mark.parametrize("used_before", [True, False])
async def test_leaves_nothing(hass: HomeAssistant, socket_enabled: None, used_before: bool) -> None:
    """After the test, requests go where they went before."""
    before = async_get_session(hass) if used_before else None
    async with MockAuthorizationServer(hass):
        inside = async_get_session(hass)
        assert inside is not before
    assert inside.closed
    assert not async_get_session(hass).closed
    assert before in {None, async_get_session(hass)}

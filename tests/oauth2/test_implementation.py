"""Tests of the implementation: what it sends, and what becomes of what comes back."""

import asyncio
import dataclasses
from functools import partial
import time
from typing import Any, Unpack, override
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web
from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import OAuth2Session
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.developer_credentials import (
    AuthImplementation,
    AuthorizationServer,
    DeveloperCredential,
)
from custom_components.developer_credentials.credentials.entry_tokens import async_keep_token
from custom_components.developer_credentials.oauth2.client import ClientAuthMethod
from custom_components.developer_credentials.oauth2.errors import (
    InvalidClientError,
    InvalidGrantError,
    InvalidResponseError,
    TokenRequestError,
    UnavailableError,
)
from custom_components.developer_credentials.oauth2.pkce import code_challenge_of
from custom_components.developer_credentials.oauth2.server import ServerFields
from tests.common import REDIRECT_URI, SENTINEL
from tests.conftest import PassTime
from tests.recording_server import TOKEN, RecordingServer, answer

pytestmark = pytest.mark.usefixtures("current_request_with_host")

OLD = f"{SENTINEL}-old-refresh"
NEW = f"{SENTINEL}-new-refresh"


def _make(
    hass: HomeAssistant,
    server: RecordingServer | None = None,
    secret: str = SENTINEL,
    **fields: Unpack[ServerFields],
) -> AuthImplementation:
    fields.setdefault("authorize_url", "https://acme.example/authorize")
    fields.setdefault("token_url", server.token_url if server else "https://acme.example/token")
    credential = DeveloperCredential("id", secret)
    return AuthImplementation(hass, "acme", credential, AuthorizationServer(**fields))


class _Basic(AuthImplementation):
    """Says how it authenticates as one of Home Assistant's classes does from 2026.11 on."""

    token_auth_method = "client_secret_basic"


@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic", "none"])
def test_declared_method_is_told(hass: HomeAssistant, method: ClientAuthMethod) -> None:
    """Home Assistant's attribute tells what is declared."""
    implementation = _make(hass, token_endpoint_auth_method=method)
    assert implementation.token_auth_method == method


async def test_method_of_a_subclass(hass: HomeAssistant, server: RecordingServer) -> None:
    """A subclass that sets Home Assistant's attribute authenticates that way."""
    declared = AuthorizationServer("https://acme.example/authorize", server.token_url)
    implementation = _Basic(hass, "acme", DeveloperCredential("id", SENTINEL), declared)
    await implementation.async_refresh_token({"refresh_token": OLD})
    assert server.requests[0].headers["Authorization"].startswith("Basic ")
    assert "client_secret" not in server.requests[0].body
    method = implementation.authorization_server.token_endpoint_auth_method
    assert implementation.token_auth_method == method == "client_secret_basic"
    # Also of a server that is told later.
    implementation.authorization_server = dataclasses.replace(declared, scopes=["a"])
    assert implementation.token_auth_method == "client_secret_basic"


@pytest.mark.parametrize("kind", [InvalidClientError, InvalidGrantError, UnavailableError])
def test_error_of_a_subclass(hass: HomeAssistant, kind: type[TokenRequestError]) -> None:
    """A subclass makes the error for an answer that only it knows; the text has none of it."""
    error = _make(hass).token_request_error(kind, "10001", "token\nis invalid\u202e")
    assert type(error) is kind
    assert (error.error, error.error_description) == ("10001", "token is invalid")
    assert "10001" not in str(error)
    assert error.status in kind.effects


async def _query(implementation: AuthImplementation, flow_id: str = "flow") -> dict[str, str]:
    url = await implementation.async_generate_authorize_url(flow_id)
    return dict(parse_qsl(urlsplit(url).query))


def _external_data(flow_id: str = "flow") -> dict[str, Any]:
    return {"code": "code", "state": {"flow_id": flow_id, "redirect_uri": REDIRECT_URI}}


async def test_query_survives(hass: HomeAssistant) -> None:
    """A query that the authorize URL has itself survives, on every version of Home Assistant."""
    query = await _query(_make(hass, authorize_url="https://a.example/?tenant=%2B1&a=b"))
    assert query.pop("state")
    assert query == {
        "tenant": "+1",
        "a": "b",
        "response_type": "code",
        "client_id": "id",
        "redirect_uri": REDIRECT_URI,
    }


@pytest.mark.parametrize(("name", "told"), [("My app", "My app"), (None, "Developer Credentials")])
async def test_name(hass: HomeAssistant, name: str | None, told: str) -> None:
    """The name, which becomes the title of entries, is never the client id."""
    implementation = _make(hass)
    implementation.credential = DeveloperCredential("id", SENTINEL, name)
    assert implementation.name == told


async def test_declared_parameters(hass: HomeAssistant, server: RecordingServer) -> None:
    """Scopes and parameters are in the URL; token parameters are in all token requests."""
    implementation = _make(
        hass,
        server,
        scopes=["read", "write"],
        authorize_params={"audience": "api"},
        token_params={"type": "jwt"},
    )
    query = await _query(implementation)
    assert query.items() >= {"scope": "read write", "audience": "api"}.items()
    await implementation.async_resolve_external_data(_external_data())
    await implementation.async_refresh_token({"refresh_token": OLD})
    assert [request.body["type"] for request in server.requests] == ["jwt", "jwt"]


async def test_refresh_url(hass: HomeAssistant, server: RecordingServer) -> None:
    """Tokens are refreshed where the server says; a code goes to the token endpoint."""
    implementation = _make(hass, server, refresh_url=f"{server.url}/refresh")
    await implementation.async_resolve_external_data(_external_data())
    await implementation.async_refresh_token({"refresh_token": OLD})
    assert [request.path for request in server.requests] == ["/token", "/refresh"]


@pytest.mark.parametrize(
    ("pkce", "secret", "used"),
    [(None, SENTINEL, False), (None, "", True), (True, SENTINEL, True), (False, "", False)],
)
async def test_pkce(
    hass: HomeAssistant, server: RecordingServer, pkce: bool | None, secret: str, used: bool
) -> None:
    """Where PKCE is used, the verifier of the challenge goes with the code (RFC 7636)."""
    implementation = _make(hass, server, secret, pkce=pkce)
    query = await _query(implementation)
    await implementation.async_resolve_external_data(_external_data())
    code_verifier = server.requests[0].body.get("code_verifier")
    assert (code_verifier is not None) is used
    challenge = code_challenge_of(code_verifier) if code_verifier else {}
    assert {name: query[name] for name in query if name.startswith("code_")} == challenge


async def test_copy(hass: HomeAssistant, server: RecordingServer) -> None:
    """A copy has the credential and its server, and nothing of the logins of the other one."""
    implementation = _make(hass, server, pkce=True)
    await _query(implementation, "a")
    with pytest.raises(InvalidGrantError):
        await implementation.async_resolve_external_data(_external_data("another"))
    copy = implementation.copy()
    assert type(copy) is type(implementation)
    assert copy.error is None
    assert copy.credential is implementation.credential
    assert copy.token_url == implementation.token_url
    with pytest.raises(InvalidGrantError):
        await copy.async_resolve_external_data(_external_data("a"))
    assert server.requests == []
    await implementation.async_resolve_external_data(_external_data("a"))
    assert len(server.requests) == 1


async def test_code_verifiers(hass: HomeAssistant, server: RecordingServer) -> None:
    """Each flow has a verifier of its own, which serves once, however often its URL is made.

    A code that comes again is refused here: without its verifier, it would prove nothing.
    """
    implementation = _make(hass, server, pkce=True)
    first, second = await _query(implementation, "a"), await _query(implementation, "b")
    again = await _query(implementation, "a")
    assert first["code_challenge"] == again["code_challenge"] != second["code_challenge"]
    for flow_id in ("b", "a"):
        await implementation.async_resolve_external_data(_external_data(flow_id))
    with pytest.raises(InvalidGrantError) as error:
        await implementation.async_resolve_external_data(_external_data("a"))
    assert implementation.error is error.value
    assert SENTINEL not in f"{error.value!r} {error.value}"
    by_b, by_a = (request.body for request in server.requests)
    assert code_challenge_of(by_a["code_verifier"])["code_challenge"] == first["code_challenge"]
    assert code_challenge_of(by_b["code_verifier"])["code_challenge"] == second["code_challenge"]
    third = await _query(implementation, "a")
    assert third["code_challenge"] not in {first["code_challenge"], second["code_challenge"]}


@pytest.mark.parametrize("secret", [SENTINEL, ""])
@pytest.mark.parametrize("state", [{"flow_id": "another"}, {}])
async def test_login_that_was_not_begun_here(
    hass: HomeAssistant, server: RecordingServer, secret: str, state: dict[str, str]
) -> None:
    """With PKCE, the code of a login before a restart, or of nobody's, is refused, not sent."""
    implementation = _make(hass, server, secret, pkce=True if secret else None)
    await _query(implementation)
    external_data = {"code": "code", "state": {**state, "redirect_uri": REDIRECT_URI}}
    with pytest.raises(InvalidGrantError):
        await implementation.async_resolve_external_data(external_data)
    assert server.requests == []


async def test_verifier_of_a_subclass(hass: HomeAssistant, server: RecordingServer) -> None:
    """A subclass that has code verifiers of its own adds them as Home Assistant's classes do."""

    class Peculiar(AuthImplementation):
        @property
        @override
        def extra_token_resolve_data(self) -> dict[str, str]:
            return {"code_verifier": "own"}

    declared = AuthorizationServer("https://acme.example", server.token_url, pkce=True)
    implementation = Peculiar(hass, "acme", DeveloperCredential("id"), declared)
    await implementation.async_resolve_external_data(_external_data())
    assert server.requests[0].body["code_verifier"] == "own"


@pytest.mark.parametrize(
    "body",
    [
        {"access_token": f"{SENTINEL}-token"},
        {"access_token": f"{SENTINEL}-token", "expires_in": None},
        {"access_token": f"{SENTINEL}-token", "expires_in": "soon"},
        {"expires_in": 60},
        {"access_token": None, "expires_in": 60},
        [f"{SENTINEL}-token"],
    ],
    ids=str,
)
async def test_unusable_token(hass: HomeAssistant, server: RecordingServer, body: object) -> None:
    """A token that Home Assistant could not use is an error, before anybody logs it."""
    server.respond = answer(body)
    implementation = _make(hass, server)
    for request in (
        implementation.async_resolve_external_data(_external_data()),
        implementation.async_refresh_token({"refresh_token": OLD}),
    ):
        with pytest.raises(InvalidResponseError) as error:
            await request
        assert SENTINEL not in repr(error.value)
        assert implementation.error is error.value


async def test_error_is_of_the_last_request(
    hass: HomeAssistant, server: RecordingServer, pass_time: PassTime
) -> None:
    """A request that brings a token takes back why the one before brought none."""
    implementation = _make(hass, server)
    server.respond = answer("", 503)
    with pytest.raises(UnavailableError):
        await implementation.async_refresh_token({"refresh_token": OLD})
    assert type(implementation.error) is UnavailableError
    server.respond = answer(TOKEN)
    pass_time(10)
    await implementation.async_refresh_token({"refresh_token": OLD})
    assert implementation.error is None


async def test_subclass_adds_parameters(hass: HomeAssistant, server: RecordingServer) -> None:
    """A subclass adds parameters by the properties that Home Assistant's classes have."""

    class Peculiar(AuthImplementation):
        @property
        @override
        def extra_authorize_data(self) -> dict[str, str]:
            return super().extra_authorize_data | {"prompt": "login"}

        @property
        @override
        def extra_token_resolve_data(self) -> dict[str, str]:
            return super().extra_token_resolve_data | {"audience": "api"}

    declared = AuthorizationServer("https://acme.example", server.token_url, scopes=["read"])
    implementation = Peculiar(hass, "acme", DeveloperCredential("id", SENTINEL), declared)
    query = await _query(implementation)
    assert query.items() >= {"scope": "read", "prompt": "login"}.items()
    await implementation.async_resolve_external_data(_external_data())
    await implementation.async_refresh_token({"refresh_token": OLD})
    assert [request.body.get("audience") for request in server.requests] == ["api", None]


@pytest.mark.parametrize(
    ("answered", "default", "known", "expires_in"),
    [(60, 30, 10, 60), (None, 30, 10, 30), (None, None, 10, 10), (None, 30, None, 30)],
)
async def test_lifetime(
    hass: HomeAssistant,
    server: RecordingServer,
    answered: int | None,
    default: int | None,
    known: int | None,
    expires_in: int,
) -> None:
    """The lifetime is what the server says, else what is declared, else what it was before."""
    server.respond = answer(TOKEN | {"expires_in": answered})
    implementation = _make(hass, server, default_expires_in=default)
    token = await implementation.async_refresh_token({"refresh_token": OLD, "expires_in": known})
    assert token["expires_in"] == expires_in
    assert token["expires_at"] == pytest.approx(time.time() + expires_in, abs=5)


async def test_refresh_keeps_what_the_server_leaves_out(
    hass: HomeAssistant, server: RecordingServer
) -> None:
    """What a refresh answer does not have stays, the refresh token too (RFC 6749, section 6)."""
    server.respond = answer({"access_token": f"{SENTINEL}-new", "refresh_token": None})
    old = {"access_token": "old", "refresh_token": OLD, "expires_in": 60, "scope": "a"}
    new = await _make(hass, server).async_refresh_token(old)
    assert new.pop("expires_at")
    assert new == {**old, "access_token": f"{SENTINEL}-new"}


async def test_new_fields_at_each_refresh(
    hass: HomeAssistant, server: RecordingServer, sessions: list[OAuth2Session]
) -> None:
    """A server that adds other fields at each refresh does not let the stored token grow."""
    for number in range(10):
        server.respond = answer(TOKEN | {f"field-{number}": "x" * 60_000, "user": 7})
        await sessions[0].async_ensure_token_valid()
        data = {**sessions[0].config_entry.data, "token": {**sessions[0].token, "expires_at": 0}}
        hass.config_entries.async_update_entry(sessions[0].config_entry, data=data)
    assert len(server.requests) == 10
    assert len(str(sessions[0].token)) < 20_000
    assert sessions[0].token["user"] == 7


@pytest.mark.parametrize("token", [{"access_token": "a"}, {"refresh_token": None}])
async def test_no_refresh_token(
    hass: HomeAssistant, server: RecordingServer, token: dict[str, Any]
) -> None:
    """Without a refresh token another login is needed; the server is not asked."""
    implementation = _make(hass, server)
    with pytest.raises(InvalidGrantError) as error:
        await implementation.async_refresh_token(token)
    assert implementation.error is error.value
    assert server.requests == []


class Gate:
    """Lets a server answer only when a test says so."""

    def __init__(self, server: RecordingServer, body: object, status: int = 200) -> None:
        """Close the gate."""
        self.asked = asyncio.Event()
        self.open = asyncio.Event()
        self._respond = answer(body, status)
        server.respond = self._answer

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.set()
        await self.open.wait()
        return await self._respond(request)


@pytest.fixture
def sessions(hass: HomeAssistant, server: RecordingServer) -> list[OAuth2Session]:
    """Return the sessions of three owners of one entry, each with an implementation of its own."""
    entry = MockConfigEntry(
        domain="acme",
        data={
            "auth_implementation": "acme",
            "token": {"access_token": "old", "refresh_token": OLD, "expires_at": 0},
        },
    )
    entry.add_to_hass(hass)
    implementations = [_make(hass, server) for _ in range(3)]
    for implementation in implementations:
        implementation.keep_token = partial(async_keep_token, hass, ("acme", "acme"))
    return [OAuth2Session(hass, entry, implementation) for implementation in implementations]


async def test_concurrent_refreshes(
    hass: HomeAssistant, server: RecordingServer, sessions: list[OAuth2Session]
) -> None:
    """Whoever asks, one request is made, and the rotated refresh token reaches all of them."""
    gate = Gate(server, TOKEN | {"refresh_token": NEW})
    asking = [
        hass.async_create_task(session.implementation.async_refresh_token(session.token))
        for session in sessions
        for _ in range(30)
    ]
    await gate.asked.wait()
    gate.open.set()
    tokens = await asyncio.gather(*asking)
    assert len(server.requests) == 1
    assert {token["refresh_token"] for token in tokens} == {NEW}
    tokens[0]["refresh_token"] = "changed"
    assert tokens[1]["refresh_token"] == NEW

    await sessions[0].async_ensure_token_valid()
    assert len(server.requests) == 2


async def test_same_refresh_token_at_another_server(
    hass: HomeAssistant, server: RecordingServer
) -> None:
    """Two servers may give the same refresh token; each is asked about its own."""
    implementations = [
        _make(hass, server, token_url=f"{server.url}/{name}/token") for name in ("a", "b")
    ]
    refreshes = (one.async_refresh_token({"refresh_token": OLD}) for one in implementations)
    await asyncio.gather(*refreshes)
    assert {request.path for request in server.requests} == {"/a/token", "/b/token"}


async def test_same_refresh_token_of_another_client(
    hass: HomeAssistant, server: RecordingServer
) -> None:
    """Two clients may have the same refresh token; neither is given the other's answer."""

    async def respond(request: web.Request) -> web.StreamResponse:
        body = await request.post()
        return web.json_response(TOKEN | {"access_token": f"{SENTINEL}-{body['client_id']!s}"})

    server.respond = respond
    first, second = _make(hass, server), _make(hass, server)
    second.credential = DeveloperCredential("other", SENTINEL)
    tokens = await asyncio.gather(
        *(one.async_refresh_token({"refresh_token": OLD}) for one in (first, second))
    )
    assert [token["access_token"] for token in tokens] == [f"{SENTINEL}-id", f"{SENTINEL}-other"]


async def test_concurrent_refreshes_of_different_tokens(
    hass: HomeAssistant, server: RecordingServer
) -> None:
    """Different refresh tokens have nothing to do with each other."""
    implementation = _make(hass, server)
    refreshes = (
        implementation.async_refresh_token({"refresh_token": f"{OLD}-{number}"})
        for number in range(3)
    )
    await asyncio.gather(*refreshes)
    assert len({request.body["refresh_token"] for request in server.requests}) == 3


@pytest.mark.parametrize(
    ("code", "kind"), [("invalid_client", InvalidClientError), ("invalid_grant", InvalidGrantError)]
)
async def test_concurrent_refreshes_that_fail(
    hass: HomeAssistant,
    server: RecordingServer,
    sessions: list[OAuth2Session],
    code: str,
    kind: type[Exception],
) -> None:
    """All learn of the failure, and the next one to ask makes a new request."""
    gate = Gate(server, {"error": code}, 400)
    asking = [
        hass.async_create_task(session.implementation.async_refresh_token(session.token))
        for session in sessions
    ]
    await gate.asked.wait()
    gate.open.set()
    results = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(result) for result in results] == [kind] * 3
    for session in sessions:
        assert isinstance(session.implementation, AuthImplementation)
        assert type(session.implementation.error) is kind
    server.respond = answer(TOKEN)
    await sessions[0].async_ensure_token_valid()
    assert len(server.requests) == 2


async def test_one_caller_is_cancelled(
    hass: HomeAssistant, server: RecordingServer, sessions: list[OAuth2Session]
) -> None:
    """A caller that is cancelled, even the one that began, cancels nobody else."""
    gate = Gate(server, TOKEN | {"refresh_token": NEW})
    first, *others = [
        hass.async_create_task(session.async_ensure_token_valid()) for session in sessions
    ]
    await gate.asked.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    gate.open.set()
    await asyncio.gather(*others)
    assert len(server.requests) == 1
    assert sessions[0].token["refresh_token"] == NEW


@pytest.mark.parametrize("late", [False, True])
async def test_all_callers_are_cancelled(
    hass: HomeAssistant, server: RecordingServer, sessions: list[OAuth2Session], late: bool
) -> None:
    """A token that nobody waits for any more is stored: the server gives it only once.

    Even where they are cancelled in the very moment in which it comes.
    """
    other = MockConfigEntry(domain="acme", data={"token": {"refresh_token": "another"}})
    other.add_to_hass(hass)
    stranger = MockConfigEntry(domain="other", data={})
    stranger.add_to_hass(hass)
    # One has the same credential, one the same token; only who has both is meant.
    data = dict(sessions[0].config_entry.data)
    twins = [
        MockConfigEntry(domain="acme", data={**data, "token": {"refresh_token": "another"}}),
        MockConfigEntry(domain="acme", data={**data, "auth_implementation": "another"}),
    ]
    before = [dict(twin.data) for twin in twins]
    for twin in twins:
        twin.add_to_hass(hass)
    gate = Gate(server, TOKEN | {"refresh_token": NEW})
    asking = [hass.async_create_task(session.async_ensure_token_valid()) for session in sessions]
    await gate.asked.wait()
    if late:
        # All of them have been cancelled before the first one is given the result.
        (flight,) = hass.data["developer_credentials_flights"].values()
        flight.task.add_done_callback(lambda _: [task.cancel() for task in asking])
    else:
        for task in asking:
            task.cancel()
    gate.open.set()
    results = await asyncio.gather(*asking, return_exceptions=True)
    assert {type(result) for result in results} == {asyncio.CancelledError}
    await hass.async_block_till_done()
    token = sessions[0].token
    assert token["refresh_token"] == NEW
    assert token["expires_at"] == pytest.approx(time.time() + 60, abs=5)
    assert sessions[0].valid_token
    assert other.data == {"token": {"refresh_token": "another"}}
    assert stranger.data == {}
    assert [dict(twin.data) for twin in twins] == before
    await sessions[1].async_ensure_token_valid()
    assert len(server.requests) == 1


async def test_nobody_keeps_it(
    hass: HomeAssistant, server: RecordingServer, sessions: list[OAuth2Session]
) -> None:
    """An implementation that was given no keeper drops a token that nobody waits for."""
    gate = Gate(server, TOKEN | {"refresh_token": NEW})
    sessions[0].implementation.keep_token = None  # type: ignore[attr-defined]
    asking = hass.async_create_task(sessions[0].async_ensure_token_valid())
    await gate.asked.wait()
    asking.cancel()
    gate.open.set()
    await hass.async_block_till_done()
    assert sessions[0].token["refresh_token"] == OLD


async def test_failure_that_nobody_waits_for(
    hass: HomeAssistant,
    server: RecordingServer,
    sessions: list[OAuth2Session],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A refresh that fails after all who waited were cancelled stores and says nothing."""
    gate = Gate(server, "", 503)
    before = dict(sessions[0].token)
    asking = hass.async_create_task(sessions[0].async_ensure_token_valid())
    await gate.asked.wait()
    asking.cancel()
    gate.open.set()
    await hass.async_block_till_done()
    assert sessions[0].token == before
    assert "never retrieved" not in caplog.text
    with pytest.raises(UnavailableError):
        await sessions[0].async_ensure_token_valid()

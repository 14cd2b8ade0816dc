"""Tests of the backoff: a server that does not answer a refresh is left alone for a while."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from hypothesis import given
from hypothesis import strategies as st
import pytest

from custom_components.developer_credentials import (
    AuthImplementation,
    AuthorizationServer,
    DeveloperCredential,
)
from custom_components.developer_credentials.oauth2 import backoff
from custom_components.developer_credentials.oauth2.backoff import (
    RefreshGrant,
    async_noting_failure,
    parse_retry_after,
)
from custom_components.developer_credentials.oauth2.errors import (
    InvalidClientError,
    InvalidGrantError,
    TokenRequestError,
    UnavailableError,
)
from tests.common import SENTINEL
from tests.conftest import PassTime
from tests.recording_server import TOKEN, RecordingServer, answer

REFRESH = f"{SENTINEL}-refresh"


def _make(
    hass: HomeAssistant, server: RecordingServer, client_id: str = "id", secret: str = SENTINEL
) -> AuthImplementation:
    declared = AuthorizationServer("https://acme.example/authorize", server.token_url)
    return AuthImplementation(hass, "acme", DeveloperCredential(client_id, secret), declared)


async def _refresh(
    implementation: AuthImplementation, refresh_token: str = REFRESH
) -> dict[str, Any]:
    return await implementation.async_refresh_token({"refresh_token": refresh_token})


async def _fail(implementation: AuthImplementation, refresh_token: str = REFRESH) -> Exception:
    with pytest.raises(TokenRequestError) as error:
        await _refresh(implementation, refresh_token)
    assert implementation.error is error.value
    return error.value


async def test_waits(hass: HomeAssistant, server: RecordingServer, pass_time: PassTime) -> None:
    """The waits are 10 seconds, then 20, up to 5 minutes; nobody is asked within one."""
    server.respond = answer("", 503)
    implementation = _make(hass, server)
    for number, wait in enumerate((10, 20, 40, 80, 160, 300, 300, 300), start=1):
        await _fail(implementation)
        assert len(server.requests) == number
        for _ in range(2):
            pass_time(wait / 2 - 1)
            await _fail(implementation)
        assert len(server.requests) == number
        pass_time(2)


async def test_wait_without_end(
    hass: HomeAssistant, server: RecordingServer, pass_time: PassTime
) -> None:
    """A server that is away for days is asked every five minutes for as long as that lasts."""
    implementation = _make(hass, server)
    grant = RefreshGrant(server.token_url, "id", REFRESH)
    error = UnavailableError(domain="acme", request_info=implementation.token_endpoint.request_info)
    for _ in range(1_100):
        with (
            suppress(UnavailableError),
            async_noting_failure(hass, grant, implementation.credential),
        ):
            raise error
    pass_time(299)
    await _fail(implementation)
    pass_time(1)
    await _refresh(implementation)
    assert len(server.requests) == 1


@pytest.mark.parametrize(("tokens", "expected"), [(1, 16), (10, 160)])
async def test_server_that_is_down_for_an_hour(
    hass: HomeAssistant,
    server: RecordingServer,
    pass_time: PassTime,
    tokens: int,
    expected: int,
) -> None:
    """50 sessions that poll each minute make one request for each token and wait, not 3,000."""
    server.respond = answer("", 503)
    implementations = [_make(hass, server) for _ in range(50)]
    for _ in range(60):
        results = await asyncio.gather(
            *(
                _refresh(implementation, f"{REFRESH}-{number % tokens}")
                for number, implementation in enumerate(implementations)
            ),
            return_exceptions=True,
        )
        assert {type(result) for result in results} == {UnavailableError}
        pass_time(60)
    assert len(server.requests) == expected


@pytest.mark.parametrize(
    ("status", "body"),
    [(503, {"error": "odd", "error_description": "Too busy"}), (429, ""), (500, ""), (502, "x")],
)
async def test_same_error(
    hass: HomeAssistant, server: RecordingServer, status: int, body: object
) -> None:
    """Who asks meanwhile gets the same error, with a traceback of its own; no observer does."""
    told: list[TokenRequestError | None] = []
    server.respond = answer(body, status, **{"Retry-After": "30"})
    implementation = _make(hass, server)
    implementation.observer = told.append
    errors = [await _fail(implementation) for _ in range(3)]
    assert told == errors[:1]
    assert len({id(error) for error in errors}) == 3
    assert {type(error) for error in errors} == {UnavailableError}
    assert len({f"{error} {error!r} {sorted(vars(error).items())}" for error in errors}) == 1
    assert {error.http_status for error in errors if isinstance(error, UnavailableError)} == {
        status
    }
    assert len(server.requests) == 1


async def test_no_answer(hass: HomeAssistant, server: RecordingServer) -> None:
    """No connection is no answer, too."""
    implementation = _make(hass, server)
    implementation.token_url = "http://127.0.0.1:9/token"
    errors = [await _fail(implementation) for _ in range(2)]
    assert str(errors[0]) == str(errors[1])
    assert type(errors[0]) is UnavailableError
    # Another server is another matter.
    implementation.token_url = server.token_url
    await _refresh(implementation)


@pytest.mark.parametrize(
    ("code", "kind"), [("invalid_client", InvalidClientError), ("invalid_grant", InvalidGrantError)]
)
async def test_other_errors(
    hass: HomeAssistant,
    server: RecordingServer,
    pass_time: PassTime,
    code: str,
    kind: type[Exception],
) -> None:
    """An answer of another kind is no reason to wait, and ends what was."""
    implementation = _make(hass, server)
    server.respond = answer("", 503)
    for wait in (10, 20):
        await _fail(implementation)
        pass_time(wait)
    server.respond = answer({"error": code}, 400)
    for _ in range(2):
        assert type(await _fail(implementation)) is kind
    server.respond = answer("", 503)
    await _fail(implementation)
    pass_time(10)
    server.respond = answer(TOKEN)
    await _refresh(implementation)
    assert len(server.requests) == 6


async def test_success_ends_it(
    hass: HomeAssistant, server: RecordingServer, pass_time: PassTime
) -> None:
    """After a success, the next failure is the first one again."""
    implementation = _make(hass, server)
    for respond in (answer("", 503), answer("", 503), answer(TOKEN), answer("", 503)):
        server.respond = respond
        with suppress(UnavailableError):
            await _refresh(implementation)
        pass_time(20)
    server.respond = answer(TOKEN)
    await _refresh(implementation)
    assert len(server.requests) == 5
    assert hass.data["developer_credentials_failures"] == {}


async def test_others_are_not_concerned(hass: HomeAssistant, server: RecordingServer) -> None:
    """Another token and another client are asked for, and so is the code of a login."""
    server.respond = answer("", 503)
    await _fail(_make(hass, server))
    server.respond = answer(TOKEN)
    await _refresh(_make(hass, server), f"{REFRESH}-other")
    await _refresh(_make(hass, server, "other-id"))
    state = {"flow_id": "flow", "redirect_uri": "https://example.com"}
    await _make(hass, server).async_resolve_external_data({"code": "code", "state": state})
    await _fail(_make(hass, server))
    assert len(server.requests) == 4


async def test_changed_credential(hass: HomeAssistant, server: RecordingServer) -> None:
    """A changed credential is tried at once, and its first failure is the first one."""
    server.respond = answer("", 503)
    implementation = _make(hass, server)
    await _fail(implementation)
    implementation.credential = DeveloperCredential("id", f"{SENTINEL}-new")
    await _fail(implementation)
    assert len(server.requests) == 2
    await _fail(implementation)
    assert len(server.requests) == 2
    (failure,) = hass.data["developer_credentials_failures"].values()
    assert failure.count == 1
    implementation.credential = DeveloperCredential("id", "")
    server.respond = answer(TOKEN)
    await _refresh(implementation)


async def test_cancelled(hass: HomeAssistant, server: RecordingServer) -> None:
    """A request that was given up with its task says nothing of the server."""
    asked = asyncio.Event()

    async def respond(request: object) -> Any:  # noqa: ANN401 - it never answers
        asked.set()
        await asyncio.Event().wait()

    server.respond = respond
    implementation = _make(hass, server)
    refresh = hass.async_create_task(_refresh(implementation))
    await asked.wait()
    (flight,) = hass.data["developer_credentials_flights"].values()
    flight.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await refresh
    server.respond = answer(TOKEN)
    await _refresh(implementation)


async def test_bounded(
    hass: HomeAssistant,
    server: RecordingServer,
    pass_time: PassTime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The oldest failure goes where there are too many, and each goes after an hour."""
    monkeypatch.setattr(backoff, "MAX_FAILURES", 3)
    server.respond = answer("", 503)
    implementation = _make(hass, server)
    for number in range(5):
        await _fail(implementation, f"{REFRESH}-{number}")
    failures = hass.data["developer_credentials_failures"]
    assert [grant.refresh_token[-1] for grant in failures] == ["2", "3", "4"]
    pass_time(3_599)
    await _fail(implementation, f"{REFRESH}-5")
    assert [grant.refresh_token[-1] for grant in failures] == ["3", "4", "5"]
    pass_time(12)
    await _fail(implementation, f"{REFRESH}-6")
    assert [grant.refresh_token[-1] for grant in failures] == ["5", "6"]


@pytest.mark.parametrize(
    ("status", "retry_after", "wait"),
    [
        (503, "120", 120),
        (429, "120", 120),
        (503, "999999", 3_600),
        (503, "1", 10),
        (500, "120", 10),
        (502, "120", 10),
        (503, "soon", 10),
        (429, "-120", 10),
        (503, "", 10),
    ],
)
async def test_retry_after(
    hass: HomeAssistant,
    server: RecordingServer,
    pass_time: PassTime,
    status: int,
    retry_after: str,
    wait: int,
) -> None:
    """The server is left alone for as long as it says, an hour at most; nonsense says nothing."""
    server.respond = answer("", status, **{"Retry-After": retry_after})
    implementation = _make(hass, server)
    await _fail(implementation)
    pass_time(wait - 1)
    await _fail(implementation)
    assert len(server.requests) == 1
    pass_time(1)
    await _fail(implementation)
    assert len(server.requests) == 2


def _in(seconds: float) -> datetime:
    return dt_util.utcnow() + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        ("007", 7),
        ("3601", 3_600),
        ("9" * 5_000, 3_600),
        ("1.5", None),
        ("1e2", None),
        ("+5", None),
        ("-5", None),
        ("12 s", None),
        ("١٢", None),
        ("tomorrow", None),
        ("Sun, 06 Nov 99999 08:49:37 GMT", None),
        ("Sun, 31 Feb 2999 08:49:37 GMT", None),
        ("Sun, 06 Nov 2999 08:49:37 +99999999999999", None),
        # The three forms of a date (RFC 9110, section 5.6.7).
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 0),
        ("Sun Nov  6 08:49:37 1994", 0),
        ("Sat, 06 Nov 2999 08:49:37 GMT", 3_600),
    ],
)
def test_parse_retry_after(value: str | None, seconds: float | None) -> None:
    """Seconds are digits, dates are those of HTTP; anything else is nonsense."""
    assert parse_retry_after(503, value) == seconds


def test_parse_dates() -> None:
    """A date is as many seconds away as it is."""
    for date in (
        format_datetime(_in(120).astimezone(UTC), usegmt=True),
        f"{_in(120):%A, %d-%b-%y %H:%M:%S GMT}",
        f"{_in(120):%a %b %d %H:%M:%S %Y}",
    ):
        assert parse_retry_after(429, date) == pytest.approx(120, abs=3)


@given(st.text(max_size=40))
def test_parse_anything(value: str) -> None:
    """Nothing that a server says there raises, or holds us up for longer than an hour."""
    seconds = parse_retry_after(503, value)
    assert seconds is None or 0 <= seconds <= 3_600

"""Tests of what the token endpoint says: over real HTTP."""

import base64
from collections.abc import Callable
from html import escape
import json
from typing import Any
from urllib.parse import quote, quote_plus

from homeassistant.core import HomeAssistant
import pytest

from custom_components.developer_credentials import DeveloperCredential
from custom_components.developer_credentials.oauth2.client import ClientAuthMethod
from custom_components.developer_credentials.oauth2.errors import (
    InvalidGrantError,
    RefusedError,
    TokenRequestError,
)
from custom_components.developer_credentials.oauth2.token_endpoint import TokenEndpoint
from custom_components.developer_credentials.oauth2.token_response import Answer
from tests.common import SENTINEL
from tests.recording_server import TOKEN, RecordingServer, Respond, answer

CODE = f"{SENTINEL}-code"
GRANT = {"grant_type": "authorization_code", "code": CODE}


def _endpoint(
    hass: HomeAssistant,
    server: RecordingServer,
    secret: str = SENTINEL,
    method: ClientAuthMethod = "client_secret_post",
) -> TokenEndpoint:
    return TokenEndpoint(
        hass, server.token_url, DeveloperCredential("id:ü", secret), method, "acme"
    )


async def _token(endpoint: TokenEndpoint) -> dict[str, Any]:
    return endpoint.checked(await endpoint.async_request_token(GRANT))


async def test_default_lifetime(hass: HomeAssistant, server: RecordingServer) -> None:
    """Where the server does not tell the lifetime, the one that is known serves."""
    endpoint = _endpoint(hass, server)
    assert endpoint.checked({"access_token": "token"}, 30)["expires_in"] == 30
    assert endpoint.checked(TOKEN | {"expires_in": None}, 30)["expires_in"] == 30
    assert endpoint.checked(TOKEN, 30)["expires_in"] == 60


LONG = json.dumps(TOKEN).encode().rjust(65_536)

GOOD: dict[str, tuple[Respond, int]] = {
    "json": (answer(TOKEN), 60),
    "wrong content type": (answer(TOKEN, content_type="text/html"), 60),
    "created": (answer(TOKEN, 201), 60),
    "as long as it may be": (answer(LONG), 60),
    "lifetime as text": (answer(TOKEN | {"expires_in": "60"}), 60),
    "lifetime as float": (answer(TOKEN | {"expires_in": 60.9}), 60),
    "lifetime as float in text": (answer(TOKEN | {"expires_in": "60.0"}), 60),
    "no lifetime left": (answer(TOKEN | {"expires_in": 0}), 0),
    "absurd lifetime": (answer(TOKEN | {"expires_in": 1e300}), 2**31 - 1),
    "form-encoded": (
        answer(
            f"access_token={SENTINEL}-token&expires_in=60&scope=",
            content_type="application/x-www-form-urlencoded",
        ),
        60,
    ),
}


@pytest.mark.parametrize(("respond", "expires_in"), GOOD.values(), ids=list(GOOD))
async def test_token(
    hass: HomeAssistant, server: RecordingServer, respond: Respond, expires_in: int
) -> None:
    """A token is read, however the server writes it."""
    server.respond = respond
    token = await _token(_endpoint(hass, server))
    assert token["access_token"] == f"{SENTINEL}-token"
    assert token["expires_in"] == expires_in
    assert type(token["expires_in"]) is int


@pytest.mark.parametrize("refresh_token", [None, "", False])
async def test_refresh_token_that_is_none(
    hass: HomeAssistant, server: RecordingServer, refresh_token: object
) -> None:
    """A refresh token that is none does not count as one, and cannot take the place of one."""
    server.respond = answer(TOKEN | {"refresh_token": refresh_token})
    assert await _token(_endpoint(hass, server)) == TOKEN


def _error(code: str, status: int = 400, **fields: str) -> Respond:
    return answer({"error": code, **fields}, status)


async def test_words_of_the_server(hass: HomeAssistant, server: RecordingServer) -> None:
    """The server's words are one short line, without what was sent to it."""
    server.respond = _error(
        "invalid_grant",
        error_description=f"no\n\x00 {SENTINEL} or\u202e {CODE}. " + "x" * 1000,
    )
    with pytest.raises(InvalidGrantError) as raised:
        await _endpoint(hass, server).async_request_token(GRANT)
    description = raised.value.error_description
    assert description.startswith("no **REDACTED** or **REDACTED**. xxx")
    assert len(description) == 300
    assert raised.value.error == "invalid_grant"
    # Everybody can read the text, which becomes an entry's reason.
    assert str(raised.value) == f"400, message='invalid_grant', url='{server.token_url}'"


async def test_what_is_redacted(hass: HomeAssistant, server: RecordingServer) -> None:
    """A secret is redacted in every form that was sent, what is no secret stays readable."""
    secret = f"{SENTINEL} %"
    basic = base64.b64encode(f"{quote_plus('id:ü')}:{quote_plus(secret)}".encode()).decode()
    server.respond = _error(
        "invalid_request",
        error_description=(
            f"authorization_code: {secret}, {quote_plus(secret)}, {basic}, issued-token, issued-id"
        ),
        access_token="issued-token",
        id_token="issued-id",
    )
    with pytest.raises(RefusedError) as raised:
        await _endpoint(hass, server, secret, "client_secret_basic").async_request_token(GRANT)
    assert raised.value.error_description == (
        "authorization_code: **REDACTED**, **REDACTED**, **REDACTED**, **REDACTED**, **REDACTED**"
    )


@pytest.mark.parametrize("field", ["error", "error_description"])
@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic", "none"])
@pytest.mark.parametrize("escaped", [escape, quote, quote_plus, json.dumps, str.upper])
async def test_escaped_secret_is_redacted(
    hass: HomeAssistant,
    server: RecordingServer,
    escaped: Callable[[str], str],
    method: ClientAuthMethod,
    field: str,
) -> None:
    """A secret that the server repeats is redacted, however it escapes it, whatever field has it.

    Also where it was not sent.
    """
    secret = f"<{SENTINEL}/+& 'x'>"
    server.respond = answer({"error": "odd"} | {field: f"Bad {escaped(secret)} here"}, 400)
    with pytest.raises(RefusedError) as raised:
        await _endpoint(hass, server, secret, method).async_request_token(GRANT)
    told = getattr(raised.value, field)
    assert told.replace('"', "") == "Bad **REDACTED** here"


@pytest.mark.parametrize(
    "name",
    [
        *["code", "code_verifier", "refresh_token", "token", "password", "assertion"],
        *["device_code", "api_key", "audience", "a parameter of nobody's"],
    ],
)
async def test_what_is_sent_is_redacted(
    hass: HomeAssistant, server: RecordingServer, name: str
) -> None:
    """Nothing secret that a request had is in what is told of the answer."""
    server.respond = _error("invalid_request", error_description="not this-is-secret")
    with pytest.raises(RefusedError) as raised:
        await _endpoint(hass, server).async_request_token({name: "this-is-secret"})
    assert raised.value.error_description == "not **REDACTED**"


@pytest.mark.parametrize(
    "name",
    ["access_token", "refresh_token", "id_token", "accessToken", "token", "device_secret"],
)
async def test_what_is_given_is_redacted(
    hass: HomeAssistant, server: RecordingServer, name: str
) -> None:
    """No token that an answer has is in what is told of it."""
    issued = {name: "this-is-secret"}
    server.respond = answer(
        {"error": "odd", "error_description": "gave this-is-secret", **issued}, 400
    )
    with pytest.raises(RefusedError) as raised:
        await _endpoint(hass, server).async_request_token(GRANT)
    assert raised.value.error_description == "gave **REDACTED**"


@pytest.mark.parametrize(
    ("secret", "code", "told"),
    [
        ("client", "invalid_client", "invalid_client"),
        (SENTINEL, f"no {SENTINEL}", "no **REDACTED**"),
        ("all_of_it", "all_of_it", "**REDACTED**"),
        ("part_of_it", "no_part_of_it", "no_**REDACTED**"),
    ],
)
async def test_code_with_a_secret_in_it(
    hass: HomeAssistant, server: RecordingServer, secret: str, code: str, told: str
) -> None:
    """A secret is in no code; one that is a part of a known code does not hide that."""
    server.respond = _error(code)
    with pytest.raises(TokenRequestError) as raised:
        await _endpoint(hass, server, secret).async_request_token(GRANT)
    assert raised.value.error == told


def test_typed_answers() -> None:
    """The representation of an answer has none of its fields."""
    fields: dict[str, Any] = {"access_token": SENTINEL}
    answer = Answer(200, fields, "", "")
    assert SENTINEL not in repr(answer)

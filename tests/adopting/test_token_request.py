"""Tests that requests, answers and exceptions are Home Assistant's own, against a real server."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from http.cookies import SimpleCookie
from types import ModuleType
from typing import Any
from unittest.mock import patch

from aiohttp import web
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import OAuth2TokenRequestReauthError
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.config_entry_oauth2_flow import LocalOAuth2Implementation
from homeassistant.setup import async_setup_component
import pytest

from custom_components.developer_credentials.adopting import implementation as implementation_module
from custom_components.developer_credentials.adopting import token_request
from custom_components.developer_credentials.adopting.implementation import adoption_of
from custom_components.developer_credentials.const import PEER
from custom_components.developer_credentials.core_credentials.options import ADOPT_NONE, CONF_ADOPT
from custom_components.developer_credentials.oauth2.errors import InvalidGrantError
from tests.adopting.acme import (
    MAKE,
    add_item,
    adopt,
    get_implementation,
    own_class,
    refreshes,
    refuse,
    token,
)
from tests.common import REDIRECT_URI, SENTINEL, entry_of
from tests.conftest import Install
from tests.recording_server import TOKEN, RecordingServer, Respond, answer

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host")

PKCE = """Implementation(
        hass, auth_domain, credential.client_id, "{url}/a", "{url}/token", credential.client_secret
    )"""
CLASSES = {
    "Home Assistant's": ("Implementation = AuthImplementation", MAKE),
    "PKCE": ("Implementation = LocalOAuth2ImplementationWithPkce", PKCE),
    "no secret": (
        "Implementation = LocalOAuth2ImplementationWithPkce",
        PKCE.replace(", credential.client_secret", ""),
    ),
    "basic": (
        'class Implementation(AuthImplementation):\n    token_auth_method = "client_secret_basic"',
        MAKE,
    ),
    "another method": (
        'class Implementation(AuthImplementation):\n    token_auth_method = "client_secret_jwt"',
        MAKE,
    ),
    "basic without a secret": (
        """class Implementation(LocalOAuth2ImplementationWithPkce):
    token_auth_method = "client_secret_basic"
""",
        PKCE.replace(", credential.client_secret", ""),
    ),
    "more parameters": (
        """class Implementation(AuthImplementation):
    extra_authorize_data = {"scope": "a b", "prompt": "consent"}
    extra_token_resolve_data = {"audience": "é&=", "client_id": "theirs"}

    async def _token_request(self, data):
        return await super()._token_request({"first": "1", **data, "last": "2"})
""",
        MAKE,
    ),
    "all of its own": (
        """class Implementation(AuthImplementation):
    async def async_resolve_external_data(self, external_data):
        return await self._token_request({"code": external_data["code"], "type": "login"})

    async def _async_refresh_token(self, token):
        data = {"old": token["refresh_token"], "secret": self.client_secret}
        new = await self._token_request(data)
        return {**token, **new}
""",
        MAKE,
    ),
}


async def _both(
    hass: HomeAssistant,
    ask: Callable[[LocalOAuth2Implementation], Awaitable[Any]],
) -> list[Any]:
    """Return what comes of an implementation as it is, and of an adopted one."""
    results = []
    for is_adopted in (False, True):
        options = {} if is_adopted else {CONF_ADOPT: ADOPT_NONE}
        hass.config_entries.async_update_entry(
            entry_of(hass), options={CONF_ADOPT: "all", **options}
        )
        implementation = await get_implementation(hass)
        assert (adoption_of(implementation) is not None) is is_adopted
        results.append(await ask(implementation))
    return results


async def _set_up(hass: HomeAssistant, client_id: str = "client-id") -> None:
    assert await async_setup_component(hass, PEER, {})
    await adopt(hass)
    await add_item(hass, client_id)


@pytest.mark.parametrize(("cls", "make"), CLASSES.values(), ids=CLASSES)
@pytest.mark.parametrize("client_id", ["client-id", "a b+c/é:", " not clean "])
async def test_requests(
    hass: HomeAssistant,
    install: Install,
    server: RecordingServer,
    cls: str,
    make: str,
    client_id: str,
) -> None:
    """The requests of a login and of a refresh are the same, field by field and in order."""
    install("acme", application_credentials=own_class(server, cls, make))
    await _set_up(hass, client_id)
    server.respond = answer({**TOKEN, "refresh_token": f"{SENTINEL}-r"})
    jar, cookies = async_get_clientsession(hass).cookie_jar, SimpleCookie({"node": "1"})

    async def conversation(implementation: LocalOAuth2Implementation) -> list[Any]:
        if "code_verifier" in vars(implementation):
            vars(implementation)["code_verifier"] = "v" * 43
        server.requests.clear()
        state = {"flow_id": "flow", "redirect_uri": REDIRECT_URI}
        external_data = {"code": f"{SENTINEL}-code", "state": state}
        token = await implementation.async_resolve_external_data(external_data)
        await implementation.async_refresh_token(token)
        return [
            (one.method, one.raw_path, list(one.body.items()), list(one.headers.items()))
            for one in server.requests
        ]

    # It is one session, with its cookies.
    with patch.object(type(jar), "filter_cookies", lambda one, _: cookies if one is jar else {}):
        plain, adopted = await _both(hass, conversation)
    assert plain == adopted
    assert len(adopted) == 2
    assert ("Cookie", "node=1") in adopted[1][3]


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    ("name", "value"),
    [("client_id", ""), ("client_id", "a\u200bb"), ("client_secret", None), ("client_secret", "")],
)
async def test_odd_client(
    hass: HomeAssistant, server: RecordingServer, name: str, value: str | None
) -> None:
    """A client that is none, or not clean, is sent as it is."""
    await _set_up(hass)

    async def refresh(implementation: LocalOAuth2Implementation) -> object:
        setattr(implementation, name, value)
        server.requests.clear()
        await implementation.async_refresh_token(token())
        return [list(one.body.items()) for one in server.requests]

    plain, adopted = await _both(hass, refresh)
    assert plain == adopted


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    ("method", "secret", "is_ours"),
    [
        ("client_secret_basic", SENTINEL, True),
        ("client_secret_basic", "", False),
        ("client_secret_jwt", SENTINEL, False),
    ],
)
async def test_method(
    hass: HomeAssistant, server: RecordingServer, method: str, secret: str, is_ours: bool
) -> None:
    """A way to authenticate that is not known here is left to Home Assistant."""
    await _set_up(hass)
    implementation = await get_implementation(hass)
    implementation.client_secret = secret
    server.respond = refuse("invalid_grant", 400)
    with (
        patch.object(LocalOAuth2Implementation, "token_auth_method", method, create=True),
        pytest.raises(OAuth2TokenRequestReauthError) as caught,
    ):
        await implementation.async_refresh_token(token())
    assert isinstance(caught.value, InvalidGrantError) is is_ours


@pytest.mark.usefixtures("acme")
async def test_before_2026_11(
    hass: HomeAssistant, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Home Assistant knows one way to authenticate only, it is that one."""
    await _set_up(hass)
    implementation = await get_implementation(hass)
    monkeypatch.delattr(LocalOAuth2Implementation, "token_auth_method", raising=False)
    await implementation.async_refresh_token(token())
    (request,) = refreshes(server)
    assert request.authorization is None
    assert (request.body["client_id"], request.body["client_secret"]) == ("client-id", SENTINEL)


def _redirect(status: int, then: Respond | None = None) -> Respond:
    async def redirect(request: web.Request) -> web.StreamResponse:
        if request.path == "/elsewhere":
            respond = then or answer({**TOKEN, "told": await request.text()})
            return await respond(request)
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    return redirect


def _cut(status: int) -> Respond:
    """Return what answers with less than it has announced."""

    async def respond(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status)
        response.content_length = 500
        response.content_type = "application/json"
        await response.prepare(request)
        await response.write(b'{"error":')
        assert request.transport
        request.transport.close()
        return response

    return respond


async def _close(request: web.Request) -> web.StreamResponse:
    assert request.transport
    request.transport.close()
    return web.Response()


async def _hang(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(2)
    return web.Response()


ANSWERS = {
    "token": answer(TOKEN),
    "no lifetime": answer({"access_token": f"{SENTINEL}-a"}),
    "form": answer("access_token=1&expires_in=60", 200, "application/x-www-form-urlencoded"),
    "page": answer("<html>", 200, "text/html"),
    "no JSON": answer("{", 200),
    "list": answer([], 200),
    "empty": answer("", 200),
    "no content": answer("", 204),
    "unknown error": answer({"error": "weird", "error_description": "Words"}, 400),
    "unknown error, good status": answer({"error": "weird"}, 200),
    "rejected": refuse(),
    "refused": answer("", 401),
    "page of a firewall": answer("<html>", 403, "text/html", **{"X-Header": "1"}),
    "not found": answer("", 404),
    "teapot": answer({"message": "teapot"}, 418),
    "too many": answer("", 429, **{"Retry-After": "7"}),
    "error of the server": answer("", 500),
    "away": answer({"error": "weird"}, 503),
    "odd status": answer("", 600),
    "very long": answer({"error": "invalid_grant", "padding": "x" * 100_000}, 400),
    "not text": answer(b"\xff\xfe\x00", 400),
    "moved": _redirect(302),
    "moved to a refusal": _redirect(307, refuse("weird", 400)),
    "moved, sent again": _redirect(307),
    "cut": _cut(200),
    "cut refusal": _cut(400),
    "closed": _close,
}


async def _result(request: Awaitable[dict[str, Any]]) -> object:
    """Return a token, or what is seen of an exception."""
    try:
        async with asyncio.timeout(1):
            token = await request
    except Exception as err:  # noqa: BLE001 - all are compared
        names = ("status", "message", "domain", "translation_key", "translation_placeholders")
        headers = getattr(err, "headers", None) or {}
        return (
            type(err),
            str(err),
            [getattr(err, name, None) for name in names],
            [(name, value) for name, value in headers.items() if name != "Date"],
            [one.status for one in getattr(err, "history", ())],
        )
    token.pop("expires_at", None)
    return token


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize("name", ANSWERS)
async def test_answers(hass: HomeAssistant, server: RecordingServer, name: str) -> None:
    """Of whatever is in doubt, there comes what comes of it without us."""
    await _set_up(hass)
    server.respond = ANSWERS[name]

    async def refresh(implementation: LocalOAuth2Implementation) -> object:
        server.requests.clear()
        result = await _result(implementation.async_refresh_token(token()))
        return result, [(one.method, one.path, one.body) for one in server.requests]

    plain, adopted = await _both(hass, refresh)
    assert plain == adopted


@pytest.mark.usefixtures("acme")
async def test_no_server(hass: HomeAssistant, server: RecordingServer) -> None:
    """A server that is not there is told of as without us."""
    await _set_up(hass)

    async def refresh(implementation: LocalOAuth2Implementation) -> object:
        implementation.token_url = "http://127.0.0.1:9/token"
        return await _result(implementation.async_refresh_token(token()))

    plain, adopted = await _both(hass, refresh)
    assert plain == adopted


@pytest.mark.usefixtures("acme")
async def test_time_out(hass: HomeAssistant, server: RecordingServer) -> None:
    """A time-out of who asks is a time-out, as dialogs know it."""
    await _set_up(hass)
    server.respond = _hang

    async def log_in(implementation: LocalOAuth2Implementation) -> object:
        data = {"code": "code", "state": {"flow_id": "flow", "redirect_uri": REDIRECT_URI}}
        return await _result(implementation.async_resolve_external_data(data))

    plain, adopted = await _both(hass, log_in)
    assert plain == adopted
    assert plain[0] is TimeoutError


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize("name", ["page", "closed", "cut", "refused"])
async def test_before_2026_10(hass: HomeAssistant, server: RecordingServer, name: str) -> None:
    """Where Home Assistant lets a failure through as it came, so is it here."""
    await _set_up(hass)
    server.respond = ANSWERS[name]
    implementation = await get_implementation(hass)
    asking = token_request.Asking(implementation, "acme", ("client-id", SENTINEL))
    reset = token_request.ASKING.set(asking)
    with (
        patch.object(token_request, "CONNECTION_ERROR", None),
        pytest.raises(Exception) as caught,  # noqa: PT011 - its class is what is tested
    ):
        await implementation._token_request({"grant_type": "x"})  # noqa: SLF001 - as integrations do
    token_request.ASKING.reset(reset)
    assert (
        type(caught.value).__name__
        == {
            "page": "ContentTypeError",
            "closed": "ServerDisconnectedError",
            "cut": "ClientPayloadError",
            "refused": "OAuth2TokenRequestReauthError",
        }[name]
    )


@pytest.mark.usefixtures("acme")
async def test_no_secret_in_exceptions(hass: HomeAssistant, server: RecordingServer) -> None:
    """An exception has not the request's headers, which may have the secret, nor leads to it."""
    await _set_up(hass)
    server.respond = answer("", HTTPStatus.UNAUTHORIZED)
    implementation = await get_implementation(hass)
    method = "client_secret_basic"
    with (
        patch.object(LocalOAuth2Implementation, "token_auth_method", method, create=True),
        pytest.raises(Exception) as caught,  # noqa: PT011 - whatever it is
    ):
        await implementation.async_refresh_token(token())
    assert "Basic" in server.requests[-1].headers["Authorization"]
    err: BaseException | None = caught.value
    while err:
        assert "Basic " not in repr(err) + repr(vars(err))
        err = err.__cause__ or err.__context__


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize("is_token", [True, False])
@pytest.mark.parametrize(
    ("module", "name"),
    [
        (token_request, "authenticated"),
        (token_request, "sent_secrets"),
        (token_request, "parse_answer"),
        (token_request, "_without_headers"),
        (implementation_module, "client_of"),
        (implementation_module, "kind_of"),
    ],
)
async def test_ours_is_broken(
    hass: HomeAssistant,
    server: RecordingServer,
    caplog: pytest.LogCaptureFixture,
    module: ModuleType,
    name: str,
    *,
    is_token: bool,
) -> None:
    """Whatever fails here, there is one request, and what comes of it is as without us."""
    await _set_up(hass)
    if not is_token:
        server.respond = refuse("invalid_grant", 400)
    with patch.object(module, name, side_effect=RuntimeError(SENTINEL)):
        plain, adopted = await _both(hass, lambda one: _result(one.async_refresh_token(token())))
    assert plain == adopted
    # The plain one's request, and the adopted one's.
    assert len(refreshes(server)) == 2
    said = caplog.text.count("A token request of acme is as without us: RuntimeError")
    is_reached = not is_token or name not in {"_without_headers", "kind_of"}
    assert (said > 0) is is_reached

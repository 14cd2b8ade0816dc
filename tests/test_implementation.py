"""Tests of the implementations that are provided to Home Assistant."""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs, urlsplit

from aiohttp import web
from aiohttp.test_utils import TestServer
from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import async_get_implementations
import pytest

from custom_components.developer_credentials import (
    AuthImplementation,
    AuthorizationServer,
    DeveloperCredential,
)
from custom_components.developer_credentials.errors import InvalidResponseError
from tests.common import PLATFORM, REDIRECT_URI, SENTINEL, add_credential, entry_of
from tests.conftest import Install

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host")

CUSTOM = """
from custom_components.developer_credentials import AuthImplementation, AuthorizationServer

class Custom(AuthImplementation):
    @property
    def extra_authorize_data(self):
        return {"audience": "api"}

async def async_get_auth_implementation(hass, auth_domain, credential):
    server = AuthorizationServer("https://cloud.example/authorize", "https://cloud.example/token")
    return Custom(hass, auth_domain, credential, server)
"""


async def test_authorize_url(hass: HomeAssistant, install: Install) -> None:
    """With the two required fields, the authorize URL has the four standard parameters only."""
    install("acme", PLATFORM)
    await add_credential(hass, "acme", "id &=+ü")
    (implementation,) = (await async_get_implementations(hass, "acme")).values()
    url = await implementation.async_generate_authorize_url("flow")
    state = parse_qs(urlsplit(url).query)["state"][0]
    assert url == (
        "https://cloud.example/authorize?response_type=code&client_id=id+%26%3D%2B%C3%BC"
        f"&redirect_uri={REDIRECT_URI}&state={state}"
    )


async def test_query_survives(hass: HomeAssistant) -> None:
    """A query that the authorize URL has itself survives, on every version of Home Assistant."""
    server = AuthorizationServer("https://a.example/?tenant=%2B1&a=b", "https://a.example/token")
    implementation = AuthImplementation(hass, "acme", DeveloperCredential("id"), server)
    query = parse_qs(urlsplit(await implementation.async_generate_authorize_url("flow")).query)
    assert query.pop("state")
    assert query == {
        "tenant": ["+1"],
        "a": ["b"],
        "response_type": ["code"],
        "client_id": ["id"],
        "redirect_uri": [REDIRECT_URI],
    }


async def test_names(hass: HomeAssistant, install: Install) -> None:
    """A credential is picked by its name, or by its client id where it has none."""
    install("acme", PLATFORM)
    await add_credential(hass, "acme", "a", name="My app")
    await add_credential(hass, "acme", "b")
    implementations = await async_get_implementations(hass, "acme")
    assert {domain: one.name for domain, one in implementations.items()} == {
        "acme_a": "My app",
        "acme_b": "b",
    }


async def test_custom_implementation(hass: HomeAssistant, install: Install) -> None:
    """A platform may make the implementation itself, for each credential."""
    install("acme", CUSTOM)
    await add_credential(hass, "acme", "a", name="My app")
    await add_credential(hass, "acme", "b")
    implementations = await async_get_implementations(hass, "acme")
    assert list(implementations) == ["acme_a", "acme_b"]
    implementation = implementations["acme_a"]
    assert implementation.name == "My app"
    assert "audience=api" in await implementation.async_generate_authorize_url("flow")


OWN = """
from homeassistant.helpers.config_entry_oauth2_flow import AbstractOAuth2Implementation

class Own(AbstractOAuth2Implementation):
    def __init__(self, domain, name):
        self._domain, self._name = domain, name

    name = property(lambda self: self._name)
    domain = property(lambda self: self._domain)

    async def async_generate_authorize_url(self, flow_id):
        return "https://acme.example"

    async def async_resolve_external_data(self, external_data):
        return {}

    async def _async_refresh_token(self, token):
        return token

async def async_get_auth_implementation(hass, auth_domain, credential):
    return Own(auth_domain, str(credential))
"""


async def test_implementation_of_another_kind(hass: HomeAssistant, install: Install) -> None:
    """What a platform makes need not have a client id; editing the credential leaves it alone."""
    install("acme", OWN)
    subentry = await add_credential(hass, "acme", name="My app")
    (implementation,) = (await async_get_implementations(hass, "acme")).values()
    before = dict(vars(implementation))
    changes = {**subentry.data, "client_id": "b"}
    hass.config_entries.async_update_subentry(entry_of(hass), subentry, data=changes)
    await hass.async_block_till_done()
    assert vars(implementation) == before


async def test_platform_is_asked_only_for_a_credential(
    hass: HomeAssistant, install: Install
) -> None:
    """Without a credential the platform is not asked for its server."""
    install("acme", "async def async_get_authorization_server(hass): raise AssertionError")
    assert await async_get_implementations(hass, "acme") == {}


@pytest.mark.parametrize(
    "answer",
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
async def test_unusable_token(
    hass: HomeAssistant,
    aiohttp_server: Callable[[web.Application], Awaitable[TestServer]],
    socket_enabled: None,
    answer: object,
) -> None:
    """A token that Home Assistant could not use is an error, before anybody logs it."""

    async def token(request: web.Request) -> web.Response:
        return web.json_response(answer)

    application = web.Application()
    application.router.add_post("/token", token)
    server = await aiohttp_server(application)
    implementation = AuthImplementation(
        hass,
        "acme",
        DeveloperCredential("id", SENTINEL),
        AuthorizationServer("https://acme.example/authorize", str(server.make_url("/token"))),
    )
    state = {"redirect_uri": "https://example.com/auth/external/callback"}
    for request in (
        implementation.async_resolve_external_data({"code": "code", "state": state}),
        implementation.async_refresh_token({"refresh_token": f"{SENTINEL}-refresh"}),
    ):
        with pytest.raises(InvalidResponseError) as error:
            await request
        assert SENTINEL not in repr(error.value)
        assert implementation.error is error.value


async def test_refresh_keeps_what_the_server_leaves_out(
    hass: HomeAssistant,
    aiohttp_server: Callable[[web.Application], Awaitable[TestServer]],
    socket_enabled: None,
) -> None:
    """Refresh token and lifetime stay where a refresh answer has none (RFC 6749, 5.1 and 6)."""

    async def token(request: web.Request) -> web.Response:
        return web.json_response({"access_token": f"{SENTINEL}-new"})

    application = web.Application()
    application.router.add_post("/token", token)
    server = await aiohttp_server(application)
    implementation = AuthImplementation(
        hass,
        "acme",
        DeveloperCredential("id", SENTINEL),
        AuthorizationServer("https://acme.example/authorize", str(server.make_url("/token"))),
    )
    old = {"access_token": "old", "refresh_token": f"{SENTINEL}-refresh", "expires_in": 60}
    new = await implementation.async_refresh_token(old)
    assert new.pop("expires_at")
    assert new == {**old, "access_token": f"{SENTINEL}-new"}

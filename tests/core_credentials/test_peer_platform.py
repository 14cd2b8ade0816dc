"""Tests of what an integration's application_credentials.py gives for a credential."""

from importlib import import_module
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import async_get_implementations
import pytest

from custom_components.developer_credentials.core_credentials import collection, peer_platform
from custom_components.developer_credentials.core_credentials.peer_platform import (
    async_ask_platform,
)
from custom_components.developer_credentials.credentials.store import async_get_or_create_entry
from custom_components.developer_credentials.oauth2.client import DeveloperCredential
from custom_components.developer_credentials.provider import async_provide_implementations
from tests.common import SENTINEL
from tests.conftest import Install
from tests.core_credentials.peer import add_application_credential

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host", "peer")

CREDENTIAL = DeveloperCredential("id", SENTINEL)
URL = "https://cloud.example"

DECLARED = """
from homeassistant.components.application_credentials import AuthorizationServer

asked = []

async def async_get_authorization_server(hass):
    asked.append(1)
    return AuthorizationServer("https://cloud.example/authorize", "https://cloud.example/token")
"""

SLOW = """
import asyncio

async def async_get_authorization_server(hass):
    await asyncio.sleep(30)
"""

# As MCP does, it tells its server only in the context of its own requests.
CONTEXT = """
from contextvars import ContextVar
from homeassistant.components.application_credentials import AuthorizationServer

context = ContextVar("context")

async def async_get_authorization_server(hass):
    return AuthorizationServer(context.get() + "/authorize", context.get() + "/token")
"""


def _made(
    auth_domain: str = "auth_domain",
    client_id: str = "credential.client_id",
    client_secret: str = "credential.client_secret",
    token_url: str = f"{URL}/token",
) -> str:
    """Return a platform that makes implementations."""
    return (
        "from homeassistant.helpers.config_entry_oauth2_flow import LocalOAuth2Implementation\n\n"
        "async def async_get_auth_implementation(hass, auth_domain, credential):\n"
        f"    return LocalOAuth2Implementation(hass, {auth_domain}, {client_id}, {client_secret},\n"
        f'        "{URL}/authorize", "{token_url}")\n'
    )


@pytest.mark.parametrize(
    ("platform", "secret", "auth_domain"),
    [
        (DECLARED, SENTINEL, None),
        (_made(), SENTINEL, None),
        (_made(auth_domain='"acme"'), SENTINEL, "acme"),
        (_made(client_secret='""'), "", None),
        (_made(client_secret="None"), "", None),
    ],
    ids=["declared", "made", "names itself", "empty secret", "no secret"],
)
async def test_given(
    hass: HomeAssistant, install: Install, platform: str, secret: str, auth_domain: str | None
) -> None:
    """It gives a server, what is sent as the secret, and what its implementation calls itself."""
    install("acme", application_credentials=platform)
    given = await async_ask_platform(hass, "acme", CREDENTIAL)
    assert given is not None
    assert given.server.token_url == f"{URL}/token"
    assert (given.client_secret, given.auth_domain) == (secret, auth_domain)


@pytest.mark.parametrize(
    "platform",
    [
        "raise RuntimeError",
        "",
        "async def async_get_auth_implementation(hass, auth_domain, credential):\n    return None",
        _made(client_id='"of the integration"'),
        _made(token_url="ftp://cloud.example"),
        SLOW,
    ],
    ids=["no import", "empty", "nothing made", "client of its own", "no endpoint", "slow"],
)
async def test_nothing_given(hass: HomeAssistant, install: Install, platform: str) -> None:
    """Where it cannot be told, or is about another client, nothing is."""
    install("acme", application_credentials=platform)
    with patch.object(peer_platform, "TIMEOUT", 0.5):
        assert await async_ask_platform(hass, "acme", CREDENTIAL) is None
    assert await async_ask_platform(hass, "not_installed", CREDENTIAL) is None


async def test_given_before(hass: HomeAssistant, install: Install) -> None:
    """Where it does not tell now, it is what it gave before, with the secret as it is now."""
    install("acme", application_credentials=CONTEXT)
    assert await async_ask_platform(hass, "acme", CREDENTIAL) is None
    context = import_module("custom_components.acme.application_credentials").context
    token = context.set(URL)
    assert await async_ask_platform(hass, "acme", CREDENTIAL)
    context.reset(token)
    given = await async_ask_platform(hass, "acme", DeveloperCredential("id", f"{SENTINEL}-new"))
    assert given is not None
    assert (given.server.token_url, given.client_secret) == (f"{URL}/token", f"{SENTINEL}-new")
    assert await async_ask_platform(hass, "acme", DeveloperCredential("other")) is None


@pytest.mark.parametrize("is_watched", [False, True])
async def test_learned_in_its_context(
    hass: HomeAssistant, install: Install, is_watched: bool
) -> None:
    """What it tells in the context of its own requests is learned there, where we look after it."""
    if is_watched:
        await async_get_or_create_entry(hass)
    install("acme", application_credentials=CONTEXT)
    await add_application_credential(hass, "acme")
    install("other", application_credentials=CONTEXT)
    await add_application_credential(hass, "other")
    context = import_module("custom_components.acme.application_credentials").context
    token = context.set(URL)
    assert len(await async_get_implementations(hass, "acme")) == 1
    context.reset(token)
    assert (await async_ask_platform(hass, "acme", CREDENTIAL) is not None) == is_watched


async def test_asked_no_more_often(hass: HomeAssistant, install: Install) -> None:
    """A platform without a context is asked as often as without us when an entry is set up."""
    await async_get_or_create_entry(hass)
    install("acme", application_credentials=DECLARED)
    await add_application_credential(hass, "acme")
    await hass.async_block_till_done(wait_background_tasks=True)
    asked = import_module("custom_components.acme.application_credentials").asked
    asked.clear()
    assert len(await async_get_implementations(hass, "acme")) == 1
    assert len(asked) == 1


async def test_fails_in_ours(hass: HomeAssistant, install: Install) -> None:
    """Whatever fails while we learn, Home Assistant gets the implementations."""
    await async_get_or_create_entry(hass)
    install("acme", application_credentials=DECLARED)
    await add_application_credential(hass, "acme")
    with patch.object(peer_platform, "async_get_integration", side_effect=ImportError(SENTINEL)):
        assert len(await async_get_implementations(hass, "acme")) == 1


async def test_credentials_are_not_read_for_nothing(hass: HomeAssistant, install: Install) -> None:
    """Where a platform has no context, no credential is read, however many there are."""
    install("acme", application_credentials=DECLARED)
    await add_application_credential(hass, "acme")
    await async_get_or_create_entry(hass)
    with patch.object(collection, "parse_item") as parse_item:
        assert await async_provide_implementations(hass, "acme") == []
    assert not parse_item.called

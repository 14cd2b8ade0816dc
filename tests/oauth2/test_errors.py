"""Tests of what the errors of a token request mean to Home Assistant, which does not know them."""

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import (
    OAuth2TokenRequestError,
    OAuth2TokenRequestReauthError,
    OAuth2TokenRequestTransientError,
)
from homeassistant.helpers.translation import async_get_translations
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.oauth2.errors import TokenRequestError
from tests.common import CONFIG_FLOW, SENTINEL, add_credential
from tests.conftest import Install
from tests.recording_server import RecordingServer, answer

PLATFORM = """
from custom_components.developer_credentials import AuthorizationServer

async def async_get_authorization_server(hass):
    return AuthorizationServer("{url}/authorize", "{url}/token")
"""

SETUP = """
from datetime import timedelta
import logging
from aiohttp import ClientResponseError
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryNotReady
from homeassistant.helpers.config_entry_oauth2_flow import (
    OAuth2Session, async_get_config_entry_implementation
)
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

async def async_setup_entry(hass, entry):
    implementation = await async_get_config_entry_implementation(hass, entry)
    session = OAuth2Session(hass, entry, implementation)
    if entry.title == "status":
        # As integrations of Home Assistant do.
        try:
            await session.async_ensure_token_valid()
        except ClientResponseError as err:
            if 400 <= err.status < 500:
                raise ConfigEntryAuthFailed from err
            raise ConfigEntryNotReady from err
        return True
    if entry.title == "session":
        await session.async_ensure_token_valid()
        return True
    coordinator = DataUpdateCoordinator(
        hass,
        logging.getLogger(__name__),
        config_entry=entry,
        name="acme",
        update_interval=timedelta(minutes=1),
        update_method=session.async_ensure_token_valid,
    )
    if entry.title == "coordinator":
        await coordinator.async_config_entry_first_refresh()
    else:
        await coordinator.async_refresh()
    return True
"""

RETRY, ERROR, LOADED = (
    ConfigEntryState.SETUP_RETRY,
    ConfigEntryState.SETUP_ERROR,
    ConfigEntryState.LOADED,
)

ANSWERS: dict[str, tuple[object, int, ConfigEntryState]] = {
    "unavailable": ("", 503, RETRY),
    "busy": ({"error": "slow_down"}, 429, RETRY),
    "no token": ("<html>", 200, RETRY),
    "invalid_client": ({"error": "invalid_client"}, 401, RETRY),
    "unauthorized_client": ({"error": "unauthorized_client"}, 400, RETRY),
    "incorrect_client_credentials": ({"error": "incorrect_client_credentials"}, 200, RETRY),
    "invalid_grant": ({"error": "invalid_grant"}, 400, ERROR),
    "invalid_grant as 200": ({"error": "invalid_grant"}, 200, ERROR),
    "refused": ({"error": "invalid_request"}, 400, ERROR),
    "no code": ("", 401, ERROR),
    "refused with an odd error": ({"error": "odd"}, 403, ERROR),
    "a firewall's page": ("<h1>Forbidden</h1>", 403, RETRY),
    "timed out": ("", 408, RETRY),
}


@pytest.mark.parametrize(("body", "status", "state"), ANSWERS.values(), ids=list(ANSWERS))
@pytest.mark.parametrize("user", ["session", "status", "coordinator", "later"])
@pytest.mark.usefixtures("setup")
async def test_effect_on_an_entry(
    hass: HomeAssistant,
    server: RecordingServer,
    install: Install,
    body: object,
    status: int,
    state: ConfigEntryState,
    user: str,
) -> None:
    """An entry is tried again, or its user logs in again; whoever made the request.

    It is the session at set-up, of an integration that judges by the status or does not judge; or
    a coordinator, at set-up or later.
    """
    server.respond = answer(body, status)
    install("acme", PLATFORM.format(url=server.url), __init__=SETUP, config_flow=CONFIG_FLOW)
    await add_credential(hass, "acme")
    entry = MockConfigEntry(
        domain="acme",
        title=user,
        data={
            "auth_implementation": "acme_client_id",
            "token": {"refresh_token": f"{SENTINEL}-refresh", "expires_at": 0, "expires_in": 60},
        },
    )
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is (LOADED if user == "later" else state)
    sources = [
        flow["context"]["source"]
        for flow in hass.config_entries.flow.async_progress_by_handler("acme")
    ]
    assert sources == ([SOURCE_REAUTH] if state is ERROR else [])
    await hass.config_entries.async_remove(entry.entry_id)


def test_kinds() -> None:
    """Each kind is an exception of Home Assistant's for token requests, and of one effect."""
    for effect in TokenRequestError.__subclasses__():
        for kind in effect.__subclasses__():
            assert issubclass(kind, OAuth2TokenRequestError)
            assert issubclass(kind, OAuth2TokenRequestTransientError) is not issubclass(
                kind, OAuth2TokenRequestReauthError
            )
            assert kind.__doc__


@pytest.mark.parametrize("status", [401, 400, 503, 200])
@pytest.mark.parametrize("user", ["session", "coordinator"])
@pytest.mark.usefixtures("setup")
async def test_reason_of_an_entry(
    hass: HomeAssistant, server: RecordingServer, install: Install, status: int, user: str
) -> None:
    """What an entry waits for is said in words of ours, which have no key and no client id."""
    errors = {401: "invalid_client", 400: "invalid_grant", 503: "", 200: ""}
    server.respond = answer({"error": errors[status]} if errors[status] else "", status)
    install("acme", PLATFORM.format(url=server.url), __init__=SETUP, config_flow=CONFIG_FLOW)
    subentry = await add_credential(hass, "acme")
    entry = MockConfigEntry(
        domain="acme",
        title=user,
        data={
            "auth_implementation": "acme_client_id",
            "token": {"refresh_token": f"{SENTINEL}-refresh", "expires_at": 0, "expires_in": 60},
        },
    )
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    if user == "coordinator" and entry.state is ERROR:
        # A coordinator of Home Assistant has no reason for a login that is needed.
        return
    assert entry.error_reason_translation_domain == DOMAIN
    key = entry.error_reason_translation_key
    assert not entry.error_reason_translation_placeholders
    texts = await async_get_translations(hass, "en", "exceptions", [DOMAIN])
    text = texts[f"component.{DOMAIN}.exceptions.{key}.message"]
    assert ("Repairs" in text) is (status == 401)
    for secret in (subentry.data["auth_domain"], subentry.data["client_id"], "acme"):
        assert secret not in text
        assert user == "session" or secret not in str(entry.reason)

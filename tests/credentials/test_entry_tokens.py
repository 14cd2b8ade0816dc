"""Tests of the tokens in integrations' entries: a removed entry takes them with it."""

import asyncio
from datetime import timedelta
import logging
import time
from typing import Any

from aiohttp import web
from homeassistant.config_entries import SOURCE_USER, ConfigEntry, ConfigEntryState
from homeassistant.core import HassJob, HassJobType, HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import (
    OAuth2Session,
    async_get_config_entry_implementation,
)
from homeassistant.loader import async_get_integration
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.developer_credentials import DeveloperCredential, async_revoke_token
from custom_components.developer_credentials.const import LOGGER
from custom_components.developer_credentials.credentials.store import async_update_credential
from demo.authorization_server import DemoAuthorizationServer
from tests.common import REDIRECT_URI, SENTINEL, add_credential, entry_of, log_in_and_return
from tests.conftest import Install, PassTime
from tests.recording_server import TOKEN, RecordingServer, answer

pytestmark = pytest.mark.usefixtures("setup")

PLATFORM = """
from custom_components.developer_credentials import AuthorizationServer

async def async_get_authorization_server(hass):
    return AuthorizationServer(
        "{url}/authorize", "{url}/token", token_endpoint_auth_method="{method}", revocation_url={to}
    )
"""


REFRESH_TOKEN = f"{SENTINEL}-refresh"
ACCESS_TOKEN = f"{SENTINEL}-access"


@pytest.fixture
async def entry(hass: HomeAssistant) -> MockConfigEntry:
    """Add an entry of the integration, which has a token."""
    entry = MockConfigEntry(
        domain="acme",
        title="My account",
        data={
            "auth_implementation": "acme_client_id",
            "token": {"access_token": ACCESS_TOKEN, "refresh_token": REFRESH_TOKEN},
        },
    )
    entry.add_to_hass(hass)
    return entry


def _warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.message
        for record in caplog.records
        if record.name == LOGGER.name and record.levelno == logging.WARNING
    ]


@pytest.fixture
def declare(server: RecordingServer, install: Install) -> None:
    """Install the integration, with a revocation endpoint that says that it is done."""
    server.respond = answer("")
    to = f'"{server.url}/revoke"'
    install("acme", PLATFORM.format(url=server.url, method="client_secret_post", to=to))


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (503, {}, "503 "),
        (400, {"error": "unsupported_token_type"}, "400 unsupported_token_type"),
        (
            401,
            {"error": "invalid_client", "error_description": REFRESH_TOKEN},
            "401 invalid_client",
        ),
        (200, {"error": f"odd {REFRESH_TOKEN}"}, "200 odd **REDACTED**"),
        (307, {}, "307 "),
    ],
)
async def test_refusal(
    hass: HomeAssistant,
    server: RecordingServer,
    declare: None,
    entry: ConfigEntry,
    caplog: pytest.LogCaptureFixture,
    status: int,
    body: object,
    reason: str,
) -> None:
    """A server that does not revoke is a line in the log."""
    await add_credential(hass, "acme")
    server.respond = answer(body, status)
    await async_revoke_token(hass, entry)
    assert _warnings(caplog) == [f"acme did not revoke the token of My account: {reason}"]


async def test_nobody_listens(
    hass: HomeAssistant,
    install: Install,
    socket_enabled: None,
    unused_tcp_port: int,
    entry: ConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A server that is not there is a line in the log."""
    url = f"http://127.0.0.1:{unused_tcp_port}"
    install("acme", PLATFORM.format(url=url, method="client_secret_post", to=f'"{url}/revoke"'))
    await add_credential(hass, "acme")
    await async_revoke_token(hass, entry)
    assert _warnings(caplog) == ["The token of My account (acme) is not revoked: UnavailableError"]


async def test_credential_is_gone(
    hass: HomeAssistant,
    server: RecordingServer,
    declare: None,
    entry: ConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Without its credential, a token cannot be revoked; that is a line in the log."""
    await async_revoke_token(hass, entry)
    (warning,) = _warnings(caplog)
    assert warning.startswith("The token of My account (acme) is not revoked: ")


@pytest.mark.usefixtures("current_request_with_host")
@pytest.mark.parametrize("unavailable", [False, True])
async def test_demo_cloud(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
    unavailable: bool,
) -> None:
    """Removing an account ends its login at the server; if that is away, it is removed as well."""
    demo_cloud.add_client("client-id", client_secret=SENTINEL, redirect_uris=(REDIRECT_URI,))
    await add_credential(hass, "demo_cloud")
    step = await hass.config_entries.flow.async_init("demo_cloud", context={"source": SOURCE_USER})
    await log_in_and_return(hass, hass_client_no_auth, step)
    (account,) = hass.config_entries.async_entries("demo_cloud")
    assert demo_cloud.logins == 1
    demo_cloud.unavailable = unavailable
    await hass.config_entries.async_remove(account.entry_id)
    assert hass.config_entries.async_entries() == [entry_of(hass)]
    assert demo_cloud.logins == unavailable


async def test_token_that_nobody_waits_for(
    hass: HomeAssistant, server: RecordingServer, declare: None, entry: ConfigEntry
) -> None:
    """A refresh whose callers were cancelled ends in the entry: a server may give a token once."""
    await add_credential(hass, "acme")
    implementation = await async_get_config_entry_implementation(hass, entry)
    asked, answered = asyncio.Event(), asyncio.Event()
    new = {"access_token": f"{SENTINEL}-new", "refresh_token": f"{SENTINEL}-rotated"}

    async def respond(request: web.Request) -> web.StreamResponse:
        asked.set()
        await answered.wait()
        return web.json_response({**new, "expires_in": 60})

    server.respond = respond
    refresh = hass.async_create_task(implementation.async_refresh_token(entry.data["token"]))
    await asked.wait()
    refresh.cancel()
    answered.set()
    await hass.async_block_till_done()
    assert new.items() <= entry.data["token"].items()


@pytest.mark.parametrize("caller", ["waits", "is cancelled", "is stopped"])
@pytest.mark.parametrize("delay", [0.1, 1])
async def test_stop_during_a_refresh(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    server: RecordingServer,
    declare: None,
    entry: ConfigEntry,
    caller: str,
    delay: float,
) -> None:
    """The token that comes while Home Assistant stops is stored, whatever becomes of who asked."""
    await add_credential(hass, "acme")
    implementation = await async_get_config_entry_implementation(hass, entry)
    asked = asyncio.Event()
    new = {"access_token": f"{SENTINEL}-new", "refresh_token": f"{SENTINEL}-rotated"}

    async def respond(request: web.Request) -> web.StreamResponse:
        asked.set()
        await asyncio.sleep(delay)
        return web.json_response({**new, "expires_in": 60})

    server.respond = respond
    token = {**entry.data["token"], "expires_at": 0}
    hass.config_entries.async_update_entry(entry, data={**entry.data, "token": token})
    refresh = OAuth2Session(hass, entry, implementation).async_ensure_token_valid()
    task = hass.async_create_background_task(refresh, "refresh")
    await asked.wait()
    if caller == "is cancelled":
        task.cancel()
    if caller == "is stopped":
        # As by an integration that ends its own tasks at the first sign of a stop.
        hass.async_add_shutdown_job(HassJob(task.cancel, job_type=HassJobType.Callback))
    await hass.async_stop()
    assert len(server.requests) == 1
    (stored,) = (
        one["data"]["token"]
        for one in hass_storage["core.config_entries"]["data"]["entries"]
        if one["domain"] == "acme"
    )
    assert new.items() <= stored.items()
    assert stored["expires_at"] == pytest.approx(time.time() + 60, abs=10)


REFRESHING = """
from homeassistant.helpers.config_entry_oauth2_flow import (
    OAuth2Session, async_get_config_entry_implementation,
)

async def async_setup_entry(hass, entry):
    implementation = await async_get_config_entry_implementation(hass, entry)
    await OAuth2Session(hass, entry, implementation).async_ensure_token_valid()
    return True

async def async_unload_entry(hass, entry):
    return True
"""
CONFIG_FLOW = """
from homeassistant.config_entries import ConfigFlow

class Flow(ConfigFlow, domain="acme"):
    pass
"""


@pytest.fixture
async def refreshing(
    hass: HomeAssistant, server: RecordingServer, install: Install, entry: ConfigEntry
) -> MockConfigEntry:
    """Have an entry whose set-up refreshes its token, at a server that does not answer."""
    server.respond = answer("", 503)
    platform = PLATFORM.format(url=server.url, method="client_secret_post", to=None)
    install("acme", platform, __init__=REFRESHING, config_flow=CONFIG_FLOW)
    await add_credential(hass, "acme")
    token = {**entry.data["token"], "expires_at": 0}
    hass.config_entries.async_update_entry(entry, data={**entry.data, "token": token})
    await hass.config_entries.async_setup(entry.entry_id)
    assert (entry.state, len(server.requests)) == (ConfigEntryState.SETUP_RETRY, 1)
    assert isinstance(entry, MockConfigEntry)
    return entry


@pytest.mark.parametrize("waits", [False, True])
async def test_home_assistant_tries_again(
    hass: HomeAssistant,
    server: RecordingServer,
    refreshing: ConfigEntry,
    pass_time: PassTime,
    waits: bool,
) -> None:
    """Home Assistant sets the entry up again as ever; the server is asked when it may be."""
    if waits:
        pass_time(10)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=6))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert refreshing.state is ConfigEntryState.SETUP_RETRY
    assert len(server.requests) == 1 + waits


async def test_reload(
    hass: HomeAssistant, server: RecordingServer, refreshing: ConfigEntry
) -> None:
    """A user who reloads an entry has the server asked at once, whatever came of it before."""
    await hass.config_entries.async_reload(refreshing.entry_id)
    assert len(server.requests) == 2
    other = MockConfigEntry(domain="acme", data={**refreshing.data, "token": "none"})
    other.add_to_hass(hass)
    await hass.config_entries.async_unload(other.entry_id)
    server.respond = answer(TOKEN)
    await hass.config_entries.async_reload(refreshing.entry_id)
    assert (refreshing.state, len(server.requests)) == (ConfigEntryState.LOADED, 3)


async def test_changed_credential(
    hass: HomeAssistant, server: RecordingServer, refreshing: ConfigEntry
) -> None:
    """A credential that was changed is tried at once."""
    (subentry,) = entry_of(hass).subentries.values()
    server.respond = answer(TOKEN)
    integration = await async_get_integration(hass, "acme")
    changed = DeveloperCredential("client-id", f"{SENTINEL}-new")
    async_update_credential(hass, subentry, integration, changed)
    await hass.async_block_till_done()
    assert (refreshing.state, len(server.requests)) == (ConfigEntryState.LOADED, 2)


async def test_removed(hass: HomeAssistant, refreshing: ConfigEntry) -> None:
    """What is known of the token of an entry goes with it; of tokens elsewhere, it stays."""
    failures = hass.data["developer_credentials_failures"]
    for token in (None, {}, {"refresh_token": ["odd"]}):
        other = MockConfigEntry(domain="other", data={"token": token})
        other.add_to_hass(hass)
        await hass.config_entries.async_remove(other.entry_id)
    assert len(failures) == 1
    await hass.config_entries.async_remove(refreshing.entry_id)
    assert failures == {}

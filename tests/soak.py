"""The soak: 24 hours of 20 entries, with a server that fails a third of the time.

`script/soak` runs it; the ordinary suite does not. The hours pass by the clocks of Home Assistant,
which this file advances; HTTP, the storage that each start reads, and the stops are real.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import logging
from random import Random
import time
from typing import Any, Final

from aiohttp import web
from homeassistant import loader
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import frame
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_test_home_assistant,
)

from tests.common import SENTINEL, add_credential
from tests.conftest import Install
from tests.recording_server import RecordingServer

ENTRIES: Final = 20
HOURS: Final = 24
STOP_EVERY_HOURS: Final = 10
# Seconds.
STEP: Final = 10
LIFETIME: Final = 600
# How late the server answers while Home Assistant stops, in seconds of the real clock.
DELAY: Final = 2.0
FAILURES: Final = ("429", "500", "502", "503", "503 Retry-After", "closed")

PLATFORM = """
from custom_components.developer_credentials import AuthorizationServer

async def async_get_authorization_server(hass):
    return AuthorizationServer("{url}/authorize", "{url}/token")
"""
INTEGRATION = """
from datetime import timedelta
import logging

from homeassistant.helpers.config_entry_oauth2_flow import (
    OAuth2Session, async_get_config_entry_implementation,
)
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

async def async_setup_entry(hass, entry):
    implementation = await async_get_config_entry_implementation(hass, entry)
    session = OAuth2Session(hass, entry, implementation)
    coordinator = DataUpdateCoordinator(
        hass,
        logging.getLogger(__name__),
        config_entry=entry,
        name="acme",
        update_interval=timedelta(minutes=1),
        update_method=session.async_ensure_token_valid,
    )
    await coordinator.async_config_entry_first_refresh()
    entry.async_on_unload(coordinator.async_add_listener(lambda: None))
    return True

async def async_unload_entry(hass, entry):
    return True
"""
CONFIG_FLOW = """
from homeassistant.config_entries import ConfigFlow

class Flow(ConfigFlow, domain="acme"):
    async def async_step_reauth(self, entry_data):
        return self.async_show_form(step_id="reauth")
"""


class RotatingServer:
    """A token endpoint that takes each refresh token once, and fails a third of the time.

    Attributes:
        current: The refresh token of each account that is to be used next.
        outcomes: How often each kind of answer was given.
        delay: How late it answers after it has taken a refresh token.
        late: How many answers are late at the moment.
    """

    def __init__(self) -> None:
        """Initialize with an account for each entry."""
        self.current = {account: self._refresh_token(account, 0) for account in range(ENTRIES)}
        self.outcomes: Counter[str] = Counter()
        self.delay = 0.0
        self.late = 0
        self._used: set[str] = set()
        self._random = Random(11)  # noqa: S311 - the same failures each time

    @staticmethod
    def _refresh_token(account: int, number: int) -> str:
        return f"{SENTINEL}-refresh-{account}-{number}"

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""
        form = await request.post()
        if self._random.random() < 1 / 3:
            return self._fail(request)
        refresh_token = str(form["refresh_token"])
        account, number = map(int, refresh_token.rsplit("-", 2)[1:])
        if refresh_token != self.current[account]:
            self.outcomes["used twice" if refresh_token in self._used else "unknown"] += 1
            return web.json_response({"error": "invalid_grant"}, status=400)
        self._used.add(refresh_token)
        self.current[account] = self._refresh_token(account, number + 1)
        self.outcomes["token"] += 1
        self.late += 1
        await asyncio.sleep(self.delay)
        self.late -= 1
        return web.json_response(
            {
                "access_token": f"{SENTINEL}-access-{account}-{number}",
                "refresh_token": self.current[account],
                "expires_in": LIFETIME,
            }
        )

    def _fail(self, request: web.Request) -> web.StreamResponse:
        """Fail before the refresh token was looked at."""
        kind = self._random.choice(FAILURES)
        self.outcomes[kind] += 1
        if kind == "closed":
            assert request.transport
            request.transport.close()
            return web.Response()
        headers = {"Retry-After": "45"} if "Retry-After" in kind else {}
        return web.Response(status=int(kind[:3]), headers=headers)


class Clock:
    """Home Assistant's clocks, which run on, and can be advanced."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take the place of the clocks."""
        self.passed = 0.0
        loop = asyncio.get_running_loop()
        loop_time, wall_time = loop.time, time.time
        monkeypatch.setattr(loop, "time", lambda: loop_time() + self.passed)
        monkeypatch.setattr(time, "time", lambda: wall_time() + self.passed)

    async def advance(self, hass: HomeAssistant, *, wait: bool = True) -> None:
        """Let a step pass, and what is due be done."""
        self.passed += STEP
        await asyncio.sleep(0.001)
        if wait:
            await hass.async_block_till_done(wait_background_tasks=True)


@asynccontextmanager
async def _started(stored: bool) -> AsyncIterator[HomeAssistant]:
    """Start Home Assistant, from what it has stored."""
    async with async_test_home_assistant() as hass:
        frame.async_setup(hass)
        hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
        if stored:
            await hass.config_entries.async_initialize()
        assert await async_setup_component(hass, "acme", {})
        await hass.async_block_till_done(wait_background_tasks=True)
        yield hass


def _entries(hass: HomeAssistant) -> list[ConfigEntry]:
    return hass.config_entries.async_entries("acme")


async def _add_entries(hass: HomeAssistant, server: RotatingServer) -> None:
    await add_credential(hass, "acme", "app")
    for account, refresh_token in server.current.items():
        token = {
            "access_token": f"{SENTINEL}-access",
            "refresh_token": refresh_token,
            # Spread over the lifetime.
            "expires_at": time.time() + account * LIFETIME / ENTRIES,
            "expires_in": LIFETIME,
        }
        entry = MockConfigEntry(
            domain="acme",
            title=f"Account {account}",
            data={"auth_implementation": "acme_app", "token": token, "account": account},
        )
        await hass.config_entries.async_add(entry)


async def _stop(hass: HomeAssistant, server: RotatingServer, clock: Clock) -> str:
    """Stop Home Assistant while at least one refresh is in flight, and say how that went."""
    server.delay = DELAY
    for _ in range(LIFETIME):
        if server.late:
            break
        await clock.advance(hass, wait=False)
        await asyncio.sleep(0.02)
    late, begun = server.late, time.monotonic()
    assert late, "no refresh was in flight"
    await hass.async_stop()
    server.delay = 0
    return f"{late} in flight, {time.monotonic() - begun:.1f} s"


async def test_soak(
    server: RecordingServer,
    install: Install,
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Every entry is loaded in the end, no refresh token was used twice, and none is lost."""
    caplog.set_level(logging.WARNING)
    begun = time.monotonic()
    rotating = RotatingServer()
    server.respond = rotating.respond
    install("acme", PLATFORM.format(url=server.url), __init__=INTEGRATION, config_flow=CONFIG_FLOW)
    clock = Clock(monkeypatch)
    stops: list[str] = []
    while clock.passed < HOURS * 3_600:
        async with _started(stored=bool(stops)) as hass:
            if not stops:
                await _add_entries(hass, rotating)
            end = min((len(stops) + 1) * STOP_EVERY_HOURS, HOURS) * 3_600
            while clock.passed < end:
                await clock.advance(hass)
            if clock.passed < HOURS * 3_600:
                stops.append(await _stop(hass, rotating, clock))
                continue
            # Who has just failed is tried again within five minutes.
            for _ in range(900 // STEP):
                await clock.advance(hass)
            states = Counter(entry.state for entry in _entries(hass))
            lost = [
                entry.title
                for entry in _entries(hass)
                if entry.data["token"]["refresh_token"] != rotating.current[entry.data["account"]]
            ]
            flows = hass.config_entries.flow.async_progress_by_handler("acme")
            await hass.async_stop()
    failures = {kind: rotating.outcomes[kind] for kind in FAILURES}
    with capsys.disabled():
        print(  # noqa: T201 - the figures
            f"\n{HOURS} hours of {ENTRIES} entries, in {time.monotonic() - begun:.0f} s"
            f"\nstops: {'; '.join(stops)}"
            f"\nrequests: {len(server.requests)}, of which {rotating.outcomes['token']} brought a"
            f" token, and {sum(failures.values())} failed: {failures}"
            f"\nused twice: {rotating.outcomes['used twice']}, unknown:"
            f" {rotating.outcomes['unknown']}, lost: {len(lost)}, logins asked for: {len(flows)}"
            f"\nentries: { {state.value: number for state, number in states.items()} }"
        )
    assert states == {ConfigEntryState.LOADED: ENTRIES}
    assert rotating.outcomes["used twice"] == rotating.outcomes["unknown"] == 0
    assert not lost
    assert not flows
    assert len(stops) == (HOURS - 1) // STOP_EVERY_HOURS

"""Home Assistant with one of its integrations, an application credential, and an entry."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from homeassistant import loader
from homeassistant.components.application_credentials import (
    DATA_COMPONENT,
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.components.ffmpeg import DATA_FFMPEG, FFmpegManager
from homeassistant.config_entries import HANDLERS, SOURCE_REAUTH, ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import frame
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_test_home_assistant,
)

from custom_components.developer_credentials.const import DOMAIN, PEER
from custom_components.developer_credentials.core_credentials.collection import (
    async_get_application_credentials,
)
from custom_components.developer_credentials.core_credentials.editing import (
    async_update_application_credential,
)
from custom_components.developer_credentials.credentials.store import async_get_or_create_entry
from custom_components.developer_credentials.oauth2.client import DeveloperCredential
from tests.recording_server import Recorded

from .integrations import Setup, setup_of
from .providers import Provider, point_at, token
from .redirected import every_api_at

CLIENT_ID: Final = "client-id"
CLIENT_SECRET: Final = "first-secret"
NEW_SECRET: Final = "second-secret"

# Integrations that need hardware, programs or a database of their own: others' dependencies.
_NOT_SET_UP: Final = (
    "backup",
    "bluetooth",
    "bluetooth_adapters",
    "cloud",
    "ffmpeg",
    "media_source",
    "recorder",
    "usb",
    "web_rtc",
)
_FAILED: Final = {ConfigEntryState.SETUP_ERROR, ConfigEntryState.SETUP_RETRY}
_AT_WORK: Final = {ConfigEntryState.SETUP_IN_PROGRESS, ConfigEntryState.UNLOAD_IN_PROGRESS}
# In real seconds, for what is done at once.
_TIMEOUT: Final = 20
_PAUSE: Final = 0.01
# In real seconds, without a request of what integrations do in the background.
_QUIET: Final = 0.1
_PAUSES: Final = 10


class Home:
    """What a test does and sees.

    Attributes:
        hass: Home Assistant.
        setup: What is particular of the integration.
        provider: Its server.
    """

    def __init__(
        self, hass: HomeAssistant, domain: str, provider: Provider, patch: pytest.MonkeyPatch
    ) -> None:
        """Begin; nothing is set up."""
        self.hass = hass
        self.setup: Setup = setup_of(domain)
        self.provider = provider
        self._domain = domain
        self._passed = 0.0
        clock = hass.loop.time
        patch.setattr(hass.loop, "time", lambda: clock() + self._passed)

    async def install_ours(self, options: Mapping[str, Any]) -> None:
        """Set up Developer Credentials with an entry."""
        entry = await async_get_or_create_entry(self.hass)
        self.hass.config_entries.async_update_entry(entry, options=dict(options))
        assert await async_setup_component(self.hass, DOMAIN, {})
        await self.settle()

    async def add_credential(self) -> None:
        """Add the application credential, as a user does or as the integration."""
        if self.setup.imported:
            # Most do so when they are set up, some in their config flow.
            assert await async_setup_component(self.hass, self._domain, {})
            if not async_get_application_credentials(self.hass):
                client = ClientCredential(CLIENT_ID, CLIENT_SECRET)
                await async_import_client_credential(self.hass, self._domain, client)
        else:
            item = {
                "domain": self._domain,
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "name": "My app",
            }
            await self.hass.data[DATA_COMPONENT].async_create_item(item)
        await self.settle()

    async def add_entry(self) -> None:
        """Set up an entry whose token has expired."""
        handler = HANDLERS[self._domain]
        key = f"{self._domain}_client_id"
        if self.setup.imported or self.setup.names_itself:
            key = self._domain
        entry = self._entry = MockConfigEntry(
            domain=self._domain,
            title="Home",
            unique_id="user",
            version=handler.VERSION,
            minor_version=handler.MINOR_VERSION,
            options=dict(self.setup.options),
            data=dict(self.setup.data),
        )
        entry.add_to_hass(self.hass)
        if self.setup.has_token:
            old = token(expires_at=0, **self.setup.token)
            data = {**entry.data, "auth_implementation": key, "token": old}
            self.hass.config_entries.async_update_entry(entry, data=data)
        await self.hass.config_entries.async_setup(entry.entry_id)
        await self.settle()

    async def unload_entry(self) -> None:
        """Unload the entry."""
        await self.hass.config_entries.async_unload(self.entry.entry_id)
        if self.entry.state is ConfigEntryState.FAILED_UNLOAD:
            # Only a restart helps.
            self._entry.mock_state(self.hass, ConfigEntryState.NOT_LOADED)
        await self.settle()

    async def set_up_entry(self) -> None:
        """Set up the entry, whose token has expired meanwhile."""
        old = self.entry.data["token"]
        data = {**self.entry.data, "token": {**old, "expires_at": 0}}
        self.hass.config_entries.async_update_entry(self.entry, data=data)
        await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.settle()

    async def enter_secret(self, secret: str) -> None:
        """Enter another secret, as the form of Developer Credentials does.

        A person needs longer for it than requests with the old one are on their way.
        """
        await self.wait_for_quiet()
        (one,) = async_get_application_credentials(self.hass).values()
        credential = DeveloperCredential(CLIENT_ID, secret, one.credential.name)
        assert await async_update_application_credential(self.hass, one, credential)
        await self.settle()

    async def pass_time(self, seconds: float) -> None:
        """Let seconds pass by the clock of the event loop, and what is due be done."""
        self._passed += seconds
        # The event loop calls what is due.
        await asyncio.sleep(_PAUSE)
        await self.settle()

    async def settle(self) -> None:
        """Wait for what goes on; not for what integrations do for good, such as to listen."""
        async with asyncio.timeout_at(asyncio.get_running_loop().time() + _TIMEOUT):
            while True:
                await self.hass.async_block_till_done()
                ours = [task for task in asyncio.all_tasks() if _is_ours(task)]
                if ours:
                    await asyncio.wait(ours)
                elif any(one.state in _AT_WORK for one in self.hass.config_entries.async_entries()):
                    await asyncio.sleep(_PAUSE)
                else:
                    return

    @property
    def entry(self) -> ConfigEntry:
        """The integration's entry."""
        (entry,) = self.hass.config_entries.async_entries(self._domain)
        return entry

    @property
    def state(self) -> str:
        """The state of the entry."""
        return str(self.entry.state.value)

    @property
    def inquiries(self) -> list[Recorded]:
        """What Developer Credentials has asked: with a code that nobody issued."""
        requests = self.provider.server.requests
        return [one for one in requests if one.body.get("grant_type") == "authorization_code"]

    @property
    def is_in_trouble(self) -> bool:
        """Whether the entry has failed, though not for its client."""
        return self.setup.has_server and self.setup.has_token and self.entry.state in _FAILED

    @property
    def has_valid_token(self) -> bool:
        """Whether the entry has got a token that is valid."""
        return bool(self.entry.data["token"]["expires_at"])

    @property
    def logins(self) -> int:
        """How many logins are asked for."""
        flows = self.hass.config_entries.flow.async_progress()
        return sum(flow["context"]["source"] == SOURCE_REAUTH for flow in flows)

    @property
    def repairs(self) -> list[str]:
        """The kinds of repairs that Developer Credentials has raised."""
        issues = ir.async_get(self.hass).issues.values()
        return [str(one.translation_key) for one in issues if one.domain == DOMAIN and one.active]

    async def wait_for_quiet(self) -> None:
        """Wait until nothing is asked any more, also by what goes on after a set-up that failed."""
        for _ in range(_PAUSES):
            asked = len(self.provider.server.requests)
            await asyncio.sleep(_QUIET)
            await self.settle()
            if asked == len(self.provider.server.requests):
                break

    async def trace(self) -> dict[str, Any]:
        """Return what others see of the integration: its requests, flows, entry, issues, states.

        Our own inquiries are left out.
        """
        await self.wait_for_quiet()
        others = [one for one in self.provider.server.requests if one not in self.inquiries]
        tokens = [
            (one.method, one.raw_path, sorted(one.body.items()), one.authorization)
            for one in self.provider.token_requests
            if one in others
        ]
        requests = {(one.method, one.path) for one in others}
        entry = self.entry
        issues = ir.async_get(self.hass).issues.values()
        return {
            "tokens": tokens,
            "requests": sorted(requests),
            "flows": [
                (flow["handler"], flow["context"]["source"], flow.get("step_id"))
                for flow in self.hass.config_entries.flow.async_progress()
            ],
            "entry": (entry.state.value, entry.title, entry.unique_id, dict(entry.options)),
            "data": {key: value for key, value in entry.data.items() if key != "token"},
            "token": sorted(entry.data.get("token", ())),
            "issues": sorted(
                (one.domain, one.issue_id.replace(entry.entry_id, "ENTRY")) for one in issues
            ),
            "states": sorted(
                state.entity_id
                for state in self.hass.states.async_all()
                if state.domain != "update"
            ),
        }


def _is_ours(task: asyncio.Task[Any]) -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and f"custom_components/{DOMAIN}/" in code.co_filename


@asynccontextmanager
async def home(
    domain: str, provider: Provider, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Home]:
    """Start Home Assistant, with an integration that was not set up before.

    Args:
        domain: The integration.
        provider: Takes the place of its server.
        folder: A folder for the configuration.
        monkeypatch: Is undone by the test.
    """
    setup = setup_of(domain)
    provider.ended.clear()
    provider.rejected.clear()
    provider.token, provider.api = dict(setup.token), dict(setup.api)
    provider.server.requests.clear()
    async with async_test_home_assistant(config_dir=str(folder)) as hass:
        with monkeypatch.context() as patch, every_api_at(patch, provider.server):
            frame.async_setup(hass)
            hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
            await hass.config.async_update(external_url="https://example.com")
            for one in _NOT_SET_UP:
                hass.config.components.add(one)
            hass.data[DATA_FFMPEG] = FFmpegManager(hass, "ffmpeg")
            integration = await loader.async_get_integration(hass, domain)
            await integration.resolve_dependencies()
            await integration.async_get_platform("config_flow")
            point_at(patch, await integration.async_get_platform(PEER), provider)
            assert await async_setup_component(hass, PEER, {})
            it = Home(hass, domain, provider, patch)
            try:
                yield it
            finally:
                provider.ended.set()
                await _stop(it)


async def _stop(it: Home) -> None:
    for entry in it.hass.config_entries.async_entries():
        if entry.state is ConfigEntryState.LOADED:
            await it.hass.config_entries.async_unload(entry.entry_id)
    await it.hass.async_stop(force=True)

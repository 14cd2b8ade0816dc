"""A Home Assistant with both sides, an integration for each, and their OAuth2 server."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
import json
from pathlib import Path
import sys
from typing import Any, Final
from unittest.mock import patch

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer, make_mocked_request
from homeassistant import loader
from homeassistant.config_entries import (
    SOURCE_USER,
    ConfigEntries,
    ConfigEntry,
    ConfigFlowResult,
)
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import frame
from homeassistant.helpers.config_entry_oauth2_flow import HEADER_FRONTEND_BASE
from homeassistant.helpers.http import current_request
from homeassistant.helpers.storage import Store
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import async_test_home_assistant
from yarl import URL

import custom_components
from tests.recording_server import RecordingServer, answer

from .sides import Ours, Peer, Side

ROOT: Final = Path(__file__).parents[2]

_INIT: Final = """
from homeassistant.helpers.config_entry_oauth2_flow import (
    OAuth2Session, async_get_config_entry_implementation,
)

async def async_setup_entry(hass, entry):
    implementation = await async_get_config_entry_implementation(hass, entry)
    entry.runtime_data = OAuth2Session(hass, entry, implementation)
    return True

async def async_unload_entry(hass, entry):
    return True
"""
_CONFIG_FLOW: Final = """
import logging
from homeassistant.helpers.config_entry_oauth2_flow import AbstractOAuth2FlowHandler

class Flow(AbstractOAuth2FlowHandler, domain="{domain}"):
    DOMAIN = "{domain}"
    logger = logging.getLogger(__name__)
"""
_TOKEN: Final = {
    "access_token": "access-token",
    "refresh_token": "refresh-token",
    "token_type": "Bearer",
    "expires_in": 3600,
}


class Home:
    """What is measured.

    Attributes:
        hass: Home Assistant.
        ours: Developer Credentials.
        peer: Home Assistant's application credentials.
        server: The OAuth2 server of all integrations.
        writes: The files of the storage that were written, each time.
        reloads: How often a config entry was reloaded.
    """

    def __init__(self, hass: HomeAssistant, folder: Path, server: RecordingServer) -> None:
        """Initialize for a Home Assistant, whose integrations are in a folder."""
        self.hass = hass
        self.ours, self.peer = Ours(hass), Peer(hass)
        self.server = server
        self.writes: list[str] = []
        self.reloads = 0
        self._folder = folder

    def install(self, domain: str, side: Side) -> None:
        """Install an integration; before the first one is used."""
        folder = self._folder / domain
        folder.mkdir(exist_ok=True)
        manifest = {
            "config_flow": True,
            "dependencies": [side.component],
            "domain": domain,
            "name": domain.replace("_", " ").title(),
            "version": "1.0.0",
        }
        (folder / "manifest.json").write_text(json.dumps(manifest))
        (folder / "__init__.py").write_text(_INIT)
        (folder / "config_flow.py").write_text(_CONFIG_FLOW.replace("{domain}", domain))
        url = self.server.url or "https://cloud.example"
        (folder / f"{side.component}.py").write_text(side.platform.replace("{url}", url))

    async def set_up(self, *components: str) -> None:
        """Set up components."""
        for one in components:
            assert await async_setup_component(self.hass, one, {})
        await self.hass.async_block_till_done()

    async def flush(self) -> int:
        """Have what is to be stored written; return how many files were since the call before."""
        self.hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
        await self.hass.async_block_till_done()
        written = len(self.writes)
        self.writes.clear()
        return written

    async def login(self, domain: str) -> ConfigFlowResult:
        """Go from the start of a flow to the external step."""
        headers = {HEADER_FRONTEND_BASE: "http://home.example"}
        token = current_request.set(make_mocked_request("POST", "/", headers))
        try:
            return await self.hass.config_entries.flow.async_init(
                domain, context={"source": SOURCE_USER}
            )
        finally:
            current_request.reset(token)

    async def finish(self, step: ConfigFlowResult, browser: ClientSession) -> ConfigEntry:
        """Go from the callback, which the browser opens, to the entry."""
        state = URL(step["url"]).query["state"]
        query = {"code": "code", "state": state}
        async with browser.get("/auth/external/callback", params=query) as response:
            assert response.ok
        result = await self.hass.config_entries.flow.async_configure(step["flow_id"])
        await self.hass.async_block_till_done()
        entry: ConfigEntry = result["result"]
        return entry

    def expire(self, entry: ConfigEntry, number: int = 0) -> None:
        """Let the token of an entry be expired, with a refresh token of that number."""
        token = {**_TOKEN, "refresh_token": f"refresh-token-{number}", "expires_at": 0}
        self.hass.config_entries.async_update_entry(entry, data={**entry.data, "token": token})

    @asynccontextmanager
    async def browser(self) -> AsyncIterator[ClientSession]:
        """Run the web server of Home Assistant, and yield who asks it."""
        async with (
            TestServer(self.hass.http.app) as served,
            ClientSession(served.make_url("")) as it,
        ):
            yield it


@contextmanager
def _integrations(folder: Path) -> Iterator[Path]:
    """Have Home Assistant look for integrations in a folder as well."""
    before = list(custom_components.__path__)
    components = folder / "custom_components"
    components.mkdir(exist_ok=True)
    custom_components.__path__ = [str(ROOT / "custom_components"), str(components)]
    try:
        yield components
    finally:
        custom_components.__path__ = before
        for one in components.iterdir():
            # The next ones of that name are in another folder.
            for module in [name for name in sys.modules if f".{one.name}" in name]:
                del sys.modules[module]


@asynccontextmanager
async def home(folder: Path) -> AsyncIterator[Home]:
    """Start a Home Assistant that keeps its storage in a folder; nothing is set up."""
    server = RecordingServer()
    server.respond = answer(_TOKEN)
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", server.handle)
    with _integrations(folder) as components:
        async with (
            TestServer(application) as served,
            async_test_home_assistant(config_dir=str(folder)) as hass,
        ):
            server.url = str(served.make_url("")).rstrip("/")
            frame.async_setup(hass)
            hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
            it = Home(hass, components, server)
            write: Callable[..., Awaitable[None]] = Store._async_handle_write_data  # noqa: SLF001 - to count it

            async def counted(store: Store[Any], *args: object) -> None:
                it.writes.append(store.key)
                await write(store, *args)

            reload = ConfigEntries.async_reload

            async def reloaded(entries: ConfigEntries, entry_id: str) -> bool:
                it.reloads += 1
                return await reload(entries, entry_id)

            with (
                patch.object(Store, "_async_handle_write_data", counted),
                patch.object(ConfigEntries, "async_reload", reloaded),
            ):
                try:
                    yield it
                finally:
                    await hass.async_stop(force=True)

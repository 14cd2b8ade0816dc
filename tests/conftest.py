"""Fixtures: Home Assistant with this integration, Demo Cloud, and integrations made of files."""

from collections.abc import Awaitable, Callable, Generator, Iterator
import json
import logging
import os
from pathlib import Path
import socket
import sys
from tempfile import TemporaryDirectory

from aiohttp import web
from aiohttp.test_utils import TestServer
from homeassistant import loader
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

import custom_components
from custom_components.developer_credentials.const import DOMAIN
from demo.authorization_server import DemoAuthorizationServer
from tests.common import SENTINEL
from tests.recording_server import RecordingServer

ROOT = Path(__file__).parent.parent
# Of the demo's integrations only the one that is on our platform and our flow: what else a test
# needs it installs itself.
_DEMO = TemporaryDirectory(prefix="demo_cloud-")
Path(_DEMO.name, "demo_cloud").symlink_to(ROOT / "demo" / "custom_components" / "demo_cloud")
COMPONENTS = [str(ROOT / "custom_components"), _DEMO.name]
custom_components.__path__ = list(COMPONENTS)

with socket.socket() as _probe:
    _probe.bind(("127.0.0.1", 0))
    DEMO_CLOUD_PORT = _probe.getsockname()[1]
# Demo Cloud's integration reads it when it is imported.
os.environ["DEMO_CLOUD_URL"] = f"http://127.0.0.1:{DEMO_CLOUD_PORT}"

# They run where the integration is installed alone; see test_examples.
collect_ignore = ["first_integration"]

# Who tells at the debug level what was sent or stored, whatever it is: Home Assistant of WebSocket
# messages, which docs say of an admin's debug log, and its test plugin.
_TELLS_ALL = (
    "homeassistant.components.websocket_api",
    "pytest_homeassistant_custom_component",
)

type Install = Callable[..., None]
type PassTime = Callable[[float], None]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make a report that can be written as UTF-8: processes of pytest-xdist send it so."""
    report = yield
    report.sections = [
        (name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections
    ]
    return report


@pytest.fixture(autouse=True)
def no_secret_in_any_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No secret that a test uses, and no code or token of Demo Cloud, is ever logged."""
    issued: set[str] = set()
    DemoAuthorizationServer.issued = issued
    # Home Assistant does so when it starts: the callback's request line has the code.
    caplog.set_level(logging.WARNING, "aiohttp.access")
    # Last, since each call sets what the fixture hears of all loggers, too.
    caplog.set_level(logging.DEBUG)
    yield
    for phase in ("setup", "call", "teardown"):
        # With the tracebacks of exceptions and what caused them.
        text = "\n".join(
            logging.Formatter().format(one)
            for one in caplog.get_records(phase)
            if one.levelno > logging.DEBUG or not one.name.startswith(_TELLS_ALL)
        )
        assert SENTINEL not in text
        assert [value for value in issued if value in text] == []


@pytest.fixture(autouse=True)
def custom_integrations(no_secret_in_any_log: None, enable_custom_integrations: None) -> None:
    """Let Home Assistant find the custom integrations; it stops before its log is read."""


@pytest.fixture
async def setup(hass: HomeAssistant) -> None:
    """Set up this integration, as a dependency of an integration does, and the repairs."""
    assert await async_setup_component(hass, "repairs", {})
    assert await async_setup_component(hass, DOMAIN, {})
    await hass.async_block_till_done()


@pytest.fixture
def pass_time(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> PassTime:
    """Return a function that lets seconds pass by the clock of the event loop."""
    clock, passed = hass.loop.time, [0.0]
    monkeypatch.setattr(hass.loop, "time", lambda: clock() + passed[0])

    def pass_time(seconds: float) -> None:
        passed[0] += seconds

    return pass_time


@pytest.fixture
def demo_cloud(socket_enabled: None) -> Iterator[DemoAuthorizationServer]:
    """Run the authorization server of Demo Cloud, at the address that the integration has."""
    with DemoAuthorizationServer(port=DEMO_CLOUD_PORT, access_token_lifetime=5) as server:
        yield server


@pytest.fixture
async def server(
    socket_enabled: None,
    aiohttp_server: Callable[[web.Application], Awaitable[TestServer]],
) -> RecordingServer:
    """Run an authorization server that does as the test says."""
    server = RecordingServer()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", server.handle)
    server.url = str((await aiohttp_server(application)).make_url("/")).rstrip("/")
    return server


@pytest.fixture
def install(hass: HomeAssistant, tmp_path: Path) -> Iterator[Install]:
    """Return a function that installs a custom integration made of files.

    Its arguments are the domain, the text of developer_credentials.py (None for no such file),
    and the text of other files by name.
    """
    folder = tmp_path / "custom_components"
    folder.mkdir()
    custom_components.__path__ = [*COMPONENTS, str(folder)]

    def install(domain: str, platform: str | None = None, **files: str) -> None:
        manifest = {
            "config_flow": "config_flow" in files,
            "domain": domain,
            "name": domain.replace("_", " ").title(),
            "dependencies": [DOMAIN],
            "version": "1.0.0",
        }
        texts = {"__init__": "", **files}
        if platform is not None:
            texts[DOMAIN] = platform
        (folder / domain).mkdir()
        (folder / domain / "manifest.json").write_text(json.dumps(manifest))
        for name, text in texts.items():
            (folder / domain / f"{name}.py").write_text(text)
        hass.data.pop(loader.DATA_CUSTOM_COMPONENTS, None)

    yield install
    custom_components.__path__ = list(COMPONENTS)
    for module in list(sys.modules):
        if module.startswith("custom_components.") and module.split(".")[1] not in (
            DOMAIN,
            "demo_cloud",
        ):
            del sys.modules[module]

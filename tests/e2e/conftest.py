"""Fixtures: Demo Cloud, Home Assistant and a browser once, without entries for each test."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
import os
from pathlib import Path
import tempfile
from typing import Final

from playwright.async_api import Browser, async_playwright
import pytest
import pytest_asyncio

from demo import scene
from demo.authorization_server import MY_REDIRECT_URI, DemoAuthorizationServer
from demo.home_assistant import Client, HomeAssistant, free_port

from .common import SECRET, remove_all
from .frontend import Frontend, Work

# As root Chromium has no sandbox; the rest keeps it from looking for its maker.
FLAGS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class Setting:
    """How a user looks at Home Assistant.

    Attributes:
        name: Of the setting, and of the folder with its pictures.
        width: Of the screen.
        height: Of the screen.
        phone: Whether it is touched, and small.
        dark: Whether the colors are dark.
        yaml: What configuration.yaml has besides; with `my:`, My Home Assistant is loaded.
    """

    name: str
    width: int = 1280
    height: int = 800
    phone: bool = False
    dark: bool = False
    yaml: str = ""


DESKTOP: Final = Setting("desktop")
PHONE: Final = Setting("phone", 390, 844, phone=True, yaml="my:\n")
DARK: Final = Setting("dark", dark=True, yaml=scene.YAML)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let script/bench have what is counted."""
    parser.addoption("--work", type=Path, help="the file to write what users have to do to")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the tests of one setting, or else of one module, in one process of pytest-xdist."""
    for item in items:
        parameters = getattr(item, "callspec", None)
        setting = parameters.params.get("setting") if parameters else None
        item.add_marker(pytest.mark.xdist_group(getattr(setting, "name", item.path.stem)))


@pytest.fixture
def work_file(request: pytest.FixtureRequest) -> Path | None:
    """Return the file to write what users have to do to, None without one."""
    file: Path | None = request.config.getoption("--work")
    return file


@pytest.fixture(scope="session", params=[DESKTOP, PHONE], ids=lambda one: one.name)
def setting(request: pytest.FixtureRequest) -> Setting:
    """Look at Home Assistant on a desktop without My Home Assistant, and on a phone with it."""
    setting: Setting = request.param
    return setting


@pytest.fixture(scope="session")
def cloud() -> Iterator[DemoAuthorizationServer]:
    """Run Demo Cloud."""
    with DemoAuthorizationServer(access_token_lifetime=5) as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def home_assistant(
    cloud: DemoAuthorizationServer, setting: Setting
) -> AsyncIterator[HomeAssistant]:
    """Run Home Assistant."""
    with tempfile.TemporaryDirectory() as config_dir:
        process = HomeAssistant(Path(config_dir), free_port(), cloud.url, setting.yaml)
        cloud.my_instance = process.url
        await process.start()
        try:
            yield process
        finally:
            await process.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def client(home_assistant: HomeAssistant) -> AsyncIterator[Client]:
    """Be the user, by Home Assistant's API."""
    async with Client.onboard(home_assistant.url) as client:
        await client.wait_until_running()
        yield client


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Run the browser."""
    async with async_playwright() as playwright:
        # script/e2e has found it.
        path = os.environ["CHROMIUM"]
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def logged_in(
    home_assistant: HomeAssistant, client: Client, browser: Browser, setting: Setting
) -> AsyncIterator[Frontend]:
    """Open a window of the browser, and log in."""
    context = await browser.new_context(
        viewport={"width": setting.width, "height": setting.height},
        has_touch=setting.phone,
        is_mobile=setting.phone,
        color_scheme="dark" if setting.dark else "light",
    )
    frontend = Frontend(context, await context.new_page(), home_assistant.url, setting.name)
    await frontend.log_in()
    yield frontend
    await context.close()


@pytest.fixture(scope="session")
def redirect_uri(home_assistant: HomeAssistant, setting: Setting) -> str:
    """Return the redirect URI that is to be registered."""
    return (
        MY_REDIRECT_URI if "my:" in setting.yaml else f"{home_assistant.url}/auth/external/callback"
    )


@pytest_asyncio.fixture(loop_scope="session")
async def frontend(
    logged_in: Frontend, client: Client, cloud: DemoAuthorizationServer, redirect_uri: str
) -> Frontend:
    """Be at the integrations page of a Home Assistant without entries.

    The user has an application at Demo Cloud.
    """
    cloud.clients.clear()
    cloud.add_client(
        "my-app", client_secret=SECRET, redirect_uris=(redirect_uri,), name="My application"
    )
    await logged_in.leave_login()
    await remove_all(client)
    await logged_in.open_integrations()
    logged_in.work = Work()
    return logged_in

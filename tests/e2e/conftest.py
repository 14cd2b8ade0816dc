"""Fixtures: Demo Cloud, Home Assistant and a browser once, without entries for each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
import tempfile

from playwright.async_api import async_playwright
import pytest
import pytest_asyncio

from demo.authorization_server import DemoAuthorizationServer
from demo.home_assistant import Client, HomeAssistant, free_port

from .frontend import Frontend

# As root Chromium has no sandbox; the rest keeps it from looking for its maker.
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def cloud() -> Iterator[DemoAuthorizationServer]:
    """Run Demo Cloud."""
    with DemoAuthorizationServer(access_token_lifetime=5) as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def home_assistant(cloud: DemoAuthorizationServer) -> AsyncIterator[HomeAssistant]:
    """Run Home Assistant."""
    with tempfile.TemporaryDirectory() as config_dir:
        process = HomeAssistant(Path(config_dir), free_port(), cloud.url)
        install_peer_cloud(Path(config_dir) / "custom_components")
        await process.start()
        try:
            yield process
        finally:
            await process.stop()


def install_peer_cloud(components: Path) -> None:
    """Install what Demo Cloud would be on Home Assistant's own application credentials."""
    changes = {
        "demo_cloud": "peer_cloud",
        "Demo Cloud": "Peer Cloud",
        "developer_credentials": "application_credentials",
        "custom_components.application_credentials import Dev": "custom_components import Dev",
        "from custom_components.application_credentials import AuthorizationServer": (
            "from homeassistant.components.application_credentials import AuthorizationServer"
        ),
        "from custom_components import DeveloperCredentialsFlowHandler": (
            "from homeassistant.helpers.config_entry_oauth2_flow import AbstractOAuth2FlowHandler"
        ),
        "DeveloperCredentialsFlowHandler": "AbstractOAuth2FlowHandler",
        # What the peer cannot do.
        "from custom_components.application_credentials import async_revoke_token": "",
        "    await async_revoke_token(hass, entry)": "",
        'scopes=["account"],': "",
        "pkce=True,": "",
        'revocation_url=f"{BASE_URL}/revoke",': "",
    }
    demo = components / "demo_cloud"
    for source in [*demo.glob("*.*"), *demo.glob("translations/*.json")]:
        text = source.read_text()
        for before, after in changes.items():
            text = text.replace(before, after)
        name = str(source.relative_to(demo)).replace("developer", "application")
        target = components / "peer_cloud" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def client(home_assistant: HomeAssistant) -> AsyncIterator[Client]:
    """Be the user, by Home Assistant's API."""
    async with Client.onboard(home_assistant.url) as client:
        await client.wait_until_running()
        yield client


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def logged_in(home_assistant: HomeAssistant, client: Client) -> AsyncIterator[Frontend]:
    """Run the browser, and log in."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = await browser.new_context(viewport={"width": 1000, "height": 900})
        frontend = Frontend(context, await context.new_page(), home_assistant.url)
        await frontend.log_in()
        yield frontend
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def frontend(logged_in: Frontend, client: Client, cloud: DemoAuthorizationServer) -> Frontend:
    """Be at the integrations page of a Home Assistant without entries."""
    cloud.clients.clear()
    for domain in ("demo_cloud", "peer_cloud", "developer_credentials"):
        for entry in await client.command("config_entries/get", domain=domain):
            await client.request("DELETE", f"config/config_entries/entry/{entry['entry_id']}")
    await logged_in.open_integrations()
    logged_in.clicks = 0
    return logged_in

"""What the tests of this room share."""

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

from demo.authorization_server import DemoAuthorizationServer
from tests.common import REDIRECT_URI, SENTINEL
from tests.conftest import Install
from tests.core_credentials.peer import CONFIG_FLOW, INIT, NEW, SERVER


@pytest.fixture
async def peer(hass: HomeAssistant, install: Install, demo_cloud: DemoAuthorizationServer) -> None:
    """Install an integration on application credentials, for Demo Cloud's server."""
    demo_cloud.add_client("id", client_secret=SENTINEL, redirect_uris=(REDIRECT_URI,))
    demo_cloud.add_client("new", client_secret=NEW, redirect_uris=(REDIRECT_URI,))
    platform = SERVER.format(url=demo_cloud.url)
    install("peer", application_credentials=platform, __init__=INIT, config_flow=CONFIG_FLOW)
    assert await async_setup_component(hass, "application_credentials", {})

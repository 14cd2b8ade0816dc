"""What the tests of this room share."""

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

from tests.adopting.acme import CONFIG_FLOW, INIT, SERVER, add_item, adopt
from tests.conftest import Install
from tests.recording_server import RecordingServer


@pytest.fixture
def acme(install: Install, server: RecordingServer) -> None:
    """Install an integration on application credentials, with Home Assistant's own class."""
    platform = SERVER.format(url=server.url)
    install("acme", application_credentials=platform, __init__=INIT, config_flow=CONFIG_FLOW)


@pytest.fixture
async def adopted(hass: HomeAssistant, acme: None, setup: None) -> None:
    """Adopt the implementations of an application credential."""
    assert await async_setup_component(hass, "application_credentials", {})
    await adopt(hass)
    await add_item(hass)

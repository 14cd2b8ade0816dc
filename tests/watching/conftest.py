"""What the tests of this room share."""

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

from tests.adopting.conftest import acme
from tests.conftest import Install
from tests.core_credentials.conftest import peer
from tests.recording_server import RecordingServer
from tests.watching.cloud import Cloud

__all__ = ["acme", "peer"]


@pytest.fixture
async def cloud(hass: HomeAssistant, server: RecordingServer, install: Install) -> Cloud:
    """Install an integration on application credentials, and run its server."""
    cloud = Cloud(hass, server, install)
    cloud.install()
    assert await async_setup_component(hass, "application_credentials", {})
    return cloud

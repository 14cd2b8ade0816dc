"""Tests of what people know an application credential by."""

from homeassistant.core import HomeAssistant
from homeassistant.loader import async_get_integration
import pytest

from custom_components.developer_credentials.core_credentials.collection import (
    async_get_application_credentials,
)
from custom_components.developer_credentials.core_credentials.naming import async_get_title
from tests.common import SENTINEL
from tests.core_credentials.peer import add_application_credential

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host", "peer")

NAMES = {
    "named": ("My app", False, "Peer: My app"),
    "unnamed": (None, False, "Peer"),
    "imported": ("An account", True, "Peer"),
    "with the client id": ("My id", False, "Peer"),
    "with the secret": (f"My {SENTINEL}", False, "Peer"),
}


@pytest.mark.parametrize(("name", "imported", "title"), NAMES.values(), ids=list(NAMES))
async def test_title(hass: HomeAssistant, name: str | None, imported: bool, title: str) -> None:
    """It has the name that the user chose, and nothing that is not for every user."""
    await async_get_integration(hass, "peer")
    await add_application_credential(hass, name=name, imported=imported)
    (one,) = async_get_application_credentials(hass).values()
    assert async_get_title(hass, one) == title


async def test_title_of_what_is_not_installed(hass: HomeAssistant) -> None:
    """One whose integration is not there is called by its domain."""
    await add_application_credential(hass, name=None)
    (one,) = async_get_application_credentials(hass).values()
    hass.data["integrations"].clear()
    assert async_get_title(hass, one) == "peer"

"""Tests of which application credentials came with their integration."""

import sys

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.developer_credentials.core_credentials.built_in import async_is_built_in
from custom_components.developer_credentials.core_credentials.collection import (
    async_get_application_credentials,
)
from tests.conftest import Install
from tests.core_credentials.peer import INIT, SERVER, add_application_credential

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host", "peer")

CODE = {
    "of its own": ("CLIENT_ID = 'id'", "", True),
    "of another module": ("from .const import NUMBER", "NUMBER = 1\nOAUTH2_CLIENT_ID = 'id'", True),
    "the user's": ("CLIENT_ID = 'another id'", "NUMBER = 1", False),
}


@pytest.mark.parametrize(("code", "const", "expected"), CODE.values(), ids=list(CODE))
@pytest.mark.parametrize("imported", [True, False], ids=["imported", "entered"])
async def test_built_in(
    hass: HomeAssistant, install: Install, imported: bool, code: str, const: str, expected: bool
) -> None:
    """It was imported, and its client id stands in the integration's code."""
    server = SERVER.format(url="https://cloud.example")
    install("built", application_credentials=server, __init__=f"{code}\n{INIT}", const=const)
    # What is no module, and what begins alike, is none of it.
    sys.modules["custom_components.built.none"] = None  # type: ignore[assignment]
    await add_application_credential(hass, "built", imported=imported)
    (one,) = async_get_application_credentials(hass).values()
    assert not async_is_built_in(hass, one) or expected
    auth_domain = "built" if imported else "built_id"
    entry = MockConfigEntry(domain="built", data={"auth_implementation": auth_domain})
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert async_is_built_in(hass, one) is (expected and imported)


async def test_not_installed(hass: HomeAssistant) -> None:
    """Of an integration that is not there, nothing is known."""
    await add_application_credential(hass, imported=True)
    (one,) = async_get_application_credentials(hass).values()
    hass.data["integrations"].clear()
    assert not async_is_built_in(hass, one)

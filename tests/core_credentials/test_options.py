"""Tests of what the user lets us do for application credentials."""

from typing import Any

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
import pytest

from custom_components.developer_credentials.core_credentials.options import (
    Options,
    async_get_options,
)
from custom_components.developer_credentials.credentials.store import async_get_or_create_entry

pytestmark = pytest.mark.usefixtures("setup")

OFF = Options(look_after=False, verify=False)


async def test_without_entry(hass: HomeAssistant) -> None:
    """Without our entry, and while it is disabled, nothing is done."""
    assert async_get_options(hass) == OFF
    entry = await async_get_or_create_entry(hass)
    assert async_get_options(hass) == Options()
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    assert async_get_options(hass) == OFF


@pytest.mark.parametrize(
    ("options", "adopted"),
    [
        ({}, set()),
        ({"adopted": ["acme"]}, set()),
        ({"adopt": "chosen", "adopted": ["acme"]}, {"acme"}),
        ({"adopt": "chosen"}, set()),
        ({"adopt": "all"}, {"acme", "peer"}),
    ],
)
async def test_adopts(hass: HomeAssistant, options: dict[str, Any], adopted: set[str]) -> None:
    """Adopted is what the user has chosen."""
    entry = await async_get_or_create_entry(hass)
    hass.config_entries.async_update_entry(entry, options=options)
    found = async_get_options(hass)
    assert {domain for domain in ("acme", "peer") if found.adopts(domain)} == adopted

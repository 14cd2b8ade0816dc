"""Tests of which entries use an application credential."""

from homeassistant.components import application_credentials
from homeassistant.core import HomeAssistant
import pytest

from custom_components.developer_credentials.core_credentials.users import (
    async_get_application_credential_users,
    async_learn_users,
)
from tests.watching.cloud import OWN_NAME, Cloud, add_entry, enter, import_one
from tests.watching.conftest import cloud

__all__ = ["cloud"]

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host")


@pytest.mark.parametrize("imported", [False, True])
async def test_auth_domain(hass: HomeAssistant, cloud: Cloud, imported: bool) -> None:
    """They name its auth_domain: its id, or what it was imported with."""
    one = await import_one(hass) if imported else await enter(hass)
    entries = [await add_entry(hass, name, lazy=True) for name in ("acme_id", "acme", "other")]
    await async_learn_users(hass, one)
    assert async_get_application_credential_users(hass, one) == [entries[imported]]


async def test_last_import(hass: HomeAssistant, cloud: Cloud) -> None:
    """Of two that were imported for one name, as with another client id, the last has the users."""
    first = await import_one(hass)
    second = await import_one(hass, client_id="second")
    entry = await add_entry(hass, "acme", lazy=True)
    assert entry.runtime_data.implementation.client_id == "second"
    assert async_get_application_credential_users(hass, first) == []
    assert async_get_application_credential_users(hass, second) == [entry]


async def test_last_of_a_name(hass: HomeAssistant, cloud: Cloud) -> None:
    """Of several that call themselves alike, the last one has the users, as in Home Assistant."""
    cloud.install("own", OWN_NAME)
    first, second = [await enter(hass, client_id=one, domain="own") for one in ("a", "b")]
    entry = await add_entry(hass, "own", "own", lazy=True)
    other = await add_entry(hass, "own_a", "own", lazy=True)
    assert async_get_application_credential_users(hass, second) == []
    for one in (first, second, first):
        await async_learn_users(hass, one)
    assert async_get_application_credential_users(hass, first) == [other]
    assert async_get_application_credential_users(hass, second) == [entry]
    assert entry.runtime_data.implementation.client_id == "b"
    await hass.data[application_credentials.DATA_COMPONENT].async_delete_item("own_b")
    assert async_get_application_credential_users(hass, first) == [other, entry]
    assert async_get_application_credential_users(hass, second) == []

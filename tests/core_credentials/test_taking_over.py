"""Tests of taking over application credentials."""

import asyncio
from typing import Any
from unittest.mock import patch

from homeassistant.components import application_credentials
from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryDisabler,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import async_get_implementations
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.core_credentials import taking_over
from custom_components.developer_credentials.credentials.store import async_get_or_create_entry
from tests.common import (
    OFFLINE_PLATFORM,
    SENTINEL,
    add_credential,
    entry_of,
    stored,
)
from tests.conftest import Install
from tests.core_credentials.peer import (
    CONFIG_FLOW,
    INIT,
    SERVER,
    begin_editing,
)

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host")


async def _submit(
    hass: HomeAssistant, step: ConfigFlowResult, values: dict[str, Any]
) -> ConfigFlowResult:
    result = await hass.config_entries.flow.async_configure(step["flow_id"], values)
    await hass.async_block_till_done()
    return result


def _items(hass: HomeAssistant) -> list[dict[str, str]]:
    return hass.data[application_credentials.DATA_COMPONENT].async_items()


@pytest.mark.parametrize("imported", [False, True], ids=["entered", "imported"])
async def test_taken_over(
    hass: HomeAssistant, install: Install, hass_storage: dict[str, Any], imported: bool
) -> None:
    """An integration that moves to our platform finds its users' credentials, keys and all."""
    hass_storage["application_credentials"] = {
        "version": 1,
        "data": {
            "items": [
                {
                    "id": "acme_id",
                    "domain": "acme",
                    "client_id": "id",
                    "client_secret": "secret",
                    "name": "My app",
                }
                | ({"auth_domain": "acme"} if imported else {}),
                {"id": "b_id", "domain": "b", "client_id": "id", "client_secret": "secret"},
            ]
        },
    }
    assert await async_setup_component(hass, "application_credentials", {})
    install(
        "acme", OFFLINE_PLATFORM, __init__=INIT, config_flow=CONFIG_FLOW.replace("peer", "acme")
    )
    key = "acme" if imported else "acme_id"
    entry = MockConfigEntry(domain="acme", data={"auth_implementation": key})
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    (credential,) = stored(hass)
    assert credential == {
        "domain": "acme",
        "auth_domain": key,
        "client_id": "id",
        "client_secret": "secret",
        "name": "My app",
        "redirect_uri": "default",
        "token_endpoint_auth_method": None,
    }
    # Whoever goes back to an older version of the integration finds it there.
    assert len(_items(hass)) == 2

    # What is left there is in force no more, and not offered.
    step = await begin_editing(hass)
    assert step["data_schema"] is not None
    (selector,) = step["data_schema"].schema.values()
    assert selector.config["options"] == [{"value": "b_id", "label": "b: id"}]

    # It is taken over once, also after a restart: what the user deletes stays deleted.
    (subentry_id,) = entry_of(hass).subentries
    hass.config_entries.async_remove_subentry(entry_of(hass), subentry_id)
    del hass.data["developer_credentials_taken_over"]
    assert await async_get_implementations(hass, "acme") == {}
    assert stored(hass) == []


async def _moved(hass: HomeAssistant, install: Install, domain: str = "acme", **files: str) -> None:
    """Have an application credential for an integration that has our platform."""
    assert await async_setup_component(hass, "application_credentials", {})
    install(domain, OFFLINE_PLATFORM, **files)
    hass.data[application_credentials.DATA_COMPONENT].data[f"{domain}_id"] = {
        "id": f"{domain}_id",
        "domain": domain,
        "client_id": "id",
        "client_secret": SENTINEL,
    }


async def test_taken_over_when_it_is_there(hass: HomeAssistant, install: Install) -> None:
    """Where application credentials are loaded late, they are taken over then."""
    install("acme", OFFLINE_PLATFORM)
    assert await async_get_implementations(hass, "acme") == {}
    assert await async_setup_component(hass, "application_credentials", {})
    item = {"id": "acme_id", "domain": "acme", "client_id": "id", "client_secret": SENTINEL}
    hass.data[application_credentials.DATA_COMPONENT].data["acme_id"] = item

    async def slow(hass: HomeAssistant) -> ConfigEntry:
        await asyncio.sleep(0.01)
        return await async_get_or_create_entry(hass)

    with patch.object(taking_over, "async_get_or_create_entry", slow):
        found = await asyncio.gather(*(async_get_implementations(hass, "acme") for _ in range(3)))
    assert [list(one) for one in found] == [["acme_id"]] * 3
    # Whoever asks at the same time, each is remembered once.
    assert entry_of(hass).data == {"taken_over": ["acme_id"]}


async def test_each_integration_is_remembered(hass: HomeAssistant, install: Install) -> None:
    """What was taken over of one integration is still known when another one is looked at."""
    await _moved(hass, install)
    install("other", OFFLINE_PLATFORM)
    items = hass.data[application_credentials.DATA_COMPONENT].data
    items["other_id"] = {**items["acme_id"], "id": "other_id", "domain": "other"}
    for domain in ("acme", "other"):
        assert list(await async_get_implementations(hass, domain)) == [f"{domain}_id"]
    assert entry_of(hass).data == {"taken_over": ["acme_id", "other_id"]}


async def test_not_taken_over_while_both_platforms_are_there(
    hass: HomeAssistant, install: Install
) -> None:
    """An integration that has both platforms has not moved."""
    await _moved(
        hass, install, application_credentials=SERVER.replace("{url}", "https://a.example")
    )
    assert list(await async_get_implementations(hass, "acme")) == ["acme_id"]
    assert hass.config_entries.async_entries(DOMAIN) == []


@pytest.mark.parametrize("domain", ["fitbit", "sun"])
async def test_not_taken_over_from_a_built_in(
    hass: HomeAssistant, install: Install, domain: str
) -> None:
    """An integration in the place of a built-in one is not given what was entered for that."""
    await _moved(hass, install, domain)
    assert await async_get_implementations(hass, domain) == {}
    assert hass.config_entries.async_entries(DOMAIN) == []


async def test_not_taken_over_while_disabled(hass: HomeAssistant, install: Install) -> None:
    """A disabled entry takes nothing; it does when it is enabled."""
    await _moved(hass, install)
    await add_credential(hass, "demo_cloud")
    entry_id = entry_of(hass).entry_id
    await hass.config_entries.async_set_disabled_by(entry_id, ConfigEntryDisabler.USER)
    assert await async_get_implementations(hass, "acme") == {}
    await hass.config_entries.async_set_disabled_by(entry_id, None)
    assert list(await async_get_implementations(hass, "acme")) == ["acme_id"]


@pytest.mark.parametrize("client_id", ["id", "i-d"])
async def test_not_taken_over_beside_the_same(
    hass: HomeAssistant, install: Install, client_id: str
) -> None:
    """Where the user has entered the client, or another has its key, nothing is doubled."""
    await _moved(hass, install)
    if client_id == "id":
        await add_credential(hass, "acme", "id", name="Entered")
    else:
        await add_credential(hass, "acme", "id")
        subentry = next(iter(entry_of(hass).subentries.values()))
        data = {**subentry.data, "client_id": client_id}
        hass.config_entries.async_update_subentry(entry_of(hass), subentry, data=data)
    before = stored(hass)
    assert list(await async_get_implementations(hass, "acme")) == ["acme_id"]
    assert stored(hass) == before


@pytest.mark.parametrize("damaged", [3, None, {"acme_id": True}, "acme_id"])
async def test_damaged_note(hass: HomeAssistant, install: Install, damaged: object) -> None:
    """Where the note of what was taken over is damaged, it begins anew."""
    await _moved(hass, install)
    await add_credential(hass, "demo_cloud")
    hass.config_entries.async_update_entry(entry_of(hass), data={"taken_over": damaged})
    assert list(await async_get_implementations(hass, "acme")) == ["acme_id"]
    assert entry_of(hass).data == {"taken_over": ["acme_id"]}

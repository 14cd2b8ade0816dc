"""Tests of the collection of application credentials: what is not as it is known is left alone."""

from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from homeassistant.components import application_credentials
from homeassistant.config_entries import (
    SOURCE_USER,
)
from homeassistant.const import EVENT_COMPONENT_LOADED
from homeassistant.core import HomeAssistant
from homeassistant.helpers.collection import CollectionChange
from homeassistant.setup import async_setup_component
import pytest

from custom_components.developer_credentials.const import DOMAIN, PEER
from custom_components.developer_credentials.core_credentials.collection import (
    ApplicationCredential,
    async_get_application_credentials,
    async_is_free,
    async_listen,
    async_replace_application_credential,
)
from custom_components.developer_credentials.credentials.store import async_get_or_create_entry
from custom_components.developer_credentials.oauth2.client import DeveloperCredential
from tests.common import (
    SENTINEL,
)
from tests.core_credentials.peer import add_application_credential

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host")


ODD: dict[str, Any] = {
    "no collection": None,
    "another kind": SimpleNamespace(data={"peer_id": {}}),
}


@pytest.mark.parametrize("collection", ODD.values(), ids=list(ODD))
@pytest.mark.usefixtures("peer")
async def test_private_api_is_another(hass: HomeAssistant, collection: Any) -> None:  # noqa: ANN401
    """Where Home Assistant keeps them in another way, nothing is offered, and all else works."""
    await add_application_credential(hass)
    hass.data[application_credentials.DATA_COMPONENT] = collection
    assert async_get_application_credentials(hass) == {}
    await async_get_or_create_entry(hass)
    step = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert step["step_id"] == "integration"


@pytest.mark.usefixtures("peer")
async def test_no_way_to_save(hass: HomeAssistant) -> None:
    """Where an item could not be saved, none is offered."""
    await add_application_credential(hass)
    collection = type(hass.data[application_credentials.DATA_COMPONENT])
    base = collection.__mro__[2]
    with patch.object(base, "_async_schedule_save", new=None, create=True):
        delattr(base, "_async_schedule_save")
        assert async_get_application_credentials(hass) == {}
    assert len(async_get_application_credentials(hass)) == 1


@pytest.mark.parametrize(
    "item",
    [
        None,
        {},
        {"id": "odd", "domain": "peer", "client_id": " ", "client_secret": ""},
        {"id": 1, "domain": "peer", "client_id": "odd", "client_secret": ""},
        {"id": "odd", "domain": None, "client_id": "odd", "client_secret": ""},
        {"id": "odd", "domain": ["peer"], "client_id": "odd", "client_secret": ""},
        {"id": "odd", "domain": "", "client_id": "odd", "client_secret": ""},
        {
            "id": "odd",
            "domain": "peer",
            "client_id": "odd",
            "client_secret": "",
            "auth_domain": None,
        },
        {
            "id": "odd",
            "domain": "peer",
            "client_id": "odd",
            "client_secret": "",
            "auth_domain": [],
        },
    ],
)
@pytest.mark.usefixtures("peer")
async def test_odd_item(hass: HomeAssistant, item: Any) -> None:  # noqa: ANN401
    """An item that cannot be read is left out; the others are there."""
    await add_application_credential(hass)
    hass.data[application_credentials.DATA_COMPONENT].data["odd"] = item
    (found,) = async_get_application_credentials(hass).values()
    assert found.item_id == "peer_id"
    assert SENTINEL not in repr(found)
    assert isinstance(found, ApplicationCredential)


async def test_listener(hass: HomeAssistant, peer: None) -> None:
    """Each change is heard, until that is ended."""
    heard: list[tuple[str, str]] = []
    end = async_listen(hass, lambda change: heard.append((change.change_type, change.item_id)))
    await add_application_credential(hass)
    collection = hass.data[application_credentials.DATA_COMPONENT]
    await collection.async_delete_item("peer_id")
    end()
    await add_application_credential(hass)
    assert heard == [("added", "peer_id"), ("removed", "peer_id")]


async def test_listener_is_ended_before_there_is_a_collection(hass: HomeAssistant) -> None:
    """A listener that was ended hears nothing of a collection that comes later."""
    heard: list[object] = []
    async_listen(hass, heard.append)()
    assert await async_setup_component(hass, "application_credentials", {})
    await hass.async_block_till_done()
    collection = hass.data[application_credentials.DATA_COMPONENT]
    await collection.notify_changes([CollectionChange("added", "peer_id", {})])
    assert heard == []


@pytest.mark.usefixtures("peer")
async def test_listener_that_fails(hass: HomeAssistant, caplog: pytest.LogCaptureFixture) -> None:
    """Who adds an item does not notice a listener of ours that fails; no secret is logged."""

    def fail(change: CollectionChange) -> None:
        raise RuntimeError(str(change))

    async_listen(hass, fail)
    await add_application_credential(hass)
    assert "was missed: RuntimeError" in caplog.text


@pytest.mark.usefixtures("peer")
async def test_odd_item_is_not_replaced(hass: HomeAssistant) -> None:
    """An item that cannot be read stays as it is."""
    items = hass.data[application_credentials.DATA_COMPONENT].data
    items["odd"] = {"id": "odd"}
    new = DeveloperCredential("id", SENTINEL)
    assert await async_replace_application_credential(hass, "odd", new) is None
    assert items["odd"] == {"id": "odd"}


@pytest.mark.usefixtures("peer")
async def test_no_ids(hass: HomeAssistant) -> None:
    """Where ids are managed in another way, none is offered: it could not be restored."""
    await add_application_credential(hass)
    del hass.data[application_credentials.DATA_COMPONENT].id_manager
    assert async_get_application_credentials(hass) == {}
    assert not async_is_free(hass, "another")


@pytest.mark.usefixtures("peer")
async def test_heard_once(hass: HomeAssistant) -> None:
    """Who listens when it is there, and not yet said to be loaded, hears once; and then no more."""
    heard: list[CollectionChange] = []
    end = async_listen(hass, heard.append)
    hass.bus.async_fire(EVENT_COMPONENT_LOADED, {"component": PEER})
    await hass.async_block_till_done()
    await add_application_credential(hass)
    assert len(heard) == 1
    end()
    await hass.data[application_credentials.DATA_COMPONENT].async_delete_item("peer_id")
    assert len(heard) == 1

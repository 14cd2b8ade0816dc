"""Tests of what subscribers of the WebSocket API are told, and what that costs."""

from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import Mock, patch

from homeassistant.auth.const import GROUP_ID_ADMIN, GROUP_ID_READ_ONLY
from homeassistant.auth.models import User
from homeassistant.config_entries import SOURCE_IGNORE, SOURCE_USER
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import (
    MockHAClientWebSocket,
    WebSocketGenerator,
)

from custom_components.developer_credentials import websocket_subscription
from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.credentials import store
from custom_components.developer_credentials.websocket_commands import item_of
from tests.common import CONFIG_FLOW, OFFLINE_PLATFORM, SENTINEL, add_credential
from tests.conftest import Install

pytestmark = pytest.mark.usefixtures("setup")

INIT = """
async def async_setup_entry(hass, entry):
    return True

async def async_unload_entry(hass, entry):
    return True
"""


@pytest.fixture(autouse=True)
def clouds(install: Install) -> None:
    """Install integrations whose entries are reloaded."""
    for domain in ("acme", "other"):
        flow = CONFIG_FLOW.replace("acme", domain)
        install(domain, OFFLINE_PLATFORM, __init__=INIT, config_flow=flow)


@pytest.fixture
def built(hass: HomeAssistant) -> Iterator[Mock]:
    """Count what is put together of credentials, for all who subscribe."""
    with patch.object(websocket_subscription, "item_of", side_effect=item_of) as built:
        yield built


async def _subscribe(client: MockHAClientWebSocket) -> list[dict[str, Any]]:
    """Subscribe, and return what is told at first."""
    await client.send_json_auto_id({"type": "developer_credentials/subscribe"})
    assert (await client.receive_json())["success"]
    first: list[dict[str, Any]] = (await client.receive_json())["event"]
    return first


async def _told(client: MockHAClientWebSocket) -> list[tuple[str, str, int]]:
    """Return what was told before the answer to a ping."""
    await client.send_json_auto_id({"type": "ping"})
    told: list[tuple[str, str, int]] = []
    while (message := await client.receive_json())["type"] != "pong":
        assert SENTINEL not in str(message)
        told += [
            (one["change_type"], one["item"]["client_id"], len(one["item"]["entries"]))
            for one in message["event"]
        ]
    return told


async def _account(
    hass: HomeAssistant, auth_domain: object, domain: str = "acme"
) -> MockConfigEntry:
    entry = MockConfigEntry(domain=domain, data={"auth_implementation": auth_domain})
    await hass.config_entries.async_add(entry)
    return entry


async def test_changes_of_others_cost_nothing(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, built: Mock
) -> None:
    """Where nothing of the credentials has changed, nothing is put together, and nothing looked up.

    Reloads, tokens that are stored, titles: of entries that use one, of those of other
    integrations, of our own one, and of ignored cards of ours.
    """
    for number in range(20):
        await add_credential(hass, "acme", f"id-{number}")
    clients = [await hass_ws_client() for _ in range(3)]
    entries = [
        await _account(hass, "acme_id_1"),
        await _account(hass, "gone"),
        await _account(hass, "acme_id_1", "other"),
        await _account(hass, ["no text"]),
    ]
    card = MockConfigEntry(domain=DOMAIN, source=SOURCE_IGNORE, unique_id="acme")
    await hass.config_entries.async_add(card)
    (ours,) = hass.config_entries.async_entries(DOMAIN, include_ignore=False)
    for client in clients:
        assert len(await _subscribe(client)) == 20
    built.reset_mock()
    with patch.object(store, "async_get_users_of", wraps=store.async_get_users_of) as users_of:
        for number in range(3):
            for entry in (*entries, ours):
                await hass.config_entries.async_reload(entry.entry_id)
            for one in (*entries, card):
                hass.config_entries.async_update_entry(one, title=f"Title {number}")
                hass.config_entries.async_update_entry(one, data={**one.data, "token": number})
        assert users_of.call_count == 0
    assert built.call_count == 0
    for client in clients:
        assert await _told(client) == []


async def test_a_change_costs_itself(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, built: Mock
) -> None:
    """Of many credentials, what has changed is put together, once for each who subscribes."""
    subentries = [await add_credential(hass, "acme", f"id-{number}") for number in range(20)]
    (ours,) = hass.config_entries.async_entries(DOMAIN)
    client = await hass_ws_client()
    await _subscribe(client)

    def changes(change: Callable[[], object]) -> int:
        built.reset_mock()
        change()
        return built.call_count

    update = hass.config_entries.async_update_subentry
    data = {**subentries[3].data, "client_secret": f"{SENTINEL}-new"}
    assert changes(lambda: update(ours, subentries[3], data=data)) == 1
    assert changes(lambda: update(ours, subentries[3], unique_id="another")) == 0
    assert await _told(client) == [("updated", "id-3", 0)]
    built.reset_mock()
    entry = await _account(hass, "acme_id_1")
    assert built.call_count == 1
    moved = {"auth_implementation": "acme_id_2"}
    assert changes(lambda: hass.config_entries.async_update_entry(entry, data=moved)) == 2
    await hass.config_entries.async_remove(entry.entry_id)
    assert await _told(client) == [
        ("updated", "id-1", 1),
        ("updated", "id-1", 0),
        ("updated", "id-2", 1),
        ("updated", "id-2", 0),
    ]
    # One that the entries have named before it was there.
    await _account(hass, "acme_late")
    built.reset_mock()
    late = await add_credential(hass, "acme", "late")
    assert built.call_count == 1
    hass.config_entries.async_remove_subentry(ours, late.subentry_id)
    assert await _told(client) == [("added", "late", 1), ("removed", "late", 1)]


async def test_another_entry_of_ours(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """What becomes of an ignored card, or of a second entry of ours, is told to nobody."""
    subentry = await add_credential(hass, "acme")
    client = await hass_ws_client()
    for source in (SOURCE_IGNORE, SOURCE_USER):
        other = MockConfigEntry(
            domain=DOMAIN,
            source=source,
            subentries_data=[
                {
                    "data": {**subentry.data, "auth_domain": "second"},
                    "subentry_type": "credential",
                    "title": "Second",
                    "unique_id": None,
                }
            ],
        )
        await hass.config_entries.async_add(other)
    assert [one["item"]["client_id"] for one in await _subscribe(client)] == ["client-id"]
    hass.config_entries.async_update_entry(other, title="Another")
    await hass.config_entries.async_remove(other.entry_id)
    assert await _told(client) == []
    delete = {"developer_credentials_id": subentry.subentry_id}
    await hass.config_entries.async_add(other)
    await client.send_json_auto_id({"type": "developer_credentials/delete", **delete})
    messages = [await client.receive_json() for _ in range(2)]
    assert {message["type"] for message in messages} == {"event", "result"}
    assert all(message.get("success", True) for message in messages)


@pytest.mark.parametrize("becomes", ["no admin", "inactive"])
async def test_ends_with_the_rights_of_its_user(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_admin_user: User,
    built: Mock,
    becomes: str,
) -> None:
    """Who is no admin any more, or was deactivated, is told nothing more, also not later."""
    client = await hass_ws_client()
    await _subscribe(client)
    if becomes == "no admin":
        await hass.auth.async_update_user(hass_admin_user, group_ids=[GROUP_ID_READ_ONLY])
    else:
        # As versions of Home Assistant do it that leave the connection open.
        hass_admin_user.is_active = False
    await add_credential(hass, "acme")
    assert built.call_count == 0
    await hass.auth.async_update_user(hass_admin_user, group_ids=[GROUP_ID_ADMIN], is_active=True)
    await add_credential(hass, "acme", "later")
    assert built.call_count == 0
    assert await _told(client) == []

"""Tests of application credentials that were deleted while they are used."""

import asyncio
from typing import Any

from homeassistant.components import application_credentials
from homeassistant.components.application_credentials import (
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, flush_store
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.core_credentials.options import (
    CONF_LOOK_AFTER,
    CONF_VERIFY,
)
from custom_components.developer_credentials.credentials.orphaned_entries import issue_id_of
from custom_components.developer_credentials.credentials.store import async_get_or_create_entry
from custom_components.developer_credentials.watching import deletion
from demo.authorization_server import DemoAuthorizationServer
from tests.common import (
    PLATFORM,
    REDIRECT_URI,
    SENTINEL,
    add_credential,
    begin_repair,
    continue_repair,
    entry_of,
    issue_ids,
)
from tests.conftest import Install
from tests.core_credentials.peer import CONFIG_FLOW, INIT, NEW, add_application_credential

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host", "peer", "watched")

# The first entry of a test, after which its issue is called.
ENTRY_ID = "01KFIRSTENTRY"
ISSUE = issue_id_of(ENTRY_ID)
KEY = "peer", "peer"


ITSELF = """
from homeassistant.helpers.config_entry_oauth2_flow import LocalOAuth2Implementation

async def async_get_auth_implementation(hass, auth_domain, credential):
    return LocalOAuth2Implementation(
        hass, "itself", credential.client_id, credential.client_secret,
        "http://127.0.0.1:9/authorize", "http://127.0.0.1:9/token",
    )
"""


SLOW = """
from homeassistant.components.application_credentials import AuthorizationServer

async def async_get_authorization_server(hass):
    await hass.data["slow"].wait()
    return AuthorizationServer("http://127.0.0.1:9/authorize", "http://127.0.0.1:9/token")
"""


@pytest.fixture
async def watched(hass: HomeAssistant, setup: None, peer: None) -> None:
    """Have application credentials looked after."""
    await async_get_or_create_entry(hass)
    await hass.async_block_till_done()


async def _entry(hass: HomeAssistant, title: str, auth_domain: str = "peer") -> MockConfigEntry:
    entry = MockConfigEntry(
        domain="peer",
        title=title,
        data={"auth_implementation": auth_domain},
        entry_id=None if hass.config_entries.async_get_entry(ENTRY_ID) else ENTRY_ID,
    )
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


def _items(hass: HomeAssistant) -> list[dict[str, str]]:
    return hass.data[application_credentials.DATA_COMPONENT].async_items()


async def _delete(hass: HomeAssistant, item_id: str = "peer_id") -> None:
    """Delete an item, as Home Assistant's own page does."""
    await hass.data[application_credentials.DATA_COMPONENT].async_delete_item(item_id)
    await hass.async_block_till_done()


def _reauths(hass: HomeAssistant) -> list[str]:
    return [
        flow["context"]["entry_id"]
        for flow in hass.config_entries.flow.async_progress_by_handler("peer")
        if flow["context"]["source"] == SOURCE_REAUTH
    ]


async def test_deleted_and_restored(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, hass_storage: dict[str, Any]
) -> None:
    """What is deleted while it is used is told at once, and restored as it was, under its id."""
    await add_application_credential(hass, imported=True)
    entries = [await _entry(hass, "First*"), await _entry(hass, "Second")]
    other = await _entry(hass, "Other", "other")
    (before,) = _items(hass)
    await _delete(hass)
    issue = ir.async_get(hass).async_get_issue(DOMAIN, ISSUE)
    assert issue is not None
    # The issue is for everybody, the texts of its repair are for admins.
    assert issue.translation_key == "application_credential_deleted"
    assert issue.translation_placeholders == {"credential": "Peer"}
    assert issue.data == {"entry_id": ENTRY_ID}
    # What is loaded is not touched; what is loaded again finds no credential, and asks for a login.
    assert entries[0].state is ConfigEntryState.LOADED
    await hass.config_entries.async_reload(entries[1].entry_id)
    await hass.async_block_till_done()
    assert entries[1].state is ConfigEntryState.SETUP_ERROR
    entries[0].async_start_reauth(hass)
    await hass.async_block_till_done()
    # It is told once.
    assert set(issue_ids(hass)) == {ISSUE, issue_id_of(other.entry_id)}
    store = hass.data[application_credentials.DATA_COMPONENT].store
    await flush_store(store)

    step = await begin_repair(hass_client, ISSUE)
    assert (step["type"], step["menu_options"]) == ("menu", ["restore"])
    assert step["description_placeholders"] == {
        "credential": "Peer",
        "entries": r"First\*, Second",
        "integration": "Peer",
        "name": "Peer",
    }
    assert SENTINEL not in f"{step} {issue}"
    step = await continue_repair(hass, hass_client, step, {"next_step_id": "restore"})
    assert step["type"] == "create_entry"
    assert _items(hass) == [before]
    assert ISSUE not in issue_ids(hass)
    assert [entry.state for entry in entries] == [ConfigEntryState.LOADED] * 2
    assert set(_reauths(hass)).isdisjoint(entry.entry_id for entry in entries)
    assert not deletion.async_is_restorable(hass, KEY)
    await flush_store(store)
    assert hass_storage["application_credentials"]["data"] == {"items": [before]}


async def test_restored_without_a_reload(hass: HomeAssistant) -> None:
    """An entry that is loaded goes on with what it has."""
    await add_application_credential(hass, imported=True)
    entry = await _entry(hass, "Account")
    runtime_data = entry.runtime_data
    await _delete(hass)
    assert await deletion.async_restore(hass, KEY)
    await hass.async_block_till_done()
    assert entry.runtime_data is runtime_data
    assert issue_ids(hass) == []


async def test_restored_for_those_that_wait(hass: HomeAssistant) -> None:
    """An entry that tries again is loaded at once."""
    await add_application_credential(hass, imported=True)
    hass.data["peer_fails"] = ConfigEntryNotReady()
    entry = await _entry(hass, "Account")
    await _delete(hass)
    hass.data["peer_fails"] = None
    assert await deletion.async_restore(hass, KEY)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED


async def test_deleted_twice(hass: HomeAssistant) -> None:
    """What was restored and is deleted again is told again; it is restored as it was last."""
    await add_application_credential(hass, imported=True)
    await _entry(hass, "Account")
    for name in ("First", "Second"):
        hass.data[application_credentials.DATA_COMPONENT].data["peer_id"]["name"] = name
        await _delete(hass)
        assert issue_ids(hass) == [ISSUE]
        assert await deletion.async_restore(hass, KEY)
        await hass.async_block_till_done()
        assert issue_ids(hass) == []
        assert _items(hass)[0]["name"] == name


async def test_not_used(hass: HomeAssistant) -> None:
    """What nobody uses is deleted for good; so is what only disabled entries use, for telling."""
    await add_application_credential(hass, imported=True)
    await _delete(hass)
    assert not deletion.async_is_restorable(hass, KEY)
    await add_application_credential(hass, imported=True)
    entry = await _entry(hass, "Account")
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await _delete(hass)
    assert issue_ids(hass) == []
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await hass.async_block_till_done()
    assert issue_ids(hass) == [ISSUE]


async def test_used_no_more(hass: HomeAssistant) -> None:
    """With the last entry that uses it, the repair goes, and the secret is forgotten."""
    await add_application_credential(hass, imported=True)
    first, second = await _entry(hass, "First"), await _entry(hass, "Second")
    await _delete(hass)
    await hass.config_entries.async_remove(first.entry_id)
    await hass.async_block_till_done()
    assert issue_ids(hass) == [issue_id_of(second.entry_id)]
    await hass.config_entries.async_remove(second.entry_id)
    await hass.async_block_till_done()
    assert issue_ids(hass) == []
    await _entry(hass, "New")
    assert not deletion.async_is_restorable(hass, KEY)
    assert not await deletion.async_restore(hass, KEY)


async def test_entered_again(hass: HomeAssistant) -> None:
    """What was entered again as it was is not told any more."""
    await add_application_credential(hass, imported=True)
    await _entry(hass, "Account")
    await _delete(hass)
    await async_import_client_credential(hass, "peer", ClientCredential("new", NEW))
    await hass.async_block_till_done()
    assert issue_ids(hass) == []
    assert not deletion.async_is_restorable(hass, KEY)


async def test_entered_again_under_another_name(
    hass: HomeAssistant, hass_client: ClientSessionGenerator
) -> None:
    """Entered in Home Assistant's dialog, an imported one is not what entries name: they move."""
    await add_application_credential(hass, imported=True)
    entry = await _entry(hass, "Account")
    await _delete(hass)
    stale = await begin_repair(hass_client, ISSUE)
    await add_application_credential(hass, name="Again")
    await hass.async_block_till_done()
    assert issue_ids(hass) == [ISSUE]
    await hass.config_entries.async_reload(entry.entry_id)
    # The old id is taken; nothing is put in the place of what is there.
    result = await continue_repair(hass, hass_client, stale, {"next_step_id": "restore"})
    assert (result["type"], result["reason"]) == ("abort", "already_repaired")
    assert _items(hass)[0]["name"] == "Again"
    step = await begin_repair(hass_client, ISSUE)
    assert step["menu_options"] == ["move"]
    step = await continue_repair(hass, hass_client, step, {"next_step_id": "move"})
    result = await continue_repair(hass, hass_client, step, {"auth_domain": "peer_id"})
    assert result["type"] == "create_entry"
    assert entry.data["auth_implementation"] == "peer_id"
    assert entry.state is ConfigEntryState.LOADED
    assert issue_ids(hass) == []
    assert not deletion.async_is_restorable(hass, KEY)


async def test_of_integrations_that_name_themselves(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, install: Install
) -> None:
    """Some call their implementation by their own domain, as SmartThings does."""
    # Then nothing is known of it when it is deleted.
    hass.config_entries.async_update_entry(entry_of(hass), options={CONF_VERIFY: False})
    flow = CONFIG_FLOW.replace("peer", "itself")
    install("itself", application_credentials=ITSELF, __init__=INIT, config_flow=flow)
    await add_application_credential(hass, "itself")
    entry = MockConfigEntry(
        domain="itself", title="Account", data={"auth_implementation": "itself"}, entry_id=ENTRY_ID
    )
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    await _delete(hass, "itself_id")
    assert issue_ids(hass) == [ISSUE]
    assert not await hass.config_entries.async_reload(entry.entry_id)
    step = await begin_repair(hass_client, ISSUE)
    step = await continue_repair(hass, hass_client, step, {"next_step_id": "restore"})
    assert step["type"] == "create_entry"
    assert entry.state is ConfigEntryState.LOADED
    assert issue_ids(hass) == []


async def test_another_names_itself_alike(hass: HomeAssistant, install: Install) -> None:
    """Where another one of such an integration remains, its entries have an implementation."""
    install("itself", application_credentials=ITSELF, __init__=INIT)
    for client_id in ("first", "second"):
        item = {"domain": "itself", "client_id": client_id, "client_secret": SENTINEL}
        await hass.data[application_credentials.DATA_COMPONENT].async_create_item(item)
    MockConfigEntry(domain="itself", data={"auth_implementation": "itself"}).add_to_hass(hass)
    await _delete(hass, "itself_second")
    assert issue_ids(hass) == []


async def test_nothing_to_add(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, install: Install
) -> None:
    """Where the integration takes credentials of ours as well, none is asked for."""
    install("both", PLATFORM, application_credentials=PLATFORM)
    await async_import_client_credential(hass, "both", ClientCredential("id", SENTINEL))
    entry = MockConfigEntry(domain="both", data={"auth_implementation": "both"}, entry_id=ENTRY_ID)
    entry.add_to_hass(hass)
    await _delete(hass, "both_id")
    step = await begin_repair(hass_client, ISSUE)
    assert step["menu_options"] == ["restore"]


async def test_somebody_else_provides_it(hass: HomeAssistant, install: Install) -> None:
    """Where a credential of ours has the key that entries name, nothing is missing."""
    install("both", PLATFORM, application_credentials=PLATFORM)
    await async_import_client_credential(hass, "both", ClientCredential("id", SENTINEL))
    subentry = await add_credential(hass, "both", "client-id")
    data = {**subentry.data, "auth_domain": "both"}
    hass.config_entries.async_update_subentry(entry_of(hass), subentry, data=data)
    MockConfigEntry(domain="both", data={"auth_implementation": "both"}).add_to_hass(hass)
    await _delete(hass, "both_id")
    assert issue_ids(hass) == []


async def test_switched_off_meanwhile(hass: HomeAssistant, install: Install) -> None:
    """What is learned of a deleted one after the end is told no more."""
    install("slow", application_credentials=SLOW)
    go_on = hass.data["slow"] = asyncio.Event()
    await add_application_credential(hass, "slow", imported=True)
    MockConfigEntry(domain="slow", data={"auth_implementation": "slow"}).add_to_hass(hass)
    collection = hass.data[application_credentials.DATA_COMPONENT]
    await collection.async_delete_item("slow_id")
    ours = entry_of(hass)
    await hass.config_entries.async_unload(ours.entry_id)
    go_on.set()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert issue_ids(hass) == []
    await hass.config_entries.async_setup(ours.entry_id)
    assert len(issue_ids(hass)) == 1


async def test_collection_is_another(hass: HomeAssistant) -> None:
    """Where the collection is not as it is known, nothing can be restored."""
    await add_application_credential(hass, imported=True)
    await _entry(hass, "Account")
    await _delete(hass)
    del hass.data[application_credentials.DATA_COMPONENT]
    assert not deletion.async_is_restorable(hass, KEY)
    assert not await deletion.async_restore(hass, KEY)


@pytest.mark.parametrize("way", ["unload", "disable", "option"])
async def test_not_looked_after(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, way: str
) -> None:
    """Without our entry, or its leave, nothing is told; what was remembered is there afterwards."""
    await add_application_credential(hass, imported=True)
    await _entry(hass, "Account")
    await _delete(hass)
    step = await begin_repair(hass_client, ISSUE)
    ours = entry_of(hass)
    entries = hass.config_entries
    match way:
        case "unload":
            await entries.async_unload(ours.entry_id)
        case "disable":
            await entries.async_set_disabled_by(ours.entry_id, ConfigEntryDisabler.USER)
        case "option":
            entries.async_update_entry(ours, options={CONF_LOOK_AFTER: False})
            await entries.async_reload(ours.entry_id)
    await hass.async_block_till_done()
    assert issue_ids(hass) == []
    if way != "unload":
        result = await continue_repair(hass, hass_client, step, {"next_step_id": "restore"})
        assert result["reason"] == "already_repaired"
        assert _items(hass) == []
    match way:
        case "unload":
            await entries.async_setup(ours.entry_id)
        case "disable":
            await entries.async_set_disabled_by(ours.entry_id, None)
        case "option":
            entries.async_update_entry(ours, options={})
            await entries.async_reload(ours.entry_id)
    await hass.async_block_till_done()
    assert issue_ids(hass) == [ISSUE]
    assert await deletion.async_restore(hass, KEY)


async def test_nothing_is_heard(hass: HomeAssistant, demo_cloud: DemoAuthorizationServer) -> None:
    """While our entry is not set up, nothing that happens is remembered or told."""
    for client_id in ("first", "second", "third"):
        demo_cloud.add_client(client_id, client_secret=SENTINEL, redirect_uris=(REDIRECT_URI,))
        credential = ClientCredential(client_id, SENTINEL)
        await async_import_client_credential(hass, "peer", credential, client_id)
    entries = [await _entry(hass, one, one) for one in ("first", "second", "third")]
    await _delete(hass, "peer_first")
    await _delete(hass, "peer_second")
    assert len([one for one in issue_ids(hass) if one.startswith("entries_orphaned")]) == 2
    await hass.config_entries.async_unload(entry_of(hass).entry_id)
    await hass.async_block_till_done()
    await _delete(hass, "peer_third")
    await hass.config_entries.async_remove(entries[0].entry_id)
    await hass.async_block_till_done()
    assert issue_ids(hass) == []
    await hass.config_entries.async_setup(entry_of(hass).entry_id)
    await hass.async_block_till_done()
    assert issue_ids(hass) == [issue_id_of(entries[1].entry_id)]
    assert not deletion.async_is_restorable(hass, ("peer", "third"))


async def test_nothing_deleted(hass: HomeAssistant) -> None:
    """What has failed at the start is judged when Home Assistant has started, not before."""
    await hass.config_entries.async_unload(entry_of(hass).entry_id)
    await _entry(hass, "Account", "gone")
    await hass.config_entries.async_setup(entry_of(hass).entry_id)
    await add_application_credential(hass)
    await hass.async_block_till_done()
    assert issue_ids(hass) == []


async def test_left_to_the_orphans(hass: HomeAssistant) -> None:
    """An entry that has failed for it is told as any other, once we do not look after it."""
    await add_application_credential(hass, imported=True)
    entry = await _entry(hass, "Account")
    await _delete(hass)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.config_entries.async_unload(entry_of(hass).entry_id)
    await hass.async_block_till_done()
    issue = ir.async_get(hass).async_get_issue(DOMAIN, ISSUE)
    assert issue is not None
    assert issue.translation_key == "entries_orphaned"


async def test_forgotten_with_our_entry(hass: HomeAssistant) -> None:
    """With our entry, what was deleted is forgotten, with its secret."""
    await add_application_credential(hass, imported=True)
    await _entry(hass, "Account")
    await _delete(hass)
    await hass.config_entries.async_remove(entry_of(hass).entry_id)
    await hass.async_block_till_done()
    assert issue_ids(hass) == []
    assert not any(isinstance(one, deletion._Memory) for one in hass.data.values())  # noqa: SLF001
    await async_get_or_create_entry(hass)
    await hass.async_block_till_done()
    assert not deletion.async_is_restorable(hass, KEY)


async def test_looked_after_before_the_peer(hass: HomeAssistant, install: Install) -> None:
    """It does not matter that `application_credentials` is set up after us."""
    await hass.config_entries.async_unload(entry_of(hass).entry_id)
    hass.config.components.remove("application_credentials")
    del hass.data[application_credentials.DATA_COMPONENT]
    await hass.config_entries.async_setup(entry_of(hass).entry_id)
    assert await async_setup_component(hass, "application_credentials", {})
    await hass.async_block_till_done()
    await add_application_credential(hass, imported=True)
    await _entry(hass, "Account")
    await _delete(hass)
    assert issue_ids(hass) == [ISSUE]

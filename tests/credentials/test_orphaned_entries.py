"""Tests of entries whose credential is gone: found, told, and given a credential again."""

import asyncio
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.config_entry_oauth2_flow import (
    ImplementationUnavailableError,
    LocalOAuth2Implementation,
    async_register_implementation,
)
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.developer_credentials import AuthorizationServer, DeveloperCredential
from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.credentials.orphaned_entries import async_relink
from custom_components.developer_credentials.credentials.store import (
    async_find_subentry,
    issue_id_of,
)
from custom_components.developer_credentials.credentials.yaml_list import YamlItem, YamlList
from tests.common import (
    CONFIG_FLOW,
    OFFLINE_PLATFORM,
    SENTINEL,
    add_credential,
    begin_repair,
    continue_repair,
    entry_of,
    issue_ids,
    stored,
)
from tests.conftest import Install

INIT = """
from homeassistant.helpers.config_entry_oauth2_flow import async_get_config_entry_implementation

async def async_setup_entry(hass, entry):
    entry.runtime_data = await async_get_config_entry_implementation(hass, entry)
    return True

async def async_unload_entry(hass, entry):
    return True
"""

UNAVAILABLE_PLATFORM = """
from homeassistant.helpers.config_entry_oauth2_flow import ImplementationUnavailableError

async def async_get_authorization_server(hass):
    raise ImplementationUnavailableError
"""

ISSUE = issue_id_of("orphaned", ("acme", "acme_client_id"))

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host")


@pytest.fixture(autouse=True)
def acme(install: Install) -> None:
    """Install an integration whose entries need their credential."""
    install("acme", OFFLINE_PLATFORM, __init__=INIT, config_flow=CONFIG_FLOW)


async def _entry(
    hass: HomeAssistant, title: str, auth_domain: str = "acme_client_id", domain: str = "acme"
) -> MockConfigEntry:
    """Add an entry, and try to set it up."""
    entry = MockConfigEntry(
        domain=domain, title=title, data={"auth_implementation": auth_domain, "token": {}}
    )
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


async def _delete(hass: HomeAssistant, client_id: str = "client-id") -> None:
    subentry = async_find_subentry(hass, "acme", client_id)
    assert subentry is not None
    hass.config_entries.async_remove_subentry(entry_of(hass), subentry.subentry_id)
    await hass.async_block_till_done()


def _reauths(hass: HomeAssistant) -> set[str]:
    """Return the entries whose user is asked to log in again."""
    return {
        flow["context"]["entry_id"]
        for flow in hass.config_entries.flow.async_progress_by_handler("acme")
        if flow["context"]["source"] == SOURCE_REAUTH
    }


async def test_deleted_and_restored(
    hass: HomeAssistant, hass_client: ClientSessionGenerator
) -> None:
    """Deleting a credential in use is told, with the entries, and can be taken back."""
    await add_credential(hass, "acme", name="My app")
    entries = [await _entry(hass, "First*"), await _entry(hass, "Second")]
    await _entry(hass, "Other", "other")
    before = stored(hass)
    await _delete(hass)
    assert ISSUE in issue_ids(hass)
    issue = ir.async_get(hass).async_get_issue(DOMAIN, ISSUE)
    assert issue is not None
    assert issue.translation_placeholders == {
        "entries": r"First\*, Second",
        "integration": "Acme",
        "name": "Acme",
    }
    assert SENTINEL not in str(issue)
    # What is loaded is not touched; what is loaded again finds no credential.
    assert entries[0].state is ConfigEntryState.LOADED
    await hass.config_entries.async_reload(entries[1].entry_id)
    assert entries[1].state is ConfigEntryState.SETUP_ERROR
    runtime_data = entries[0].runtime_data

    step = await begin_repair(hass_client, ISSUE)
    assert (step["type"], step["menu_options"]) == ("menu", ["restore", "add"])
    step = await continue_repair(hass, hass_client, step, {"next_step_id": "restore"})
    assert step["type"] == "create_entry"
    assert stored(hass) == before
    assert ISSUE not in issue_ids(hass)
    assert [entry.state for entry in entries] == [ConfigEntryState.LOADED] * 2
    assert entries[0].runtime_data is runtime_data
    assert _reauths(hass).isdisjoint(entry.entry_id for entry in entries)


async def test_login_that_is_needed_for_another_reason(
    hass: HomeAssistant, hass_client: ClientSessionGenerator
) -> None:
    """A restored credential has the entry loaded anew, which asks again for what it needs."""
    await add_credential(hass, "acme")
    entry = await _entry(hass, "Account")
    entry.async_start_reauth(hass)
    await hass.async_block_till_done()
    runtime_data = entry.runtime_data
    await _delete(hass)
    step = await begin_repair(hass_client, ISSUE)
    await continue_repair(hass, hass_client, step, {"next_step_id": "restore"})
    assert _reauths(hass) == set()
    assert entry.state is ConfigEntryState.LOADED
    assert entry.runtime_data is not runtime_data


async def test_restored_by_yaml(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> None:
    """What YAML has brought back with the entry is not restored beside it; the entries have it."""
    await add_credential(hass, "acme")
    entry = await _entry(hass, "Account")
    await hass.config_entries.async_remove(entry_of(hass).entry_id)
    await hass.async_block_till_done()
    await hass.config_entries.async_reload(entry.entry_id)
    step = await begin_repair(hass_client, ISSUE)
    item = YamlItem("place", "acme", DeveloperCredential("client-id", SENTINEL), "list", "acme")
    hass.data["developer_credentials_yaml"] = YamlList([item], whole=True)
    step = await continue_repair(hass, hass_client, step, {"next_step_id": "restore"})
    assert step["type"] == "create_entry"
    (credential,) = stored(hass)
    assert credential["auth_domain"] == entry.data["auth_implementation"] == "acme"
    assert entry.state is ConfigEntryState.LOADED
    assert issue_ids(hass) == []


async def test_whole_entry_deleted(
    hass: HomeAssistant, hass_client: ClientSessionGenerator
) -> None:
    """Deleting all credentials at once is told for each that is in use, and can be taken back."""
    await add_credential(hass, "acme")
    await add_credential(hass, "acme", "unused")
    entry = await _entry(hass, "Account")
    await hass.config_entries.async_remove(entry_of(hass).entry_id)
    await hass.async_block_till_done()
    assert issue_ids(hass) == [ISSUE]
    step = await begin_repair(hass_client, ISSUE)
    await continue_repair(hass, hass_client, step, {"next_step_id": "restore"})
    assert [one["client_id"] for one in stored(hass)] == ["client-id"]
    assert issue_ids(hass) == []
    assert await hass.config_entries.async_reload(entry.entry_id)


async def test_deleted_without_use(hass: HomeAssistant) -> None:
    """Deleting a credential that nobody uses is nothing to tell."""
    await add_credential(hass, "acme")
    await _delete(hass)
    assert issue_ids(hass) == []


@pytest.mark.parametrize("loaded", [True, False])
async def test_deleted_while_not_loaded(hass: HomeAssistant, loaded: bool) -> None:
    """It is told as well while the entry of the credentials is not loaded."""
    await add_credential(hass, "acme")
    await _entry(hass, "Account")
    if not loaded:
        await hass.config_entries.async_unload(entry_of(hass).entry_id)
    await _delete(hass)
    assert issue_ids(hass) == [ISSUE]


async def test_entered_again(hass: HomeAssistant) -> None:
    """Entering the same client again repairs it as well."""
    await add_credential(hass, "acme")
    entry = await _entry(hass, "Account")
    await _delete(hass)
    await add_credential(hass, "acme")
    assert issue_ids(hass) == []
    assert await hass.config_entries.async_reload(entry.entry_id)


async def test_last_entry_is_removed(hass: HomeAssistant) -> None:
    """Without an entry that lacks a credential there is nothing to repair."""
    await add_credential(hass, "acme")
    entries = [await _entry(hass, "First"), await _entry(hass, "Second")]
    await _delete(hass)
    await hass.config_entries.async_remove(entries[0].entry_id)
    await hass.async_block_till_done()
    assert issue_ids(hass) == [ISSUE]
    await hass.config_entries.async_remove(entries[1].entry_id)
    await hass.async_block_till_done()
    assert issue_ids(hass) == []


@pytest.mark.parametrize(("deleted", "same_client"), [(True, False), (False, False), (False, True)])
async def test_moved(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    deleted: bool,
    same_client: bool,
) -> None:
    """Entries are moved to another credential; with another client their users log in again.

    After a restart what is left of the client id is the key that was made of it.
    """
    if deleted:
        await add_credential(hass, "acme")
    entry = await _entry(hass, "Account")
    client_id = "client.id" if same_client else "other"
    if same_client:
        # The same client, which has got another key by the one that was there before.
        taken = await add_credential(hass, "acme", "client id")
        await add_credential(hass, "acme", client_id)
        hass.config_entries.async_remove_subentry(entry_of(hass), taken.subentry_id)
        await hass.async_block_till_done()
    else:
        await add_credential(hass, "acme", client_id, name="Other app")
    if deleted:
        await _delete(hass)
    else:
        await _restart(hass)
    assert issue_ids(hass) == [ISSUE]
    step = await begin_repair(hass_client, ISSUE)
    assert step["menu_options"] == ["restore", "move", "add"][0 if deleted else 1 :]
    step = await continue_repair(hass, hass_client, step, {"next_step_id": "move"})
    (options,) = [field["selector"]["select"]["options"] for field in step["data_schema"]]
    auth_domain = "acme_client_id_2" if same_client else "acme_other"
    name = "Acme 2" if same_client else "Other app"
    assert options == [{"value": auth_domain, "label": name}]
    step = await continue_repair(hass, hass_client, step, {"auth_domain": auth_domain})
    assert step["type"] == "create_entry"
    assert entry.data["auth_implementation"] == auth_domain
    assert (entry.entry_id in _reauths(hass)) is not same_client
    if same_client:
        assert entry.state is ConfigEntryState.LOADED
    assert issue_ids(hass) == []


async def test_choice_is_gone(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> None:
    """A credential that was deleted before it was chosen is not there to be chosen."""
    await add_credential(hass, "acme")
    await add_credential(hass, "acme", "a")
    await add_credential(hass, "acme", "b")
    entry = await _entry(hass, "Account")
    await _delete(hass)
    step = await begin_repair(hass_client, ISSUE)
    step = await continue_repair(hass, hass_client, step, {"next_step_id": "move"})
    await _delete(hass, "a")
    step = await continue_repair(hass, hass_client, step, {"auth_domain": "acme_a"})
    (options,) = [field["selector"]["select"]["options"] for field in step["data_schema"]]
    assert options == [{"value": "acme_b", "label": "Acme 3"}]
    assert entry.data["auth_implementation"] == "acme_client_id"


async def _restart(hass: HomeAssistant) -> None:
    """Begin anew: nothing is in memory, and Home Assistant has just started."""
    for key in list(hass.data):
        if str(key).startswith(f"{DOMAIN}_"):
            del hass.data[key]
    for flow in hass.config_entries.flow.async_progress():
        hass.config_entries.flow.async_abort(flow["flow_id"])
    ir.async_get(hass).issues.clear()
    hass.config.components.remove(DOMAIN)
    hass.set_state(CoreState.starting)
    assert await async_setup_component(hass, DOMAIN, {})
    await hass.async_block_till_done()
    assert issue_ids(hass) == []
    hass.set_state(CoreState.running)
    hass.bus.async_fire("homeassistant_started")
    await hass.async_block_till_done()


async def test_credential_entered_in_the_repair(
    hass: HomeAssistant, hass_client: ClientSessionGenerator
) -> None:
    """After a restart the credential is entered again, with the key that the entries name."""
    entry = await _entry(hass, "Account")
    await _restart(hass)
    step = await begin_repair(hass_client, ISSUE)
    assert step["menu_options"] == ["add"]
    step = await continue_repair(hass, hass_client, step, {"next_step_id": "add"})
    assert step["step_id"] == "credential"
    values = {"client_id": "client-id", "client_secret": SENTINEL, "redirect_uri": "default"}
    step = await continue_repair(hass, hass_client, step, values)
    assert step["type"] == "create_entry"
    (credential,) = stored(hass)
    assert (credential["client_id"], credential["auth_domain"]) == ("client-id", "acme_client_id")
    assert entry.state is ConfigEntryState.LOADED
    assert issue_ids(hass) == []


async def test_another_client_entered_in_the_repair(
    hass: HomeAssistant, hass_client: ClientSessionGenerator
) -> None:
    """With another client, the users of the entries log in again; the key stays."""
    await add_credential(hass, "acme")
    entry = await _entry(hass, "Account")
    await _delete(hass)
    step = await begin_repair(hass_client, ISSUE)
    step = await continue_repair(hass, hass_client, step, {"next_step_id": "add"})
    values = {"client_id": "new", "client_secret": SENTINEL, "redirect_uri": "default"}
    await continue_repair(hass, hass_client, step, values)
    assert stored(hass)[0]["auth_domain"] == entry.data["auth_implementation"] == "acme_client_id"
    assert _reauths(hass) == {entry.entry_id}
    assert issue_ids(hass) == []


def _register(hass: HomeAssistant, auth_domain: str) -> None:
    implementation = LocalOAuth2Implementation(hass, auth_domain, "id", "", "", "")
    async_register_implementation(hass, "acme", implementation)


CASES: dict[str, Any] = {
    "unknown": ("gone", "acme", True),
    "account linking": ("cloud", "acme", False),
    "another provider knows it": ("registered", "acme", False),
    "not installed": ("gone", "not_installed", False),
    "no text": (None, "acme", False),
    "integration without a platform": ("gone", "plain", False),
}


@pytest.mark.parametrize(("auth_domain", "domain", "told"), CASES.values(), ids=list(CASES))
async def test_at_start(
    hass: HomeAssistant,
    install: Install,
    auth_domain: str,
    domain: str,
    told: bool,
) -> None:
    """An entry that failed, and whose implementation no provider knows, is told at the start."""
    install("plain", __init__=INIT, config_flow=CONFIG_FLOW.replace("acme", "plain"))
    entry = await _entry(hass, "Account", auth_domain, domain)
    assert entry.state is not ConfigEntryState.LOADED
    _register(hass, "registered")
    await _restart(hass)
    assert issue_ids(hass) == ([issue_id_of("orphaned", (domain, auth_domain))] if told else [])


async def test_told_until_it_recovers(hass: HomeAssistant) -> None:
    """What was told goes when the entry has another implementation, is disabled, or is loaded."""
    entries = [await _entry(hass, name, f"gone_{name}") for name in ("a", "b", "c")]
    await _restart(hass)
    assert issue_ids(hass) == sorted(
        issue_id_of("orphaned", ("acme", f"gone_{name}")) for name in ("a", "b", "c")
    )
    _register(hass, "registered")
    # As a reauth does.
    data = {**entries[0].data, "auth_implementation": "registered"}
    hass.config_entries.async_update_entry(entries[0], data=data)
    await hass.config_entries.async_set_disabled_by(entries[1].entry_id, ConfigEntryDisabler.USER)
    _register(hass, "gone_c")
    await hass.config_entries.async_reload(entries[2].entry_id)
    await hass.async_block_till_done()
    assert issue_ids(hass) == []


@pytest.mark.parametrize("disabled", [True, False])
async def test_credential_of_a_disabled_entry(hass: HomeAssistant, disabled: bool) -> None:
    """A disabled entry lacks nothing."""
    await add_credential(hass, "acme")
    entry = await _entry(hass, "Account")
    if disabled:
        await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await _delete(hass)
    assert issue_ids(hass) == ([] if disabled else [ISSUE])


@pytest.mark.parametrize("loaded", [True, False])
async def test_moved_entry_is_loaded_with_its_new_credential(
    hass: HomeAssistant, loaded: bool
) -> None:
    """An entry whose key changes is loaded anew, whatever its state."""
    await add_credential(hass, "acme")
    await add_credential(hass, "acme", "other")
    entry = await _entry(hass, "Account")
    if not loaded:
        await hass.config_entries.async_unload(entry.entry_id)
    await async_relink(hass, ("acme", "acme_client_id"), "acme_other", "client-id")
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert entry.runtime_data.domain == "acme_other"


async def test_provider_that_fails(hass: HomeAssistant, install: Install) -> None:
    """A provider that raises for one integration hides nothing of another."""
    fails = "async def async_get_authorization_server(hass): raise RuntimeError"
    install("failing", __init__=INIT, application_credentials=fails, config_flow=CONFIG_FLOW)
    await async_setup_component(hass, "application_credentials", {})
    await _entry(hass, "Failing", "gone", "failing")
    await add_credential(hass, "acme")
    await _entry(hass, "Account")
    await _delete(hass)
    assert ISSUE in issue_ids(hass)


async def test_checks_one_after_the_other(hass: HomeAssistant) -> None:
    """A check that waits for a provider tells nothing that is not so any more."""
    await add_credential(hass, "acme")
    await _entry(hass, "Account")
    (subentry,) = entry_of(hass).subentries.values()
    go_on = asyncio.Event()
    platform = "custom_components.acme.developer_credentials.async_get_authorization_server"

    async def slow(hass: HomeAssistant) -> AuthorizationServer:
        await go_on.wait()
        return AuthorizationServer("http://127.0.0.1:9/authorize", "http://127.0.0.1:9/token")

    await add_credential(hass, "acme", "another")
    with patch(platform, slow):
        hass.config_entries.async_remove_subentry(entry_of(hass), subentry.subentry_id)
        await asyncio.sleep(0)
        hass.config_entries.async_add_subentry(entry_of(hass), subentry)
        await asyncio.sleep(0)
        go_on.set()
        await hass.async_block_till_done()
    assert issue_ids(hass) == []


@pytest.mark.parametrize("why", ["disabled", "unavailable", "disabled here", "in use"])
async def test_not_orphaned(hass: HomeAssistant, install: Install, why: str) -> None:
    """Entries that are disabled, or whose credential is only not available now, lack nothing."""
    install(
        "offline",
        UNAVAILABLE_PLATFORM,
        __init__=INIT,
    )
    if why == "unavailable":
        await add_credential(hass, "offline")
        await _entry(hass, "Account", "gone", "offline")
    else:
        await add_credential(hass, "acme")
        entry = await _entry(hass, "Account", "gone" if why == "disabled" else "acme_client_id")
        if why == "disabled":
            await hass.config_entries.async_set_disabled_by(
                entry.entry_id, ConfigEntryDisabler.USER
            )
        elif why == "disabled here":
            await hass.config_entries.async_set_disabled_by(
                entry_of(hass).entry_id, ConfigEntryDisabler.USER
            )
            await hass.config_entries.async_reload(entry.entry_id)
            assert entry.state is ConfigEntryState.SETUP_ERROR
    await _restart(hass)
    assert issue_ids(hass) == []


async def test_nothing_to_choose_from(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, install: Install
) -> None:
    """An integration that takes no credentials of ours may have none to choose from."""
    platform = "async def async_get_authorization_server(hass): raise NotImplementedError"
    install("plain", __init__=INIT, application_credentials=platform)
    await _entry(hass, "Account", "gone", "plain")
    await _restart(hass)
    step = await begin_repair(hass_client, issue_id_of("orphaned", ("plain", "gone")))
    assert (step["type"], step["reason"]) == ("abort", "no_credential")


async def test_providers_are_away(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> None:
    """Where other credentials cannot be had now, the rest is offered."""
    await add_credential(hass, "acme")
    await add_credential(hass, "acme", "other")
    await _entry(hass, "Account")
    await _delete(hass)
    platform = "custom_components.acme.developer_credentials.async_get_authorization_server"
    with patch(platform, side_effect=ImplementationUnavailableError):
        step = await begin_repair(hass_client, ISSUE)
    assert step["menu_options"] == ["restore", "add"]


async def test_restored_twice(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> None:
    """What another repair or the user has restored meanwhile is there once."""
    await add_credential(hass, "acme")
    await _entry(hass, "Account")
    await _delete(hass)
    steps = [await begin_repair(hass_client, ISSUE) for _ in range(2)]
    for step, kind in zip(steps, ("create_entry", "abort"), strict=True):
        result = await continue_repair(hass, hass_client, step, {"next_step_id": "restore"})
        assert result["type"] == kind
    assert result["reason"] == "credential_gone"
    assert len(stored(hass)) == 1


async def test_client_is_there_by_another_key(
    hass: HomeAssistant, hass_client: ClientSessionGenerator
) -> None:
    """A client that was entered again under another key cannot be restored beside itself."""
    taken = await add_credential(hass, "acme", "client.id")
    await add_credential(hass, "acme")
    entry = await _entry(hass, "Account", "acme_client_id_2")
    await _delete(hass)
    hass.config_entries.async_remove_subentry(entry_of(hass), taken.subentry_id)
    await add_credential(hass, "acme")
    (issue_id,) = issue_ids(hass)
    step = await begin_repair(hass_client, issue_id)
    assert step["menu_options"] == ["move", "add"]
    step = await continue_repair(hass, hass_client, step, {"next_step_id": "move"})
    await continue_repair(hass, hass_client, step, {"auth_domain": "acme_client_id"})
    assert entry.data["auth_implementation"] == "acme_client_id"
    assert entry.state is ConfigEntryState.LOADED
    assert _reauths(hass) == set()

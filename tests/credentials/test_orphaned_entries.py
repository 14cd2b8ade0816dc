"""Tests of entries whose credential is gone: found, told, and given a credential again."""

import asyncio
from typing import Any
from unittest.mock import AsyncMock, patch

from homeassistant.config_entries import (
    SOURCE_IGNORE,
    SOURCE_REAUTH,
    ConfigEntry,
    ConfigEntryDisabler,
    ConfigEntryState,
)
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.config_entry_oauth2_flow import (
    ImplementationUnavailableError,
    LocalOAuth2Implementation,
    async_add_implementation_provider,
    async_register_implementation,
)
from homeassistant.loader import Integration, async_get_integration
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.developer_credentials import AuthorizationServer, DeveloperCredential
from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.credentials.orphaned_entries import (
    async_check,
    async_get_deleted,
    async_relink,
    async_restore,
    issue_id_of,
)
from custom_components.developer_credentials.credentials.store import (
    async_add_subentry,
    async_find_subentry,
    async_get_or_create_entry,
    async_new_subentry,
)
from custom_components.developer_credentials.credentials.yaml_reader import YamlItem, YamlList
from custom_components.developer_credentials.flows.credential_subject import OwnCredential
from custom_components.developer_credentials.oauth2.verification import Outcome, Verification
from custom_components.developer_credentials.plain_text import escape_markdown, plain_line
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

# The first entry of a test, after which its issue is called.
ENTRY_ID = "01KFIRSTENTRY"
ISSUE = issue_id_of(ENTRY_ID)

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
        domain=domain,
        title=title,
        data={"auth_implementation": auth_domain, "token": {}},
        entry_id=None if hass.config_entries.async_get_entry(ENTRY_ID) else ENTRY_ID,
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
    # The issue is for everybody, the texts of its repair are for admins.
    assert issue.translation_placeholders == {"name": "Acme"}
    assert issue.data == {"entry_id": ENTRY_ID}
    assert SENTINEL not in str(issue)
    # What is loaded is not touched; what is loaded again finds no credential.
    assert entries[0].state is ConfigEntryState.LOADED
    await hass.config_entries.async_reload(entries[1].entry_id)
    assert entries[1].state is ConfigEntryState.SETUP_ERROR
    runtime_data = entries[0].runtime_data

    step = await begin_repair(hass_client, ISSUE)
    assert (step["type"], step["menu_options"]) == ("menu", ["restore", "add"])
    assert step["description_placeholders"] == {
        "entries": r"First\*, Second",
        "integration": "Acme",
        "name": "Acme",
    }
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


async def test_disabled_and_enabled(hass: HomeAssistant) -> None:
    """An entry that is enabled again lacks the deleted credential as before."""
    await add_credential(hass, "acme")
    entry = await _entry(hass, "Account")
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await _delete(hass)
    assert ISSUE not in issue_ids(hass)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await hass.async_block_till_done()
    assert ISSUE in issue_ids(hass)


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


async def _ignore(hass: HomeAssistant, domain: str = DOMAIN) -> MockConfigEntry:
    """Ignore a card of an integration, which Home Assistant keeps as an entry."""
    entry = MockConfigEntry(domain=domain, source=SOURCE_IGNORE, unique_id="card", title="Card")
    await hass.config_entries.async_add(entry)
    await hass.async_block_till_done()
    return entry


@pytest.mark.parametrize("first", ["card", "credential"])
async def test_card_is_ignored(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, first: str
) -> None:
    """An ignored card of ours is never taken for the entry with the credentials."""
    if first == "card":
        ignored = await _ignore(hass)
    await add_credential(hass, "acme")
    entry = await _entry(hass, "Account")
    if first == "credential":
        ignored = await _ignore(hass)
    assert issue_ids(hass) == []
    (subentry,) = _credentials_entry(hass).subentries.values()
    hass.config_entries.async_remove_subentry(_credentials_entry(hass), subentry.subentry_id)
    await hass.async_block_till_done()
    assert issue_ids(hass) == [ISSUE]
    # Nor is one that is changed or removed.
    hass.config_entries.async_update_entry(ignored, title="Other")
    await hass.config_entries.async_remove(ignored.entry_id)
    await hass.async_block_till_done()
    assert issue_ids(hass) == [ISSUE]
    step = await begin_repair(hass_client, ISSUE)
    assert step["menu_options"] == ["restore", "add"]
    await continue_repair(hass, hass_client, step, {"next_step_id": "restore"})
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert issue_ids(hass) == []


async def test_entry_is_removed_beside_an_ignored_card(hass: HomeAssistant) -> None:
    """What is left of ours when the entry with the credentials goes has none."""
    await add_credential(hass, "acme")
    await _ignore(hass)
    await _entry(hass, "Account")
    await hass.config_entries.async_remove(_credentials_entry(hass).entry_id)
    await hass.async_block_till_done()
    assert issue_ids(hass) == [ISSUE]


def _credentials_entry(hass: HomeAssistant) -> ConfigEntry:
    (entry,) = hass.config_entries.async_entries(DOMAIN, include_ignore=False)
    return entry


KEY = "acme", "acme_client_id"


@pytest.mark.parametrize("first", ["entry", "credential"])
async def test_secret_is_forgotten_with_its_last_user(hass: HomeAssistant, first: str) -> None:
    """A credential that was deleted is kept for the entries that lack it, and no longer."""
    await add_credential(hass, "acme")
    entries = [await _entry(hass, "First"), await _entry(hass, "Second")]
    if first == "credential":
        await _delete(hass)
        assert async_get_deleted(hass, KEY)
        await hass.config_entries.async_remove(entries[0].entry_id)
        assert async_get_deleted(hass, KEY)
        await hass.config_entries.async_remove(entries[1].entry_id)
    else:
        for entry in entries:
            await hass.config_entries.async_remove(entry.entry_id)
        await _delete(hass)
    assert async_get_deleted(hass, KEY) is None
    assert await async_restore(hass, KEY) is None


async def test_secret_is_forgotten_where_its_last_user_has_another(hass: HomeAssistant) -> None:
    """Nor is it kept for entries that have another credential by now."""
    await add_credential(hass, "acme")
    await add_credential(hass, "acme", "other")
    entry = await _entry(hass, "Account")
    await _delete(hass)
    await async_relink(hass, KEY, "acme_other", "other")
    assert async_get_deleted(hass, KEY) is None
    # As a reauth does.
    await _delete(hass, "other")
    data = {**entry.data, "auth_implementation": "else"}
    hass.config_entries.async_update_entry(entry, data=data)
    assert async_get_deleted(hass, ("acme", "acme_other")) is None


@pytest.mark.parametrize("how", ["added", "repair"])
@pytest.mark.parametrize("same_client", [True, False])
async def test_another_client_with_the_same_key(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, same_client: bool, how: str
) -> None:
    """A client that gets the key of one that was deleted is another one: the users log in."""
    await add_credential(hass, "acme", "a.b")
    entry = await _entry(hass, "Account", "acme_a_b")
    await _delete(hass, "a.b")
    client_id = "a.b" if same_client else "a_b"
    if how == "added":
        await add_credential(hass, "acme", client_id)
    else:
        step = await begin_repair(hass_client, ISSUE)
        step = await continue_repair(hass, hass_client, step, {"next_step_id": "add"})
        values = {"client_id": client_id, "client_secret": SENTINEL}
        await continue_repair(hass, hass_client, step, values)
    (credential,) = stored(hass)
    assert (credential["client_id"], credential["auth_domain"]) == (client_id, "acme_a_b")
    assert (_reauths(hass) == {entry.entry_id}) is not same_client
    assert issue_ids(hass) == []


@pytest.mark.parametrize(
    ("auth_domain", "client_id", "logs_in"),
    [
        ("acme_a_b", "a.b", False),
        # Of two clients with one slug, only the server knows which one it was.
        ("acme_a_b", "a_b", False),
        ("acme_a_b_2", "a.b", False),
        ("acme_a_b_12", "a.b", False),
        ("acme_a_b_c", "a.b", True),
        ("acme_a_b_2_c", "a.b", True),
        ("acme_a_b_", "a.b", True),
        ("acme_a_b", "a.c", True),
        # As YAML has it.
        ("acme", "a.b", False),
    ],
)
async def test_what_is_left_of_a_client_after_a_restart(
    hass: HomeAssistant, auth_domain: str, client_id: str, logs_in: bool
) -> None:
    """A key is that of a client whose slug it is, with a number where another one had it."""
    entry = await _entry(hass, "Account", auth_domain)
    new = async_new_subentry(
        hass,
        await async_get_integration(hass, "acme"),
        DeveloperCredential(client_id, SENTINEL),
        auth_domain="acme_new",
    )
    async_add_subentry(hass, await async_get_or_create_entry(hass), new)
    await async_relink(hass, ("acme", auth_domain), "acme_new", client_id)
    await hass.async_block_till_done()
    assert entry.data["auth_implementation"] == "acme_new"
    assert (entry.entry_id in _reauths(hass)) is logs_in
    assert (entry.state is ConfigEntryState.LOADED) is not logs_in


async def test_last_entry_is_removed(hass: HomeAssistant) -> None:
    """Without an entry that lacks a credential there is nothing to repair."""
    await add_credential(hass, "acme")
    entries = [await _entry(hass, "First"), await _entry(hass, "Second")]
    await _delete(hass)
    await hass.config_entries.async_remove(entries[0].entry_id)
    await hass.async_block_till_done()
    assert issue_ids(hass) == [issue_id_of(entries[1].entry_id)]
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
    values = {"client_id": "client-id", "client_secret": SENTINEL}
    step = await continue_repair(hass, hass_client, step, values)
    # The server does not answer.
    assert (step["type"], step["reason"]) == ("abort", "credential_saved_unchecked")
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
    values = {"client_id": "new", "client_secret": SENTINEL}
    await continue_repair(hass, hass_client, step, values)
    assert stored(hass)[0]["auth_domain"] == entry.data["auth_implementation"] == "acme_client_id"
    assert _reauths(hass) == {entry.entry_id}
    assert issue_ids(hass) == []


async def test_texts_of_others_are_plain(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names and titles are one plain line, whatever they hold."""
    evil = "A\u202e\u2028**b**\u200b<i>\n# c"
    await add_credential(hass, "acme")
    await add_credential(hass, "acme", "other", name=evil)
    await _entry(hass, evil)
    monkeypatch.setattr(Integration, "name", property(lambda _: evil))
    await _delete(hass)
    issue = ir.async_get(hass).async_get_issue(DOMAIN, ISSUE)
    assert issue
    line, escaped = plain_line(evil), escape_markdown(evil)
    assert issue.translation_placeholders == {"name": line}
    step = await begin_repair(hass_client, ISSUE)
    told = {"entries": escaped, "integration": escaped, "name": line}
    assert step["description_placeholders"] == told
    step = await continue_repair(hass, hass_client, step, {"next_step_id": "move"})
    assert step["description_placeholders"] == told
    (options,) = [field["selector"]["select"]["options"] for field in step["data_schema"]]
    assert options == [{"value": "acme_other", "label": line}]
    step = await begin_repair(hass_client, ISSUE)
    step = await continue_repair(hass, hass_client, step, {"next_step_id": "add"})
    # Its title, and the errors of the form, are no Markdown.
    assert step["description_placeholders"].items() >= {**told, "integration": line}.items()


async def test_same_issue_after_a_restart(hass: HomeAssistant) -> None:
    """What the user has ignored stays ignored: Home Assistant knows an issue by its id."""
    await add_credential(hass, "acme")
    entry = await _entry(hass, "Account")
    await _entry(hass, "Other")
    await _delete(hass)
    before = issue_ids(hass)
    await hass.config_entries.async_reload(entry.entry_id)
    await _restart(hass)
    assert issue_ids(hass) == before == [ISSUE]


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
    assert issue_ids(hass) == ([ISSUE] if told else [])


async def test_told_until_it_recovers(hass: HomeAssistant) -> None:
    """What was told goes when the entry has another implementation, is disabled, or is loaded."""
    entries = [await _entry(hass, name, f"gone_{name}") for name in ("a", "b", "c")]
    await _restart(hass)
    assert issue_ids(hass) == sorted(issue_id_of(entry.entry_id) for entry in entries)
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
    entry = await _entry(hass, "Account")
    await _delete(hass)
    assert issue_id_of(entry.entry_id) in issue_ids(hass)


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
            # Newer versions of Home Assistant try again by themselves.
            assert entry.state in {ConfigEntryState.SETUP_ERROR, ConfigEntryState.SETUP_RETRY}
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
    step = await begin_repair(hass_client, ISSUE)
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


VALUES = {"client_id": "new", "client_secret": SENTINEL}
SUBMITTED: dict[str, dict[str, Any]] = {
    "restore": {"next_step_id": "restore"},
    "move": {"auth_domain": "acme_other"},
    "add": VALUES,
}


@pytest.mark.parametrize("when", ["chosen", "submitted"])
@pytest.mark.parametrize("how", ["restore", "move", "add"])
@pytest.mark.parametrize("other", ["restore", "move", "add", "entered again", "reauth"])
async def test_two_windows(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, other: str, how: str, when: str
) -> None:
    """Where somebody else was faster, a repair says so, and changes nothing."""
    await add_credential(hass, "acme")
    await add_credential(hass, "acme", "other")
    entry = await _entry(hass, "Account")
    await _delete(hass)
    step = await begin_repair(hass_client, ISSUE)
    if when == "submitted" and how != "restore":
        step = await continue_repair(hass, hass_client, step, {"next_step_id": how})
    if other == "entered again":
        await add_credential(hass, "acme")
    elif other == "reauth":
        data = {**entry.data, "auth_implementation": "acme_other"}
        hass.config_entries.async_update_entry(entry, data=data)
    else:
        window = await begin_repair(hass_client, ISSUE)
        if other != "restore":
            window = await continue_repair(hass, hass_client, window, {"next_step_id": other})
        values = {**SUBMITTED[other]}
        if other == "add":
            values["client_id"] = "client-id"
        window = await continue_repair(hass, hass_client, window, values)
        assert window.get("reason") == ("credential_saved_unchecked" if other == "add" else None)
    for flow in hass.config_entries.flow.async_progress():
        hass.config_entries.flow.async_abort(flow["flow_id"])
    before = stored(hass), dict(entry.data)
    values = SUBMITTED[how] if when == "submitted" else {"next_step_id": how}
    step = await continue_repair(hass, hass_client, step, values)
    assert (step["type"], step["reason"]) == ("abort", "already_repaired")
    assert (stored(hass), dict(entry.data)) == before
    assert _reauths(hass) == set()
    assert issue_ids(hass) == []


@pytest.mark.parametrize("how", ["restored", "entered again", "moved"])
async def test_somebody_is_faster_while_the_server_is_asked(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, how: str
) -> None:
    """The same where it happens while a new credential is verified."""
    await add_credential(hass, "acme")
    entry = await _entry(hass, "Account")
    await _delete(hass)
    step = await begin_repair(hass_client, ISSUE)
    step = await continue_repair(hass, hass_client, step, {"next_step_id": "add"})
    new = async_new_subentry(
        hass,
        await async_get_integration(hass, "acme"),
        DeveloperCredential("client-id" if how == "entered again" else "other", SENTINEL),
    )

    async def verify(subject: OwnCredential, credential: DeveloperCredential) -> Verification:
        if how == "restored":
            await async_restore(hass, KEY)
        else:
            # At once, without a check in between.
            async_add_subentry(hass, entry_of(hass), new)
        if how == "moved":
            data = {**entry.data, "auth_implementation": "acme_other"}
            hass.config_entries.async_update_entry(entry, data=data)
        return Verification(Outcome.ACCEPTED, "", credential)

    with patch.object(OwnCredential, "async_verify", verify):
        step = await continue_repair(hass, hass_client, step, VALUES)
    assert (step["type"], step["reason"]) == ("abort", "already_repaired")
    (credential,) = stored(hass)
    assert credential["client_id"] == ("other" if how == "moved" else "client-id")
    assert entry.data["auth_implementation"] == credential["auth_domain"]


async def test_corrected_too_late(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> None:
    """The form that is shown again for a correction says it as well."""
    await add_credential(hass, "acme")
    await _entry(hass, "Account")
    await _delete(hass)
    step = await begin_repair(hass_client, ISSUE)
    step = await continue_repair(hass, hass_client, step, {"next_step_id": "add"})
    step = await continue_repair(hass, hass_client, step, {**VALUES, "client_id": " "})
    assert step["step_id"] == "retry"
    await async_restore(hass, KEY)
    # It is the same credential, perhaps.
    step = await continue_repair(hass, hass_client, step, {**VALUES, "client_id": "client-id"})
    assert (step["type"], step["reason"]) == ("abort", "already_repaired")
    assert len(stored(hass)) == 1


@pytest.mark.parametrize("how", ["removed", "repaired"])
async def test_repair_is_opened_too_late(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, how: str
) -> None:
    """A repair that the frontend has still says that there is nothing left to do."""
    await add_credential(hass, "acme")
    entry = await _entry(hass, "Account")
    await _delete(hass)
    issue = ir.async_get(hass).async_get_issue(DOMAIN, ISSUE)
    assert issue
    if how == "removed":
        await hass.config_entries.async_remove(entry.entry_id)
    else:
        await add_credential(hass, "acme")
    await hass.async_block_till_done()
    assert issue_ids(hass) == []
    ir.async_get(hass).issues[DOMAIN, ISSUE] = issue
    step = await begin_repair(hass_client, ISSUE)
    assert (step["type"], step["reason"]) == ("abort", "already_repaired")


async def test_restored_twice_at_once(hass: HomeAssistant) -> None:
    """Of two who restore at once, one does, also where the entry has to be made first."""
    await add_credential(hass, "acme")
    await _entry(hass, "Account")
    await hass.config_entries.async_remove(entry_of(hass).entry_id)
    await hass.async_block_till_done()

    async def get_or_create_entry(hass: HomeAssistant) -> ConfigEntry:
        await asyncio.sleep(0)
        return await async_get_or_create_entry(hass)

    module = "custom_components.developer_credentials.credentials.orphaned_entries"
    with patch(f"{module}.async_get_or_create_entry", get_or_create_entry):
        restored = await asyncio.gather(async_restore(hass, KEY), async_restore(hass, KEY))
    assert [one is not None for one in restored].count(True) == 1
    assert len(stored(hass)) == 1


async def test_another_provider_has_it_back(
    hass: HomeAssistant, hass_client: ClientSessionGenerator
) -> None:
    """Nothing is moved where another provider knows what the entries name."""
    await add_credential(hass, "acme")
    entry = await _entry(hass, "Account")
    await _delete(hass)
    step = await begin_repair(hass_client, ISSUE)
    step = await continue_repair(hass, hass_client, step, {"next_step_id": "add"})
    _register(hass, "acme_client_id")
    step = await continue_repair(hass, hass_client, step, VALUES)
    assert (step["type"], step["reason"]) == ("abort", "already_repaired")
    assert stored(hass) == []
    assert entry.data["auth_implementation"] == "acme_client_id"


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


@pytest.mark.parametrize("error", [ValueError, KeyError, ImplementationUnavailableError])
async def test_provider_that_fails_knows_perhaps(
    hass: HomeAssistant, error: type[Exception]
) -> None:
    """While another provider fails, whatever it raises, no entry is called orphaned."""
    provide = AsyncMock(side_effect=error("away"))
    async_add_implementation_provider(hass, "another", provide)
    await _entry(hass, "Mine", "its_own")
    await async_check(hass)
    assert provide.called
    assert issue_ids(hass) == []
    provide.side_effect, provide.return_value = None, []
    await async_check(hass)
    assert issue_ids(hass) == [ISSUE]

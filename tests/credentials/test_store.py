"""Tests of the credentials as subentries."""

import asyncio
from dataclasses import replace
from types import MappingProxyType
from unittest.mock import patch

from homeassistant.config_entries import (
    ConfigEntryDisabler,
    ConfigEntryState,
    ConfigFlowContext,
    ConfigFlowResult,
    ConfigSubentry,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers.config_entry_oauth2_flow import (
    ImplementationUnavailableError,
    async_get_implementations,
)
from homeassistant.helpers.json import json_bytes
from homeassistant.loader import DATA_INTEGRATIONS, async_get_integration
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.developer_credentials import (
    DeveloperCredential,
    async_import_developer_credential,
)
from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.credentials.index import Index
from custom_components.developer_credentials.credentials.store import (
    async_find_subentry,
    async_free_auth_domain,
    async_get_all_subentries,
    async_get_by_key,
    async_get_or_create_entry,
    async_get_subentries,
    async_update_credential,
    credential_of,
)
from custom_components.developer_credentials.provider import async_watch
from tests.common import CONFIG_FLOW, PLATFORM, SENTINEL, add_credential, entry_of, stored
from tests.conftest import Install


@pytest.fixture(autouse=True)
def clouds(setup: None, install: Install) -> None:
    """Install two integrations with the platform."""
    install("acme", PLATFORM)
    install("other", PLATFORM)


async def _domains(hass: HomeAssistant, domain: str = "acme") -> list[str]:
    return list(await async_get_implementations(hass, domain))


async def test_stored(hass: HomeAssistant) -> None:
    """A credential is a subentry of the one entry, titled for people."""
    await add_credential(hass, "acme", "My-Id", name="My app")
    (subentry,) = entry_of(hass).subentries.values()
    assert subentry.subentry_type == "credential"
    assert subentry.title == "Acme: My app"
    assert subentry.unique_id == "acme.My-Id"
    assert dict(subentry.data) == {
        "domain": "acme",
        "auth_domain": "acme_my_id",
        "client_id": "My-Id",
        "client_secret": SENTINEL,
        "name": "My app",
        "redirect_uri": "default",
        "token_endpoint_auth_method": None,
    }


async def test_auth_domain_is_unique(hass: HomeAssistant) -> None:
    """Client ids that make the same slug have different auth domains."""
    for client_id in ("a.b", "a-b", "a b"):
        await add_credential(hass, "acme", client_id)
    assert await _domains(hass) == ["acme_a_b", "acme_a_b_2", "acme_a_b_3"]


async def test_only_the_integrations_own(hass: HomeAssistant) -> None:
    """An integration is given its own credentials, whatever comes and goes."""
    await add_credential(hass, "acme", "a")
    assert await _domains(hass) == ["acme_a"]
    await add_credential(hass, "other", "a")
    await add_credential(hass, "acme", "b")
    assert await _domains(hass) == ["acme_a", "acme_b"]
    assert await _domains(hass, "other") == ["other_a"]
    subentry = async_find_subentry(hass, "acme", "a")
    assert subentry is not None
    hass.config_entries.async_remove_subentry(entry_of(hass), subentry.subentry_id)
    assert await _domains(hass) == ["acme_b"]
    assert async_find_subentry(hass, "acme", "a") is None
    assert async_find_subentry(hass, "acme", "b") is not None


async def test_changed_in_place(hass: HomeAssistant) -> None:
    """A subentry that Home Assistant has changed is provided as it is now."""
    await add_credential(hass, "acme", name="Old")
    (subentry,) = async_get_subentries(hass, "acme")
    hass.config_entries.async_update_subentry(
        entry_of(hass), subentry, data={**subentry.data, "name": "New"}
    )
    (implementation,) = (await async_get_implementations(hass, "acme")).values()
    assert implementation.name == "New"


async def test_unload_and_reload(hass: HomeAssistant) -> None:
    """Credentials remain available while the entry is unloaded, and a reload changes nothing."""
    await add_credential(hass, "acme")
    entry = entry_of(hass)
    before = stored(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
    assert await _domains(hass) == ["acme_client_id"]
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert entry_of(hass).state is ConfigEntryState.LOADED
    assert stored(hass) == before


async def test_disabled(hass: HomeAssistant) -> None:
    """A disabled entry provides nothing, and keeps its credentials: entries are to try again."""
    await add_credential(hass, "acme")
    entry_id = entry_of(hass).entry_id
    await hass.config_entries.async_set_disabled_by(entry_id, ConfigEntryDisabler.USER)
    with pytest.raises(ImplementationUnavailableError, match="Developer Credentials is disabled"):
        await _domains(hass)
    await add_credential(hass, "acme", "client.id")
    await hass.config_entries.async_set_disabled_by(entry_id, None)
    assert await _domains(hass) == ["acme_client_id", "acme_client_id_2"]


async def test_removed_with_the_entry(hass: HomeAssistant) -> None:
    """Removing the entry removes its credentials; the next one makes another entry."""
    await add_credential(hass, "acme", "a")
    await hass.config_entries.async_remove(entry_of(hass).entry_id)
    assert await _domains(hass) == []
    assert SENTINEL not in str(
        [vars(value) if hasattr(value, "__dict__") else value for value in hass.data.values()]
    )
    assert f"{DOMAIN}_index" not in hass.data
    await add_credential(hass, "acme", "b")
    assert await _domains(hass) == ["acme_b"]


async def test_one_entry_while_it_is_made(hass: HomeAssistant) -> None:
    """Who asks while the entry is being made waits for it."""
    manager = hass.config_entries.flow
    first = asyncio.Event()
    original = manager.async_init

    async def slow(handler: str, *, context: ConfigFlowContext) -> ConfigFlowResult:
        await first.wait()
        return await original(handler, context=context)

    with patch.object(manager, "async_init", slow):
        tasks = [hass.async_create_task(async_get_or_create_entry(hass)) for _ in range(2)]
        first.set()
        entries = [await task for task in tasks]
    assert entries == [entry_of(hass)] * 2


async def test_one_entry(hass: HomeAssistant) -> None:
    """Whoever asks for the entry at the same time gets the same one."""
    tasks = [hass.async_create_task(async_get_or_create_entry(hass)) for _ in range(5)]
    entries = [await task for task in tasks]
    assert entries == [entry_of(hass)] * 5
    assert entry_of(hass).title == "Developer Credentials"
    assert hass.config_entries.flow.async_progress_by_handler(DOMAIN) == []


COUNTING = """
async def async_setup_entry(hass, entry):
    count = hass.data.setdefault("set_ups", {})
    count[entry.title] = count.get(entry.title, 0) + 1
    if entry.title in hass.data["failing"]:
        raise hass.data["failing"][entry.title]
    return True

async def async_unload_entry(hass, entry):
    return True
"""


@pytest.fixture
async def users(hass: HomeAssistant, install: Install) -> ConfigSubentry:
    """Add entries in several states that use a credential, which is returned."""
    install("third", OWN_YAML, __init__=COUNTING, config_flow=CONFIG_FLOW.replace("acme", "third"))
    subentry = await add_credential(hass, "third")
    hass.data["failing"] = {"error": ValueError(), "retry": ConfigEntryNotReady()}
    for title in ("loaded", "error", "retry", "unloaded"):
        entry = MockConfigEntry(
            domain="third", title=title, data={"auth_implementation": "third_client_id"}
        )
        entry.add_to_hass(hass)
        await hass.config_entries.async_setup(entry.entry_id)
        if title == "unloaded":
            await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    return subentry


OWN_YAML = (
    PLATFORM
    + """
from custom_components.developer_credentials import (
    DeveloperCredential,
    async_import_developer_credential,
)

async def async_get_developer_credential(hass):
    return hass.data.get("own_yaml")
"""
)


async def test_only_entries_in_error_are_reloaded(
    hass: HomeAssistant, users: ConfigSubentry
) -> None:
    """A new secret reloads the entries that failed; what is loaded goes on as it is."""
    before = dict(hass.data["set_ups"])
    hass.data["failing"] = {}
    integration = await async_get_integration(hass, "third")
    credential = DeveloperCredential("client-id", f"{SENTINEL}-new")
    async_update_credential(hass, users, integration, credential)
    await hass.async_block_till_done()
    assert hass.data["set_ups"] == {
        **before,
        "error": before["error"] + 1,
        "retry": before["retry"] + 1,
    }
    states = {entry.title: entry.state for entry in hass.config_entries.async_entries("third")}
    assert states.pop("unloaded") is ConfigEntryState.NOT_LOADED
    assert set(states.values()) == {ConfigEntryState.LOADED}


async def test_yaml_that_says_nothing_new_reloads_nothing(
    hass: HomeAssistant, users: ConfigSubentry
) -> None:
    """A credential that is imported each time it is asked for changes only when it has changed."""
    hass.data["own_yaml"] = DeveloperCredential("client-id", SENTINEL)
    await _domains(hass, "third")
    await hass.async_block_till_done()
    before = dict(hass.data["set_ups"])
    for _ in range(3):
        await _domains(hass, "third")
        await hass.async_block_till_done()
    assert hass.data["set_ups"] == before


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Acme: New", "New"),
        ("Only a name", "Only a name"),
        # Those that end with the old name.
        ("Second app", "Second app"),
        ("My app", "My app"),
        ("Acme: Second app", "Second app"),
        ("Acme: app 2b app", "app 2b app"),
        ("Acmeist", "Acmeist"),
        ("Two\nlines\u202e", "Two lines"),
    ],
)
@pytest.mark.parametrize("before", ["app", None])
async def test_renamed_in_the_list(
    hass: HomeAssistant, title: str, name: str, before: str | None
) -> None:
    """The name that the user gives in Home Assistant's own way is that of the credential."""
    await add_credential(hass, "acme", "other")
    subentry = await add_credential(hass, "acme", name=before)
    (_, implementation) = (await async_get_implementations(hass, "acme")).values()
    hass.config_entries.async_update_subentry(entry_of(hass), subentry, title=title)
    await hass.async_block_till_done()
    # It is told which integration it is for, whatever the user has left out.
    assert subentry.title == f"Acme: {name}"
    assert stored(hass)[1]["name"] == name
    assert implementation.name == name
    # It stays when something else is changed.
    integration = await async_get_integration(hass, "acme")
    credential = replace(credential_of(subentry), client_secret=f"{SENTINEL}-new")
    async_update_credential(hass, subentry, integration, credential)
    await hass.async_block_till_done()
    assert stored(hass)[1]["name"] == name
    assert implementation.name == name
    assert subentry.title == f"Acme: {name}"


async def test_renamed_after_the_start(hass: HomeAssistant) -> None:
    """So it is where nothing of the entry has changed since the start."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        disabled_by=ConfigEntryDisabler.USER,
        subentries_data=[
            {
                "data": {
                    "domain": "third",
                    "auth_domain": "third",
                    "client_id": "id",
                    "client_secret": SENTINEL,
                    "name": "app",
                },
                "subentry_id": "one",
                "subentry_type": "credential",
                "title": "Third: app",
                "unique_id": "third.id",
            }
        ],
    )
    entry.add_to_hass(hass)
    async_watch(hass)
    subentry = entry.subentries["one"]
    for title, name in (("Second app", "Second app"), (" ", "Second app")):
        hass.config_entries.async_update_subentry(entry, subentry, title=title)
        assert subentry.data["name"] == name
        # A title that says nothing is as if it had not been given.
        assert subentry.title == "Third: Second app"


async def test_renamed_by_an_earlier_version(hass: HomeAssistant) -> None:
    """A title that has lost the integration's name has it again when it is known."""
    subentry = await add_credential(hass, "acme", name="app")
    del hass.data[DATA_INTEGRATIONS]["acme"]
    entry = entry_of(hass)
    titles: dict[str, str] = hass.data["developer_credentials_titles"]
    titles[subentry.subentry_id] = "app"
    hass.config_entries.async_update_subentry(entry, subentry, title="Lost")
    assert (subentry.title, subentry.data["name"]) == ("Lost", "Lost")
    await async_get_integration(hass, "acme")
    hass.config_entries.async_update_subentry(entry, subentry, title="Found")
    assert (subentry.title, subentry.data["name"]) == ("Acme: Found", "Found")


async def test_renamed_with_the_integrations_name(hass: HomeAssistant) -> None:
    """What the user writes with the integration's name is not said twice, and stays unique."""
    await add_credential(hass, "acme", "other")
    subentry = await add_credential(hass, "acme", name="app")
    for title, shown in (("Acme at work", "Acme at work"), ("Acme", "Acme 2")):
        hass.config_entries.async_update_subentry(entry_of(hass), subentry, title=title)
        assert (subentry.title, subentry.data["name"]) == (shown, title)
        (_, implementation) = (await async_get_implementations(hass, "acme")).values()
        assert implementation.name == shown


async def test_refused_change_is_no_name(hass: HomeAssistant) -> None:
    """A change that is refused leaves title and name as they are, also at the next change."""
    await add_credential(hass, "acme", "taken")
    subentry = await add_credential(hass, "acme", "b")
    integration = await async_get_integration(hass, "acme")
    with pytest.raises(AbortFlow):
        async_update_credential(
            hass, subentry, integration, DeveloperCredential("taken", SENTINEL, "Another")
        )
    await add_credential(hass, "acme", "c")
    assert (subentry.title, subentry.data["name"]) == ("Acme 2", None)


async def test_titles_differ(hass: HomeAssistant) -> None:
    """Two credentials of one integration differ by a number, which stays."""
    for client_id, name in (("a", None), ("b", None), ("c", "app"), ("d", "app")):
        await add_credential(hass, "acme", client_id, name=name)
    first, second, third, fourth = async_get_subentries(hass, "acme")
    titles = [one.title for one in (first, second, third, fourth)]
    assert titles == ["Acme", "Acme 2", "Acme: app", "Acme: app 2"]
    entry, integration = entry_of(hass), await async_get_integration(hass, "acme")
    hass.config_entries.async_remove_subentry(entry, first.subentry_id)
    for subentry, title in ((second, "Acme 2"), (fourth, "Acme: app 2")):
        credential = replace(credential_of(subentry), client_id=f"{title}-new")
        async_update_credential(hass, subentry, integration, credential)
        assert subentry.title == title
        assert credential_of(subentry).name == credential.name
    credential = replace(credential_of(fourth), name=None)
    async_update_credential(hass, fourth, integration, credential)
    assert fourth.title == "Acme"


@pytest.mark.parametrize("same_data", [True, False])
async def test_one_gone_and_one_come(hass: HomeAssistant, *, same_data: bool) -> None:
    """Credentials are looked up in what is there now, also where it is as many as before."""
    gone = await add_credential(hass, "acme", "gone")
    data = {**gone.data, "client_id": "come", "auth_domain": "acme_come"}
    come = ConfigSubentry(
        data=gone.data if same_data else MappingProxyType(data),
        subentry_type="credential",
        title="Acme",
        unique_id="acme.come",
    )
    # Without a look in between: nobody hears of the changes.
    with patch("homeassistant.config_entries.async_dispatcher_send_internal"):
        assert async_get_subentries(hass, "acme") == [gone]
        hass.config_entries.async_remove_subentry(entry_of(hass), gone.subentry_id)
        hass.config_entries.async_add_subentry(entry_of(hass), come)
        (found,) = async_get_subentries(hass, "acme")
        assert found is come
        assert list(async_get_all_subentries(hass)) == [come.subentry_id]
        assert async_get_by_key(hass, ("acme", come.data["auth_domain"])) is come


async def test_key_is_changed_in_place(hass: HomeAssistant) -> None:
    """Credentials are looked up by what they are now, whoever has changed them."""
    subentry = await add_credential(hass, "acme", "a")
    assert async_get_by_key(hass, ("acme", "acme_a")) is subentry
    data = {**subentry.data, "domain": "other", "auth_domain": "legacy"}
    hass.config_entries.async_update_subentry(entry_of(hass), subentry, data=data)
    assert async_get_by_key(hass, ("acme", "acme_a")) is None
    assert async_get_by_key(hass, ("other", "legacy")) is subentry
    assert async_get_subentries(hass, "acme") == []


async def test_auth_domain_can_be_stored(hass: HomeAssistant) -> None:
    """An `auth_domain` that an integration asks for has no halves of surrogate pairs."""
    wanted = {"a": "legacy \ud83d\ude00", "b": "half \ud83d", "c": "\ud83d"}
    for client_id, auth_domain in wanted.items():
        credential = DeveloperCredential(client_id)
        await async_import_developer_credential(hass, "acme", credential, auth_domain)
    found = [one.data["auth_domain"] for one in async_get_subentries(hass, "acme")]
    assert found == ["legacy 😀", "half ", "acme_c"]
    json_bytes(stored(hass))


async def test_changed_while_not_loaded(hass: HomeAssistant) -> None:
    """A change reaches the implementations in use also while the entry is not loaded."""
    subentry = await add_credential(hass, "acme")
    (implementation,) = (await async_get_implementations(hass, "acme")).values()
    await hass.config_entries.async_unload(entry_of(hass).entry_id)
    data = {**subentry.data, "client_secret": f"{SENTINEL}-new"}
    hass.config_entries.async_update_subentry(entry_of(hass), subentry, data=data)
    assert vars(implementation)["client_secret"] == f"{SENTINEL}-new"


async def test_no_login_for_a_disabled_entry(hass: HomeAssistant, users: ConfigSubentry) -> None:
    """The user of a disabled entry is not asked to log in."""
    entries = {entry.title: entry for entry in hass.config_entries.async_entries("third")}
    disabled = entries["unloaded"]
    await hass.config_entries.async_set_disabled_by(disabled.entry_id, ConfigEntryDisabler.USER)
    integration = await async_get_integration(hass, "third")
    async_update_credential(hass, users, integration, DeveloperCredential("new", SENTINEL))
    await hass.async_block_till_done()
    asked = {
        flow["context"]["entry_id"]
        for flow in hass.config_entries.flow.async_progress_by_handler("third")
    }
    assert asked == {entry.entry_id for entry in entries.values()} - {disabled.entry_id}


async def test_many_of_one_key(hass: HomeAssistant) -> None:
    """A free `auth_domain` is found at once, however many are taken."""
    for number in range(20):
        credential = DeveloperCredential(f"id-{number}", SENTINEL, str(number))
        await async_import_developer_credential(hass, "acme", credential, f"acme_{number}")
    entry = entry_of(hass)
    for number, subentry in enumerate(list(entry.subentries.values())):
        key = "acme" if number == 0 else f"acme_{number + 1}"
        data = {**subentry.data, "auth_domain": key}
        hass.config_entries.async_update_subentry(entry, subentry, data=data)
    with patch.object(Index, "is_of", autospec=True, return_value=True) as looked:
        assert async_free_auth_domain(hass, "acme", "acme") == "acme_21"
    assert looked.call_count == 1

"""Tests of what older versions have stored, as it stands in Home Assistant's storage."""

from copy import deepcopy
import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import async_get_implementations
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import flush_store

from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.credentials import migration
from tests.common import CONFIG_FLOW, PLATFORM, SENTINEL, issue_ids
from tests.conftest import Install

CLIENT_ID = "34cb2bf7a1"


def _entry(entry_id: str, domain: str, **values: object) -> dict[str, Any]:
    return {
        "created_at": "2026-11-24T06:00:00+00:00",
        "data": {},
        "disabled_by": None,
        "discovery_keys": {},
        "domain": domain,
        "entry_id": entry_id,
        "minor_version": 1,
        "modified_at": "2026-11-24T06:00:00+00:00",
        "options": {},
        "pref_disable_new_entities": False,
        "pref_disable_polling": False,
        "source": "import",
        "subentries": [],
        "title": "Developer Credentials",
        "unique_id": None,
        "version": 1,
        **values,
    }


def _subentry(subentry_id: str, title: str, **data: object) -> dict[str, Any]:
    credential = {
        "auth_domain": "acme",
        "client_id": CLIENT_ID,
        "client_secret": f"{SENTINEL}-{subentry_id}",
        "domain": "acme",
        "name": None,
        "redirect_uri": "default",
        "token_endpoint_auth_method": None,
        **data,
    }
    return {
        "data": credential,
        "subentry_id": subentry_id,
        "subentry_type": "credential",
        "title": title,
        "unique_id": f"{credential['domain']}.{credential['client_id']}",
    }


IMPORTED = {
    "auth_domain": "acme",
    "by": "list",
    "client_id": CLIENT_ID,
    "client_secret": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "name": None,
}

# As 0.1.0 has written it.
STORED = _entry(
    "ours",
    DOMAIN,
    data={"taken_over": ["acme_old"]},
    subentries=[
        _subentry("1", f"Acme: {CLIENT_ID}", imported=IMPORTED),
        _subentry("2", "Acme: My app", auth_domain="acme_b", client_id="b", name="My app"),
        _subentry("3", "Acme: c", auth_domain="acme_c", client_id="c", redirect_uri="own"),
        _subentry("4", "Mine", auth_domain="acme_d", client_id="d", name="Mine"),
        _subentry("5", "Acme: My app", auth_domain="acme_e", client_id="e", name="My app"),
        _subentry("6", "Gone: f", domain="gone", auth_domain="gone_f", client_id="f"),
        _subentry("7", "as 34cb2bf7a1.g", auth_domain="acme_g", client_id="34cb2bf7a1.g"),
    ],
)
TITLES = ["Acme", "Acme: My app", "Acme 2", "Mine", "Acme: My app 2", "Gone", "Acme 3"]

TOKEN = {"access_token": SENTINEL, "refresh_token": SENTINEL, "expires_at": 1.0}
ACCOUNT = _entry(
    "account",
    "acme",
    data={"auth_implementation": "acme_c", "token": TOKEN},
    title="Account",
)

SET_UP = """
from homeassistant.helpers.config_entry_oauth2_flow import async_get_config_entry_implementation

async def async_setup_entry(hass, entry):
    entry.runtime_data = await async_get_config_entry_implementation(hass, entry)
    return True
"""


@pytest.fixture(autouse=True)
def acme(install: Install) -> None:
    """Install an integration whose entries need their implementation."""
    install("acme", PLATFORM, __init__=SET_UP, config_flow=CONFIG_FLOW)


async def _start(
    hass: HomeAssistant,
    storage: dict[str, Any],
    *entries: dict[str, Any],
    yaml: dict[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Start Home Assistant with these entries in its storage; return what it stores then."""
    storage["core.config_entries"] = {
        "version": 1,
        "minor_version": 5,
        "key": "core.config_entries",
        "data": {"entries": deepcopy(list(entries))},
    }
    await hass.config_entries.async_initialize()
    assert await async_setup_component(hass, "repairs", {})
    assert await async_setup_component(hass, DOMAIN, yaml or {})
    assert await async_setup_component(hass, "acme", {})
    await hass.async_block_till_done()
    await flush_store(hass.config_entries._store)  # noqa: SLF001
    stored: list[dict[str, Any]] = storage["core.config_entries"]["data"]["entries"]
    return stored


async def test_nothing_is_lost(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    """What 0.1.0 has stored is there, by the same keys, under titles without client ids."""
    # An item that the list has brought is told as gone otherwise.
    entry, account = await _start(hass, hass_storage, STORED, ACCOUNT)
    assert (entry["version"], entry["minor_version"]) == (1, 2)
    assert entry["data"] == STORED["data"]
    assert account["data"] == ACCOUNT["data"]
    assert [one["title"] for one in entry["subentries"]] == TITLES
    for before, after in zip(STORED["subentries"], entry["subentries"], strict=True):
        without = {key: value for key, value in before["data"].items() if key != "imported"}
        assert after["data"] == without
        assert {**before, "data": 0, "title": 0} == {**after, "data": 0, "title": 0}
    loaded = hass.config_entries.async_get_entry("account")
    assert loaded is not None
    assert loaded.state is ConfigEntryState.LOADED
    implementations = await async_get_implementations(hass, "acme")
    assert {key: one.name for key, one in implementations.items()} == {
        "acme": "Acme",
        "acme_b": "My app",
        "acme_c": "Acme 2",
        "acme_d": "Mine",
        "acme_e": "My app 2",
        "acme_g": "Acme 3",
    }
    assert vars(implementations["acme_b"])["client_secret"] == f"{SENTINEL}-2"
    assert issue_ids(hass) == []


@pytest.mark.parametrize("commit", ["first", "last"])
async def test_as_it_was_stored(
    hass: HomeAssistant, hass_storage: dict[str, Any], commit: str
) -> None:
    """What the first and the last commit of 0.1.0 have really stored is there, and is used.

    They ran in Home Assistant for these files: a credential of the YAML list, one without a name,
    and one with a name and a login.
    """
    text = (Path(__file__).parent / "storage" / f"{commit}_of_0_1_0.json").read_text()
    text = text.replace("demo_cloud", "acme").replace("Demo Cloud", "Acme")
    stored = json.loads(text)["data"]["entries"]
    item = {"domain": "acme", "client_id": "from-yaml", "client_secret": "s-yaml"}
    entry, account = await _start(hass, hass_storage, *stored, yaml={DOMAIN: [item]})
    assert account == stored[1]
    assert (await async_get_implementations(hass, "acme")).keys() == {
        "acme",
        "acme_34cb2bf7a1",
        "acme_my_app",
    }
    assert [one["title"] for one in entry["subentries"]] == ["Acme", "Acme 2", "Acme: My app"]
    for before, after in zip(stored[0]["subentries"], entry["subentries"], strict=True):
        kept = {key: value for key, value in before["data"].items() if key != "imported"}
        assert after["data"].items() >= kept.items()
        assert after["subentry_id"] == before["subentry_id"]
    loaded = hass.config_entries.async_get_entry(account["entry_id"])
    assert loaded is not None
    assert loaded.state is ConfigEntryState.LOADED
    assert vars(loaded.runtime_data)["client_secret"] == "s-my-app"
    assert issue_ids(hass) == []


async def test_without_the_newer_keys(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    """A credential from before a key has it afterwards; what is damaged stays as it is."""
    subentries = deepcopy(STORED["subentries"][1:3])
    for key in ("name", "redirect_uri", "token_endpoint_auth_method"):
        del subentries[0]["data"][key]
    del subentries[1]["data"]["client_secret"]
    (entry,) = await _start(hass, hass_storage, {**STORED, "subentries": subentries})
    old, damaged = entry["subentries"]
    assert old["data"] == {**STORED["subentries"][1]["data"], "name": None}
    assert damaged == subentries[1]
    assert issue_ids(hass) == ["credential_damaged_3"]


async def test_changed_meanwhile(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    """What is changed while the names of integrations are looked up is not undone."""
    await _start(hass, hass_storage, {**STORED, "subentries": STORED["subentries"][1:2]})
    entry = hass.config_entries.async_get_entry("ours")
    assert entry
    (subentry,) = entry.subentries.values()

    async def change(hass: HomeAssistant, domain: str) -> str:
        data = {**subentry.data, "client_secret": f"{SENTINEL}-new"}
        hass.config_entries.async_update_subentry(entry, subentry, data=data)
        return "Acme"

    with patch.object(migration, "async_get_name", change):
        await migration.async_migrate(hass, entry)
    assert subentry.data["client_secret"] == f"{SENTINEL}-new"


async def test_once(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    """What has the present form is not looked at again: a title is what the user makes it."""
    subentries = [{**STORED["subentries"][2], "title": "Acme: c"}]
    present = {**STORED, "minor_version": 2, "subentries": subentries}
    (entry,) = await _start(hass, hass_storage, present)
    assert entry["subentries"] == subentries


async def test_newer_minor_version(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    """What a newer minor version has stored is used as far as it is known, and left alone."""
    subentries = deepcopy(STORED["subentries"][1:3])
    subentries[0]["data"]["another"] = {"key": [1]}
    newer = {**STORED, "minor_version": 3, "subentries": subentries}
    entry, account = await _start(hass, hass_storage, newer, ACCOUNT)
    assert entry == newer
    assert account["data"] == ACCOUNT["data"]
    assert list(await async_get_implementations(hass, "acme")) == ["acme_b", "acme_c"]


async def test_newer_major_version(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    """Home Assistant does not set up what a newer major version has stored; nothing is lost."""
    newer = {**STORED, "version": 2, "minor_version": 1}
    entry, account = await _start(hass, hass_storage, newer, ACCOUNT)
    assert entry == newer
    assert account["data"] == ACCOUNT["data"]
    ours = hass.config_entries.async_get_entry("ours")
    assert ours is not None
    assert ours.state is ConfigEntryState.MIGRATION_ERROR


async def test_credential_from_before_variables(
    hass: HomeAssistant, hass_storage: dict[str, Any], install: Install
) -> None:
    """Where the integration has variables by now, a credential from before keeps its keys."""
    install(
        "varied",
        """
from custom_components.developer_credentials import AuthorizationServer, ServerVariable

async def async_get_authorization_server(hass):
    url = "https://{region}.cloud.example/"
    return AuthorizationServer(url, url, variables=[ServerVariable("region", "R", default="eu")])
""",
    )
    credential = {"domain": "varied", "auth_domain": "varied_id", "client_id": "id"}
    old = {**STORED, "subentries": [_subentry("8", "Varied", **credential)]}
    for before in (old, {**old, "minor_version": 2}):
        (entry,) = await _start(hass, hass_storage, before)
        assert entry["subentries"] == old["subentries"]
        assert entry["minor_version"] == 2
    (implementation,) = (await async_get_implementations(hass, "varied")).values()
    assert vars(implementation)["token_url"] == "https://eu.cloud.example/"

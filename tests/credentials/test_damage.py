"""Tests of a damaged storage: what is damaged is told and left out, the rest works."""

import asyncio
from collections.abc import Coroutine
from typing import Any, cast
from unittest.mock import patch

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigSubentryDataWithId,
    SubentryFlowContext,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.config_entry_oauth2_flow import async_get_implementations
from homeassistant.loader import Integration, async_get_integration, async_get_integrations
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.developer_credentials import DeveloperCredential
from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.credentials.store import (
    async_get_subentries,
    async_update_credential,
)
from custom_components.developer_credentials.credentials.yaml_import import async_import_items
from custom_components.developer_credentials.credentials.yaml_reader import YamlItem, YamlList
from custom_components.developer_credentials.repairs import DamageFlow
from custom_components.developer_credentials.system_health import async_get_info
from tests.common import (
    OFFLINE_PLATFORM,
    SENTINEL,
    add_credential,
    begin_repair,
    continue_repair,
    issue_ids,
)
from tests.conftest import Install

pytestmark = pytest.mark.usefixtures("current_request_with_host", "acme")

SOUND: dict[str, Any] = {
    "domain": "acme",
    "auth_domain": "acme_id",
    "client_id": "id",
    "client_secret": SENTINEL,
    "name": "My app",
    "redirect_uri": "default",
    "token_endpoint_auth_method": None,
}

# What is changed of a second credential.
OF_TWO = {"auth_domain": "acme_two", "client_id": "two", "name": "Two"}
OLD = {"auth_domain": "acme_old", "client_id": "34cb2bf7a1", "name": None}
DAMAGE: dict[str, dict[str, object]] = {
    "no domain": {"domain": None},
    "a list as domain": {"domain": ["acme"]},
    "a path as domain": {"domain": "../acme"},
    "a domain with a dot": {"domain": "acme.two"},
    "no auth domain": {"auth_domain": None},
    "a number as auth domain": {"auth_domain": 3},
    "no client id": {"client_id": None},
    "a mapping as client id": {"client_id": {"id": "two"}},
    "null as secret": {"client_secret": None},
    "a number as name": {"name": 3},
    "an unknown redirect URI": {"redirect_uri": "another"},
    "an unknown auth method": {"token_endpoint_auth_method": "private_key_jwt"},
    "no mapping as import": {"imported": "list"},
    "no mapping as variables": {"variables": "home"},
    "a number as the value of a variable": {"variables": {"tenant": 3}},
    "the auth domain of another": {"auth_domain": "acme_id"},
}


@pytest.fixture
def acme(install: Install) -> None:
    """Install an integration with the platform."""
    install("acme", OFFLINE_PLATFORM)


def _subentry(
    data: dict[str, object],
    subentry_id: str,
    unique_id: str | None = None,
    kind: str = "credential",
) -> ConfigSubentryDataWithId:
    return ConfigSubentryDataWithId(
        data=data,
        subentry_id=subentry_id,
        subentry_type=kind,
        title=f"Acme: {subentry_id}",
        unique_id=unique_id,
    )


async def _start(hass: HomeAssistant, *subentries: ConfigSubentryDataWithId) -> MockConfigEntry:
    """Start with an entry that was stored; one of the credentials in it is sound."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Developer Credentials",
        minor_version=2,
        subentries_data=[_subentry(SOUND, "sound", "acme.id"), *subentries],
    )
    entry.add_to_hass(hass)
    assert await async_setup_component(hass, "repairs", {})
    assert await async_setup_component(hass, "diagnostics", {})
    assert await async_setup_component(hass, DOMAIN, {})
    await hass.async_block_till_done()
    return entry


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=list(DAMAGE))
async def test_the_others_work(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    hass_ws_client: WebSocketGenerator,
    damage: dict[str, object],
) -> None:
    """A damaged credential is told in a repair; whatever there is works with the others."""
    entry = await _start(hass, _subentry({**SOUND, **OF_TWO, **damage}, "damaged", "acme.two"))
    assert issue_ids(hass) == ["credential_damaged_damaged"]
    assert list(await async_get_implementations(hass, "acme")) == ["acme_id"]
    client = await hass_ws_client()
    await client.send_json_auto_id({"type": f"{DOMAIN}/list"})
    (item,) = (await client.receive_json())["result"]
    assert item["id"] == "sound"
    await client.send_json_auto_id({"type": f"{DOMAIN}/subscribe"})
    assert (await client.receive_json())["success"]
    (change,) = (await client.receive_json())["event"]
    assert change["item"] == item
    for command in ("verify", "delete"):
        message = {"type": f"{DOMAIN}/{command}", "developer_credentials_id": "damaged"}
        await client.send_json_auto_id(message)
        assert (await client.receive_json())["error"]["code"] == "not_found"
    info = await async_get_info(hass)
    assert info["credentials"] == 1
    for check in info.values():
        if isinstance(check, Coroutine):
            check.close()
    web = await hass_client()
    response = await web.get(f"/api/diagnostics/config_entry/{entry.entry_id}")
    diagnostics = (await response.json())["data"]
    assert list(diagnostics["credentials"]) == ["sound"]
    assert diagnostics["damaged_credentials"] == ["damaged"]
    manager = hass.config_entries.subentries
    for subentry_id, kind in (("sound", FlowResultType.FORM), ("damaged", FlowResultType.ABORT)):
        context = SubentryFlowContext(source=SOURCE_RECONFIGURE, subentry_id=subentry_id)
        step = await manager.async_init((entry.entry_id, "credential"), context=context)
        assert step["type"] is kind
        assert step.get("reason") == (None if subentry_id == "sound" else "credential_damaged")
    await add_credential(hass, "acme", "third")
    assert list(await async_get_implementations(hass, "acme")) == ["acme_id", "acme_third"]


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=list(DAMAGE))
async def test_repair(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, damage: dict[str, object]
) -> None:
    """The repair mends what is told again by a default, and removes the rest."""
    await _start(hass, _subentry({**SOUND, **OF_TWO, **damage}, "damaged", "acme.two"))
    (issue,) = ir.async_get(hass).issues.values()
    assert "two" not in repr(issue)
    assert issue.translation_placeholders is not None
    known = damage.get("domain", "acme") == "acme"
    assert issue.translation_placeholders["name"] == ("Acme" if known else "-")
    step = await begin_repair(hass_client, issue.issue_id)
    (key, value), *_ = damage.items()
    mendable = key in {"name", "redirect_uri", "token_endpoint_auth_method", "imported"}
    mendable |= key == "variables"
    mendable |= value == "acme_id"
    assert step["step_id"] == ("mend" if mendable else "remove")
    step = await continue_repair(hass, hass_client, step, {})
    assert step["type"] == "create_entry"
    assert issue_ids(hass) == []
    found = async_get_subentries(hass, "acme")
    assert [one.subentry_id for one in found] == ["sound", "damaged"][: 1 + mendable]
    if mendable:
        assert found[1].data["client_secret"] == SENTINEL
        assert found[1].data["client_id"] == "two"
        auth_domains = list(await async_get_implementations(hass, "acme"))
        assert auth_domains == ["acme_id", "acme_id_2" if value == "acme_id" else "acme_two"]


async def test_title(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> None:
    """A title that is no text is mended, too."""
    damaged = _subentry({**SOUND, **OF_TWO}, "damaged", "acme.two")
    damaged["title"] = cast(str, None)
    await _start(hass, damaged)
    step = await begin_repair(hass_client, "credential_damaged_damaged")
    assert (await continue_repair(hass, hass_client, step, {}))["type"] == "create_entry"
    assert [one.title for one in async_get_subentries(hass, "acme")] == ["Acme: sound", "acme"]


async def test_repair_is_done_elsewhere(
    hass: HomeAssistant, hass_client: ClientSessionGenerator
) -> None:
    """Who submits or begins a repair of what is not damaged any more is told so."""
    entry = await _start(hass, _subentry({**SOUND, **OF_TWO, "name": 3}, "damaged"))
    step = await begin_repair(hass_client, "credential_damaged_damaged")
    data = {**SOUND, **OF_TWO}
    subentry = entry.subentries["damaged"]
    hass.config_entries.async_update_subentry(entry, subentry, data=data)
    step = await continue_repair(hass, hass_client, step, {})
    assert (step["type"], step["reason"]) == ("abort", "already_repaired")
    assert subentry.data == data
    assert issue_ids(hass) == []
    flow = DamageFlow("credential_damaged_damaged")
    flow.hass = hass
    assert (await flow.async_step_init(None))["reason"] == "already_repaired"


async def test_deleted_by_the_user(hass: HomeAssistant) -> None:
    """A damaged credential that the user deletes is told no more."""
    entry = await _start(hass, _subentry({}, "damaged"))
    assert issue_ids(hass) == ["credential_damaged_damaged"]
    hass.config_entries.async_remove_subentry(entry, "damaged")
    await hass.async_block_till_done()
    assert issue_ids(hass) == []


async def test_gone_while_it_is_told(hass: HomeAssistant) -> None:
    """What is deleted while its integration is looked up is not told."""
    entry = await _start(hass)
    looked_up = asyncio.Event()

    async def slow(hass: HomeAssistant, domains: list[str]) -> dict[str, Integration | Exception]:
        await looked_up.wait()
        return await async_get_integrations(hass, domains)

    with patch(
        "custom_components.developer_credentials.credentials.damage.async_get_integrations", slow
    ):
        subentry = entry.subentries["sound"]
        data = {**SOUND, "name": 3}
        hass.config_entries.async_update_subentry(entry, subentry, data=data)
        hass.config_entries.async_remove_subentry(entry, "sound")
        looked_up.set()
        await hass.async_block_till_done()
    assert issue_ids(hass) == []


async def test_subentry_of_another_type(hass: HomeAssistant) -> None:
    """A subentry of a type that is not known is none of a credential, and no damage."""
    await _start(hass, _subentry({"domain": "acme"}, "other", kind="another"))
    assert issue_ids(hass) == []
    assert list(await async_get_implementations(hass, "acme")) == ["acme_id"]
    await add_credential(hass, "acme", "third")
    assert list(await async_get_implementations(hass, "acme")) == ["acme_id", "acme_third"]


async def test_same_client_is_entered_again(hass: HomeAssistant) -> None:
    """It takes the place of the damaged one, which its entries find by its key."""
    await _start(
        hass,
        _subentry({**SOUND, **OF_TWO, "auth_domain": "legacy", "name": 3}, "a", "acme.two"),
        _subentry({**SOUND, **OF_TWO, "auth_domain": 3}, "b", "acme.three"),
        _subentry({**SOUND, **OF_TWO, "auth_domain": 3}, "c", "acme.new"),
    )
    await add_credential(hass, "acme", "two")
    item = YamlItem("here", "acme", DeveloperCredential("three"), "list", "acme")
    await async_import_items(hass, YamlList([item], whole=True))
    (subentry, *_) = async_get_subentries(hass, "acme")
    integration = await async_get_integration(hass, "acme")
    async_update_credential(hass, subentry, integration, DeveloperCredential("new"))
    await hass.async_block_till_done()
    assert [
        (one.data["client_id"], one.data["auth_domain"])
        for one in async_get_subentries(hass, "acme")
    ] == [("new", "acme_id"), ("two", "legacy"), ("three", "acme")]
    assert issue_ids(hass) == []


async def test_same_client_is_entered_again_in_the_list(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    """So it does where it is entered by "Add credential"."""
    entry = await _start(hass, _subentry({**SOUND, **OF_TWO, "name": 3}, "a", "acme.two"))
    manager = hass.config_entries.subentries
    step = await manager.async_init((entry.entry_id, "credential"), context={"source": "user"})
    if step["step_id"] == "integration":
        step = await manager.async_configure(step["flow_id"], {"domain": "acme"})
    form = {"client_id": "two", "client_secret": SENTINEL}
    step = await manager.async_configure(step["flow_id"], form)
    assert step["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert issue_ids(hass) == []
    assert list(await async_get_implementations(hass, "acme")) == ["acme_id", "acme_two"]


async def test_second_entry(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> None:
    """Of two entries the older one is used; the repair moves what the other one has."""
    second = MockConfigEntry(
        domain=DOMAIN,
        minor_version=1,
        subentries_data=[
            _subentry({**SOUND, **OF_TWO}, "two", "acme.two"),
            _subentry(SOUND, "twice", "acme.id"),
            _subentry({**SOUND, **OLD}, "34cb2bf7a1", "acme.34cb2bf7a1"),
        ],
    )
    first = await _start(hass)
    second.add_to_hass(hass)
    assert await hass.config_entries.async_setup(second.entry_id)
    await hass.async_block_till_done()
    assert issue_ids(hass) == [f"second_entry_{second.entry_id}"]
    assert list(await async_get_implementations(hass, "acme")) == ["acme_id"]
    subentry = await add_credential(hass, "acme", "third")
    integration = await async_get_integration(hass, "acme")
    async_update_credential(hass, subentry, integration, DeveloperCredential("3", SENTINEL))
    step = await begin_repair(hass_client, f"second_entry_{second.entry_id}")
    assert (await continue_repair(hass, hass_client, step, {}))["type"] == "create_entry"
    assert hass.config_entries.async_entries(DOMAIN) == [first]
    assert list(first.subentries)[::2] == ["sound", "two"]
    # As 0.1.0 has titled it, it would become the title of entries, which every user reads.
    assert first.subentries["34cb2bf7a1"].title == "Acme 2"
    assert issue_ids(hass) == []
    assert list(await async_get_implementations(hass, "acme")) == [
        "acme_id",
        "acme_third",
        "acme_two",
        "acme_old",
    ]


async def test_second_entry_is_gone(
    hass: HomeAssistant, hass_client: ClientSessionGenerator
) -> None:
    """Who submits the repair of a second entry that was removed meanwhile is told so."""
    await _start(hass)
    second = MockConfigEntry(domain=DOMAIN, minor_version=2)
    second.add_to_hass(hass)
    assert await hass.config_entries.async_setup(second.entry_id)
    issue_id = f"second_entry_{second.entry_id}"
    open_flow = await begin_repair(hass_client, issue_id)
    other_flow = await begin_repair(hass_client, issue_id)
    assert (await continue_repair(hass, hass_client, other_flow, {}))["type"] == "create_entry"
    step = await continue_repair(hass, hass_client, open_flow, {})
    assert (step["type"], step["reason"]) == ("abort", "already_repaired")
    assert list(await async_get_implementations(hass, "acme")) == ["acme_id"]

"""Tests of editing Home Assistant's own application credentials in place."""

from typing import Any

from homeassistant.components import application_credentials
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryNotReady, HomeAssistantError
from homeassistant.helpers.config_entry_oauth2_flow import async_get_implementations
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, flush_store
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from demo.authorization_server import DemoAuthorizationServer
from tests.common import (
    REDIRECT_URI,
    SENTINEL,
    entry_of,
    suggested,
)
from tests.conftest import Install
from tests.core_credentials.peer import (
    NEW,
    SERVER,
    add_application_credential,
    begin_editing,
)

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host")

IMPLEMENTATION = """
from homeassistant.helpers.config_entry_oauth2_flow import LocalOAuth2Implementation

async def async_get_auth_implementation(hass, auth_domain, credential):
    return LocalOAuth2Implementation(
        hass, auth_domain, credential.client_id, credential.client_secret,
        "{url}/authorize", "{url}/token",
    )
"""


async def _entry(hass: HomeAssistant, auth_domain: str) -> MockConfigEntry:
    entry = MockConfigEntry(
        domain="peer", title="Account", data={"auth_implementation": auth_domain}
    )
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


async def _begin(hass: HomeAssistant) -> ConfigFlowResult:
    """Go to the form of the one application credential."""
    flow, step = hass.config_entries.flow, await begin_editing(hass)
    assert step["step_id"] == "application_credential"
    assert step["data_schema"] is not None
    (selector,) = step["data_schema"].schema.values()
    (option,) = selector.config["options"]
    return await flow.async_configure(step["flow_id"], {"credential": option["value"]})


async def _submit(
    hass: HomeAssistant, step: ConfigFlowResult, values: dict[str, Any]
) -> ConfigFlowResult:
    result = await hass.config_entries.flow.async_configure(step["flow_id"], values)
    await hass.async_block_till_done()
    return result


def _items(hass: HomeAssistant) -> list[dict[str, str]]:
    return hass.data[application_credentials.DATA_COMPONENT].async_items()


def _reauths(hass: HomeAssistant) -> list[str]:
    return [
        flow["context"]["entry_id"]
        for flow in hass.config_entries.flow.async_progress_by_handler("peer")
        if flow["context"]["source"] == SOURCE_REAUTH
    ]


@pytest.mark.parametrize("imported", [False, True], ids=["entered", "imported"])
@pytest.mark.usefixtures("peer")
async def test_new_secret(
    hass: HomeAssistant,
    demo_cloud: DemoAuthorizationServer,
    hass_storage: dict[str, Any],
    imported: bool,
) -> None:
    """A new secret is verified and stored under the same key; entries that use it are reloaded."""
    auth_domain = await add_application_credential(hass, imported=imported)
    loaded = await _entry(hass, auth_domain)
    hass.data["peer_fails"] = RuntimeError()
    failed = await _entry(hass, auth_domain)
    hass.data["peer_fails"] = ConfigEntryNotReady()
    waiting = await _entry(hass, auth_domain)
    assert waiting.state is ConfigEntryState.SETUP_RETRY
    hass.data["peer_fails"] = None
    other = await _entry(hass, "other")
    unloaded = await _entry(hass, auth_domain)
    await hass.config_entries.async_unload(unloaded.entry_id)
    (before,) = _items(hass)
    demo_cloud.clients["id"].client_secret = NEW
    # What is still to be written must not do it for the edit.
    store = hass.data[application_credentials.DATA_COMPONENT].store
    await flush_store(store)
    hass_storage["application_credentials"]["data"] = {"items": []}

    step = await _begin(hass)
    assert step["step_id"] == "edit_application_credential"
    placeholders = step["description_placeholders"]
    assert placeholders is not None
    assert placeholders["integration"] == "Peer"
    assert "used by Account, Account, Account, Account." in placeholders["situation"]
    assert f"`{REDIRECT_URI}`" in placeholders["redirect_uri"]
    assert SENTINEL not in str(step)
    assert list(suggested(step)) == ["client_id", "client_secret", "name"]
    step = await _submit(hass, step, {"client_id": "id", "client_secret": f"{SENTINEL}-wrong"})
    assert step["errors"] == {"base": "rejected"}
    assert _items(hass) == [before]
    result = await _submit(
        hass, step, {"more": {"name": "My app"}, "client_id": "id", "client_secret": NEW}
    )
    assert (result["type"], result["reason"]) == ("abort", "credential_saved")
    told = {"integration": "Peer", "title": r"Peer\: My app"}
    assert result["description_placeholders"] == told
    assert _items(hass) == [{**before, "client_secret": NEW}]
    for entry in (loaded, failed, waiting):
        assert entry.state is ConfigEntryState.LOADED
        assert entry.runtime_data.client_secret == NEW
    assert other.state is ConfigEntryState.SETUP_ERROR
    assert unloaded.state is ConfigEntryState.NOT_LOADED
    assert set(_reauths(hass)) <= {other.entry_id}

    await flush_store(store)
    (item,) = hass_storage["application_credentials"]["data"]["items"]
    assert item == {**before, "client_secret": NEW}
    assert entry_of(hass).subentries == {}


@pytest.mark.usefixtures("peer")
async def test_named_like_its_integration(hass: HomeAssistant) -> None:
    """Nothing is called by its integration twice; what would be called alike is numbered."""
    await add_application_credential(hass, name="Peer")
    other = {"domain": "peer", "client_id": "other", "client_secret": SENTINEL, "name": "Peer"}
    await hass.data[application_credentials.DATA_COMPONENT].async_create_item(other)
    step = await begin_editing(hass)
    assert step["data_schema"] is not None
    (selector,) = step["data_schema"].schema.values()
    options = {one["label"]: one["value"] for one in selector.config["options"]}
    assert list(options) == ["Peer", "Peer 2"]
    flow = hass.config_entries.flow
    step = await flow.async_configure(step["flow_id"], {"credential": options["Peer"]})
    result = await _submit(hass, step, {"client_id": "id"})
    assert (result["description_placeholders"] or {})["title"] == "Peer"


@pytest.mark.usefixtures("peer")
async def test_new_client_id(hass: HomeAssistant, hass_ws_client: WebSocketGenerator) -> None:
    """A new client id has the entries log in again; the key stays, and what it protects."""
    auth_domain = await add_application_credential(hass)
    entry = await _entry(hass, auth_domain)
    (before,) = _items(hass)
    client = await hass_ws_client()
    await client.send_json_auto_id({"type": "application_credentials/subscribe"})
    for _ in range(2):
        await client.receive_json()
    step = await _begin(hass)
    values = {"client_id": "new", "client_secret": NEW}
    await _submit(hass, step, values | {"more": {}})
    (after,) = _items(hass)
    expected = {**before, **values}
    del expected["name"]
    assert after == expected
    assert entry.data["auth_implementation"] == auth_domain == after["id"]
    assert _reauths(hass) == [entry.entry_id]
    implementations = await async_get_implementations(hass, "peer")
    assert {key: vars(one)["client_id"] for key, one in implementations.items()} == {
        auth_domain: "new"
    }
    # The peer's page shows it at once, and its protection is what it was.
    message = await client.receive_json()
    (change,) = message["event"]
    assert (change["change_type"], change["item"]["client_id"]) == ("updated", "new")
    collection = hass.data[application_credentials.DATA_COMPONENT]
    with pytest.raises(HomeAssistantError, match="in use"):
        await collection.async_delete_item(after["id"])


@pytest.mark.usefixtures("peer")
async def test_survives_a_restart(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    """What was edited is there after a restart, by the same key, and can be edited again."""
    auth_domain = await add_application_credential(hass)
    await _submit(hass, await _begin(hass), {"client_id": "new", "client_secret": NEW})
    await flush_store(hass.data[application_credentials.DATA_COMPONENT].store)
    hass.config.components.remove("application_credentials")
    del hass.data[application_credentials.DATA_COMPONENT]
    assert await async_setup_component(hass, "application_credentials", {})
    (item,) = _items(hass)
    assert (item["id"], item["client_id"], item["client_secret"]) == (auth_domain, "new", NEW)
    entry = await _entry(hass, auth_domain)
    assert entry.state is ConfigEntryState.LOADED
    await _submit(hass, await _begin(hass), {"client_id": "id", "client_secret": SENTINEL})
    assert _items(hass)[0]["client_id"] == "id"


@pytest.mark.usefixtures("peer")
async def test_only_the_name(hass: HomeAssistant) -> None:
    """A new name, with an empty secret field, changes nothing else; nothing is reloaded."""
    entry = await _entry(hass, await add_application_credential(hass))
    runtime_data = entry.runtime_data
    (before,) = _items(hass)
    await _submit(hass, await _begin(hass), {"client_id": "id", "more": {"name": "Renamed"}})
    assert _items(hass) == [{**before, "name": "Renamed"}]
    assert entry.runtime_data is runtime_data
    assert _reauths(hass) == []


@pytest.mark.usefixtures("peer")
async def test_two_forms(hass: HomeAssistant) -> None:
    """A form about what is another meanwhile is shown again, with what is there now."""
    await add_application_credential(hass)
    first, second = await _begin(hass), await _begin(hass)
    await _submit(hass, first, {"client_id": "new", "client_secret": NEW})
    step = await _submit(hass, second, {"client_id": "id", "more": {"name": "Renamed"}})
    assert step["errors"] == {"base": "changed_meanwhile"}
    assert suggested(step) == {"client_id": "new", "client_secret": None, "name": "My app"}
    await _submit(hass, step, {"client_id": "new", "more": {"name": "Renamed"}})
    (item,) = _items(hass)
    assert (item["client_id"], item["client_secret"], item["name"]) == ("new", NEW, "Renamed")


@pytest.mark.usefixtures("peer")
async def test_deleted_while_the_form_is_open(
    hass: HomeAssistant, demo_cloud: DemoAuthorizationServer
) -> None:
    """One that was deleted is said to be gone, before any server is asked about it."""
    auth_domain = await add_application_credential(hass)
    step = await _begin(hass)
    asked = len(demo_cloud.token_requests)
    await hass.data[application_credentials.DATA_COMPONENT].async_delete_item(auth_domain)
    result = await _submit(hass, step, {"client_id": "id", "client_secret": NEW})
    assert result["reason"] == "credential_gone"
    assert len(demo_cloud.token_requests) == asked
    assert _items(hass) == []


@pytest.mark.usefixtures("peer")
async def test_insisted_on(hass: HomeAssistant) -> None:
    """What the server rejects is saved where the user says so, and the dialog says what is true."""
    await add_application_credential(hass)
    values = {"client_id": "unknown", "client_secret": NEW}
    step = await _submit(hass, await _begin(hass), values)
    assert step["errors"] == {"base": "rejected"}
    step = await _submit(hass, step, {"client_id": "unknown"})
    assert step["errors"] == {"base": "rejected"}
    result = await _submit(hass, step, {"client_id": "unknown", "save_anyway": True})
    assert result["reason"] == "credential_saved_rejected"
    assert _items(hass)[0]["client_id"] == "unknown"
    assert _items(hass)[0]["client_secret"] == NEW


@pytest.mark.usefixtures("peer")
async def test_redirect_uri_is_rejected(
    hass: HomeAssistant, demo_cloud: DemoAuthorizationServer
) -> None:
    """That the redirect URI is not registered is said, though there is no field for it."""
    await add_application_credential(hass)
    demo_cloud.clients["id"].redirect_uris = ()
    step = await _submit(hass, await _begin(hass), {"client_id": "id"})
    assert step["errors"] == {"base": "redirect_uri_rejected"}


@pytest.mark.usefixtures("peer")
async def test_client_id_is_taken(hass: HomeAssistant) -> None:
    """Two application credentials of an integration do not get the same client id."""
    await add_application_credential(hass, name=None)
    collection = hass.data[application_credentials.DATA_COMPONENT]
    item = {"domain": "peer", "client_id": "new", "client_secret": NEW}
    await collection.async_create_item(item)
    step = await begin_editing(hass)
    assert step["data_schema"] is not None
    (selector,) = step["data_schema"].schema.values()
    assert selector.config["options"] == [
        {"value": "peer_id", "label": "Peer: id"},
        {"value": "peer_new", "label": "Peer: new"},
    ]
    step = await _submit(hass, step, {"credential": "peer_id"})
    step = await _submit(hass, step, {"client_id": "new"})
    assert step["errors"] == {"client_id": "already_configured"}
    assert [one["client_id"] for one in _items(hass)] == ["id", "new"]


@pytest.mark.usefixtures("peer")
async def test_deleted_meanwhile(hass: HomeAssistant) -> None:
    """An application credential that was deleted while its form was open stays deleted."""
    auth_domain = await add_application_credential(hass)
    step = await _begin(hass)
    await hass.data[application_credentials.DATA_COMPONENT].async_delete_item(auth_domain)
    result = await _submit(hass, step, {"client_id": "id", "client_secret": SENTINEL})
    assert (result["type"], result["reason"]) == ("abort", "credential_gone")
    assert _items(hass) == []


@pytest.mark.usefixtures("peer")
async def test_choice_is_gone(hass: HomeAssistant) -> None:
    """One that was deleted before it was chosen is not there to be chosen."""
    auth_domain = await add_application_credential(hass)
    step = await begin_editing(hass)
    await hass.data[application_credentials.DATA_COMPONENT].async_delete_item(auth_domain)
    result = await _submit(hass, step, {"credential": auth_domain})
    assert (result["type"], result["reason"]) == ("abort", "credential_gone")


@pytest.mark.usefixtures("peer")
async def test_integration_is_gone(hass: HomeAssistant) -> None:
    """What an integration has left behind that is not installed any more cannot be edited."""
    await add_application_credential(hass)
    hass.data[application_credentials.DATA_COMPONENT].data["peer_id"]["domain"] = "uninstalled"
    result = await _begin(hass)
    assert (result["type"], result["reason"]) == ("abort", "integration_gone")
    assert result["description_placeholders"] == {"domain": "uninstalled"}


PLATFORMS = {
    "implementation": (IMPLEMENTATION, True),
    "implementation of another kind": (
        "async def async_get_auth_implementation(hass, auth_domain, credential): return None",
        False,
    ),
    "address that cannot be": (SERVER.replace("{url}/token", "http://cloud.example"), False),
    "implementation with such an address": (
        IMPLEMENTATION.replace("{url}/token", "http://cloud.example"),
        False,
    ),
    "broken": ("raise RuntimeError", False),
    "raises": ("async def async_get_authorization_server(hass): raise ValueError", False),
}


@pytest.mark.parametrize(("platform", "verified"), PLATFORMS.values(), ids=list(PLATFORMS))
async def test_platforms(
    hass: HomeAssistant,
    install: Install,
    demo_cloud: DemoAuthorizationServer,
    platform: str,
    verified: bool,
) -> None:
    """It is verified where the platform says how; no platform keeps the user from saving."""
    platform = platform.replace("{url}", demo_cloud.url)
    install("peer", application_credentials=platform)
    assert await async_setup_component(hass, "application_credentials", {})
    collection = hass.data[application_credentials.DATA_COMPONENT]
    item = {"id": "peer_id", "domain": "peer", "client_id": "id", "client_secret": SENTINEL}
    collection.data["peer_id"] = item
    step = await _submit(hass, await _begin(hass), {"client_id": "id", "client_secret": NEW})
    assert bool(demo_cloud.token_requests) is verified
    assert (step["type"] == "form") is verified

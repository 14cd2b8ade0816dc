"""Tests of the repair of an application credential that its server rejects."""

from homeassistant.components import application_credentials
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.core_credentials.collection import (
    async_get_application_credentials,
)
from custom_components.developer_credentials.credentials.store import async_get_or_create_entry
from custom_components.developer_credentials.watching.rejection import (
    async_get_core_rejections,
    async_report,
    async_withdraw,
)
from demo.authorization_server import DemoAuthorizationServer
from tests.common import SENTINEL, begin_repair, continue_repair, issue_ids
from tests.conftest import Install
from tests.core_credentials.peer import CONFIG_FLOW, INIT, NEW, SERVER, add_application_credential

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host", "looked_after")

ANSWER = "invalid_client: *words* of the server"


@pytest.fixture
async def looked_after(hass: HomeAssistant, setup: None, peer: None) -> None:
    """Have application credentials looked after."""
    await async_get_or_create_entry(hass)
    await hass.async_block_till_done()


async def _entry(hass: HomeAssistant, title: str, auth_domain: str = "peer_id") -> MockConfigEntry:
    entry = MockConfigEntry(domain="peer", title=title, data={"auth_implementation": auth_domain})
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


def _items(hass: HomeAssistant) -> list[dict[str, str]]:
    return hass.data[application_credentials.DATA_COMPONENT].async_items()


async def _reject(hass: HomeAssistant) -> str:
    """Have the one application credential rejected, and return the id of the issue."""
    await hass.async_block_till_done(wait_background_tasks=True)
    (one,) = async_get_application_credentials(hass).values()
    async_withdraw(hass, one.item_id)
    async_report(hass, one, ANSWER)
    (issue_id,) = issue_ids(hass)
    return issue_id


def _reauths(hass: HomeAssistant) -> set[str]:
    return {
        flow["context"]["entry_id"]
        for flow in hass.config_entries.flow.async_progress_by_handler("peer")
        if flow["context"]["source"] == SOURCE_REAUTH
    }


async def test_corrected(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, demo_cloud: DemoAuthorizationServer
) -> None:
    """The secret is corrected in the form; the entries are loaded again, nobody logs in."""
    await add_application_credential(hass)
    loaded = await _entry(hass, "First*")
    hass.data["peer_fails"] = RuntimeError()
    failed = await _entry(hass, "Second")
    hass.data["peer_fails"] = None
    demo_cloud.clients["id"].client_secret = NEW
    issue_id = await _reject(hass)
    (before,) = _items(hass)
    issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.translation_placeholders == {"credential": "Peer: My app"}

    step = await begin_repair(hass_client, issue_id)
    assert (step["type"], step["step_id"]) == ("menu", "init")
    assert step["menu_options"] == ["edit_application_credential", "log_in"]
    since = async_get_core_rejections(hass)["peer_id"].since
    assert step["description_placeholders"] == {
        "answer": r"invalid\_client\: \*words\* of the server",
        "credential": "Peer: My app",
        "entries": r"First\*, Second",
        "integration": "Peer",
        "since": f"{since:%Y-%m-%d %H:%M}",
    }
    step = await continue_repair(
        hass, hass_client, step, {"next_step_id": "edit_application_credential"}
    )
    assert step["step_id"] == "edit_application_credential"
    # What is wrong comes first, and what is known of it.
    assert next(iter(step["data_schema"]))["name"] == "client_secret"
    assert (
        r"invalid\_client\: \*words\* of the server"
        in step["description_placeholders"]["situation"]
    )
    unchanged = await continue_repair(hass, hass_client, step, {"client_id": "id"})
    assert unchanged["errors"] == {"base": "still_rejected"}
    wrong = {"client_id": "id", "client_secret": f"{SENTINEL}-wrong"}
    step = await continue_repair(hass, hass_client, step, wrong)
    assert step["errors"] == {"base": "rejected"}
    assert SENTINEL not in str(step)
    result = await continue_repair(
        hass, hass_client, step, {"client_id": "id", "client_secret": NEW}
    )
    assert result["type"] == "create_entry"
    (after,) = _items(hass)
    assert after["client_secret"] == NEW
    assert after["id"] == before["id"]
    assert issue_ids(hass) == []
    assert async_get_core_rejections(hass) == {}
    for entry in (loaded, failed):
        assert entry.state is ConfigEntryState.LOADED
        assert entry.runtime_data.client_secret == NEW
    assert _reauths(hass) == set()


async def test_saved_anyway(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> None:
    """What is saved against the server's word is no repair, and that is said."""
    await add_application_credential(hass)
    await _entry(hass, "Account")
    issue_id = await _reject(hass)
    step = await begin_repair(hass_client, issue_id)
    choice = {"next_step_id": "edit_application_credential"}
    step = await continue_repair(hass, hass_client, step, choice)
    values = {"client_id": "id", "client_secret": f"{SENTINEL}-wrong"}
    step = await continue_repair(hass, hass_client, step, values)
    result = await continue_repair(
        hass, hass_client, step, {"client_id": "id", "save_anyway": True}
    )
    assert (result["type"], result["reason"]) == ("abort", "credential_saved_rejected")
    assert result["description_placeholders"] == {"title": r"Peer\: My app", "integration": "Peer"}
    assert _items(hass)[0]["client_secret"] == f"{SENTINEL}-wrong"


async def test_log_in_again(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> None:
    """The users are asked to log in again; the repair stays until that has helped."""
    await add_application_credential(hass)
    entries = [await _entry(hass, "First*"), await _entry(hass, "Second")]
    issue_id = await _reject(hass)
    step = await begin_repair(hass_client, issue_id)
    result = await continue_repair(hass, hass_client, step, {"next_step_id": "log_in"})
    assert (result["type"], result["reason"]) == ("abort", "logins_started")
    assert result["description_placeholders"] == {"entries": r"First\*, Second"}
    assert _reauths(hass) == {entry.entry_id for entry in entries}
    assert issue_ids(hass) == [issue_id]


async def test_unused(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> None:
    """Where nobody uses it, or disabled entries only, there is no login to ask for."""
    await add_application_credential(hass)
    MockConfigEntry(
        domain="peer",
        title="Disabled",
        data={"auth_implementation": "peer_id"},
        disabled_by=ConfigEntryDisabler.USER,
    ).add_to_hass(hass)
    step = await begin_repair(hass_client, await _reject(hass))
    assert step["menu_options"] == ["edit_application_credential"]
    assert step["description_placeholders"]["entries"] == "Disabled"


BUILT_IN = f"CLIENT_ID = 'id'\n{INIT}"


async def test_built_in(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, install: Install
) -> None:
    """One that came with its integration is no business of a form; that is said."""
    server = SERVER.format(url="https://cloud.example")
    flow = CONFIG_FLOW.replace("peer", "built")
    install("built", application_credentials=server, __init__=BUILT_IN, config_flow=flow)
    entry = MockConfigEntry(domain="built", title="Account", data={"auth_implementation": "built"})
    entry.add_to_hass(hass)
    await add_application_credential(hass, "built", imported=True)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    issue_id = await _reject(hass)
    step = await begin_repair(hass_client, issue_id)
    assert (step["type"], step["step_id"]) == ("menu", "built_in")
    assert step["menu_options"] == ["log_in"]
    assert step["description_placeholders"]["entries"] == "Account"
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    await _reject(hass)
    result = await begin_repair(hass_client, issue_id)
    assert (result["type"], result["reason"]) == ("abort", "built_in")
    assert "invalid" in result["description_placeholders"]["answer"]


async def test_imported_from_yaml(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> None:
    """One that was imported from the user's YAML is corrected as any other."""
    await add_application_credential(hass, imported=True)
    await _entry(hass, "Account", "peer")
    step = await begin_repair(hass_client, await _reject(hass))
    assert step["menu_options"] == ["edit_application_credential", "log_in"]


@pytest.mark.parametrize("choice", ["edit_application_credential", "log_in"])
async def test_two_windows(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, choice: str
) -> None:
    """Where somebody else was faster, that is said, and nothing is changed."""
    await add_application_credential(hass)
    await _entry(hass, "Account")
    issue_id = await _reject(hass)
    step = await begin_repair(hass_client, issue_id)
    if choice == "edit_application_credential":
        step = await continue_repair(hass, hass_client, step, {"next_step_id": choice})
    async_withdraw(hass, "peer_id")
    fields = {"client_id": "new", "client_secret": NEW}
    if choice == "log_in":
        fields = {"next_step_id": choice}
    before = _items(hass)
    result = await continue_repair(hass, hass_client, step, fields)
    assert (result["type"], result["reason"]) == ("abort", "already_repaired")
    assert _items(hass) == before
    assert _reauths(hass) == set()


async def test_deleted_meanwhile(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> None:
    """One that was deleted while its form was open is not corrected."""
    await add_application_credential(hass)
    step = await begin_repair(hass_client, await _reject(hass))
    choice = {"next_step_id": "edit_application_credential"}
    step = await continue_repair(hass, hass_client, step, choice)
    del hass.data[application_credentials.DATA_COMPONENT].data["peer_id"]
    result = await continue_repair(hass, hass_client, step, {"client_id": "id"})
    assert (result["type"], result["reason"]) == ("abort", "already_repaired")


async def test_of_two(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, install: Install
) -> None:
    """Each repair is about its own credential."""
    install("other", application_credentials=SERVER.format(url="http://127.0.0.1:9"))
    await add_application_credential(hass, "other")
    await _reject(hass)
    await add_application_credential(hass, name="Second")
    second = async_get_application_credentials(hass)["peer_id"]
    await hass.async_block_till_done(wait_background_tasks=True)
    before = issue_ids(hass)
    async_report(hass, second, ANSWER)
    (issue_id,) = set(issue_ids(hass)) - set(before)
    step = await begin_repair(hass_client, issue_id)
    assert step["description_placeholders"]["credential"] == "Peer: Second"


async def test_integration_is_gone(
    hass: HomeAssistant, hass_client: ClientSessionGenerator
) -> None:
    """One whose integration is not installed any more cannot be corrected."""
    await add_application_credential(hass)
    issue_id = await _reject(hass)
    hass.data[application_credentials.DATA_COMPONENT].data["peer_id"]["domain"] = "uninstalled"
    result = await begin_repair(hass_client, issue_id)
    assert (result["type"], result["reason"]) == ("abort", "integration_gone")
    assert result["description_placeholders"] == {"domain": "uninstalled"}

"""Tests of the less common cases: races, outages, restarts, integrations with own habits."""

import asyncio
from dataclasses import replace
from importlib import import_module
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

from aiohttp import web
from homeassistant.components import application_credentials
from homeassistant.config_entries import (
    SOURCE_DISCOVERY,
    SOURCE_REAUTH,
    ConfigEntryDisabler,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowContext,
    ConfigFlowResult,
)
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.loader import async_get_integration
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.core_credentials.collection import (
    async_get_application_credentials,
)
from custom_components.developer_credentials.core_credentials.editing import (
    async_update_application_credential,
)
from custom_components.developer_credentials.core_credentials.options import (
    ADOPT_ALL,
    ADOPT_NONE,
    CONF_ADOPT,
    CONF_LOOK_AFTER,
    CONF_VERIFY,
)
from custom_components.developer_credentials.core_credentials.users import (
    async_get_application_credential_users,
)
from custom_components.developer_credentials.flows.credential_subject import PeerCredential
from custom_components.developer_credentials.oauth2.client import DeveloperCredential
from custom_components.developer_credentials.oauth2.verification import Outcome
from custom_components.developer_credentials.private_api import (
    async_get_current_step,
    async_get_unknown,
)
from custom_components.developer_credentials.watching import answers
from custom_components.developer_credentials.watching import logins as logins_module
from custom_components.developer_credentials.watching.logins import async_log_in_again
from custom_components.developer_credentials.watching.memory import (
    CONF_WATCHED,
    async_get_logins,
    async_has_had_token,
    async_note_accepted,
)
from custom_components.developer_credentials.watching.rejection import async_get_core_rejections
from tests.common import entry_of
from tests.conftest import PassTime
from tests.recording_server import TOKEN, answer
from tests.watching.cloud import (
    CONTEXT,
    OWN_NAME,
    SECRET,
    WRONG,
    Cloud,
    add_entry,
    elapse,
    enter,
    import_one,
    login_issues,
    logins,
    look_after,
    nap,
    repairs,
    rotate,
    settle,
)

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host")

DAY = 86_400


async def _not_proven(hass: HomeAssistant, cloud: Cloud) -> MockConfigEntry:
    await enter(hass, WRONG)
    await look_after(hass)
    entry = await add_entry(hass)
    assert len(repairs(hass)) == 1
    return entry


async def test_dialog_does_not_wait(hass: HomeAssistant, cloud: Cloud) -> None:
    """The dialog in which one is entered does not wait for the server."""
    await look_after(hass)
    cloud.go_on.clear()
    collection = hass.data[application_credentials.DATA_COMPONENT]
    item = {"domain": "acme", "client_id": "id", "client_secret": WRONG}
    async with asyncio.timeout(5):
        await collection.async_create_item(item)
    await nap()
    assert repairs(hass) == []
    cloud.go_on.set()
    await settle(hass)
    assert len(repairs(hass)) == 1


async def test_at_the_start(hass: HomeAssistant, cloud: Cloud, pass_time: PassTime) -> None:
    """While Home Assistant starts, nothing is asked; what has failed by then is looked at."""
    await enter(hass, WRONG)
    await enter(hass, client_id="second")
    hass.set_state(CoreState.starting)
    await look_after(hass)
    await add_entry(hass)
    await elapse(hass, pass_time, 1_000)
    assert cloud.codes == []
    hass.set_state(CoreState.running)
    hass.bus.async_fire("homeassistant_started")
    await settle(hass)
    assert cloud.codes[:1] == ["id"]
    assert "second" not in cloud.codes
    assert len(repairs(hass)) == 1


async def test_login_before_us(hass: HomeAssistant, cloud: Cloud) -> None:
    """An entry that works and is asked for a login is looked at, too."""
    await enter(hass, WRONG)
    entry = await add_entry(hass, lazy=True)
    entry.async_start_reauth(hass)
    await settle(hass)
    await look_after(hass)
    assert len(repairs(hass)) == 1


async def test_plain_error(hass: HomeAssistant, cloud: Cloud, pass_time: PassTime) -> None:
    """An entry that ends in a plain error has its repair; once mended, it is loaded."""
    await look_after(hass)
    await enter(hass)
    cloud.secrets["id"] = "rotated"
    await elapse(hass, pass_time, 1_000)
    entry = await add_entry(hass, fails=True)
    assert entry.state == ConfigEntryState.SETUP_ERROR
    assert len(repairs(hass)) == 1
    cloud.secrets["id"] = SECRET
    await elapse(hass, pass_time, 3_601)
    assert repairs(hass) == []
    assert entry.state is ConfigEntryState.LOADED


async def _adopt(hass: HomeAssistant, adopt: str = ADOPT_ALL) -> None:
    ours = await look_after(hass)
    hass.config_entries.async_update_entry(ours, options={CONF_ADOPT: adopt})
    await settle(hass)


async def _taken_back(hass: HomeAssistant, cloud: Cloud) -> MockConfigEntry:
    """Have a login taken back."""
    await look_after(hass)
    await enter(hass)
    cloud.secrets["id"] = "rotated"
    await rotate(hass, WRONG)
    entry = await add_entry(hass)
    assert (len(repairs(hass)), logins(hass)) == (1, [])
    assert list(async_get_logins(hass)) == [entry.entry_id]
    return entry


async def test_own_reauth(hass: HomeAssistant, cloud: Cloud) -> None:
    """A login that an integration has begun itself, without an issue, is taken back likewise."""
    await look_after(hass)
    await enter(hass)
    entry = await add_entry(hass)
    cloud.secrets["id"] = "rotated"
    await rotate(hass, WRONG)
    for _ in range(2):
        await hass.config_entries.flow.async_init(
            "acme",
            context={"source": SOURCE_REAUTH, "entry_id": entry.entry_id},
            data=dict(entry.data),
        )
        await settle(hass)
        assert (len(repairs(hass)), logins(hass)) == (1, [])


async def test_opened_and_mended(hass: HomeAssistant, cloud: Cloud, pass_time: PassTime) -> None:
    """Who has opened a login is not disturbed when the client is accepted again."""
    entry = await _not_proven(hass, cloud)
    (flow,) = hass.config_entries.flow.async_progress()
    await hass.config_entries.flow.async_configure(flow["flow_id"])
    cloud.secrets["id"] = WRONG
    await elapse(hass, pass_time, 3_601)
    assert repairs(hass) == []
    assert logins(hass) == [entry.entry_id]
    assert entry.state is ConfigEntryState.SETUP_ERROR


async def test_cannot_be_told(hass: HomeAssistant, cloud: Cloud) -> None:
    """Where Home Assistant does not tell whether a login was opened, it stays."""
    await look_after(hass)
    await enter(hass)
    cloud.secrets["id"] = "rotated"
    await rotate(hass, WRONG)
    flows = hass.config_entries.flow
    with patch.object(flows, "_progress", MappingProxyType(flows._progress)):  # noqa: SLF001
        assert async_get_current_step(hass, "any") is None
    with patch.object(logins_module, "async_get_current_step", return_value=None):
        entry = await add_entry(hass)
    assert "list of flows" in async_get_unknown(hass)
    async_get_unknown(hass).clear()
    with patch.object(flows, "_progress", {"any": object()}):
        assert async_get_current_step(hass, "any") is None
    assert "list of flows" in async_get_unknown(hass)
    assert (len(repairs(hass)), logins(hass)) == (1, [entry.entry_id])


@pytest.mark.parametrize("adopt", [ADOPT_NONE, ADOPT_ALL])
async def test_loaded_entry(
    hass: HomeAssistant, cloud: Cloud, pass_time: PassTime, adopt: str
) -> None:
    """An entry that is loaded, and was refused, is reloaded when it is mended: it asks no more."""
    await _adopt(hass, adopt)
    await enter(hass)
    entry = await add_entry(hass, lazy=True)
    cloud.secrets["id"] = "rotated"
    await rotate(hass, WRONG)
    entry.async_start_reauth(hass)
    await settle(hass)
    assert (len(repairs(hass)), logins(hass)) == (1, [])
    runtime_data = entry.runtime_data
    cloud.secrets["id"] = WRONG
    await elapse(hass, pass_time, 3_601)
    assert entry.runtime_data is not runtime_data


async def test_entered_again(hass: HomeAssistant, cloud: Cloud) -> None:
    """Deleted and entered again in Home Assistant: the repair goes, and the users go on."""
    await look_after(hass)
    await import_one(hass)
    cloud.secrets["id"] = "rotated"
    await rotate(hass, WRONG)
    entry = await add_entry(hass, "acme")
    failed = await add_entry(hass, "acme", fails=True)
    assert (len(repairs(hass)), logins(hass)) == (1, [])
    await hass.data[application_credentials.DATA_COMPONENT].async_delete_item("acme_id")
    await settle(hass)
    assert repairs(hass) == []
    assert list(async_get_logins(hass)) == [entry.entry_id]
    cloud.secrets["id"] = SECRET
    await import_one(hass)
    assert (repairs(hass), logins(hass)) == ([], [])
    assert entry.state is ConfigEntryState.LOADED
    assert failed.state is ConfigEntryState.LOADED
    assert dict(async_get_logins(hass)) == {}


@pytest.mark.parametrize("how", ["unload", "disable", "remove", "option"])
async def test_not_looked_after_any_more(
    hass: HomeAssistant, cloud: Cloud, pass_time: PassTime, how: str
) -> None:
    """Whatever ends our work leaves all as if we had never been there."""
    entry = await _taken_back(hass, cloud)
    ours, config_entries = entry_of(hass), hass.config_entries
    if how == "unload":
        await config_entries.async_unload(ours.entry_id)
    elif how == "disable":
        await config_entries.async_set_disabled_by(ours.entry_id, ConfigEntryDisabler.USER)
    elif how == "remove":
        await config_entries.async_remove(ours.entry_id)
    else:
        config_entries.async_update_entry(ours, options={CONF_LOOK_AFTER: False})
    await settle(hass)
    assert repairs(hass) == []
    assert logins(hass) == [entry.entry_id]
    assert len(login_issues(hass)) == 1
    assert dict(async_get_logins(hass)) == {}
    asked = len(cloud.codes)
    entry.async_start_reauth(hass)
    await enter(hass, WRONG, "other")
    await elapse(hass, pass_time, 2 * DAY)
    assert len(cloud.codes) == asked
    assert (repairs(hass), logins(hass)) == ([], [entry.entry_id])
    if how == "option":
        config_entries.async_update_entry(ours, options={})
        await settle(hass)
        assert len(repairs(hass)) == 1


@pytest.mark.parametrize("how", ["ours", "theirs"])
async def test_removed_meanwhile(hass: HomeAssistant, cloud: Cloud, how: str) -> None:
    """What is gone while the server is asked about it is left alone."""
    await look_after(hass)
    await enter(hass)
    cloud.secrets["id"] = "rotated"
    await rotate(hass, WRONG)
    entry = await add_entry(hass, lazy=True)
    cloud.go_on.clear()
    entry.async_start_reauth(hass)
    await nap()
    gone = entry_of(hass) if how == "ours" else entry
    await hass.config_entries.async_remove(gone.entry_id)
    cloud.go_on.set()
    await settle(hass)
    assert logins(hass) == ([entry.entry_id] if how == "ours" else [])
    assert len(repairs(hass)) == (0 if how == "ours" else 1)
    assert dict(async_get_logins(hass)) == {}


async def test_reloaded_meanwhile(hass: HomeAssistant, cloud: Cloud) -> None:
    """An entry that reloads while the server is asked ends as any other."""
    await look_after(hass)
    await enter(hass)
    cloud.secrets["id"] = "rotated"
    await rotate(hass, WRONG)
    entry = await add_entry(hass, lazy=True)
    cloud.go_on.clear()
    entry.async_start_reauth(hass)
    await nap()
    hass.config_entries.async_update_entry(entry, data={**entry.data, "lazy": False})
    reload = hass.async_create_task(hass.config_entries.async_reload(entry.entry_id))
    cloud.go_on.set()
    await reload
    await settle(hass)
    assert (len(repairs(hass)), logins(hass)) == (1, [])


async def test_restart(hass: HomeAssistant, cloud: Cloud, pass_time: PassTime) -> None:
    """A restart changes nothing: the login is taken back again, and comes back in time."""
    entry = await _taken_back(hass, cloud)
    ours = entry_of(hass)
    data = {**ours.data}
    await hass.config_entries.async_remove(ours.entry_id)
    hass.config_entries.flow.async_abort(hass.config_entries.flow.async_progress()[0]["flow_id"])
    taken_back = data[CONF_WATCHED]["logins"]
    taken_back[entry.entry_id] -= DAY - 1_000
    MockConfigEntry(domain=DOMAIN, data=data, minor_version=2).add_to_hass(hass)
    await hass.config_entries.async_setup(entry_of(hass).entry_id)
    await settle(hass)
    assert len(repairs(hass)) == 1
    await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    assert logins(hass) == []
    assert async_get_logins(hass) == taken_back
    await elapse(hass, pass_time, 1_001)
    assert logins(hass) == [entry.entry_id]
    assert dict(async_get_logins(hass)) == {entry.entry_id: None}


@pytest.mark.parametrize("state", ["mended", "rejected", "gone", "silent"])
async def test_restart_with_an_entry_that_loads(
    hass: HomeAssistant, cloud: Cloud, pass_time: PassTime, state: str
) -> None:
    """What was taken back before a restart is looked at some minutes later, as it is then."""
    await enter(hass)
    entry = await add_entry(hass, lazy=True)
    ours = await look_after(hass)
    async_note_accepted(hass, "acme", "id")
    await hass.config_entries.async_unload(ours.entry_id)
    watched = {**ours.data[CONF_WATCHED], "logins": {entry.entry_id: 4e9}}
    hass.config_entries.async_update_entry(ours, data={**ours.data, CONF_WATCHED: watched})
    if state == "rejected":
        cloud.secrets["id"] = "rotated"
    if state == "gone":
        await hass.config_entries.async_remove(entry.entry_id)
    cloud.is_down = state == "silent"
    await hass.config_entries.async_setup(ours.entry_id)
    await elapse(hass, pass_time, 301)
    assert len(repairs(hass)) == (1 if state == "rejected" else 0)
    assert list(async_get_logins(hass)) == ([] if state == "mended" else [entry.entry_id])
    await elapse(hass, pass_time, DAY)
    assert logins(hass) == ([entry.entry_id] if state == "rejected" else [])
    assert list(async_get_logins(hass)) == ([entry.entry_id] if state == "rejected" else [])


async def test_works_all_the_same(hass: HomeAssistant, cloud: Cloud, pass_time: PassTime) -> None:
    """Where a client was never accepted and all its users work, a rejection counts for nothing."""
    await enter(hass, WRONG)
    entry = await add_entry(hass, lazy=True)
    await look_after(hass)
    await elapse(hass, pass_time, 301)
    assert len(cloud.codes) == 2
    assert repairs(hass) == []
    entry.async_start_reauth(hass)
    await settle(hass)
    assert len(repairs(hass)) == 1
    # The user has logged in.
    hass.config_entries.flow.async_abort(hass.config_entries.flow.async_progress()[0]["flow_id"])
    await elapse(hass, pass_time, 3_601)
    assert repairs(hass) == []


async def test_outage(hass: HomeAssistant, cloud: Cloud, pass_time: PassTime) -> None:
    """While the network is down, few attempts are made, and all have their turn afterwards."""
    for number in range(20):
        await enter(hass, WRONG, f"id{number}")
    await look_after(hass)
    cloud.is_down = True
    asked = len(cloud.codes)
    for _ in range(30):
        await elapse(hass, pass_time, 301)
    # Two and a half hours.
    assert len(cloud.codes) - asked < 20
    cloud.is_down = False
    for _ in range(8):
        await elapse(hass, pass_time, 3_600)
    assert len(repairs(hass)) == 20


async def test_own_name(hass: HomeAssistant, cloud: Cloud) -> None:
    """Users that an integration calls by its own domain are found (SmartThings, Withings)."""
    cloud.install("own", OWN_NAME)
    await look_after(hass)
    cloud.secrets["first"] = SECRET
    await enter(hass, domain="own", client_id="first")
    one = await enter(hass, domain="own")
    cloud.secrets = {}
    entry = await add_entry(hass, "own", "own")
    (rejection,) = async_get_core_rejections(hass).values()
    assert rejection.application_credential == one
    assert logins(hass) == []
    cloud.secrets["id"] = f"{SECRET}-new"
    await async_update_application_credential(hass, one, DeveloperCredential("id", f"{SECRET}-new"))
    await settle(hass)
    assert entry.state is ConfigEntryState.LOADED


async def test_context(hass: HomeAssistant, cloud: Cloud) -> None:
    """An integration that names its server only where it asks itself is looked after (MCP)."""
    cloud.install("context", CONTEXT)
    await look_after(hass)
    await enter(hass, domain="context")
    assert cloud.codes == []
    cloud.secrets["id"] = "rotated"
    async_note_accepted(hass, "context", "id")
    module = import_module("custom_components.context.application_credentials")
    token = module.context.set(cloud.server.url)
    try:
        await add_entry(hass, "context_id", "context")
    finally:
        module.context.reset(token)
    await settle(hass)
    assert len(repairs(hass)) == 1
    assert logins(hass) == []


async def test_users_are_learned(hass: HomeAssistant, cloud: Cloud) -> None:
    """Who uses one by its integration's own domain is known from the start, without a request."""
    cloud.install("own", OWN_NAME)
    one = await enter(hass, domain="own")
    entry = await add_entry(hass, "own", "own", lazy=True)
    assert async_get_application_credential_users(hass, one) == []
    await look_after(hass)
    assert async_get_application_credential_users(hass, one) == [entry]
    assert cloud.server.requests == []


async def _reauth(flow: Any, data: object) -> ConfigFlowResult:  # noqa: ANN401 - of a file
    result: ConfigFlowResult = await flow.async_step_reauth({})
    return result


@pytest.mark.parametrize("what", ["without OAuth2", "discovery", "other credential"])
async def test_not_of_an_entry(hass: HomeAssistant, cloud: Cloud, what: str) -> None:
    """Other flows are left alone: of discovery, and of entries that do not use the credential."""
    await look_after(hass)
    await enter(hass, WRONG)
    asked = len(cloud.codes)
    data = {} if what == "without OAuth2" else {"auth_implementation": "other"}
    entry = MockConfigEntry(domain="acme", data=data)
    entry.add_to_hass(hass)
    context = ConfigFlowContext(source=SOURCE_REAUTH, entry_id=entry.entry_id)
    if what == "discovery":
        context = ConfigFlowContext(source=SOURCE_DISCOVERY)
    with patch.object(ConfigFlow, "async_step_discovery", _reauth, create=True):
        await hass.config_entries.flow.async_init("acme", context=context, data={})
    await settle(hass)
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "reauth_confirm"
    assert len(cloud.codes) == asked


async def test_whatever_fails_in_ours(
    hass: HomeAssistant, cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    """What we do with a login that is asked for harms nobody, whatever fails in it."""
    await look_after(hass)
    await enter(hass)
    cloud.secrets = {}
    with patch.object(logins_module, "async_flow_began", side_effect=RuntimeError(WRONG)):
        entry = await add_entry(hass)
    assert logins(hass) == [entry.entry_id]
    assert "A login that was asked for was missed: RuntimeError" in caplog.text


async def test_deleted_meanwhile(hass: HomeAssistant, cloud: Cloud) -> None:
    """One that is deleted before its turn is not looked at."""
    await look_after(hass)
    collection = hass.data[application_credentials.DATA_COMPONENT]
    cloud.go_on.clear()
    for client_id in ("first", "second"):
        item = {"domain": "acme", "client_id": client_id, "client_secret": WRONG}
        await collection.async_create_item(item)
        await nap()
    await collection.async_delete_item("acme_second")
    cloud.go_on.set()
    await settle(hass)
    assert "second" not in cloud.codes
    assert len(repairs(hass)) == 1


async def test_left_alone_over_a_restart(
    hass: HomeAssistant, cloud: Cloud, pass_time: PassTime
) -> None:
    """A login that has come back stays after a restart, too."""
    cloud.install("other")
    entry = await _taken_back(hass, cloud)
    await elapse(hass, pass_time, DAY + 100)
    assert logins(hass) == [entry.entry_id]
    ours = entry_of(hass)
    data = {**ours.data}
    await hass.config_entries.async_remove(ours.entry_id)
    hass.config_entries.flow.async_abort(hass.config_entries.flow.async_progress()[0]["flow_id"])
    cloud.secrets["second"] = SECRET
    await enter(hass, domain="other", client_id="second")
    MockConfigEntry(domain=DOMAIN, data=data, minor_version=2).add_to_hass(hass)
    await hass.config_entries.async_setup(entry_of(hass).entry_id)
    await settle(hass)
    await hass.config_entries.async_reload(entry.entry_id)
    await elapse(hass, pass_time, 1_000)
    assert len(repairs(hass)) == 1
    assert logins(hass) == [entry.entry_id]


async def test_asked_for_again(hass: HomeAssistant, cloud: Cloud) -> None:
    """A login that is asked for again is taken back with Home Assistant's issue about it."""
    entry = await _taken_back(hass, cloud)
    asked = len(cloud.server.requests)
    taken_back = dict(async_get_logins(hass))
    for _ in range(3):
        entry.async_start_reauth(hass)
        await settle(hass)
        assert (logins(hass), login_issues(hass)) == ([], [])
    assert len(cloud.server.requests) == asked
    assert async_get_logins(hass) == taken_back


async def test_corrected_while_the_server_is_silent(hass: HomeAssistant, cloud: Cloud) -> None:
    """Whoever corrects it is believed: what was taken back is forgotten."""
    entry = await _taken_back(hass, cloud)
    cloud.secrets["id"] = f"{SECRET}-new"
    cloud.is_silent = True
    one = async_get_application_credentials(hass)["acme_id"]
    await async_update_application_credential(hass, one, DeveloperCredential("id", f"{SECRET}-new"))
    await settle(hass)
    assert entry.state is ConfigEntryState.LOADED
    assert (repairs(hass), dict(async_get_logins(hass))) == ([], {})


async def test_log_in_again(hass: HomeAssistant, cloud: Cloud, pass_time: PassTime) -> None:
    """A login that the user has asked for, and left, does not come back of itself."""
    entry = await _taken_back(hass, cloud)
    one = async_get_application_credentials(hass)["acme_id"]
    disabled = MockConfigEntry(
        domain="acme", data={**entry.data}, disabled_by=ConfigEntryDisabler.USER
    )
    disabled.add_to_hass(hass)
    assert async_log_in_again(hass, one) == [entry]
    await settle(hass)
    assert logins(hass) == [entry.entry_id]
    (flow,) = hass.config_entries.flow.async_progress()
    hass.config_entries.flow.async_abort(flow["flow_id"])
    await elapse(hass, pass_time, DAY + 100)
    assert logins(hass) == []


async def test_nothing_is_left_running(hass: HomeAssistant, cloud: Cloud) -> None:
    """When our entry is unloaded while a server is asked, nothing of ours waits for it."""
    ours = await look_after(hass)
    cloud.go_on.clear()
    collection = hass.data[application_credentials.DATA_COMPONENT]
    item = {"domain": "acme", "client_id": "id", "client_secret": WRONG}
    await collection.async_create_item(item)
    await nap()
    name = f"{DOMAIN} inquiries"
    assert name in {task.get_name() for task in asyncio.all_tasks()}
    await hass.config_entries.async_unload(ours.entry_id)
    await nap()
    assert name not in {task.get_name() for task in asyncio.all_tasks()}
    cloud.go_on.set()
    await settle(hass)
    assert repairs(hass) == []


async def test_renamed(hass: HomeAssistant, cloud: Cloud, pass_time: PassTime) -> None:
    """A new name is no reason to ask, however long ago the server was asked."""
    await look_after(hass)
    one = await enter(hass)
    await elapse(hass, pass_time, 1_000)
    await async_update_application_credential(hass, one, replace(one.credential, name="New"))
    await settle(hass)
    assert cloud.codes == ["id"]


async def test_form(hass: HomeAssistant, cloud: Cloud) -> None:
    """A form accepts a secret that the integration sends in the header, whoever uses it by now."""
    cloud.install("own", OWN_NAME)
    await look_after(hass)
    one = await enter(hass, domain="own")
    await add_entry(hass, "own", "own", lazy=True)
    cloud.basic = True
    cloud.secrets["id"] = f"{SECRET}-new"
    subject = PeerCredential(hass, await async_get_integration(hass, "own"), one)
    found = await subject.async_verify(DeveloperCredential("id", f"{SECRET}-new"))
    assert found.outcome is Outcome.ACCEPTED


async def test_other_options(hass: HomeAssistant, cloud: Cloud) -> None:
    """Other options leave it at what was done: a login that cannot help does not come back."""
    entry = await _taken_back(hass, cloud)
    taken_back = dict(async_get_logins(hass))
    options = hass.config_entries.options
    step = await options.async_init(entry_of(hass).entry_id)
    await options.async_configure(
        step["flow_id"], {CONF_LOOK_AFTER: True, CONF_VERIFY: False, CONF_ADOPT: ADOPT_ALL}
    )
    await settle(hass)
    assert (len(repairs(hass)), logins(hass)) == (1, [])
    assert async_get_logins(hass) == taken_back
    assert entry.state is ConfigEntryState.SETUP_ERROR


async def test_imported_twice(hass: HomeAssistant, cloud: Cloud) -> None:
    """A client that no entry uses any more, and is rejected, takes no login back."""
    await look_after(hass)
    await import_one(hass)
    cloud.secrets["second"] = SECRET
    await import_one(hass, client_id="second")
    del cloud.secrets["id"]
    cloud.grant = {"error": "invalid_grant"}
    entry = await add_entry(hass, "acme")
    assert (repairs(hass), logins(hass)) == ([], [entry.entry_id])


@pytest.mark.parametrize("works", [True, False])
async def test_day_is_over_at_the_start(
    hass: HomeAssistant, cloud: Cloud, pass_time: PassTime, *, works: bool
) -> None:
    """A login whose day is over comes back where its entry does not work, and not before that."""
    await enter(hass)
    if not works:
        cloud.secrets["id"] = "rotated"
    token = {**TOKEN, "refresh_token": f"{SECRET}-r", "expires_at": 0}
    entry = MockConfigEntry(domain="acme", data={"auth_implementation": "acme_id", "token": token})
    entry.add_to_hass(hass)
    hass.set_state(CoreState.starting)
    taken_back = {entry.entry_id: dt_util.utcnow().timestamp() - DAY - 100}
    data = {CONF_WATCHED: {"salt": "salt", "logins": taken_back}}
    MockConfigEntry(domain=DOMAIN, data=data, minor_version=2).add_to_hass(hass)
    await hass.config_entries.async_setup(entry_of(hass).entry_id)
    await elapse(hass, pass_time, 10)
    assert logins(hass) == []
    async_note_accepted(hass, "acme", "id")
    await hass.config_entries.async_setup(entry.entry_id)
    hass.set_state(CoreState.running)
    hass.bus.async_fire("homeassistant_started")
    await elapse(hass, pass_time, 10)
    assert logins(hass) == ([] if works else [entry.entry_id])
    assert dict(async_get_logins(hass)) == ({} if works else {entry.entry_id: None})


async def test_second_entry(
    hass: HomeAssistant, cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    """A second entry of ours, of a damaged storage, changes nothing, nor does its end."""
    ours = await look_after(hass)
    second = MockConfigEntry(domain=DOMAIN, minor_version=2)
    second.add_to_hass(hass)
    await hass.config_entries.async_setup(second.entry_id)
    await enter(hass, WRONG)
    assert len(repairs(hass)) == 1
    await hass.config_entries.async_remove(second.entry_id)
    await settle(hass)
    assert second.state is ConfigEntryState.NOT_LOADED
    assert len(repairs(hass)) == 1
    await add_entry(hass)
    assert "was missed" not in caplog.text
    await hass.config_entries.async_unload(ours.entry_id)
    assert ours.state is ConfigEntryState.NOT_LOADED
    assert repairs(hass) == []


DEAD = """
from homeassistant.components.application_credentials import AuthorizationServer

async def async_get_authorization_server(hass):
    return AuthorizationServer("http://127.0.0.1:9/authorize", "http://127.0.0.1:9/token")
"""


async def test_another_server_is_dead(
    hass: HomeAssistant, cloud: Cloud, pass_time: PassTime
) -> None:
    """What is entered is told at once, however long another server has not answered."""
    cloud.install("dead", DEAD)
    await look_after(hass)
    await enter(hass, domain="dead")
    for _ in range(6):
        await elapse(hass, pass_time, 3_601)
    assert answers.async_get_pause(hass) > 0
    await enter(hass, WRONG)
    assert len(repairs(hass)) == 1


async def test_entered_while_the_network_is_down(
    hass: HomeAssistant, cloud: Cloud, pass_time: PassTime
) -> None:
    """What is entered then is tried once, and again with the others; in the end it is told."""
    await look_after(hass)
    cloud.is_down = True
    for number in range(20):
        await enter(hass, WRONG, f"id{number}")
    assert len(cloud.codes) == 20
    for _ in range(5):
        await elapse(hass, pass_time, 301)
        await elapse(hass, pass_time, 3_601)
    assert len(cloud.codes) < 40
    cloud.is_down = False
    for _ in range(3):
        await elapse(hass, pass_time, 3_601)
    assert len(repairs(hass)) == 20


async def test_peer_after_us(hass: HomeAssistant, cloud: Cloud, pass_time: PassTime) -> None:
    """What was stored when it is set up after us is nothing new: a new name asks nobody."""
    await enter(hass)
    collection = hass.data.pop(application_credentials.DATA_COMPONENT)
    hass.set_state(CoreState.starting)
    await look_after(hass)
    hass.data[application_credentials.DATA_COMPONENT] = collection
    hass.bus.async_fire("component_loaded", {"component": "application_credentials"})
    hass.set_state(CoreState.running)
    hass.bus.async_fire("homeassistant_started")
    await settle(hass)
    one = async_get_application_credentials(hass)["acme_id"]
    await async_update_application_credential(hass, one, replace(one.credential, name="New"))
    await settle(hass)
    assert cloud.codes == []


@pytest.mark.parametrize("how", ["day", "unload"])
async def test_adopted_login_comes(
    hass: HomeAssistant, cloud: Cloud, pass_time: PassTime, how: str
) -> None:
    """A login that an adopted entry does not ask for comes after a day, or at the end."""
    await _adopt(hass)
    await enter(hass)
    cloud.secrets["id"] = "rotated"
    await rotate(hass, WRONG)
    entry = await add_entry(hass)
    assert (len(repairs(hass)), logins(hass)) == (1, [])
    assert list(async_get_logins(hass)) == [entry.entry_id]
    if how == "day":
        await elapse(hass, pass_time, DAY + 100)
        assert dict(async_get_logins(hass)) == {entry.entry_id: None}
    else:
        await hass.config_entries.async_unload(entry_of(hass).entry_id)
        await settle(hass)
    assert logins(hass) == [entry.entry_id]


async def test_every_code_is_rejected(hass: HomeAssistant, cloud: Cloud) -> None:
    """A server that calls every client bad for its code proves nothing, though it gave a token."""
    own = cloud.server.respond

    async def respond(request: web.Request) -> web.StreamResponse:
        if (await request.post())["grant_type"] == "authorization_code":
            return await answer({"error": "invalid_client"}, 401)(request)
        return await own(request)

    cloud.server.respond = respond
    await _adopt(hass)
    await enter(hass)
    entry = await add_entry(hass)
    assert entry.state is ConfigEntryState.LOADED
    assert (repairs(hass), async_has_had_token(hass, "acme", "id")) == ([], True)
    cloud.grant = {"error": "invalid_grant"}
    expired = {**entry.data["token"], "expires_at": 0}
    hass.config_entries.async_update_entry(entry, data={**entry.data, "token": expired})
    await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    assert cloud.codes
    assert logins(hass) == [entry.entry_id]


async def test_stop_does_not_wait(hass: HomeAssistant, cloud: Cloud) -> None:
    """A stop of Home Assistant does not wait for a server that is asked."""
    await look_after(hass)
    cloud.go_on.clear()
    collection = hass.data[application_credentials.DATA_COMPONENT]
    item = {"domain": "acme", "client_id": "id", "client_secret": WRONG}
    await collection.async_create_item(item)
    await nap()
    async with asyncio.timeout(5):
        await hass.async_block_till_done()
    assert repairs(hass) == []
    cloud.go_on.set()
    await settle(hass)
    assert len(repairs(hass)) == 1

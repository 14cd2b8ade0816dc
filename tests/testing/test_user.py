"""Tests of the user who goes through dialogs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from homeassistant.config_entries import SOURCE_USER, SOURCE_ZEROCONF, ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import http
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.developer_credentials import DeveloperCredential
from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.testing import (
    CREDENTIAL,
    MockAuthorizationServer,
    async_add_credential,
    async_expire_token,
    async_log_in,
    async_log_in_again,
    async_repair,
)
from tests.common import CONFIG_FLOW, PLATFORM, REDIRECT_URI, entry_of, issue_ids
from tests.conftest import Install

# A flow with forms and menus of its own, and one that shows the same form for ever.
OWN_STEPS = """
from homeassistant.config_entries import ConfigFlow
from homeassistant.data_entry_flow import section
import voluptuous as vol

SCHEMA = vol.Schema({
    "plain": str,
    vol.Required("name"): str,
    vol.Required("region", default="eu"): str,
    vol.Required("model", description={"suggested_value": "one"}): str,
    vol.Optional("note", description="no suggestion"): str,
    vol.Required("advanced"): section(
        vol.Schema({vol.Required("host"): str, vol.Optional("insist", default=False): bool})
    ),
})

class Flow(ConfigFlow, domain="acme"):
    async def async_step_user(self, user_input=None):
        return self.async_show_menu(step_id="user", menu_options=["account", "circle", "next"])

    async def async_step_account(self, user_input=None):
        if user_input is None or user_input["name"] == "wrong":
            errors = {"name": "wrong"} if user_input else {}
            return self.async_show_form(step_id="account", data_schema=SCHEMA, errors=errors)
        return self.async_create_entry(title="Acme", data=user_input)

    async def async_step_circle(self, user_input=None):
        return self.async_show_form(step_id="circle")

    async def async_step_zeroconf(self, discovery_info):
        return self.async_create_entry(title="Acme", data={"host": discovery_info})

    async def async_step_next(self, user_input=None):
        flow = await self.hass.config_entries.flow.async_init("acme", context={"source": "user"})
        next_flow = "config_flow", flow["flow_id"]
        return self.async_create_entry(title="Acme", data={}, next_flow=next_flow)
"""

# The set-up of an account whose token has to be valid.
SET_UP = """
from homeassistant.helpers.config_entry_oauth2_flow import (
    OAuth2Session,
    async_get_config_entry_implementation,
)

async def async_setup_entry(hass, entry):
    implementation = await async_get_config_entry_implementation(hass, entry)
    await OAuth2Session(hass, entry, implementation).async_ensure_token_valid()
    return True

async def async_unload_entry(hass, entry):
    return True
"""

ACCOUNT = {"next_step_id": "account", "name": "Home", "host": "nas"}


@pytest.fixture
async def server(
    hass: HomeAssistant, socket_enabled: None
) -> AsyncIterator[MockAuthorizationServer]:
    """Run an authorization server."""
    async with MockAuthorizationServer(hass) as server:
        yield server


@pytest.fixture
def own_steps(install: Install) -> None:
    """Install an integration whose flow has steps of its own."""
    install("acme", PLATFORM, config_flow=OWN_STEPS)


@pytest.fixture
async def entry(
    hass: HomeAssistant, install: Install, server: MockAuthorizationServer
) -> ConfigEntry:
    """Log in at an integration that refreshes its token when it is set up."""
    install("acme", PLATFORM, config_flow=CONFIG_FLOW, __init__=SET_UP)
    await async_add_credential(hass, "acme")
    return (await async_log_in(hass, "acme"))["result"]


@pytest.mark.parametrize(
    ("answers", "data"),
    [
        ({}, {}),
        ({"region": "us", "insist": True}, {"region": "us"}),
        ({"plain": "p", "note": "n", "model": "two"}, {"plain": "p", "note": "n", "model": "two"}),
    ],
)
async def test_forms(
    hass: HomeAssistant, own_steps: None, answers: dict[str, Any], data: dict[str, Any]
) -> None:
    """A form is answered by the names of its fields; what is not answered stays as it is."""
    result = await async_log_in(hass, "acme", {**ACCOUNT, **answers})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].data == {
        "name": "Home",
        "region": "eu",
        "model": "one",
        "advanced": {"host": "nas", "insist": bool(answers.get("insist"))},
        **data,
    }


@pytest.mark.parametrize(
    ("answers", "step_id", "errors"),
    [
        ({}, "user", None),
        ({"next_step_id": "other"}, "user", None),
        ({"next_step_id": "account"}, "account", {}),
        ({"next_step_id": "account", "name": "Home"}, "account", {}),
        ({"next_step_id": "account", "host": "nas"}, "account", {}),
        ({**ACCOUNT, "name": "wrong"}, "account", {"name": "wrong"}),
    ],
)
async def test_stays(
    hass: HomeAssistant,
    own_steps: None,
    answers: dict[str, str],
    step_id: str,
    errors: dict[str, str] | None,
) -> None:
    """Where there is no answer, or a wrong one, the user stays at that step."""
    result = await async_log_in(hass, "acme", answers)
    assert result["step_id"] == step_id
    assert result.get("errors") == errors


async def test_circle(hass: HomeAssistant, own_steps: None) -> None:
    """A dialog that has no end is given up."""
    with pytest.raises(AssertionError, match=r"no end.*circle"):
        await async_log_in(hass, "acme", {"next_step_id": "circle"})


async def test_discovered(hass: HomeAssistant, own_steps: None) -> None:
    """A flow may begin with another source, and with what was found."""
    result = await async_log_in(hass, "acme", context={"source": SOURCE_ZEROCONF}, data="nas")
    assert result["result"].source == SOURCE_ZEROCONF
    assert result["result"].data == {"host": "nas"}


async def test_result_stays(hass: HomeAssistant, own_steps: None) -> None:
    """An entry that is made is the result, also where the dialog would go on elsewhere."""
    result = await async_log_in(hass, "acme", {"next_step_id": "next"})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_request_ends_with_the_dialog(hass: HomeAssistant, own_steps: None) -> None:
    """What comes after the dialog is not on behalf of the frontend any more."""
    await async_log_in(hass, "acme")
    assert http.current_request.get() is None


async def test_refused_login(
    hass: HomeAssistant, install: Install, server: MockAuthorizationServer
) -> None:
    """Where the login page refuses the client, that is told."""
    install("acme", PLATFORM, config_flow=CONFIG_FLOW)
    await async_add_credential(hass, "acme", DeveloperCredential("unknown"))
    with pytest.raises(AssertionError, match=r"The login is refused: 400.*invalid_request"):
        await async_log_in(hass, "acme")


async def test_credential_without_repair(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """A credential is there, an entry uses it, and there is nothing to repair."""
    (subentry,) = entry_of(hass).subentries.values()
    assert subentry.data["auth_domain"] == entry.data["auth_implementation"]
    assert subentry.data["client_id"] == CREDENTIAL.client_id
    assert issue_ids(hass) == []


async def test_address(
    hass: HomeAssistant, server: MockAuthorizationServer, entry: ConfigEntry
) -> None:
    """The login comes back to the address by which the user has opened Home Assistant."""
    assert server.authorization_requests[0]["redirect_uri"] == REDIRECT_URI


async def test_waits(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """What is under way when a test goes on is waited for: a reauth, or a repair."""

    async def later(act: Callable[[], object]) -> None:
        await asyncio.sleep(0)
        act()

    hass.async_create_task(later(lambda: entry.async_start_reauth(hass)))
    with pytest.raises(AssertionError, match=r"no end.*reauth"):
        await async_log_in_again(hass, entry)
    (subentry_id,) = entry_of(hass).subentries
    remove = hass.config_entries.async_remove_subentry
    hass.async_create_task(later(lambda: remove(entry_of(hass), subentry_id)))
    assert (await async_repair(hass, "acme"))["type"] is FlowResultType.MENU


async def test_no_reauth(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Nobody logs in again where no reauth was started, whatever else was; that is told."""
    await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    with pytest.raises(AssertionError, match="No reauth"):
        await async_log_in_again(hass, entry)


async def test_deleted_credential_is_restored(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """A repair with a menu is done by the answer to it."""
    (subentry_id,) = entry_of(hass).subentries
    hass.config_entries.async_remove_subentry(entry_of(hass), subentry_id)
    result = await async_repair(hass, "acme")
    assert result["type"] is FlowResultType.MENU
    result = await async_repair(hass, "acme", {"next_step_id": "restore"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert len(entry_of(hass).subentries) == 1


async def test_repair_with_a_wrong_secret(
    hass: HomeAssistant, entry: ConfigEntry, server: MockAuthorizationServer
) -> None:
    """A repair that is done wrong stays at its form, and can be done again."""
    server.clients[CREDENTIAL.client_id] = "rotated"
    async_expire_token(hass, entry)
    await hass.config_entries.async_reload(entry.entry_id)
    result = await async_repair(hass, "acme", {"client_secret": "wrong"})
    assert result["errors"]
    await async_repair(hass, "acme", {"client_secret": "rotated"})
    assert issue_ids(hass) == []
    assert entry.state is ConfigEntryState.LOADED


@pytest.mark.parametrize("number", [0, 2])
async def test_not_one_repair(hass: HomeAssistant, setup: None, number: int) -> None:
    """Where there is no repair, or more than one, that is told; those of others do not count."""
    for issue_id in ("one", "two", "other", "told")[2 - number :]:
        ir.async_create_issue(
            hass,
            DOMAIN,
            issue_id,
            is_fixable=issue_id != "told",
            issue_domain="other" if issue_id == "other" else "acme",
            severity=ir.IssueSeverity.ERROR,
            translation_key="credential_rejected",
        )
    ir.async_create_issue(
        hass,
        "acme",
        "own",
        is_fixable=True,
        issue_domain="acme",
        severity=ir.IssueSeverity.ERROR,
        translation_key="own",
    )
    with pytest.raises(AssertionError, match=r"not one repair of acme, but \[.*\]") as info:
        await async_repair(hass, "acme")
    assert "other" not in str(info.value)
    assert "told" not in str(info.value)
    assert "own" not in str(info.value)

"""Tests of what a flow does for an account: login, reauth, and the way to its credential."""

from collections.abc import AsyncIterator, Callable
import json
from pathlib import Path
from typing import Any

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    SOURCE_ZEROCONF,
    ConfigEntry,
    ConfigEntryDisabler,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.developer_credentials import DeveloperCredential
from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.flows import account_flow
from custom_components.developer_credentials.testing import (
    CREDENTIAL,
    MockAuthorizationServer,
    async_add_credential,
    async_log_in,
    async_log_in_again,
    async_reconfigure,
)
from tests.common import PLATFORM, SENTINEL, entry_of, stored
from tests.conftest import Install

pytestmark = pytest.mark.usefixtures("setup")

OPENID = PLATFORM.replace('token")', 'token", scopes=["openid"])')

FLOW = """
from aiohttp import ClientError
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.exceptions import HomeAssistantError
from custom_components.developer_credentials import (
    Account, DeveloperCredentialsFlowHandler, account_from_jwt
)

class Flow(DeveloperCredentialsFlowHandler, domain="{domain}"):
    async def async_get_account(self, data):
        {hook}
"""
JWT = 'return account_from_jwt(data["token"]["id_token"])'

INIT = """
async def async_setup_entry(hass, entry):
    return True
async def async_unload_entry(hass, entry):
    return True
"""

type Begin = Callable[..., None]


@pytest.fixture(autouse=True)
async def mock_server(
    hass: HomeAssistant, socket_enabled: None
) -> AsyncIterator[MockAuthorizationServer]:
    """Run a server that knows its users."""
    async with MockAuthorizationServer(hass) as server:
        yield server


@pytest.fixture
def begin(install: Install, tmp_path: Path) -> Begin:
    """Return a function that installs Acme with a hook, more steps, and texts of its own."""

    def begin(
        hook: str = JWT,
        more: str = "",
        domain: str = "acme",
        texts: dict[str, Any] | None = None,
    ) -> None:
        config_flow = FLOW.format(domain=domain, hook=hook) + more
        install(domain, OPENID, config_flow=config_flow, __init__=INIT)
        folder = tmp_path / "custom_components" / domain / "translations"
        folder.mkdir()
        (folder / "en.json").write_text(json.dumps({"config": texts or {}}))

    return begin


async def _connect(hass: HomeAssistant) -> ConfigEntry:
    await async_add_credential(hass, "acme")
    return (await async_log_in(hass, "acme"))["result"]


async def _reconfigure(hass: HomeAssistant, entry: ConfigEntry, **answers: str) -> ConfigFlowResult:
    return await async_reconfigure(hass, entry, answers)


async def _log_in_again(hass: HomeAssistant, entry: ConfigEntry) -> ConfigFlowResult:
    entry.async_start_reauth(hass)
    return await async_log_in_again(hass, entry)


async def test_account(hass: HomeAssistant, begin: Begin) -> None:
    """What the hook says is the unique id of the entry, and its title; an account is added once."""
    begin()
    entry = await _connect(hass)
    assert (entry.unique_id, entry.title) == ("account", "Account")
    assert entry.state is ConfigEntryState.LOADED
    result = await async_log_in(hass, "acme")
    assert (result["reason"], result["translation_domain"]) == ("already_configured", DOMAIN)


@pytest.mark.parametrize("title", ["None", "'\\u202e'"])
async def test_account_without_a_title(hass: HomeAssistant, begin: Begin, title: str) -> None:
    """An account without a name is called like its credential."""
    begin(f"return Account('7', {title})")
    entry = await _connect(hass)
    assert (entry.unique_id, entry.title) == ("7", "Acme")


async def test_another_account(
    hass: HomeAssistant, begin: Begin, mock_server: MockAuthorizationServer
) -> None:
    """Another account is another entry."""
    begin()
    entry = await _connect(hass)
    mock_server.claims = {"sub": "another", "name": "A\ud83d\ude00\nn"}
    result = await async_log_in(hass, "acme")
    assert result["result"].title == "A😀 n"
    assert result["result"] is not entry


async def test_without_the_hook(hass: HomeAssistant, begin: Begin) -> None:
    """Where nobody tells the account, logins make entries, and a reauth is not checked."""
    begin("return await super().async_get_account(data)")
    entry = await _connect(hass)
    assert (entry.unique_id, entry.title) == (None, "Acme")
    assert (await async_log_in(hass, "acme"))["type"] is FlowResultType.CREATE_ENTRY
    token = entry.data["token"]
    assert (await _log_in_again(hass, entry))["reason"] == "reauth_successful"
    assert entry.data["token"] != token
    assert entry.unique_id is None


@pytest.mark.parametrize("error", ["ClientError", "TimeoutError", "HomeAssistantError"])
async def test_account_is_unavailable(
    hass: HomeAssistant, begin: Begin, caplog: pytest.LogCaptureFixture, error: str
) -> None:
    """Where the account cannot be read now, that is said; there is nothing to report."""
    begin(f"raise {error}(data['token'])")
    await async_add_credential(hass, "acme")
    result = await async_log_in(hass, "acme")
    assert (result["reason"], result["translation_domain"]) == ("account_unavailable", DOMAIN)
    assert result["description_placeholders"] == {"detail": error, "integration": "Acme"}
    assert "could not be read" not in caplog.text
    assert hass.config_entries.async_entries("acme") == []


async def test_account_takes_too_long(
    hass: HomeAssistant, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hook that does not come back ends the dialog all the same."""
    monkeypatch.setattr(account_flow, "ACCOUNT_TIMEOUT", 0.01)
    begin("import asyncio; await asyncio.Event().wait()")
    await async_add_credential(hass, "acme")
    assert (await async_log_in(hass, "acme"))["reason"] == "account_unavailable"


async def test_defect_of_the_hook(
    hass: HomeAssistant,
    begin: Begin,
    mock_server: MockAuthorizationServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A defect is said to the user, and logged with its place, without what it was about."""
    mock_server.token_fields = {"access_token": SENTINEL}
    begin("raise KeyError(data['token'])")
    await async_add_credential(hass, "acme")
    result = await async_log_in(hass, "acme")
    assert result["reason"] == "account_unavailable"
    assert result["description_placeholders"] == {"detail": "KeyError", "integration": "Acme"}
    (record,) = [one for one in caplog.records if "could not be read: KeyError" in one.message]
    assert record.name == "custom_components.acme.config_flow"
    assert "config_flow.py" in record.message


async def test_status_is_told(hass: HomeAssistant, begin: Begin) -> None:
    """The status of an answer says more than the class of the exception."""
    begin(
        "from aiohttp import ClientResponseError; "
        "raise ClientResponseError(None, (), status=403, message='*no*')"
    )
    await async_add_credential(hass, "acme")
    result = await async_log_in(hass, "acme")
    assert result["description_placeholders"] == {"detail": "403", "integration": "Acme"}


async def test_hook_that_aborts(hass: HomeAssistant, begin: Begin) -> None:
    """An integration may end its flow from the hook, with a reason of its own."""
    begin("raise AbortFlow('no_subscription')")
    await async_add_credential(hass, "acme")
    result = await async_log_in(hass, "acme")
    assert result["reason"] == "no_subscription"
    assert "translation_domain" not in result


async def test_reauth(hass: HomeAssistant, begin: Begin) -> None:
    """The same account gets its new token; what else the entry has stays, and it is reloaded."""
    begin()
    entry = await _connect(hass)
    hass.config_entries.async_update_entry(entry, data={**entry.data, "host": "h"}, title="Mine")
    token = entry.data["token"]
    entry.async_start_reauth(hass)
    await hass.async_block_till_done()
    (flow,) = hass.config_entries.flow.async_progress()
    form = await hass.config_entries.flow.async_configure(flow["flow_id"])
    assert form["step_id"] == "reauth_confirm"
    assert form["translation_domain"] == DOMAIN
    placeholders = form["description_placeholders"]
    assert placeholders is not None
    assert (placeholders["integration"], placeholders["account"]) == ("Acme", "Mine")
    result = await async_log_in_again(hass, entry)
    assert result["reason"] == "reauth_successful"
    assert result["translation_domain"]
    assert entry.data["token"] != token
    assert (entry.data["host"], entry.title) == ("h", "Mine")
    assert entry.state is ConfigEntryState.LOADED


async def test_reauth_of_another_account(
    hass: HomeAssistant, begin: Begin, mock_server: MockAuthorizationServer
) -> None:
    """Whoever logs in again has to be the same; the text says who that is."""
    begin()
    entry = await _connect(hass)
    hass.config_entries.async_update_entry(entry, title="*Mine*")
    before = dict(entry.data)
    mock_server.claims = {"sub": "another"}
    result = await _log_in_again(hass, entry)
    assert (result["reason"], result["translation_domain"]) == ("wrong_account", DOMAIN)
    assert result["description_placeholders"] == {"account": r"\*Mine\*", "integration": "Acme"}
    assert dict(entry.data) == before


@pytest.mark.parametrize("taken", [True, False])
async def test_reauth_of_an_entry_without_unique_id(
    hass: HomeAssistant, begin: Begin, taken: bool
) -> None:
    """An entry from before the hook gets its unique id, unless another entry has it."""
    begin()
    entry = await _connect(hass)
    hass.config_entries.async_update_entry(entry, unique_id=None)
    if taken:
        await async_log_in(hass, "acme")
    result = await _log_in_again(hass, entry)
    assert result["reason"] == ("already_configured" if taken else "reauth_successful")
    assert entry.unique_id == (None if taken else "account")


async def test_update_listener_reloads(
    hass: HomeAssistant, begin: Begin, caplog: pytest.LogCaptureFixture
) -> None:
    """Where an entry has an update listener, that is left to reload it."""
    begin()
    entry = await _connect(hass)
    told: list[ConfigEntry] = []

    async def listen(hass: HomeAssistant, entry: ConfigEntry) -> None:
        told.append(entry)

    entry.add_update_listener(listen)
    assert (await _log_in_again(hass, entry))["reason"] == "reauth_successful"
    assert told == [entry]
    assert "has an update listener" not in caplog.text


async def test_dialogs_in_progress_are_no_obstacle(hass: HomeAssistant, begin: Begin) -> None:
    """A card of the same account that waits for somebody does not keep it from logging in."""
    begin(
        more="""
    async def async_step_integration_discovery(self, discovery_info):
        await self.async_set_unique_id("account")
        return self.async_show_form(step_id="user")
"""
    )
    await async_add_credential(hass, "acme")
    context: Any = {"source": "integration_discovery"}
    await hass.config_entries.flow.async_init("acme", context=context, data={})
    assert (await async_log_in(hass, "acme"))["type"] is FlowResultType.CREATE_ENTRY


RECONFIGURE = """
    async def async_step_reconfigure(self, user_input=None):
        return await self.async_step_user()
"""


@pytest.mark.parametrize(
    ("subject", "reason"), [("account", "reconfigure_successful"), ("other", "wrong_account")]
)
async def test_reconfiguration_of_ones_own(
    hass: HomeAssistant,
    begin: Begin,
    mock_server: MockAuthorizationServer,
    subject: str,
    reason: str,
) -> None:
    """An integration's own reconfigure step that goes on to the login is one to the end."""
    begin(more=RECONFIGURE)
    entry = await _connect(hass)
    mock_server.claims = {"sub": subject}
    assert (await _reconfigure(hass, entry))["reason"] == reason


OWN_TEXTS = {
    "abort": {"already_configured": "There!", "wrong_account": "No!"},
    "step": {"reauth_confirm": {"title": "Own!"}},
}


async def test_own_texts(
    hass: HomeAssistant, begin: Begin, mock_server: MockAuthorizationServer
) -> None:
    """What an integration has a text for is shown with that."""
    # Texts are read once for all tests.
    domain = "own_texts"
    begin(domain=domain, texts=OWN_TEXTS)
    await async_add_credential(hass, domain)
    entry = (await async_log_in(hass, domain))["result"]
    result = await async_log_in(hass, domain)
    assert result["reason"] == "already_configured"
    assert not result.get("translation_domain")
    entry.async_start_reauth(hass)
    await hass.async_block_till_done()
    (flow,) = hass.config_entries.flow.async_progress()
    form = await hass.config_entries.flow.async_configure(flow["flow_id"])
    assert "translation_domain" not in form
    mock_server.claims = {"sub": "another"}
    result = await async_log_in_again(hass, entry)
    assert result["reason"] == "wrong_account"
    assert not result.get("translation_domain")


async def test_texts_of_the_choice(hass: HomeAssistant, begin: Begin) -> None:
    """The choice among several credentials has a text."""
    begin()
    await async_add_credential(hass, "acme")
    await async_add_credential(hass, "acme", DeveloperCredential("second", name="Second"))
    form = await hass.config_entries.flow.async_init("acme", context={"source": SOURCE_USER})
    assert (form["step_id"], form["translation_domain"]) == ("pick_implementation", DOMAIN)
    assert form["description_placeholders"] == {"integration": "Acme"}


async def test_texts_of_a_discovery(hass: HomeAssistant, begin: Begin) -> None:
    """What was discovered is offered with a text, and added as ever."""
    begin()
    await async_add_credential(hass, "acme")
    flow = hass.config_entries.flow
    form = await flow.async_init("acme", context={"source": SOURCE_ZEROCONF}, data=None)
    assert (form["step_id"], form["translation_domain"]) == ("oauth_discovery", DOMAIN)
    flow.async_abort(form["flow_id"])
    result = await async_log_in(hass, "acme", context={"source": SOURCE_ZEROCONF})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def _menu(hass: HomeAssistant, entry: ConfigEntry) -> ConfigFlowResult:
    menu = await _reconfigure(hass, entry)
    assert (menu["type"], menu["step_id"]) == (FlowResultType.MENU, "reconfigure")
    return menu


async def test_menu(hass: HomeAssistant, begin: Begin) -> None:
    """The menu of an account says how its credential is doing, and what can be done."""
    begin()
    entry = await _connect(hass)
    menu = await _menu(hass, entry)
    assert menu["menu_options"] == {
        "reconfigure_edit": "Edit the credential",
        "reconfigure_log_in": "Log in again",
        "reconfigure_add": "Add a credential",
    }
    assert menu["translation_domain"] == DOMAIN
    placeholders = menu["description_placeholders"]
    assert placeholders is not None
    assert placeholders["integration"] == "Acme"
    assert placeholders["situation"].startswith("**Acme**\n\n")
    assert "It is used by Account." in placeholders["situation"]


async def test_secret_is_corrected(
    hass: HomeAssistant, begin: Begin, mock_server: MockAuthorizationServer
) -> None:
    """A new secret is entered from the account; that is all, since the login goes on."""
    begin()
    entry = await _connect(hass)
    before = dict(entry.data)
    mock_server.clients[CREDENTIAL.client_id] = "rotated"
    form = await _reconfigure(hass, entry, next_step_id="reconfigure_edit")
    # As it was submitted: without another secret.
    assert (form["handler"], form["step_id"]) == (DOMAIN, "edit")
    assert form["errors"] == {"base": "rejected"}
    result = await _reconfigure(
        hass, entry, next_step_id="reconfigure_edit", client_secret="rotated"
    )
    assert result["reason"] == "credential_saved"
    assert "next_flow" not in result
    assert stored(hass)[0]["client_secret"] == "rotated"
    assert dict(entry.data) == before
    hass.config_entries.flow.async_abort(form["flow_id"])
    await hass.async_block_till_done()
    assert hass.config_entries.flow.async_progress() == []


async def test_client_id_is_changed(
    hass: HomeAssistant, begin: Begin, mock_server: MockAuthorizationServer
) -> None:
    """With another client ID, the dialog goes on to the login, which is asked for once."""
    begin()
    entry = await _connect(hass)
    mock_server.clients["new"] = CREDENTIAL.client_secret
    result = await _reconfigure(hass, entry, next_step_id="reconfigure_edit", client_id="new")
    assert result["reason"] == "reauth_successful"
    assert mock_server.token_requests[-1]["client_id"] == "new"
    assert hass.config_entries.flow.async_progress() == []


async def test_client_id_is_changed_elsewhere(
    hass: HomeAssistant, begin: Begin, mock_server: MockAuthorizationServer
) -> None:
    """A client ID that is changed by the gear of the credential has the account log in again."""
    begin()
    entry = await _connect(hass)
    mock_server.clients["new"] = CREDENTIAL.client_secret
    subentries = hass.config_entries.subentries
    (subentry_id,) = entry_of(hass).subentries
    form = await subentries.async_init(
        (entry_of(hass).entry_id, "credential"),
        context={"source": SOURCE_RECONFIGURE, "subentry_id": subentry_id},
    )
    await subentries.async_configure(form["flow_id"], {"client_id": "new"})
    assert (await async_log_in_again(hass, entry))["reason"] == "reauth_successful"
    assert mock_server.token_requests[-1]["client_id"] == "new"
    # The account is still known as what it is.
    assert (await async_log_in(hass, "acme"))["reason"] == "already_configured"


async def test_another_credential_is_added(
    hass: HomeAssistant, begin: Begin, mock_server: MockAuthorizationServer
) -> None:
    """A new credential is entered from the account, which logs in with it."""
    begin()
    entry = await _connect(hass)
    before = entry.data["auth_implementation"]
    mock_server.clients["new"] = ""
    result = await _reconfigure(hass, entry, next_step_id="reconfigure_add", client_id="new")
    assert result["reason"] == "reauth_successful"
    assert mock_server.token_requests[-1]["client_id"] == "new"
    assert entry.data["auth_implementation"] != before
    assert len(stored(hass)) == 2


@pytest.mark.parametrize("step", ["reconfigure_edit", "reconfigure_add"])
async def test_form_is_left(hass: HomeAssistant, begin: Begin, step: str) -> None:
    """Whoever opens the form from the account, and leaves it, has an account as before."""
    begin()
    entry = await _connect(hass)
    menu = await _menu(hass, entry)
    flow = hass.config_entries.flow
    result = await flow.async_configure(menu["flow_id"], {"next_step_id": step})
    flow.async_abort(result["next_flow"][1])
    await hass.async_block_till_done()
    assert flow.async_progress() == []


async def test_another_credential_is_picked(
    hass: HomeAssistant, begin: Begin, mock_server: MockAuthorizationServer
) -> None:
    """Where there are several credentials, the account can log in with another one."""
    begin()
    entry = await _connect(hass)
    mock_server.clients["second"] = ""
    second = await async_add_credential(hass, "acme", DeveloperCredential("second"))
    assert "reconfigure_pick" in (await _menu(hass, entry))["menu_options"]
    result = await _reconfigure(hass, entry, next_step_id="reconfigure_pick", implementation=second)
    assert result["reason"] == "reauth_successful"
    assert entry.data["auth_implementation"] == second


@pytest.mark.parametrize("subject", ["account", "another"])
async def test_log_in_again(
    hass: HomeAssistant, begin: Begin, mock_server: MockAuthorizationServer, subject: str
) -> None:
    """The account logs in again with its credential, although nobody has asked for it."""
    begin()
    entry = await _connect(hass)
    token = entry.data["token"]
    await async_add_credential(hass, "acme", DeveloperCredential("aaa"))
    mock_server.claims = {"sub": subject}
    result = await _reconfigure(hass, entry, next_step_id="reconfigure_log_in")
    is_same = subject == "account"
    assert result["reason"] == ("reauth_successful" if is_same else "wrong_account")
    assert (entry.data["token"] != token) is is_same


KNOWS_REAUTH = """
    async def async_oauth_create_entry(self, data):
        if self.source == "reauth":
            return self.async_update_reload_and_abort(self._get_reauth_entry(), data=data)
        return self.async_create_entry(title="Own", data=data)
"""


@pytest.mark.parametrize("step", ["log_in", "pick", "add"])
async def test_login_of_the_menu_is_a_reauth(
    hass: HomeAssistant, begin: Begin, mock_server: MockAuthorizationServer, step: str
) -> None:
    """An integration that makes its entry itself, and knows of reauths only, knows enough."""
    begin(more=KNOWS_REAUTH)
    entry = await _connect(hass)
    assert entry.title == "Own"
    mock_server.clients["second"] = ""
    if step == "pick":
        await async_add_credential(hass, "acme", DeveloperCredential("second"))
    result = await _reconfigure(hass, entry, next_step_id=f"reconfigure_{step}", client_id="second")
    assert result["reason"] == "reauth_successful"
    assert len(hass.config_entries.async_entries("acme")) == 1


async def test_rejected_while_logging_in_again(
    hass: HomeAssistant, begin: Begin, mock_server: MockAuthorizationServer
) -> None:
    """A credential that turns out to be rejected is corrected, and the login goes on."""
    begin()
    entry = await _connect(hass)
    token = entry.data["token"]
    mock_server.clients[CREDENTIAL.client_id] = "rotated"
    result = await _reconfigure(
        hass, entry, next_step_id="reconfigure_log_in", client_secret="rotated"
    )
    assert result["reason"] == "reauth_successful"
    assert entry.data["token"] != token


async def test_credential_is_gone(
    hass: HomeAssistant, begin: Begin, mock_server: MockAuthorizationServer
) -> None:
    """Of an account whose credential is gone, what is left is a new one, or another."""
    begin()
    entry = await _connect(hass)
    (subentry_id,) = entry_of(hass).subentries
    hass.config_entries.async_remove_subentry(entry_of(hass), subentry_id)
    menu = await _menu(hass, entry)
    assert menu["menu_options"] == {"reconfigure_add": "Add a credential"}
    assert menu["description_placeholders"] == {"integration": "Acme", "situation": ""}
    mock_server.clients["second"] = ""
    await async_add_credential(hass, "acme", DeveloperCredential("second"))
    menu = await _menu(hass, entry)
    assert menu["menu_options"] == {
        "reconfigure_pick": "Use another credential",
        "reconfigure_add": "Add a credential",
    }
    result = await _reconfigure(hass, entry, next_step_id="reconfigure_pick")
    assert result["reason"] == "reauth_successful"


async def test_disabled(hass: HomeAssistant, begin: Begin) -> None:
    """While Developer Credentials is disabled, the menu leads to what says so."""
    begin()
    entry = await _connect(hass)
    own = entry_of(hass).entry_id
    await hass.config_entries.async_set_disabled_by(own, ConfigEntryDisabler.USER)
    result = await _reconfigure(hass, entry, next_step_id="reconfigure_add")
    assert result["reason"] == "entry_disabled"


async def test_without_the_platform(hass: HomeAssistant, install: Install) -> None:
    """An integration that takes no credentials says so in the place of an empty menu."""
    install("acme", config_flow=FLOW.format(domain="acme", hook="return None"), __init__=INIT)
    entry = MockConfigEntry(domain="acme", data={"token": {}})
    entry.add_to_hass(hass)
    assert (await _reconfigure(hass, entry))["reason"] == "missing_configuration"


@pytest.mark.parametrize("own", ["", "DOMAIN = 'acme'"])
async def test_domain_and_logger(hass: HomeAssistant, begin: Begin, own: str) -> None:
    """The domain and the logger of a flow are known without being written."""
    begin(more=f"\n    {own}\n")
    await async_add_credential(hass, "acme")
    step = await hass.config_entries.flow.async_init("acme", context={"source": SOURCE_USER})
    flow: Any = hass.config_entries.flow._progress[step["flow_id"]]  # noqa: SLF001
    assert flow.DOMAIN == "acme"
    assert flow.logger.name == "custom_components.acme.config_flow"

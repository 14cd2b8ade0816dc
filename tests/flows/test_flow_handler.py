"""Tests of the integrations' config flows, with Demo Cloud and with servers that refuse."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock, patch
from urllib.parse import parse_qs, unquote, urlsplit

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_USER,
    SOURCE_ZEROCONF,
    ConfigEntry,
    ConfigEntryDisabler,
    ConfigFlowContext,
    ConfigFlowResult,
    ConfigSubentry,
    SubentryFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, UnknownStep
from homeassistant.helpers import http
from homeassistant.helpers.config_entry_oauth2_flow import (
    LocalOAuth2Implementation,
    async_register_implementation,
)
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.developer_credentials import DeveloperCredential
from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.flows.credential_request import (
    CredentialRequest,
    async_get_return,
    returning,
)
from custom_components.developer_credentials.oauth2.http_session import async_get_session
from custom_components.developer_credentials.testing import (
    CREDENTIAL,
    MockAuthorizationServer,
    async_add_credential,
    async_log_in,
)
from demo.authorization_server import DemoAuthorizationServer
from tests.common import (
    REDIRECT_URI,
    SENTINEL,
    add_credential,
    entry_of,
    log_in_and_return,
    suggested,
)
from tests.conftest import Install
from tests.recording_server import RecordingServer, answer

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host")

FORM = {"client_id": "client-id", "client_secret": SENTINEL}


@pytest.fixture
def client(demo_cloud: DemoAuthorizationServer) -> None:
    """Register the client of the tests at Demo Cloud."""
    demo_cloud.add_client("client-id", client_secret=SENTINEL, redirect_uris=(REDIRECT_URI,))


async def _begin(hass: HomeAssistant, domain: str = "demo_cloud") -> ConfigFlowResult:
    return await hass.config_entries.flow.async_init(domain, context={"source": SOURCE_USER})


async def _next(hass: HomeAssistant, result: ConfigFlowResult) -> ConfigFlowResult:
    """Return the step that the dialog goes on with, as the frontend asks for it."""
    assert result["type"] is FlowResultType.ABORT
    kind, flow_id = result["next_flow"]
    assert kind == "config_flow"
    return await hass.config_entries.flow.async_configure(flow_id)


async def _finish(hass: HomeAssistant, login: ConfigFlowResult) -> ConfigFlowResult:
    """Log in at a mock server, which asks nothing, and return what comes of it."""
    flow = hass.config_entries.flow
    async with async_get_session(hass).get(login["url"], allow_redirects=False) as response:
        code = parse_qs(urlsplit(response.headers["Location"]).query)["code"][0]
    state = {"flow_id": login["flow_id"], "redirect_uri": REDIRECT_URI}
    await flow.async_configure(login["flow_id"], {"code": code, "state": state})
    result = await flow.async_configure(login["flow_id"])
    await hass.async_block_till_done()
    return result


async def _connect(hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator) -> ConfigEntry:
    await add_credential(hass, "demo_cloud")
    result = await log_in_and_return(hass, hass_client_no_auth, await _begin(hass))
    return result["result"]


async def _edit(hass: HomeAssistant) -> SubentryFlowResult:
    """Open the form of the one credential."""
    (subentry,) = entry_of(hass).subentries.values()
    return await hass.config_entries.subentries.async_init(
        (entry_of(hass).entry_id, "credential"),
        context={"source": "reconfigure", "subentry_id": subentry.subentry_id},
    )


async def _submit(hass: HomeAssistant, step: SubentryFlowResult, values: dict[str, Any]) -> None:
    await hass.config_entries.subentries.async_configure(step["flow_id"], values)


async def _reauth_without_credential(hass: HomeAssistant, entry: ConfigEntry) -> ConfigFlowResult:
    """Remove the credential of an entry, begin its reauth, and return the form that follows."""
    (subentry,) = entry_of(hass).subentries.values()
    hass.config_entries.async_remove_subentry(entry_of(hass), subentry.subentry_id)
    entry.async_start_reauth(hass)
    await hass.async_block_till_done()
    flow = hass.config_entries.flow
    (reauth,) = flow.async_progress_by_handler("demo_cloud")
    return await _next(hass, await flow.async_configure(reauth["flow_id"], {}))


async def test_from_nothing_to_connected(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, client: None
) -> None:
    """Without a credential the dialog is: form, login, connected."""
    result = await _begin(hass)
    assert result["reason"] == "credential_needed"
    assert result["translation_domain"] == DOMAIN
    form = await _next(hass, result)
    assert (form["handler"], form["step_id"]) == (DOMAIN, "credential")
    result = await hass.config_entries.flow.async_configure(form["flow_id"], FORM)
    login = await _next(hass, result)
    assert (login["handler"], login["step_id"]) == ("demo_cloud", "auth")
    result = await log_in_and_return(hass, hass_client_no_auth, login)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert hass.config_entries.flow.async_progress() == []


async def test_rejected_client_is_corrected(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
    client: None,
) -> None:
    """A client that the server rejects after the login is corrected, and then connected."""
    await add_credential(hass, "demo_cloud", client_secret=f"{SENTINEL}-wrong")
    result = await log_in_and_return(hass, hass_client_no_auth, await _begin(hass))
    form = await _next(hass, result)
    assert form["step_id"] == "edit"
    assert form["errors"] == {"base": "rejected"}
    assert form["description_placeholders"] is not None
    assert form["description_placeholders"]["detail"].startswith("(invalid_client")
    result = await hass.config_entries.flow.async_configure(form["flow_id"], FORM)
    result = await log_in_and_return(hass, hass_client_no_auth, await _next(hass, result))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert len(entry_of(hass).subentries) == 1


@pytest.fixture
async def rejected(
    hass: HomeAssistant, demo_cloud: DemoAuthorizationServer, client: None
) -> ConfigSubentry:
    """Have a credential that the user saved against the server's word, and no login with it."""
    form = await _next(hass, await _begin(hass))
    flow = hass.config_entries.flow
    wrong = FORM | {"client_secret": f"{SENTINEL}-wrong"}
    form = await flow.async_configure(form["flow_id"], wrong)
    assert form["errors"] == {"base": "rejected"}
    result = await flow.async_configure(form["flow_id"], {**wrong, "save_anyway": True})
    # That once, the user wants it.
    login = await _next(hass, result)
    assert login["step_id"] == "auth"
    # The frontend asks for the step that it shows.
    assert await flow.async_configure(login["flow_id"]) == login
    flow.async_abort(login["flow_id"])
    (subentry,) = entry_of(hass).subentries.values()
    return subentry


async def test_rejected_before_the_login(
    hass: HomeAssistant, demo_cloud: DemoAuthorizationServer, rejected: ConfigSubentry
) -> None:
    """What was saved against the server's word leads back to the form, not to an error page."""
    for _ in range(2):
        form = await _next(hass, await _begin(hass))
        assert (form["handler"], form["step_id"]) == (DOMAIN, "edit")
        assert form["errors"] == {"base": "rejected"}
        placeholders = form["description_placeholders"]
        assert placeholders is not None
        assert "saved although Demo Cloud does not accept it" in placeholders["situation"]
        assert "(invalid_client" in placeholders["detail"]
        # The secret comes first; what is rejected may be saved all the same at once.
        assert list(suggested(form))[:3] == ["client_secret", "client_id", "save_anyway"]
    flow = hass.config_entries.flow
    result = await flow.async_configure(form["flow_id"], FORM)
    assert result["reason"] == "credential_saved"
    assert (await _next(hass, result))["step_id"] == "auth"
    assert "objection" not in rejected.data


async def test_rejected_before_the_login_and_insisted(
    hass: HomeAssistant, rejected: ConfigSubentry
) -> None:
    """Whoever insists again gets the login again, once."""
    form = await _next(hass, await _begin(hass))
    result = await hass.config_entries.flow.async_configure(
        form["flow_id"], {"client_id": "client-id", "save_anyway": True}
    )
    assert result["reason"] == "credential_saved_rejected"
    assert (await _next(hass, result))["step_id"] == "auth"
    assert (await _next(hass, await _begin(hass)))["step_id"] == "edit"


@pytest.mark.parametrize("answers", [True, False])
async def test_accepted_before_the_login(
    hass: HomeAssistant,
    demo_cloud: DemoAuthorizationServer,
    rejected: ConfigSubentry,
    answers: bool,
) -> None:
    """What the server accepts by now, or says nothing of, goes on to the login."""
    demo_cloud.clients["client-id"].client_secret = f"{SENTINEL}-wrong"
    demo_cloud.unavailable = not answers
    assert (await _begin(hass))["step_id"] == "auth"
    assert ("objection" in rejected.data) is not answers


async def test_known_as_rejected_before_the_login(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
    client: None,
) -> None:
    """A credential that a refresh has found to be rejected does not lead to the login either."""
    entry = await _connect(hass, hass_client_no_auth)
    demo_cloud.clients["client-id"].client_secret = f"{SENTINEL}-rotated"
    await entry.runtime_data.async_refresh()
    form = await _next(hass, await _begin(hass))
    assert (form["step_id"], form["errors"]) == ("edit", {"base": "rejected"})
    assert form["description_placeholders"] is not None
    assert "has not accepted this credential since" in form["description_placeholders"]["situation"]


async def test_accepted_credential_is_not_asked_about(
    hass: HomeAssistant, demo_cloud: DemoAuthorizationServer, client: None
) -> None:
    """Nobody is asked about a credential that nothing is known against."""
    await add_credential(hass, "demo_cloud")
    assert (await _begin(hass))["step_id"] == "auth"
    assert demo_cloud.token_requests == []


@pytest.mark.parametrize("registers", [True, False])
async def test_another_address_than_the_registered_one(
    hass: HomeAssistant,
    demo_cloud: DemoAuthorizationServer,
    client: None,
    current_request: MagicMock,
    registers: bool,
) -> None:
    """Opened at another address, the form says where to log in, and keeps what is registered.

    Where the redirect URI of that address is registered as well, there is nothing to say.
    """
    form = await _next(hass, await _begin(hass))
    flow = hass.config_entries.flow
    result = await flow.async_configure(form["flow_id"], FORM)
    flow.async_abort(result["next_flow"][1])
    (subentry,) = entry_of(hass).subentries.values()
    assert subentry.data["registered_uri"] == REDIRECT_URI
    request = current_request.get.return_value.clone(headers={"HA-Frontend-Base": "http://lan"})
    current_request.get.return_value = request
    here = "http://lan/auth/external/callback"
    if registers:
        demo_cloud.clients["client-id"].redirect_uris += (here,)
    step = await _begin(hass)
    if registers:
        assert f"redirect_uri={here}" in unquote(step["url"])
        return
    form = await _next(hass, step)
    assert (form["step_id"], form["errors"]) == ("edit", {"base": "redirect_uri_rejected"})
    placeholders = form["description_placeholders"]
    assert placeholders is not None
    assert f"`{REDIRECT_URI}`" in placeholders["redirect_uri"]
    assert "You opened Home Assistant at another address" in placeholders["redirect_uri"]
    assert "open it at https://example.com," in placeholders["redirect_uri"]
    assert suggested(form)["redirect_uri"] == "registered"
    # Another secret is verified, and saved, with the redirect URI that is registered.
    demo_cloud.clients["client-id"].client_secret = f"{SENTINEL}-new"
    values = {"client_id": "client-id", "client_secret": f"{SENTINEL}-new"}
    saved = await flow.async_configure(form["flow_id"], values)
    assert saved["reason"] == "credential_saved"
    assert subentry.data["registered_uri"] == REDIRECT_URI
    # From here, the login would end at the same error page; the dialog does not just end.
    form = await _next(hass, saved)
    assert form["errors"] == {"base": "redirect_uri_rejected"}
    result = await flow.async_configure(
        form["flow_id"], {"client_id": "client-id", "save_anyway": True}
    )
    assert (await _next(hass, result))["step_id"] == "auth"
    # So is the one of this address, once it is chosen.
    demo_cloud.clients["client-id"].redirect_uris = (here,)
    edit = await _edit(hass)
    await _submit(hass, edit, {"client_id": "client-id", "more": {"redirect_uri": "default"}})
    assert subentry.data["registered_uri"] == here


async def test_credential_is_gone_meanwhile(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, client: None
) -> None:
    """A credential that was removed while the user logged in cannot be corrected; that is said."""
    subentry = await add_credential(hass, "demo_cloud", client_secret=f"{SENTINEL}-wrong")
    step = await _begin(hass)
    hass.config_entries.async_remove_subentry(entry_of(hass), subentry.subentry_id)
    result = await log_in_and_return(hass, hass_client_no_auth, step)
    assert result["reason"] == "credential_gone"
    assert result["translation_domain"] == DOMAIN
    assert hass.config_entries.flow.async_progress() == []


CONFIG_FLOW = """
import logging
from custom_components.developer_credentials import DeveloperCredentialsFlowHandler

class Flow(DeveloperCredentialsFlowHandler, domain="acme"):
    DOMAIN = "acme"
    logger = logging.getLogger(__name__)
"""

PLATFORM = """
from custom_components.developer_credentials import AuthorizationServer

async def async_get_authorization_server(hass):
    return AuthorizationServer("{url}", "{url}")
"""


async def _come_back(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, **query: str
) -> ConfigFlowResult:
    """Return to the callback with what a server may send there."""
    step = await _begin(hass, "acme")
    state = parse_qs(urlsplit(step["url"]).query)["state"][0]
    browser = await hass_client_no_auth()
    await browser.get("/auth/external/callback", params={"state": state, **query})
    return await hass.config_entries.flow.async_configure(step["flow_id"])


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [
        (400, "invalid_grant", "token_invalid_grant"),
        (400, "redirect_uri_mismatch", "token_invalid_redirect_uri"),
        (400, "invalid_scope", "token_invalid_scope"),
        (400, "unsupported_grant_type", "token_refused"),
        (503, "temporarily_unavailable", "token_unavailable"),
        (200, None, "token_invalid_response"),
    ],
)
async def test_token_errors(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    install: Install,
    server: RecordingServer,
    status: int,
    error: str | None,
    reason: str,
) -> None:
    """What the token endpoint says is shown as text, with what to do about it."""
    install("acme", PLATFORM.format(url=server.url), config_flow=CONFIG_FLOW)
    await add_credential(hass, "acme")
    body = {"error": error, "error_description": "<b>*no*</b> [x](http://a.b)"} if error else {}
    server.respond = answer(body, status)
    result = await _come_back(hass, hass_client_no_auth, code="code")
    assert result["reason"] == reason
    assert result["translation_domain"] == DOMAIN
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert placeholders["integration"] == "Acme"
    if error:
        shown = placeholders["detail"].replace("\\", "")
        assert shown == f"{error}: <b>*no*</b> [x](http://a.b)"
        assert r"\<b\>\*no\*" in placeholders["detail"]
        assert r"\[x\]\(http\:\/\/a\.b\)" in placeholders["detail"]
    else:
        assert placeholders["detail"] == "-"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("access_denied", "user_rejected_authorize"),
        ("invalid_scope", "authorize_invalid_scope"),
        ("server_error", "authorize_unavailable"),
        ("<img src=x>", "authorize_refused"),
        ("redirect_uri_mismatch", "token_invalid_redirect_uri"),
        ("unauthorized_client", "credential_needed"),
        ("DISABLED_CLIENT", "credential_needed"),
    ],
)
async def test_authorize_errors(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    install: Install,
    error: str,
    reason: str,
) -> None:
    """What the authorization endpoint says is shown as text; a client it rejects is corrected."""
    install("acme", PLATFORM.format(url="https://acme.example"), config_flow=CONFIG_FLOW)
    await add_credential(hass, "acme")
    result = await _come_back(hass, hass_client_no_auth, error=error)
    assert result["reason"] == reason
    if reason == "credential_needed":
        assert (await _next(hass, result))["step_id"] == "edit"
    else:
        assert "<" not in str(result["description_placeholders"]).replace(r"\\<", "")


async def test_authorize_error_of_any_length(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, install: Install
) -> None:
    """Of what a server puts into the callback, a line is shown."""
    install("acme", PLATFORM.format(url="https://acme.example"), config_flow=CONFIG_FLOW)
    await add_credential(hass, "acme")
    result = await _come_back(hass, hass_client_no_auth, error="e" * 2000)
    assert result["reason"] == "authorize_refused"
    assert result["description_placeholders"] == {"detail": "e" * 100, "integration": "Acme"}


async def test_working_token_without_our_implementation(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    install: Install,
    server: RecordingServer,
) -> None:
    """An implementation of the platform's own keeps Home Assistant's messages."""
    install(
        "acme",
        f"""
from homeassistant.helpers.config_entry_oauth2_flow import LocalOAuth2Implementation
async def async_get_auth_implementation(hass, auth_domain, credential):
    return LocalOAuth2Implementation(hass, auth_domain, "id", "", "{server.url}", "{server.url}")
""",
        config_flow=CONFIG_FLOW,
    )
    await add_credential(hass, "acme")
    server.respond = answer({"error": "invalid_grant"}, 400)
    result = await _come_back(hass, hass_client_no_auth, code="code")
    assert result["reason"] == "oauth_unauthorized"


async def test_disabled_entry(hass: HomeAssistant) -> None:
    """While the credentials are disabled the user is told so."""
    await add_credential(hass, "demo_cloud")
    entry_id = entry_of(hass).entry_id
    await hass.config_entries.async_set_disabled_by(entry_id, ConfigEntryDisabler.USER)
    result = await _begin(hass)
    assert result["reason"] == "entry_disabled"
    assert result["translation_domain"] == DOMAIN


async def test_without_the_platform(hass: HomeAssistant, install: Install) -> None:
    """An integration that has lost its platform cannot be given a credential."""
    install("acme", config_flow=CONFIG_FLOW)
    assert (await _begin(hass, "acme"))["reason"] == "missing_configuration"


async def test_reauth_without_its_credential(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, client: None
) -> None:
    """Where the credential of an entry is gone, the reauth asks for one and then logs in."""
    entry = await _connect(hass, hass_client_no_auth)
    form = await _reauth_without_credential(hass, entry)
    flow = hass.config_entries.flow
    assert form["step_id"] == "credential"
    # What was asked before the form is not asked again.
    login = await _next(hass, await flow.async_configure(form["flow_id"], FORM))
    assert login["step_id"] == "auth"
    result = await log_in_and_return(hass, hass_client_no_auth, login)
    assert result["reason"] == "reauth_successful"
    assert len(hass.config_entries.async_entries("demo_cloud")) == 1


async def test_reauth_offers_the_others(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, client: None
) -> None:
    """Where another credential is left, the reauth uses it."""
    entry = await _connect(hass, hass_client_no_auth)
    (subentry,) = entry_of(hass).subentries.values()
    hass.config_entries.async_remove_subentry(entry_of(hass), subentry.subentry_id)
    await add_credential(hass, "demo_cloud", "another")
    entry.async_start_reauth(hass)
    await hass.async_block_till_done()
    flow = hass.config_entries.flow
    (reauth,) = flow.async_progress_by_handler("demo_cloud")
    step = await flow.async_configure(reauth["flow_id"], {})
    assert "client_id=another" in step["url"]


async def test_reauth_that_is_left(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, client: None
) -> None:
    """A user who leaves the form of a reauth is asked to log in again, as before."""
    entry = await _connect(hass, hass_client_no_auth)
    form = await _reauth_without_credential(hass, entry)
    flow = hass.config_entries.flow
    flow.async_abort(form["flow_id"])
    await hass.async_block_till_done()
    (again,) = flow.async_progress()
    assert again["context"]["source"] == SOURCE_REAUTH


async def test_reauth_whose_entry_is_gone(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, client: None
) -> None:
    """A user who leaves the form of a reauth whose entry was removed is asked nothing."""
    entry = await _connect(hass, hass_client_no_auth)
    form = await _reauth_without_credential(hass, entry)
    flow = hass.config_entries.flow
    await hass.config_entries.async_remove(entry.entry_id)
    flow.async_abort(form["flow_id"])
    await hass.async_block_till_done()
    assert flow.async_progress() == []


async def test_reauth_whose_entry_is_gone_when_saved(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, client: None
) -> None:
    """Where the entry of a reauth was removed meanwhile, the login makes a new one."""
    entry = await _connect(hass, hass_client_no_auth)
    form = await _reauth_without_credential(hass, entry)
    await hass.config_entries.async_remove(entry.entry_id)
    result = await hass.config_entries.flow.async_configure(form["flow_id"], FORM)
    login = await _next(hass, result)
    assert login["step_id"] == "auth"
    result = await log_in_and_return(hass, hass_client_no_auth, login)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_reauth_with_a_new_client_id(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
    client: None,
) -> None:
    """A client id that is corrected during a reauth leads on to that one reauth."""
    entry = await _connect(hass, hass_client_no_auth)
    demo_cloud.clients["new-id"] = demo_cloud.clients.pop("client-id")
    entry.async_start_reauth(hass)
    await hass.async_block_till_done()
    flow = hass.config_entries.flow
    (reauth,) = flow.async_progress_by_handler("demo_cloud")
    login = await flow.async_configure(reauth["flow_id"], {})
    state = parse_qs(urlsplit(login["url"]).query)["state"][0]
    browser = await hass_client_no_auth()
    query = {"state": state, "error": "unauthorized_client"}
    await browser.get("/auth/external/callback", params=query)
    form = await _next(hass, await flow.async_configure(login["flow_id"]))
    assert form["step_id"] == "edit"
    demo_cloud.add_client("new-id", client_secret=SENTINEL, redirect_uris=(REDIRECT_URI,))
    result = await flow.async_configure(form["flow_id"], FORM | {"client_id": "new-id"})
    await hass.async_block_till_done()
    (again,) = flow.async_progress()
    assert again["flow_id"] == result["next_flow"][1]
    assert again["context"]["title_placeholders"] == reauth["context"]["title_placeholders"]


RECORDING = """
    async def async_step_reauth(self, entry_data):
        self.hass.data.setdefault("reauth", entry_data)
        return self.async_show_form(step_id="reauth")
"""


async def test_reauth_is_told_what_the_entry_has(
    hass: HomeAssistant, install: Install, socket_enabled: None
) -> None:
    """The reauth that the form leads on to begins like Home Assistant's: with the entry's data."""
    install("acme", PLATFORM.format(url="http://127.0.0.1:9"), config_flow=CONFIG_FLOW + RECORDING)
    data = {"auth_implementation": "gone", "account": "1"}
    entry = MockConfigEntry(domain="acme", data=data)
    entry.add_to_hass(hass)
    request = CredentialRequest(
        domain="acme", context={"source": SOURCE_REAUTH, "entry_id": entry.entry_id}
    )
    flow = hass.config_entries.flow
    form = await flow.async_init(DOMAIN, context={"source": SOURCE_USER}, data=request)
    step = await _next(hass, await flow.async_configure(form["flow_id"], FORM))
    assert step["step_id"] == "reauth"
    assert hass.data["reauth"] == data
    assert len(flow.async_progress()) == 1


RECONFIGURE = """
    async def async_step_reconfigure(self, user_input=None):
        if user_input is None:
            return self.async_show_form(step_id="reconfigure")
        return await self.async_step_user()
"""


async def test_reconfigure_without_its_credential(
    hass: HomeAssistant, install: Install, socket_enabled: None
) -> None:
    """A reconfigure whose credential is gone asks for one, and begins again from its first step."""
    install(
        "acme", PLATFORM.format(url="http://127.0.0.1:9"), config_flow=CONFIG_FLOW + RECONFIGURE
    )
    entry = MockConfigEntry(domain="acme", data={"auth_implementation": "gone", "token": {}})
    entry.add_to_hass(hass)
    flow = hass.config_entries.flow
    step = await flow.async_init(
        "acme", context={"source": "reconfigure", "entry_id": entry.entry_id}
    )
    form = await _next(hass, await flow.async_configure(step["flow_id"], {}))
    step = await _next(hass, await flow.async_configure(form["flow_id"], FORM))
    assert (step["handler"], step["step_id"]) == ("acme", "reconfigure")


OWN_STEPS = """
    _host = None

    async def async_step_user(self, user_input=None):
        if user_input is None:
            return self.async_show_form(step_id="user")
        return await self._to(user_input["host"])

    async def async_step_zeroconf(self, discovery_info):
        await self.async_set_unique_id(discovery_info["id"])
        self.context["title_placeholders"] = {"name": "Box"}
        return await self._to(discovery_info["host"])

    async def _to(self, host):
        self._host = host
        return await self.async_step_pick_implementation()

    async def async_oauth_create_entry(self, data):
        told = {"host": self._host, "source": self.source, "data": self.init_data}
        return self.async_create_entry(title=self.unique_id or "", data={**told, **data})
"""
KEPT = """
    kept_attributes = ("_host", "_missing")
"""


@pytest.fixture
async def steps(
    hass: HomeAssistant, install: Install, socket_enabled: None
) -> AsyncIterator[MockAuthorizationServer]:
    """Have an integration with steps of its own before the login, and a server."""
    config_flow = CONFIG_FLOW + OWN_STEPS + KEPT
    install("acme", PLATFORM.format(url="https://acme.example"), config_flow=config_flow)
    async with MockAuthorizationServer(hass) as server:
        yield server


@pytest.mark.parametrize("source", [SOURCE_USER, SOURCE_ZEROCONF])
async def test_own_steps(hass: HomeAssistant, steps: MockAuthorizationServer, source: str) -> None:
    """A flow with steps of its own comes back to its login, with what it has found out."""
    data = {"id": "7", "host": "h"} if source == SOURCE_ZEROCONF else None
    flow = hass.config_entries.flow
    context: ConfigFlowContext = {"source": source, "configuration_url": "http://box"}
    step = await flow.async_init("acme", context=context, data=data)
    if data is None:
        step = await flow.async_configure(step["flow_id"], {"host": "h"})
    (form,) = flow.async_progress_by_handler(DOMAIN)
    assert step["next_flow"][1] == form["flow_id"]
    values = {"client_id": CREDENTIAL.client_id, "client_secret": CREDENTIAL.client_secret}
    login = await _next(hass, await flow.async_configure(form["flow_id"], values))
    assert login["step_id"] == "auth"
    (progress,) = flow.async_progress()
    assert progress["context"]["source"] == source
    assert progress["context"]["configuration_url"] == "http://box"
    if data:
        assert progress["context"]["unique_id"] == "7"
        assert progress["context"]["title_placeholders"] == {"name": "Box"}
    result = await _finish(hass, login)
    told = {"host": "h", "source": source, "data": data}
    assert result["data"].items() >= told.items()
    assert result["title"] == ("7" if data else "")


@pytest.mark.parametrize("answers", [{}, {"client_secret": CREDENTIAL.client_secret}])
async def test_own_steps_and_rejected(
    hass: HomeAssistant, steps: MockAuthorizationServer, answers: dict[str, str]
) -> None:
    """Where the server rejects the credential at the login, it is corrected on the way."""
    await async_add_credential(hass, "acme", DeveloperCredential(CREDENTIAL.client_id, SENTINEL))
    result = await async_log_in(
        hass,
        "acme",
        {"client_id": CREDENTIAL.client_id, **answers},
        context={"source": SOURCE_ZEROCONF},
        data={"id": "7", "host": "h"},
    )
    if answers:
        assert result["data"]["host"] == "h"
    else:
        assert result["errors"] == {"base": "rejected"}


async def test_own_steps_that_keep_nothing(
    hass: HomeAssistant, install: Install, socket_enabled: None
) -> None:
    """Without the names of its attributes, a flow begins again with what it began with before."""
    config_flow = CONFIG_FLOW + OWN_STEPS
    install("acme", PLATFORM.format(url="http://127.0.0.1:9"), config_flow=config_flow)
    flow = hass.config_entries.flow
    step = await _begin(hass, "acme")
    form = await _next(hass, await flow.async_configure(step["flow_id"], {"host": "h"}))
    step = await _next(hass, await flow.async_configure(form["flow_id"], FORM))
    assert (step["handler"], step["step_id"]) == ("acme", "user")


async def test_two_flows_of_one_integration(
    hass: HomeAssistant, steps: MockAuthorizationServer
) -> None:
    """What one flow has found out is not another one's."""
    flow = hass.config_entries.flow
    forms = []
    for host in ("one", "two"):
        step = await flow.async_configure((await _begin(hass, "acme"))["flow_id"], {"host": host})
        forms.append(await _next(hass, step))
    for form, client_id, host in zip(forms, ("a", "b"), ("one", "two"), strict=True):
        steps.clients[client_id] = ""
        result = await flow.async_configure(form["flow_id"], {"client_id": client_id})
        result = await _finish(hass, await _next(hass, result))
        assert result["data"]["host"] == host
        assert steps.token_requests[-1]["client_id"] == client_id


LOOKS_ITSELF = """
    async def async_step_user(self, user_input=None):
        from homeassistant.helpers.config_entry_oauth2_flow import async_get_implementations
        if not await async_get_implementations(self.hass, self.DOMAIN):
            return await self.async_ask_for_credential()
        return self.async_show_form(step_id="user")
"""


async def test_flow_that_looks_itself(
    hass: HomeAssistant, install: Install, socket_enabled: None
) -> None:
    """A flow that finds no implementation itself asks for a credential by one call."""
    config_flow = CONFIG_FLOW + LOOKS_ITSELF
    install("acme", PLATFORM.format(url="http://127.0.0.1:9"), config_flow=config_flow)
    flow = hass.config_entries.flow
    form = await _next(hass, await _begin(hass, "acme"))
    step = await _next(hass, await flow.async_configure(form["flow_id"], FORM))
    assert (step["handler"], step["step_id"]) == ("acme", "user")


async def test_flow_that_looks_itself_without_a_user(hass: HomeAssistant, install: Install) -> None:
    """Where nobody would see the form, the flow ends with a text of ours."""
    config_flow = CONFIG_FLOW + LOOKS_ITSELF
    install("acme", PLATFORM.format(url="http://127.0.0.1:9"), config_flow=config_flow)
    with patch.object(http, "current_request", SimpleNamespace(get=lambda: None)):
        result = await _begin(hass, "acme")
    assert (result["reason"], result["translation_domain"]) == ("credential_needed", DOMAIN)
    assert hass.config_entries.flow.async_progress() == []


def test_return_of_one_flow() -> None:
    """What a flow returns with is not for another one that begins meanwhile."""
    context: ConfigFlowContext = {"source": SOURCE_USER}
    with returning(context, "acme", {"_host": SENTINEL}):
        found = async_get_return(context)
        assert found
        assert found.kept == {"_host": SENTINEL}
        assert SENTINEL not in repr(found)
        assert async_get_return({**context}) is None
    assert async_get_return(context) is None


async def test_return_is_no_first_step(hass: HomeAssistant, steps: MockAuthorizationServer) -> None:
    """Nobody returns to a flow that has asked for nothing."""
    step = await _begin(hass, "acme")
    handler: Any = hass.config_entries.flow._progress[step["flow_id"]]  # noqa: SLF001
    with pytest.raises(UnknownStep):
        await handler.async_step_return()


async def test_nobody_is_there(hass: HomeAssistant) -> None:
    """A flow that no user has begun opens no form that nobody would see."""
    with patch.object(http, "current_request", SimpleNamespace(get=lambda: None)):
        result = await _begin(hass)
    assert result["reason"] == "missing_configuration"
    assert hass.config_entries.flow.async_progress() == []


BROKEN = """
    async def async_step_user(self, user_input=None):
        raise ValueError
"""


async def test_next_flow_fails(
    hass: HomeAssistant,
    install: Install,
    socket_enabled: None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Where the integration's own flow fails, the credential is saved all the same."""
    install("acme", PLATFORM.format(url="http://127.0.0.1:9"), config_flow=CONFIG_FLOW + BROKEN)
    request = CredentialRequest(domain="acme")
    flow = hass.config_entries.flow
    form = await flow.async_init(DOMAIN, context={"source": SOURCE_USER}, data=request)
    result = await flow.async_configure(form["flow_id"], FORM)
    assert result["reason"] == "credential_saved_unchecked"
    assert "next_flow" not in result
    assert "The flow of acme failed: ValueError" in caplog.text


AT_ONCE = """
    async def async_step_user(self, user_input=None):
        return self.async_create_entry(title="Acme", data={})
"""


async def test_next_flow_that_asks_nothing(
    hass: HomeAssistant, install: Install, socket_enabled: None
) -> None:
    """An integration's flow that ends at once is not what the dialog goes on with."""
    install("acme", PLATFORM.format(url="http://127.0.0.1:9"), config_flow=CONFIG_FLOW + AT_ONCE)
    flow = hass.config_entries.flow
    form = await flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}, data=CredentialRequest(domain="acme")
    )
    result = await flow.async_configure(form["flow_id"], FORM)
    assert result["reason"] == "credential_saved_unchecked"
    assert "next_flow" not in result
    assert len(hass.config_entries.async_entries("acme")) == 1


UNAVAILABLE = """
from homeassistant.helpers.config_entry_oauth2_flow import ImplementationUnavailableError

async def async_get_authorization_server(hass):
    raise ImplementationUnavailableError
"""


async def test_next_flow_does_not_offer_the_credential(
    hass: HomeAssistant, install: Install
) -> None:
    """Where the integration's flow offers others only, the user sees them."""
    install("acme", UNAVAILABLE, config_flow=CONFIG_FLOW)
    for name in ("one", "two"):
        implementation = LocalOAuth2Implementation(hass, name, name, "", "", "")
        async_register_implementation(hass, "acme", implementation)
    request = CredentialRequest(domain="acme")
    flow = hass.config_entries.flow
    form = await flow.async_init(DOMAIN, context={"source": SOURCE_USER}, data=request)
    result = await flow.async_configure(form["flow_id"], FORM)
    assert (await _next(hass, result))["step_id"] == "pick_implementation"


async def test_implementation_that_is_gone(hass: HomeAssistant, client: None) -> None:
    """A flow that is told to use a credential that is gone uses what there is."""
    await add_credential(hass, "demo_cloud")
    step = await _begin(hass)
    handler = hass.config_entries.flow._progress[step["flow_id"]]  # noqa: SLF001
    result = await handler.async_step_pick_implementation(  # type: ignore[attr-defined]
        {"implementation": "gone"}
    )
    assert result["step_id"] == "auth"
    assert "client_id=client-id" in result["url"]


async def test_new_name_disturbs_nobody(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, client: None
) -> None:
    """A loaded entry is neither reloaded nor asked to log in when its credential is renamed."""
    entry = await _connect(hass, hass_client_no_auth)
    coordinator = entry.runtime_data
    step = await _edit(hass)
    await _submit(hass, step, FORM | {"more": {"name": "New"}})
    await hass.async_block_till_done()
    (subentry,) = entry_of(hass).subentries.values()
    assert subentry.title == "Demo Cloud: New"
    assert entry.runtime_data is coordinator
    assert hass.config_entries.flow.async_progress() == []


async def test_new_client_id_asks_for_login(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
    client: None,
) -> None:
    """A new client id has the entries log in again; a new secret reloads those in error."""
    entry = await _connect(hass, hass_client_no_auth)
    demo_cloud.add_client("new-id", client_secret=SENTINEL, redirect_uris=(REDIRECT_URI,))
    hass.config_entries.async_update_entry(entry, title="Demo <b>account</b>")
    step = await _edit(hass)
    assert step["description_placeholders"] is not None
    assert r"Demo \<b\>account\<\/b\>" in step["description_placeholders"]["situation"]
    await hass.config_entries.subentries.async_configure(
        step["flow_id"], FORM | {"client_id": "new-id"}
    )
    await hass.async_block_till_done()
    (reauth,) = hass.config_entries.flow.async_progress_by_handler("demo_cloud")
    assert reauth["context"]["entry_id"] == entry.entry_id


async def test_new_secret_mends_an_entry_in_error(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
    client: None,
) -> None:
    """An entry that could not be set up with the old secret is set up with the new one."""
    entry = await _connect(hass, hass_client_no_auth)
    demo_cloud.clients["client-id"].client_secret = f"{SENTINEL}-new"
    demo_cloud.expire_access_tokens()
    assert not await hass.config_entries.async_reload(entry.entry_id)
    assert hass.config_entries.flow.async_progress() == []
    step = await _edit(hass)
    values = FORM | {"client_secret": f"{SENTINEL}-new"}
    await _submit(hass, step, values)
    await hass.async_block_till_done()
    assert entry.state.value == "loaded"


async def test_implementation_of_somebody_else(hass: HomeAssistant, install: Install) -> None:
    """A login by an implementation that is not ours begins; its server is not asked first."""
    url = "https://acme.example"
    install("acme", PLATFORM.format(url=url), config_flow=CONFIG_FLOW)
    other = LocalOAuth2Implementation(hass, "other", "id", SENTINEL, url, url)
    async_register_implementation(hass, "acme", other)
    step = await _begin(hass, "acme")
    assert step["type"] is FlowResultType.EXTERNAL_STEP
    assert str(step["url"]).startswith(url)

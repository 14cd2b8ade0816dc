"""Tests of the flows that add and edit a credential."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock, patch

from homeassistant import loader
from homeassistant.components import application_credentials
from homeassistant.config_entries import (
    SOURCE_INTEGRATION_DISCOVERY,
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntryDisabler,
    ConfigEntryState,
    ConfigFlowResult,
    ConfigSubentry,
    SubentryFlowContext,
    SubentryFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import http
from homeassistant.helpers.config_entry_oauth2_flow import (
    MY_AUTH_CALLBACK_PATH as MY,
)
from homeassistant.helpers.config_entry_oauth2_flow import (
    LocalOAuth2Implementation,
    async_get_implementations,
    async_register_implementation,
)
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.developer_credentials import DeveloperCredential
from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.credentials.store import async_get_or_create_entry
from custom_components.developer_credentials.flows.credential_request import CredentialRequest
from custom_components.developer_credentials.flows.credential_subject import OwnCredential
from custom_components.developer_credentials.oauth2.errors import InvalidClientError
from custom_components.developer_credentials.oauth2.redirect_uri import RedirectUri
from custom_components.developer_credentials.oauth2.verification import Outcome, Verification
from demo.authorization_server import DemoAuthorizationServer
from tests.common import (
    OFFLINE_PLATFORM,
    REDIRECT_URI,
    SENTINEL,
    add_credential,
    begin_adding,
    begin_adding_in_list,
    begin_repair,
    collapsed,
    continue_repair,
    entry_of,
    issue_ids,
    stored,
    suggested,
)
from tests.conftest import Install

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host", "demo_cloud")

FORM = {"client_id": "id", "client_secret": SENTINEL}


@pytest.fixture(autouse=True)
def client(demo_cloud: DemoAuthorizationServer) -> None:
    """Register the client of the tests at Demo Cloud."""
    demo_cloud.add_client("id", client_secret=SENTINEL, redirect_uris=(REDIRECT_URI,))


async def _submit(
    hass: HomeAssistant, step: ConfigFlowResult, values: dict[str, Any]
) -> ConfigFlowResult:
    result = await hass.config_entries.flow.async_configure(step["flow_id"], values)
    await hass.async_block_till_done()
    return result


def _edit(subentry: ConfigSubentry) -> SubentryFlowContext:
    return {"source": SOURCE_RECONFIGURE, "subentry_id": subentry.subentry_id}


async def test_set_up(hass: HomeAssistant) -> None:
    """One submit sets it up, after it was said what that does; more is offered, and not needed."""
    flow = hass.config_entries.flow
    step = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert (step["type"], step["step_id"]) == (FlowResultType.FORM, "set_up")
    assert hass.config_entries.async_entries(DOMAIN) == []
    step = await _submit(hass, step, {})
    assert (step["type"], step["step_id"]) == (FlowResultType.MENU, "next")
    assert step["menu_options"] == ["integration", "finish"]
    # Whoever closes the dialog now has it.
    assert entry_of(hass).state is ConfigEntryState.LOADED
    assert entry_of(hass).title == "Developer Credentials"
    result = await _submit(hass, step, {"next_step_id": "finish"})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "set_up")
    assert entry_of(hass).subentries == {}
    # From then on the dialog begins with what there is to do.
    step = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert step["step_id"] == "integration"


async def test_set_up_leads_on(hass: HomeAssistant) -> None:
    """After the set-up, application credentials can be edited where there are any."""
    assert await async_setup_component(hass, "application_credentials", {})
    items = hass.data[application_credentials.DATA_COMPONENT].data
    items["fitbit_id"] = {"id": "fitbit_id", "domain": "fitbit", **FORM}
    flow = hass.config_entries.flow
    step = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    step = await _submit(hass, step, {})
    assert step["menu_options"] == ["integration", "application_credential", "finish"]
    step = await _submit(hass, step, {"next_step_id": "application_credential"})
    assert step["step_id"] == "application_credential"
    step = await _submit(hass, step, {"credential": "fitbit_id"})
    assert step["step_id"] == "edit_application_credential"
    # Later, the menu comes first.
    step = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert (step["type"], step["step_id"]) == (FlowResultType.MENU, "user")
    assert step["menu_options"] == ["integration", "application_credential"]


async def test_set_up_twice_at_a_time(hass: HomeAssistant) -> None:
    """Two dialogs, and YAML meanwhile, make one entry."""
    flow = hass.config_entries.flow
    steps = [await flow.async_init(DOMAIN, context={"source": SOURCE_USER}) for _ in range(2)]
    yaml = hass.async_create_task(async_get_or_create_entry(hass))
    results = await asyncio.gather(
        *(hass.async_create_task(flow.async_configure(one["flow_id"], {})) for one in steps)
    )
    assert [one["step_id"] for one in results] == ["next", "next"]
    assert await yaml is entry_of(hass)


async def test_add_in_the_list_begins_with_adding(hass: HomeAssistant) -> None:
    """The entry's own flow asks for the integration, whatever else could be done."""
    assert await async_setup_component(hass, "application_credentials", {})
    items = hass.data[application_credentials.DATA_COMPONENT].data
    items["fitbit_id"] = {"id": "fitbit_id", "domain": "fitbit", **FORM}
    entry = await async_get_or_create_entry(hass)
    step = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "credential"), context={"source": SOURCE_USER}
    )
    assert step["step_id"] == "integration"


async def test_add(hass: HomeAssistant) -> None:
    """The form has what the user needs, and goes on into the login."""
    step = await begin_adding(hass)
    assert step["type"] is FlowResultType.FORM
    assert step["step_id"] == "credential"
    placeholders = step["description_placeholders"]
    assert placeholders is not None
    assert placeholders["integration"] == "Demo Cloud"
    assert "/console)" in placeholders["instructions"]
    assert f"`{REDIRECT_URI}`" in placeholders["redirect_uri"]
    values = {
        "client_id": "\u200b id ",
        "client_secret": f" {SENTINEL}\n",
        "more": {"name": " My app "},
    }
    result = await _submit(hass, step, values)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "credential_saved"
    assert result["description_placeholders"] == {
        "integration": "Demo Cloud",
        "title": r"Demo Cloud\: My app",
    }
    assert stored(hass) == [
        {
            "domain": "demo_cloud",
            "auth_domain": "demo_cloud_id",
            "client_id": "id",
            "client_secret": SENTINEL,
            "name": "My app",
            "redirect_uri": "default",
            "token_endpoint_auth_method": None,
            "registered_uri": REDIRECT_URI,
        }
    ]
    (login,) = hass.config_entries.flow.async_progress_by_handler("demo_cloud")
    assert result["next_flow"] == ("config_flow", login["flow_id"])
    assert login["step_id"] == "auth"


async def test_second_credential_logs_in_with_it(hass: HomeAssistant) -> None:
    """The login after the form is one with the credential that was just entered."""
    await add_credential(hass, "demo_cloud", "other")
    result = await _submit(hass, await begin_adding(hass), FORM)
    flow = hass.config_entries.flow._progress[result["next_flow"][1]]  # noqa: SLF001
    assert flow.flow_impl.domain == "demo_cloud_id"  # type: ignore[attr-defined]


async def test_choose_integration(hass: HomeAssistant, install: Install) -> None:
    """The user chooses by name; an integration without a config flow ends there."""
    install("a_cloud", OFFLINE_PLATFORM)
    install("no_cloud")
    await async_get_or_create_entry(hass)
    step = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert step["step_id"] == "integration"
    assert step["description_placeholders"] is not None
    assert step["description_placeholders"]["url"].startswith("https://")
    assert step["data_schema"] is not None
    (selector,) = step["data_schema"].schema.values()
    options = selector.config["options"]
    assert {"value": "a_cloud", "label": "A Cloud"} in options
    assert {"value": "demo_cloud", "label": "Demo Cloud"} in options
    assert "no_cloud" not in [option["value"] for option in options]
    labels = [option["label"].casefold() for option in options]
    assert labels == sorted(labels)
    step = await _submit(hass, step, {"domain": "a_cloud"})
    assert step["step_id"] == "credential"
    assert step["description_placeholders"] is not None
    assert step["description_placeholders"]["integration"] == "A Cloud"
    assert step["description_placeholders"]["instructions"] == ""
    result = await _submit(hass, step, {"client_id": "public"})
    assert "next_flow" not in result
    (credential,) = stored(hass)
    assert (credential["domain"], credential["client_secret"]) == ("a_cloud", "")


@pytest.mark.parametrize(
    ("client_id", "error"),
    [
        ("taken", "already_configured"),
        (" taken\u200b ", "already_configured"),
        (" ", "client_id_empty"),
    ],
)
async def test_bad_client_id(hass: HomeAssistant, client_id: str, error: str) -> None:
    """A client id that is empty, or there already, is refused; the user corrects it on the spot."""
    await add_credential(hass, "demo_cloud", "taken", name="First")
    values = {**FORM, "client_id": client_id, "more": {"name": "Second"}}
    step = await _submit(hass, await begin_adding(hass), values)
    assert step["errors"] == {"client_id": error}
    shown = {"client_id": client_id, "client_secret": None, "name": "Second"}
    assert suggested(step) == shown
    await _submit(hass, step, FORM)
    assert [credential["client_id"] for credential in stored(hass)] == ["taken", "id"]


async def test_rejected(hass: HomeAssistant, demo_cloud: DemoAuthorizationServer) -> None:
    """What the server rejects is said above the fields, and is corrected there."""
    wrong = FORM | {"client_secret": f"{SENTINEL}-wrong"}
    step = await begin_adding(hass)
    assert "save_anyway" not in suggested(step)
    step = await _submit(hass, step, wrong)
    # The frontend has emptied the field of the secret.
    assert (step["step_id"], step["errors"]) == ("retry", {"base": "rejected"})
    assert step["description_placeholders"] is not None
    assert step["description_placeholders"]["detail"].startswith("(invalid_client")
    assert suggested(step)["client_secret"] is None
    step = await _submit(hass, step, wrong | {"client_secret": f"{SENTINEL}-also wrong"})
    assert step["errors"] == {"base": "rejected"}
    result = await _submit(hass, step, FORM)
    assert result["reason"] == "credential_saved"
    (credential,) = stored(hass)
    assert (credential["client_secret"], "objection" in credential) == (SENTINEL, False)


async def test_submitted_once_more(
    hass: HomeAssistant, demo_cloud: DemoAuthorizationServer
) -> None:
    """Submitting what was rejected asks the server again; it overrides nothing."""
    demo_cloud.clients["id"].client_secret = f"{SENTINEL}-other"
    step = await _submit(hass, await begin_adding(hass), FORM)
    asked = len(demo_cloud.token_requests)
    step = await _submit(hass, step, {"client_id": "id"})
    assert step["errors"] == {"base": "rejected"}
    assert len(demo_cloud.token_requests) > asked
    # It was mended at the provider.
    demo_cloud.clients["id"].client_secret = SENTINEL
    result = await _submit(hass, step, {"client_id": "id"})
    assert result["reason"] == "credential_saved"
    assert stored(hass)[0]["client_secret"] == SENTINEL


async def test_saved_anyway(hass: HomeAssistant, demo_cloud: DemoAuthorizationServer) -> None:
    """What was rejected is saved by a switch of its own, which is for what was shown alone."""
    wrong = FORM | {"client_secret": f"{SENTINEL}-wrong"}
    step = await _submit(hass, await begin_adding(hass), wrong)
    assert suggested(step)["save_anyway"] is None
    other = {"client_id": "other", "save_anyway": True}
    step = await _submit(hass, step, other)
    assert step["errors"] == {"base": "rejected"}
    assert suggested(step)["save_anyway"] is None
    asked = len(demo_cloud.token_requests)
    result = await _submit(hass, step, other)
    assert result["reason"] == "credential_saved_rejected"
    assert len(demo_cloud.token_requests) == asked
    (credential,) = stored(hass)
    assert (credential["client_id"], credential["client_secret"]) == (
        "other",
        f"{SENTINEL}-wrong",
    )
    # That it was rejected is remembered; the user wants the login all the same.
    assert credential["objection"][0] == "rejected"
    assert SENTINEL not in credential["objection"][1]
    (login,) = hass.config_entries.flow.async_progress_by_handler("demo_cloud")
    assert (login["step_id"], result["next_flow"][1]) == ("auth", login["flow_id"])


async def test_saved_anyway_in_the_list(hass: HomeAssistant) -> None:
    """The list says so, too, where a credential is added that the server rejects."""
    await add_credential(hass, "demo_cloud", "first")
    flow = hass.config_entries.subentries
    step = await begin_adding_in_list(hass)
    step = await flow.async_configure(step["flow_id"], {"client_id": "unknown"})
    assert step["errors"] == {"base": "rejected"}
    values = {"client_id": "unknown", "save_anyway": True}
    result: Mapping[str, Any] = await flow.async_configure(step["flow_id"], values)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["description"] == "credential_saved_rejected"
    assert stored(hass)[1]["objection"][0] == "rejected"


async def test_redirect_uri_rejected(
    hass: HomeAssistant, demo_cloud: DemoAuthorizationServer
) -> None:
    """A redirect URI that the server does not know is said above the fields; so is the remedy.

    Insisting keeps what was found, and that the server does not know it.
    """
    hass.config.components.add("my")
    demo_cloud.add_client(
        "id", client_secret=SENTINEL, token_endpoint_auth_method="client_secret_basic"
    )
    step = await begin_adding(hass)
    assert collapsed(step)
    step = await _submit(hass, step, FORM)
    assert step["errors"] == {"base": "redirect_uri_rejected"}
    assert not collapsed(step)
    placeholders = step["description_placeholders"]
    assert placeholders is not None
    assert (
        f"Register this redirect URI with your application: `{MY}`"
        in (placeholders["redirect_uri"])
    )
    result = await _submit(hass, step, {"client_id": "id", "save_anyway": True})
    assert result["reason"] == "credential_saved_rejected"
    (credential,) = stored(hass)
    assert credential["token_endpoint_auth_method"] == "client_secret_basic"
    assert credential["objection"][0] == "redirect_uri_rejected"


@pytest.mark.parametrize("address", ["https://example.com", f"https://{'a' * 40}.example"])
async def test_other_redirect_uri(
    hass: HomeAssistant,
    demo_cloud: DemoAuthorizationServer,
    current_request: MagicMock,
    address: str,
) -> None:
    """One redirect URI is recommended; the others are a choice, each once, each with its URI.

    A label that no phone could show whole is shortened; the whole URI stands below the choice.
    """
    hass.config.components.add("my")
    own = f"{address}/auth/external/callback"
    current_request.get.return_value = current_request.get.return_value.clone(
        headers={"HA-Frontend-Base": address}
    )
    demo_cloud.add_client("id", client_secret=SENTINEL, redirect_uris=(own,))
    is_long = len(address) > 30
    whole = f"\n\n<ha-alert>This address of Home Assistant: `{own}`</ha-alert>" if is_long else ""
    form = await begin_adding(hass)
    assert (form["description_placeholders"] or {})["redirect_uris"] == whole
    step = await _submit(hass, form, FORM)
    more = step["data_schema"].schema["more"].schema.schema  # type: ignore[union-attr]
    config = more["redirect_uri"].config
    assert config["mode"] == "list"
    first, second = config["options"]
    assert (first["value"], second["value"]) == ("default", "own")
    assert MY in first["label"]
    assert (own in second["label"]) is not is_long
    assert len(second["label"]) < 80
    placeholders = step["description_placeholders"]
    assert placeholders is not None
    assert placeholders["redirect_uris"] == whole
    assert own not in placeholders["redirect_uri"]
    values = {"client_id": "id", "more": {"redirect_uri": "own"}}
    result = await _submit(hass, step, values)
    assert result["reason"] == "credential_saved"
    (credential,) = stored(hass)
    assert (credential["redirect_uri"], credential["registered_uri"]) == ("own", own)


async def test_other_authentication_method(
    hass: HomeAssistant, demo_cloud: DemoAuthorizationServer
) -> None:
    """Where only the other way to authenticate is accepted, it is kept with the credential."""
    demo_cloud.add_client(
        "id",
        client_secret=SENTINEL,
        redirect_uris=(REDIRECT_URI,),
        token_endpoint_auth_method="client_secret_basic",
    )
    await _submit(hass, await begin_adding(hass), FORM)
    (credential,) = stored(hass)
    assert credential["token_endpoint_auth_method"] == "client_secret_basic"


async def _open_edit(hass: HomeAssistant, subentry: ConfigSubentry) -> SubentryFlowResult:
    """Open the form of a credential."""
    handler = (entry_of(hass).entry_id, "credential")
    return await hass.config_entries.subentries.async_init(handler, context=_edit(subentry))


async def _submit_edit(
    hass: HomeAssistant, step: SubentryFlowResult, values: dict[str, Any] | None
) -> SubentryFlowResult:
    result = await hass.config_entries.subentries.async_configure(step["flow_id"], values)
    await hass.async_block_till_done()
    return result


async def test_changed_while_the_server_is_asked(hass: HomeAssistant) -> None:
    """What is changed by others while the server is asked is not mixed with what was entered."""
    subentry = await add_credential(hass, "demo_cloud", "id")
    step = await _open_edit(hass, subentry)
    asked: list[str] = []

    async def async_verify(subject: OwnCredential, credential: DeveloperCredential) -> Verification:
        if not asked:
            data = {**subentry.data, "client_secret": f"{SENTINEL}-meanwhile"}
            hass.config_entries.async_update_subentry(entry_of(hass), subentry, data=data)
        asked.append(credential.client_secret)
        return Verification(Outcome.ACCEPTED, "", credential)

    with patch.object(OwnCredential, "async_verify", async_verify):
        values = {"more": {"name": "Renamed"}, "client_id": "id"}
        step = await _submit_edit(hass, step, values)
        assert step["errors"] == {"base": "changed_meanwhile"}
        assert stored(hass)[0]["name"] is None
        await _submit_edit(hass, step, values)
    assert asked == [SENTINEL, f"{SENTINEL}-meanwhile"]
    (credential,) = stored(hass)
    assert (credential["name"], credential["client_secret"]) == ("Renamed", f"{SENTINEL}-meanwhile")


@pytest.mark.parametrize(
    "entered",
    [
        {},
        {"client_secret": f"{SENTINEL}-mine"},
        {"client_id": "mine", "client_secret": f"{SENTINEL}-mine"},
    ],
    ids=["name only", "secret", "both"],
)
async def test_two_windows(
    hass: HomeAssistant, demo_cloud: DemoAuthorizationServer, entered: dict[str, str]
) -> None:
    """A form that was opened before somebody else saved is shown again, with what is there now."""
    demo_cloud.add_client("two", client_secret=f"{SENTINEL}-2", redirect_uris=(REDIRECT_URI,))
    subentry = await add_credential(hass, "demo_cloud", "id")
    first, second = await _open_edit(hass, subentry), await _open_edit(hass, subentry)
    two = {**FORM, "client_id": "two", "client_secret": f"{SENTINEL}-2"}
    await _submit_edit(hass, second, two)
    values = {"more": {"name": "Renamed"}, "client_id": "id", **entered}
    step = await _submit_edit(hass, first, values)
    assert (step["step_id"], step["errors"]) == ("edit", {"base": "changed_meanwhile"})
    now = {"name": None, "client_id": "two", "client_secret": None}
    assert suggested(step) == now
    # What is submitted then is what the user has seen, with the secret that goes with it.
    values = {"more": {"name": "Renamed"}, "client_id": "two"}
    assert (await _submit_edit(hass, step, values))["reason"] == "credential_saved"
    assert stored(hass)[0].items() >= {"name": "Renamed", **two}.items()


@pytest.mark.parametrize("reopened", [False, True])
async def test_two_windows_after_an_error(
    hass: HomeAssistant, demo_cloud: DemoAuthorizationServer, reopened: bool
) -> None:
    """A secret that was entered, and rejected, before somebody else saved is not used after it."""
    demo_cloud.add_client("two", client_secret=f"{SENTINEL}-2", redirect_uris=(REDIRECT_URI,))
    subentry = await add_credential(hass, "demo_cloud", "id")
    first, second = await _open_edit(hass, subentry), await _open_edit(hass, subentry)
    step = await _submit_edit(hass, first, {**FORM, "client_secret": f"{SENTINEL}-wrong"})
    assert step["errors"] == {"base": "rejected"}
    two = {**FORM, "client_id": "two", "client_secret": f"{SENTINEL}-2"}
    await _submit_edit(hass, second, two)
    # The frontend asks for the step again where the dialog is opened once more.
    values: dict[str, Any] | None = None if reopened else {"client_id": "id"}
    step = await _submit_edit(hass, step, values)
    assert suggested(step)["client_id"] == "two"
    values = {"more": {"name": "Renamed"}, "client_id": "two"}
    assert (await _submit_edit(hass, step, values))["reason"] == "credential_saved"
    assert stored(hass)[0].items() >= {"name": "Renamed", **two}.items()


SUBCLASS = """
from custom_components.developer_credentials import AuthImplementation, AuthorizationServer
async def async_get_auth_implementation(hass, auth_domain, credential):
    server = AuthorizationServer("{url}/authorize", "{url}/token")
    return AuthImplementation(hass, auth_domain, credential, server)
"""


async def test_verified_with_the_server_of_a_subclass(
    hass: HomeAssistant, install: Install, demo_cloud: DemoAuthorizationServer
) -> None:
    """A platform that makes the implementation itself has its server asked as well."""
    install("a_cloud", SUBCLASS.format(url=demo_cloud.url))
    step = await begin_adding(hass, "a_cloud")
    step = await _submit(hass, step, {**FORM, "client_secret": f"{SENTINEL}-wrong"})
    assert step["errors"] == {"base": "rejected"}
    result = await _submit(hass, step, FORM)
    assert result["reason"] == "credential_saved"


CUSTOM = """
from homeassistant.helpers.config_entry_oauth2_flow import LocalOAuth2Implementation
async def async_get_auth_implementation(hass, auth_domain, credential):
    return LocalOAuth2Implementation(
        hass, auth_domain, credential.client_id, credential.client_secret, "", ""
    )
"""


@pytest.mark.parametrize(
    "platform",
    [
        CUSTOM,
        """
from homeassistant.helpers.config_entry_oauth2_flow import ImplementationUnavailableError
async def async_get_authorization_server(hass):
    raise ImplementationUnavailableError
""",
    ],
    ids=["custom", "unavailable"],
)
async def test_not_verified(hass: HomeAssistant, install: Install, platform: str) -> None:
    """A platform that tells no server, or not now, does not keep the user from saving."""
    install("a_cloud", platform)
    step = await begin_adding(hass, "a_cloud")
    values = {name: FORM[name] for name in suggested(step).keys() & FORM.keys()}
    result = await _submit(hass, step, values)
    assert result["reason"] == "credential_saved_unchecked"


async def test_two_tabs(hass: HomeAssistant) -> None:
    """The form of the first credential, submitted at the same time in several tabs, counts once."""
    tabs = [await begin_adding(hass) for _ in range(3)]
    tasks = [
        hass.async_create_task(hass.config_entries.flow.async_configure(tab["flow_id"], FORM))
        for tab in tabs
    ]
    saved, *others = [await task for task in tasks]
    assert saved["reason"] == "credential_saved"
    # The others keep what was entered.
    for other in others:
        assert other["errors"] == {"client_id": "already_configured"}
        assert suggested(other)["client_id"] == "id"
    assert [credential["client_id"] for credential in stored(hass)] == ["id"]


async def test_cancelled(hass: HomeAssistant) -> None:
    """A flow that is left leaves nothing, but that Developer Credentials is set up."""
    step = await _submit(hass, await begin_adding(hass), FORM | {"client_secret": "wrong"})
    hass.config_entries.flow.async_abort(step["flow_id"])
    assert stored(hass) == []
    assert hass.config_entries.flow.async_progress() == []


async def test_administrators_only(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, hass_read_only_access_token: str
) -> None:
    """Who is no administrator can begin neither flow."""
    await add_credential(hass, "demo_cloud")
    assert await async_setup_component(hass, "config", {})
    browser = await hass_client(hass_read_only_access_token)
    handlers = {
        "flow": DOMAIN,
        "subentries/flow": [entry_of(hass).entry_id, "credential"],
    }
    for path, handler in handlers.items():
        url = f"/api/config/config_entries/{path}"
        response = await browser.post(url, json={"handler": handler})
        assert response.status == HTTPStatus.UNAUTHORIZED


async def test_disabled(hass: HomeAssistant) -> None:
    """While the entry is disabled nothing is added to it; the user is told why."""
    await add_credential(hass, "demo_cloud")
    entry_id = entry_of(hass).entry_id
    await hass.config_entries.async_set_disabled_by(entry_id, ConfigEntryDisabler.USER)
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["reason"] == "entry_disabled"


@pytest.mark.parametrize("when", ["before", "while the server is asked"])
@pytest.mark.parametrize("flow", ["config flow", "subentry flow"])
async def test_disabled_while_the_form_is_open(hass: HomeAssistant, flow: str, when: str) -> None:
    """What could not be used is not saved; the user is told why."""
    await add_credential(hass, "demo_cloud", "first")
    entry_id = entry_of(hass).entry_id
    step: Mapping[str, Any]
    if flow == "config flow":
        step = await begin_adding(hass)
    else:
        step = await begin_adding_in_list(hass)
    asked: list[DeveloperCredential] = []

    async def disable() -> None:
        await hass.config_entries.async_set_disabled_by(entry_id, ConfigEntryDisabler.USER)

    async def async_verify(subject: OwnCredential, credential: DeveloperCredential) -> Verification:
        asked.append(credential)
        await disable()
        return Verification(Outcome.ACCEPTED, "", credential)

    if when == "before":
        await disable()
    manager = hass.config_entries.flow if flow == "config flow" else hass.config_entries.subentries
    with patch.object(OwnCredential, "async_verify", async_verify):
        result: Mapping[str, Any] = await manager.async_configure(step["flow_id"], FORM)
    assert result["reason"] == "entry_disabled"
    assert [credential["client_id"] for credential in stored(hass)] == ["first"]
    assert len(asked) == (0 if when == "before" else 1)


async def test_disabled_while_a_repair_is_open(
    hass: HomeAssistant, hass_client: ClientSessionGenerator
) -> None:
    """A repair that adds a credential does not add one that could not be used."""
    subentry = await add_credential(hass, "demo_cloud", "first")
    entry = MockConfigEntry(
        domain="demo_cloud", data={"auth_implementation": subentry.data["auth_domain"]}
    )
    await hass.config_entries.async_add(entry)
    hass.config_entries.async_remove_subentry(entry_of(hass), subentry.subentry_id)
    await hass.async_block_till_done()
    (issue_id,) = issue_ids(hass)
    step = await begin_repair(hass_client, issue_id)
    step = await continue_repair(hass, hass_client, step, {"next_step_id": "add"})
    entry_id = entry_of(hass).entry_id
    await hass.config_entries.async_set_disabled_by(entry_id, ConfigEntryDisabler.USER)
    result = await continue_repair(hass, hass_client, step, FORM)
    assert (result["type"], result["reason"]) == ("abort", "entry_disabled")
    assert stored(hass) == []


async def test_edit_while_disabled(hass: HomeAssistant) -> None:
    """What is there can be corrected meanwhile."""
    subentry = await add_credential(hass, "demo_cloud", "id", f"{SENTINEL}-old")
    entry_id = entry_of(hass).entry_id
    await hass.config_entries.async_set_disabled_by(entry_id, ConfigEntryDisabler.USER)
    result = await _submit_edit(hass, await _open_edit(hass, subentry), FORM)
    assert result["reason"] == "credential_saved"
    assert stored(hass)[0]["client_secret"] == SENTINEL


async def test_removed_while_the_form_is_open(hass: HomeAssistant) -> None:
    """The form of a removed entry saves nothing; that of "Add integration" makes another entry."""
    await add_credential(hass, "demo_cloud", "first")
    entry_id = entry_of(hass).entry_id
    flow = hass.config_entries.subentries
    subentry_step = await begin_adding_in_list(hass)
    step = await begin_adding(hass)
    await hass.config_entries.async_remove(entry_id)
    result = await flow.async_configure(subentry_step["flow_id"], FORM)
    assert result["reason"] == "entry_removed"
    assert hass.config_entries.async_entries(DOMAIN) == []
    assert (await _submit(hass, step, FORM))["reason"] == "credential_saved"
    assert [credential["client_id"] for credential in stored(hass)] == ["id"]


async def test_subentry_flow(hass: HomeAssistant) -> None:
    """The entry's own flow adds a credential the same way."""
    await add_credential(hass, "demo_cloud", "first")
    flow = hass.config_entries.subentries
    step = await begin_adding_in_list(hass)
    assert step["step_id"] == "credential"
    step = await flow.async_configure(step["flow_id"], FORM | {"client_id": "first"})
    assert step["errors"] == {"client_id": "already_configured"}
    result = await flow.async_configure(step["flow_id"], FORM | {"more": {"name": "Second"}})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Demo Cloud: Second"
    assert [credential["auth_domain"] for credential in stored(hass)] == [
        "demo_cloud_first",
        "demo_cloud_id",
    ]


async def test_edit(hass: HomeAssistant) -> None:
    """Editing shows what is there but the secret, keeps that where it is left empty."""
    subentry = await add_credential(hass, "demo_cloud", "id", name="Old")
    (implementation,) = (await async_get_implementations(hass, "demo_cloud")).values()
    flow = hass.config_entries.subentries
    handler = (entry_of(hass).entry_id, "credential")
    step = await flow.async_init(handler, context=_edit(subentry))
    assert step["step_id"] == "edit"
    assert suggested(step) == {
        "name": "Old",
        "client_id": "id",
        "client_secret": None,
    }
    values = {"more": {"name": "New"}, "client_id": "id"}
    result = await flow.async_configure(step["flow_id"], values)
    assert result["reason"] == "credential_saved"
    assert result["description_placeholders"] is not None
    assert result["description_placeholders"]["title"] == r"Demo Cloud\: New"
    (credential,) = stored(hass)
    assert (credential["name"], credential["client_secret"]) == ("New", SENTINEL)
    assert implementation.name == "New"


async def test_edit_secret_and_id(hass: HomeAssistant, demo_cloud: DemoAuthorizationServer) -> None:
    """A new secret and id reach implementations in use at once; the auth domain stays."""
    subentry = await add_credential(hass, "demo_cloud", "old", f"{SENTINEL}-old")
    await add_credential(hass, "demo_cloud", "taken")
    implementation = (await async_get_implementations(hass, "demo_cloud"))["demo_cloud_old"]
    flow = hass.config_entries.subentries
    handler = (entry_of(hass).entry_id, "credential")
    step = await flow.async_init(handler, context=_edit(subentry))
    step = await flow.async_configure(step["flow_id"], FORM | {"client_id": "taken"})
    assert step["errors"] == {"client_id": "already_configured"}
    await flow.async_configure(step["flow_id"], FORM)
    await hass.async_block_till_done()
    assert stored(hass)[0]["auth_domain"] == "demo_cloud_old"
    assert subentry.unique_id == "demo_cloud.id"
    assert vars(implementation)["client_id"] == "id"
    assert vars(implementation)["client_secret"] == SENTINEL


async def test_edit_that_is_rejected(hass: HomeAssistant) -> None:
    """After a rejection an empty secret is the one that was just entered, not the stored one."""
    subentry = await add_credential(hass, "demo_cloud", "id")
    flow = hass.config_entries.subentries
    handler = (entry_of(hass).entry_id, "credential")
    step = await flow.async_init(handler, context=_edit(subentry))
    step = await flow.async_configure(step["flow_id"], FORM | {"client_secret": "wrong"})
    assert step["errors"] == {"base": "rejected"}
    assert stored(hass)[0]["client_secret"] == SENTINEL
    values = {"client_id": "id", "save_anyway": True}
    await flow.async_configure(step["flow_id"], values)
    assert stored(hass)[0]["client_secret"] == "wrong"


@pytest.mark.parametrize("removed", ["credential", "entry"])
async def test_edit_of_what_is_gone(hass: HomeAssistant, removed: str) -> None:
    """A credential that is removed while its form is open cannot be saved; that is said."""
    subentry = await add_credential(hass, "demo_cloud", "id")
    request = CredentialRequest(domain="demo_cloud", auth_domain="demo_cloud_id", rejection="no")
    step = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}, data=request
    )
    assert step["errors"] == {"base": "rejected"}
    entry = entry_of(hass)
    if removed == "entry":
        await hass.config_entries.async_remove(entry.entry_id)
    else:
        hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
    assert (await _submit(hass, step, FORM))["reason"] == "credential_gone"


async def test_edit_keeps_a_choice_that_is_not_offered(hass: HomeAssistant) -> None:
    """My Home Assistant remains the choice of a credential although it is not loaded now."""
    subentry = await add_credential(hass, "demo_cloud", "id", redirect_uri=RedirectUri.MY)
    flow = hass.config_entries.subentries
    handler = (entry_of(hass).entry_id, "credential")
    step = await flow.async_init(handler, context=_edit(subentry))
    assert suggested(step)["redirect_uri"] == "my"
    assert step["description_placeholders"] is not None
    assert f"`{MY}`" in step["description_placeholders"]["redirect_uri"]
    values = {"client_id": "id", "client_secret": "new", "more": {"redirect_uri": "my"}}
    step = await flow.async_configure(step["flow_id"], values)
    await flow.async_configure(step["flow_id"], values | {"save_anyway": True})
    assert (stored(hass)[0]["redirect_uri"], stored(hass)[0]["client_secret"]) == ("my", "new")


async def test_empty_client_id_loses_nothing(hass: HomeAssistant) -> None:
    """The secret that was entered beside an empty client id is there when that is corrected."""
    step = await _submit(hass, await begin_adding(hass), FORM | {"client_id": " "})
    assert step["step_id"] == "retry"
    await _submit(hass, step, {"client_id": "id"})
    assert stored(hass)[0]["client_secret"] == SENTINEL


async def test_no_card_where_another_serves(hass: HomeAssistant, install: Install) -> None:
    """An integration that can log in otherwise is offered no card."""
    install("a_cloud", OFFLINE_PLATFORM, config_flow=PLAIN_FLOW)
    other = LocalOAuth2Implementation(hass, "other", "id", "", "https://other.example", "")
    async_register_implementation(hass, "a_cloud", other)
    flow = hass.config_entries.flow
    step = await flow.async_init("a_cloud", context={"source": SOURCE_USER})
    await hass.async_block_till_done()
    assert step["step_id"] == "auth"
    assert flow.async_progress_by_handler(DOMAIN) == []


async def test_card_while_disabled(hass: HomeAssistant, install: Install) -> None:
    """While the entry is disabled no card asks for what could not be used."""
    install("a_cloud", OFFLINE_PLATFORM, config_flow=PLAIN_FLOW)
    await add_credential(hass, "a_cloud")
    entry_id = entry_of(hass).entry_id
    await hass.config_entries.async_set_disabled_by(entry_id, ConfigEntryDisabler.USER)
    flow = hass.config_entries.flow
    await flow.async_init("a_cloud", context={"source": SOURCE_USER})
    await hass.async_block_till_done()
    assert flow.async_progress_by_handler(DOMAIN) == []
    result = await flow.async_init(
        DOMAIN, context={"source": SOURCE_INTEGRATION_DISCOVERY}, data={"domain": "a_cloud"}
    )
    assert result["reason"] == "entry_disabled"


async def test_no_card_without_a_user(hass: HomeAssistant, install: Install) -> None:
    """What Home Assistant itself looks up puts no card."""
    install("a_cloud", OFFLINE_PLATFORM, config_flow=PLAIN_FLOW)
    with patch.object(http, "current_request", SimpleNamespace(get=lambda: None)):
        await hass.config_entries.flow.async_init("a_cloud", context={"source": SOURCE_USER})
        await hass.async_block_till_done()
    assert hass.config_entries.flow.async_progress_by_handler(DOMAIN) == []


async def test_edit_of_an_integration_that_is_gone(hass: HomeAssistant, install: Install) -> None:
    """Where the integration is not installed any more, that is said."""
    install("a_cloud", OFFLINE_PLATFORM)
    subentry = await add_credential(hass, "a_cloud")
    hass.data[loader.DATA_INTEGRATIONS].pop("a_cloud")
    (await loader.async_get_custom_components(hass)).pop("a_cloud")
    result = await hass.config_entries.subentries.async_init(
        (entry_of(hass).entry_id, "credential"),
        context=_edit(subentry),
    )
    assert result["reason"] == "integration_gone"
    assert result["description_placeholders"] == {"domain": "a_cloud"}


async def test_live_custom_implementation(hass: HomeAssistant, install: Install) -> None:
    """An implementation of the platform's own is given the new secret, too."""
    install("a_cloud", CUSTOM)
    subentry = await add_credential(hass, "a_cloud")
    (implementation,) = (await async_get_implementations(hass, "a_cloud")).values()
    hass.config_entries.async_update_subentry(
        entry_of(hass), subentry, data={**subentry.data, "client_secret": f"{SENTINEL}-new"}
    )
    await hass.async_block_till_done()
    assert vars(implementation)["client_secret"] == f"{SENTINEL}-new"


PLAIN_FLOW = """
import logging
from homeassistant.helpers.config_entry_oauth2_flow import AbstractOAuth2FlowHandler

class Flow(AbstractOAuth2FlowHandler, domain="a_cloud"):
    DOMAIN = "a_cloud"
    logger = logging.getLogger(__name__)
"""


async def test_card_for_a_plain_handler(hass: HomeAssistant, install: Install) -> None:
    """A flow that is Home Assistant's own puts a card under "Discovered" that asks for one."""
    install("a_cloud", OFFLINE_PLATFORM, config_flow=PLAIN_FLOW)
    flow = hass.config_entries.flow
    for _ in range(2):
        result = await flow.async_init("a_cloud", context={"source": SOURCE_USER})
        assert result["reason"] == "missing_configuration"
        await hass.async_block_till_done()
    (card,) = flow.async_progress_by_handler(DOMAIN)
    assert card["context"]["source"] == SOURCE_INTEGRATION_DISCOVERY
    assert card["context"]["title_placeholders"] == {"name": "A Cloud"}
    assert card["step_id"] == "credential"
    result = await _submit(hass, card, FORM)
    assert result["reason"] == "credential_saved_unchecked"
    assert flow.async_progress_by_handler(DOMAIN) == []
    assert result["next_flow"][1] == flow.async_progress_by_handler("a_cloud")[0]["flow_id"]


async def test_card_goes_away(hass: HomeAssistant, install: Install) -> None:
    """The card goes away when the credential is there, wherever it came from."""
    install("a_cloud", OFFLINE_PLATFORM, config_flow=PLAIN_FLOW)
    flow = hass.config_entries.flow
    await flow.async_init("a_cloud", context={"source": SOURCE_USER})
    await hass.async_block_till_done()
    await add_credential(hass, "demo_cloud", redirect_uri=RedirectUri.OWN)
    assert len(flow.async_progress_by_handler(DOMAIN)) == 1
    await add_credential(hass, "a_cloud")
    assert flow.async_progress_by_handler(DOMAIN) == []


async def test_ignored_card(hass: HomeAssistant, install: Install) -> None:
    """A card that the user ignores stays away, and is no place for credentials."""
    install("a_cloud", OFFLINE_PLATFORM, config_flow=PLAIN_FLOW)
    flow = hass.config_entries.flow
    await flow.async_init("a_cloud", context={"source": SOURCE_USER})
    await hass.async_block_till_done()
    await flow.async_init(
        DOMAIN, context={"source": "ignore"}, data={"unique_id": "a_cloud", "title": "A Cloud"}
    )
    await flow.async_init("a_cloud", context={"source": SOURCE_USER})
    await hass.async_block_till_done()
    assert flow.async_progress_by_handler(DOMAIN) == []
    await add_credential(hass, "a_cloud")
    assert list(await async_get_implementations(hass, "a_cloud")) == ["a_cloud_client_id"]


# What a person may paste in the place of a value: what the provider offers for download.
FILE = f'{{"web": {{"client_id": "id", "client_secret": "{SENTINEL}"}}}}'


@pytest.mark.parametrize("field", ["client_id", "client_secret", "name"])
async def test_file_in_the_place_of_a_value(
    hass: HomeAssistant, demo_cloud: DemoAuthorizationServer, field: str
) -> None:
    """A file of the provider is refused at its field, and not shown again; the rest is kept."""
    entered = {**FORM, "more": {"name": FILE if field == "name" else "App"}}
    if field != "name":
        entered[field] = FILE
    step = await _submit(hass, await begin_adding(hass), entered)
    # Nothing is shown at the fields of a section.
    assert step["errors"] == {"base" if field == "name" else field: "not_a_value"}
    kept = {"name": "App", "client_id": "id", "client_secret": None, field: None}
    assert suggested(step).items() >= kept.items()
    assert SENTINEL not in str(step["description_placeholders"])
    assert demo_cloud.token_requests == []
    # The secret is remembered, unless it was the file.
    values: dict[str, Any] = {"more": {"name": "App"}, "client_id": "id"}
    if field == "client_secret":
        step = await _submit(hass, step, values)
        assert step["errors"] == {"base": "rejected"}
        values["client_secret"] = SENTINEL
    assert (await _submit(hass, step, values))["reason"] == "credential_saved"
    assert stored(hass)[0]["client_secret"] == SENTINEL


async def test_odd_client_id_from_before(hass: HomeAssistant, install: Install) -> None:
    """A client id that would not be taken any more, and is there, does not keep from editing."""
    install("a_cloud", OFFLINE_PLATFORM)
    subentry = await add_credential(hass, "a_cloud", "{4a5b}")
    values = {"more": {"name": "New"}, "client_id": "{4a5b}"}
    result = await _submit_edit(hass, await _open_edit(hass, subentry), values)
    assert result["reason"] == "credential_saved_unchecked"


OWN_CLIENT = """
from dataclasses import replace
from custom_components.developer_credentials import AuthImplementation, AuthorizationServer

class OwnClient(AuthImplementation):
    redirect_uri = "https://app.example/callback"

async def async_get_auth_implementation(hass, auth_domain, credential):
    server = AuthorizationServer("{url}/authorize", "{url}/token")
    own = replace(credential, client_id="built-in", client_secret="")
    return OwnClient(hass, auth_domain, own, server)
"""

# The same, of Home Assistant's own class.
OWN_CLIENT_OF_HOME_ASSISTANT = """
from homeassistant.helpers.config_entry_oauth2_flow import LocalOAuth2Implementation

class OwnClient(LocalOAuth2Implementation):
    redirect_uri = "https://app.example/callback"

async def async_get_auth_implementation(hass, auth_domain, credential):
    return OwnClient(hass, auth_domain, "built-in", "", "{url}/authorize", "{url}/token")
"""


@pytest.mark.parametrize("platform", [OWN_CLIENT, OWN_CLIENT_OF_HOME_ASSISTANT], ids=["ours", "HA"])
async def test_client_of_the_platform(
    hass: HomeAssistant, install: Install, demo_cloud: DemoAuthorizationServer, platform: str
) -> None:
    """A client that the platform brings stays, and its redirect URI is the one that is shown."""
    demo_cloud.add_client(
        "built-in",
        redirect_uris=("https://app.example/callback",),
        token_endpoint_auth_method="none",
    )
    install("a_cloud", platform.replace("{url}", demo_cloud.url))
    step = await begin_adding(hass, "a_cloud")
    assert "redirect_uri" not in suggested(step)
    placeholders = step["description_placeholders"]
    assert placeholders is not None
    assert "https://app.example/callback" in placeholders["redirect_uri"]
    assert REDIRECT_URI not in placeholders["redirect_uri"]
    dummy = {"client_id": "dummy", "client_secret": SENTINEL}
    result = await _submit(hass, step, dummy | {"more": {"name": "Dummy"}})
    asked = platform is not OWN_CLIENT_OF_HOME_ASSISTANT
    assert result["reason"] == f"credential_saved{'' if asked else '_unchecked'}"
    clients = [one.client_id for one in demo_cloud.token_requests]
    assert clients == (["built-in"] if asked else [])
    # What is stored is what the user has entered.
    assert stored(hass)[0].items() >= dummy.items()
    (implementation,) = (await async_get_implementations(hass, "a_cloud")).values()
    (subentry,) = entry_of(hass).subentries.values()
    for secret in ("", f"{SENTINEL}-2"):
        assert vars(implementation)["client_id"] == "built-in"
        assert vars(implementation)["client_secret"] == ""
        data = {**subentry.data, "client_secret": secret}
        hass.config_entries.async_update_subentry(entry_of(hass), subentry, data=data)
    url = await implementation.async_generate_authorize_url("flow")
    assert "client_id=built-in&redirect_uri=https://app.example/callback" in url


async def test_choice_that_is_not_asked_for(hass: HomeAssistant, install: Install) -> None:
    """Where the platform has a redirect URI of its own, the stored choice stays when edited."""
    install("a_cloud", OWN_CLIENT.replace("{url}", "http://127.0.0.1:9"))
    subentry = await add_credential(hass, "a_cloud", redirect_uri=RedirectUri.OWN)
    await _submit_edit(hass, await _open_edit(hass, subentry), {"client_id": "new"})
    assert (stored(hass)[0]["client_id"], stored(hass)[0]["redirect_uri"]) == ("new", "own")


async def test_rejected_client_of_the_platform(
    hass: HomeAssistant, install: Install, demo_cloud: DemoAuthorizationServer
) -> None:
    """Where the server rejects the platform's client, no repair asks for another client."""
    install("a_cloud", OWN_CLIENT.replace("{url}", demo_cloud.url))
    await add_credential(hass, "a_cloud")
    (implementation,) = (await async_get_implementations(hass, "a_cloud")).values()
    with pytest.raises(InvalidClientError):
        await implementation.async_refresh_token({"refresh_token": f"{SENTINEL}-refresh"})
    assert issue_ids(hass) == []


@pytest.mark.parametrize(
    "fails", ["raise RuntimeError", "raise ImplementationUnavailableError"], ids=["broken", "away"]
)
@pytest.mark.parametrize("where", ["function", "redirect URI"])
async def test_platform_that_needs_a_credential(
    hass: HomeAssistant, install: Install, where: str, fails: str
) -> None:
    """A platform that makes nothing before there is a credential has the usual form."""
    broken = "from homeassistant.helpers.config_entry_oauth2_flow import *\n" + OWN_CLIENT
    if where == "function":
        broken = broken.replace("    server =", f"    {fails}\n    server =")
    else:
        own = f"@property\n    def redirect_uri(self): {fails}"
        broken = broken.replace('redirect_uri = "https://app.example/callback"', own)
    install("a_cloud", broken.replace("{url}", "http://127.0.0.1:9"))
    step = await begin_adding(hass, "a_cloud")
    assert suggested(step).keys() == {"client_id", "client_secret", "name"}
    placeholders = step["description_placeholders"]
    assert placeholders is not None
    assert f"`{REDIRECT_URI}`" in placeholders["redirect_uri"]
    assert issue_ids(hass) == []


async def test_server_without_a_login_page(hass: HomeAssistant, install: Install) -> None:
    """A plain flow for a server that has no login page ends with a text that says so."""
    platform = """
from custom_components.developer_credentials import AuthorizationServer
async def async_get_authorization_server(hass):
    return AuthorizationServer(None, "http://127.0.0.1:9/token")
"""
    install("a_cloud", platform, config_flow=PLAIN_FLOW)
    await add_credential(hass, "a_cloud")
    result = await hass.config_entries.flow.async_init("a_cloud", context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.ABORT
    assert (result["reason"], result["translation_domain"]) == ("no_login_page", DOMAIN)

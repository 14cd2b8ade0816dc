"""Tests of adding application credentials for any integration, and of going on to its login."""

from typing import Any
from unittest.mock import patch

from homeassistant.components import application_credentials
from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult, SubentryFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.config_entry_oauth2_flow import (
    AbstractOAuth2Implementation,
    LocalOAuth2Implementation,
    async_add_implementation_provider,
    async_get_implementations,
)
from homeassistant.helpers.translation import async_get_translations
from homeassistant.requirements import RequirementsNotFound
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import flush_store
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.developer_credentials.core_credentials import adding
from custom_components.developer_credentials.core_credentials.adding import (
    async_get_supporting_integrations,
)
from custom_components.developer_credentials.credentials.store import async_get_or_create_entry
from custom_components.developer_credentials.oauth2.client import DeveloperCredential
from custom_components.developer_credentials.oauth2.verification import Outcome, Verification
from demo.authorization_server import DemoAuthorizationServer
from tests.common import (
    PLATFORM,
    REDIRECT_URI,
    SENTINEL,
    begin_adding,
    begin_adding_in_list,
    entry_of,
    log_in_and_return,
)
from tests.conftest import Install
from tests.core_credentials.peer import (
    CONFIG_FLOW,
    INIT,
    NEW,
    SERVER,
    add_application_credential,
    begin_editing,
)

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host", "demo_cloud")

FORM = {"client_id": "id", "client_secret": SENTINEL}

INSTRUCTIONS = (
    SERVER
    + """
async def async_get_description_placeholders(hass):
    return {{"console": "https://console.example"}}
"""
)


@pytest.fixture
def cloud(install: Install, demo_cloud: DemoAuthorizationServer) -> None:
    """Install an integration on application credentials, which nothing has set up."""
    demo_cloud.add_client("id", client_secret=SENTINEL, redirect_uris=(REDIRECT_URI,))
    demo_cloud.add_client("new", client_secret=NEW, redirect_uris=(REDIRECT_URI,))
    platform = INSTRUCTIONS.format(url=demo_cloud.url)
    install("peer", application_credentials=platform, __init__=INIT, config_flow=CONFIG_FLOW)


async def _submit(
    hass: HomeAssistant, step: ConfigFlowResult, values: dict[str, Any]
) -> ConfigFlowResult:
    result = await hass.config_entries.flow.async_configure(step["flow_id"], values)
    await hass.async_block_till_done()
    return result


def _items(hass: HomeAssistant) -> list[dict[str, str]]:
    return hass.data[application_credentials.DATA_COMPONENT].async_items()


def _login(hass: HomeAssistant, result: ConfigFlowResult) -> Any:  # noqa: ANN401
    """Return the integration's flow that a flow of ours leads on to."""
    flow_type, flow_id = result["next_flow"]
    assert flow_type == "config_flow"
    return hass.config_entries.flow._progress[flow_id]  # noqa: SLF001


@pytest.mark.usefixtures("cloud")
async def test_add(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    """It is verified, and stored as Home Assistant's own dialog does; the login follows."""
    assert application_credentials.DATA_COMPONENT not in hass.data
    step = await begin_adding(hass, "peer")
    assert (step["step_id"], step["errors"]) == ("credential", {})
    assert step["description_placeholders"] is not None
    assert step["description_placeholders"]["integration"] == "Peer"
    assert f"`{REDIRECT_URI}`" in step["description_placeholders"]["redirect_uri"]
    step = await _submit(hass, step, {**FORM, "client_secret": "wrong"})
    assert (step["step_id"], step["errors"]) == ("retry", {"base": "rejected"})
    assert _items(hass) == []
    result = await _submit(hass, step, {**FORM, "more": {"name": "My app"}})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "credential_saved")
    assert result["description_placeholders"] == {
        "integration": "Peer",
        "title": r"Peer\: My app",
    }
    item = {"id": "peer_id", "domain": "peer", **FORM, "name": "My app"}
    assert _items(hass) == [item]
    await flush_store(hass.data[application_credentials.DATA_COMPONENT].store)
    assert hass_storage["application_credentials"]["data"]["items"] == [item]
    # It is Home Assistant's: ours has none.
    assert entry_of(hass).subentries == {}
    flow = _login(hass, result)
    assert (flow.handler, flow.cur_step["step_id"]) == ("peer", "auth")
    assert flow.flow_impl.domain == "peer_id"


@pytest.mark.usefixtures("cloud")
async def test_login_is_with_what_was_added(hass: HomeAssistant) -> None:
    """Where the integration asks which credential, it is the new one."""
    assert await async_setup_component(hass, "application_credentials", {})
    await add_application_credential(hass)
    step = await begin_adding(hass, "peer")
    result = await _submit(hass, step, {"client_id": "new", "client_secret": NEW})
    flow = _login(hass, result)
    assert (flow.cur_step["step_id"], flow.flow_impl.domain) == ("auth", "peer_new")


@pytest.mark.usefixtures("cloud")
async def test_logged_in(hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator) -> None:
    """From the form to the integration's entry, which uses what was added."""
    result = await _submit(hass, await begin_adding(hass, "peer"), FORM)
    result = await log_in_and_return(hass, hass_client_no_auth, _login(hass, result).cur_step)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Peer"
    (entry,) = hass.config_entries.async_entries("peer")
    assert entry.state is ConfigEntryState.LOADED
    assert entry.data["auth_implementation"] == "peer_id"


@pytest.mark.usefixtures("cloud")
async def test_account_linking(hass: HomeAssistant) -> None:
    """Where logins without a credential are offered, too, the login is with what was added."""
    linked = LocalOAuth2Implementation(
        hass, "cloud", "linked", "", "https://linked.example/a", "https://linked.example/t"
    )

    async def provide(hass: HomeAssistant, domain: str) -> list[AbstractOAuth2Implementation]:
        return [linked]

    async_add_implementation_provider(hass, "cloud", provide)
    result = await _submit(hass, await begin_adding(hass, "peer"), FORM)
    assert _login(hass, result).flow_impl.domain == "peer_id"


ANOTHER_NAME = """
from homeassistant.helpers.config_entry_oauth2_flow import LocalOAuth2Implementation

async def async_get_auth_implementation(hass, auth_domain, credential):
    return LocalOAuth2Implementation(
        hass, credential.client_id, credential.client_id, credential.client_secret,
        "http://127.0.0.1:9/authorize", "http://127.0.0.1:9/token",
    )
"""


async def test_login_with_another_name(hass: HomeAssistant, install: Install) -> None:
    """An integration that calls its implementations otherwise shows what it shows."""
    install("peer", application_credentials=ANOTHER_NAME, __init__=INIT, config_flow=CONFIG_FLOW)
    assert await async_setup_component(hass, "application_credentials", {})
    await add_application_credential(hass)
    step = await begin_adding(hass, "peer")
    result = await _submit(hass, step, {"client_id": "new"})
    assert result["reason"] == "credential_saved_unchecked"
    assert _login(hass, result).cur_step["step_id"] == "pick_implementation"


async def test_no_config_flow(hass: HomeAssistant, install: Install) -> None:
    """Where the integration has no dialog, it ends there."""
    install("peer", application_credentials=ANOTHER_NAME)
    result = await _submit(hass, await begin_adding(hass, "peer"), FORM)
    assert "next_flow" not in result
    assert [item["id"] for item in _items(hass)] == ["peer_id"]


@pytest.mark.usefixtures("cloud")
async def test_add_in_the_list(hass: HomeAssistant) -> None:
    """The entry's own flow adds it the same way, and ends there."""
    await async_get_or_create_entry(hass)
    step = await begin_adding_in_list(hass, "peer")
    result: SubentryFlowResult = await hass.config_entries.subentries.async_configure(
        step["flow_id"], FORM
    )
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "credential_saved")
    assert [item["id"] for item in _items(hass)] == ["peer_id"]
    assert entry_of(hass).subentries == {}


@pytest.mark.usefixtures("cloud")
async def test_without_a_name(hass: HomeAssistant) -> None:
    """What is not named is called by its integration: entries are titled with it."""
    for number, form in enumerate([FORM, {"client_id": "new", "client_secret": NEW}], 1):
        result = await _submit(hass, await begin_adding(hass, "peer"), form)
        assert result["description_placeholders"] is not None
        name = "Peer" if number == 1 else "Peer 2"
        assert result["description_placeholders"]["title"] == name
        assert _items(hass)[-1]["name"] == name
    assert [one.name for one in (await async_get_implementations(hass, "peer")).values()] == [
        "Peer",
        "Peer 2",
    ]


@pytest.mark.usefixtures("cloud")
async def test_client_id_is_taken(hass: HomeAssistant) -> None:
    """The same client is not added twice, although Home Assistant would; nothing is lost."""
    assert await async_setup_component(hass, "application_credentials", {})
    await add_application_credential(hass)
    step = await _submit(hass, await begin_adding(hass, "peer"), FORM)
    assert step["errors"] == {"client_id": "already_configured"}
    assert len(_items(hass)) == 1
    # The secret is kept, and the client id corrected.
    result = await _submit(hass, step, {"client_id": "new", "client_secret": NEW})
    assert result["reason"] == "credential_saved"
    assert [item["client_id"] for item in _items(hass)] == ["id", "new"]


@pytest.mark.usefixtures("cloud")
async def test_client_of_another_integration(hass: HomeAssistant, install: Install) -> None:
    """The same client may be that of two integrations."""
    install("other", application_credentials=ANOTHER_NAME)
    assert await async_setup_component(hass, "application_credentials", {})
    await add_application_credential(hass, "other")
    result = await _submit(hass, await begin_adding(hass, "peer"), FORM)
    assert result["reason"] == "credential_saved"
    assert _login(hass, result).flow_impl.domain == "peer_id"


@pytest.mark.usefixtures("cloud")
async def test_client_id_is_taken_while_the_server_is_asked(hass: HomeAssistant) -> None:
    """Somebody else was faster: that is said in the form."""
    step = await begin_adding(hass, "peer")

    async def async_verify(subject: object, credential: DeveloperCredential) -> Verification:
        await add_application_credential(hass)
        return Verification(Outcome.ACCEPTED, "", credential)

    module = "custom_components.developer_credentials.flows.credential_subject"
    with patch(f"{module}.NewPeerCredential.async_verify", async_verify):
        step = await _submit(hass, step, FORM)
    assert step["errors"] == {"client_id": "already_configured"}
    assert len(_items(hass)) == 1


@pytest.mark.usefixtures("cloud")
async def test_the_same_twice_can_be_edited(hass: HomeAssistant) -> None:
    """Where Home Assistant has a client twice, each can be given its new secret."""
    assert await async_setup_component(hass, "application_credentials", {})
    for _ in range(2):
        await add_application_credential(hass)
    for item_id in ("peer_id", "peer_id_2"):
        step = await _submit(hass, await begin_editing(hass), {"credential": item_id})
        result = await _submit(hass, step, FORM)
        assert result["reason"] == "credential_saved"


@pytest.mark.usefixtures("cloud")
async def test_instructions(hass: HomeAssistant) -> None:
    """Whoever adds one reads the integration's own instructions; who edits one, the link."""
    key = "component.peer.application_credentials.description"

    async def translations(hass: HomeAssistant, *args: Any) -> dict[str, str]:  # noqa: ANN401
        texts = await async_get_translations(hass, *args)
        return {**texts, key: "Go to [the console]({console})."}

    module = "custom_components.developer_credentials.flows.instructions"
    with patch(f"{module}.async_get_translations", translations):
        step = await begin_adding(hass, "peer")
        await _submit(hass, step, FORM)
        edit = await _submit(hass, await begin_editing(hass), {"credential": "peer_id"})
    assert step["description_placeholders"] is not None
    assert edit["description_placeholders"] is not None
    link = "[the console](https://console.example)"
    assert step["description_placeholders"]["instructions"] == f"Go to {link}."
    assert link in edit["description_placeholders"]["instructions"]


async def test_integrations(hass: HomeAssistant, install: Install) -> None:
    """All that take credentials are offered, whatever says so, and no others."""
    install("peer", application_credentials=ANOTHER_NAME)
    install("both", PLATFORM, application_credentials=ANOTHER_NAME)
    install("none")
    # One in the place of a built-in integration.
    install("spotify")
    found = await async_get_supporting_integrations(hass)
    assert {"peer", "both", "fitbit", "google", "withings"} <= set(found)
    assert {"none", "demo_cloud", "sun", "spotify"}.isdisjoint(found)


async def test_both_platforms(hass: HomeAssistant, install: Install) -> None:
    """An integration that takes both kinds is given a credential of ours."""
    install(
        "both",
        PLATFORM.replace("https", "http").replace("cloud.example", "127.0.0.1:9"),
        application_credentials=ANOTHER_NAME,
    )
    result = await _submit(hass, await begin_adding(hass, "both"), FORM)
    assert result["reason"] == "credential_saved_unchecked"
    (subentry,) = entry_of(hass).subentries.values()
    assert subentry.data["domain"] == "both"
    assert application_credentials.DATA_COMPONENT not in hass.data


REFUSED = {
    "broken": "raise RuntimeError",
    "does not import": "import there_is_no_such_module",
    "lacks its function": "",
}


@pytest.mark.parametrize("platform", REFUSED.values(), ids=list(REFUSED))
async def test_broken_platform(hass: HomeAssistant, install: Install, platform: str) -> None:
    """What Home Assistant would not take is not asked for; where that shows late, it is said."""
    install("peer", application_credentials=platform)
    step = await begin_adding(hass, "peer")
    if not platform:
        step = await _submit(hass, step, FORM)
    assert (step["type"], step["reason"]) == ("abort", "application_credential_refused")


@pytest.mark.usefixtures("cloud")
async def test_requirements(hass: HomeAssistant) -> None:
    """The integration's requirements are seen to; without them, nothing can be added."""
    with patch.object(
        adding, "async_get_integration_with_requirements", side_effect=RequirementsNotFound("x", [])
    ):
        step = await begin_adding(hass, "peer")
    assert (step["type"], step["reason"]) == ("abort", "application_credential_refused")


@pytest.mark.parametrize("when", ["before", "while the form is open"])
@pytest.mark.usefixtures("cloud")
async def test_private_api_is_another(hass: HomeAssistant, when: str) -> None:
    """Where Home Assistant keeps them in another way, that is said, and nothing is broken."""
    assert await async_setup_component(hass, "application_credentials", {})
    if when == "before":
        hass.data[application_credentials.DOMAIN] = None
    step = await begin_adding(hass, "peer")
    if when != "before":
        hass.data[application_credentials.DOMAIN] = None
        step = await _submit(hass, step, FORM)
    assert (step["type"], step["reason"]) == ("abort", "application_credential_refused")


@pytest.mark.usefixtures("cloud")
async def test_listener_of_others_fails(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    """What is stored is said to be stored, whatever somebody who hears of it does."""
    step = await begin_adding(hass, "peer")

    async def listener(change_type: str, item_id: str, item: dict[str, Any]) -> None:
        raise ValueError(item)

    hass.data[application_credentials.DATA_COMPONENT].async_add_listener(listener)
    result = await _submit(hass, step, FORM)
    assert result["reason"] == "credential_saved"
    assert "Adding an application credential for peer failed: ValueError" in caplog.text

"""Tests of servers with variables: what the user enters decides the server, wherever it matters."""

import asyncio
from typing import Any, Final
from unittest.mock import patch
from urllib.parse import urlsplit

from aiohttp import web
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntryState,
    ConfigSubentry,
    SubentryFlowContext,
    SubentryFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.config_entry_oauth2_flow import (
    AbstractOAuth2Implementation,
    ImplementationUnavailableError,
    async_get_implementations,
)
from homeassistant.loader import Integration, async_get_integration
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)
import voluptuous as vol

from custom_components.developer_credentials import AuthImplementation, provider
from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.credentials.orphaned_entries import async_relink
from custom_components.developer_credentials.credentials.rejection import async_note_answer
from custom_components.developer_credentials.credentials.store import key_of
from custom_components.developer_credentials.oauth2.errors import (
    InvalidClientError,
    UnavailableError,
)
from tests.common import (
    CONFIG_FLOW,
    SENTINEL,
    add_credential,
    begin_adding,
    begin_repair,
    continue_repair,
    entry_of,
    issue_ids,
    stored,
    suggested,
)
from tests.conftest import Install, PassTime
from tests.recording_server import RecordingServer, answer

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host")

TENANTS: Final = """
from custom_components.developer_credentials import AuthorizationServer, ServerVariable

async def async_get_authorization_server(hass):
    return AuthorizationServer(
        "{url}/{tenant}/authorize",
        "{url}/{tenant}/token",
        token_params={"region": "{region}"},
        revocation_url="{url}/{tenant}/revoke",
        variables=[
            ServerVariable("tenant", "Your \\u202etenant", pattern="[a-z]+"),
            ServerVariable("region", "Region", default="eu"),
        ],
    )
"""

# One that is computed for each credential; "away" is not there now.
COMPUTED: Final = (
    TENANTS
    + """
from homeassistant.helpers.config_entry_oauth2_flow import ImplementationUnavailableError

async def async_get_authorization_server_for(hass, credential):
    tenant = credential.variables["tenant"]
    if tenant in hass.data.get("away", ()):
        raise ImplementationUnavailableError(tenant)
    if tenant == "broken":
        raise RuntimeError
    return AuthorizationServer("{url}/of/" + tenant, "{url}/of/" + tenant + "/token")
"""
)

MADE: Final = (
    TENANTS
    + """
from custom_components.developer_credentials import AuthImplementation

async def async_get_auth_implementation(hass, auth_domain, credential):
    url = "{url}/made/" + credential.variables.get("tenant", "-")
    server = AuthorizationServer(url, url + "/token")
    return AuthImplementation(hass, auth_domain, credential, server)
"""
)

SET_UP: Final = """
from homeassistant.helpers.config_entry_oauth2_flow import (
    OAuth2Session, async_get_config_entry_implementation
)

async def async_setup_entry(hass, entry):
    implementation = await async_get_config_entry_implementation(hass, entry)
    entry.runtime_data = implementation
    await OAuth2Session(hass, entry, implementation).async_ensure_token_valid()
    return True

async def async_unload_entry(hass, entry):
    return True
"""

EXPIRED: Final = {
    "access_token": "old",
    "refresh_token": f"{SENTINEL}-refresh",
    "expires_at": 1.0,
    "expires_in": 60,
}
FORM: Final = {"client_id": "id", "client_secret": SENTINEL}
HOME: Final = {"tenant": "home"}


@pytest.fixture(autouse=True)
def known(server: RecordingServer, install: Install) -> None:
    """Have an integration with tenants, whose server accepts any client."""
    install("acme", TENANTS.replace("{url}", server.url), __init__=SET_UP, config_flow=CONFIG_FLOW)


def _of(implementation: AbstractOAuth2Implementation) -> AuthImplementation:
    assert isinstance(implementation, AuthImplementation)
    return implementation


async def _edit(
    hass: HomeAssistant, subentry: ConfigSubentry, values: dict[str, Any] | None = None
) -> SubentryFlowResult:
    """Open the form of a credential, and submit it where there are values."""
    flow = hass.config_entries.subentries
    context: SubentryFlowContext = {
        "source": SOURCE_RECONFIGURE,
        "subentry_id": subentry.subentry_id,
    }
    step = await flow.async_init((entry_of(hass).entry_id, "credential"), context=context)
    if values is not None:
        step = await flow.async_configure(step["flow_id"], values)
        await hass.async_block_till_done()
    return step


async def _account(
    hass: HomeAssistant, auth_domain: str = "acme_id", *, expired: bool = True
) -> MockConfigEntry:
    token = EXPIRED if expired else {**EXPIRED, "expires_at": 1e11}
    entry = MockConfigEntry(
        domain="acme", data={"auth_implementation": auth_domain, "token": token}
    )
    await hass.config_entries.async_add(entry)
    await hass.async_block_till_done()
    return entry


def _logins(hass: HomeAssistant) -> list[Any]:
    flows = hass.config_entries.flow.async_progress_by_handler("acme")
    return [flow for flow in flows if flow["context"]["source"] == SOURCE_REAUTH]


async def test_form(hass: HomeAssistant, server: RecordingServer) -> None:
    """The form asks for the variables above all, by the declared labels, and suggests defaults."""
    step = await begin_adding(hass, "acme")
    assert list(suggested(step))[:3] == ["variable_1", "variable_2", "client_id"]
    assert suggested(step)["variable_2"] == "eu"
    assert step["data_schema"] is not None
    kinds = {str(key): type(key) for key in step["data_schema"].schema}
    assert (kinds["variable_1"], kinds["variable_2"]) == (vol.Required, vol.Optional)
    placeholders = step["description_placeholders"] or {}
    assert (placeholders["variable_1"], placeholders["variable_2"]) == ("Your tenant", "Region")
    values = {**FORM, "variable_1": " home\u200b", "variable_2": "eu"}
    result = await hass.config_entries.flow.async_configure(step["flow_id"], values)
    assert result["reason"] == "credential_saved_unchecked"
    # What is the default is not stored, so that it is said in one way.
    (credential,) = stored(hass)
    assert credential["variables"] == HOME
    (subentry,) = entry_of(hass).subentries.values()
    assert subentry.unique_id == "acme.id\ntenant=home"
    token, login = [request for request in server.requests if "revoke" not in request.path]
    assert (token.path, token.body["region"]) == ("/home/token", "eu")
    assert login.path == "/home/authorize"


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({"variable_1": "https://home.example"}, ["variable_1"]),
        ({"variable_1": "UPPER"}, ["variable_1"]),
        ({"variable_1": " "}, ["variable_1"]),
        ({"variable_1": "home", "variable_2": "e/u"}, ["variable_2"]),
        ({"variable_1": "..", "variable_2": "a b"}, ["variable_1", "variable_2"]),
    ],
)
async def test_bad_value(
    hass: HomeAssistant,
    server: RecordingServer,
    values: dict[str, str],
    fields: list[str],
) -> None:
    """A value that cannot be is said at its field, before anybody is asked; nothing is lost."""
    step = await begin_adding(hass, "acme")
    flow = hass.config_entries.flow
    step = await flow.async_configure(step["flow_id"], {**FORM, "more": {"name": "App"}, **values})
    assert step["errors"] == dict.fromkeys(fields, "variable_invalid")
    assert server.requests == []
    shown = suggested(step)
    assert shown.items() >= {"name": "App", "client_id": "id", **values}.items()
    assert shown["client_secret"] is None
    right = {"client_id": shown["client_id"], "variable_1": "home"}
    await flow.async_configure(step["flow_id"], right)
    await hass.async_block_till_done()
    (credential,) = stored(hass)
    assert (credential["client_secret"], credential["variables"]) == (SENTINEL, HOME)


async def test_two_tenants(hass: HomeAssistant, server: RecordingServer) -> None:
    """The same client id at two tenants is two credentials; at one, it is there already."""
    for tenant in ("home", "office"):
        step = await begin_adding(hass, "acme")
        values = {**FORM, "variable_1": tenant}
        await hass.config_entries.flow.async_configure(step["flow_id"], values)
    step = await begin_adding(hass, "acme")
    step = await hass.config_entries.flow.async_configure(step["flow_id"], values)
    assert step["errors"] == {"client_id": "already_configured"}
    assert [one["auth_domain"] for one in stored(hass)] == ["acme_id", "acme_id_2"]
    implementations = await async_get_implementations(hass, "acme")
    assert {key: _of(one).token_url for key, one in implementations.items()} == {
        "acme_id": f"{server.url}/home/token",
        "acme_id_2": f"{server.url}/office/token",
    }
    first, second = entry_of(hass).subentries.values()
    edit = await _edit(hass, second, {**FORM, "variable_1": "home"})
    assert edit["errors"] == {"client_id": "already_configured"}
    assert (await _edit(hass, first, {**FORM, "variable_1": "third"}))["type"] == "abort"


async def test_another_tenant(hass: HomeAssistant, server: RecordingServer) -> None:
    """With another tenant, what is in use follows at once, and its users log in again."""
    subentry = await add_credential(hass, "acme", "id", variables={**HOME, "region": "us"})
    entry = await _account(hass, expired=False)
    implementation = entry.runtime_data
    step = await _edit(hass, subentry)
    assert (suggested(step)["variable_1"], suggested(step)["variable_2"]) == ("home", "us")
    same = {**FORM, "variable_1": "home", "variable_2": "us", "client_secret": f"{SENTINEL}-2"}
    await _edit(hass, subentry, same)
    assert _logins(hass) == []
    await _edit(hass, subentry, {**FORM, "variable_1": "office", "variable_2": "eu"})
    assert len(_logins(hass)) == 1
    assert stored(hass)[0]["variables"] == {"tenant": "office"}
    assert subentry.unique_id == "acme.id\ntenant=office"
    assert implementation.authorize_url == f"{server.url}/office/authorize"
    assert implementation.token_url == f"{server.url}/office/token"
    assert implementation.authorization_server.revocation_url == f"{server.url}/office/revoke"
    assert implementation.authorization_server.token_params == {"region": "eu"}
    server.requests.clear()
    await implementation.async_refresh_token(EXPIRED)
    assert [request.path for request in server.requests] == ["/office/token"]


async def test_another_tenant_while_a_token_is_refreshed(
    hass: HomeAssistant, server: RecordingServer
) -> None:
    """A refresh that the server rejects meanwhile is not made again at the other server."""
    subentry = await add_credential(hass, "acme", "id", variables=HOME)
    (implementation,) = (await async_get_implementations(hass, "acme")).values()

    async def respond(request: web.Request) -> web.StreamResponse:
        data = {**subentry.data, "variables": {"tenant": "office"}}
        hass.config_entries.async_update_subentry(entry_of(hass), subentry, data=data)
        return await answer({"error": "invalid_client"}, 401)(request)

    server.respond = respond
    with pytest.raises(InvalidClientError):
        await implementation.async_refresh_token(EXPIRED)
    assert [request.path for request in server.requests] == ["/home/token"]
    assert _of(implementation).token_url == f"{server.url}/office/token"


async def test_urls_of_a_subclass(hass: HomeAssistant) -> None:
    """What a class has made of the URLs stays when the credential changes at its server."""
    subentry = await add_credential(hass, "acme", "id", variables=HOME)
    (implementation,) = (await async_get_implementations(hass, "acme")).values()
    _of(implementation).authorize_url += "?of=subclass"
    await _edit(hass, subentry, {**FORM, "variable_1": "home", "client_secret": "new"})
    assert _of(implementation).client_secret == "new"
    assert _of(implementation).authorize_url.endswith("/home/authorize?of=subclass")


async def test_default(hass: HomeAssistant) -> None:
    """A credential from before a variable with a default has that, and keeps it when edited."""
    subentry = await add_credential(hass, "acme", "id", variables={**HOME, "gone": "x"})
    await _account(hass, expired=False)
    await _edit(hass, subentry, {**FORM, "variable_1": "home", "variable_2": "eu"})
    # What is not asked for stays.
    assert stored(hass)[0]["variables"] == {**HOME, "gone": "x"}
    assert _logins(hass) == []


@pytest.mark.parametrize("kind", [COMPUTED, MADE], ids=["computed", "made"])
async def test_computed(
    hass: HomeAssistant, server: RecordingServer, install: Install, kind: str
) -> None:
    """A platform computes the server of each credential; with another tenant, it does again."""
    install("computed", kind.replace("{url}", server.url))
    subentry = await add_credential(hass, "computed", "id", variables=HOME)
    (found,) = (await async_get_implementations(hass, "computed")).values()
    implementation = _of(found)
    path = "of" if kind is COMPUTED else "made"
    assert implementation.token_url == f"{server.url}/{path}/home/token"
    step = await _edit(hass, subentry, {**FORM, "variable_1": "office"})
    assert step["type"] is FlowResultType.ABORT
    assert implementation.token_url == f"{server.url}/{path}/office/token"
    assert urlsplit(implementation.authorize_url).path == f"/{path}/office"
    # It was verified there, too.
    assert server.requests[0].path == f"/{path}/office/token"


async def test_deleted_before_its_server_is_known(
    hass: HomeAssistant, server: RecordingServer, install: Install
) -> None:
    """A credential that is deleted while its server is computed anew is given none."""
    install("computed", COMPUTED.replace("{url}", server.url))
    subentry = await add_credential(hass, "computed", "id", variables=HOME)
    (implementation,) = (await async_get_implementations(hass, "computed")).values()
    deleted = asyncio.Event()

    async def wait(hass: HomeAssistant, domain: str) -> Integration:
        await deleted.wait()
        return await async_get_integration(hass, domain)

    with patch.object(provider, "async_get_integration", wait):
        data = {**subentry.data, "variables": {"tenant": "office"}}
        hass.config_entries.async_update_subentry(entry_of(hass), subentry, data=data)
        hass.config_entries.async_remove_subentry(entry_of(hass), subentry.subentry_id)
        deleted.set()
        await hass.async_block_till_done()
    assert _of(implementation).token_url == f"{server.url}/of/home/token"


async def test_computed_for_some(
    hass: HomeAssistant, server: RecordingServer, install: Install, pass_time: PassTime
) -> None:
    """A server that cannot be computed now concerns its own credential; it is there later."""
    install("computed", COMPUTED.replace("{url}", server.url))
    hass.data["away"] = {"away"}
    await add_credential(hass, "computed", "id", variables={"tenant": "away"})
    with pytest.raises(ImplementationUnavailableError):
        await async_get_implementations(hass, "computed")
    await add_credential(hass, "computed", "id", variables=HOME)
    implementations = await async_get_implementations(hass, "computed")
    away, home = (_of(one) for one in implementations.values())
    await home.async_refresh_token(EXPIRED)
    for gone in ({"away"}, set()):
        hass.data["away"] = gone
        with pytest.raises(UnavailableError) as raised:
            await away.async_refresh_token(EXPIRED)
        assert "its server is not known now" in str(raised.value)
        await hass.async_block_till_done()
        pass_time(60)
    await away.async_refresh_token(EXPIRED)
    assert server.requests[-1].path == "/of/away/token"
    assert issue_ids(hass) == []
    await add_credential(hass, "computed", "id", variables={"tenant": "broken"})
    assert len(await async_get_implementations(hass, "computed")) == 3
    assert issue_ids(hass) == ["platform_computed"]


@pytest.mark.parametrize("variables", [{}, {"tenant": "UPPER"}], ids=["none", "bad"])
async def test_values_that_do_not_fit(
    hass: HomeAssistant, server: RecordingServer, variables: dict[str, str]
) -> None:
    """After an update that wants other values, entries try again, and say which; the form mends it.

    Other credentials are as good as before.
    """
    subentry = await add_credential(hass, "acme", "id", variables=variables)
    await add_credential(hass, "acme", "other", variables=HOME)
    entry, other = await _account(hass), await _account(hass, "acme_other")
    assert other.state is ConfigEntryState.LOADED
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert "variables has no valid value for 'tenant'" in str(entry.reason)
    assert {request.path for request in server.requests} == {"/home/token"}
    implementation = (await async_get_implementations(hass, "acme"))["acme_id"]
    with pytest.raises(Exception, match="server_unknown") as raised:
        await implementation.async_generate_authorize_url("flow")
    assert vars(raised.value)["translation_domain"] == DOMAIN
    assert "'tenant'" in str(vars(raised.value)["description_placeholders"])
    await _edit(hass, subentry, {**FORM, "variable_1": "office"})
    assert _of(implementation).token_url == f"{server.url}/office/token"
    assert "/office/authorize?" in await implementation.async_generate_authorize_url("flow")


async def test_platform_that_cannot_tell(hass: HomeAssistant, install: Install) -> None:
    """Where the platform cannot tell its variables now, the form asks for none; what is, stays."""
    away = """
from homeassistant.helpers.config_entry_oauth2_flow import ImplementationUnavailableError
async def async_get_authorization_server(hass):
    raise ImplementationUnavailableError
"""
    install("away", away)
    subentry = await add_credential(hass, "away", "id", variables=HOME)
    step = await _edit(hass, subentry)
    assert "variable_1" not in suggested(step)
    result = await _edit(hass, subentry, {**FORM, "more": {"name": "Renamed"}})
    assert result["type"] is FlowResultType.ABORT
    (credential,) = stored(hass)
    assert (credential["name"], credential["variables"]) == ("Renamed", HOME)


async def test_repair(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> None:
    """The form of a repair has the variables, too."""
    subentry = await add_credential(hass, "acme", "id", variables=HOME)
    entry = await _account(hass, expired=False)
    implementation = entry.runtime_data
    error = InvalidClientError(
        domain="acme", request_info=implementation.token_endpoint.request_info, status=401
    )
    async_note_answer(hass, key_of(subentry), error)
    (issue_id,) = issue_ids(hass)
    step = await begin_repair(hass_client, issue_id)
    fields = {field["name"]: field for field in step["data_schema"]}
    assert fields["variable_1"]["description"] == {"suggested_value": "home"}
    assert step["description_placeholders"]["variable_1"] == "Your tenant"


@pytest.mark.parametrize("tenant", ["home", "office"])
@pytest.mark.parametrize("deleted", [True, False])
async def test_relinked(hass: HomeAssistant, tenant: str, deleted: bool) -> None:
    """Tokens are not for another tenant; where they are from is not always known."""
    subentry = await add_credential(hass, "acme", "id", variables=HOME)
    await _account(hass, expired=False)
    await add_credential(hass, "acme", "id", variables={"tenant": "elsewhere"})
    hass.config_entries.async_remove_subentry(entry_of(hass), subentry.subentry_id)
    if not deleted:
        # As after a restart.
        hass.data["developer_credentials_orphaned_entries"].deleted.clear()
    await add_credential(hass, "acme", "z", variables={"tenant": tenant})
    data = {**stored(hass)[-1], "client_id": "id"}
    *_, last = entry_of(hass).subentries.values()
    hass.config_entries.async_update_subentry(entry_of(hass), last, data=data)
    await async_relink(hass, ("acme", "acme_id"), str(data["auth_domain"]), "id")
    await hass.async_block_till_done()
    assert bool(_logins(hass)) is (tenant != "home" or not deleted)


@pytest.mark.parametrize("tenant", ["home", "office"])
async def test_deleted_and_entered_again(hass: HomeAssistant, tenant: str) -> None:
    """Another tenant that gets the key of a deleted one is another client."""
    subentry = await add_credential(hass, "acme", "id", variables=HOME)
    await _account(hass, expired=False)
    hass.config_entries.async_remove_subentry(entry_of(hass), subentry.subentry_id)
    await add_credential(hass, "acme", "id", variables={"tenant": tenant})
    assert stored(hass)[0]["auth_domain"] == "acme_id"
    assert bool(_logins(hass)) is (tenant != "home")


async def test_diagnostics(
    hass: HomeAssistant, server: RecordingServer, hass_client: ClientSessionGenerator
) -> None:
    """Diagnostics have the server as it is declared, without the values of the user."""
    assert await async_setup_component(hass, "diagnostics", {})
    await add_credential(hass, "acme", "id", variables={"tenant": "smith"})
    client = await hass_client()
    response = await client.get(f"/api/diagnostics/config_entry/{entry_of(hass).entry_id}")
    text = await response.text()
    assert f"{server.url}/{{tenant}}/token" in text
    assert "smith" not in text


async def test_websocket(
    hass: HomeAssistant, server: RecordingServer, hass_ws_client: WebSocketGenerator
) -> None:
    """Tools see which variables there are, and set their values."""
    client = await hass_ws_client()

    async def command(name: str, /, **fields: object) -> Any:  # noqa: ANN401 - of any shape
        await client.send_json_auto_id({"type": f"{DOMAIN}/{name}", **fields})
        reply = await client.receive_json()
        await hass.async_block_till_done()
        if reply["success"]:
            return reply["result"]
        return reply["error"]["code"], reply["error"]["message"]

    config = await command("config")
    assert config["integrations"]["acme"]["variables"] == [
        {"key": "tenant", "label": "Your \u202etenant", "pattern": "[a-z]+", "default": None},
        {"key": "region", "label": "Region", "pattern": None, "default": "eu"},
    ]
    new: dict[str, Any] = {"domain": "acme", "client_id": "id"}
    for bad in ({}, {"tenant": "UPPER"}, {"tenant": "home", "region": "e/u"}):
        code, message = await command("create", **new, variables=bad)
        assert code == "invalid_format"
        assert "region" in message if "region" in bad else "tenant" in message
    wrong: list[object] = ["home", ["home"], {"tenant": 3}, {"tenant": "home", SENTINEL: "x"}, None]
    for one in wrong:
        code, message = await command("create", **new, variables=one)
        assert code == "invalid_format"
        assert "`variables`" in message
        assert SENTINEL not in message
    unknown = await command("create", **new, variables={**HOME, "another": "x"})
    assert unknown[0] == "invalid_format"
    item = await command("create", **new, variables={**HOME, "region": "eu"})
    assert item["variables"] == HOME
    assert (await command("create", **new, variables=HOME))[0] == "already_configured"
    second = await command("create", **new, variables={"tenant": "office"})
    assert second["auth_domain"] == "acme_id_2"
    await _account(hass, expired=False)
    this = {"developer_credentials_id": item["id"]}
    assert (await command("update", **this, name="My app"))["variables"] == HOME
    clash = await command("update", **this, variables={"tenant": "office", "region": "eu"})
    assert clash[0] == "already_configured"
    assert (await command("update", **this, variables={}))[0] == "invalid_format"
    assert _logins(hass) == []
    changes = {"tenant": "third", "region": "us"}
    assert (await command("update", **this, variables=changes))["variables"] == changes
    assert len(_logins(hass)) == 1
    assert server.requests[-1].path.startswith("/third/")


async def test_platform_that_cannot_tell_any_more(
    hass: HomeAssistant, install: Install, server: RecordingServer
) -> None:
    """A platform that is away while the form is open does not lose what was entered."""
    platform = TENANTS.replace("{url}", server.url).replace(
        "    return", "    if hass.data.get('away'):\n        raise RuntimeError\n    return"
    )
    install("leaving", platform)
    subentry = await add_credential(hass, "leaving", "id", variables=HOME)
    step = await _edit(hass, subentry)
    hass.data["away"] = True
    flow = hass.config_entries.subentries
    step = await flow.async_configure(step["flow_id"], {**FORM, "variable_1": "a/b"})
    assert step["errors"] == {"variable_1": "variable_invalid"}
    assert suggested(step)["variable_1"] == "a/b"


async def test_restore(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> None:
    """A deleted credential is restored at its own server, whatever there is at another one."""
    subentry = await add_credential(hass, "acme", "id", variables=HOME)
    await add_credential(hass, "acme", "id", name="Other", variables={"tenant": "office"})
    await add_credential(hass, "acme", "id", name="Plain")
    await _account(hass, expired=False)
    hass.config_entries.async_remove_subentry(entry_of(hass), subentry.subentry_id)
    await hass.async_block_till_done()
    (issue_id,) = issue_ids(hass)
    step = await begin_repair(hass_client, issue_id)
    assert "restore" in step["menu_options"]
    await continue_repair(hass, hass_client, step, {"next_step_id": "restore"})
    assert issue_ids(hass) == []
    restored = {one["auth_domain"]: one.get("variables", {}) for one in stored(hass)}
    assert restored == {"acme_id": HOME, "acme_id_2": {"tenant": "office"}, "acme_id_3": {}}

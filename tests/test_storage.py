"""Whatever text comes in, by whatever way: Home Assistant can write what it stores and tells.

One text that is no UTF-8 in one config entry, and Home Assistant saves none of any integration.
"""

from contextlib import suppress
import json
import os
from pathlib import Path
from typing import Any, Final
from unittest.mock import Mock, PropertyMock, patch
from urllib.parse import urlencode

from homeassistant.components import application_credentials
from homeassistant.components.repairs import repairs_flow_manager
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigSubentry,
    SubentryFlowContext,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowManager, FlowResult, FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.config_entry_oauth2_flow import (
    ImplementationUnavailableError,
    async_get_implementations,
)
from homeassistant.helpers.json import json_bytes
from homeassistant.loader import Integration, IntegrationNotFound, async_get_integration
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml.loader import load_yaml_dict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, flush_store
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.developer_credentials import (
    DeveloperCredential,
    async_import_developer_credential,
)
from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.core_credentials.taking_over import async_take_over
from custom_components.developer_credentials.credentials.rejection import async_note_answer
from custom_components.developer_credentials.credentials.store import async_new_subentry, key_of
from custom_components.developer_credentials.credentials.yaml_import import async_import_items
from custom_components.developer_credentials.credentials.yaml_reader import (
    CONFIG_SCHEMA,
    async_check_items,
)
from custom_components.developer_credentials.oauth2.errors import InvalidClientError
from custom_components.developer_credentials.oauth2.token_response import parse_answer, parse_token
from custom_components.developer_credentials.websocket_commands import (
    CommandError,
    async_create,
    async_edit_application_credential,
    async_update,
)
from tests.common import (
    CONFIG_FLOW,
    SENTINEL,
    add_credential,
    begin_adding,
    begin_adding_in_list,
    entry_of,
    stored,
)
from tests.conftest import Install

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host", "away")

FUZZ: Final = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "30")),
    deadline=None,
    database=None,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    # One Home Assistant for all examples: they may not depend on one another anyway.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# Any text that Python can hold: with halves of surrogate pairs above all.
ODD: Final = st.sampled_from("\ud83d\ude00\udcff\x00\n\x85\u2028\u202e\u200b\ufeff:= a")
TEXT: Final = st.lists(ODD | st.characters(), max_size=12).map("".join)
KEYS: Final = ["domain", "client_id", "client_secret", "name"]

# A platform whose server cannot be asked.
AWAY = """
from homeassistant.helpers.config_entry_oauth2_flow import ImplementationUnavailableError

async def async_get_authorization_server(hass):
    raise ImplementationUnavailableError("away")
"""

PEER = """
async def async_get_authorization_server(hass):
    raise RuntimeError
"""


@pytest.fixture
def away(install: Install) -> None:
    """Install an integration with the platform, and one with application credentials."""
    install("acme", AWAY, config_flow=CONFIG_FLOW)
    install("peer", application_credentials=PEER)


@pytest.fixture
async def credential(hass: HomeAssistant) -> ConfigSubentry:
    """Have a credential that an entry uses."""
    MockConfigEntry(domain="acme", data={"auth_implementation": "acme_id"}).add_to_hass(hass)
    return await add_credential(hass, "acme", "id")


async def _assert_can_be_written(hass: HomeAssistant) -> None:
    """Fail where anything that is stored, or that the UI asks for, is no JSON."""
    await hass.async_block_till_done()
    for entry in hass.config_entries.async_entries():
        json_bytes(entry.as_dict())
        json_bytes(entry.as_json_fragment)
    for issue in ir.async_get(hass).issues.values():
        json_bytes(issue.to_json())
        json_bytes([issue.issue_id, issue.data, issue.translation_placeholders])


async def _submit(
    manager: FlowManager[Any, Any, Any], step: FlowResult[Any, Any], values: dict[str, Any]
) -> None:
    """Fill in the form of a flow, twice where it is shown again, and leave it."""
    for _ in range(2):
        if step["type"] is FlowResultType.FORM:
            step = await manager.async_configure(step["flow_id"], dict(values))
    if step["type"] is FlowResultType.FORM:
        manager.async_abort(step["flow_id"])


def _form(client_id: str, secret: str, name: str) -> dict[str, Any]:
    return {
        "client_id": client_id,
        "client_secret": secret,
        "more": {"name": name},
    }


@given(
    items=st.lists(
        st.fixed_dictionaries(
            {"domain": st.just("acme") | TEXT, "client_id": TEXT},
            optional={"client_secret": TEXT, "name": TEXT},
        )
        | st.dictionaries(st.sampled_from(KEYS) | TEXT, TEXT, max_size=4)
        | TEXT,
        max_size=3,
    )
)
@FUZZ
async def test_yaml(hass: HomeAssistant, items: list[Any]) -> None:
    """Any list in configuration.yaml, its keys and domains included."""
    config = CONFIG_SCHEMA({DOMAIN: items})
    yaml = await async_check_items(hass, config[DOMAIN])
    await async_import_items(hass, yaml)
    await _assert_can_be_written(hass)


@given(client_id=TEXT, secret=TEXT, name=st.none() | TEXT, auth_domain=st.none() | TEXT)
@FUZZ
async def test_own_yaml(
    hass: HomeAssistant, client_id: str, secret: str, name: str | None, auth_domain: str | None
) -> None:
    """Any credential from an integration's own YAML, and any `auth_domain`."""
    try:
        own = DeveloperCredential(client_id, secret, name)
    except ValueError:
        return
    await async_import_developer_credential(hass, "acme", own, auth_domain)
    await _assert_can_be_written(hass)


@given(domain=TEXT)
@FUZZ
async def test_domain_of_own_yaml(hass: HomeAssistant, domain: str) -> None:
    """A domain is that of an integration, or it is refused."""
    with suppress(IntegrationNotFound, ValueError):
        await async_import_developer_credential(hass, domain, DeveloperCredential("id"))
    await _assert_can_be_written(hass)


@given(client_id=TEXT, secret=TEXT, name=st.none() | TEXT, auth_domain=TEXT)
@FUZZ
async def test_websocket(
    hass: HomeAssistant,
    credential: ConfigSubentry,
    client_id: str,
    secret: str,
    name: str | None,
    auth_domain: str,
) -> None:
    """Any text that the commands are given, also such as no message can carry."""
    fields = {"client_id": client_id, "client_secret": secret, "name": name}
    for command, more in (
        (async_create, {"domain": "acme"}),
        (async_create, {"domain": "acme", "auth_domain": auth_domain}),
        (async_create, {"domain": auth_domain}),
        (async_update, {"developer_credentials_id": credential.subentry_id}),
    ):
        try:
            answer = await command(hass, {**fields, **more})
        except CommandError:
            continue
        json_bytes(answer)
    await _assert_can_be_written(hass)


@given(client_id=TEXT, secret=TEXT, name=TEXT)
@FUZZ
async def test_forms(
    hass: HomeAssistant, credential: ConfigSubentry, client_id: str, secret: str, name: str
) -> None:
    """Any text in the form: "Add integration", "Add credential", the gear, and the repair."""
    values = _form(client_id, secret, name)
    manager = hass.config_entries.flow
    step: Any = await begin_adding(hass, "acme")
    await _submit(manager, step, values)
    subentries = hass.config_entries.subentries
    handler = entry_of(hass).entry_id, "credential"
    step = await begin_adding_in_list(hass, "acme")
    await _submit(subentries, step, {**values, "client_id": f"{client_id}a"})
    context = SubentryFlowContext(source=SOURCE_RECONFIGURE, subentry_id=credential.subentry_id)
    step = await subentries.async_init(handler, context=context)
    await _submit(subentries, step, {**values, "client_id": f"{client_id}b"})
    # The server's words are in the repair.
    refused = InvalidClientError(
        domain="acme", request_info=Mock(), error=name, error_description=secret
    )
    async_note_answer(hass, key_of(credential), refused)
    (issue_id,) = [
        issue.issue_id
        for issue in ir.async_get(hass).issues.values()
        if issue.translation_key == "credential_rejected"
    ]
    await _assert_can_be_written(hass)
    repairs = repairs_flow_manager(hass)
    assert repairs is not None
    step = await repairs.async_init(DOMAIN, data={"issue_id": issue_id})
    await _submit(repairs, step, {**values, "client_id": f"{client_id}c"})
    async_note_answer(hass, key_of(credential), None)
    entered = {f"{client_id}a", f"{client_id}c"} if client_id.strip() else set()
    clean = {DeveloperCredential(one).client_id for one in entered}
    assert clean <= {one["client_id"] for one in stored(hass)}
    await _assert_can_be_written(hass)


@given(client_id=TEXT, secret=TEXT, name=st.none() | TEXT)
@FUZZ
async def test_application_credential(
    hass: HomeAssistant, client_id: str, secret: str, name: str | None
) -> None:
    """Any text in an edited application credential of Home Assistant."""
    assert await async_setup_component(hass, "application_credentials", {})
    collection = hass.data[application_credentials.DATA_COMPONENT]
    if not collection.data:
        item = {"domain": "peer", "client_id": "id", "client_secret": SENTINEL, "name": "My app"}
        await collection.async_create_item(item)
    (item_id,) = collection.data
    fields = {"client_id": client_id, "client_secret": secret, "name": name, "verify": False}
    try:
        answer = await async_edit_application_credential(
            hass, {"application_credentials_id": item_id, **fields}
        )
    except CommandError:
        answer = {}
    json_bytes([answer, collection.data])


@given(client_id=TEXT, secret=TEXT, name=st.none() | TEXT, auth_domain=TEXT)
@FUZZ
async def test_taken_over(
    hass: HomeAssistant, client_id: str, secret: str, name: str | None, auth_domain: str
) -> None:
    """Any text in an application credential that is taken over, its key included."""
    assert await async_setup_component(hass, "application_credentials", {})
    collection = hass.data[application_credentials.DATA_COMPONENT]
    item = {"domain": "acme", "client_id": client_id, "client_secret": secret, "name": name}
    item_id = f"item {len(collection.data)}"
    collection.data[item_id] = {"id": item_id, "auth_domain": auth_domain, **item}
    # As after a restart.
    hass.data.pop(f"{DOMAIN}_taken_over", None)
    await async_take_over(hass, "acme")
    with suppress(ValueError):
        DeveloperCredential(client_id, secret, name)
        assert item_id in entry_of(hass).data["taken_over"]
    await _assert_can_be_written(hass)


@given(name=TEXT)
@FUZZ
async def test_name_of_the_integration(hass: HomeAssistant, name: str) -> None:
    """Any name of an integration, which is in titles and in repairs."""
    integration = await async_get_integration(hass, "acme")
    with patch.object(Integration, "name", PropertyMock(return_value=name)):
        new = async_new_subentry(hass, integration, DeveloperCredential("id"))
        json_bytes(new["title"])
        await async_import_developer_credential(hass, "acme", DeveloperCredential("own"))
        await async_import_developer_credential(hass, "acme", DeveloperCredential("own", "", "A"))
    await _assert_can_be_written(hass)


@given(
    fields=st.dictionaries(st.sampled_from(["refresh_token", "scope"]) | TEXT, TEXT, max_size=4),
    access_token=TEXT,
    in_json=st.booleans(),
)
@FUZZ
async def test_token(
    hass: HomeAssistant, fields: dict[str, str], access_token: str, in_json: bool
) -> None:
    """Any text that a server gives with a token, which entries keep, and in its words."""
    fields = {**fields, "access_token": f"a{access_token}", "expires_in": "60"}
    body = json.dumps(fields) if in_json else urlencode(fields, errors="surrogatepass")
    answer = parse_answer(200, {}, body.encode(), [])
    json_bytes([answer.fields, parse_token(answer.fields)])
    words = json.dumps({"error": access_token, "error_description": access_token})
    refused = parse_answer(400, {}, words.encode(), [])
    json_bytes([refused.error, refused.error_description])


async def test_broken_platform(hass: HomeAssistant, install: Install) -> None:
    """What a module says that cannot be imported is in a repair, and in the reason of entries."""
    install("odd", "raise ImportError('half \\ud83d of\\n\\u202eit')")
    await add_credential(hass, "odd")
    with pytest.raises(ImplementationUnavailableError) as raised:
        await async_get_implementations(hass, "odd")
    json_bytes(str(raised.value))
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["detail"] == "ImportError: half of it"
    await _assert_can_be_written(hass)


@given(title=TEXT)
@FUZZ
async def test_renamed(hass: HomeAssistant, credential: ConfigSubentry, title: str) -> None:
    """Any title that the user gives: the name that it becomes can be written."""
    hass.config_entries.async_update_subentry(entry_of(hass), credential, title=title)
    assert credential.title
    await _assert_can_be_written(hass)


async def test_what_json_writers_make_of_an_emoji(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_storage: dict[str, Any],
    tmp_path: Path,
) -> None:
    """YAML that was written as JSON is imported with its emoji, and nothing else suffers."""
    items = [
        {"domain": "acme", "client_id": "a\ud83d", "client_secret": SENTINEL, "name": "App 😀"},
        {"domain": "acme", "client_id": "b", "client_secret": f"{SENTINEL}😀", "b\ud83d": "x"},
        {"domain": "acme\ud83d", "client_id": "c", "client_secret": f"{SENTINEL}\ude00"},
        {"domain": "acme", "client_id": "d", "client_secret": f"{SENTINEL}😀\ud83d"},
    ]
    path = tmp_path / "configuration.yaml"
    path.write_text(f"{DOMAIN}: {json.dumps(items)}\n")
    assert "\\ud83d\\ude00" in path.read_text()
    config = CONFIG_SCHEMA(load_yaml_dict(str(path)))
    await async_import_items(hass, await async_check_items(hass, config[DOMAIN]))
    assert [(one["client_id"], one["client_secret"], one["name"]) for one in stored(hass)] == [
        ("a", SENTINEL, "App 😀"),
        ("c", SENTINEL, "Acme (YAML)"),
        ("d", f"{SENTINEL}😀", "Acme (YAML)"),
    ]
    await flush_store(hass.config_entries._store)  # noqa: SLF001
    (entry,) = hass_storage["core.config_entries"]["data"]["entries"]
    assert len(entry["subentries"]) == len(stored(hass))
    assert await async_setup_component(hass, "config", {})
    client = await hass_ws_client()
    for command in ("repairs/list_issues", "config_entries/get"):
        await client.send_json_auto_id({"type": command})
        answer = await client.receive_json()
        assert answer["success"]
        assert SENTINEL not in str(answer)
    await _assert_can_be_written(hass)

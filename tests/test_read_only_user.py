"""What a user who is no admin can read: nothing of clients, and no words of servers.

A Home Assistant with all that can go wrong is asked, as a read-only user, whatever it may be asked.
"""

import asyncio
from contextlib import suppress
import hashlib
from http import HTTPStatus
import json
import logging
import re
import time
from typing import Any, Final, NamedTuple

from aiohttp import web
from homeassistant.components.application_credentials import (
    DATA_COMPONENT,
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import MATCH_ALL
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.json import json_dumps
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.developer_credentials import async_import_developer_credential
from custom_components.developer_credentials.const import DOMAIN, LOGGER
from custom_components.developer_credentials.core_credentials.collection import (
    async_get_application_credentials,
)
from custom_components.developer_credentials.credentials.store import async_find_subentry
from custom_components.developer_credentials.credentials.yaml_import import async_import_items
from custom_components.developer_credentials.credentials.yaml_reader import YamlList
from custom_components.developer_credentials.oauth2.client import DeveloperCredential
from custom_components.developer_credentials.watching.rejection import async_report
from tests.common import CONFIG_FLOW, PLATFORM, SENTINEL, add_credential, entry_of, issue_ids
from tests.conftest import Install
from tests.core_credentials.peer import SERVER
from tests.recording_server import RecordingServer, answer

pytestmark = pytest.mark.usefixtures("current_request_with_host")

# Part of every client id, so that a text made of one is known by it.
CLIENT: Final = "Read-Only.Mark"
WORDS: Final = "words of the server"
TITLE: Final = "title of an entry"

# An integration whose entries refresh their token when they are set up; the minimum version of
# Home Assistant leaves it to integrations to try again without an implementation.
INIT = """
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers.config_entry_oauth2_flow import (
    ImplementationUnavailableError,
    OAuth2Session,
    async_get_config_entry_implementation,
)

async def async_setup_entry(hass, entry):
    try:
        implementation = await async_get_config_entry_implementation(hass, entry)
    except ImplementationUnavailableError as err:
        raise ConfigEntryNotReady(str(err)) from err
    await OAuth2Session(hass, entry, implementation).async_ensure_token_valid()
    return True

async def async_unload_entry(hass, entry):
    return True
"""

UNAVAILABLE = """
from homeassistant.helpers.config_entry_oauth2_flow import ImplementationUnavailableError

async def async_get_auth_implementation(hass, auth_domain, credential):
    raise ImplementationUnavailableError(f"{auth_domain} {credential.client_id}")
"""

WRONG_AUTH_DOMAIN = """
from homeassistant.helpers.config_entry_oauth2_flow import LocalOAuth2Implementation

async def async_get_auth_implementation(hass, auth_domain, credential):
    return LocalOAuth2Implementation(hass, f"{auth_domain}_2", "", "", "", "")
"""

IMPOSSIBLE_SERVER = """
from custom_components.developer_credentials import AuthImplementation, AuthorizationServer

async def async_get_auth_implementation(hass, auth_domain, credential):
    url = f"http://{credential.client_id}.example"
    server = AuthorizationServer(url, url)
    return AuthImplementation(hass, auth_domain, credential, server)
"""

OWN_YAML = """
from custom_components.developer_credentials import DeveloperCredential

async def async_get_developer_credential(hass):
    return DeveloperCredential("Read-Only.Mark own", "", "My app")
"""


class Integration(NamedTuple):
    """Its platform, the error by which the server refuses its refresh, and what becomes of it."""

    platform: str | None
    error: str
    state: ConfigEntryState = ConfigEntryState.SETUP_RETRY


INTEGRATIONS: Final = {
    "rejected": Integration(PLATFORM, "invalid_client"),
    "refused": Integration(PLATFORM, "invalid_grant", ConfigEntryState.SETUP_ERROR),
    "unclear": Integration(PLATFORM, "temporarily_unavailable"),
    "orphaned": Integration(PLATFORM, "invalid_client", ConfigEntryState.SETUP_ERROR),
    "unavailable": Integration(UNAVAILABLE, ""),
    "wrong": Integration(WRONG_AUTH_DOMAIN, ""),
    "impossible": Integration(IMPOSSIBLE_SERVER, ""),
    "lost": Integration(None, ""),
    "own_yaml": Integration(PLATFORM + OWN_YAML, "invalid_client"),
}

# Integrations on application credentials of Home Assistant: what became of their credential.
CORE: Final = ("core_rejected", "core_deleted")

YAML: Final = [
    {"domain": "rejected", "client_secret": f"{SENTINEL}-1"},
    {"domain": "rejected", "client_id": f"{CLIENT} a", "client_secret": SENTINEL, "nmae": CLIENT},
    {"domain": "rejected", "client_id": f"{CLIENT} b", "client_secret": [SENTINEL]},
    {"domain": "nowhere", "client_id": f"{CLIENT} c"},
    {"domain": "orphaned", "client_id": f"{CLIENT} d", "name": "My app"},
    {"domain": "orphaned", "client_id": f"{CLIENT} d", "name": "My app"},
]


def _leaks(text: str) -> list[str]:
    """Return what of clients, servers and secrets a text has, however it is written there."""
    plain = re.sub("[^a-z0-9]", "", text.lower())
    marks = {re.sub("[^a-z0-9]", "", mark.lower()) for mark in (CLIENT, WORDS, SENTINEL)}
    digests = {
        hashlib.sha256(f"{domain}_read_only_mark".encode()).hexdigest()[:12]
        for domain in (*INTEGRATIONS, *CORE)
    }
    return [mark for mark in marks | digests if mark in plain]


def _respond(server: RecordingServer) -> None:
    """Have the server refuse the refresh of each integration in its own way."""

    async def respond(request: web.Request) -> web.StreamResponse:
        error = INTEGRATIONS[request.path.split("/")[1]].error
        status = HTTPStatus.UNAUTHORIZED if error == "invalid_client" else HTTPStatus.BAD_REQUEST
        return await answer({"error": error, "error_description": WORDS}, status)(request)

    server.respond = respond


async def _connect_core(hass: HomeAssistant, install: Install, url: str) -> None:
    """Have an application credential rejected, and one deleted while it is used."""
    assert await async_setup_component(hass, "application_credentials", {})
    for domain in CORE:
        install(domain, application_credentials=SERVER.format(url=f"{url}/{domain}"), __init__=INIT)
        credential = ClientCredential(CLIENT, SENTINEL, "My app")
        await async_import_client_credential(hass, domain, credential, f"{domain}_read_only_mark_9")
        token = {"access_token": SENTINEL, "expires_at": time.time() + 3600}
        data = {"auth_implementation": f"{domain}_read_only_mark_9", "token": token}
        entry = MockConfigEntry(domain=domain, title=TITLE, data=data)
        entry.add_to_hass(hass)
        await hass.config_entries.async_setup(entry.entry_id)
    rejected, deleted = async_get_application_credentials(hass).values()
    async_report(hass, rejected, WORDS)
    await hass.data[DATA_COMPONENT].async_delete_item(deleted.item_id)
    await hass.async_block_till_done()
    texts = {issue.translation_key for issue in ir.async_get(hass).issues.values()}
    assert {"application_credential_rejected", "application_credential_deleted"} <= texts


async def _connect(hass: HomeAssistant, domain: str) -> None:
    """Store a credential for an integration, and try to set up an entry that uses it."""
    await add_credential(hass, domain, CLIENT)
    token = {"access_token": SENTINEL, "refresh_token": SENTINEL, "expires_at": 0, "expires_in": 60}
    auth_domain = f"{domain}_read_only_mark"
    entry = MockConfigEntry(
        domain=domain, title=TITLE, data={"auth_implementation": auth_domain, "token": token}
    )
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


@pytest.fixture
async def events(hass: HomeAssistant, install: Install, server: RecordingServer) -> list[str]:
    """Make all that can go wrong go wrong; return the events that are fired from now on."""
    events: list[str] = []
    hass.bus.async_listen(MATCH_ALL, lambda event: events.append(json_dumps(event.as_dict())))
    for component in ("api", "config", "diagnostics", "repairs", "system_health"):
        assert await async_setup_component(hass, component, {})
    for domain, integration in INTEGRATIONS.items():
        platform = integration.platform
        if platform:
            platform = platform.replace("https://cloud.example", f"{server.url}/{domain}")
        flow = CONFIG_FLOW.replace("acme", domain)
        install(domain, platform, __init__=INIT, config_flow=flow)
    _respond(server)
    assert await async_setup_component(hass, DOMAIN, {DOMAIN: YAML})
    await hass.async_block_till_done()
    for domain in INTEGRATIONS:
        await _connect(hass, domain)
    await async_import_items(hass, YamlList([], whole=True))
    credential = DeveloperCredential(f"{CLIENT} imported", SENTINEL, "My app")
    await async_import_developer_credential(hass, "refused", credential, "refused_read_only_mark_9")
    subentry = async_find_subentry(hass, "orphaned", CLIENT)
    assert subentry
    hass.config_entries.async_remove_subentry(entry_of(hass), subentry.subentry_id)
    (entry,) = hass.config_entries.async_entries("orphaned")
    await hass.config_entries.async_reload(entry.entry_id)
    await _connect_core(hass, install, server.url)
    await hass.async_block_till_done()
    states = {
        domain: entry.state
        for domain in INTEGRATIONS
        for entry in hass.config_entries.async_entries(domain)
    }
    assert states == {domain: integration.state for domain, integration in INTEGRATIONS.items()}
    return events


def _commands(hass: HomeAssistant) -> list[dict[str, Any]]:
    """Return every command as it is, and those that can tell of us with what they need for it."""
    commands: list[dict[str, Any]] = [{"type": name} for name in hass.data["websocket_api"]]
    for domain, issue_id in ir.async_get(hass).issues:
        commands.append({"type": "repairs/get_issue_data", "domain": domain, "issue_id": issue_id})
    for entry in hass.config_entries.async_entries():
        commands += [
            {"type": name, "entry_id": entry.entry_id}
            for name in ("config_entries/get_single", "config_entries/subentries/list")
        ]
        commands.append({"type": "manifest/get", "integration": entry.domain})
        commands.append({"type": "diagnostics/get", "domain": entry.domain})
        attributes = ("title", "state", "source", "domain")
        template = " ".join(
            f"{{{{ config_entry_attr('{entry.entry_id}', '{attribute}') }}}}"
            for attribute in attributes
        )
        commands.append({"type": "render_template", "template": template, "report_errors": True})
    for template in (
        "{{ issues() }}",
        "{{ states | list }}",
        f"{{{{ integration_entities('{DOMAIN}') }}}}",
    ):
        commands.append({"type": "render_template", "template": template, "report_errors": True})
    for event_type in (None, "repairs_issue_registry_updated", "component_loaded"):
        commands.append(
            {"type": "subscribe_events"} | ({"event_type": event_type} if event_type else {})
        )
    call = {"type": "call_service", "domain": DOMAIN, "service": "reload"}
    return [*commands, call, {"type": "config_entries/get", "domain": DOMAIN}]


async def _token(hass: HomeAssistant, user: MockUser) -> str:
    # Of its own, since commands may revoke it.
    refresh_token = await hass.auth.async_create_refresh_token(user, "https://example.com/")
    return hass.auth.async_create_access_token(refresh_token)


async def test_commands(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_user: MockUser,
    events: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No WebSocket command that a read-only user may use tells anything of clients."""
    told: dict[str, list[str]] = {}
    for command in _commands(hass):
        client = await hass_ws_client(hass, await _token(hass, hass_read_only_user))
        await client.send_json_auto_id(command)
        messages: list[dict[str, Any]] = []
        # Until nothing comes any more: some answer with events.
        with suppress(TimeoutError, TypeError):
            while True:
                async with asyncio.timeout(0.05 if messages else 2):
                    messages.append(await client.receive_json())
        await client.close()
        text = json.dumps(messages)
        assert _leaks(text) == [], command
        if any(message.get("success") or message.get("event") for message in messages):
            told.setdefault(command["type"], []).append(text)
    # That there was something to find.
    issues = "".join(told["repairs/list_issues"])
    assert all(issue_id in issues for issue_id in issue_ids(hass))
    assert "credential_rejected" in issues
    assert TITLE not in "".join(json_dumps(issue) for issue in _issues(hass))
    entries = "".join(told["config_entries/get"])
    assert all(entry.entry_id in entries for entry in hass.config_entries.async_entries())
    assert len(told["repairs/get_issue_data"]) > len(INTEGRATIONS)
    assert "setup_retry" in "".join(told["render_template"])
    assert _leaks("".join(events)) == []
    # Nor does Home Assistant log anything of it.
    logged = [
        record.getMessage()
        for record in caplog.get_records("setup")
        if record.name != LOGGER.name and record.levelno >= logging.INFO
    ]
    assert any(TITLE in text for text in logged)
    assert _leaks("".join(logged)) == []


def _issues(hass: HomeAssistant) -> list[dict[str, Any]]:
    return [
        {"id": issue.issue_id, "data": issue.data, "placeholders": issue.translation_placeholders}
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN
    ]


async def test_routes(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    hass_read_only_user: MockUser,
    events: list[str],
) -> None:
    """No HTTP route that a read-only user may use tells anything of clients."""
    answered = set()
    values = {
        "entry_id": entry_of(hass).entry_id,
        "domain": DOMAIN,
        "d_type": "config_entry",
        "d_id": entry_of(hass).entry_id,
        "flow_id": next(
            iter(flow["flow_id"] for flow in hass.config_entries.flow.async_progress())
        ),
    }
    for route in hass.http.app.router.routes():
        resource = route.resource
        if resource is None or route.method in {"HEAD", "OPTIONS"}:
            continue
        path = re.sub(
            r"\{(\w+)[^}]*\}", lambda found: values.get(found[1], "x"), resource.canonical
        )
        client = await hass_client(await _token(hass, hass_read_only_user))
        for message in ({}, {"handler": DOMAIN, "issue_id": issue_ids(hass)[0]}):
            body = None if route.method == "GET" else message
            with suppress(TimeoutError):
                async with asyncio.timeout(2):
                    response = await client.request(route.method, path, json=body)
                    text = await response.text()
                    assert _leaks(f"{response.headers} {text}") == [], (route.method, path)
                    if response.status == HTTPStatus.OK:
                        answered.add(path)
        await client.close()
    assert {"/api/config", "/api/states", "/api/services", "/api/components"} <= answered
    assert _leaks(json_dumps([state.as_dict() for state in hass.states.async_all()])) == []
    assert _leaks("".join(events)) == []

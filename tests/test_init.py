"""Tests of the start of Home Assistant with entries that are older than this integration."""

from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from aiohttp import ClientSession
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.developer_credentials import DeveloperCredential
from custom_components.developer_credentials.const import DOMAIN
from demo.authorization_server import DemoAuthorizationServer
from demo.browser import log_in
from tests.common import CONFIG_FLOW, PLATFORM, REDIRECT_URI, SENTINEL, entry_of, stored
from tests.conftest import Install


@pytest.mark.parametrize("origin", ["list", "own YAML"])
async def test_entry_from_before(
    hass: HomeAssistant,
    demo_cloud: DemoAuthorizationServer,
    monkeypatch: pytest.MonkeyPatch,
    origin: str,
) -> None:
    """An entry made with credentials from YAML, before this integration was there, is set up."""
    demo_cloud.add_client("client-id", client_secret=SENTINEL, redirect_uris=(REDIRECT_URI,))
    token = await _token(demo_cloud)
    before = MockConfigEntry(
        domain="demo_cloud",
        data={"auth_implementation": "demo_cloud", "token": token | {"expires_at": 0}},
    )
    before.add_to_hass(hass)
    item = {"domain": "demo_cloud", "client_id": "client-id", "client_secret": SENTINEL}
    config: dict[str, object] = {"demo_cloud": {}}
    if origin == "list":
        config[DOMAIN] = [item]
    else:

        async def own_yaml(hass: HomeAssistant) -> DeveloperCredential:
            return DeveloperCredential("client-id", SENTINEL)

        monkeypatch.setattr(
            import_module("custom_components.demo_cloud.developer_credentials"),
            "async_get_developer_credential",
            own_yaml,
            raising=False,
        )
    assert await async_setup_component(hass, "demo_cloud", config)
    await hass.async_block_till_done()
    assert before.state is ConfigEntryState.LOADED


async def test_issues_of_older_versions(hass: HomeAssistant) -> None:
    """Issues whose ids were made of client ids go; others stay, as the user has ignored them."""
    old = ["orphaned_acme_0123456789ab", "rejected_acme_0123456789ab", "own_yaml_acme_acme_client"]
    new = ["credential_rejected_01K", "entries_orphaned_01K", "integration_yaml_acme"]
    others = [("other", "orphaned_acme_0123456789ab")]
    registry = ir.async_get(hass)
    for domain, issue_id in [*((DOMAIN, one) for one in old + new), *others]:
        ir.async_create_issue(
            hass,
            domain,
            issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.ERROR,
            translation_key="key",
        )
        registry.async_ignore(domain, issue_id, ignore=True)
    assert await async_setup_component(hass, DOMAIN, {})
    assert sorted(registry.issues) == sorted([*((DOMAIN, one) for one in new), *others])


async def _token(demo_cloud: DemoAuthorizationServer) -> dict[str, Any]:
    """Return a token of the client, from a login without this integration."""
    query = {
        "response_type": "code",
        "client_id": "client-id",
        "redirect_uri": REDIRECT_URI,
        "scope": "account",
    }
    url = f"{demo_cloud.url}/authorize?{urlencode(query)}"
    redirect = await log_in(url, "demo", "demo")
    data = {
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(redirect).query)["code"][0],
        "redirect_uri": REDIRECT_URI,
        "client_id": "client-id",
        "client_secret": SENTINEL,
    }
    async with ClientSession() as session, session.post(f"{demo_cloud.url}/token", data=data) as it:
        token: dict[str, Any] = await it.json()
        return token


OWN = f"DeveloperCredential('id', '{SENTINEL}')"

COORDINATOR = """
import logging
from homeassistant.helpers.config_entry_oauth2_flow import async_get_config_entry_implementation
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from custom_components.developer_credentials import (
    DeveloperCredential,
    async_import_developer_credential,
)

async def update():
    return 1

async def async_setup_entry(hass, entry):
    await {call}
    coordinator = DataUpdateCoordinator(
        hass, logging.getLogger(__name__), name="Acme", update_method=update
    )
    await coordinator.async_config_entry_first_refresh()
    entry.runtime_data = coordinator
    return True
"""

CALLS: dict[str, str] = {
    "imports it": f"async_import_developer_credential(hass, 'acme', {OWN})",
    "has a platform that does": "async_get_config_entry_implementation(hass, entry)",
}

OWN_YAML = f"""
from custom_components.developer_credentials import DeveloperCredential

async def async_get_developer_credential(hass):
    return {OWN}
"""


@pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))
async def test_set_up_that_brings_its_credential(
    hass: HomeAssistant, install: Install, call: str
) -> None:
    """The first credential, made while an entry is set up, leaves that set-up its context."""
    install(
        "acme", PLATFORM + OWN_YAML, __init__=COORDINATOR.format(call=call), config_flow=CONFIG_FLOW
    )
    entry = MockConfigEntry(domain="acme", data={"auth_implementation": "acme"})
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert (entry.state, entry.reason) == (ConfigEntryState.LOADED, None)
    assert entry.runtime_data.config_entry is entry
    assert entry_of(hass).state is ConfigEntryState.LOADED
    assert [credential["client_id"] for credential in stored(hass)] == ["id"]


@pytest.mark.parametrize("in_yaml", [False, True])
async def test_websocket_api_without_a_credential(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, in_yaml: bool
) -> None:
    """Before the first credential, the empty list in YAML is enough for the commands."""
    if in_yaml:
        assert await async_setup_component(hass, DOMAIN, {DOMAIN: []})
    client = await hass_ws_client()
    await client.send_json_auto_id({"type": "developer_credentials/list"})
    answer = await client.receive_json()
    if in_yaml:
        assert answer["result"] == []
    else:
        assert answer["error"]["code"] == "unknown_command"
    assert hass.config_entries.async_entries(DOMAIN) == []

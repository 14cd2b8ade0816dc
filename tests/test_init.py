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

from custom_components.developer_credentials import DeveloperCredential
from custom_components.developer_credentials.const import DOMAIN
from demo.authorization_server import DemoAuthorizationServer
from demo.browser import log_in
from tests.common import REDIRECT_URI, SENTINEL


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

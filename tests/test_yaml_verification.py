"""Tests of the verification of what the YAML list brings."""

from datetime import timedelta
import json
from pathlib import Path
from shutil import rmtree
from typing import Any

from homeassistant.core import CoreState, HomeAssistant
from homeassistant.loader import DATA_CUSTOM_COMPONENTS, DATA_INTEGRATIONS
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.credentials.rejection import async_get_rejections
from custom_components.developer_credentials.yaml_verification import DELAY
from tests.common import SENTINEL, entry_of, issue_ids, stored
from tests.conftest import Install
from tests.credentials.configuration import reload
from tests.recording_server import RecordingServer
from tests.watching.test_watch import inquiries, knows_client, settle

pytestmark = pytest.mark.usefixtures("current_request_with_host")

PLATFORM = """
from custom_components.developer_credentials import AuthorizationServer

async def async_get_authorization_server(hass):
    return AuthorizationServer("{url}/authorize", "{url}/token")
"""


@pytest.fixture
def acme(install: Install, server: RecordingServer) -> None:
    """Install an integration with our platform."""
    install("acme", PLATFORM.format(url=server.url))


def item(client_id: str = "client-id", secret: str = SENTINEL) -> dict[str, Any]:
    """Return an item of the list."""
    return {"domain": "acme", "client_id": client_id, "client_secret": secret}


def text(items: list[dict[str, Any]]) -> str:
    """Return a configuration.yaml with the list; JSON is YAML."""
    return json.dumps({DOMAIN: items})


@pytest.mark.usefixtures("acme")
async def test_start(hass: HomeAssistant, server: RecordingServer) -> None:
    """At the start nobody is asked; minutes later the credential is, and its rejection told."""
    server.respond = knows_client("another")
    hass.set_state(CoreState.not_running)
    assert await async_setup_component(hass, DOMAIN, {DOMAIN: [item()]})
    await hass.async_block_till_done()
    await hass.async_start()
    await settle(hass)
    assert server.requests == []
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=DELAY + 1))
    await settle(hass)
    assert len(issue_ids(hass)) == 1
    (rejection,) = async_get_rejections(hass).values()
    assert rejection.answer == "invalid_client: Secret expired"
    # It stays, although nobody uses the credential yet.
    hass.config_entries.async_update_entry(entry_of(hass), title="Ours")
    assert len(issue_ids(hass)) == 1


@pytest.mark.usefixtures("acme")
async def test_reload(hass: HomeAssistant, server: RecordingServer, tmp_path: Path) -> None:
    """At a reload what is new or changed is verified at once; mended, the repair goes."""
    server.respond = knows_client()
    assert await async_setup_component(hass, DOMAIN, {DOMAIN: [item("first")]})
    await settle(hass)
    await reload(hass, tmp_path, text([item("first"), item("second", "wrong")]))
    await settle(hass)
    assert {one.body.get("client_id", "second") for one in inquiries(server)} == {"second"}
    assert len(issue_ids(hass)) == 1
    server.requests.clear()
    await reload(hass, tmp_path, text([item("first"), item("second")]))
    await settle(hass)
    assert {one.body.get("client_id", "second") for one in inquiries(server)} == {"second"}
    assert issue_ids(hass) == []
    server.requests.clear()
    await reload(hass, tmp_path, text([item("first"), {**item("second"), "name": "Named"}]))
    await settle(hass)
    assert server.requests == []


@pytest.mark.usefixtures("acme")
async def test_integration_is_gone(
    hass: HomeAssistant, server: RecordingServer, install: Install, tmp_path: Path
) -> None:
    """One whose integration is not installed any more keeps no other one from being verified."""
    install("gone", PLATFORM.format(url=server.url))
    server.respond = knows_client("another")
    hass.set_state(CoreState.not_running)
    items = [{**item("of gone"), "domain": "gone"}, item()]
    assert await async_setup_component(hass, DOMAIN, {DOMAIN: items})
    await hass.async_block_till_done()
    await hass.async_start()
    rmtree(tmp_path / "custom_components" / "gone")
    hass.data.pop(DATA_CUSTOM_COMPONENTS, None)
    hass.data[DATA_INTEGRATIONS].pop("gone")
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=DELAY + 1))
    await settle(hass)
    assert [domain for domain, _ in async_get_rejections(hass)] == ["acme"]


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize("change", ["deleted", "edited"])
async def test_changed_meanwhile(
    hass: HomeAssistant,
    server: RecordingServer,
    tmp_path: Path,
    change: str,
) -> None:
    """What is deleted or edited while its server is asked is left alone."""
    assert await async_setup_component(hass, DOMAIN, {DOMAIN: [item("first")]})
    await settle(hass)
    answers = knows_client("another")

    async def respond(request: Any) -> Any:  # noqa: ANN401 - of aiohttp
        entry = entry_of(hass)
        for subentry in list(entry.subentries.values()):
            if subentry.data["client_id"] != "second":
                continue
            if change == "deleted":
                hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
            else:
                data = {**subentry.data, "client_secret": f"{SENTINEL}-edited"}
                hass.config_entries.async_update_subentry(entry, subentry, data=data)
        return await answers(request)

    server.respond = respond
    await reload(hass, tmp_path, text([item("first"), item("second")]))
    await settle(hass)
    assert issue_ids(hass) == []
    secrets = [one["client_secret"] for one in stored(hass) if one["client_id"] == "second"]
    assert secrets == ([] if change == "deleted" else [f"{SENTINEL}-edited"])


@pytest.mark.usefixtures("acme")
async def test_deleted_before(hass: HomeAssistant, server: RecordingServer, tmp_path: Path) -> None:
    """What is deleted in the minutes after the start is not asked about."""
    hass.set_state(CoreState.not_running)
    assert await async_setup_component(hass, DOMAIN, {DOMAIN: [item()]})
    await hass.async_block_till_done()
    await hass.async_start()
    entry = entry_of(hass)
    hass.config_entries.async_remove_subentry(entry, next(iter(entry.subentries)))
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=DELAY + 1))
    await settle(hass)
    assert server.requests == []

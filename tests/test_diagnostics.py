"""Tests of the diagnostics."""

from datetime import datetime
from typing import Any

from homeassistant.components.application_credentials import (
    DATA_COMPONENT,
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.config_entries import SOURCE_USER, ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import async_get_implementations
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util import slugify
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.developer_credentials.core_credentials.collection import (
    async_get_application_credentials,
)
from custom_components.developer_credentials.watching.memory import async_note_accepted
from custom_components.developer_credentials.watching.rejection import async_report
from demo.authorization_server import DemoAuthorizationServer
from tests.adopting.acme import get_implementation
from tests.adopting.conftest import acme, adopted
from tests.common import (
    PLATFORM,
    REDIRECT_URI,
    SENTINEL,
    add_credential,
    begin_adding,
    entry_of,
    log_in_and_return,
)
from tests.conftest import Install
from tests.core_credentials.peer import SERVER

__all__ = ["acme", "adopted"]

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host")

CLIENT_ID = f"{SENTINEL}-id"

PECULIAR = """
from custom_components.developer_credentials import AuthorizationServer

async def async_get_authorization_server(hass):
    return AuthorizationServer(
        "https://cloud.example/authorize?key=sentinel-3f9c",
        "https://cloud.example/token?key=sentinel-3f9c",
        authorize_params={"audience": "sentinel-3f9c"},
        token_params={"key": "sentinel-3f9c"},
        token_endpoint_auth_method="client_secret_basic",
        default_expires_in=60,
    )
"""


async def _diagnostics(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: ConfigEntry
) -> dict[str, Any]:
    """Download the diagnostics, as the user does."""
    client = await hass_client()
    response = await client.get(f"/api/diagnostics/config_entry/{entry.entry_id}")
    assert response.status == 200
    # What Home Assistant adds, such as the ids of issues, has none of it either.
    body = await response.text()
    assert SENTINEL not in body
    assert slugify(CLIENT_ID) not in body
    data: dict[str, Any] = (await response.json())["data"]
    return data


@pytest.fixture(autouse=True)
async def diagnostics(setup: None, hass: HomeAssistant) -> None:
    """Have the diagnostics of Home Assistant."""
    assert await async_setup_component(hass, "diagnostics", {})


async def test_demo_cloud(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
) -> None:
    """What a credential is used for is there, and how its server answered; no client, no token."""
    demo_cloud.add_client(CLIENT_ID, client_secret=SENTINEL, redirect_uris=(REDIRECT_URI,))
    flow = hass.config_entries.flow
    step = await begin_adding(hass)
    form = {
        "client_id": CLIENT_ID,
        "client_secret": SENTINEL,
        "more": {"name": "My app"},
    }
    await flow.async_configure(step["flow_id"], form)
    step = await flow.async_init("demo_cloud", context={"source": SOURCE_USER})
    await log_in_and_return(hass, hass_client_no_auth, step)
    (account,) = hass.config_entries.async_entries("demo_cloud")
    demo_cloud.clients[CLIENT_ID].client_secret = f"{SENTINEL}-rotated"
    await account.runtime_data.async_refresh()

    data = await _diagnostics(hass, hass_client, entry_of(hass))
    text = str(data)
    assert SENTINEL not in text
    assert [value for value in demo_cloud.issued if value in text] == []
    (credential,) = data["credentials"].values()
    for answer in (credential["last_verification"], credential["last_refresh"]):
        assert dt_util.utcnow() >= datetime.fromisoformat(answer.pop("time"))
    assert datetime.fromisoformat(credential.pop("rejected_since"))
    assert data == {
        "credentials": {
            next(iter(entry_of(hass).subentries)): {
                "domain": "demo_cloud",
                "has_secret": True,
                "imported_by": None,
                "redirect_uri": "default",
                "server": {
                    "authorize_url": f"{demo_cloud.url}/authorize",
                    "token_url": f"{demo_cloud.url}/token",
                    "revocation_url": f"{demo_cloud.url}/revoke",
                    "scopes": ["account"],
                    "pkce": True,
                    "token_endpoint_auth_method": "client_secret_post",
                    "authorize_params": [],
                    "token_params": [],
                    "default_expires_in": None,
                },
                "entries": {account.entry_id: "loaded"},
                "last_verification": {"result": "accepted"},
                "last_refresh": {"result": "invalid_client"},
            }
        },
        "damaged_credentials": [],
        "platform_problems": {},
        "application_credentials": [],
        "adoptions": [],
        "options": {"look_after": True, "verify": True, "adopt": "none", "adopted": []},
        "private_api_unknown": [],
    }
    demo_cloud.clients[CLIENT_ID].client_secret = SENTINEL
    await account.runtime_data.async_refresh()
    data = await _diagnostics(hass, hass_client, entry_of(hass))
    (credential,) = data["credentials"].values()
    assert credential["rejected_since"] is None
    assert credential["last_refresh"]["result"] == "accepted"


async def test_peculiar_servers(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, install: Install
) -> None:
    """What a platform puts into queries and parameters stays out; so does what cannot be had."""
    install("peculiar", PECULIAR)
    install("broken", "raise RuntimeError")
    for domain in ("peculiar", "broken"):
        await add_credential(hass, domain, CLIENT_ID)
    gone = await add_credential(hass, "demo_cloud", CLIENT_ID)
    data = {**gone.data, "domain": "uninstalled", "imported": {"by": "list"}}
    hass.config_entries.async_update_subentry(entry_of(hass), gone, data=data)
    found = await _diagnostics(hass, hass_client, entry_of(hass))
    assert SENTINEL not in str(found)
    peculiar, broken, uninstalled = found["credentials"].values()
    assert peculiar["server"]["authorize_url"] == "https://cloud.example/authorize"
    assert peculiar["server"]["authorize_params"] == ["audience"]
    assert peculiar["server"]["token_params"] == ["key"]
    assert peculiar["server"]["token_endpoint_auth_method"] == "client_secret_basic"
    assert (broken["server"], uninstalled["server"]) == (None, None)
    assert uninstalled["imported_by"] == "list"
    assert peculiar["last_verification"] is peculiar["last_refresh"] is None


async def test_platform_problems(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, install: Install
) -> None:
    """A broken platform is told by what is wrong with it."""
    install("acme", PLATFORM)
    install("broken", "")
    await add_credential(hass, "acme")
    await async_get_implementations(hass, "broken")
    data = await _diagnostics(hass, hass_client, entry_of(hass))
    assert data["platform_problems"] == {"broken": "missing_function"}


async def test_application_credentials(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, install: Install
) -> None:
    """How those of Home Assistant are doing is told, without their ids: they have the client's."""
    assert await async_setup_component(hass, "application_credentials", {})
    server = SERVER.format(url="http://127.0.0.1:9")
    install("entered", application_credentials=server)
    install("imported", application_credentials=server)
    await add_credential(hass, "demo_cloud", CLIENT_ID)
    collection = hass.data[DATA_COMPONENT]
    item = {"domain": "entered", "client_id": CLIENT_ID, "client_secret": SENTINEL}
    await collection.async_create_item(item)
    await async_import_client_credential(hass, "imported", ClientCredential(CLIENT_ID, "", "Name"))
    await hass.async_block_till_done()
    entered, _ = async_get_application_credentials(hass).values()
    entry = MockConfigEntry(domain="entered", data={"auth_implementation": entered.item_id})
    entry.add_to_hass(hass)
    async_report(hass, entered, f"{SENTINEL} in words")
    async_note_accepted(hass, "imported", CLIENT_ID)
    data = await _diagnostics(hass, hass_client, entry_of(hass))
    first, second = data["application_credentials"]
    assert datetime.fromisoformat(first.pop("rejected_since"))
    assert first == {
        "domain": "entered",
        "has_secret": True,
        "imported": False,
        "accepted_before": False,
        "entries": {entry.entry_id: "not_loaded"},
    }
    assert second == {
        "domain": "imported",
        "has_secret": False,
        "imported": True,
        "accepted_before": True,
        "rejected_since": None,
        "entries": {},
    }


@pytest.mark.usefixtures("adopted")
async def test_adoptions(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> None:
    """What became of implementations is told, without their keys: they have the client's id."""
    implementation = await get_implementation(hass)
    data = await _diagnostics(hass, hass_client, entry_of(hass))
    assert data["adoptions"] == [{"domain": "acme", "outcome": "adopted", "in_use": 1}]
    assert implementation.domain not in str(data)


async def test_options(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> None:
    """What the user lets us do is told."""
    await add_credential(hass, "demo_cloud", CLIENT_ID)
    options = {"look_after": False, "adopt": "chosen", "adopted": ["withings", "nest"]}
    hass.config_entries.async_update_entry(entry_of(hass), options=options)
    await hass.async_block_till_done()
    data = await _diagnostics(hass, hass_client, entry_of(hass))
    assert data["options"] == {**options, "verify": True, "adopted": ["nest", "withings"]}


async def test_private_api_unknown(
    hass: HomeAssistant, hass_client: ClientSessionGenerator
) -> None:
    """What of Home Assistant is not as it is known here is told."""
    await add_credential(hass, "demo_cloud", CLIENT_ID)
    assert await async_setup_component(hass, "application_credentials", {})
    hass.data["application_credentials"] = None
    data = await _diagnostics(hass, hass_client, entry_of(hass))
    assert data["private_api_unknown"] == ["collection of application credentials"]
    assert data["application_credentials"] == []

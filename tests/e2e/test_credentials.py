"""A user looks after credentials in the browser, each dialog in a picture."""

import asyncio

import pytest

from demo.authorization_server import DemoAuthorizationServer
from demo.home_assistant import Client

from .common import (
    SENSOR,
    add_another,
    connect,
    count_credentials,
    entry_states,
    until_state,
)
from .frontend import Frontend, Work

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_edit_and_delete(
    frontend: Frontend, client: Client, cloud: DemoAuthorizationServer
) -> None:
    """A rotated secret is entered by the gear; the integration goes on, with its entities."""
    await connect(frontend)
    cloud.clients["my-app"].client_secret = "rotated"
    await frontend.open_credentials()
    row = frontend.subentry_row("Demo Cloud: My app")
    await frontend.click_in(row, "ha-icon-button")
    await frontend.see("Edit the credential for Demo Cloud", "12-edit")
    assert await frontend.value("client_secret") == ""
    await frontend.open_section("More options")
    await frontend.fill(name="My renamed app", client_secret="rotated")
    await frontend.click("Submit")
    await frontend.see("Demo Cloud accepts it.", "13-edited")
    await frontend.click("Close")
    await frontend.see("Demo Cloud: My renamed app")
    cloud.expire_access_tokens()
    await client.request("POST", "services/homeassistant/update_entity", {"entity_id": SENSOR})
    assert (await client.request("GET", f"states/{SENSOR}"))["state"] != "unavailable"
    assert await entry_states(client) == ["loaded"]

    row = frontend.subentry_row("Demo Cloud: My renamed app")
    await frontend.click_in(row, "ha-dropdown, ha-button-menu, ha-md-button-menu")
    await frontend.picture("14-menu")
    await frontend.click_text("Delete")
    await frontend.click("Delete")
    for _ in range(50):
        if await count_credentials(client) == 0:
            break
        await asyncio.sleep(0.1)
    assert await count_credentials(client) == 0


async def test_what_a_tool_does(frontend: Frontend, client: Client) -> None:
    """The open list shows at once what a tool does by the WebSocket API."""
    await connect(frontend)
    await frontend.open_credentials()
    tool = {"domain": "demo_cloud", "client_id": "tool", "name": "Of a tool", "verify": False}
    item = await client.command("developer_credentials/create", **tool)
    await frontend.see("Demo Cloud: Of a tool", "24-of-a-tool")
    this = {"developer_credentials_id": item["id"]}
    await client.command("developer_credentials/update", **this, name="Renamed", verify=False)
    await frontend.see("Demo Cloud: Renamed")
    await client.command("developer_credentials/delete", **this)
    for _ in range(100):
        if not await frontend.sees("Demo Cloud: Renamed"):
            break
        await asyncio.sleep(0.1)
    assert not await frontend.sees("Demo Cloud: Renamed")


async def test_rejected_and_repaired(
    frontend: Frontend, client: Client, cloud: DemoAuthorizationServer
) -> None:
    """A secret that the server refuses is told in a repair, which takes the new one."""
    await connect(frontend)
    before = await client.command("config/entity_registry/get", entity_id=SENSOR)
    cloud.clients["my-app"].client_secret = "rotated"
    await until_state(client, cloud, available=False)
    frontend.work = Work()
    await frontend.open_repairs()
    await frontend.see("Demo Cloud: My app: credential rejected", "15-repairs")
    await frontend.click_text("Demo Cloud: My app: credential rejected")
    await frontend.see("used by Demo account", "16-repair")
    await frontend.see("invalid_client")
    assert await frontend.value("client_id") == "my-app"
    assert await frontend.value("client_secret") == ""
    await frontend.fill(client_secret="wrong")
    await frontend.click("Submit")
    await frontend.see("does not accept this client ID and client secret", "17-repair-wrong")
    await frontend.fill(client_secret="rotated")
    await frontend.click("Submit")
    await frontend.see("repaired", "18-repaired")
    assert frontend.work.clicks == 3
    await until_state(client, cloud, available=True)
    assert await client.command("config/entity_registry/get", entity_id=SENSOR) == before
    assert await client.command("config_entries/flow/progress") == []
    issues = (await client.command("repairs/list_issues"))["issues"]
    assert [issue for issue in issues if issue["domain"] == "developer_credentials"] == []


async def test_deleted_and_restored(
    frontend: Frontend, client: Client, cloud: DemoAuthorizationServer
) -> None:
    """A credential that was deleted though it is used is restored by its repair."""
    await connect(frontend)
    await frontend.open_credentials()
    row = frontend.subentry_row("Demo Cloud: My app")
    await frontend.click_in(row, "ha-dropdown, ha-button-menu, ha-md-button-menu")
    await frontend.click_text("Delete")
    await frontend.click("Delete")
    await frontend.open_repairs()
    await frontend.see("Demo Cloud: credential missing", "19-orphaned")
    await frontend.click_text("Demo Cloud: credential missing")
    await frontend.see("used by Demo account was deleted", "20-orphaned-menu")
    await frontend.click_text("Restore the deleted credential")
    await frontend.see("repaired", "21-restored")
    assert await count_credentials(client) == 1
    await until_state(client, cloud, available=True)


async def test_deleted_and_moved(
    frontend: Frontend,
    client: Client,
    cloud: DemoAuthorizationServer,
    redirect_uri: str,
) -> None:
    """The entries of a deleted credential are moved to another one, and log in again."""
    await connect(frontend)
    await add_another(frontend, cloud, redirect_uri)
    row = frontend.subentry_row("Demo Cloud: My app")
    await frontend.click_in(row, "ha-dropdown, ha-button-menu, ha-md-button-menu")
    await frontend.click_text("Delete")
    await frontend.click("Delete")
    await frontend.open_repairs()
    await frontend.click_text("Demo Cloud: credential missing")
    await frontend.click_text("Use another credential")
    await frontend.see("Which credential do you want to use for Demo account?", "22-move")
    await frontend.choose("Credential", "My other app")
    await frontend.click("Submit")
    await frontend.see("repaired", "23-moved")
    (flow,) = await client.command("config_entries/flow/progress")
    assert flow["context"]["source"] == "reauth"

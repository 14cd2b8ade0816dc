"""The journeys of a user in the browser, each dialog in a picture."""

import asyncio

import pytest

from demo.authorization_server import DemoAuthorizationServer
from demo.home_assistant import Client, HomeAssistant

from .frontend import Frontend

pytestmark = pytest.mark.asyncio(loop_scope="session")

SECRET = "the right secret"
SENSOR = "sensor.demo_account_requests"


@pytest.fixture(autouse=True)
def application(
    frontend: Frontend, home_assistant: HomeAssistant, cloud: DemoAuthorizationServer
) -> None:
    """Register the user's application at Demo Cloud."""
    cloud.add_client(
        "my-app",
        client_secret=SECRET,
        redirect_uris=(f"{home_assistant.url}/auth/external/callback",),
        name="My application",
    )


async def _entries(client: Client) -> list[str]:
    entries = await client.command("config_entries/get", domain="demo_cloud")
    return [entry["state"] for entry in entries]


async def _credentials(client: Client) -> int:
    entries = await client.command("config_entries/get", domain="developer_credentials")
    return sum(entry["num_subentries"] for entry in entries)


def _requests(cloud: DemoAuthorizationServer, client_id: str) -> int:
    return sum(request.client_id == client_id for request in cloud.token_requests)


async def _connect(frontend: Frontend) -> None:
    """Add the credential and the integration."""
    await frontend.add_integration("Demo Cloud")
    await frontend.see("Credential for Demo Cloud")
    await frontend.open_section("More options")
    await frontend.fill(name="My app", client_id="my-app", client_secret=SECRET)
    await frontend.click("Submit")
    await frontend.log_in_at_cloud()
    await frontend.see("Name and assign")
    await frontend.click("Skip and finish")


async def _add_another(
    frontend: Frontend, cloud: DemoAuthorizationServer, home_assistant: HomeAssistant
) -> None:
    """Add a second credential, in the list."""
    cloud.add_client(
        "other-app",
        client_secret=SECRET,
        redirect_uris=(f"{home_assistant.url}/auth/external/callback",),
    )
    await frontend.open_credentials()
    await frontend.click("Add credential")
    await frontend.choose("Integration", "Demo Cloud")
    await frontend.click("Submit")
    await frontend.see("Credential for Demo Cloud", "9-add-credential")
    await frontend.open_section("More options")
    await frontend.fill(name="My other app", client_id="other-app", client_secret=SECRET)
    await frontend.click("Submit")
    await frontend.see("Demo Cloud: My other app")
    await frontend.see("accepts the credential", "10-credential-added")
    await frontend.click("Finish")


async def test_from_nothing_to_connected(
    frontend: Frontend, client: Client, home_assistant: HomeAssistant
) -> None:
    """Choose the integration, fill in one form, log in: connected."""
    await frontend.add_integration("Demo Cloud")
    await frontend.see("Credential for Demo Cloud")
    await frontend.see(f"{home_assistant.url}/auth/external/callback")
    await frontend.picture("1-credential-form")
    await frontend.fill(client_id="my-app", client_secret=SECRET)
    await frontend.picture("2-credential-form-filled")
    await frontend.click("Submit")
    await frontend.log_in_at_cloud("3-login-at-the-server")
    await frontend.see("Name and assign", "4-connected")
    await frontend.click("Skip and finish")
    assert await _entries(client) == ["loaded"]
    # Add integration, its name, Submit, Finish; beside the login at the server.
    assert frontend.clicks == 4
    await frontend.open_credentials()
    await frontend.see("Demo Cloud", "5-credentials")


async def test_wrong_secret_is_noticed_at_the_form(frontend: Frontend, client: Client) -> None:
    """A wrong secret is said where it was typed, and corrected there."""
    await frontend.add_integration("Demo Cloud")
    await frontend.see("Credential for Demo Cloud")
    await frontend.fill(client_id="my-app", client_secret="wrong")
    await frontend.click("Submit")
    await frontend.see("does not accept this client ID and client secret", "6-rejected")
    assert await frontend.value("client_id") == "my-app"
    await frontend.fill(client_secret=SECRET)
    await frontend.click("Submit")
    await frontend.log_in_at_cloud()
    await frontend.see("Name and assign")
    await frontend.click("Skip and finish")
    assert await _entries(client) == ["loaded"]


async def test_wrong_secret_is_noticed_after_the_login(frontend: Frontend, client: Client) -> None:
    """A wrong secret that the user insisted on is noticed after the login, and corrected.

    Left there, the next attempt begins with the form, not with the login.
    """
    await frontend.add_integration("Demo Cloud")
    await frontend.see("Credential for Demo Cloud")
    await frontend.fill(client_id="my-app", client_secret="wrong")
    await frontend.click("Submit")
    await frontend.see("does not accept this client ID and client secret")
    await frontend.turn_on("Save anyway")
    await frontend.click("Submit")
    await frontend.log_in_at_cloud()
    await frontend.see("Edit the credential for Demo Cloud")
    await frontend.see("does not accept this client ID and client secret", "7-rejected-after-login")
    await frontend.open_integrations()
    await frontend.add_integration("Demo Cloud")
    await frontend.see("Edit the credential for Demo Cloud")
    await frontend.fill(client_secret=SECRET)
    await frontend.click("Submit")
    await frontend.log_in_at_cloud()
    await frontend.see("Name and assign")
    await frontend.click("Skip and finish")
    assert await _entries(client) == ["loaded"]


async def test_redirect_uri_is_noticed_at_the_form(
    frontend: Frontend, client: Client, cloud: DemoAuthorizationServer
) -> None:
    """A redirect URI that is not registered is said before the user is sent to the server."""
    registered, cloud.clients["my-app"].redirect_uris = cloud.clients["my-app"].redirect_uris, ()
    await frontend.add_integration("Demo Cloud")
    await frontend.see("Credential for Demo Cloud")
    await frontend.fill(client_id="my-app", client_secret=SECRET)
    await frontend.click("Submit")
    await frontend.see("does not accept the client ID with this", "8-redirect-uri-rejected")
    cloud.clients["my-app"].redirect_uris = registered
    await frontend.click("Submit")
    await frontend.log_in_at_cloud()
    await frontend.see("Name and assign")
    await frontend.click("Skip and finish")
    assert await _entries(client) == ["loaded"]


async def test_second_credential(
    frontend: Frontend,
    client: Client,
    cloud: DemoAuthorizationServer,
    home_assistant: HomeAssistant,
) -> None:
    """A second credential is added in the list, and the user picks between two by name."""
    await _connect(frontend)
    await _add_another(frontend, cloud, home_assistant)
    assert await _credentials(client) == 2
    await frontend.open_integrations()
    await frontend.add_integration("Demo Cloud")
    await frontend.see("Pick a credential", "11-pick-a-credential")
    await frontend.click_text("My other app")
    asked = _requests(cloud, "other-app")
    await frontend.click("Submit")
    await frontend.log_in_at_cloud()
    await frontend.see("This account is there already")
    assert _requests(cloud, "other-app") == asked + 1


async def test_edit_and_delete(
    frontend: Frontend, client: Client, cloud: DemoAuthorizationServer
) -> None:
    """A rotated secret is entered by the gear; the integration goes on, with its entities."""
    await _connect(frontend)
    cloud.clients["my-app"].client_secret = "rotated"
    await frontend.open_credentials()
    row = frontend.subentry_row("Demo Cloud: My app")
    await frontend.click_in(row, "ha-icon-button")
    await frontend.see("Edit the credential for Demo Cloud", "12-edit")
    assert await frontend.value("client_secret") == ""
    await frontend.open_section("More options")
    await frontend.fill(name="My renamed app", client_secret="rotated")
    await frontend.click("Submit")
    await frontend.see("It was saved", "13-edited")
    await frontend.click("Close")
    await frontend.see("Demo Cloud: My renamed app")
    cloud.expire_access_tokens()
    await client.request("POST", "services/homeassistant/update_entity", {"entity_id": SENSOR})
    assert (await client.request("GET", f"states/{SENSOR}"))["state"] != "unavailable"
    assert await _entries(client) == ["loaded"]

    row = frontend.subentry_row("Demo Cloud: My renamed app")
    await frontend.click_in(row, "ha-dropdown, ha-button-menu, ha-md-button-menu")
    await frontend.picture("14-menu")
    await frontend.click_text("Delete")
    await frontend.click("Delete")
    for _ in range(50):
        if await _credentials(client) == 0:
            break
        await asyncio.sleep(0.1)
    assert await _credentials(client) == 0


async def _state(client: Client) -> str:
    return str((await client.request("GET", f"states/{SENSOR}"))["state"])


async def _until_state(client: Client, cloud: DemoAuthorizationServer, *, available: bool) -> None:
    """Have the account polled, and wait until the sensor is available, or is not."""
    cloud.expire_access_tokens()
    await client.request("POST", "services/homeassistant/update_entity", {"entity_id": SENSOR})
    for _ in range(300):
        if (await _state(client) != "unavailable") is available:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(await _state(client))


async def test_rejected_and_repaired(
    frontend: Frontend, client: Client, cloud: DemoAuthorizationServer
) -> None:
    """A secret that the server refuses is told in a repair, which takes the new one."""
    await _connect(frontend)
    before = await client.command("config/entity_registry/get", entity_id=SENSOR)
    cloud.clients["my-app"].client_secret = "rotated"
    await _until_state(client, cloud, available=False)
    frontend.clicks = 0
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
    assert frontend.clicks == 3
    await _until_state(client, cloud, available=True)
    assert await client.command("config/entity_registry/get", entity_id=SENSOR) == before
    assert await client.command("config_entries/flow/progress") == []
    issues = (await client.command("repairs/list_issues"))["issues"]
    assert [issue for issue in issues if issue["domain"] == "developer_credentials"] == []


async def test_deleted_and_restored(
    frontend: Frontend, client: Client, cloud: DemoAuthorizationServer
) -> None:
    """A credential that was deleted though it is used is restored by its repair."""
    await _connect(frontend)
    await frontend.open_credentials()
    row = frontend.subentry_row("Demo Cloud: My app")
    await frontend.click_in(row, "ha-dropdown, ha-button-menu, ha-md-button-menu")
    await frontend.click_text("Delete")
    await frontend.click("Delete")
    await frontend.open_repairs()
    await frontend.see("Demo Cloud lacks its credential", "19-orphaned")
    await frontend.click_text("Demo Cloud lacks its credential")
    await frontend.see("The credential of these entries is gone: Demo account", "20-orphaned-menu")
    await frontend.click_text("Restore the deleted credential")
    await frontend.see("repaired", "21-restored")
    assert await _credentials(client) == 1
    await _until_state(client, cloud, available=True)


async def test_deleted_and_moved(
    frontend: Frontend,
    client: Client,
    cloud: DemoAuthorizationServer,
    home_assistant: HomeAssistant,
) -> None:
    """The entries of a deleted credential are moved to another one, and log in again."""
    await _connect(frontend)
    await _add_another(frontend, cloud, home_assistant)
    row = frontend.subentry_row("Demo Cloud: My app")
    await frontend.click_in(row, "ha-dropdown, ha-button-menu, ha-md-button-menu")
    await frontend.click_text("Delete")
    await frontend.click("Delete")
    await frontend.open_repairs()
    await frontend.click_text("Demo Cloud lacks its credential")
    await frontend.click_text("Use another credential")
    await frontend.see("Which credential shall these entries use", "22-move")
    await frontend.choose("Credential", "My other app")
    await frontend.click("Submit")
    await frontend.see("repaired", "23-moved")
    (flow,) = await client.command("config_entries/flow/progress")
    assert flow["context"]["source"] == "reauth"


async def test_what_a_tool_does(frontend: Frontend, client: Client) -> None:
    """The open list shows at once what a tool does by the WebSocket API."""
    await _connect(frontend)
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


async def test_edit_an_application_credential(
    frontend: Frontend, client: Client, cloud: DemoAuthorizationServer
) -> None:
    """An application credential of Home Assistant is edited in place; its integration goes on."""
    await frontend.add_integration("Peer Cloud")
    await frontend.see("Add application credentials")
    await frontend.fill(name="My app", clientId="my-app", clientSecret=SECRET)
    await frontend.click("Add")
    await frontend.log_in_at_cloud()
    await frontend.see("Name and assign")
    await frontend.click("Skip and finish")
    (before,) = await client.command("application_credentials/list")
    cloud.clients["my-app"].client_secret = "rotated"
    await frontend.open_integrations()
    await frontend.add_integration("Developer Credentials")
    await frontend.see("looks after the credentials", "24-set-up")
    await frontend.click("Submit")
    await frontend.see("Edit an application credential", "25-menu-with-application-credentials")
    await frontend.click_text("Edit an application credential")
    await frontend.see(
        "Which application credential do you want to edit?", "26-choose-application-credential"
    )
    await frontend.choose("Application credential", "Peer Cloud: My app")
    await frontend.click("Submit")
    await frontend.see("used by Demo account", "27-edit-application-credential")
    assert await frontend.value("client_id") == "my-app"
    await frontend.fill(client_secret="wrong")
    await frontend.click("Submit")
    await frontend.see("does not accept this client ID and client secret")
    await frontend.fill(client_secret="rotated")
    await frontend.click("Submit")
    await frontend.see("It was saved", "28-application-credential-saved")
    (after,) = await client.command("application_credentials/list")
    assert after == {**before, "client_secret": "rotated"}
    cloud.expire_access_tokens()
    for _ in range(100):
        (entry,) = await client.command("config_entries/get", domain="peer_cloud")
        if entry["state"] == "loaded":
            break
        await asyncio.sleep(0.1)
    assert entry["state"] == "loaded"
    await client.request("DELETE", f"config/config_entries/entry/{entry['entry_id']}")
    await client.command("application_credentials/delete", application_credentials_id=after["id"])


async def test_beside_application_credentials(
    frontend: Frontend, client: Client, home_assistant: HomeAssistant
) -> None:
    """Home Assistant's own dialog takes as many clicks, shows no redirect URI, checks nothing."""
    await frontend.add_integration("Peer Cloud")
    await frontend.see("Add application credentials", "peer-1-form")
    assert not await frontend.sees(f"{home_assistant.url}/auth/external/callback")
    await frontend.fill(name="My app", clientId="my-app", clientSecret=SECRET)
    await frontend.click("Add")
    await frontend.log_in_at_cloud()
    await frontend.see("Name and assign")
    await frontend.click("Skip and finish")
    assert frontend.clicks == 4

    (entry,) = await client.command("config_entries/get", domain="peer_cloud")
    await client.request("DELETE", f"config/config_entries/entry/{entry['entry_id']}")
    for item in await client.command("application_credentials/list"):
        await client.command(
            "application_credentials/delete", application_credentials_id=item["id"]
        )
    await frontend.open_integrations()
    await frontend.add_integration("Peer Cloud")
    await frontend.see("Add application credentials")
    await frontend.fill(name="My app", clientId="my-app", clientSecret="wrong")
    await frontend.click("Add")
    await frontend.log_in_at_cloud()
    await frontend.see("OAuth", "peer-2-wrong-secret-after-login")
    for item in await client.command("application_credentials/list"):
        await client.command(
            "application_credentials/delete", application_credentials_id=item["id"]
        )

"""What the journeys of a user have in common."""

import asyncio
from typing import Any, Final

from demo.authorization_server import DemoAuthorizationServer
from demo.home_assistant import Client

from .frontend import Frontend

SECRET: Final = "the right secret"
SENSOR: Final = "sensor.demo_account_requests"


async def entry_states(client: Client, domain: str = "demo_cloud") -> list[str]:
    """Return the states of the entries of an integration."""
    entries = await client.command("config_entries/get", domain=domain)
    return [entry["state"] for entry in entries]


async def until_loaded(client: Client, domain: str) -> None:
    """Wait until the one entry of an integration is loaded."""
    for _ in range(300):
        if (states := await entry_states(client, domain)) == ["loaded"]:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(states)


async def remove_all(client: Client) -> None:
    """Remove all entries, flows and application credentials."""
    for flow in await client.command("config_entries/flow/progress"):
        await client.request("DELETE", f"config/config_entries/flow/{flow['flow_id']}")
    for domain in ("demo_cloud", "peer_cloud", "plain_cloud", "developer_credentials"):
        for entry in await client.command("config_entries/get", domain=domain):
            await client.request("DELETE", f"config/config_entries/entry/{entry['entry_id']}")
    for item in await client.command("application_credentials/list"):
        await client.command(
            "application_credentials/delete", application_credentials_id=item["id"]
        )


async def set_up(client: Client) -> None:
    """Set up Developer Credentials."""
    step = await client.start_flow("developer_credentials")
    step = await client.continue_flow(step["flow_id"], {})
    await client.continue_flow(step["flow_id"], {"next_step_id": "finish"})


async def until_accepted(cloud: DemoAuthorizationServer, since: int) -> None:
    """Wait until the server was asked, after so many requests, whether it knows the application."""
    for _ in range(100):
        if any(
            request.client_id == "my-app"
            and "code" in request.form
            and request.form["code"] not in cloud.issued
            for request in cloud.token_requests[since:]
        ):
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the server was not asked")


async def poll(client: Client, cloud: DemoAuthorizationServer) -> None:
    """Have Peer Cloud read anew, with an access token that has expired."""
    cloud.expire_access_tokens()
    # The coordinator looks at the time that the server has said.
    await asyncio.sleep(6)
    sensor = {"entity_id": "sensor.peer_cloud_requests"}
    await client.request("POST", "services/homeassistant/update_entity", sensor)


async def until_issues(client: Client, count: int, seconds: float = 30) -> list[dict[str, Any]]:
    """Wait until there are so many repairs of Developer Credentials, and return them."""
    for _ in range(int(seconds * 10)):
        if len(found := await issues(client)) == count:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(found)


async def until_flows(client: Client, count: int) -> None:
    """Wait until so many flows are in progress."""
    for _ in range(100):
        if len(found := await client.command("config_entries/flow/progress")) == count:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(found)


async def issues(client: Client) -> list[dict[str, Any]]:
    """Return the repairs of Developer Credentials."""
    all_issues = (await client.command("repairs/list_issues"))["issues"]
    return [issue for issue in all_issues if issue["domain"] == "developer_credentials"]


async def count_credentials(client: Client) -> int:
    """Return how many credentials there are."""
    entries = await client.command("config_entries/get", domain="developer_credentials")
    return sum(entry["num_subentries"] for entry in entries)


def count_requests(cloud: DemoAuthorizationServer, client_id: str) -> int:
    """Return how many token requests there were of a client."""
    return sum(request.client_id == client_id for request in cloud.token_requests)


async def connect(frontend: Frontend) -> None:
    """Add a credential for Demo Cloud and the integration."""
    await frontend.add_integration("Demo Cloud")
    await frontend.see("Credential for Demo Cloud")
    await frontend.open_section("More options")
    await frontend.fill(name="My app", client_id="my-app", client_secret=SECRET)
    await frontend.click("Submit")
    await frontend.log_in_at_cloud()
    await frontend.finish()


async def connect_peer(frontend: Frontend, client_secret: str = SECRET) -> None:
    """Add an application credential and Peer Cloud, all by Home Assistant's own dialogs."""
    await frontend.add_integration("Peer Cloud")
    await frontend.see("Add application credentials")
    await frontend.fill(name="My app", clientId="my-app", clientSecret=client_secret)
    await frontend.click("Add")
    await frontend.log_in_at_cloud()
    await frontend.finish()


async def add_another(
    frontend: Frontend, cloud: DemoAuthorizationServer, redirect_uri: str
) -> None:
    """Add a second credential, in the list."""
    cloud.add_client(
        "other-app",
        client_secret=SECRET,
        redirect_uris=(redirect_uri,),
    )
    await frontend.open_credentials()
    await frontend.click("Add credential")
    await frontend.see("Which integration is the credential for?", "9-add-credential")
    await frontend.choose("Integration", "Demo Cloud")
    await frontend.click("Submit")
    await frontend.see("Credential for Demo Cloud")
    await frontend.open_section("More options")
    await frontend.fill(name="My other app", client_id="other-app", client_secret=SECRET)
    await frontend.click("Submit")
    await frontend.see("Demo Cloud: My other app")
    await frontend.see("Demo Cloud accepts it.", "10-credential-added")
    await frontend.click("Finish")


async def sensor_state(client: Client) -> str:
    """Return the state of Demo Cloud's sensor."""
    return str((await client.request("GET", f"states/{SENSOR}"))["state"])


async def until_state(client: Client, cloud: DemoAuthorizationServer, *, available: bool) -> None:
    """Have the account polled, and wait until the sensor is available, or is not."""
    cloud.expire_access_tokens()
    await client.request("POST", "services/homeassistant/update_entity", {"entity_id": SENSOR})
    for _ in range(300):
        if (await sensor_state(client) != "unavailable") is available:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(await sensor_state(client))

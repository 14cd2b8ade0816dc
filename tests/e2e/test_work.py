"""What a user has to do, with Developer Credentials and with Home Assistant's own credentials.

Each journey takes the shortest path. Navigating to a page is not counted, nor is the name that is
searched for in "Add integration".
"""

from collections.abc import Awaitable, Callable
from dataclasses import astuple
import json
from pathlib import Path
from typing import Final

import pytest

from demo.authorization_server import DemoAuthorizationServer
from demo.home_assistant import Client

from .common import (
    SECRET,
    connect,
    connect_peer,
    poll,
    remove_all,
    until_loaded,
    until_state,
)
from .conftest import DESKTOP
from .frontend import Frontend, Work

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.parametrize(
        "setting", [DESKTOP], indirect=True, ids=[DESKTOP.name], scope="session"
    ),
]

type Journey = Callable[[Frontend, Client, DemoAuthorizationServer], Awaitable[None]]

NEW: Final = "another secret"


async def _connect(frontend: Frontend, *secrets: str) -> None:
    """Connect Demo Cloud; of the secrets, only the last one is right."""
    await frontend.add_integration("Demo Cloud")
    await frontend.see_dialog("Credential for Demo Cloud")
    await frontend.fill(client_id="my-app")
    for secret in secrets[:-1]:
        await frontend.fill(client_secret=secret)
        await frontend.click("Submit")
        await frontend.see_dialog("does not accept this client ID and client secret")
    await frontend.fill(client_secret=secrets[-1])
    await frontend.click("Submit")
    await frontend.log_in_at_cloud()
    await frontend.finish()


async def _connect_peer(frontend: Frontend, client_id: str, secret: str) -> None:
    """Begin to connect Peer Cloud, which ends after the login."""
    await frontend.add_integration("Peer Cloud")
    await frontend.see_dialog("Add application credentials")
    await frontend.fill(name="My app", clientId=client_id, clientSecret=secret)
    await frontend.click("Add")
    await frontend.log_in_at_cloud()


async def first_connection(
    frontend: Frontend, client: Client, cloud: DemoAuthorizationServer
) -> None:
    """Connect for the first time."""
    await _connect(frontend, SECRET)


async def first_connection_of_peer(
    frontend: Frontend, client: Client, cloud: DemoAuthorizationServer
) -> None:
    """Connect for the first time."""
    await _connect_peer(frontend, "my-app", SECRET)
    await frontend.finish()


async def typo(frontend: Frontend, client: Client, cloud: DemoAuthorizationServer) -> None:
    """Mistype the secret, and connect."""
    await _connect(frontend, "mistyped", SECRET)


async def typo_of_peer(frontend: Frontend, client: Client, cloud: DemoAuthorizationServer) -> None:
    """Mistype the secret, and connect: what was entered is deleted, and entered again."""
    await _connect_peer(frontend, "my-app", "mistyped")
    await frontend.see_dialog("OAuth authorization error")
    await frontend.click("Close")
    await frontend.delete_application_credential()
    await frontend.open_integrations()
    await first_connection_of_peer(frontend, client, cloud)


async def rotation(frontend: Frontend, client: Client, cloud: DemoAuthorizationServer) -> None:
    """Enter the new secret, in the repair."""
    await connect(frontend)
    cloud.clients["my-app"].client_secret = NEW
    await until_state(client, cloud, available=False)
    frontend.work = Work()
    await frontend.open_repairs()
    await frontend.click_text("Demo Cloud: My app: credential rejected")
    await frontend.see_dialog("used by Demo account")
    await frontend.fill(client_secret=NEW)
    await frontend.click("Submit")
    await frontend.see_dialog("repaired")
    await frontend.click("Close")
    await until_state(client, cloud, available=True)


async def rotation_of_peer(
    frontend: Frontend, client: Client, cloud: DemoAuthorizationServer
) -> None:
    """Delete the account and its credential, and connect anew."""
    await connect_peer(frontend)
    cloud.clients["my-app"].client_secret = NEW
    await poll(client, cloud)
    frontend.work = Work()
    await _start_over(frontend, "my-app", NEW)


async def other_client(frontend: Frontend, client: Client, cloud: DemoAuthorizationServer) -> None:
    """Enter another client id and its secret, from the account."""
    await connect(frontend)
    frontend.work = Work()
    await frontend.open_account("demo_cloud", "Reconfigure")
    await frontend.see_dialog("Demo Cloud: My app")
    await frontend.click_text("Edit the credential")
    await frontend.see_dialog("Edit the credential for Demo Cloud")
    await frontend.fill(client_id="other-app", client_secret=NEW)
    await frontend.click("Submit")
    await frontend.log_in_at_cloud()
    await frontend.see_dialog("Re-authentication was successful")
    await frontend.click("Close")


async def other_client_of_peer(
    frontend: Frontend, client: Client, cloud: DemoAuthorizationServer
) -> None:
    """Delete the account and its credential, and connect anew."""
    await connect_peer(frontend)
    frontend.work = Work()
    await _start_over(frontend, "other-app", NEW)


async def _start_over(frontend: Frontend, client_id: str, secret: str) -> None:
    """Delete the account of Peer Cloud and its credential, and connect it again."""
    await frontend.open_account("peer_cloud", "Delete")
    await frontend.see_dialog("Delete Demo account?")
    await frontend.click("Delete")
    await frontend.see("No entries")
    await frontend.delete_application_credential()
    await frontend.open_integrations()
    await _connect_peer(frontend, client_id, secret)
    await frontend.finish()


@pytest.mark.parametrize(
    ("title", "ours", "peers", "work", "work_of_peer"),
    [
        (
            "a first connection",
            first_connection,
            first_connection_of_peer,
            Work(dialogs=3, clicks=4, fields=2, logins=1),
            Work(dialogs=3, clicks=4, fields=3, logins=1),
        ),
        (
            "a first connection, with a typo in the secret",
            typo,
            typo_of_peer,
            Work(dialogs=4, clicks=5, fields=3, logins=1),
            Work(dialogs=9, clicks=11, fields=6, logins=2),
        ),
        (
            "a secret rotated at the provider",
            rotation,
            rotation_of_peer,
            Work(dialogs=3, clicks=3, fields=1, logins=0),
            Work(dialogs=8, clicks=10, fields=3, logins=1),
        ),
        (
            "another client id",
            other_client,
            other_client_of_peer,
            Work(dialogs=4, clicks=5, fields=2, logins=1),
            Work(dialogs=8, clicks=10, fields=3, logins=1),
        ),
    ],
    ids=["first connection", "typo", "rotation", "other client"],
)
async def test_work(
    frontend: Frontend,
    client: Client,
    cloud: DemoAuthorizationServer,
    redirect_uri: str,
    work_file: Path | None,
    title: str,
    ours: Journey,
    peers: Journey,
    work: Work,
    work_of_peer: Work,
) -> None:
    """A user has to do this much, and no more."""
    done = []
    for journey, domain in ((ours, "demo_cloud"), (peers, "peer_cloud")):
        cloud.clients.clear()
        for client_id, secret in (("my-app", SECRET), ("other-app", NEW)):
            cloud.add_client(client_id, client_secret=secret, redirect_uris=(redirect_uri,))
        await remove_all(client)
        await frontend.open_integrations()
        frontend.work = Work()
        await journey(frontend, client, cloud)
        done.append(frontend.work)
        frontend.work = Work()
        await until_loaded(client, domain)
    if work_file:
        with work_file.open("a") as file:
            file.write(json.dumps([title, *map(astuple, done)]) + "\n")
    assert done == [work, work_of_peer]

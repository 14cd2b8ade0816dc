"""Home Assistant dies while a credential is changed: nothing is lost, and nothing is half.

All that is changed is in one file of the storage, or in one of Home Assistant's own for its
application credentials. It dies right before and right after each of these is written.
"""

from collections.abc import AsyncIterator
import contextlib
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
import pytest_asyncio

from demo.authorization_server import DemoAuthorizationServer
from demo.browser import log_in
from demo.home_assistant import Client, HomeAssistant, free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

CRASHING: Final = str(Path(__file__).parent / "crashing_home_assistant.py")
ENTRIES: Final = "core.config_entries"
ITEMS: Final = "application_credentials"


@dataclass
class World:
    """A Home Assistant with an account by a credential of ours and one by one of its own."""

    cloud: DemoAuthorizationServer
    home_assistant: HomeAssistant
    config_dir: Path

    def stored(self, file: str) -> Any:  # noqa: ANN401
        """Return what a file of the storage has."""
        return json.loads((self.config_dir / ".storage" / file).read_text())["data"]

    @property
    def credential(self) -> dict[str, Any]:
        """The data of the credential of ours, as it is stored."""
        (entry,) = self._entries("developer_credentials")
        (subentry,) = entry["subentries"]
        data: dict[str, Any] = subentry["data"]
        return data

    @property
    def application_credential(self) -> dict[str, Any]:
        """Home Assistant's own, as it is stored."""
        (item,) = self.stored(ITEMS)["items"]
        return dict(item)

    def references(self) -> list[str]:
        """Return what the accounts refer to, which has to be there."""
        return [
            entry["data"]["auth_implementation"]
            for domain in ("demo_cloud", "peer_cloud")
            for entry in self._entries(domain)
        ]

    def _entries(self, domain: str) -> list[dict[str, Any]]:
        entries = self.stored(ENTRIES)["entries"]
        return [entry for entry in entries if entry["domain"] == domain]

    def register(self, client_id: str, client_secret: str) -> None:
        """Register a client at the server, beside the ones that there are."""
        old = self.cloud.clients.get(client_id)
        self.cloud.add_client(
            client_id,
            client_secret=client_secret,
            redirect_uris=(f"{self.home_assistant.url}/auth/external/callback",),
        ).old_client_secret = old.client_secret if old else ""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Connect both accounts, and stop Home Assistant."""
    config_dir = tmp_path_factory.mktemp("crash") / "config"
    with DemoAuthorizationServer() as cloud:
        home_assistant = HomeAssistant(config_dir, free_port(), cloud.url)
        world = World(cloud, home_assistant, config_dir)
        world.register("app", "secret-0")
        await home_assistant.start()
        try:
            async with Client.onboard(home_assistant.url) as client:
                await client.wait_until_running()
                await _connect(client)
            await home_assistant.stop()
            yield world
        finally:
            await home_assistant.stop()


async def _connect(client: Client) -> None:
    step = await client.begin_credential("demo_cloud")
    form = {"client_id": "app", "client_secret": "secret-0"}
    await client.continue_flow(step["flow_id"], form)
    await client.command("application_credentials/create", domain="peer_cloud", **form)
    for domain in ("demo_cloud", "peer_cloud"):
        step = await client.start_flow(domain)
        await client.open_redirect(await log_in(step["url"], "demo", "demo"))
        step = await client.continue_flow(step["flow_id"])
        assert step["type"] == "create_entry", step


async def _edit(client: Client, form: dict[str, str]) -> None:
    """Edit the credential of ours, by its gear."""
    (entry,) = await client.command("config_entries/get", domain="developer_credentials")
    entry_id = entry["entry_id"]
    (subentry,) = await client.command("config_entries/subentries/list", entry_id=entry_id)
    path = "config/config_entries/subentries/flow"
    gear = {"handler": [entry_id, "credential"], "subentry_id": subentry["subentry_id"]}
    step = await client.request("POST", path, gear)
    step = await client.request("POST", f"{path}/{step['flow_id']}", form)
    assert step["reason"] == "credential_saved", step


async def _edit_application_credential(client: Client, form: dict[str, str]) -> None:
    """Edit Home Assistant's own, by our flow."""
    (item,) = await client.command("application_credentials/list")
    step = await client.start_flow("developer_credentials")
    choices: list[dict[str, object]] = [
        {"next_step_id": "application_credential"},
        {"credential": item["id"]},
        dict(form),
    ]
    for choice in choices:
        step = await client.continue_flow(step["flow_id"], choice)
    assert step["reason"] == "credential_saved", step


# How, which file is written, and client id and secret; later ones go on from earlier ones.
CHANGES: Final = {
    "secret": (_edit, ENTRIES, "app", "secret-1"),
    "client id": (_edit, ENTRIES, "other", "secret-2"),
    "application credential's secret": (_edit_application_credential, ITEMS, "app", "secret-3"),
    "application credential's id": (_edit_application_credential, ITEMS, "new", "secret-4"),
}


@pytest.mark.parametrize("change", list(CHANGES))
async def test_dies(world: World, change: str) -> None:
    """Before the write it is as it was, after it as it was changed; all that refers to it works."""
    edit, file, client_id, client_secret = CHANGES[change]
    ours = file == ENTRIES
    before = world.credential if ours else world.application_credential
    references = world.references()
    world.register(client_id, client_secret)
    for moment in ("before", "after"):
        await world.home_assistant.start(CRASHING, file, moment)
        async with Client.log_in(world.home_assistant.url) as client:
            await client.wait_until_running()
            (world.config_dir / "armed").touch()
            # It may die while it answers.
            with contextlib.suppress(aiohttp.ClientError):
                await edit(client, {"client_id": client_id, "client_secret": client_secret})
        await world.home_assistant.wait_for_death()
        (world.config_dir / "armed").unlink()

        changed = {"client_id": client_id, "client_secret": client_secret}
        if not ours:
            # The form had no name.
            before.pop("name", None)
        expected = before if moment == "before" else {**before, **changed}
        found = world.credential if ours else world.application_credential
        assert found == expected
        assert world.references() == references

        await world.home_assistant.start()
        async with Client.log_in(world.home_assistant.url) as client:
            await client.wait_until_running()
            for domain in ("demo_cloud", "peer_cloud"):
                (entry,) = await client.command("config_entries/get", domain=domain)
                assert entry["state"] == "loaded", (domain, moment)
        await world.home_assistant.stop()
        assert (world.credential if ours else world.application_credential) == expected

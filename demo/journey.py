"""The journey of a user, without the user: what `script/run --once` does and checks.

Each step prints what it did and what came of it, and raises AssertionError where that is wrong.
"""

import asyncio
from collections.abc import Awaitable, Callable
import re
import secrets
import time
import traceback
from typing import Any

from demo.authorization_server import DemoAuthorizationServer
from demo.browser import log_in
from demo.home_assistant import Client, HomeAssistant

ACCESS_TOKEN_LIFETIME = 5
SENSOR = "sensor.demo_account_requests"
PEER_SENSOR = "sensor.peer_cloud_requests"

# Programs and libraries that Home Assistant misses on a bare machine, and says so.
ABSENT = ("libturbojpeg", "ffmpeg")

# What the coordinators say of the secret that the server refuses.
REFUSED = re.compile(
    r"Error fetching demo_cloud data: 500, message=.invalid_client"
    r"|Token request for peer_cloud_\w+ failed \(invalid_client\)"
    r"|Authentication failed while fetching peer_cloud data"
)

# Bounds for what happens by itself, in seconds.
PATIENCE = 60.0
SOON = 10.0


class Journey:
    """From an empty Home Assistant to a sensor that outlives its token and a restart."""

    def __init__(self, home_assistant: HomeAssistant, cloud: DemoAuthorizationServer) -> None:
        """Initialize with both parties; Home Assistant is not started yet."""
        self._home_assistant = home_assistant
        self._cloud = cloud
        self._client_id = "journey"
        # Letters and more: what has to survive the form, the storage and the wire.
        self._client_secret = f"{secrets.token_urlsafe(32)} %&+\"'ü"
        self._secrets = {self._client_secret}

    async def run(self) -> int:
        """Do all steps and return the exit status: 0 only where every step did."""
        try:
            await self._run()
        except Exception:  # noqa: BLE001 - told, and said by the exit status
            traceback.print_exc()
            print(self._redacted(self._home_assistant.log())[-5000:])
            return 1
        print("Every step did.")
        return 0

    async def _run(self) -> None:
        started = time.monotonic()
        await self._home_assistant.start()
        async with Client.onboard(self._home_assistant.url) as client:
            await client.wait_until_running()
            config = await client.request("GET", "config")
            seconds = time.monotonic() - started
            self._told(f"Home Assistant {config['version']} runs", f"after {seconds:.1f} s")
            manifest = await client.command("manifest/get", integration="developer_credentials")
            assert not manifest["is_built_in"], manifest
            self._told("Developer Credentials is installed", manifest["version"])
            await self._add_credential(client)
            await self._add_integration(client)
            before = await self._sensor(client)
            self._told("the sensor has a value", before)
            await self._outlive_the_token(client, before)
            await self._rotate_too_late(client)
            await self._rotate_in_time(client)
            await self._rotate_application_credential(client)
            await self._mistype_application_credential(client)
        await self._home_assistant.stop()
        self._told("Home Assistant stopped")

        await self._home_assistant.start()
        async with Client.log_in(self._home_assistant.url) as client:
            await client.wait_until_running()
            await self._assert_loaded(client)
            after = await self._sensor(client)
            assert after > before, (before, after)
            self._told("after a restart the entry is loaded and the sensor goes on", after)
            await self._outlive_the_token(client, after)
            await self._remove_integration(client)
        await self._home_assistant.stop()
        self._check_log()

    async def _add_credential(self, client: Client) -> None:
        """Register an application at Demo Cloud and enter it."""
        self._cloud.add_client(
            self._client_id,
            client_secret=self._client_secret,
            redirect_uris=(f"{self._home_assistant.url}/auth/external/callback",),
        )
        step = await client.begin_credential("demo_cloud")
        assert step.get("step_id") == "credential", step
        step = await client.continue_flow(
            step["flow_id"],
            {
                "client_id": f" {self._client_id}\u200b",
                "client_secret": self._client_secret,
                "more": {"name": "My app"},
            },
        )
        assert step.get("reason") == "credential_saved", step
        entries = await client.command("config_entries/get", domain="developer_credentials")
        assert [entry["num_subentries"] for entry in entries] == [1], entries
        self._told("the credential is added, and the dialog goes on to", step["next_flow"])

    async def _add_integration(self, client: Client) -> None:
        """Run Demo Cloud's own flow, log in at the server, and come back."""
        await self._log_in(client, "demo_cloud")
        self._told("the entry is loaded")

    async def _log_in(self, client: Client, domain: str) -> None:
        """Run the flow of an integration, up to an entry that is loaded."""
        step = await client.start_flow(domain)
        assert step["type"] == "external", step
        self._told(f"{domain}'s flow goes straight to the login", step["url"].split("?")[0])
        redirect = await log_in(step["url"], "demo", "demo")
        self._told("logged in at the server, which redirects to", redirect.split("?")[0])
        page = await client.open_redirect(redirect)
        assert "window.close" in page, page
        step = await client.continue_flow(step["flow_id"])
        assert step["type"] == "create_entry", step
        self._told("the entry is created", step["title"])
        await self._assert_loaded(client, domain)

    async def _outlive_the_token(self, client: Client, before: int) -> None:
        """Wait until the access token has expired, and see that another one serves."""
        refreshes = self._refreshes()
        await self._update(client, SENSOR)
        after = await self._sensor(client)
        assert self._refreshes() > refreshes, self._refreshes()
        assert after > before, (before, after)
        self._told("the token expired, was refreshed, and the sensor goes on", after)

    async def _rotate_too_late(self, client: Client) -> None:
        """Let the server refuse the secret, and repair that as the user would."""
        before = await client.command("config/entity_registry/get", entity_id=SENSOR)
        old = self._cloud.clients[self._client_id].client_secret
        self._rotate()
        await self._update(client, SENSOR)

        async def is_available() -> object:
            state = await client.request("GET", f"states/{SENSOR}")
            return state["state"] != "unavailable"

        # An integration that has just polled takes its time to do it again.
        await _until(is_available, expected=False)
        (issue,) = await self._issues(client)
        assert issue["translation_key"] == "credential_rejected", issue
        assert old not in str(issue), issue
        self._told("the server refuses the secret, and a repair says", issue["translation_key"])
        fix = {"handler": "developer_credentials", "issue_id": issue["issue_id"]}
        step = await client.request("POST", "repairs/issues/fix", fix)
        path = f"repairs/issues/fix/{step['flow_id']}"
        step = await client.request("POST", path, self._form())
        assert step["type"] == "create_entry", step
        assert await self._issues(client) == []
        await _until(is_available, expected=True)
        assert await client.command("config/entity_registry/get", entity_id=SENSOR) == before
        assert await client.command("config_entries/flow/progress") == []
        self._told("with the new secret the same sensor is back, without a login")

    async def _rotate_in_time(self, client: Client) -> None:
        """Enter a new secret while the server takes the old one still."""
        application = self._cloud.clients[self._client_id]
        application.old_client_secret = application.client_secret
        self._rotate()
        (entry,) = await client.command("config_entries/get", domain="developer_credentials")
        (subentry,) = await client.command(
            "config_entries/subentries/list", entry_id=entry["entry_id"]
        )
        flow = {
            "handler": [entry["entry_id"], "credential"],
            "subentry_id": subentry["subentry_id"],
        }
        path = "config/config_entries/subentries/flow"
        step = await client.request("POST", path, flow)
        step = await client.request("POST", f"{path}/{step['flow_id']}", self._form())
        assert step["reason"] == "credential_saved", step
        application.old_client_secret = ""
        before = await self._sensor(client)
        await self._update(client, SENSOR)

        async def goes_on() -> object:
            # Whatever is no number is an interruption.
            return await self._sensor(client) > before

        await _until(goes_on, expected=True)
        self._told(
            "a secret that is entered in time interrupts nothing", await self._sensor(client)
        )

    async def _rotate_application_credential(self, client: Client) -> None:
        """Let the server refuse the secret of an integration that knows nothing of ours."""
        await self._add_application_credential(client, "peer", self._register("peer"))
        await self._log_in(client, "peer_cloud")
        secret = self._register("peer")
        await self._update(client, PEER_SENSOR)
        issue = await self._rejection(client, PATIENCE)
        self._told("Peer Cloud's secret is refused, and a repair says", issue["translation_key"])

        async def flows() -> object:
            return await client.command("config_entries/flow/progress")

        await _until(flows, [])
        await self._correct(client, issue, "peer", secret)
        await self._assert_loaded(client, "peer_cloud")
        assert await flows() == []
        self._told("with the new secret its entry is back, and nobody was asked to log in")

    async def _mistype_application_credential(self, client: Client) -> None:
        """Enter a wrong secret in Home Assistant's own dialog, which checks nothing."""
        secret = self._register("other")
        started = time.monotonic()
        item_id = await self._add_application_credential(client, "other", "mistyped")
        issue = await self._rejection(client, SOON)
        seconds = time.monotonic() - started
        self._told("a mistyped application credential is told", f"after {seconds:.1f} s")
        await self._correct(client, issue, "other", secret)
        assert await self._issues(client) == []
        await client.command("application_credentials/delete", application_credentials_id=item_id)

    def _register(self, client_id: str) -> str:
        """Give an application at the server a new secret, and return it."""
        secret = secrets.token_urlsafe(32)
        self._secrets.add(secret)
        redirect_uri = f"{self._home_assistant.url}/auth/external/callback"
        self._cloud.add_client(client_id, client_secret=secret, redirect_uris=(redirect_uri,))
        return secret

    async def _add_application_credential(
        self, client: Client, client_id: str, client_secret: str
    ) -> str:
        """Do what Home Assistant's own dialog does, and return the id of the item."""
        asked = len(self._cloud.token_requests)
        item = await client.command(
            "application_credentials/create",
            domain="peer_cloud",
            client_id=client_id,
            client_secret=client_secret,
        )

        async def is_verified() -> object:
            return len(self._cloud.token_requests) > asked

        await _until(is_verified, expected=True)
        return str(item["id"])

    async def _rejection(self, client: Client, patience: float) -> dict[str, Any]:
        """Wait for the repair of a rejected application credential."""

        async def keys() -> object:
            return [issue["translation_key"] for issue in await self._issues(client)]

        await _until(keys, ["application_credential_rejected"], patience)
        (issue,) = await self._issues(client)
        return issue

    async def _correct(
        self, client: Client, issue: dict[str, Any], client_id: str, client_secret: str
    ) -> None:
        """Enter the right secret in the repair of a rejected application credential."""
        fix = {"handler": "developer_credentials", "issue_id": issue["issue_id"]}
        step = await client.request("POST", "repairs/issues/fix", fix)
        for answer in (
            {"next_step_id": "edit_application_credential"},
            {"client_id": client_id, "client_secret": client_secret},
        ):
            step = await client.request("POST", f"repairs/issues/fix/{step['flow_id']}", answer)
        assert step["type"] == "create_entry", step

    def _rotate(self) -> None:
        """Give the application a new secret."""
        self._client_secret = f"{secrets.token_urlsafe(32)} %&+\"'ü"
        self._secrets.add(self._client_secret)
        self._cloud.clients[self._client_id].client_secret = self._client_secret

    def _form(self) -> dict[str, str]:
        return {"client_id": self._client_id, "client_secret": self._client_secret}

    async def _update(self, client: Client, sensor: str) -> None:
        """Have a sensor read anew, with an access token that has expired."""
        self._cloud.expire_access_tokens()
        await asyncio.sleep(ACCESS_TOKEN_LIFETIME + 1)
        await client.request("POST", "services/homeassistant/update_entity", {"entity_id": sensor})

    async def _issues(self, client: Client) -> list[dict[str, Any]]:
        issues = (await client.command("repairs/list_issues"))["issues"]
        return [issue for issue in issues if issue["domain"] == "developer_credentials"]

    async def _remove_integration(self, client: Client) -> None:
        """Remove the account, and see that the server forgets its login."""
        before = self._cloud.logins
        (entry,) = await client.command("config_entries/get", domain="demo_cloud")
        await client.request("DELETE", f"config/config_entries/entry/{entry['entry_id']}")
        assert self._cloud.logins == before - 1, self._cloud.logins
        self._told("the entry is removed, and its login at the server is revoked")

    def _refreshes(self) -> int:
        requests = self._cloud.token_requests
        return sum(request.form["grant_type"] == "refresh_token" for request in requests)

    async def _assert_loaded(self, client: Client, domain: str = "demo_cloud") -> None:
        async def states() -> object:
            entries = await client.command("config_entries/get", domain=domain)
            return [entry["state"] for entry in entries]

        await _until(states, ["loaded"])

    async def _sensor(self, client: Client) -> int:
        state = await client.request("GET", f"states/{SENSOR}")
        return int(state["state"])

    def _check_log(self) -> None:
        """See that Home Assistant had nothing to complain of, and kept the secret to itself."""
        log = self._home_assistant.log()
        secrets_of_ours = {part for secret in self._secrets for part in (secret, secret.split()[0])}
        leaked = [value for value in secrets_of_ours | self._cloud.issued if value in log]
        assert not leaked, f"{len(leaked)} secrets, codes or tokens are in the log"
        complaints = [
            line
            for line in log.splitlines()
            if (" ERROR " in line or "blocking call" in line)
            and not any(absent in line for absent in ABSENT)
            and not REFUSED.search(line)
        ]
        assert not complaints, complaints
        self._told("the debug log has no error, secret, code or token", f"{len(log)} characters")

    def _redacted(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "**REDACTED**")
        return text

    def _told(self, step: str, result: object = "") -> None:
        print(f"ok  {step}{': ' if result != '' else ''}{result}", flush=True)


async def _until(
    read: Callable[[], Awaitable[object]], expected: object, patience: float = PATIENCE
) -> None:
    """Read until it is as expected, for as long as there is patience."""
    for _ in range(int(patience / 0.2)):
        if (seen := await read()) == expected:
            return
        await asyncio.sleep(0.2)
    raise AssertionError(seen)

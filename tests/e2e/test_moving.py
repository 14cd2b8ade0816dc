"""What changes while Home Assistant is stopped, or in its YAML, in a real Home Assistant."""

import asyncio
from collections.abc import AsyncIterator
import json
from pathlib import Path
import shutil

import pytest
import pytest_asyncio

from demo.authorization_server import DemoAuthorizationServer
from demo.browser import log_in
from demo.home_assistant import Client, HomeAssistant, free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

SENSOR = "sensor.demo_account_requests"
YAML = """
developer_credentials:
  - domain: demo_cloud
    client_id: app
    client_secret: !secret demo_cloud
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cloud() -> AsyncIterator[DemoAuthorizationServer]:
    """Run Demo Cloud."""
    with DemoAuthorizationServer(access_token_lifetime=5) as cloud:
        yield cloud


async def _connect(client: Client, domain: str) -> None:
    step = await client.start_flow(domain)
    await client.open_redirect(await log_in(step["url"], "demo", "demo"))
    step = await client.continue_flow(step["flow_id"])
    assert step["type"] == "create_entry", step


async def _refreshes(client: Client, cloud: DemoAuthorizationServer, domain: str) -> None:
    """See that the integration goes on with a new access token, loaded and without a login."""
    entry_path = "config/config_entries/entry"
    (entry,) = await client.command("config_entries/get", domain=domain)
    asked = len(cloud.token_requests)
    cloud.expire_access_tokens()
    await client.request("POST", f"{entry_path}/{entry['entry_id']}/reload")
    for _ in range(100):
        (entry,) = await client.command("config_entries/get", domain=domain)
        if entry["state"] == "loaded":
            break
        await asyncio.sleep(0.1)
    assert entry["state"] == "loaded", entry
    assert len(cloud.token_requests) > asked
    assert await client.command("config_entries/flow/progress") == []


async def test_integration_moves(cloud: DemoAuthorizationServer, tmp_path: Path) -> None:
    """An integration that moves from application credentials finds those of its user."""
    config_dir = tmp_path / "config"
    home_assistant = HomeAssistant(config_dir, free_port(), cloud.url)
    peer_cloud = config_dir / "custom_components" / "peer_cloud"
    source = peer_cloud.readlink()
    peer_cloud.unlink()
    shutil.copytree(source, peer_cloud)
    redirect_uri = f"{home_assistant.url}/auth/external/callback"
    cloud.add_client("app", client_secret="secret", redirect_uris=(redirect_uri,))
    await home_assistant.start()
    try:
        async with Client.onboard(home_assistant.url) as client:
            await client.wait_until_running()
            item = await client.command(
                "application_credentials/create",
                domain="peer_cloud",
                client_id="app",
                client_secret="secret",
            )
            await _connect(client, "peer_cloud")
        await home_assistant.stop()

        demo_cloud = config_dir / "custom_components" / "demo_cloud"
        (peer_cloud / "application_credentials.py").unlink()
        platform = (demo_cloud / "developer_credentials.py").read_text()
        (peer_cloud / "developer_credentials.py").write_text(platform)
        manifest = json.loads((peer_cloud / "manifest.json").read_text())
        manifest["dependencies"] = ["developer_credentials"]
        (peer_cloud / "manifest.json").write_text(json.dumps(manifest))

        await home_assistant.start()
        async with Client.log_in(home_assistant.url) as client:
            await client.wait_until_running()
            (credential,) = await client.command("developer_credentials/list")
            (entry,) = await client.command("config_entries/get", domain="peer_cloud")
            assert credential["auth_domain"] == item["id"]
            assert credential["entries"] == [entry["entry_id"]]
            await _refreshes(client, cloud, "peer_cloud")
    finally:
        await home_assistant.stop()


async def test_yaml_is_rotated(cloud: DemoAuthorizationServer, tmp_path: Path) -> None:
    """A secret that changes in secrets.yaml is taken over by a reload of the YAML."""
    config_dir = tmp_path / "config"
    home_assistant = HomeAssistant(config_dir, free_port(), cloud.url, YAML)
    (config_dir / "secrets.yaml").write_text("demo_cloud: secret\n")
    redirect_uri = f"{home_assistant.url}/auth/external/callback"
    application = cloud.add_client("app", client_secret="secret", redirect_uris=(redirect_uri,))
    await home_assistant.start()
    try:
        async with Client.onboard(home_assistant.url) as client:
            await client.wait_until_running()
            await _connect(client, "demo_cloud")
            application.client_secret = "rotated"
            (config_dir / "secrets.yaml").write_text("demo_cloud: rotated\n")
            await client.request("POST", "services/developer_credentials/reload")
            await _refreshes(client, cloud, "demo_cloud")
            state = await client.request("GET", f"states/{SENSOR}")
            assert int(state["state"]) > 0
    finally:
        await home_assistant.stop()

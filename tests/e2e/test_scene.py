"""What the demo shows, in the dark: names of any length, YAML good and bad, a plain flow."""

import pytest

from demo import scene
from demo.authorization_server import MY_REDIRECT_URI, DemoAuthorizationServer
from demo.home_assistant import Client, HomeAssistant

from .common import SECRET, until_accepted, until_issues, until_loaded
from .conftest import DARK
from .frontend import Frontend

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.parametrize("setting", [DARK], indirect=True, ids=[DARK.name], scope="session"),
]


async def test_scene(
    logged_in: Frontend,
    client: Client,
    cloud: DemoAuthorizationServer,
    home_assistant: HomeAssistant,
) -> None:
    """A long name and what is wrong with the YAML can be read, and the plain flow connects."""
    frontend = logged_in
    scene.prepare(cloud, home_assistant.url)
    await frontend.open_credentials()
    await frontend.see(f"Plain Cloud: {scene.LONG_NAME}", "credentials")
    await frontend.click_in(frontend.subentry_row(scene.LONG_NAME), "ha-icon-button")
    await frontend.see("Edit the credential for Plain Cloud", "edit")
    await frontend.open_section("More options")
    await frontend.see(MY_REDIRECT_URI, "edit-more")

    assert len(await until_issues(client, 2)) == 2
    await frontend.open_repairs()
    await frontend.see("Incomplete credential in YAML", "repairs")
    await frontend.click_text("Incomplete credential in YAML")
    await frontend.see("client_id", "yaml-incomplete")

    await frontend.open_integrations()
    await frontend.add_integration("Plain Cloud")
    await frontend.log_in_at_cloud()
    await until_loaded(client, "plain_cloud")


async def test_connecting(
    logged_in: Frontend, client: Client, cloud: DemoAuthorizationServer
) -> None:
    """The dialogs of a credential that is mistyped, connected, rotated and mended."""
    frontend = logged_in
    cloud.add_client("my-app", client_secret=SECRET, redirect_uris=(MY_REDIRECT_URI,))
    asked = len(cloud.token_requests)
    await frontend.open_integrations()
    await frontend.add_integration("Peer Cloud")
    await frontend.see("Add application credentials")
    await frontend.fill(name="My app", clientId="my-app", clientSecret=SECRET)
    await frontend.click("Add")
    await frontend.log_in_at_cloud()
    await frontend.finish()
    await until_accepted(cloud, asked)
    await frontend.open_integrations()
    await frontend.add_integration("Demo Cloud")
    await frontend.see(MY_REDIRECT_URI, "form")
    await frontend.fill(client_id="my-app", client_secret="wrong")
    await frontend.click("Submit")
    await frontend.see("does not accept this client ID and client secret", "form-rejected")

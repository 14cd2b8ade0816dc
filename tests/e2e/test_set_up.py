"""Developer Credentials is set up in the browser, and looks after all integrations from then on."""

import pytest

from demo.home_assistant import Client

from .common import SECRET, entry_states, until_loaded
from .frontend import Frontend

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_set_up_and_add(frontend: Frontend, client: Client, redirect_uri: str) -> None:
    """One submit sets it up; the same dialog adds an application credential, and logs in."""
    await frontend.add_integration("Developer Credentials")
    await frontend.see("looks after the credentials", "40-set-up")
    await frontend.click("Submit")
    await frontend.see("Add a credential", "41-set-up-menu")
    assert await entry_states(client, "developer_credentials") == ["loaded"]
    await frontend.click_text("Add a credential")
    await frontend.see("Which integration is the credential for?", "42-choose-integration")
    await frontend.choose("Integration", "Peer Cloud")
    await frontend.click("Submit")
    await frontend.see("Credential for Peer Cloud", "43-application-credential-form")
    await frontend.see(redirect_uri)
    await frontend.fill(client_id="my-app", client_secret="mistyped")
    await frontend.click("Submit")
    await frontend.see("does not accept this client ID and client secret")
    await frontend.fill(client_secret=SECRET)
    await frontend.click("Submit")
    await frontend.log_in_at_cloud()
    await frontend.finish()
    await until_loaded(client, "peer_cloud")
    (item,) = await client.command("application_credentials/list")
    assert (item["client_id"], item["name"]) == ("my-app", "Peer Cloud")
    await _manage(frontend)
    await _configure(frontend, client)


async def _manage(frontend: Frontend) -> None:
    """The first button of the page leads to what there is to do."""
    await frontend.open_credentials(empty=True)
    await frontend.picture("44-page-without-credentials")
    await frontend.click("Manage credentials")
    await frontend.see("Edit an application credential", "45-menu")
    await frontend.close()


async def _configure(frontend: Frontend, client: Client) -> None:
    """What is looked after is an option of the entry."""
    await frontend.click("Configure")
    await frontend.see("Look after application credentials", "46-options")
    await frontend.click_text("Selected integrations")
    await frontend.click("Submit")
    await frontend.see("Which integrations do you want", "47-adopted")
    await frontend.click_text("Peer Cloud")
    await frontend.click("Submit")
    await frontend.see("Success", "48-options-saved")
    await frontend.click("Finish")
    assert await entry_states(client, "developer_credentials") == ["loaded"]


async def test_set_up_only(frontend: Frontend, client: Client) -> None:
    """Nothing else has to be done."""
    await frontend.add_integration("Developer Credentials")
    await frontend.click("Submit")
    await frontend.click_text("Finish")
    await frontend.see("Developer Credentials is set up.", "49-finished")
    assert await entry_states(client, "developer_credentials") == ["loaded"]

"""Home Assistant's own application credentials in the browser, with Developer Credentials."""

import re

import pytest

from demo.authorization_server import MY_REDIRECT_URI, DemoAuthorizationServer
from demo.home_assistant import Client

from .common import (
    SECRET,
    connect_peer,
    poll,
    remove_all,
    set_up,
    until_accepted,
    until_flows,
    until_issues,
    until_loaded,
)
from .frontend import Frontend, Work

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_edit_an_application_credential(
    frontend: Frontend, client: Client, cloud: DemoAuthorizationServer
) -> None:
    """An application credential of Home Assistant is edited in place; its integration goes on."""
    await connect_peer(frontend)
    (before,) = await client.command("application_credentials/list")
    cloud.clients["my-app"].client_secret = "rotated"
    await frontend.open_integrations()
    await frontend.add_integration("Developer Credentials")
    await frontend.see("looks after the credentials", "29-set-up")
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
    await frontend.see("Peer Cloud accepts it.", "28-application-credential-saved")
    (after,) = await client.command("application_credentials/list")
    assert after == {**before, "client_secret": "rotated"}
    cloud.expire_access_tokens()
    await until_loaded(client, "peer_cloud")


async def test_options(frontend: Frontend, client: Client) -> None:
    """Application credentials are no longer looked after where the user turns that off."""
    await set_up(client)
    item = {"domain": "peer_cloud", "client_id": "my-app", "client_secret": "mistyped"}
    await client.command("application_credentials/create", **item)
    await until_issues(client, 1)
    await frontend.configure()
    await frontend.see("Look after application credentials", "36-options")
    await frontend.turn("Look after application credentials")
    await frontend.click("Submit")
    await until_issues(client, 0)


async def test_beside_application_credentials(
    frontend: Frontend, client: Client, redirect_uri: str
) -> None:
    """Home Assistant's own dialog takes as many clicks, and checks nothing.

    It shows no redirect URI but the one that the integration's instructions have.
    """
    await frontend.add_integration("Peer Cloud")
    await frontend.see("Add application credentials", "peer-1-form")
    # The instructions come after the dialog.
    await frontend.see("developer console")
    assert await frontend.sees(redirect_uri) == (redirect_uri == MY_REDIRECT_URI)
    await frontend.fill(name="My app", clientId="my-app", clientSecret=SECRET)
    await frontend.click("Add")
    await frontend.log_in_at_cloud()
    await frontend.finish()
    assert frontend.work.clicks == 4

    await remove_all(client)
    await frontend.open_integrations()
    await frontend.add_integration("Peer Cloud")
    await frontend.see("Add application credentials")
    await frontend.fill(name="My app", clientId="my-app", clientSecret="wrong")
    await frontend.click("Add")
    await frontend.log_in_at_cloud()
    await frontend.see("OAuth", "peer-2-wrong-secret-after-login")


async def test_rotated(frontend: Frontend, client: Client, cloud: DemoAuthorizationServer) -> None:
    """A secret rotated at the provider is told in a repair; nobody is asked to log in.

    With the new secret the entry is back, without a login.
    """
    await set_up(client)
    asked = len(cloud.token_requests)
    await connect_peer(frontend)
    await until_accepted(cloud, asked)
    cloud.clients["my-app"].client_secret = "rotated"
    await poll(client, cloud)
    (issue,) = await until_issues(client, 1)
    assert issue["translation_key"] == "application_credential_rejected"
    await until_flows(client, 0)
    frontend.work = Work()
    await frontend.open_repairs()
    await frontend.see(
        "Peer Cloud: My app: credential rejected", "30-application-credential-rejected"
    )
    await frontend.click_text(re.compile("Peer Cloud: My app: credential rejected"))
    await frontend.see("It is used by Demo account", "31-repair-of-application-credential")
    await frontend.click_text("Correct the credential")
    await frontend.see("used by Demo account", "32-correct-application-credential")
    await frontend.fill(client_secret="rotated")
    await frontend.click("Submit")
    await frontend.see("repaired", "33-application-credential-repaired")
    await until_loaded(client, "peer_cloud")
    assert await until_issues(client, 0) == []
    await until_flows(client, 0)


async def test_mistyped(frontend: Frontend, client: Client, cloud: DemoAuthorizationServer) -> None:
    """A secret mistyped in Home Assistant's own dialog is told within seconds, not by a login."""
    await set_up(client)
    await frontend.add_integration("Peer Cloud")
    await frontend.see("Add application credentials")
    await frontend.fill(name="My app", clientId="my-app", clientSecret="mistyped")
    await frontend.click("Add")
    (issue,) = await until_issues(client, 1, seconds=5)
    assert issue["translation_key"] == "application_credential_rejected"
    # The dialog goes on to a login, which would be in vain.
    await frontend.login_window()
    await frontend.leave_login()
    await frontend.open_repairs()
    await frontend.click_text(re.compile("Peer Cloud: My app: credential rejected"))
    await frontend.click_text("Correct the credential")
    await frontend.fill(client_secret=SECRET)
    await frontend.click("Submit")
    await frontend.see("repaired")
    assert await until_issues(client, 0) == []
    await frontend.open_integrations()
    await frontend.add_integration("Peer Cloud")
    await frontend.log_in_at_cloud()
    await frontend.finish()
    await until_loaded(client, "peer_cloud")

"""A user connects an integration in the browser, each dialog in a picture."""

import pytest

from demo.authorization_server import DemoAuthorizationServer
from demo.home_assistant import Client

from .common import SECRET, add_another, connect, count_credentials, count_requests, entry_states
from .frontend import Frontend

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_from_nothing_to_connected(
    frontend: Frontend, client: Client, redirect_uri: str
) -> None:
    """Choose the integration, fill in one form, log in: connected."""
    await frontend.add_integration("Demo Cloud")
    await frontend.see("Credential for Demo Cloud")
    await frontend.see(redirect_uri)
    await frontend.picture("1-credential-form")
    await frontend.fill(client_id="my-app", client_secret=SECRET)
    await frontend.picture("2-credential-form-filled")
    await frontend.click("Submit")
    await frontend.log_in_at_cloud("3-login-at-the-server")
    await frontend.see("Name and assign", "4-connected")
    await frontend.click("Skip and finish")
    assert await entry_states(client) == ["loaded"]
    # Add integration, its name, Submit, Finish; beside the login at the server.
    assert frontend.work.clicks == 4
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
    await frontend.finish()
    assert await entry_states(client) == ["loaded"]


async def test_wrong_secret_is_noticed_after_the_login(frontend: Frontend, client: Client) -> None:
    """A wrong secret that the user insisted on is noticed after the login, and corrected.

    Left there, the next attempt begins with the form, not with the login.
    """
    await frontend.add_integration("Demo Cloud")
    await frontend.see("Credential for Demo Cloud")
    await frontend.fill(client_id="my-app", client_secret="wrong")
    await frontend.click("Submit")
    await frontend.see("does not accept this client ID and client secret")
    await frontend.turn("Save anyway")
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
    await frontend.finish()
    assert await entry_states(client) == ["loaded"]


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
    await frontend.finish()
    assert await entry_states(client) == ["loaded"]


async def test_second_credential(
    frontend: Frontend,
    client: Client,
    cloud: DemoAuthorizationServer,
    redirect_uri: str,
) -> None:
    """A second credential is added in the list, and the user picks between two by name."""
    await connect(frontend)
    await add_another(frontend, cloud, redirect_uri)
    assert await count_credentials(client) == 2
    await frontend.open_integrations()
    await frontend.add_integration("Demo Cloud")
    await frontend.see("Choose a credential", "11-pick-a-credential")
    await frontend.click_text("My other app")
    asked = count_requests(cloud, "other-app")
    await frontend.click("Submit")
    await frontend.log_in_at_cloud()
    await frontend.see("This account is already set up")
    assert count_requests(cloud, "other-app") == asked + 1

"""A user gets from an account to its credential, in the browser, each dialog in a picture."""

import asyncio
import re

import pytest

from demo.authorization_server import DemoAuthorizationServer
from demo.home_assistant import Client

from .common import SENSOR, connect, entry_states, until_flows, until_state
from .frontend import Frontend

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_secret_is_corrected(
    frontend: Frontend, client: Client, cloud: DemoAuthorizationServer
) -> None:
    """A rotated secret is entered from the menu of the account, which goes on."""
    await connect(frontend)
    cloud.clients["my-app"].client_secret = "rotated"
    await until_state(client, cloud, available=False)
    await frontend.open_account("demo_cloud", "Reconfigure")
    await frontend.see("has not accepted this credential since", "80-reconfigure")
    await frontend.see("For example, when Demo Cloud has given you a new client secret.")
    await frontend.click_text("Edit the credential")
    await frontend.see("Edit the credential for Demo Cloud", "81-reconfigure-edit")
    await frontend.fill(client_secret="rotated")
    await frontend.click("Submit")
    await frontend.see("Demo Cloud accepts it.", "82-reconfigure-saved")
    await frontend.click("Close")
    await until_state(client, cloud, available=True)
    assert await client.command("config_entries/flow/progress") == []


async def test_log_in_again(
    frontend: Frontend, client: Client, cloud: DemoAuthorizationServer
) -> None:
    """A login is renewed from the account; one that Home Assistant asks for says so."""
    await connect(frontend)
    await frontend.open_account("demo_cloud", "Reconfigure")
    await frontend.see("Demo Cloud: My app")
    await frontend.click_text("Log in again")
    await frontend.log_in_at_cloud()
    await frontend.see("Re-authentication was successful", "83-logged-in-again")
    await frontend.click("Close")
    cloud.revoke_refresh_tokens()
    cloud.expire_access_tokens()
    # The coordinator looks at the time that the server has said.
    await asyncio.sleep(6)
    await client.request("POST", "services/homeassistant/update_entity", {"entity_id": SENSOR})
    await until_flows(client, 1)
    await frontend.open_repairs()
    await frontend.click_text(re.compile("Demo account"))
    await frontend.see("Demo Cloud asks you to log in again as Demo account.", "84-reauth")
    await frontend.click("Submit")
    await frontend.log_in_at_cloud()
    await frontend.see("Re-authentication was successful")
    assert await client.command("config_entries/flow/progress") == []


async def test_reconfiguration_is_left(frontend: Frontend, client: Client) -> None:
    """Whoever leaves the login that the menu has led to has left nothing behind."""
    await connect(frontend)
    await frontend.open_account("demo_cloud", "Reconfigure")
    await frontend.click_text("Log in again")
    await frontend.login_window()
    await frontend.leave_login()
    await frontend.close()
    await until_flows(client, 0)
    assert await entry_states(client) == ["loaded"]

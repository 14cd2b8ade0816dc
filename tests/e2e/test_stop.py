"""Home Assistant is stopped while a refresh is in flight: a rotated refresh token is not lost."""

import asyncio
from collections.abc import AsyncIterator
import json
from pathlib import Path
from threading import Event
import time
from typing import override

from flask.typing import ResponseReturnValue
import pytest
import pytest_asyncio

from demo.authorization_server import DemoAuthorizationServer
from demo.browser import log_in
from demo.home_assistant import Client, HomeAssistant, free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")


class SlowServer(DemoAuthorizationServer):
    """Demo Cloud, which answers token requests late: when it has taken the refresh token.

    Attributes:
        delay: How late, in seconds.
        taken: Is set when a token request has been worked on.
        end: Ends every delay.
    """

    delay = 0.0

    def __init__(self) -> None:
        """Initialize without a delay."""
        super().__init__(access_token_lifetime=1)
        self.taken = Event()
        self.end = Event()

    @override
    def _token(self) -> ResponseReturnValue:
        answer = super()._token()
        if self.delay:
            self.taken.set()
            self.end.wait(self.delay)
        return answer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cloud() -> AsyncIterator[SlowServer]:
    """Run the server."""
    with SlowServer() as cloud:
        yield cloud
        cloud.end.set()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def home_assistant(
    cloud: SlowServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[HomeAssistant]:
    """Run Home Assistant, with an account."""
    home_assistant = HomeAssistant(_config_dir(tmp_path_factory), free_port(), cloud.url)
    redirect_uri = f"{home_assistant.url}/auth/external/callback"
    cloud.add_client("app", client_secret="secret", redirect_uris=(redirect_uri,))
    await home_assistant.start()
    try:
        async with Client.onboard(home_assistant.url) as client:
            await client.wait_until_running()
            step = await client.begin_credential("demo_cloud")
            form = {"client_id": "app", "client_secret": "secret"}
            await client.continue_flow(step["flow_id"], form)
            step = await client.start_flow("demo_cloud")
            await client.open_redirect(await log_in(step["url"], "demo", "demo"))
            step = await client.continue_flow(step["flow_id"])
            assert step["type"] == "create_entry", step
        yield home_assistant
    finally:
        await home_assistant.stop()


def _config_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.getbasetemp() / "stop"


def _stored_refresh_token(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = _config_dir(tmp_path_factory) / ".storage" / "core.config_entries"
    (token,) = (
        entry["data"]["token"]
        for entry in json.loads(file.read_text())["data"]["entries"]
        if entry["domain"] == "demo_cloud"
    )
    return str(token["refresh_token"])


@pytest.mark.parametrize(("delay", "shortest", "longest"), [(3, 2, 10), (30, 9, 18)])
async def test_stop(
    cloud: SlowServer,
    home_assistant: HomeAssistant,
    tmp_path_factory: pytest.TempPathFactory,
    delay: float,
    shortest: float,
    longest: float,
) -> None:
    """It waits for the answer, ten seconds at most; what came is stored, what did not is logged."""
    cloud.delay = delay
    cloud.taken.clear()
    assert await asyncio.to_thread(cloud.taken.wait, 30)
    sent = cloud.token_requests[-1].form["refresh_token"]
    begun = time.monotonic()
    await home_assistant.stop()
    assert shortest < time.monotonic() - begun < longest
    cloud.delay = 0
    is_late = delay > 10
    assert (_stored_refresh_token(tmp_path_factory) == sent) is is_late
    assert ("stops without waiting any longer" in home_assistant.log()) is is_late
    if not is_late:
        await home_assistant.start()
        async with Client.log_in(home_assistant.url) as client:
            await client.wait_until_running()
            (entry,) = await client.command("config_entries/get", domain="demo_cloud")
            assert entry["state"] == "loaded"

"""Fixtures; those of the other tests import what these integrations want in other versions."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from tests.recording_server import RecordingServer


@pytest.fixture
async def server(
    socket_enabled: None,
    aiohttp_server: Callable[[web.Application], Awaitable[TestServer]],
) -> RecordingServer:
    """Run a server that does as the test says."""
    server = RecordingServer()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", server.handle)
    server.url = str((await aiohttp_server(application)).make_url("/")).rstrip("/")
    return server


@pytest.fixture
def expected_lingering_tasks() -> bool:
    """Let integrations leave tasks behind, as some do that listen for good."""
    return True


@pytest.fixture
def expected_lingering_timers() -> bool:
    """Let integrations leave timers behind, likewise."""
    return True

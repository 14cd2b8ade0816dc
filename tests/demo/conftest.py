"""Fixtures for Demo Cloud's authorization server."""

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from demo.authorization_server import DemoAuthorizationServer

from .oauth_client import REDIRECT_URI


@pytest.fixture
def server(socket_enabled: None) -> Iterator[DemoAuthorizationServer]:
    """Run a server with one client."""
    with DemoAuthorizationServer() as server:
        server.add_client("app", client_secret="secret", redirect_uris=[REDIRECT_URI])
        yield server


@pytest.fixture
async def session(server: DemoAuthorizationServer) -> AsyncIterator[aiohttp.ClientSession]:
    """Return a session whose base URL is the server's."""
    async with aiohttp.ClientSession(server.url) as session:
        yield session

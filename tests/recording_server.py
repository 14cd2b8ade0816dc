"""An authorization server that notes what it is asked, and answers as a test tells it to."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
import json
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web
from multidict import CIMultiDictProxy

from tests.common import SENTINEL

TOKEN: Final = {"access_token": f"{SENTINEL}-token", "token_type": "Bearer", "expires_in": 60}

type Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Recorded:
    """A request as it came in."""

    method: str
    path: str
    raw_path: str
    body: dict[str, str]
    headers: CIMultiDictProxy[str]

    @property
    def authorization(self) -> str | None:
        """The Authorization header."""
        return self.headers.get("Authorization")


class RecordingServer:
    """A server with every endpoint; the fixture `server` runs one on loopback.

    Attributes:
        url: The base URL, without a slash at the end.
        requests: What it was asked, oldest first.
        respond: Answers a request; by a token as long as nothing else is set.
    """

    def __init__(self) -> None:
        """Answer with a token."""
        self.url = ""
        self.requests: list[Recorded] = []
        self.respond: Respond = answer(TOKEN)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Note the request and answer it."""
        body = dict(parse_qsl(await request.text(), keep_blank_values=True))
        self.requests.append(
            Recorded(request.method, request.path, request.raw_path, body, request.headers)
        )
        return await self.respond(request)

    @property
    def token_url(self) -> str:
        """The token endpoint."""
        return f"{self.url}/token"


def answer(
    body: object, status: int = 200, content_type: str = "application/json", **headers: str
) -> Respond:
    """Return a response function for a body: a text, bytes, or what JSON is made of."""
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    data = text.encode() if isinstance(text, str) else text

    async def respond(request: web.Request) -> web.StreamResponse:
        return web.Response(
            body=data, status=status, headers={"Content-Type": content_type, **headers}
        )

    return respond

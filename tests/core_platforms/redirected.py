"""The APIs of all integrations at one local server: their HTTP libraries are redirected there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import ClientSession
import httpx
import pytest
import requests
from yarl import URL

from tests.recording_server import RecordingServer

LOOPBACK: Final = "127.0.0.1"


@contextmanager
def every_api_at(monkeypatch: pytest.MonkeyPatch, server: RecordingServer) -> Iterator[None]:
    """Send what HTTP libraries send to any other host to a server, at /HOST/PATH; gRPC fails."""

    def local(url: str) -> str:
        parts = urlsplit(url)
        if parts.hostname == LOOPBACK or not parts.hostname:
            return url
        query = f"?{parts.query}" if parts.query else ""
        return f"{server.url}/{parts.hostname}{parts.path}{query}"

    def aiohttp(given: list[Any]) -> None:
        session, _, url = given
        given[2] = URL(local(str(session._build_url(url))), encoded=True)  # noqa: SLF001 - it may be relative

    def httplib2(given: list[Any]) -> None:
        given[1] = local(given[1])

    def httpx_(given: list[Any]) -> None:
        given[1].url = httpx.URL(local(str(given[1].url)))

    def requests_(given: list[Any]) -> None:
        given[1].url = local(given[1].url)

    # What sends a request, by library, and where its URL stands among the arguments.
    senders: list[tuple[Any, str, Callable[[list[Any]], None]]] = [
        (ClientSession, "_request", aiohttp),
        (import_module("httplib2").Http, "request", httplib2),
        (httpx.AsyncHTTPTransport, "handle_async_request", httpx_),
        (requests.adapters.HTTPAdapter, "send", requests_),
    ]
    with monkeypatch.context() as patch:
        for library, name, redirect in senders:
            patch.setattr(library, name, _redirected(getattr(library, name), redirect))
        patch.setattr(import_module("grpc.aio"), "secure_channel", _no_grpc)
        yield


def _redirected(
    send: Callable[..., object], redirect: Callable[[list[Any]], None]
) -> Callable[..., object]:
    @wraps(send)
    def redirected(*args: object, **kwargs: object) -> object:
        given = list(args)
        redirect(given)
        return send(*given, **kwargs)

    return redirected


def _no_grpc(*args: object, **kwargs: object) -> None:
    raise import_module("google.api_core.exceptions").ServiceUnavailable("There is no gRPC here")

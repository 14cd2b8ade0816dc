"""Tests of the URLs of endpoints."""

from collections.abc import Callable, Mapping

import pytest

from custom_components.developer_credentials import AuthorizationServer

URL = "https://cloud.example/authorize"


@pytest.mark.parametrize(
    "url",
    [
        "https://cloud.example/authorize",
        "https://cloud.example:8443/authorize?tenant=1",
        "http://127.0.0.1:8120/authorize",
        "http://[::1]/authorize",
        "http://192.168.1.4/authorize",
        "http://nas/authorize",
        "http://nas.local/authorize",
        "http://auth.home.arpa/authorize",
        "http://auth.internal/authorize",
        "http://auth.localhost/authorize",
        "http://localhost/authorize",
    ],
)
def test_endpoints(url: str) -> None:
    """An endpoint is an https URL, or an http URL of this machine or the local network."""
    server = AuthorizationServer(url, url)
    assert (server.authorize_url, server.token_url) == (url, url)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://cloud.example/authorize", "must use https, since cloud.example is not a local"),
        ("http://8.8.8.8/authorize", "must use https"),
        ("http://local.example/authorize", "must use https"),
        ("https://cloud.example/authorize#top", "has a fragment"),
        ("https://cloud.example/authorize#", "has a fragment"),
        ("cloud.example/authorize", "is not an absolute http or https URL"),
        ("/authorize", "is not an absolute http or https URL"),
        ("https://", "is not a"),
        ("https://user:pw@cloud.example/authorize", "has a user name or password"),
        ("https://user@cloud.example/authorize", "has a user name or password"),
        ("http://134744072/authorize", "must use https"),
        ("http://0x8080808/authorize", "must use https"),
        ("ftp://cloud.example/authorize", "is not an absolute http or https URL"),
        ("javascript:alert(1)", "is not an absolute http or https URL"),
        ("http://[::1/authorize", "is not a URL"),
        ("", "is not an absolute http or https URL"),
        (1, "is not a URL"),
    ],
)
@pytest.mark.parametrize(
    "field",
    [
        "authorize_url",
        "token_url",
        "revocation_url",
        "device_authorization_url",
        "registration_url",
    ],
)
def test_bad_endpoints(field: str, url: object, reason: str) -> None:
    """A URL that cannot be an endpoint is refused, and the text names the field."""
    with pytest.raises(ValueError, match=f"{field} {reason}"):
        _server({field: url})


@pytest.mark.parametrize("field", ["authorize_url", "token_url"])
def test_missing_endpoints(field: str) -> None:
    """The authorization endpoint and the token endpoint are required."""
    with pytest.raises(ValueError, match=f"{field} is not a URL"):
        _server({field: None})


def _server(fields: Mapping[str, object]) -> AuthorizationServer:
    """Return a server with fields that the type checker would not let pass."""
    make: Callable[..., AuthorizationServer] = AuthorizationServer
    return make(**{"authorize_url": URL, "token_url": URL, **fields})

"""Tests of the URLs of endpoints."""

from collections.abc import Callable, Mapping

import pytest

from custom_components.developer_credentials import AuthorizationServer
from custom_components.developer_credentials.oauth2.endpoint_url import (
    check_endpoint,
    is_local_host,
    is_public_host,
)
from custom_components.developer_credentials.oauth2.errors import InvalidServerError
from tests.common import full_width

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


def test_missing_endpoint() -> None:
    """The token endpoint is required."""
    with pytest.raises(ValueError, match="token_url is not a URL"):
        _server({"token_url": None})


def _server(fields: Mapping[str, object]) -> AuthorizationServer:
    """Return a server with fields that the type checker would not let pass."""
    make: Callable[..., AuthorizationServer] = AuthorizationServer
    return make(**{"authorize_url": URL, "token_url": URL, **fields})


# What a host is, as it is connected to: local, public, or neither.
LOCAL = """
    127.0.0.1 127.8.9.1 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 127.0.0.1.
    ::1 fd00::1 fe80::1 fe80::1%25eth0 ::ffff:127.0.0.1 ::ffff:192.168.1.1 ::ffff:a9fe:a9fe
    localhost localhost. LOCALHOST nas homeassistant my_nas host-1 a1 b local
    nas.local NAS.Local. auth.home.arpa auth.internal a.b.localhost
"""
PUBLIC = """
    8.8.8.8 2606:4700::1111 ::ffff:8.8.8.8 cloud.example a.b.c.example CLOUD.example. a_b.example
    ai to cm UA ai. xn--p1ai xn--mgbaam7a8h local.example localhost.example xn--ncode-cta3g.example
    127.0.0.1.example 1.example 0x7f.example internal.example
"""
NEITHER = """
    0.0.0.0 :: 100.64.0.1 224.0.0.1 ff02::1 240.0.0.1 255.255.255.255 198.18.0.1 fec0::1
    64:ff9b::c0a8:101 64:ff9b::808:808 2002:c0a8:101:: ::192.168.1.1 2001:db8::1
    0 134744072 2130706433 017700000001 0x7f000001 0x7F.1 127.1 127.0.1 0177.0.0.1 1.2.3.4.5
    0x 192.168.1.0x1 127.0.0.256 127.0.0.1.. nas.1 cloud%2eexample 8%2e8%2e8%2e8 %31%33%34744072
    localhost%00 nas%2elocal 127.0.0.1%00.example xn--134744072- -nas nas- .local a..local a,b
    [::1] ::1%
"""


@pytest.mark.parametrize("host", [*LOCAL.split(), "a" * 63])
def test_local_hosts(host: str) -> None:
    """Local are loopback, private and link-local addresses, local suffixes, and single labels."""
    assert is_local_host(host)
    assert not is_public_host(host)


@pytest.mark.parametrize("host", PUBLIC.split())
def test_public_hosts(host: str) -> None:
    """Public are addresses of the internet, and all other names, those of countries included."""
    assert is_public_host(host)
    assert not is_local_host(host)


@pytest.mark.parametrize(
    "host", [*NEITHER.split(), "", "a" * 64, "a." * 128, full_width("nas"), "nas local"]
)
def test_hosts_that_are_neither(host: str) -> None:
    """Nothing in disguise is local or public, and no address is that leads nowhere or everywhere.

    Disguises are numbers, octal and hexadecimal parts, escapes, and IPv4 within IPv6.
    """
    assert not is_local_host(host)
    assert not is_public_host(host)


# As they are written in a URL.
DISGUISES = [
    *[f"//{host}/" for host in ("134744072", "0x7f.1", "127.1", "cloud%2eexample", "a..example")],
    f"//{full_width('134744072')}/",
    f"//{full_width('127')}.0.0.1/",
    "//127\u30020\u30020\u30021/",
    f"//{full_width('nas')}.local/",
    "//ⓛocalhost/",
    "//local\u00adhost/",
    "//xn--134744072-/",
    "//xn--a/",
    "//nas\\.example/",
    "//nas\t/",
    "//nas\n/",
    "//nas /",
    "//nas/ ",
    "//nas/\u200b",
    "//nas/\ud800",
    "//nas:99999/",
    "//nas:x/",
    "//[::1/",
    "//[::1]x/",
    "//a@nas/",
    "//:b@nas/",
    "///nas",
    "//?nas",
]


@pytest.mark.parametrize("public", [False, True])
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("rest", DISGUISES)
def test_disguises(scheme: str, rest: str, *, public: bool) -> None:
    """No URL whose host is not what it looks like is an endpoint, and no other error is raised."""
    with pytest.raises(InvalidServerError, match=r"^field "):
        check_endpoint("field", f"{scheme}:{rest}", public=public)


@pytest.mark.parametrize("url", [" https://a.example", "https://a.example ", b"https://a.example"])
def test_not_quite_a_url(url: object) -> None:
    """White space around a URL is no part of one, and neither are bytes."""
    with pytest.raises(InvalidServerError, match="field is not a URL"):
        check_endpoint("field", url)


@pytest.mark.parametrize("url", ["https://ünïcode.example/ü", "https://ÜNÏCODE.example"])
def test_names_in_other_scripts(url: str) -> None:
    """A name may be written in any script."""
    check_endpoint("field", url, public=True)


def test_host_is_told_plainly() -> None:
    """The host that an error names is short, for the URL may be somebody else's."""
    with pytest.raises(InvalidServerError) as raised:
        check_endpoint("field", f"http://{'a' * 10_000}.example")
    assert len(str(raised.value)) < 200
    assert raised.value.__context__ is None

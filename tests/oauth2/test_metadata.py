"""Tests of the discovery of servers by their metadata."""

import asyncio
from datetime import timedelta
import json
from typing import Any, Final

from aiohttp import web
from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import ImplementationUnavailableError
import pytest
from pytest_homeassistant_custom_component.test_util.aiohttp import AiohttpClientMocker
from yarl import URL

from custom_components.developer_credentials import (
    AuthorizationServer,
    DeveloperCredential,
    async_discover_authorization_server,
)
from custom_components.developer_credentials.oauth2 import metadata
from custom_components.developer_credentials.oauth2.errors import InvalidServerError
from demo.authorization_server import DemoAuthorizationServer
from tests.common import full_width
from tests.recording_server import RecordingServer, Respond, answer

RFC8414 = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"


def _document(issuer: str, /, **fields: object) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
    } | fields


def _publish(server: RecordingServer, path: str, document: object) -> None:
    """Have the server publish a document at one address, and nothing elsewhere."""

    async def respond(request: web.Request) -> web.StreamResponse:
        found = request.raw_path == path
        return await answer(document if found else "", 200 if found else 404)(request)

    server.respond = respond


async def test_demo_cloud(hass: HomeAssistant, demo_cloud: DemoAuthorizationServer) -> None:
    """Demo Cloud says of itself what its integration declares."""
    url = demo_cloud.url
    assert await async_discover_authorization_server(hass, url) == AuthorizationServer(
        f"{url}/authorize", f"{url}/token", pkce=True, revocation_url=f"{url}/revoke"
    )


@pytest.mark.parametrize(
    ("path", "addresses"),
    [
        ("", [RFC8414, OPENID]),
        ("/", [RFC8414, OPENID]),
        ("/tenant/1", [f"{RFC8414}/tenant/1", f"{OPENID}/tenant/1", f"/tenant/1{OPENID}"]),
        ("/a%2Fb", [f"{RFC8414}/a%2Fb", f"{OPENID}/a%2Fb", f"/a%2Fb{OPENID}"]),
        ("/tenant/", [f"{RFC8414}/tenant", f"{OPENID}/tenant", f"/tenant{OPENID}"]),
    ],
)
async def test_well_known_addresses(
    hass: HomeAssistant, server: RecordingServer, path: str, addresses: list[str]
) -> None:
    """The addresses of RFC 8414 and OpenID Connect Discovery are tried, until one answers."""
    issuer = f"{server.url}{path}"
    for number, address in enumerate(addresses, 1):
        hass.data.pop("developer_credentials_metadata", None)
        server.requests.clear()
        _publish(server, address, _document(issuer))
        found = await async_discover_authorization_server(hass, issuer)
        assert found.token_url == f"{issuer}/token"
        assert [request.raw_path for request in server.requests] == addresses[:number]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"pkce": None, "token_endpoint_auth_method": "client_secret_basic"}),
        ({"code_challenge_methods_supported": ["plain", "S256"]}, {"pkce": True}),
        ({"code_challenge_methods_supported": ["plain"]}, {"pkce": None}),
        ({"code_challenge_methods_supported": []}, {"pkce": None}),
        ({"code_challenge_methods_supported": None}, {"pkce": None}),
        ({"code_challenge_methods_supported": "S256"}, {"pkce": None}),
        ({"code_challenge_methods_supported": 256}, {"pkce": None}),
        (
            {"token_endpoint_auth_methods_supported": ["none", "client_secret_basic"]},
            {"token_endpoint_auth_method": "client_secret_basic"},
        ),
        (
            {
                "token_endpoint_auth_methods_supported": [
                    "private_key_jwt",
                    "client_secret_basic",
                    "client_secret_post",
                ]
            },
            {"token_endpoint_auth_method": "client_secret_post"},
        ),
        (
            {"token_endpoint_auth_methods_supported": ["none"]},
            {"token_endpoint_auth_method": "none"},
        ),
        (
            {
                "revocation_endpoint": "https://acme.example/revoke",
                "device_authorization_endpoint": "https://acme.example/device",
                "registration_endpoint": "https://acme.example/register",
            },
            {
                "revocation_url": "https://acme.example/revoke",
                "device_authorization_url": "https://acme.example/device",
                "registration_url": "https://acme.example/register",
            },
        ),
    ],
    ids=str,
)
async def test_fields(
    hass: HomeAssistant,
    server: RecordingServer,
    fields: dict[str, object],
    expected: dict[str, object],
) -> None:
    """What a document says becomes what the server is declared to be (RFC 8414, section 2)."""
    server.respond = answer(_document(server.url, **fields))
    found = await async_discover_authorization_server(hass, server.url)
    assert {name: getattr(found, name) for name in expected} == expected


@pytest.mark.parametrize("challenges", [[], ["plain"], ["s256"], None, {"S256": 1}])
async def test_public_client_keeps_pkce(
    hass: HomeAssistant, server: RecordingServer, challenges: object
) -> None:
    """A client without a secret has a code challenge, whatever is listed (RFC 9700, 2.1.1)."""
    server.respond = answer(_document(server.url, code_challenge_methods_supported=challenges))
    found = await async_discover_authorization_server(hass, server.url)
    assert found.uses_pkce(DeveloperCredential("id"))
    assert not found.uses_pkce(DeveloperCredential("id", "secret"))


PUBLIC_ISSUERS = ["https://cloud.example", "https://8.8.8.8", "https://ai/tenant"]
LOCAL_ISSUERS = ["https://nas.local", "https://192.168.1.2", "https://nas:8443", "https://[::1]"]
ENDPOINTS = [
    "authorization_endpoint",
    "token_endpoint",
    "revocation_endpoint",
    "device_authorization_endpoint",
    "registration_endpoint",
]
NOT_PUBLIC = [
    "http://169.254.169.254/latest",
    "http://192.168.1.1/apply?reboot=1",
    "http://localhost:8123/auth/token",
    "http://cloud.example/token",
    "https://localhost/token",
    "https://10.0.0.1/token",
    "https://[fd00::1]/token",
    "https://0.0.0.0/token",
    "https://nas/token",
    "https://router.home.arpa/token",
    "https://2130706433/token",
    "https://127.1/token",
    "https://127%2e0%2e0%2e1/token",
    "https://[64:ff9b::7f00:1]/token",
    f"https://{full_width('127')}.0.0.1/token",
]


def _publish_as(aioclient_mock: AiohttpClientMocker, issuer: str, **fields: object) -> None:
    """Have an issuer that no test can be publish its document."""
    url = URL(issuer)
    address = url.with_path(RFC8414 + url.path.removesuffix("/"))
    aioclient_mock.clear_requests()
    aioclient_mock.get(str(address), json=_document(issuer, **fields))


# Endpoints that a server may do without.
OPTIONAL: Final = {
    "revocation_endpoint": "revocation_url",
    "device_authorization_endpoint": "device_authorization_url",
    "registration_endpoint": "registration_url",
}


@pytest.mark.parametrize("issuer", PUBLIC_ISSUERS)
@pytest.mark.parametrize("field", ENDPOINTS)
async def test_public_issuer_names_what_is_not_public(
    hass: HomeAssistant, aioclient_mock: AiohttpClientMocker, issuer: str, field: str
) -> None:
    """Metadata of a public issuer cannot lead into the local network, nor to plain http."""
    for url in NOT_PUBLIC:
        _publish_as(aioclient_mock, issuer, **{field: url})
        if field in OPTIONAL:
            found = await async_discover_authorization_server(hass, issuer)
            assert getattr(found, OPTIONAL[field]) is None
            continue
        with pytest.raises(InvalidServerError):
            await async_discover_authorization_server(hass, issuer)


async def test_what_an_issuer_may_name(
    hass: HomeAssistant, aioclient_mock: AiohttpClientMocker
) -> None:
    """A local issuer may name local addresses, and any issuer public ones, its own or others."""
    for issuer in PUBLIC_ISSUERS + LOCAL_ISSUERS:
        url = "https://login.example/token"
        if issuer in LOCAL_ISSUERS:
            url = "http://192.168.1.1/token"
        _publish_as(aioclient_mock, issuer, token_endpoint=url)
        assert (await async_discover_authorization_server(hass, issuer)).token_url == url


async def test_override_may_be_local(
    hass: HomeAssistant, aioclient_mock: AiohttpClientMocker
) -> None:
    """What the integration says itself is its own affair."""
    issuer, url = "https://cloud.example", "http://127.0.0.1/token"
    _publish_as(aioclient_mock, issuer, token_endpoint="http://127.0.0.2")
    found = await async_discover_authorization_server(hass, issuer, token_url=url)
    assert found.token_url == url


async def test_words_of_another_issuer(hass: HomeAssistant, server: RecordingServer) -> None:
    """What a document calls its issuer is told as one short line."""
    server.respond = answer({"issuer": "\u202e\n" + "a" * 50_000})
    with pytest.raises(InvalidServerError) as raised:
        await async_discover_authorization_server(hass, server.url)
    assert len(str(raised.value)) < 400
    assert str(raised.value).isprintable()


async def test_overrides(hass: HomeAssistant, server: RecordingServer) -> None:
    """The integration has the last word, also where the document could not stand alone."""
    document = _document(
        server.url,
        authorization_endpoint="http://acme.example",
        token_endpoint_auth_methods_supported=["private_key_jwt"],
    )
    server.respond = answer(document)
    found = await async_discover_authorization_server(
        hass,
        server.url,
        authorize_url="https://acme.example/login",
        token_endpoint_auth_method="none",
        scopes=["read"],
    )
    assert found == AuthorizationServer(
        "https://acme.example/login",
        f"{server.url}/token",
        token_endpoint_auth_method="none",
        scopes=["read"],
    )


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            {"issuer": "https://evil.example"},
            "issuer is another one in its own metadata",
        ),
        ({"authorization_endpoint": "login"}, "authorize_url is not an absolute http"),
        ({"token_endpoint": None}, "token_url is not a URL"),
        ({"token_endpoint": "http://acme.example/token"}, "token_url must use https"),
        ({"token_endpoint_auth_methods_supported": ["tls"]}, "token_endpoint_auth_method is none"),
        ({"token_endpoint_auth_methods_supported": []}, "token_endpoint_auth_method is none"),
    ],
    ids=str,
)
async def test_bad_documents(
    hass: HomeAssistant, server: RecordingServer, fields: dict[str, object], reason: str
) -> None:
    """A document of another issuer, or with what cannot be, is not used (RFC 8414, 3.3)."""
    server.respond = answer(_document(server.url, **fields))
    with pytest.raises(InvalidServerError, match=reason):
        await async_discover_authorization_server(hass, server.url)


async def test_words_of_the_server(
    hass: HomeAssistant, server: RecordingServer, caplog: pytest.LogCaptureFixture
) -> None:
    """What every user may read of another issuer has nothing of its document; the log has it."""
    server.respond = answer(_document(server.url, issuer="read this"))
    with pytest.raises(InvalidServerError) as caught:
        await async_discover_authorization_server(hass, server.url)
    assert "read this" not in str(caught.value)
    messages = [record.getMessage() for record in caplog.get_records("call")]
    assert f"The metadata of {server.url} has the issuer read this" in messages


@pytest.mark.parametrize("url", ["", "/revoke", "ftp://acme.example", "http://8.8.8.8/", ["a"], 1])
@pytest.mark.parametrize("field", OPTIONAL)
async def test_optional_endpoint_that_cannot_be(
    hass: HomeAssistant, server: RecordingServer, field: str, url: object
) -> None:
    """A server with a useless endpoint that it may do without is one without it."""
    server.respond = answer(_document(server.url, **{field: url}))
    found = await async_discover_authorization_server(hass, server.url)
    assert found.token_url == f"{server.url}/token"
    assert getattr(found, OPTIONAL[field]) is None


async def test_null_is_absent(hass: HomeAssistant, server: RecordingServer) -> None:
    """A field that is null says nothing: no login page, and what a server supports by default."""
    fields = {"authorization_endpoint": None, "token_endpoint_auth_methods_supported": None}
    server.respond = answer(_document(server.url, **fields))
    found = await async_discover_authorization_server(hass, server.url)
    assert found.authorize_url is None
    assert found.token_endpoint_auth_method == "client_secret_basic"


async def test_byte_order_mark(hass: HomeAssistant, server: RecordingServer) -> None:
    """A byte order mark before the document is not a part of it (RFC 8259, section 8.1)."""
    document = json.dumps(_document(server.url)).encode("utf-8-sig")
    server.respond = answer(document)
    found = await async_discover_authorization_server(hass, server.url)
    assert found.token_url == f"{server.url}/token"


async def test_issuer_is_compared_by_letter(hass: HomeAssistant, server: RecordingServer) -> None:
    """A slash at the end is a part of an issuer."""
    server.respond = answer(_document(f"{server.url}/"))
    with pytest.raises(InvalidServerError, match="issuer is"):
        await async_discover_authorization_server(hass, server.url)


@pytest.mark.parametrize(
    ("issuer", "reason"),
    [
        ("http://acme.example", "issuer must use https"),
        ("https://acme.example?a=b", "issuer has a query"),
        ("https://acme.example#a", "issuer has a fragment"),
        ("acme.example", "issuer is not an absolute http or https URL"),
    ],
)
async def test_bad_issuers(hass: HomeAssistant, issuer: str, reason: str) -> None:
    """An issuer that cannot be one is not asked (RFC 8414, section 2)."""
    with pytest.raises(InvalidServerError, match=reason):
        await async_discover_authorization_server(hass, issuer)


@pytest.mark.parametrize(
    "respond",
    [
        answer("", 404),
        answer("<h1>Oops</h1>", 500),
        answer("<h1>Log in to this network</h1>"),
        answer([]),
        answer({"status": "maintenance"}),
        answer(b"\xff"),
        answer("", 302, Location="/elsewhere"),
        answer(b"{" + b" " * 10_000_000 + b"}"),
    ],
    ids=["absent", "broken", "html", "list", "no metadata", "not text", "redirect", "10 MB"],
)
async def test_no_metadata(
    hass: HomeAssistant,
    server: RecordingServer,
    respond: Respond,
) -> None:
    """Without a document entries are tried again later; a redirect is not followed."""
    server.respond = respond
    with pytest.raises(ImplementationUnavailableError, match="has no metadata"):
        await async_discover_authorization_server(hass, server.url)
    assert len(server.requests) == 2
    server.respond = answer(_document(server.url))
    assert await async_discover_authorization_server(hass, server.url)


@pytest.mark.parametrize(
    "first", [{"error": "not_found"}, {"issuer": "https://other.example"}], ids=str
)
async def test_first_address_has_something_else(
    hass: HomeAssistant, server: RecordingServer, first: object
) -> None:
    """What stands at the first address keeps nobody from finding the document at the next."""

    async def respond(request: web.Request) -> web.StreamResponse:
        body = first if request.path == RFC8414 else _document(server.url)
        return await answer(body)(request)

    server.respond = respond
    assert await async_discover_authorization_server(hass, server.url)


async def test_what_cannot_be_used_is_not_kept(
    hass: HomeAssistant, server: RecordingServer
) -> None:
    """A document that is mended is fetched again; nobody has to restart."""
    server.respond = answer(_document(server.url, token_endpoint="http://acme.example"))
    with pytest.raises(InvalidServerError):
        await async_discover_authorization_server(hass, server.url)
    server.respond = answer(_document(server.url))
    assert await async_discover_authorization_server(hass, server.url)


async def test_old_document_is_better_than_none(
    hass: HomeAssistant, server: RecordingServer, freezer: FrozenDateTimeFactory
) -> None:
    """While the server cannot be had, its document of yesterday serves."""
    server.respond = answer(_document(server.url))
    found = await async_discover_authorization_server(hass, server.url)
    freezer.tick(timedelta(days=2))
    server.respond = answer("", 503)
    for _ in range(2):
        assert await async_discover_authorization_server(hass, server.url) == found
    server.respond = answer(_document(server.url, token_endpoint=f"{server.url}/new"))
    assert await async_discover_authorization_server(hass, server.url) != found


@pytest.mark.parametrize("status", [201, 302, 401])
async def test_document_with_another_status(
    hass: HomeAssistant, server: RecordingServer, status: int
) -> None:
    """A document counts with status 200 only (RFC 8414, section 3.2)."""
    server.respond = answer(_document(server.url), status)
    with pytest.raises(ImplementationUnavailableError, match="has no metadata"):
        await async_discover_authorization_server(hass, server.url)


async def test_several_issuers(hass: HomeAssistant, server: RecordingServer) -> None:
    """Each issuer has a document of its own, also when they are asked for at the same time."""

    async def respond(request: web.Request) -> web.StreamResponse:
        return await answer(_document(f"{server.url}/{request.path.rpartition('/')[2]}"))(request)

    server.respond = respond
    issuers = [f"{server.url}/{name}" for name in ("a", "b", "c")]
    found = await asyncio.gather(
        *(async_discover_authorization_server(hass, issuer) for issuer in issuers)
    )
    assert [one.token_url for one in found] == [f"{issuer}/token" for issuer in issuers]


async def test_nobody_listens(
    hass: HomeAssistant, socket_enabled: None, unused_tcp_port: int
) -> None:
    """A server that is not there is asked again later; the error keeps nothing of aiohttp's."""
    with pytest.raises(ImplementationUnavailableError, match="does not answer: Client") as raised:
        await async_discover_authorization_server(hass, f"http://127.0.0.1:{unused_tcp_port}")
    assert raised.value.__context__ is None


async def test_slow(
    hass: HomeAssistant, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that takes too long is asked again later, and at no other address now."""

    async def respond(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(5)
        return web.Response()

    server.respond = respond
    monkeypatch.setattr(metadata, "TIMEOUT", 0.2)
    with pytest.raises(ImplementationUnavailableError, match=r"does not answer: .*Timeout"):
        await async_discover_authorization_server(hass, server.url)
    assert len(server.requests) == 1


async def test_one_fetch_a_day(
    hass: HomeAssistant, server: RecordingServer, freezer: FrozenDateTimeFactory
) -> None:
    """One fetch serves all callers of a day, whatever they override."""
    server.respond = answer(_document(server.url))
    found = await asyncio.gather(
        *(
            async_discover_authorization_server(hass, server.url, scopes=[f"scope-{number}"])
            for number in range(20)
        )
    )
    assert len({one.scopes for one in found}) == 20
    freezer.tick(timedelta(hours=23))
    await async_discover_authorization_server(hass, server.url)
    assert len(server.requests) == 1
    freezer.tick(timedelta(hours=2))
    server.respond = answer(_document(server.url, token_endpoint=f"{server.url}/new"))
    renewed = await async_discover_authorization_server(hass, server.url)
    assert renewed.token_url == f"{server.url}/new"
    assert len(server.requests) == 2

"""What is promised, as tests: who may do what, what never leaves, and what nobody can break."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
import re
import time
import tracemalloc
from urllib.parse import parse_qs, parse_qsl, urlsplit
import zlib

from aiohttp import web
from homeassistant.components.application_credentials import DATA_COMPONENT
from homeassistant.config_entries import SOURCE_USER, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, UnknownFlow
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.config_entry_oauth2_flow import (
    ImplementationUnavailableError,
    async_get_implementations,
)
from homeassistant.setup import async_setup_component
import jwt
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.test_util.aiohttp import AiohttpClientMocker
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.developer_credentials import (
    AuthImplementation,
    AuthorizationServer,
    DeveloperCredential,
    async_discover_authorization_server,
)
from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.oauth2.errors import (
    InvalidGrantError,
    InvalidServerError,
    TokenRequestError,
    UnavailableError,
)
from custom_components.developer_credentials.oauth2.revocation import async_revoke
from custom_components.developer_credentials.oauth2.verification import async_verify
from custom_components.developer_credentials.websocket_api import COMMANDS
from demo.authorization_server import DemoAuthorizationServer
from demo.browser import log_in
from tests.common import (
    OFFLINE_PLATFORM,
    PLATFORM,
    REDIRECT_URI,
    SENTINEL,
    add_credential,
    begin_repair,
    entry_of,
    full_width,
    issue_ids,
    stored,
)
from tests.conftest import Install
from tests.recording_server import RecordingServer, Respond, answer

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host")

REFRESH_TOKEN = {"refresh_token": f"{SENTINEL}-refresh", "expires_in": 60}


def _implementation(hass: HomeAssistant, server: RecordingServer) -> AuthImplementation:
    declared = AuthorizationServer(f"{server.url}/authorize", server.token_url, pkce=True)
    return AuthImplementation(hass, "acme", DeveloperCredential("id", SENTINEL), declared)


class TestOnlyAdmins:
    """Nobody but an admin sees or changes a credential."""

    @pytest.mark.parametrize("name", [*COMMANDS, "subscribe"])
    async def test_commands(
        self, hass: HomeAssistant, hass_ws_client: WebSocketGenerator, name: str
    ) -> None:
        """Every command is refused for a user who is no admin."""
        user = MockUser(groups=[]).add_to_hass(hass)
        token = await hass.auth.async_create_refresh_token(user, "https://example.com/")
        client = await hass_ws_client(hass, hass.auth.async_create_access_token(token))
        await client.send_json_auto_id({"type": f"{DOMAIN}/{name}"})
        assert (await client.receive_json())["error"]["code"] == "unauthorized"

    @pytest.mark.parametrize(
        "path",
        [
            "config/config_entries/flow",
            "config/config_entries/subentries/flow",
            "repairs/issues/fix",
        ],
    )
    async def test_flows(
        self,
        hass: HomeAssistant,
        hass_client: ClientSessionGenerator,
        hass_read_only_access_token: str,
        path: str,
    ) -> None:
        """Every flow is refused for a user who is no admin."""
        assert await async_setup_component(hass, "config", {})
        await add_credential(hass, "demo_cloud")
        client = await hass_client(hass_read_only_access_token)
        message = {"handler": DOMAIN, "issue_id": "credential_rejected_id"}
        if "subentries" in path:
            message = {"handler": [entry_of(hass).entry_id, "credential"]}  # type: ignore[dict-item]
        response = await client.post(f"/api/{path}", json=message)
        assert response.status == HTTPStatus.UNAUTHORIZED


class TestSecretsStay:
    """A secret goes to the token endpoint, and nowhere else.

    That no log has one is checked after every test of the suite.
    """

    async def test_what_the_frontend_reads(
        self, hass: HomeAssistant, hass_ws_client: WebSocketGenerator
    ) -> None:
        """None of Home Assistant's own commands tells one."""
        await add_credential(hass, "demo_cloud")
        for component in ("application_credentials", "config"):
            assert await async_setup_component(hass, component, {})
        item = {"id": "peer_id", "domain": "peer", "client_id": "id", "client_secret": SENTINEL}
        hass.data[DATA_COMPONENT].data["peer_id"] = item
        client = await hass_ws_client()
        entry_id = entry_of(hass).entry_id
        for command in (
            {"type": "config_entries/get"},
            {"type": "config_entries/subentries/list", "entry_id": entry_id},
            {"type": "config_entries/flow/progress"},
            {"type": "repairs/list_issues"},
            {"type": f"{DOMAIN}/list"},
            {"type": f"{DOMAIN}/list", "application_credentials": True},
        ):
            await client.send_json_auto_id(command)
            answer = await client.receive_json()
            assert answer["success"]
            assert SENTINEL not in str(answer)
        assert len(answer["result"]) == 2

    async def test_representations(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """No representation or text of an object has one."""
        implementation = _implementation(hass, server)
        for thing in (
            implementation,
            implementation.credential,
            implementation.token_endpoint,
            implementation.authorization_server,
        ):
            assert SENTINEL not in f"{thing!r} {thing}"

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    async def test_no_redirect_with_credentials(
        self, hass: HomeAssistant, server: RecordingServer, status: int
    ) -> None:
        """No redirect is followed by a request that has a secret."""
        server.respond = answer("", status, Location=f"{server.url}/elsewhere")
        with pytest.raises(TokenRequestError):
            await _implementation(hass, server).async_refresh_token(dict(REFRESH_TOKEN))
        assert [request.path for request in server.requests] == ["/token"]

    async def test_authorize_url(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """The authorize URL, which browsers keep, has neither the secret nor the verifier."""
        implementation = _implementation(hass, server)
        url = await implementation.async_generate_authorize_url("flow")
        state = {"flow_id": "flow", "redirect_uri": REDIRECT_URI}
        await implementation.async_resolve_external_data({"code": "code", "state": state})
        assert SENTINEL not in url
        assert server.requests[0].body["code_verifier"] not in url


class TestPlainHttp:
    """What is secret does not travel in the clear."""

    @pytest.mark.parametrize("host", ["cloud.example", "8.8.8.8", "134744072", "[2001:db8::1]"])
    @pytest.mark.parametrize("field", ["authorize_url", "token_url", "revocation_url"])
    def test_endpoints(self, host: str, field: str) -> None:
        """Plain http is refused but for local hosts."""
        urls = {
            "authorize_url": "https://a.example",
            "token_url": "https://a.example",
            field: f"http://{host}/",
        }
        with pytest.raises(InvalidServerError, match=f"{field} must use https"):
            AuthorizationServer(**urls)  # type: ignore[arg-type]

    async def test_metadata(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """Metadata that leads there is refused, and so is that of another issuer."""
        for fields in (
            {"token_endpoint": "http://cloud.example/token"},
            {"issuer": "https://evil.example"},
        ):
            document = {
                "issuer": server.url,
                "authorization_endpoint": f"{server.url}/authorize",
                "token_endpoint": server.token_url,
            }
            server.respond = answer({**document, **fields})
            with pytest.raises(InvalidServerError):
                await async_discover_authorization_server(hass, server.url)


class TestLogin:
    """A login is that of the flow that began it, and of nobody else."""

    async def test_unpredictable(self, hass: HomeAssistant, server: RecordingServer) -> None:
        """Each login has a state and a challenge of its own; its code is sent once.

        The state is the flow's id, which is random, with Home Assistant's signature.
        """
        implementation = _implementation(hass, server)
        queries = [
            dict(parse_qsl(urlsplit(await implementation.async_generate_authorize_url(flow)).query))
            for flow in map(str, range(50))
        ]
        for name in ("state", "code_challenge"):
            assert len({query[name] for query in queries}) == 50
        assert {len(query["code_challenge"]) for query in queries} == {43}
        state = {"flow_id": "7", "redirect_uri": REDIRECT_URI}
        external_data = {"code": "code", "state": state}
        await implementation.async_resolve_external_data(external_data)
        with pytest.raises(InvalidGrantError):
            await implementation.async_resolve_external_data(external_data)
        (request,) = server.requests
        assert len(request.body["code_verifier"]) == 128

    async def _begin(self, hass: HomeAssistant, cloud: DemoAuthorizationServer) -> ConfigFlowResult:
        cloud.add_client("client-id", client_secret=SENTINEL, redirect_uris=(REDIRECT_URI,))
        await add_credential(hass, "demo_cloud")
        flow = hass.config_entries.flow
        step = await flow.async_init("demo_cloud", context={"source": SOURCE_USER})
        assert step["type"] is FlowResultType.EXTERNAL_STEP
        return step

    @pytest.mark.parametrize("state", ["", "text", "foreign", "none", "another instance's"])
    async def test_foreign_state(
        self,
        hass: HomeAssistant,
        hass_client_no_auth: ClientSessionGenerator,
        demo_cloud: DemoAuthorizationServer,
        state: str,
    ) -> None:
        """A callback with a state that is not ours changes nothing."""
        step = await self._begin(hass, demo_cloud)
        own = parse_qs(urlsplit(step["url"]).query)["state"][0]
        content = {"flow_id": step["flow_id"], "redirect_uri": REDIRECT_URI}
        states = {
            "foreign": f"{own[:-3]}AAA",
            "none": jwt.encode(content, key="", algorithm="none"),
            "another instance's": jwt.encode(content, "another secret of the same length....."),
        }
        client = await hass_client_no_auth()
        query = {"state": states.get(state, state), "code": "code"}
        await client.get("/auth/external/callback", params=query)
        await hass.async_block_till_done()
        assert demo_cloud.token_requests == []
        assert len(hass.config_entries.flow.async_progress_by_handler("demo_cloud")) == 1
        assert hass.config_entries.async_entries("demo_cloud") == []

    async def test_expired(
        self,
        hass: HomeAssistant,
        hass_client_no_auth: ClientSessionGenerator,
        demo_cloud: DemoAuthorizationServer,
    ) -> None:
        """A callback for a flow that has ended changes nothing."""
        step = await self._begin(hass, demo_cloud)
        redirect = urlsplit(await log_in(step["url"], "demo", "demo"))
        hass.config_entries.flow.async_abort(step["flow_id"])
        client = await hass_client_no_auth()
        await client.get(f"{redirect.path}?{redirect.query}")
        await hass.async_block_till_done()
        assert demo_cloud.token_requests == []
        assert hass.config_entries.async_entries("demo_cloud") == []

    async def test_replayed(
        self,
        hass: HomeAssistant,
        hass_client_no_auth: ClientSessionGenerator,
        demo_cloud: DemoAuthorizationServer,
    ) -> None:
        """A callback that comes a second time changes nothing."""
        step = await self._begin(hass, demo_cloud)
        redirect = urlsplit(await log_in(step["url"], "demo", "demo"))
        client = await hass_client_no_auth()
        for _ in range(2):
            await client.get(f"{redirect.path}?{redirect.query}")
            # As the frontend does when the window has closed.
            with suppress(UnknownFlow):
                await hass.config_entries.flow.async_configure(step["flow_id"])
            await hass.async_block_till_done()
            (account,) = hass.config_entries.async_entries("demo_cloud")
            codes = [one for one in demo_cloud.token_requests if "code" in one.form]
            assert len(codes) == 1
        assert account.data["auth_implementation"] == "demo_cloud_client_id"


async def _huge(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    with suppress(ConnectionError):
        for _ in range(2_000):
            await response.write(b"[" * 65_536)
    return response


HOSTILE: dict[str, Respond] = {
    "huge": _huge,
    "deep JSON": answer("[" * 60_000),
    "deep object": answer('{"a":' * 10_000),
    "control characters": answer(
        {"error": "\x00\x1b[31m\u202e", "error_description": "\x07" * 500}
    ),
    "markup": answer(
        {"error": "<script>alert(1)</script>", "error_description": "[a](javascript:b)"}
    ),
    "many fields": answer("&".join(f"a{number}=b" for number in range(10_000))),
    "long error": answer({"error": "a" * 60_000, "error_description": "b" * 60_000}, 400),
    "huge number": answer('{"access_token": "a", "expires_in": 1' + "0" * 10_000 + "}"),
}


class TestHostileServers:
    """A server that means harm costs little time and memory, and is heard as plain text."""

    @pytest.mark.parametrize("respond", HOSTILE.values(), ids=list(HOSTILE))
    async def test_token_endpoint(
        self, hass: HomeAssistant, server: RecordingServer, respond: Respond
    ) -> None:
        """Whatever it answers, it is one of our errors or a token, soon, and short."""
        server.respond = respond
        implementation = _implementation(hass, server)
        tracemalloc.start()
        started = time.monotonic()
        try:
            await implementation.async_refresh_token(dict(REFRESH_TOKEN))
        except TokenRequestError as err:
            for text in (err.error, err.error_description):
                assert len(text) <= 300
                assert text.isprintable()
        finally:
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert time.monotonic() - started < 5
        assert peak < 20_000_000

    @pytest.mark.parametrize("respond", HOSTILE.values(), ids=list(HOSTILE))
    async def test_verification_and_metadata(
        self, hass: HomeAssistant, server: RecordingServer, respond: Respond
    ) -> None:
        """Neither is it more trouble when it is asked about a client, or for its metadata."""
        server.respond = respond
        declared = AuthorizationServer(f"{server.url}/authorize", server.token_url)
        started = time.monotonic()
        found = await async_verify(
            hass, declared, DeveloperCredential("id", SENTINEL), REDIRECT_URI
        )
        assert len(found.detail) <= 700
        assert found.detail.isprintable()
        with pytest.raises(Exception, match=r"has no metadata|in its own metadata"):
            await async_discover_authorization_server(hass, server.url)
        assert time.monotonic() - started < 10

    async def test_endless(
        self, hass: HomeAssistant, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One that says a little from time to time is not listened to for ever."""

        async def respond(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            for _ in range(100):
                await response.write(b" ")
                await asyncio.sleep(0.05)
            return response

        server.respond = respond
        module = "custom_components.developer_credentials.oauth2.token_endpoint"
        monkeypatch.setattr(f"{module}.TIMEOUT", 0.3)
        with pytest.raises(UnavailableError):
            await _implementation(hass, server).async_refresh_token(dict(REFRESH_TOKEN))

    async def test_words_are_text(
        self,
        hass: HomeAssistant,
        hass_client: ClientSessionGenerator,
        server: RecordingServer,
        install: Install,
    ) -> None:
        """In a repair, what a server says is no markup."""
        install("acme", PLATFORM.replace("https://cloud.example", server.url))
        await add_credential(hass, "acme")
        (implementation,) = (await async_get_implementations(hass, "acme")).values()
        words = "<img src=x> [a](https://evil.example) **b** `c`"
        server.respond = answer({"error": "invalid_client", "error_description": words}, 401)
        with pytest.raises(TokenRequestError):
            await implementation.async_refresh_token(dict(REFRESH_TOKEN))
        (issue_id,) = issue_ids(hass)
        step = await begin_repair(hass_client, issue_id)
        answer_shown = step["description_placeholders"]["situation"]
        answer_shown = answer_shown.split("It responded: ")[1]
        assert "img src" in answer_shown
        assert re.search(r"(?<!\\)[<>\[\]()*`]", answer_shown) is None


def _issue(hass: HomeAssistant, issue_id: str) -> dict[str, str]:
    issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.translation_placeholders is not None
    return issue.translation_placeholders


PLATFORMS: dict[str, str] = {
    "10,000 scopes": PLATFORM.replace(
        '/token")', '/token", scopes=[f"scope-{number}" for number in range(10_000)])'
    ),
    "huge text": "async def async_get_authorization_server(hass): return 'a' * 50_000_000",
    "exits": "async def async_get_authorization_server(hass): raise MemoryError",
    "hangs": (
        "import asyncio\n"
        "async def async_get_authorization_server(hass): await asyncio.Event().wait()"
    ),
    "recursion": (
        "async def async_get_authorization_server(hass):\n"
        "    return await async_get_authorization_server(hass)"
    ),
}


class TestHostilePlatforms:
    """A platform that misbehaves costs little, and costs no other integration anything."""

    @pytest.mark.parametrize("platform", PLATFORMS.values(), ids=list(PLATFORMS))
    async def test_platform(
        self,
        hass: HomeAssistant,
        install: Install,
        monkeypatch: pytest.MonkeyPatch,
        platform: str,
    ) -> None:
        """Another integration has its credentials, whatever this one does."""
        monkeypatch.setattr(f"custom_components.{DOMAIN}.platform.TIMEOUT", 0.5)
        install("hostile", platform)
        install("acme", OFFLINE_PLATFORM)
        for domain in ("hostile", "acme"):
            await add_credential(hass, domain)
        started = time.monotonic()
        with suppress(ImplementationUnavailableError):
            found = await async_get_implementations(hass, "hostile")
            (implementation,) = found.values()
            url = await implementation.async_generate_authorize_url("flow")
            assert len(url) < 200_000
        assert list(await async_get_implementations(hass, "acme")) == ["acme_client_id"]
        assert time.monotonic() - started < 5
        for issue_id in issue_ids(hass):
            assert len(_issue(hass, issue_id)["detail"]) < 300
        assert len(stored(hass)) == 2


async def _async_ask(hass: HomeAssistant, server: RecordingServer, what: str) -> None:
    """Have a request made; what comes of it is not of interest, but it is one of our errors."""
    implementation = _implementation(hass, server)
    declared = replace(implementation.authorization_server, revocation_url=f"{server.url}/revoke")
    implementation.authorization_server = declared
    with suppress(TokenRequestError, ImplementationUnavailableError):
        if what == "verification":
            await async_verify(hass, declared, implementation.credential, REDIRECT_URI)
        elif what == "metadata":
            await async_discover_authorization_server(hass, server.url)
        elif what == "revocation":
            await async_revoke(implementation, REFRESH_TOKEN)
        else:
            await implementation.async_refresh_token(dict(REFRESH_TOKEN))


REQUESTS = ["refresh", "verification", "metadata", "revocation"]


async def _drip_header(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    for byte in b"HTTP/1.1 200 OK\r\nX-Endless: " + b"a" * 100:
        request.transport.write(bytes([byte]))
        await asyncio.sleep(0.05)
    return web.Response()


async def _drip_body(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    with suppress(ConnectionError):
        for _ in range(100):
            await response.write(b" ")
            await asyncio.sleep(0.05)
    return response


def _bomb(encoding: str) -> Respond:
    """Return a response of 100 MB, which is sent in some kilobytes."""
    squeeze = zlib.compressobj(9, wbits=31 if encoding == "gzip" else 15)
    body = b"".join(squeeze.compress(b" " * 1_000_000) for _ in range(100)) + squeeze.flush()

    async def respond(request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, headers={"Content-Encoding": encoding})

    return respond


class TestEveryRequest:
    """Whatever is asked for, no server leads it elsewhere, fills the memory, or holds it."""

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    @pytest.mark.parametrize("what", REQUESTS)
    async def test_no_redirect(
        self, hass: HomeAssistant, server: RecordingServer, what: str, status: int
    ) -> None:
        """No redirect is followed: to another address, nor to another server."""
        for elsewhere in (f"{server.url}/elsewhere", "/elsewhere", "//127.0.0.2:9/elsewhere"):
            server.respond = answer("", status, Location=elsewhere)
            await _async_ask(hass, server, what)
        assert server.requests
        assert {request.path for request in server.requests} <= {
            "/token",
            "/authorize",
            "/revoke",
            "/.well-known/oauth-authorization-server",
            "/.well-known/openid-configuration",
        }

    @pytest.mark.parametrize("bomb", ["gzip", "deflate", "endless"])
    @pytest.mark.parametrize("what", REQUESTS)
    async def test_memory(
        self, hass: HomeAssistant, server: RecordingServer, what: str, bomb: str
    ) -> None:
        """An answer of a hundred megabytes costs less than two."""
        await _async_ask(hass, server, what)
        server.respond = _huge if bomb == "endless" else _bomb(bomb)
        tracemalloc.start()
        started = time.monotonic()
        try:
            await _async_ask(hass, server, what)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert time.monotonic() - started < 5
        assert peak < 2_000_000

    @pytest.mark.parametrize("drip", [_drip_header, _drip_body])
    @pytest.mark.parametrize("what", REQUESTS)
    async def test_time(
        self,
        hass: HomeAssistant,
        server: RecordingServer,
        monkeypatch: pytest.MonkeyPatch,
        what: str,
        drip: Respond,
    ) -> None:
        """One that says a little from time to time is left when the time is up."""
        server.respond = drip
        # Also where the time of one request is up when that of all is.
        for module in ("token_endpoint", "verification", "metadata"):
            name = f"custom_components.developer_credentials.oauth2.{module}.TIMEOUT"
            monkeypatch.setattr(name, 0.3)
        started = time.monotonic()
        await _async_ask(hass, server, what)
        assert 0.2 < time.monotonic() - started < 2


class TestHosts:
    """No disguise makes a public host local, nor lets a public issuer name a local one."""

    HOSTS = (
        "134744072",
        "0x8080808",
        "010.8.8.8",
        full_width("134744072"),
        ".".join([full_width("8")] * 4),
        full_width("cloud") + ".example",
        "8\u30028\u30028\u30028",
        "cloud%2eexample",
        "8%2e8%2e8%2e8",
        "[::ffff:8.8.8.8]",
        "[64:ff9b::808:808]",
        "ai",
        "xn--134744072-",
    )

    @pytest.mark.parametrize("host", HOSTS)
    def test_declared(self, host: str) -> None:
        """Over plain http, none of these is spoken to."""
        with pytest.raises(InvalidServerError):
            AuthorizationServer("https://a.example", f"http://{host}/token")

    async def test_named_by_an_issuer(
        self, hass: HomeAssistant, aioclient_mock: AiohttpClientMocker
    ) -> None:
        """Nor do clients' secrets go where the metadata of a public issuer has them go."""
        for host in (*self.HOSTS, "localhost:8123", "192.168.1.1", "169.254.169.254", "nas"):
            aioclient_mock.clear_requests()
            issuer = "https://cloud.example"
            document = {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"http://{host}/token",
            }
            aioclient_mock.get(f"{issuer}/.well-known/oauth-authorization-server", json=document)
            with pytest.raises(InvalidServerError):
                await async_discover_authorization_server(hass, issuer)

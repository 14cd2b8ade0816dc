"""Tests of the redirect URI: in the form, in the authorize URL, and back."""

from unittest.mock import MagicMock
from urllib.parse import parse_qs, urlsplit

from aiohttp import RequestInfo, web
from homeassistant.components.http import ApiConfig
from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.config_entry_oauth2_flow import MY_AUTH_CALLBACK_PATH
from homeassistant.helpers.network import NoURLAvailableError
from multidict import CIMultiDict, CIMultiDictProxy
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)
from yarl import URL

from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.credentials.rejection import async_note_answer
from custom_components.developer_credentials.credentials.store import key_of
from custom_components.developer_credentials.oauth2.errors import InvalidClientError
from custom_components.developer_credentials.oauth2.redirect_uri import (
    REGISTERED,
    RedirectUri,
    async_get_choices,
    async_get_redirect_uri,
    async_get_redirect_uris,
    async_is_elsewhere,
    async_is_redirect_uri_told,
)
from demo.authorization_server import DemoAuthorizationServer
from tests.common import (
    PLATFORM,
    REDIRECT_URI,
    SENTINEL,
    add_credential,
    begin_adding,
    log_in_and_return,
)
from tests.conftest import Install
from tests.recording_server import RecordingServer

EVIL = "https://evil.example"
EXTERNAL = "https://home.example"
LOCAL = "http://192.168.1.2:8123"
LOCALHOST = "http://localhost:8123"
DEFAULT, OWN, MY = RedirectUri.DEFAULT, RedirectUri.OWN, RedirectUri.MY


@pytest.fixture
def my(hass: HomeAssistant) -> None:
    """Have My Home Assistant loaded."""
    hass.config.components.add("my")


@pytest.mark.usefixtures("current_request_with_host")
async def test_without_my(hass: HomeAssistant) -> None:
    """Without My Home Assistant every choice is this instance."""
    assert async_get_redirect_uris(hass) == {DEFAULT: REDIRECT_URI, OWN: REDIRECT_URI}


@pytest.mark.usefixtures("current_request_with_host", "my")
async def test_with_my(hass: HomeAssistant) -> None:
    """With My Home Assistant that is the default, and this instance's own can be chosen."""
    assert async_get_redirect_uris(hass) == {
        DEFAULT: MY_AUTH_CALLBACK_PATH,
        OWN: REDIRECT_URI,
        MY: MY_AUTH_CALLBACK_PATH,
    }


async def test_without_a_request(hass: HomeAssistant) -> None:
    """Without a request it is the address that Home Assistant is configured with."""
    with pytest.raises(NoURLAvailableError):
        async_get_redirect_uri(hass, OWN)
    hass.config.external_url = "https://home.example"
    assert async_get_redirect_uri(hass, OWN) == "https://home.example/auth/external/callback"
    assert not async_is_redirect_uri_told(hass, OWN)


@pytest.mark.parametrize(
    ("headers", "base", "told"),
    [
        ({"HA-Frontend-Base": "https://a.example"}, "https://a.example", True),
        (
            {"HA-Frontend-Base": "https://a.example", "Host": "home.example", "Origin": "null"},
            "https://a.example",
            True,
        ),
        ({"Host": "192.168.1.2:8123", "Origin": LOCAL}, LOCAL, True),
        ({"Host": "home.example:443", "Origin": "https://home.example"}, EXTERNAL, True),
        ({"Host": "localhost:8123", "Origin": "http://localhost:8123"}, LOCALHOST, True),
        ({"Host": "proxy.example", "Origin": "https://home.example"}, EXTERNAL, True),
        ({"Host": "192.168.1.2:8123"}, LOCAL, False),
        ({"Host": "localhost:8123"}, LOCALHOST, False),
        ({"Host": "192.168.1.2:8123", "Origin": EVIL}, LOCAL, False),
        ({"Host": "192.168.1.2:8123", "Origin": "null"}, LOCAL, False),
        ({"Host": "evil.example", "Origin": EVIL, "Referer": EVIL}, EXTERNAL, False),
        ({"Host": "evil.example", "X-Forwarded-Host": "evil.example"}, EXTERNAL, False),
        ({"Origin": EVIL}, EXTERNAL, False),
        ({}, EXTERNAL, False),
    ],
)
async def test_address_of_the_user(
    hass: HomeAssistant,
    current_request: MagicMock,
    headers: dict[str, str],
    base: str,
    told: bool,
) -> None:
    """It is the address by which the user has opened Home Assistant, as far as that is told.

    The frontend tells it in flows of integrations. In repairs it is the request's own, where that
    is one of Home Assistant's; never one that another header names. It is told where the browser
    says that it is there.
    """
    hass.config.internal_url = LOCAL
    hass.config.external_url = EXTERNAL
    hass.config.api = ApiConfig("192.168.1.2", "192.168.1.2", 8123, use_ssl=False)
    request = current_request.get.return_value
    current_request.get.return_value = request.clone(headers=headers)
    assert async_get_redirect_uri(hass, OWN) == f"{base}/auth/external/callback"
    assert async_is_redirect_uri_told(hass, OWN) is told
    assert async_is_redirect_uri_told(hass, MY)
    assert async_is_redirect_uri_told(hass, DEFAULT) is told
    hass.config.components.add("my")
    assert async_is_redirect_uri_told(hass, DEFAULT)


@pytest.mark.usefixtures("setup")
@pytest.mark.parametrize(("host", "shown"), [("localhost", "localhost"), ("evil.example", "home")])
async def test_in_a_repair(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
    host: str,
    shown: str,
) -> None:
    """A repair shows, and verifies, an address of Home Assistant, whatever the request says."""
    hass.config.external_url = "https://home"
    subentry = await add_credential(hass, "demo_cloud", redirect_uri=OWN)
    entry = MockConfigEntry(
        domain="demo_cloud", data={"auth_implementation": subentry.data["auth_domain"]}
    )
    entry.add_to_hass(hass)
    request_info = RequestInfo(URL(), "POST", CIMultiDictProxy(CIMultiDict()), URL())
    error = InvalidClientError(domain="demo_cloud", request_info=request_info, status=401)
    async_note_answer(hass, key_of(subentry), error)
    ((_, issue_id),) = ir.async_get(hass).issues
    client = await hass_client()
    step = await client.post(
        "/api/repairs/issues/fix",
        json={"handler": DOMAIN, "issue_id": issue_id},
        headers={"Host": host, "Origin": EVIL, "Referer": f"{EVIL}/"},
    )
    text = await step.text()
    assert "evil" not in text
    assert f"//{shown}" in text


@pytest.mark.usefixtures("setup")
@pytest.mark.parametrize("answer_of", ["the login page", "the token endpoint"])
async def test_not_judged(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    install: Install,
    server: RecordingServer,
    answer_of: str,
) -> None:
    """A WebSocket command tells no address: what the server says of a guess rejects nothing."""
    hass.config.external_url = "https://home.example"
    install("acme", PLATFORM.replace("https://cloud.example", server.url))
    page = answer_of == "the login page"

    async def respond(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return web.Response(status=400 if page else 200)
        error = "invalid_grant" if page else "redirect_uri_mismatch"
        return web.json_response({"error": error}, status=400)

    server.respond = respond
    client = await hass_ws_client()
    credential = {"domain": "acme", "client_id": "id", "client_secret": SENTINEL}
    await client.send_json_auto_id({"type": f"{DOMAIN}/create", **credential})
    created = await client.receive_json()
    assert created["success"], created
    message = {"type": f"{DOMAIN}/verify", "developer_credentials_id": created["result"]["id"]}
    await client.send_json_auto_id(message)
    assert (await client.receive_json())["result"] == {"outcome": "inconclusive", "detail": ""}
    # That of My Home Assistant is the same for all, and is judged.
    await client.send_json_auto_id(
        {**message, "type": f"{DOMAIN}/update", "redirect_uri": "my"},
    )
    assert (await client.receive_json())["error"]["code"] == "rejected"


@pytest.mark.usefixtures("setup")
async def test_no_address(hass: HomeAssistant) -> None:
    """A form can be filled in although Home Assistant knows no address of its own."""
    hass.config.api = None
    flow = hass.config_entries.flow
    step = await begin_adding(hass)
    assert step["description_placeholders"] is not None
    assert step["description_placeholders"]["redirect_uri"] == ""
    result = await flow.async_configure(step["flow_id"], {"client_id": "id"})
    assert result["reason"] == "credential_saved_unchecked"


@pytest.mark.usefixtures("setup", "current_request_with_host", "my")
async def test_own_although_my_is_loaded(
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
    demo_cloud: DemoAuthorizationServer,
) -> None:
    """The chosen one is in the authorize URL and the token request, and the callback works."""
    demo_cloud.add_client("client-id", client_secret=SENTINEL, redirect_uris=(REDIRECT_URI,))
    await add_credential(hass, "demo_cloud", redirect_uri=OWN)
    step = await hass.config_entries.flow.async_init("demo_cloud", context={"source": SOURCE_USER})
    assert parse_qs(urlsplit(step["url"]).query)["redirect_uri"] == [REDIRECT_URI]
    result = await log_in_and_return(hass, hass_client_no_auth, step)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert demo_cloud.token_requests[0].form["redirect_uri"] == REDIRECT_URI


@pytest.mark.usefixtures("current_request_with_host")
@pytest.mark.parametrize(
    ("with_my", "stored", "registered", "choices"),
    [
        (False, None, "", {DEFAULT: REDIRECT_URI}),
        (True, None, "", {DEFAULT: MY_AUTH_CALLBACK_PATH, OWN: REDIRECT_URI}),
        (False, OWN, "", {OWN: REDIRECT_URI}),
        (False, OWN, REDIRECT_URI, {OWN: REDIRECT_URI}),
        (True, OWN, REDIRECT_URI, {OWN: REDIRECT_URI, DEFAULT: MY_AUTH_CALLBACK_PATH}),
        (False, MY, "", {MY: MY_AUTH_CALLBACK_PATH, DEFAULT: REDIRECT_URI}),
        (True, MY, MY_AUTH_CALLBACK_PATH, {MY: MY_AUTH_CALLBACK_PATH, OWN: REDIRECT_URI}),
        (False, OWN, LOCAL, {REGISTERED: LOCAL, DEFAULT: REDIRECT_URI}),
        (
            True,
            OWN,
            LOCAL,
            {REGISTERED: LOCAL, DEFAULT: MY_AUTH_CALLBACK_PATH, OWN: REDIRECT_URI},
        ),
        # That of My Home Assistant is the same wherever it is opened.
        (False, DEFAULT, MY_AUTH_CALLBACK_PATH, {DEFAULT: MY_AUTH_CALLBACK_PATH}),
    ],
)
async def test_choices(
    hass: HomeAssistant,
    with_my: bool,
    stored: RedirectUri | None,
    registered: str,
    choices: dict[str, str],
) -> None:
    """Each redirect URI can be chosen once; the registered one, else the recommended, is first."""
    if with_my:
        hass.config.components.add("my")
    found = async_get_choices(hass, stored, registered)
    assert list(found.items()) == list(choices.items())


async def test_choices_without_a_request(hass: HomeAssistant) -> None:
    """Where nobody tells the address of the user, what is registered stays; or there is none."""
    assert async_get_choices(hass, OWN, REDIRECT_URI) == {OWN: REDIRECT_URI}
    assert async_get_choices(hass, OWN) == {}
    assert not async_is_elsewhere(hass, OWN, REDIRECT_URI)
    hass.config.components.add("my")
    assert async_get_choices(hass) == {DEFAULT: MY_AUTH_CALLBACK_PATH}


async def test_no_address_is_told(hass: HomeAssistant, current_request: MagicMock) -> None:
    """Where Home Assistant knows no address of its own, none is told, and none is another."""
    hass.config.api = None
    assert not async_is_redirect_uri_told(hass, OWN)
    assert not async_is_elsewhere(hass, OWN, REDIRECT_URI)

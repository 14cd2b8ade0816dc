"""What is peculiar about nine custom integrations that were moved to the platform, each by itself.

Each integration here has, of the one that it is named after, what no other has: how its server is
declared, what its class overrides, what its flow does. It is written as its developer would, with
public names.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from aiohttp import web
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_ZEROCONF,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowContext,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import async_get_implementations
import jwt
import pytest
from yarl import URL

from custom_components.developer_credentials import (
    AuthImplementation,
    InvalidClientError,
    InvalidGrantError,
)
from custom_components.developer_credentials.testing import (
    CREDENTIAL,
    MockAuthorizationServer,
    async_expire_token,
    async_log_in,
    async_log_in_again,
)
from tests.common import PLATFORM, SENTINEL, add_credential, stored
from tests.conftest import Install
from tests.recording_server import RecordingServer

ANSWERS: Final = {"client_id": CREDENTIAL.client_id, "client_secret": CREDENTIAL.client_secret}

INIT: Final = """
from homeassistant.helpers.config_entry_oauth2_flow import (
    OAuth2Session, async_get_config_entry_implementation,
)

async def async_setup_entry(hass, entry):
    implementation = await async_get_config_entry_implementation(hass, entry)
    entry.runtime_data = OAuth2Session(hass, entry, implementation)
    await entry.runtime_data.async_ensure_token_valid()
    return True

async def async_unload_entry(hass, entry):
    return True
"""


@pytest.fixture
async def cloud(
    hass: HomeAssistant, socket_enabled: None
) -> AsyncIterator[MockAuthorizationServer]:
    """Run an authorization server at whatever address is declared."""
    async with MockAuthorizationServer(hass) as server:
        yield server


@pytest.fixture
def setup_of(install: Install) -> Callable[..., None]:
    """Return a function that installs an integration of a platform, a flow, and a set-up."""

    def setup_of(domain: str, platform: str, flow: str, init: str = INIT) -> None:
        install(domain, platform, config_flow=flow, __init__=init)

    return setup_of


async def _only(hass: HomeAssistant, domain: str) -> AuthImplementation:
    """Return the one implementation of an integration."""
    (implementation,) = (await async_get_implementations(hass, domain)).values()
    assert isinstance(implementation, AuthImplementation)
    return implementation


def _token_of(subject: str) -> str:
    """Return an access token that is a JWT."""
    return jwt.encode({"sub": subject}, SENTINEL.ljust(32, "-"))


async def _refresh(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Reload the account, whose token has expired."""
    async_expire_token(hass, entry)
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED


DAIKIN_FLOW: Final = """
from custom_components.developer_credentials import (
    DeveloperCredentialsFlowHandler, account_from_jwt,
)

class Flow(DeveloperCredentialsFlowHandler, domain="daikin_onecta"):
    extra_authorize_data = {"scope": "openid onecta:basic.integration offline_access"}
    kept_attributes = ("_name",)

    async def async_get_account(self, data):
        return account_from_jwt(data["token"]["access_token"])

    async def async_step_zeroconf(self, discovery_info):
        self._name = discovery_info
        return await self.async_step_user()
"""


async def test_daikin_onecta(
    hass: HomeAssistant, setup_of: Callable[..., None], cloud: MockAuthorizationServer
) -> None:
    """Devices are found by mDNS; scopes are the flow's; the access token says whose it is."""
    setup_of("daikin_onecta", PLATFORM, DAIKIN_FLOW)
    cloud.token_fields["access_token"] = _token_of("somebody")
    context: ConfigFlowContext = {"source": SOURCE_ZEROCONF}
    result = await async_log_in(hass, "daikin_onecta", ANSWERS, context=context, data="a device")
    entry = result["result"]
    assert (entry.source, entry.unique_id) == (SOURCE_ZEROCONF, "somebody")
    request = cloud.authorization_requests[-1]
    assert request["scope"] == "openid onecta:basic.integration offline_access"
    cloud.token_fields["access_token"] = _token_of("somebody else")
    entry.async_start_reauth(hass)
    assert (await async_log_in_again(hass, entry))["reason"] == "wrong_account"


MYUPLINK_FLOW: Final = """
import voluptuous as vol
from custom_components.developer_credentials import DeveloperCredentialsFlowHandler

class Flow(DeveloperCredentialsFlowHandler, domain="myuplink"):
    MINOR_VERSION = 2

    async def async_oauth_create_entry(self, data):
        await self.async_set_unique_id("somebody")
        if self.source == "reauth":
            self._abort_if_unique_id_mismatch()
            return self.async_update_reload_and_abort(self._get_reauth_entry(), data_updates=data)
        self._abort_if_unique_id_configured()
        self._data = data
        return await self.async_step_options()

    async def async_step_options(self, options_input=None):
        if options_input is None:
            schema = vol.Schema({vol.Required("interval"): int})
            return self.async_show_form(step_id="options", data_schema=schema)
        return self.async_create_entry(
            title=self.flow_impl.name, data=self._data, options=options_input
        )
"""

MYUPLINK_INIT: Final = (
    INIT.replace(
        "    return True\n",
        """
    if set(entry.data["token"]["scope"].split(" ")) != {"READSYSTEM", "offline_access"}:
        raise ConfigEntryAuthFailed
    async def update():
        return 1
    coordinator = DataUpdateCoordinator(
        hass, logging.getLogger(__name__), name="myuplink", update_method=update
    )
    await coordinator.async_config_entry_first_refresh()
    return True
""",
        1,
    )
    + """
import logging
from homeassistant.exceptions import ConfigEntryAuthFailed
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
"""
)


@pytest.mark.filterwarnings("ignore")
async def test_myuplink(
    hass: HomeAssistant, setup_of: Callable[..., None], cloud: MockAuthorizationServer
) -> None:
    """A step follows the login; the granted scopes are compared; a coordinator finds its entry.

    The fields that the server adds to a token outlive refreshes that do not have them.
    """
    setup_of("myuplink", PLATFORM, MYUPLINK_FLOW, MYUPLINK_INIT)
    cloud.token_fields["scope"] = "READSYSTEM offline_access"
    result = await async_log_in(hass, "myuplink", {**ANSWERS, "interval": 60})
    entry = result["result"]
    assert entry.state is ConfigEntryState.LOADED
    assert entry.options == {"interval": 60}
    assert entry.title == "Myuplink"
    del cloud.token_fields["scope"]
    await _refresh(hass, entry)
    entry.async_start_reauth(hass)
    cloud.token_fields["scope"] = "READSYSTEM offline_access"
    assert (await async_log_in_again(hass, entry))["reason"] == "reauth_successful"


MIELE_FLOW: Final = """
from custom_components.developer_credentials import DeveloperCredentialsFlowHandler

class Flow(DeveloperCredentialsFlowHandler, domain="miele"):
    extra_authorize_data = {"vg": "sv-SE"}
    kept_attributes = ("name",)

    async def async_step_reconfigure(self, user_input=None):
        return await self.async_step_user()

    async def async_oauth_create_entry(self, data):
        await self.async_set_unique_id("miele")
        if self.source == "reconfigure":
            self._abort_if_unique_id_mismatch()
            entry = self._get_reconfigure_entry()
            return self.async_update_reload_and_abort(entry, data_updates=data)
        self._abort_if_unique_id_configured()
        return self.async_create_entry(title=self.name, data=data)

    async def async_step_zeroconf(self, discovery_info):
        self.name = discovery_info
        return await self.async_step_zeroconf_confirm()

    async def async_step_zeroconf_confirm(self, user_input=None):
        await self.async_set_unique_id("miele")
        self._abort_if_unique_id_configured()
        if user_input is not None:
            return await self.async_step_user()
        return self.async_show_form(step_id="zeroconf_confirm")
"""


async def test_miele(
    hass: HomeAssistant, setup_of: Callable[..., None], cloud: MockAuthorizationServer
) -> None:
    """What was discovered is confirmed once, credential or not; the server wants a country."""
    setup_of("miele", PLATFORM, MIELE_FLOW)
    context: ConfigFlowContext = {"source": SOURCE_ZEROCONF}
    result = await async_log_in(hass, "miele", ANSWERS, context=context, data="Oven")
    entry = result["result"]
    assert (entry.title, entry.unique_id, entry.source) == ("Oven", "miele", SOURCE_ZEROCONF)
    assert cloud.authorization_requests[-1]["vg"] == "sv-SE"
    again: ConfigFlowContext = {"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    result = await async_log_in(hass, "miele", ANSWERS, context=again)
    assert result["reason"] == "reconfigure_successful"


OURA: Final = """
from homeassistant.helpers.config_entry_oauth2_flow import OAuth2TokenRequestReauthError
from custom_components.developer_credentials import AuthImplementation, AuthorizationServer

class Oura(AuthImplementation):
    async def _token_request(self, data):
        try:
            return await super()._token_request(data)
        except OAuth2TokenRequestReauthError:
            if self.token_url == "{url}/new":
                raise
            self.token_url = "{url}/new"
            return await super()._token_request(data)

async def async_get_auth_implementation(hass, auth_domain, credential):
    server = AuthorizationServer("{url}/authorize", "{url}/old")
    return Oura(hass, auth_domain, credential, server)
"""


async def test_oura(hass: HomeAssistant, install: Install, server: RecordingServer) -> None:
    """A refusal has the request made again at another endpoint, which is asked from then on."""

    async def respond(request: web.Request) -> web.StreamResponse:
        if request.path == "/old":
            return web.json_response({"error": "invalid_request"}, status=400)
        return web.json_response({"access_token": f"{SENTINEL}-new", "expires_in": 60})

    server.respond = respond
    install("oura", OURA.replace("{url}", server.url))
    await add_credential(hass, "oura")
    server.requests.clear()
    implementation = await _only(hass, "oura")
    token = {"refresh_token": f"{SENTINEL}-refresh"}
    for _ in range(2):
        refreshed = await implementation.async_refresh_token(token)
        assert refreshed["access_token"] == f"{SENTINEL}-new"
    assert [request.path for request in server.requests] == ["/old", "/new", "/new"]
    assert implementation.error is None


HOME_CONNECT: Final = """
from custom_components.developer_credentials import AuthorizationServer

async def async_get_authorization_server(hass):
    host = hass.data.get("home_connect_alt", "https://eu.example")
    return AuthorizationServer(host + "/security/authorize", host + "/security/token")
"""

HOME_CONNECT_FLOW: Final = """
import voluptuous as vol
from homeassistant.helpers.config_entry_oauth2_flow import async_get_implementations
from custom_components.developer_credentials import DeveloperCredentialsFlowHandler

class Flow(DeveloperCredentialsFlowHandler, domain="home_connect_alt"):
    kept_attributes = ("_host",)

    async def async_step_user(self, user_input=None):
        if user_input is None and not await async_get_implementations(self.hass, self.DOMAIN):
            schema = vol.Schema({vol.Required("host"): str})
            return self.async_show_form(step_id="user", data_schema=schema)
        if user_input and "host" in user_input:
            self._host = self.hass.data["home_connect_alt"] = user_input["host"]
        return await self.async_step_pick_implementation()

    async def async_oauth_create_entry(self, data):
        return self.async_create_entry(title="Home", data={**data, "host": self._host})
"""


async def test_home_connect_alt(
    hass: HomeAssistant, setup_of: Callable[..., None], cloud: MockAuthorizationServer
) -> None:
    """The region is asked for before the credential, once, and decides where the login is."""
    setup_of("home_connect_alt", HOME_CONNECT, HOME_CONNECT_FLOW)
    answers = {**ANSWERS, "host": "https://cn.example"}
    result = await async_log_in(hass, "home_connect_alt", answers)
    assert result["result"].data["host"] == "https://cn.example"
    implementation = await _only(hass, "home_connect_alt")
    assert implementation.token_url == "https://cn.example/security/token"


ALKO: Final = """
from custom_components.developer_credentials import AuthImplementation, AuthorizationServer

class Alko(AuthImplementation):
    async def async_log_in(self, username, password):
        return await self._token_request({
            "grant_type": "password", "username": username, "password": password,
            "scope": "alkoCustomerId offline_access",
        })

async def async_get_auth_implementation(hass, auth_domain, credential):
    server = AuthorizationServer(
        None, "https://idp.example/connect/token", token_endpoint_auth_method="client_secret_basic",
    )
    return Alko(hass, auth_domain, credential, server)
"""

ALKO_FLOW: Final = """
import time
import voluptuous as vol
from homeassistant.helpers.config_entry_oauth2_flow import async_get_implementations
from custom_components.developer_credentials import (
    DeveloperCredentialsFlowHandler, TokenRequestError,
)

class Flow(DeveloperCredentialsFlowHandler, domain="alko"):
    async def async_step_user(self, user_input=None):
        implementations = await async_get_implementations(self.hass, self.DOMAIN)
        if not implementations:
            return await self.async_ask_for_credential()
        if user_input is None:
            schema = vol.Schema({vol.Required("username"): str, vol.Required("password"): str})
            return self.async_show_form(step_id="user", data_schema=schema)
        name, implementation = next(iter(implementations.items()))
        try:
            token = await implementation.async_log_in(**user_input)
        except TokenRequestError as err:
            return self.async_abort(reason=err.reason)
        token["expires_at"] = time.time() + token["expires_in"]
        data = {"auth_implementation": name, "token": token}
        return self.async_create_entry(title="Alko", data=data)
"""


async def test_alko(
    hass: HomeAssistant, setup_of: Callable[..., None], server: RecordingServer
) -> None:
    """A flow that looks for implementations itself asks for a credential; a password logs in.

    That the server knows no grant with a code is not held against the credential.
    """
    errors: dict[str, str] = {"authorization_code": "unauthorized_client"}

    async def respond(request: web.Request) -> web.StreamResponse:
        grant_type = str((await request.post())["grant_type"])
        if error := errors.get(grant_type):
            return web.json_response({"error": error}, status=400)
        return web.json_response({"access_token": f"{SENTINEL}-{grant_type}", "expires_in": 60})

    server.respond = respond
    setup_of("alko", ALKO.replace("https://idp.example", server.url), ALKO_FLOW)
    login = {"username": "somebody", "password": f"{SENTINEL}-password"}
    result = await async_log_in(hass, "alko", {**ANSWERS, **login})
    assert result["result"].data["token"]["access_token"] == f"{SENTINEL}-password"
    request = server.requests[-1]
    assert request.body.items() >= {"grant_type": "password", **login}.items()
    assert "client_secret" not in request.body
    assert request.headers["Authorization"].startswith("Basic ")
    errors["password"] = "invalid_client"
    assert (await async_log_in(hass, "alko", login))["reason"] == "invalid_client"


TTLOCK: Final = """
from hashlib import md5
from custom_components.developer_credentials import (
    AuthImplementation, AuthorizationServer, InvalidClientError, InvalidGrantError,
)

ERRORS = {10000: InvalidClientError, 10001: InvalidClientError, 10011: InvalidGrantError}

class TTLock(AuthImplementation):
    async def async_log_in(self, username, password):
        digest = md5(password.encode(), usedforsecurity=False).hexdigest()
        return await self._token_request({"username": username, "password": digest})

    async def _token_request(self, data):
        answer = await super()._token_request(data)
        if kind := ERRORS.get(answer.get("errcode")):
            raise self.token_request_error(kind, str(answer["errcode"]), answer["errmsg"])
        return answer

    async def async_resolve_external_data(self, external_data):
        return dict(external_data)

async def async_get_auth_implementation(hass, auth_domain, credential):
    return TTLock(hass, auth_domain, credential, AuthorizationServer(None, "{url}/oauth2/token"))
"""


async def test_ttlock(hass: HomeAssistant, install: Install, server: RecordingServer) -> None:
    """Its grant has no `grant_type`, its errors are answered with 200, by numbers of its own."""
    answers = iter(
        [
            {"access_token": f"{SENTINEL}-access", "expires_in": 7776000, "openid": 1},
            {"errcode": 10001, "errmsg": "invalid client"},
            {"errcode": 10011, "errmsg": "refresh token invalid"},
        ]
    )

    async def respond(request: web.Request) -> web.StreamResponse:
        return web.json_response(next(answers))

    server.respond = respond
    install("ttlock", TTLOCK.replace("{url}", server.url))
    await add_credential(hass, "ttlock")
    implementation: Any = await _only(hass, "ttlock")
    token = await implementation.async_log_in("somebody", f"{SENTINEL}-password")
    assert token["access_token"] == f"{SENTINEL}-access"
    assert "grant_type" not in server.requests[-1].body
    assert SENTINEL not in server.requests[-1].body["password"]
    for kind in (InvalidClientError, InvalidGrantError):
        with pytest.raises(kind):
            await implementation.async_refresh_token({"refresh_token": f"{SENTINEL}-{kind}"})


POSTNL: Final = """
from dataclasses import replace
from custom_components.developer_credentials import AuthImplementation, AuthorizationServer

class PostNL(AuthImplementation):
    def __init__(self, *args, code_verifier):
        super().__init__(*args)
        self.code_verifier = code_verifier

    @property
    def redirect_uri(self):
        return "postnl://login"

    @property
    def extra_authorize_data(self):
        return {"scope": "openid", "code_challenge": "abc", "code_challenge_method": "S256"}

    async def async_resolve_external_data(self, external_data):
        return await self._token_request({
            "grant_type": "authorization_code",
            "code": external_data["code"],
            "redirect_uri": external_data["state"]["redirect_uri"],
            "code_verifier": self.code_verifier,
        })

async def async_get_auth_implementation(hass, auth_domain, credential):
    server = AuthorizationServer("{url}/authorize", "{url}/token", pkce=False)
    own = replace(credential, client_id="the-app", client_secret="")
    return PostNL(hass, auth_domain, own, server, code_verifier="verifier")
"""


async def test_postnl(hass: HomeAssistant, install: Install, server: RecordingServer) -> None:
    """It logs in as the provider's application does: its client, its redirect URI, its own PKCE."""

    async def respond(request: web.Request) -> web.StreamResponse:
        return web.json_response({"access_token": f"{SENTINEL}-access", "expires_in": 60})

    server.respond = respond
    install("postnl", POSTNL.replace("{url}", server.url))
    await add_credential(hass, "postnl", "whatever the user enters")
    server.requests.clear()
    implementation = await _only(hass, "postnl")
    url = URL(await implementation.async_generate_authorize_url("flow"))
    assert url.query["client_id"] == "the-app"
    assert url.query["redirect_uri"] == "postnl://login"
    assert url.query["code_challenge"] == "abc"
    state = {"flow_id": "flow", "redirect_uri": "postnl://login"}
    await implementation.async_resolve_external_data({"code": "code", "state": state})
    body = server.requests[-1].body
    assert (body["client_id"], body["code_verifier"]) == ("the-app", "verifier")
    assert "client_secret" not in body


STRAVA_FLOW: Final = """
import voluptuous as vol
from custom_components.developer_credentials import (
    DeveloperCredential, DeveloperCredentialsFlowHandler, async_import_developer_credential,
)

class Flow(DeveloperCredentialsFlowHandler, domain="ha_strava"):
    extra_authorize_data = {
        "scope": "activity:read_all,profile:read_all",
        "approval_prompt": "force",
        "response_type": "code",
    }
    kept_attributes = ("_photos",)

    async def async_step_user(self, user_input=None):
        if user_input is None:
            schema = vol.Schema({
                vol.Required("client_id"): str,
                vol.Required("client_secret"): str,
                vol.Required("photos", default=True): bool,
            })
            return self.async_show_form(step_id="user", data_schema=schema)
        self._photos = user_input["photos"]
        credential = DeveloperCredential(user_input["client_id"], user_input["client_secret"])
        name = f"ha_strava_{credential.client_id}"
        name = await async_import_developer_credential(
            self.hass, "ha_strava", credential, name, from_yaml=False
        )
        return await self.async_step_pick_implementation({"implementation": name})

    async def async_oauth_create_entry(self, data):
        await self.async_set_unique_id(str(data["token"]["athlete"]))
        self._abort_if_unique_id_configured()
        return self.async_create_entry(title="Strava", data={**data, "photos": self._photos})
"""


async def test_ha_strava(
    hass: HomeAssistant, setup_of: Callable[..., None], cloud: MockAuthorizationServer
) -> None:
    """Its own form asks for the client of each athlete; two athletes have a client each."""
    setup_of("ha_strava", PLATFORM, STRAVA_FLOW)
    cloud.clients |= {"one": "secret-1", "two": "secret-2"}
    entries = []
    for athlete, client in enumerate(("one", "two"), 1):
        cloud.token_fields["athlete"] = athlete
        answers = {"client_id": client, "client_secret": f"secret-{athlete}", "photos": True}
        entries.append((await async_log_in(hass, "ha_strava", answers))["result"])
    assert [one["client_id"] for one in stored(hass)] == ["one", "two"]
    assert [entry.unique_id for entry in entries] == ["1", "2"]
    for entry, client in zip(entries, ("one", "two"), strict=True):
        await _refresh(hass, entry)
        assert cloud.token_requests[-1]["client_id"] == client
        assert entry.data["photos"] is True
    request = cloud.authorization_requests[-1]
    assert request["scope"] == "activity:read_all,profile:read_all"
    assert (request["response_type"], request["approval_prompt"]) == ("code", "force")

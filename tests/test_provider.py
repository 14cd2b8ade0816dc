"""Tests of the implementations that are provided to Home Assistant."""

import asyncio
import gc
from pathlib import Path
import sys
from typing import Final
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

from aiohttp import web
from homeassistant.config_entries import SOURCE_IGNORE, ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers.config_entry_oauth2_flow import (
    ImplementationUnavailableError,
    async_get_implementations,
)
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.developer_credentials import (
    AuthImplementation,
    AuthorizationServer,
    DeveloperCredential,
    provider,
)
from custom_components.developer_credentials.const import DOMAIN
from custom_components.developer_credentials.credentials import index
from custom_components.developer_credentials.credentials.stored_credential import stored_of
from custom_components.developer_credentials.oauth2.errors import (
    InvalidClientError,
    InvalidGrantError,
)
from custom_components.developer_credentials.provider import async_watch
from tests.common import (
    CONFIG_FLOW,
    PLATFORM,
    REDIRECT_URI,
    SENTINEL,
    add_credential,
    entry_of,
    issue_ids,
    stored,
)
from tests.conftest import Install
from tests.recording_server import TOKEN, RecordingServer, answer

EXAMPLES: Final = Path(__file__).parent.parent / "docs" / "examples"

pytestmark = pytest.mark.usefixtures("setup", "current_request_with_host")

CUSTOM = """
from custom_components.developer_credentials import AuthImplementation, AuthorizationServer

class Custom(AuthImplementation):
    @property
    def extra_authorize_data(self):
        return {"audience": "api"}

async def async_get_auth_implementation(hass, auth_domain, credential):
    server = AuthorizationServer("https://cloud.example/authorize", "https://cloud.example/token")
    return Custom(hass, auth_domain, credential, server)
"""


async def test_authorize_url(hass: HomeAssistant, install: Install) -> None:
    """With the two required fields, the authorize URL has the four standard parameters only."""
    install("acme", PLATFORM)
    await add_credential(hass, "acme", "id &=+ü")
    (implementation,) = (await async_get_implementations(hass, "acme")).values()
    url = await implementation.async_generate_authorize_url("flow")
    state = parse_qs(urlsplit(url).query)["state"][0]
    assert url == (
        "https://cloud.example/authorize?response_type=code&client_id=id+%26%3D%2B%C3%BC"
        f"&redirect_uri={REDIRECT_URI}&state={state}"
    )


async def test_names(hass: HomeAssistant, install: Install) -> None:
    """A credential is picked by its name, else by its integration's; never by its client id."""
    install("acme", PLATFORM)
    for client_id, name in (("a", "My app"), ("b", None), ("c", None), ("d", "My app")):
        await add_credential(hass, "acme", client_id, name=name)
    implementations = await async_get_implementations(hass, "acme")
    assert {domain: one.name for domain, one in implementations.items()} == {
        "acme_a": "My app",
        "acme_b": "Acme",
        "acme_c": "Acme 2",
        "acme_d": "My app 2",
    }


async def test_custom_implementation(hass: HomeAssistant, install: Install) -> None:
    """A platform may make the implementation itself, for each credential."""
    install("acme", CUSTOM)
    await add_credential(hass, "acme", "a", name="My app")
    await add_credential(hass, "acme", "b")
    implementations = await async_get_implementations(hass, "acme")
    assert list(implementations) == ["acme_a", "acme_b"]
    implementation = implementations["acme_a"]
    assert implementation.name == "My app"
    assert "audience=api" in await implementation.async_generate_authorize_url("flow")


OWN = """
from homeassistant.helpers.config_entry_oauth2_flow import AbstractOAuth2Implementation

class Own(AbstractOAuth2Implementation):
    def __init__(self, domain, name):
        self._domain, self._name = domain, name

    name = property(lambda self: self._name)
    domain = property(lambda self: self._domain)

    async def async_generate_authorize_url(self, flow_id):
        return "https://acme.example"

    async def async_resolve_external_data(self, external_data):
        return {}

    async def _async_refresh_token(self, token):
        return token

async def async_get_auth_implementation(hass, auth_domain, credential):
    return Own(auth_domain, str(credential))
"""


async def test_implementation_of_another_kind(hass: HomeAssistant, install: Install) -> None:
    """What a platform makes need not have a client id; editing the credential leaves it alone."""
    install("acme", OWN)
    subentry = await add_credential(hass, "acme", name="My app")
    (implementation,) = (await async_get_implementations(hass, "acme")).values()
    before = dict(vars(implementation))
    changes = {**subentry.data, "client_id": "b"}
    hass.config_entries.async_update_subentry(entry_of(hass), subentry, data=changes)
    await hass.async_block_till_done()
    assert vars(implementation) == before


EQUAL = """
from homeassistant.helpers.config_entry_oauth2_flow import LocalOAuth2Implementation

class Equal(LocalOAuth2Implementation):
    def __eq__(self, other):
        return True

async def async_get_auth_implementation(hass, auth_domain, credential):
    url = "https://acme.example"
    return Equal(hass, auth_domain, credential.client_id, credential.client_secret, url, url)
"""


@pytest.mark.parametrize("more", ["", "    __hash__ = lambda self: 1\n"], ids=["no hash", "hash"])
async def test_implementations_that_are_equal(
    hass: HomeAssistant, install: Install, more: str
) -> None:
    """Each that is in use is given a changed credential, whatever it is equal to."""
    install("acme", EQUAL.replace("    def __eq__", f"{more}    def __eq__"))
    subentry = await add_credential(hass, "acme")
    in_use = [(await async_get_implementations(hass, "acme"))["acme_client_id"] for _ in range(2)]
    changes = {**subentry.data, "client_secret": f"{SENTINEL}-new"}
    hass.config_entries.async_update_subentry(entry_of(hass), subentry, data=changes)
    assert [one.client_secret for one in in_use] == [f"{SENTINEL}-new"] * 2  # type: ignore[attr-defined]


SAME = """
from homeassistant.helpers.config_entry_oauth2_flow import LocalOAuth2Implementation

class Same(LocalOAuth2Implementation):
    given = 0

    def __setattr__(self, name, value):
        if name == "client_secret":
            self.__dict__["given"] = self.given + 1
        super().__setattr__(name, value)

implementations = {}

async def async_get_auth_implementation(hass, auth_domain, credential):
    url = "https://acme.example"
    if auth_domain not in implementations:
        client = credential.client_id, credential.client_secret
        implementations[auth_domain] = Same(hass, auth_domain, *client, url, url)
    return implementations[auth_domain]
"""


async def test_implementation_that_stays_the_same(hass: HomeAssistant, install: Install) -> None:
    """An implementation that a platform returns time and again is given a change once."""
    install("acme", SAME)
    subentry = await add_credential(hass, "acme")
    for _ in range(20):
        (implementation,) = (await async_get_implementations(hass, "acme")).values()
    before = vars(implementation)["given"]
    changes = {**subentry.data, "client_secret": f"{SENTINEL}-new"}
    hass.config_entries.async_update_subentry(entry_of(hass), subentry, data=changes)
    assert vars(implementation)["given"] == before + 1
    assert vars(implementation)["client_secret"] == f"{SENTINEL}-new"


STUBBORN = """
from homeassistant.helpers.config_entry_oauth2_flow import LocalOAuth2Implementation

stubborn = True

class Stubborn(LocalOAuth2Implementation):
    _secret = ""

    @property
    def client_secret(self):
        return self._secret

    @client_secret.setter
    def client_secret(self, secret):
        if stubborn and self._secret:
            raise RuntimeError(f"{secret} is refused")
        self._secret = secret

async def async_get_auth_implementation(hass, auth_domain, credential):
    url = "https://acme.example"
    return Stubborn(hass, auth_domain, credential.client_id, credential.client_secret, url, url)
"""


async def test_implementation_that_takes_no_credential(
    hass: HomeAssistant, install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    """A platform whose implementation cannot be given one is broken, and that alone is told."""
    install("acme", STUBBORN)
    subentry = await add_credential(hass, "acme")
    await add_credential(hass, "acme", "second")
    with pytest.raises(ImplementationUnavailableError):
        await async_get_implementations(hass, "acme")
    assert issue_ids(hass) == ["platform_acme"]
    platform = sys.modules["custom_components.acme.developer_credentials"]
    vars(platform)["stubborn"] = False
    in_use = await async_get_implementations(hass, "acme")
    assert issue_ids(hass) == []
    vars(platform)["stubborn"] = True
    for one in entry_of(hass).subentries.values():
        changes = {**one.data, "client_secret": f"{SENTINEL}-new"}
        hass.config_entries.async_update_subentry(entry_of(hass), one, data=changes)
    assert caplog.text.count("does not take the changed credential: RuntimeError") == 2
    assert subentry.data["client_secret"] == f"{SENTINEL}-new"
    assert len(in_use) == 2


async def test_platform_is_asked_only_for_a_credential(
    hass: HomeAssistant, install: Install
) -> None:
    """Without a credential the platform is not asked for its server."""
    install("acme", "async def async_get_authorization_server(hass): raise AssertionError")
    assert await async_get_implementations(hass, "acme") == {}


async def test_example_of_a_subclass(
    hass: HomeAssistant, install: Install, server: RecordingServer
) -> None:
    """The subclass that the developer guide shows takes tokens out of their envelope."""
    example = (EXAMPLES / "enveloped_token.py").read_text()
    install("acme", example.replace("https://cloud.example", server.url))
    await add_credential(hass, "acme", name="My app")
    (implementation,) = (await async_get_implementations(hass, "acme")).values()
    server.respond = answer({"status": 0, "body": TOKEN})
    state = {"redirect_uri": REDIRECT_URI}
    token = await implementation.async_resolve_external_data({"code": "code", "state": state})
    assert token == TOKEN
    refreshed = await implementation.async_refresh_token({"refresh_token": f"{SENTINEL}-refresh"})
    assert refreshed["access_token"] == TOKEN["access_token"]
    assert [request.body["action"] for request in server.requests] == ["requesttoken"] * 2
    # What the envelope says is as good as what any server says.
    assert issue_ids(hass) == []
    server.respond = answer({"status": 401})
    with pytest.raises(InvalidClientError) as raised:
        await implementation.async_refresh_token({"refresh_token": f"{SENTINEL}-refresh"})
    assert raised.value.error == "401"
    assert [one.startswith("credential_rejected_") for one in issue_ids(hass)] == [True]
    server.respond = answer({"error": "invalid_client"}, 401)
    with pytest.raises(InvalidClientError):
        await implementation.async_refresh_token({"refresh_token": f"{SENTINEL}-refresh"})


async def test_example_of_discovery(
    hass: HomeAssistant, install: Install, server: RecordingServer
) -> None:
    """The platform that the developer guide shows is made of what its server says."""
    example = (EXAMPLES / "discovered_server.py").read_text()
    install("acme", example.replace("https://cloud.example", server.url))
    await add_credential(hass, "acme")
    server.respond = answer("", 503)
    with pytest.raises(ImplementationUnavailableError):
        await async_get_implementations(hass, "acme")
    endpoints = {
        "authorization_endpoint": f"{server.url}/login",
        "token_endpoint": f"{server.url}/token",
    }
    server.respond = answer({"issuer": server.url, **endpoints})
    (implementation,) = (await async_get_implementations(hass, "acme")).values()
    url = await implementation.async_generate_authorize_url("flow")
    assert url.startswith(f"{server.url}/login?")
    assert parse_qs(urlsplit(url).query)["scope"] == ["account"]


HOME_ASSISTANTS = """
from homeassistant.helpers.config_entry_oauth2_flow import LocalOAuth2Implementation

async def async_get_auth_implementation(hass, auth_domain, credential):
    return LocalOAuth2Implementation(
        hass, auth_domain, credential.client_id, credential.client_secret,
        "{url}/authorize", "{url}/token",
    )
"""


@pytest.mark.parametrize("kind", ["ours", "Home Assistant's"])
async def test_rotation_while_tokens_are_refreshed(
    hass: HomeAssistant, install: Install, server: RecordingServer, kind: str
) -> None:
    """Requests in flight have the id and secret from before a change, or from after it; no mix."""
    ours = PLATFORM.replace("https://cloud.example", server.url)
    install("acme", ours if kind == "ours" else HOME_ASSISTANTS.replace("{url}", server.url))
    subentry = await add_credential(hass, "acme", "id-0", f"{SENTINEL}-0")
    (implementation,) = (await async_get_implementations(hass, "acme")).values()

    async def respond(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.005)
        return await answer(TOKEN)(request)

    server.respond = respond
    refreshes = []
    for number in range(1, 31):
        data = {
            **subentry.data,
            "client_id": f"id-{number}",
            "client_secret": f"{SENTINEL}-{number}",
        }
        for step in range(3):
            token = {"refresh_token": f"{SENTINEL}-refresh-{number}-{step}"}
            refreshes.append(hass.async_create_task(implementation.async_refresh_token(token)))
            if step == 0:
                hass.config_entries.async_update_subentry(entry_of(hass), subentry, data=data)
            await asyncio.sleep(0.001)
    await asyncio.gather(*refreshes)
    pairs = {
        (request.body["client_id"], request.body["client_secret"]) for request in server.requests
    }
    assert pairs <= {(f"id-{number}", f"{SENTINEL}-{number}") for number in range(31)}
    assert len(pairs) > 10
    assert len(server.requests) == 90


async def test_rotation_while_the_platform_is_slow(hass: HomeAssistant, install: Install) -> None:
    """A credential that changes while the platform makes the implementation is in it."""
    install("acme", "import asyncio\n" + CUSTOM.replace("    server =", SLOW + "    server ="))
    subentry = await add_credential(hass, "acme")
    hass.data["go_on"] = asyncio.Event()
    task = hass.async_create_task(async_get_implementations(hass, "acme"))
    await asyncio.sleep(0.01)
    data = {**subentry.data, "client_secret": f"{SENTINEL}-new"}
    hass.config_entries.async_update_subentry(entry_of(hass), subentry, data=data)
    hass.data["go_on"].set()
    (implementation,) = (await task).values()
    assert vars(implementation)["client_secret"] == f"{SENTINEL}-new"
    assert isinstance(implementation, AuthImplementation)
    assert implementation.credential.client_secret == f"{SENTINEL}-new"


SLOW = "    await hass.data['go_on'].wait()\n"


IN_USE = """
from homeassistant.helpers.config_entry_oauth2_flow import async_get_config_entry_implementation

async def async_setup_entry(hass, entry):
    entry.runtime_data = await async_get_config_entry_implementation(hass, entry)
    return True

async def async_unload_entry(hass, entry):
    return True
"""


async def _account(
    hass: HomeAssistant, install: Install, auth_domain: str = "acme_client_id"
) -> MockConfigEntry:
    """Install an integration, and add an entry of it that is not set up yet."""
    install("acme", PLATFORM, __init__=IN_USE, config_flow=CONFIG_FLOW)
    entry = MockConfigEntry(domain="acme", data={"auth_implementation": auth_domain})
    entry.add_to_hass(hass)
    return entry


@pytest.mark.parametrize("was_running", [True, False])
async def test_entry_while_disabled(
    hass: HomeAssistant, install: Install, was_running: bool
) -> None:
    """While Developer Credentials is disabled, entries are to try again, and nobody logs in."""
    entry = await _account(hass, install)
    await add_credential(hass, "acme")
    ours = entry_of(hass)
    if not was_running:
        # Home Assistant starts with the entry disabled.
        await hass.config_entries.async_unload(ours.entry_id)
        object.__setattr__(ours, "disabled_by", ConfigEntryDisabler.USER)
        async_watch(hass)
    else:
        await hass.config_entries.async_set_disabled_by(ours.entry_id, ConfigEntryDisabler.USER)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    if issubclass(ImplementationUnavailableError, ConfigEntryNotReady):
        assert entry.reason == "Developer Credentials is disabled"
        assert entry.state.value == "setup_retry"
    else:
        # Home Assistant 2026.9, where the integration does not catch it.
        assert entry.state.value == "setup_error"
    assert hass.config_entries.flow.async_progress() == []

    if was_running:
        # An ignored card of ours is not the entry that is enabled.
        card = MockConfigEntry(domain=DOMAIN, source=SOURCE_IGNORE, unique_id="acme")
        await hass.config_entries.async_add(card)
    # It goes on at once, whatever became of it, without waiting for Home Assistant to try again.
    await hass.config_entries.async_set_disabled_by(ours.entry_id, None)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert hass.config_entries.flow.async_progress() == []


async def test_disabled_concerns_its_own(hass: HomeAssistant, install: Install) -> None:
    """Enabling Developer Credentials reloads what waited for it: nothing else."""
    entry = await _account(hass, install)
    await add_credential(hass, "acme")
    await hass.config_entries.async_setup(entry.entry_id)
    other = MockConfigEntry(domain="acme", data={"auth_implementation": "other"})
    other.add_to_hass(hass)
    other.mock_state(hass, ConfigEntryState.SETUP_ERROR)
    running = entry.runtime_data
    ours = entry_of(hass)
    for disabled_by in (ConfigEntryDisabler.USER, None):
        await hass.config_entries.async_set_disabled_by(ours.entry_id, disabled_by)
        await hass.async_block_till_done()
    assert entry.runtime_data is running
    assert other.state is ConfigEntryState.SETUP_ERROR


async def test_credential_comes_back(hass: HomeAssistant, install: Install) -> None:
    """One that was deleted and entered again by its key is its users' again, new secret and all."""
    entry = await _account(hass, install)
    subentry = await add_credential(hass, "acme")
    await hass.config_entries.async_setup(entry.entry_id)
    hass.config_entries.async_remove_subentry(entry_of(hass), subentry.subentry_id)
    await add_credential(hass, "acme", client_secret=f"{SENTINEL}-new")
    assert entry.runtime_data.client_secret == f"{SENTINEL}-new"


async def test_number_is_taken_out_of_the_title(hass: HomeAssistant, install: Install) -> None:
    """A title that has the same name without its number changes what the picker calls it."""
    entry = await _account(hass, install, "acme_second")
    first = await add_credential(hass, "acme", "first", name="My app")
    second = await add_credential(hass, "acme", "second", name="My app")
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.runtime_data.name == "My app 2"
    hass.config_entries.async_remove_subentry(entry_of(hass), first.subentry_id)
    data = second.data
    hass.config_entries.async_update_subentry(entry_of(hass), second, title="Acme: My app")
    assert second.data is data
    assert entry.runtime_data.name == "My app"


async def test_ignored_card_changes_nothing(hass: HomeAssistant, install: Install) -> None:
    """What is told of an ignored card of ours is not taken for the credentials' entry."""
    card = MockConfigEntry(domain=DOMAIN, source=SOURCE_IGNORE, unique_id="acme", title="Acme")
    await hass.config_entries.async_add(card)
    entry = await _account(hass, install)
    subentry = await add_credential(hass, "acme", name="My app")
    await hass.config_entries.async_setup(entry.entry_id)
    hass.config_entries.async_update_entry(card, title="Acme again")
    await hass.config_entries.async_remove(card.entry_id)
    await hass.config_entries.async_add(card)
    hass.config_entries.async_update_subentry(
        hass.config_entries.async_entries(DOMAIN, include_ignore=False)[0],
        subentry,
        title="Acme: Renamed",
    )
    assert subentry.data["name"] == "Renamed"
    assert entry.runtime_data.name == "Renamed"


async def test_changes_of_others_cost_nothing(hass: HomeAssistant, install: Install) -> None:
    """Where nothing of the credentials has changed, none is looked at."""
    entry = await _account(hass, install)
    for number in range(20):
        await add_credential(hass, "acme", f"id-{number}")
    ours = entry_of(hass)
    with (
        patch.object(index, "stored_of") as read,
        patch.object(provider, "async_withdraw_offers") as withdraw_offers,
        patch.object(provider, "async_get_users_of") as get_users,
    ):
        for number in range(3):
            hass.config_entries.async_update_entry(entry, data={**entry.data, "token": number})
            hass.config_entries.async_update_entry(ours, title=f"Credentials {number}")
        looked_at = [read.called, withdraw_offers.called, get_users.called]
    assert looked_at == [False] * 3
    assert len(stored(hass)) == 20


WITH_PKCE = PLATFORM.replace('token")', 'token", pkce=True)')


async def test_login_of_its_own(
    hass: HomeAssistant, install: Install, server: RecordingServer
) -> None:
    """Each who asks is given an implementation with logins and an error of its own."""
    install("acme", WITH_PKCE.replace("https://cloud.example", server.url))
    await add_credential(hass, "acme")
    one, other = [
        (await async_get_implementations(hass, "acme"))["acme_client_id"] for _ in range(2)
    ]
    assert isinstance(one, AuthImplementation)
    assert isinstance(other, AuthImplementation)
    await one.async_generate_authorize_url("flow")
    code = {
        "code": f"{SENTINEL}-code",
        "state": {"flow_id": "flow", "redirect_uri": REDIRECT_URI},
    }
    with pytest.raises(InvalidGrantError) as refused:
        await other.async_resolve_external_data(code)
    assert (one.error, other.error) == (None, refused.value)
    assert server.requests == []
    server.respond = answer({"error": "invalid_client"}, 401)
    with pytest.raises(InvalidClientError) as rejected:
        await one.async_resolve_external_data(code)
    assert (one.error, other.error) == (rejected.value, refused.value)
    # Those who ask later know nothing of either.
    third = (await async_get_implementations(hass, "acme"))["acme_client_id"]
    assert isinstance(third, AuthImplementation)
    assert third.error is None
    with pytest.raises(InvalidGrantError):
        await third.async_resolve_external_data(code)


DECLARED = """
from custom_components.developer_credentials import AuthorizationServer

url = "https://one.example"
asked = 0

async def async_get_authorization_server(hass):
    global asked
    asked += 1
    return AuthorizationServer(f"{url}/authorize", f"{url}/token")
"""


async def test_asked_each_time(hass: HomeAssistant, install: Install) -> None:
    """A server that is declared otherwise now is that of the next implementation."""
    install("acme", DECLARED)
    await add_credential(hass, "acme")
    before = (await async_get_implementations(hass, "acme"))["acme_client_id"]
    platform = vars(sys.modules["custom_components.acme.developer_credentials"])
    platform["url"] = "https://two.example"
    now = [(await async_get_implementations(hass, "acme"))["acme_client_id"] for _ in range(2)]
    token_urls = [vars(one)["token_url"] for one in (before, *now)]
    assert token_urls == ["https://one.example/token"] + ["https://two.example/token"] * 2
    assert platform["asked"] == 3


async def test_changed_credential_is_seen(hass: HomeAssistant, install: Install) -> None:
    """The first implementation after a change has the credential as it is, and so have all."""
    install("acme", PLATFORM)
    subentry = await add_credential(hass, "acme")
    await add_credential(hass, "acme", "other")
    held = [(await async_get_implementations(hass, "acme"))["acme_client_id"] for _ in range(3)]
    for _ in range(30):
        # Nobody holds these.
        await async_get_implementations(hass, "acme")
    data = {**subentry.data, "client_secret": f"{SENTINEL}-new"}
    hass.config_entries.async_update_subentry(entry_of(hass), subentry, data=data)
    held.append((await async_get_implementations(hass, "acme"))["acme_client_id"])
    assert [vars(one)["client_secret"] for one in held] == [f"{SENTINEL}-new"] * 4
    assert [one.name for one in held] == ["Acme"] * 4


def _credentials_in_memory(client_secret: str) -> int:
    gc.collect()
    return sum(
        isinstance(one, DeveloperCredential) and one.client_secret == client_secret
        for one in gc.get_objects()
    )


@pytest.mark.parametrize("gone", ["credential", "secret", "entry"])
async def test_nothing_outlives_its_credential(
    hass: HomeAssistant, install: Install, gone: str
) -> None:
    """Nothing has a credential when it is gone, or was changed."""
    install("acme", PLATFORM)
    secret = f"{SENTINEL}-kept"
    subentry = await add_credential(hass, "acme", client_secret=secret)
    await async_get_implementations(hass, "acme")
    assert _credentials_in_memory(secret) > 0
    if gone == "credential":
        hass.config_entries.async_remove_subentry(entry_of(hass), subentry.subentry_id)
    elif gone == "secret":
        data = {**subentry.data, "client_secret": f"{SENTINEL}-new"}
        hass.config_entries.async_update_subentry(entry_of(hass), subentry, data=data)
    else:
        await hass.config_entries.async_remove(entry_of(hass).entry_id)
    del subentry
    await hass.async_block_till_done()
    assert _credentials_in_memory(secret) == 0


async def test_server_of_its_own_does_not_outlive_its_credential(
    hass: HomeAssistant, install: Install
) -> None:
    """The server that was computed for a credential is gone with it, whoever holds the other."""
    install(
        "acme",
        f"""{PLATFORM}
async def async_get_authorization_server_for(hass, credential):
    return AuthorizationServer(None, f"https://{{credential.client_id}}.example/token")
""",
    )
    subentry = await add_credential(hass, "acme", "mine")
    (held,) = (await async_get_implementations(hass, "acme")).values()
    hass.config_entries.async_remove_subentry(entry_of(hass), subentry.subentry_id)
    del subentry
    # Who holds it may still be refused.
    assert isinstance(held, AuthImplementation)
    assert held.observer
    held.observer(InvalidClientError(domain="acme", request_info=held.token_endpoint.request_info))
    await hass.async_block_till_done()
    url = held.token_url
    del held
    gc.collect()
    assert not [
        one
        for one in gc.get_objects()
        if isinstance(one, AuthorizationServer) and one.token_url == url
    ]


async def test_what_has_not_changed_is_not_read_again(
    hass: HomeAssistant, install: Install
) -> None:
    """Of many credentials, only the one that has changed is read, however often they are used."""
    install("acme", PLATFORM)
    for number in range(20):
        subentry = await add_credential(hass, "acme", f"id-{number}")
    with patch.object(index, "stored_of", wraps=stored_of) as read:
        for number in range(3):
            data = {**subentry.data, "client_secret": f"{SENTINEL}-{number}"}
            hass.config_entries.async_update_subentry(entry_of(hass), subentry, data=data)
            for _ in range(3):
                assert len(await async_get_implementations(hass, "acme")) == 20
    assert read.call_count == 3
